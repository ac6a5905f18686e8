"""The defaults are what the labs' texts, figures and stored tables were made with."""

import inspect

import pytest

import coursekit as ck
from coursekit.representations import tcav

DEFAULTS = {
    "occlusion": {"window": 32, "stride": 16, "fill": "mean"},
    "occlusion_grid": {"window": 32, "stride": 16, "fill": "mean", "feature": None},
    "smoothgrad": {"samples": 50, "sigma": 0.15, "seed": 0},
    "integrated_gradients": {"steps": 50, "baseline": "black"},
    "completeness_gap": {"baseline": "black"},
    "deconvnet": {"pooling": "switches"},
    "cam": {"upsample": False},
    "grad_cam": {"layer": None, "relu": True, "upsample": False},
    "hires_cam": {"layer": None, "relu": True, "upsample": False},
    "layer_cam": {"layer": None, "relu": True, "upsample": False},
    "guided_grad_cam": {"layer": None},
    "fullgrad": {"magnitude": False},
    "relevance": {"gamma": 0.25, "epsilon": 1e-6},
    "rise": {"n": 500, "cells": 7, "keep": 0.5, "fill": "mean", "seed": 0},
    "random_map": {"seed": 0},
    "centre_map": {"sigma": 0.25},
    "deletion_curve": {"steps": 16, "fill": "mean"},
    "insertion_curve": {"steps": 16, "fill": "blur"},
    "randomised": {"seed": 0, "mode": "cascading", "layers": ()},
    "scoreboard": {"curve_scenes": 40, "steps": 16, "path": None, "progress": True},
    "rank_correlation": {"absolute": False},
    "tcav_test": {"runs": 10, "draws": None, "seed": 0},
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults_are_those_of_the_labs(name):
    parameters = inspect.signature(getattr(ck, name)).parameters.values()
    assert {p.name: p.default for p in parameters if p.kind == p.KEYWORD_ONLY} == DEFAULTS[name]


def test_the_test_of_concepts_has_its_numbers():
    assert (tcav.POOL, tcav.PAIRS) == (20, 25)
