"""Tuning, circuits and semantic dictionaries: planted detectors are found, cuts cut what they say, and heal."""

import math
from collections import OrderedDict

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import coursekit as ck

SIZE = 64


def bank(kernels, **options):
    """A network whose channels are the given kernels (K, 3, k, k), with a ReLU behind them."""
    conv = nn.Conv2d(3, len(kernels), kernels.shape[2], padding=kernels.shape[2] // 2, bias=False)
    conv.weight.data = kernels - kernels.mean((1, 2, 3), keepdim=True)
    model = ck.Model(nn.Sequential(OrderedDict(conv=conv, relu=nn.ReLU(), **options)))
    model.input_size = SIZE
    return model


@pytest.fixture
def small():
    torch.manual_seed(0)
    layers = OrderedDict(
        conv1=nn.Conv2d(3, 4, 3, padding=1),
        relu1=nn.ReLU(inplace=True),
        conv2=nn.Conv2d(4, 4, 3, padding=1),
        relu2=nn.ReLU(inplace=True),
        pool=nn.AdaptiveAvgPool2d(1),
        flat=nn.Flatten(),
        fc=nn.Linear(4, 5),
    )
    return ck.Model(nn.Sequential(layers))


@pytest.fixture
def images():
    return torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))


# --- tuning ----------------------------------------------------------------------------------------------------------


def test_planted_orientations_are_found_to_three_degrees():
    planted = torch.arange(6) * 30.0 + 10
    tuning = ck.orientation_tuning(
        bank(torch.cat([ck.stimuli.gabor(15, 7, angle=float(a)) for a in planted])), "relu", angles=24, wavelengths=(7,)
    )
    assert ck.angle_between(tuning.preferred(), planted).max() < 3
    assert tuning.selectivity().min() > 0.5 and tuning.by_angle().shape == (6, 24)


def test_a_unit_without_orientation_is_not_selective():
    spot = ck.stimuli.circle(15, radius=1, width=4)
    tuning = ck.orientation_tuning(bank(1 - spot), "relu", wavelengths=(8,))
    assert tuning.selectivity().item() < 0.05


@pytest.mark.parametrize("angle", [0, 90, 225])
def test_a_planted_arc_is_found_with_its_direction_and_its_radius(angle):
    kernel = 1 - ck.stimuli.curve(31, radius=8, angle=angle, width=3, length=22)
    tuning = ck.curve_tuning(bank(kernel), "relu", angles=8, radii=(8, math.inf), width=3, length=22)
    assert ck.angle_between(tuning.preferred(), torch.tensor([float(angle)]), turn=360).item() < 12
    assert tuning.best_size() == [8] and tuning.turn == 360


def test_a_straight_detector_answers_alike_after_half_a_turn():
    kernel = 1 - ck.stimuli.curve(31, radius=math.inf, angle=0, width=3, length=22)
    answers = ck.curve_tuning(bank(kernel), "relu", angles=8, radii=(math.inf,)).responses[0, 0]
    assert torch.allclose(answers[:4], answers[4:], atol=1e-4) and answers[0] > 1.5 * answers[2]


def test_only_the_middle_of_the_map_is_read():
    class Rim(nn.Module):
        def forward(self, maps):
            maps = maps.clone()
            maps[:, :, 20:44, 20:44] = 0
            return maps

    model = bank(ck.stimuli.gabor(15, 7), rim=Rim())
    assert ck.orientation_tuning(model, "relu", angles=4, wavelengths=(7,)).responses.max() > 1
    assert ck.orientation_tuning(model, "rim", angles=4, wavelengths=(7,)).responses.max() == 0


