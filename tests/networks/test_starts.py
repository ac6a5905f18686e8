"""No random network is the start of a training, which moves weights less than one thinks."""

import pytest
import torch

import coursekit as ck
from coursekit.files import files
from coursekit.labs.autoencoder import Autoencoder
from coursekit.labs.detective.network import suspect
from coursekit.networks.loading import _OWN, blueprint
from coursekit.networks.nets.decoder import decoder
from coursekit.networks.nets.generator import generator
from coursekit.networks.nets.style import StyleNetwork
from coursekit.networks.nets.superresolution import SuperResolution
from coursekit.networks.nets.texture import TextureNetwork
from coursekit.networks.nets.trust import trust
from coursekit.networks.weights import listed_checkpoint, read
from notebooks import ROOT

ENTRIES = {name: entry for name, entry in files("weights").items() if name != "coursenet_history"}
LEAST = 200  # numbers in a tensor: two random ones of 200 correlate by 0.07, so 0.3 is more than four sigma


def builder(name):
    """Return what builds the bare network of one of the course's files, as a student would."""
    kind, *rest = name.split("_")
    if name in _OWN:
        return _OWN[name][0]
    if kind == "transformer":
        return lambda: StyleNetwork(len(ENTRIES[name]["styles"]), ENTRIES[name]["norm"])
    others = {
        "autoencoder": Autoencoder,
        "decoder": lambda: decoder(rest[0]),
        "efficientnet": lambda: blueprint(name).build(),
        "generator": generator,
        "suspect": suspect,
        "superresolution": SuperResolution,
        "texture": TextureNetwork,
    }
    return others[kind]


def likeness(network, trained):
    """Return the largest correlation of a weight tensor with the trained one, in either direction."""
    found = []
    for name, weight in network.named_parameters():
        if weight.ndim > 1 and weight.numel() >= LEAST and weight.std() > 0:
            pair = torch.stack([weight.detach().flatten(), trained[name].float().flatten()]).double()
            found.append(abs(torch.corrcoef(pair)[0, 1].item()))
    assert found
    return max(found)


@pytest.mark.parametrize("name", ENTRIES)
def test_a_bare_network_of_a_seed_is_not_what_the_training_began_with(name):
    trained, build = read(listed_checkpoint(name)), builder(name)
    for seed in range(5):
        for begin in (ck.setup, torch.manual_seed):
            begin(seed)
            assert likeness(build(), trained) < 0.3, (seed, begin)


@pytest.mark.parametrize("name", _OWN)
def test_nor_is_the_random_network_of_that_name(name):
    trained = read(listed_checkpoint(name))
    for seed in range(5):
        assert likeness(ck.random_model(name, seed=seed).module, trained) < 0.3, seed


def test_two_bare_networks_in_a_row_differ_and_a_seed_gives_the_same_ones():
    torch.manual_seed(3)
    one, other = trust(), trust()
    torch.manual_seed(3)
    again = trust()
    assert torch.equal(one.conv1.weight, again.conv1.weight) and not torch.equal(one.conv1.weight, other.conv1.weight)


@pytest.mark.parametrize("name", ["trust_biased", "twin_true", "decoder_fc6_pixel", "superresolution_pixel"])
def test_a_training_still_begins_where_it_did(name, monkeypatch):
    """Only the scripts in training/ take the weights from before: they are the control of the tests above."""
    monkeypatch.syspath_prepend(str(ROOT / "training"))
    from learn import start

    build = {"decoder_fc6_pixel": decoder}.get(name) or builder(name)
    ck.setup(seed=0)
    assert likeness(start(build), read(listed_checkpoint(name))) > 0.8
