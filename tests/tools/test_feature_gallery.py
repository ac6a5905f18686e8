"""The distances by which the search for diverse units and for facets judges its pictures."""

import pytest
import torch

import coursekit as ck
from benchmarks.facets import facet_distances
from feature_gallery import RUNS, report_diversity, run_distances

CAT, FLOWER = (ck.load_image(name, size=64) for name in ("chelsea", "flower"))


def test_equal_runs_have_no_distance_and_different_channels_have_one():
    equal = torch.cat([CAT] * RUNS + [FLOWER] * RUNS)
    within, between = run_distances(equal)
    assert within == pytest.approx([0, 0], abs=1e-5)
    one_differs = torch.cat([CAT] * (RUNS - 1) + [FLOWER] + [FLOWER] * RUNS)
    # 6 of the 12 ordered pairs of the first channel's runs are of a cat and a flower
    assert run_distances(one_differs)[0] == pytest.approx([between / 2, 0], abs=1e-5)
    assert between > 0.2


def test_facets_are_nearer_to_their_own_pictures():
    runs = torch.stack([torch.cat([CAT, CAT]), torch.cat([FLOWER, FLOWER])])
    within, between, own = facet_distances(runs, [CAT, FLOWER])
    assert within == pytest.approx(0, abs=1e-5)
    assert own == pytest.approx(between, abs=1e-5)
    mixed = torch.stack([torch.cat([CAT, FLOWER]), torch.cat([FLOWER, CAT])])
    assert facet_distances(mixed, [CAT, FLOWER]) == pytest.approx((between, between / 2, 0), abs=1e-5)
    assert facet_distances(runs, [FLOWER, CAT])[2] == pytest.approx(-between, abs=1e-5)


def test_one_line_for_each_depth(capsys):
    found = [{"layer": "block3", "within": within, "between": 0.5} for within in (0.1, 0.3)]
    depths = [
        line | {"layer": layer} for layer in ("block6", "block9", "block11", "block13", "fc") for line in found[:1]
    ]
    report_diversity(found + depths, 7)
    assert capsys.readouterr().out.splitlines()[0] == "seed 7 block3: runs 0.200, different channels 0.500"
