"""FullGrad: complete to the last bit in float64, each kind of bias by hand, and the paper's picture."""

import pytest
import torch
import torch.nn.functional as F
from nets import MEAN, STD, random_images, relative_difference, seeded, small_maps, small_model
from torch import Tensor, nn

import coursekit as ck
from coursekit.attribution.fullgrad import _shares, _spread

IMAGES = random_images(3, dtype=torch.float64)


def close(ours: Tensor, theirs: Tensor, tolerance: float = 1e-12) -> bool:
    return ours.shape == theirs.shape and relative_difference(ours, theirs) < tolerance


def model_of(*layers: nn.Module, mean=MEAN, std=STD) -> ck.Model:
    return ck.Model(seeded(nn.Sequential(*layers), seed=3), mean, std).double()


def shares(model: ck.Model, target: int) -> list[Tensor]:
    return _shares(model, IMAGES, lambda x, owner: model(x)[:, target], torch.arange(3))[1]


# Completeness -----------------------------------------------------------------------------------------------------

END = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5)
NETWORKS = {
    "convolution": lambda: model_of(nn.Conv2d(3, 4, 3), nn.ReLU(), *END),
    "no bias at all": lambda: model_of(
        nn.Conv2d(3, 4, 3, bias=False), nn.ReLU(), *END[:2], nn.Linear(4, 5, bias=False), mean=(0.0, 0.0, 0.0)
    ),
    "BatchNorm": lambda: model_of(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), *END),
    "BatchNorm without scale": lambda: model_of(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, affine=False), nn.ReLU(), *END),
    "BatchNorm of vectors": lambda: model_of(
        nn.Conv2d(3, 4, 3), *END[:2], nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 5)
    ),
    "linear layers": lambda: model_of(nn.Flatten(), nn.Linear(432, 6), nn.ReLU(), nn.Linear(6, 5)),
    "in-place ReLU": lambda: model_of(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), *END),
    "in-place ReLU6": lambda: model_of(nn.Conv2d(3, 4, 3), nn.ReLU6(inplace=True), *END),
    "hard tanh": lambda: model_of(nn.Conv2d(3, 4, 3), nn.Hardtanh(-0.5, 0.5), *END),
    "leaky ReLU": lambda: model_of(nn.Conv2d(3, 4, 3), nn.LeakyReLU(), *END),
    "groups and strides": lambda: model_of(nn.Conv2d(3, 6, 3, 2, 2, groups=3), nn.ReLU(), nn.Conv2d(6, 4, 1), *END),
    "max-pooling": lambda: model_of(nn.Conv2d(3, 4, 3), nn.MaxPool2d(3, 2), nn.ReLU(), *END),
}


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_the_map_adds_up_to_the_score_exactly(make):
    model = make()
    for target in (3, [4, 0, 2], None, lambda logits: logits[:, 1] - 2 * logits[:, 0]):
        found = ck.fullgrad(model, IMAGES, target)
        assert found.shape == (3, 1, 12, 12)
        gap = ck.completeness_gap(model, IMAGES, found, target, baseline=None)
        assert gap.shape == (3,) and gap.abs().max() < 1e-12


def saturated_model(inplace: bool = False) -> ck.Model:
    model = small_model(inplace).double()
    model.module.conv3.weight.data *= 6
    assert (small_maps(small_like(model), IMAGES)["conv3"] > 6).any()
    return model


def small_like(model: ck.Model) -> ck.Model:
    """The same weights without in-place activations."""
    other = small_model().double()
    other.load_state_dict(model.state_dict())
    return other


@pytest.mark.parametrize("inplace", [False, True])
def test_completeness_on_a_net_with_everything(inplace):
    model = saturated_model(inplace)
    for target in (0, [4, 0, 2], ck.unit("conv2", 3), ck.unit("conv3", 1, (2, 2)), ck.unit("conv1", 0, "max")):
        gap = ck.completeness_gap(model, IMAGES, ck.fullgrad(model, IMAGES, target), target, baseline=None)
        assert gap.abs().max() < 1e-12


