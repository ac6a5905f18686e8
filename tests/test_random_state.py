"""Opening a network or a case does not move the random numbers of a notebook, and no result comes without a seed."""

import random
import signal
from functools import partial

import numpy as np
import pytest
import torch

import coursekit as ck
from coursekit.interrupts import importing

CODES = [torch.rand(20, 6, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1)]
MAPS = torch.rand(1, 8, 4, 4, generator=torch.Generator().manual_seed(0))
OPENED = {
    "decoder": ck.load_decoder,
    "generator": ck.load_generator,
    "style": ck.load_style_network,
    "texture": ck.load_texture_network,
    "superresolution": ck.load_superresolution,
    "case": partial(ck.case, 0),
    "model": ck.load_model,
    "random model": partial(ck.random_model, "coursenet"),
    "randomised": lambda: list(ck.randomised(ck.random_model("patternnet"), seed=1)),
    "scenes": partial(ck.scenes, 2, objects=["zebra"]),
    "cav": partial(ck.cav, *CODES),
    "neuron groups": partial(ck.neuron_groups, MAPS, 2),
}


def numbers():
    """Draw from torch, NumPy and Python."""
    return torch.rand(3).tolist(), np.random.rand(3).tolist(), random.random()


@pytest.mark.parametrize("name", OPENED)
def test_the_random_numbers_of_a_notebook_stay_as_they_were(name):
    ck.setup(seed=5)
    expected = numbers()
    ck.setup(seed=5)
    OPENED[name]()
    assert numbers() == expected


@pytest.mark.parametrize("handler", [signal.default_int_handler, signal.SIG_IGN], ids=["heard", "ignored"])
def test_nor_does_an_import_move_them(handler):
    interrupt = signal.signal(signal.SIGINT, handler)
    before = random.getstate()
    with importing():
        random.random()
    signal.signal(signal.SIGINT, interrupt)
    assert random.getstate() == before


@pytest.mark.parametrize("seed", [None, -1, 2**32, 0.5, "0"], ids=repr)
@pytest.mark.parametrize("call", [partial(ck.cav, *CODES), partial(ck.neuron_groups, MAPS, 2)], ids=["cav", "groups"])
def test_a_seed_is_a_whole_number(call, seed):
    with pytest.raises(ck.OptionError, match="seed must be a whole number of at least 0 and at most 4294967295"):
        call(seed=seed)