def test_what_the_empty_ground_excites_does_not_count():
    model = bank(ck.stimuli.gabor(15, 7))
    before = ck.orientation_tuning(model, "relu", angles=4, wavelengths=(7,)).responses
    model.layer("conv").bias = nn.Parameter(torch.tensor([100.0]))
    after = ck.orientation_tuning(model, "relu", angles=4, wavelengths=(7,)).responses
    torch.testing.assert_close(after.amax(2), before.amax(2), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("angle", [0, 20, 45, 90, 135, 170])
def test_the_orientation_of_pixels_has_the_convention_of_gratings(angle):
    found, clear = ck.gradient_orientation(ck.stimuli.grating(48, 9, angle))
    assert ck.angle_between(found, torch.tensor([float(angle)])).item() < 2 and clear.item() > 0.9


def test_noise_has_no_clear_orientation_and_tiny_images_are_refused():
    assert ck.gradient_orientation(ck.stimuli.noise(96, exponent=0))[1].item() < 0.2
    with pytest.raises(ck.OptionError, match="at least 3"):
        ck.gradient_orientation(torch.zeros(1, 3, 2, 2))


def test_a_layer_without_maps_has_no_tuning(small):
    with pytest.raises(ck.OptionError, match="no maps"):
        ck.orientation_tuning(small, "fc", angles=4)


# --- cutting ---------------------------------------------------------------------------------------------------------


def test_a_cut_changes_one_channel_as_if_its_inputs_were_zero(small, images):
    with ck.capture(small, ["relu1", "conv2"]) as maps, torch.no_grad():
        small(images)
        inputs, before = maps["relu1"].clone(), maps["conv2"].clone()
        with ck.cut_weights(small, "conv2", 1, [0, 3]):
            small(images)
    after, conv = maps["conv2"], small.layer("conv2")
    inputs[:, [0, 3]] = 0
    torch.testing.assert_close(after[:, 1], F.conv2d(inputs, conv.weight, conv.bias, padding=1)[:, 1])
    assert torch.equal(after[:, [0, 2, 3]], before[:, [0, 2, 3]]) and not torch.equal(after[:, 1], before[:, 1])


def test_a_cut_heals_also_after_an_error(small):
    before = small.layer("conv2").weight.clone()
    with pytest.raises(KeyError), ck.cut_weights(small, "conv2", 1, [0]):
        assert small.layer("conv2").weight[1, 0].abs().sum() == 0
        raise KeyError
    assert torch.equal(small.layer("conv2").weight, before)


@pytest.mark.parametrize(("layer", "channel", "inputs"), [("conv2", 4, [0]), ("conv2", 0, [4]), ("relu1", 0, [0])])
def test_what_cannot_be_cut_is_refused_in_a_sentence(small, layer, channel, inputs):
    with pytest.raises(ck.OptionError, match=layer), ck.cut_weights(small, layer, channel, inputs):
        pass


def test_a_silent_channel_is_zero_for_all_that_follows(small, images):
    with ck.ablate(small, "relu1", [2]), ck.capture(small, ["conv2"]) as maps, torch.no_grad():
        small(images)
    with ck.cut_weights(small, "conv2", 0, [2]), ck.capture(small, ["conv2"]) as cut, torch.no_grad():
        small(images)
    torch.testing.assert_close(maps["conv2"][:, 0], cut["conv2"][:, 0])


def test_gradients_flow_around_a_silent_channel(small, images):
    leaf = images.clone().requires_grad_()
    with ck.ablate(small, "relu1", [2]):
        small(leaf).sum().backward()  # the ReLU keeps its output for this
    assert leaf.grad.abs().sum() > 0


def test_a_layer_left_out_passes_its_input_on(small, images):
    with ck.ablate(small, "conv2"), ck.capture(small, ["relu1", "relu2"]) as maps, torch.no_grad():
        small(images)
    assert torch.equal(maps["relu1"], maps["relu2"])
    with pytest.raises(ck.OptionError, match="cannot be left out"), ck.ablate(small, "conv1"):
        small(images)
    intact = small(images)
    with ck.ablate(small, "relu1"):  # in place: what is passed on is what came in
        assert not torch.allclose(small(images), intact)
    assert torch.equal(small(images), intact)


def test_effective_weights_are_the_block_without_its_activations():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv_pw, self.bn1 = nn.Conv2d(3, 8, 1, bias=False), nn.BatchNorm2d(8)
            self.conv_dw, self.bn2 = nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False), nn.BatchNorm2d(8)
            self.conv_pwl, self.bn3 = nn.Conv2d(8, 5, 1, bias=False), nn.BatchNorm2d(5)

        def forward(self, x):
            x = self.bn2(self.conv_dw(self.bn1(self.conv_pw(x))))
            return self.bn3(self.conv_pwl(x))

    torch.manual_seed(0)
    block = Block().eval()
    for norm in (block.bn1, block.bn2, block.bn3):
        norm.weight.data.uniform_(0.5, 2)
        norm.running_var.uniform_(0.5, 2)
    x = torch.randn(1, 3, 9, 9)
    change = block(x) - block(torch.zeros_like(x))
    torch.testing.assert_close(change, F.conv2d(x, ck.effective_weights(block), padding=1), atol=1e-5, rtol=1e-4)
    with pytest.raises(ck.UnsupportedNetwork, match="ReLU"):
        ck.effective_weights(nn.ReLU())