def test_completeness_on_the_trained_network():
    model, images = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    for target in (285, 967, ck.unit("block11", 5)):
        parts = ck.fullgrad(model, images, target)
        score = parts.sum() - ck.completeness_gap(model, images, parts, target, baseline=None)
        gap = ck.completeness_gap(model, images, parts, target, baseline=None)
        assert gap.abs() < 1e-4 * score.abs()


@pytest.mark.parametrize("name", ["coursenet", "alexnet", "resnet18", "densenet121", "googlenet", "squeezenet1_1"])
def test_completeness_on_real_architectures(name):
    """Random weights: completeness holds for any."""
    model, images = ck.random_model(name), ck.load_image("coffee", size=64)
    gap = ck.completeness_gap(model, images, ck.fullgrad(model, images, 7), 7, baseline=None)
    assert gap.abs() < 1e-4 * model(images)[:, 7].abs()


def test_the_gap_sees_a_wrong_map_and_a_wrong_target():
    model = saturated_model()
    found = ck.fullgrad(model, IMAGES, 2)
    assert ck.completeness_gap(model, IMAGES, 1.1 * found, 2, baseline=None).abs().max() > 1e-3
    assert ck.completeness_gap(model, IMAGES, found, 3, baseline=None).abs().max() > 1e-3
    assert ck.completeness_gap(model, IMAGES, found, 2).abs().max() > 1e-3, "black is not nothing for FullGrad"


# Each share by hand -------------------------------------------------------------------------------------------------


def test_every_share_by_hand():
    """Input, conv1, bn1, conv2, conv3, the saturated ReLU6 and fc, in the order of the forward pass."""
    model, target = saturated_model(), 2
    images = IMAGES.clone().requires_grad_()
    maps, net = small_maps(model, images), model.module
    names = ["conv1", "bn1", "conv2", "conv3", "relu6", "fc"]
    gradients = torch.autograd.grad(maps["fc"][:, target].sum(), [images, *(maps[name] for name in names)])
    mean = torch.tensor(MEAN).double().view(1, 3, 1, 1)

    def per_channel(values: Tensor) -> Tensor:
        return values.detach().view(1, -1, 1, 1)

    bn = net.bn1
    biases = [
        images.detach() - mean,
        per_channel(net.conv1.bias),
        per_channel(bn.bias - bn.weight * bn.running_mean / torch.sqrt(bn.running_var + bn.eps)),
        per_channel(net.conv2.bias),
        per_channel(net.conv3.bias),
        6.0 * (maps["conv3"] > 6),
        net.fc.bias.detach(),
    ]
    ours = shares(model, target)
    assert len(ours) == len(biases)
    for found, gradient, bias in zip(ours, gradients, biases, strict=True):
        expected = gradient * bias
        assert expected.abs().max() > 0 and torch.allclose(found, expected, atol=1e-7)  # MEAN is kept in float32


def test_the_closed_form_of_a_linear_network():
    model = model_of(nn.Conv2d(3, 4, 3, padding=1), *END)
    conv, fc = model.module[0], model.module[3]
    ours = shares(model, 1)
    assert close(ours[1].sum((2, 3)), (fc.weight[1] * conv.bias).expand(3, -1).detach())
    assert close(ours[2].sum(1), fc.bias[1].expand(3).detach())
    assert close(ours[0], (IMAGES - model.mean) * ck.input_gradient(model, IMAGES, 1))


def test_the_normalisation_of_the_input_counts_as_a_bias():
    layers = nn.Conv2d(3, 4, 3, bias=False), nn.ReLU(), *END[:2], nn.Linear(4, 5, bias=False)
    model = model_of(*layers, mean=(0.9, 0.1, 0.5))
    found = ck.fullgrad(model, IMAGES, 1)
    gradient = ck.input_gradient(model, IMAGES, 1)
    assert close(found, ((IMAGES - model.mean) * gradient).sum(1, keepdim=True))
    assert not close(found, (IMAGES * gradient).sum(1, keepdim=True), 0.1)


