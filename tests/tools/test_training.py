"""What the training scripts share: a network is examined as it is shipped, in half precision."""

import pytest
import torch
from torch import nn

from notebooks import ROOT


@pytest.fixture
def scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "training"))


def test_a_network_is_rounded_to_what_its_file_holds(scripts):
    from assets import halved

    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    network(torch.randn(5, 3))
    rounded, state = halved(network)
    assert state["1.num_batches_tracked"] == 1 and state["1.num_batches_tracked"].dtype == torch.int64
    for key, value in rounded.state_dict().items():
        assert torch.equal(value, state[key].to(value.dtype)), key
        assert state[key].dtype == (torch.float16 if value.is_floating_point() else torch.int64)


def test_accuracy_counts_the_right_answers_over_all_batches(scripts):
    from learn import accuracy

    x = torch.eye(3).repeat(7, 1)
    labels = torch.arange(3).repeat(7)
    labels[:4] = 2  # of these four, one is right
    assert accuracy(nn.Identity(), x, labels, batch=4) == round(18 / 21, 4)
