"""Networks live on the device that `setup` chose, and all else on the CPU: shown on a stand-in for a GPU."""

import copy

import numpy as np
import pytest
import torch
from stand_in import DEVICE, standing_in
from torch import nn

import coursekit as ck
from coursekit.networks.painters import shape_parameters


@pytest.fixture(autouse=True)
def device():
    with standing_in() as device:
        yield device


# The stand-in itself -----------------------------------------------------------------------------------------------


def test_the_stand_in_computes_what_the_cpu_computes():
    x, net = torch.rand(2, 3, 8, 8), nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))
    expected = net(x)
    expected.sum().backward()
    slope = net[0].weight.grad.clone()
    there = copy.deepcopy(net).to(DEVICE)
    there.zero_grad()
    answer = there(x.to(DEVICE))
    answer.sum().backward()
    assert answer.device == DEVICE and there[0].weight.grad.device == DEVICE
    assert torch.equal(answer.cpu(), expected) and torch.equal(there[0].weight.grad.cpu(), slope)


@pytest.mark.parametrize(
    "mix",
    [
        lambda here, there: here + there,
        lambda here, there: there @ here.T,
        lambda here, there: torch.stack([here, there]),
        lambda here, there: here[there.argmax(1)],
        lambda here, there: there.index_put_((torch.tensor([0]),), here[:1]),
        lambda here, there: torch.rand(2, device=DEVICE, generator=torch.Generator()),
    ],
)
def test_the_stand_in_refuses_what_a_gpu_refuses(mix):
    with pytest.raises(RuntimeError, match=r"same device|device type for generator"):
        mix(torch.rand(2, 3), torch.rand(2, 3).to(DEVICE))


@pytest.mark.parametrize("read", [lambda there: there.numpy(), np.asarray])
def test_numpy_cannot_read_the_stand_in(read):
    with pytest.raises(TypeError, match="copy it to the CPU"):
        read(torch.rand(2).to(DEVICE))


def test_the_stand_in_takes_what_a_gpu_takes():
    there = torch.arange(4.0).to(DEVICE)
    there[[0, 2]] = torch.tensor(5.0)
    there[[]] = 0.0
    there[1:2] = torch.tensor([7.0])  # a copy
    assert (2 * there)[torch.tensor([0, 1])].tolist() == [10.0, 14.0]
    assert torch.tensor([1, 2], device=DEVICE).tolist() == [1, 2] and torch.zeros(2, device=DEVICE).device == DEVICE


# The rule ----------------------------------------------------------------------------------------------------------


def test_setup_chooses_it_and_networks_go_there():
    ck.setup()
    assert ck.load_model("coursenet").device == DEVICE
    ck.setup(device="cpu")
    assert ck.load_model("coursenet").device == torch.device("cpu")


def test_logits_live_with_the_images():
    model, images = ck.load_model("coursenet"), torch.rand(2, 3, 128, 128)
    assert model(images).device == torch.device("cpu") and model(images.to(DEVICE)).device == DEVICE


PAINTERS = {
    "decoder": lambda: (ck.load_decoder("fc6"), torch.rand(1, 512)),
    "generator": lambda: (ck.load_generator(), shape_parameters("star")),
    "super-resolution": lambda: (ck.load_superresolution(), torch.rand(1, 3, 16, 16)),
    "style": lambda: (ck.load_style_network(), torch.rand(1, 3, 16, 16), torch.full((1, 6), 1 / 6)),
    "a layer of it": lambda: (ck.load_style_network().down[0], torch.rand(1, 3, 16, 16), torch.full((1, 6), 1 / 6)),
}


@pytest.mark.parametrize("name", PAINTERS)
def test_networks_that_paint_take_codes_from_anywhere(name):
    network, *given = PAINTERS[name]()
    assert next(network.parameters()).device == DEVICE
    here, there = network(*given), network(*(tensor.to(DEVICE) for tensor in given))
    assert (here.device, there.device) == (torch.device("cpu"), DEVICE) and torch.equal(here, there.cpu())


def test_what_is_painted_in_one_pass_lives_with_the_picture():
    image = torch.rand(1, 3, 16, 16)
    assert ck.fast_style("transformer_one_instance", image.to(DEVICE)).device == DEVICE
    assert ck.fast_style("transformer_one_instance", image).device == torch.device("cpu")
    assert ck.fast_texture(ck.load_texture_network(), size=32).device == torch.device("cpu")


def test_fullgrad_adds_up_with_images_on_the_cpu():
    model, images = ck.load_model("coursenet"), torch.rand(2, 3, 128, 128)
    shares = ck.fullgrad(model, images, 1)
    torch.testing.assert_close(shares.sum((1, 2, 3)), model(images)[:, 1], rtol=1e-3, atol=1e-3)