def test_peaks_are_the_largest_values(small, images):
    with ck.capture(small, ["relu2"]) as maps, torch.no_grad():
        logits = small(images)
    found = ck.activations(small, images, ["relu2", "fc"], reduce="max")
    torch.testing.assert_close(found["relu2"], maps["relu2"].amax((2, 3)))
    torch.testing.assert_close(found["fc"], logits)


# --- dictionaries ----------------------------------------------------------------------------------------------------


def test_groups_of_channels_that_are_active_together_are_found():
    maps = torch.zeros(2, 6, 4, 4)
    maps[:, :2, :2], maps[:, 2:5, 2:] = 1.0, 3.0
    maps[:, 5] = -1.0  # never active
    groups = ck.neuron_groups(maps, 2)
    assert groups.explained > 0.999
    assert torch.equal(groups.directions > 0.1, torch.tensor([[0, 0, 1, 1, 1, 0], [1, 1, 0, 0, 0, 0]]).bool())
    assert (groups.maps[:, 0, 2:] > 1).all() and (groups.maps[:, 0, :2] < 1e-3).all()
    with pytest.raises(ck.OptionError, match="at least 7"):
        ck.neuron_groups(maps, 7)


def test_the_grid_shows_the_strongest_channel_and_fades_the_weak():
    maps = torch.tensor([[[4.0, 0.0]], [[1.0, 1.0]], [[9.0, 9.0]]])
    black, red = torch.zeros(3, 2, 2), torch.tensor([1.0, 0, 0]).view(3, 1, 1).expand(3, 2, 2)
    grid = ck.activation_grid(maps, {0: black, 1: red})  # channel 2 has no picture
    assert grid.shape == (1, 3, 2, 4)
    assert grid[..., :2].max() == 0, "the strongest: full ink"
    torch.testing.assert_close(grid[0, :, 0, 2], torch.tensor([1.0, 0.5, 0.5]))
    with pytest.raises(ck.OptionError, match="3 channels"):
        ck.activation_grid(maps, {5: red})


def test_colours_stand_where_their_group_is():
    maps = torch.zeros(2, 2, 2)
    maps[0, :, 0], maps[1, :, 1] = 1.0, 1.0
    painted = ck.colour_groups(maps, torch.ones(1, 3, 8, 8), torch.tensor([[1.0, 0, 0], [0, 0, 1.0]]))
    assert painted[0, 0, 4, 0] > 0.9 and painted[0, 2, 4, 0] < 0.1 and painted[0, 2, 4, 7] > 0.9


# --- figures ---------------------------------------------------------------------------------------------------------


def test_figures_refuse_what_does_not_fit():
    with pytest.raises(ck.OptionError, match="180 or 360"):
        ck.show_polar({"a": {"b": torch.rand(4)}}, turn=90)
    with pytest.raises(ck.OptionError, match="Give 2 titles"):
        ck.show_circuit(torch.rand(2, 3, 3), ["one"])
    with pytest.raises(ck.OptionError, match="at least one entry"):
        ck.show_parts({})


def test_bars_are_drawn_twice_around_the_circle():
    (axes,) = ck.show_polar({"unit": {"answer": torch.rand(6)}}, turn=180).figure.axes
    assert len(axes.lines[0].get_xdata()) == 13


def test_the_explorer_follows_layer_and_channel():
    net = OrderedDict(conv1=nn.Conv2d(3, 3, 3, padding=1), relu1=nn.ReLU(), conv2=nn.Conv2d(3, 5, 3, padding=1))
    torch.manual_seed(0)
    model = ck.Model(nn.Sequential(net))
    model.input_size = 32
    shown = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    explorer = ck.explore_unit(model, shown, "conv1", 1, size=16, steps=1)
    first = explorer.image.value
    explorer.controls["layer"].value = "conv2"
    assert explorer.image.value != first and "conv2 channel 1" in explorer.picture.alt
    explorer.controls["channel"].value = 4
    assert "conv2 channel 4" in explorer.picture.alt
    assert "painted for conv2 channel 4" in " ".join(explorer.picture.figure.axes[2].get_title().split())
    explorer.controls["layer"].value = "conv1"  # has three
    assert "conv1 channel 2" in explorer.picture.alt and explorer.controls["channel"].max == 2
    with pytest.raises(ck.UnknownLayer, match="conv1"):
        ck.explore_unit(model, shown, "conv9")
    with pytest.raises(ck.OptionError, match="0 to 2"):
        ck.explore_unit(model, shown, "conv1", 3)