def test_every_call_of_a_layer_that_is_used_twice_counts():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            return F.relu(self.conv(F.relu(self.conv(x)))).mean((2, 3))

    model = ck.Model(seeded(Twice()), MEAN, STD).double()
    found = ck.fullgrad(model, IMAGES, 0)
    assert ck.completeness_gap(model, IMAGES, found, 0, baseline=None).abs().max() < 1e-12
    assert len(shares(model, 0)) == 3


# Laying the shares over the image -----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(6, 6), (5, 7), (1, 1), (12, 12), (13, 13), (40, 40)], ids=str)
def test_enlarging_keeps_the_sum(size):
    term = torch.randn(2, 4, *size, generator=torch.Generator().manual_seed(0)).double()
    found = _spread(term, torch.Size((12, 12)))
    assert found.shape == (2, 1, 12, 12)
    assert torch.allclose(found.sum((1, 2, 3)), term.sum((1, 2, 3)), atol=1e-12)


def test_what_has_no_position_is_spread_evenly():
    found = _spread(torch.tensor([[1.0, 2.0], [-3.0, 0.0]]), torch.Size((3, 4)))
    assert torch.allclose(found, torch.tensor([0.25, -0.25]).view(2, 1, 1, 1).expand(2, 1, 3, 4))


def test_a_share_stays_where_it_is():
    term = torch.zeros(1, 1, 6, 6)
    term[..., 1, 4] = 5
    found = _spread(term, torch.Size((12, 12)))
    peak = divmod(int(found.argmax()), 12)
    assert peak[0] in (2, 3) and peak[1] in (8, 9) and found[..., 6:, :].abs().max() == 0


def test_the_picture_of_the_paper():
    """As in the authors' code: |share|, stretched to [0, 1] over a layer, bilinear with aligned corners, summed."""
    model = saturated_model()
    expected = torch.zeros(3, 1, 12, 12).double()
    for term in shares(model, 2):
        if term.ndim == 4:
            for i in range(3):
                height = term[i].abs()
                height = (height - height.min()) / (height.max() - height.min())
                large = F.interpolate(height[None], (12, 12), mode="bilinear", align_corners=True)
                expected[i] += large.sum(1)
    assert close(ck.fullgrad(model, IMAGES, 2, magnitude=True), expected)


def test_a_layer_whose_share_is_the_same_everywhere_leaves_the_picture_finite():
    model = model_of(nn.Conv2d(3, 4, 3, padding=1), *END)
    model.module[0].bias.data.zero_()
    found = ck.fullgrad(model, IMAGES, 2, magnitude=True)
    assert found.isfinite().all() and found.max() > 0


# What it refuses ----------------------------------------------------------------------------------------------------

REFUSED = {
    "SiLU": lambda: model_of(nn.Conv2d(3, 4, 3), nn.SiLU(), *END),
    "GELU": lambda: model_of(nn.Conv2d(3, 4, 3), nn.GELU(), *END),
    "softmax": lambda: model_of(nn.Conv2d(3, 4, 3), nn.ReLU(), *END, nn.Softmax(1)),
    "instance norm": lambda: model_of(nn.Conv2d(3, 4, 3), nn.InstanceNorm2d(4), nn.ReLU(), *END),
    "BatchNorm without statistics": lambda: model_of(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False), nn.ReLU(), *END
    ),
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_networks_whose_shares_do_not_add_up_are_refused(make):
    with pytest.raises(ck.UnsupportedNetwork, match=r"shares add up to .* and not to the score .*piece by piece"):
        ck.fullgrad(make(), IMAGES, 1)


def test_a_target_that_is_not_linear_is_refused():
    with pytest.raises(ck.UnsupportedNetwork, match="the target is not linear"):
        ck.fullgrad(saturated_model(), IMAGES, lambda logits: logits.softmax(1)[:, 2])


@pytest.mark.parametrize("size", [(4, 40), (40, 4), (4, 4)], ids=str)
def test_a_map_larger_than_the_image_on_one_side_keeps_its_sum(size):
    term = torch.randn(1, 3, 12, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    spread = _spread(term, torch.Size(size))
    assert spread.shape == (1, 1, *size)
    assert spread.sum().item() == pytest.approx(term.sum().item())
