"""Style, textures and doodles: losses by hand and numerically, numbers of the paper, colours, seeds, wrong input."""

import pytest
import torch
from nets import SmallNet, in_float64, random_images, seeded
from torch import nn

import coursekit as ck
from coursekit.errors import ImageError, OptionError, UnknownLayer
from coursekit.synthesis.doodle import _mean_colours, _regional, region_grams
from coursekit.synthesis.objectives import gram, match, softened, texture
from coursekit.synthesis.parameterizations import fourier
from coursekit.synthesis.style import luminance, recolour
from coursekit.synthesis.style_search import style_objective

LAYERS = ["conv1", "pool", "conv2"]
OPTIONS = {"layers": LAYERS, "content_layer": "conv2", "steps": 3}


@pytest.fixture
def model():
    return ck.Model(seeded(SmallNet()))


@pytest.fixture
def pictures():
    red = torch.tensor([1.0, 0.4, 0.2]).view(1, 3, 1, 1)
    return random_images(1, 32, seed=1), random_images(1, 40, seed=2) * red


class Pass(nn.Module):
    """Lets the pixels through, so that their Gram matrix can be written down."""

    def __init__(self):
        super().__init__()
        self.same = nn.Identity()

    def forward(self, x):
        return self.same(x).mean((2, 3))


# --------------------------------------------------------------------------------------- by hand, and numerically


def test_the_gram_matrix_by_hand_and_its_parts():
    a = torch.tensor([[[[1.0, 2.0], [0.0, 1.0]], [[0.0, 3.0], [1.0, 0.0]]]])
    torch.testing.assert_close(gram(a), torch.tensor([[[6 / 4, 6 / 4], [6 / 4, 10 / 4]]]))
    mean = a.mean((2, 3))
    centred = gram(a - mean[:, :, None, None])
    torch.testing.assert_close(gram(a), centred + mean[:, :, None] * mean[:, None])
    torch.testing.assert_close(gram(a.flip(3)), gram(a))


def test_content_and_style_losses_by_hand():
    model = ck.Model(Pass())
    black_red, grey = torch.zeros(1, 3, 32, 32), torch.full((1, 3, 32, 32), 0.5)
    black_red[:, 0, :, :16] = 1.0  # half of it red
    acts = {"same": black_red}
    # (1 - ½)² + (0 - ½)² + (0 - ½)² in each pixel, against 3 · ¼
    torch.testing.assert_close(match(model, grey, "same").read(acts, None), torch.tensor([-1.0]))
    # G has ½ for red with red and 0 elsewhere; G₀ has ¼ in all nine places
    apart = (0.25**2 + 8 * 0.25**2) / (9 * 0.25**2)
    torch.testing.assert_close(texture(model, grey, "same").read(acts, None), torch.tensor([-apart]))
    torch.testing.assert_close(ck.gram_distance(model, black_red, grey, ["same"]), torch.tensor([apart]))


def test_total_variation_by_hand():
    x = torch.zeros(1, 3, 2, 2)
    x[0, 0] = torch.tensor([[0.0, 0.5], [1.0, 0.0]])
    torch.testing.assert_close(
        ck.regularizers.total_variation(2.0).penalty(x), torch.tensor([2 * (1.0 + 0.25) / 4]), atol=1e-6, rtol=0
    )


def test_a_softmax_has_mean_zero_and_lets_no_value_rule():
    a = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    a[0, 0, 0, 0] = 100.0
    soft = softened(a, 50.0)
    torch.testing.assert_close(soft.mean((1, 2, 3)), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(soft[0] + 1, (a[0] / 50).exp() / (a[0] / 50).exp().mean())
    assert soft[0].max() / soft[0].std() < a[0].max() / a[0].std()
    assert softened(a, None) is a


def losses(model, content, style):
    half = torch.zeros(2, 32, 32)
    half[0, :20], half[1, 20:] = 1, 1
    theirs = torch.zeros(2, 40, 40)
    theirs[0, :, :10], theirs[1, :, 10:] = 1, 1
    return {
        "Gram": lambda x, acts: texture(model, style, "conv1").read(acts, None),
        "content": lambda x, acts: match(model, content, "conv2").read(acts, None),
        "style": lambda x, acts: style_objective(model, LAYERS, style).read(acts, None),
        "smoothed": lambda x, acts: style_objective(model, LAYERS, style, 2.0).read(acts, None),
        "TV": lambda x, acts: ck.regularizers.total_variation(1.0).penalty(x),
        "doodle": lambda x, acts: _regional(model, LAYERS, style, theirs, half).read(acts, None),
    }


@pytest.mark.parametrize("name", ["Gram", "content", "style", "smoothed", "TV", "doodle"])
def test_the_gradient_of_each_loss_is_its_numerical_one(model, name):
    content, style = random_images(1, 32, seed=1, dtype=torch.float64), random_images(1, 40, seed=2).double()
    with in_float64(model):
        loss = losses(model, content, style)[name]

        def value(corner):
            x = content.clone()
            x[:, :, :3, :3] = corner
            with ck.capture(model, LAYERS) as acts:
                model(x)
            return loss(x, acts)

        corner = random_images(1, 3, seed=5, dtype=torch.float64).requires_grad_()
        assert torch.autograd.gradcheck(value, corner, eps=1e-6, atol=1e-7, rtol=1e-4)
        (g,) = torch.autograd.grad(value(corner).sum(), corner)
        assert g.abs().max() > 1e-7, "a gradient of zero would prove nothing"


def test_grams_of_regions_are_those_of_the_pieces():
    a, masks = random_images(2, 8, seed=3), torch.zeros(2, 8, 8)
    masks[0, :, :3], masks[1, :, 3:] = 1, 1
    pieces = torch.stack([gram(a[..., :3]), gram(a[..., 3:])], 1)
    torch.testing.assert_close(region_grams(a, masks), pieces)
    torch.testing.assert_close(region_grams(a, torch.ones(1, 8, 8))[:, 0], gram(a))
    torch.testing.assert_close(region_grams(a, masks.repeat_interleave(4, 1).repeat_interleave(4, 2)), pieces)


# -------------------------------------------------------------------------------------------------- what it paints


def test_more_content_weight_stays_nearer_to_the_content_and_fewer_to_the_style(model, pictures):
    content, style = pictures
    few, many = ck.style_transfer(
        model, content, style, **(OPTIONS | {"steps": 40}), content_weight=[0.0, 3.0], start="noise"
    ).images.split(1)
    with ck.capture(model, ["conv2"]) as acts, torch.no_grad():
        model(torch.cat([content, few, many]))
    goal, one, other = acts["conv2"].flatten(1)
    assert (other - goal).norm() < 0.8 * (one - goal).norm()
    assert ck.gram_distance(model, few, style, LAYERS) < ck.gram_distance(model, many, style, LAYERS)


def test_a_list_of_weights_gives_the_pictures_of_single_runs(model, pictures):
    options = OPTIONS | {"optimizer": "adam"}  # L-BFGS takes all pictures of a batch for one vector
    together = ck.style_transfer(model, *pictures, **options, content_weight=[0.01, 1.0]).images
    alone = [ck.style_transfer(model, *pictures, **options, content_weight=w).images for w in (0.01, 1.0)]
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-3, rtol=0)


def test_styles_are_mixed_by_their_shares(model, pictures):
    content, style = pictures
    other = random_images(1, 36, seed=7)
    alone = ck.style_transfer(model, content, style, **OPTIONS).images
    all_first = ck.style_transfer(model, content, [style, other], style_weights=[3.0, 0.0], **OPTIONS).images
    torch.testing.assert_close(all_first, alone, atol=1e-3, rtol=0)
    value = -ck.style_transfer(model, content, [style, other], content_weight=0.0, **OPTIONS).values[0]
    each = [ck.gram_distance(model, content, s, LAYERS) for s in (style, other)]
    torch.testing.assert_close(value, sum(each) / 2, atol=1e-5, rtol=1e-4)


def test_colours_kept_are_the_photographs_to_the_last_digit(model, pictures):
    out = ck.style_transfer(model, *pictures, **OPTIONS, colour="content", snapshots=[2])
    for images in (out.images, out.snapshots[2]):
        torch.testing.assert_close(images - luminance(images), pictures[0] - luminance(pictures[0]))
        assert images.min() >= -1e-6 and images.max() <= 1 + 1e-6
        assert not torch.allclose(images, pictures[0], atol=0.01), "the luminance is painted"


def test_recolour_moves_brightness_only_as_far_as_the_colour_fits():
    red, white = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1), torch.ones(1, 3, 1, 1)
    torch.testing.assert_close(recolour(white, red), red)
    grey = torch.full((1, 3, 1, 1), 0.4)
    torch.testing.assert_close(recolour(white, grey), white)


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_each_optimiser_comes_nearer_and_a_seed_repeats_it(model, pictures, optimizer):
    def paint(seed):
        return ck.synthesise_texture(
            model, pictures[1], layers=LAYERS, size=32, n=2, steps=20, optimizer=optimizer, seed=seed
        )

    out = paint(0)
    assert (out.values[-1] > 0.8 * out.values[0]).all(), "the values are minus the distance"
    assert out.images.shape == (2, 3, 32, 32) and not torch.equal(out.images[0], out.images[1])
    assert torch.equal(out.images, paint(0).images) and not torch.equal(out.images, paint(1).images)
    assert out.images.min() >= 0 and out.images.max() <= 1


def test_fewer_numbers_are_what_must_agree(model, pictures):
    """The loss of the start, computed by hand: of means, of two principal components, and of all, the Gram matrix."""
    layer = LAYERS[0]

    def first(**few):
        out = ck.synthesise_texture(model, pictures[1], layers=[layer], size=32, steps=1, snapshots=[], **few)
        return -out.values[0, 0].item()

    start = fourier()(1, 32, torch.Generator().manual_seed(0), model.device).images().detach()
    a, goal = (ck.activations(model, x, [layer], reduce="maps")[layer] for x in (start, pictures[1]))
    means = a.mean((2, 3)), goal.mean((2, 3))
    expected = (means[0] - means[1]).pow(2).sum() / means[1].pow(2).sum()
    assert first(statistic="mean") == pytest.approx(expected.item(), rel=1e-3)
    g, wanted = gram(a)[0], gram(goal)[0]
    largest = torch.linalg.eigh(wanted).eigenvectors[:, -2:]
    g2, wanted2 = (largest.T @ x @ largest for x in (g, wanted))
    assert first(components=2) == pytest.approx(((g2 - wanted2).pow(2).sum() / wanted2.pow(2).sum()).item(), rel=1e-3)
    assert first(components=len(g)) == pytest.approx(first(), rel=1e-3), "all components are the Gram matrix, turned"
    with pytest.raises(OptionError, match="leave one of the two out"):
        first(components=2, statistic="mean")


@pytest.mark.parametrize("parameterization", ["fourier", "pixels"])
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_picture_of_any_shape_is_painted_in_each_way(model, pictures, parameterization, optimizer):
    wide = random_images(1, 48, seed=4)[:, :, :34]
    out = ck.style_transfer(
        model,
        wide,
        pictures[1],
        layers=LAYERS,
        content_layer="conv2",
        steps=15,
        optimizer=optimizer,
        parameterization=parameterization,
    )
    assert out.images.shape == wide.shape
    assert out.values[-1] > 0.7 * out.values[0], "the values are minus the loss"


@pytest.mark.parametrize("start", ["content", "noise", "style"])
def test_each_start_is_the_first_picture(model, pictures, start):
    content, style = pictures
    seen, options = [], OPTIONS | {"steps": 1, "parameterization": "pixels", "optimizer": "adam"}
    ck.style_transfer(model, content, style, **options, start=start, watch=lambda step, x: seen.append(x.cpu()))
    begin = {"content": content, "style": ck.load_image(style, size=32)}.get(start)
    if begin is None:
        assert abs(seen[0].mean() - 0.5) < 0.02 and 0.01 < seen[0].std() < 0.05, "grey with a little noise"
    else:
        assert (seen[0] - begin).abs().max() < 0.021, "one step of Adam moves a value by 0.02"


def test_a_doodle_has_in_each_region_what_the_style_has_there(model):
    style = random_images(1, 32, seed=8) * 0.2
    style[:, 0, :, 16:] += 0.8  # dark to the left, red to the right
    map_, new = torch.zeros(32, 32, dtype=torch.long), torch.zeros(40, 48, dtype=torch.long)
    map_[:, 16:], new[:20] = 4, 4
    begin = _mean_colours(style, map_, new, [0, 4], 0)
    assert begin[0, 0, :20].min() > 0.75 > 0.25 > begin[0, 0, 20:].max()
    made = ck.neural_doodle(model, style, map_, new, layers=LAYERS, steps=10).images
    assert made.shape == (1, 3, 40, 48)
    assert made[0, 0, :18].mean() > 0.6 > 0.3 > made[0, 0, 22:].mean()


# ------------------------------------------------------------------------------------------ numbers and choices


def test_the_numbers_of_the_paper():
    vgg = [64, 64, 128, 256, 512]  # conv1_1, pool1 to pool4
    assert ck.texture_parameters(vgg, statistic="mean") == 1_024
    assert ck.texture_parameters(vgg, components=64) == 10_400
    assert ck.texture_parameters(vgg) == 176_640
    assert ck.texture_parameters([64] * 3 + [128] * 3 + [256] * 5 + [512] * 5) == 852_128  # up to pool4, all layers
    assert ck.texture_parameters(ck.load_model("coursenet"), ["relu1", "relu2"]) == 64 * 65 // 2 + 128 * 129 // 2


def test_each_network_has_its_style_layers():
    assert ck.style_layers(ck.load_model("efficientnet_lite1")) == ["block1", "block3", "block5", "block8"]
    assert ck.style_layers(ck.load_model("coursenet")) == ["relu1", "relu2", "relu3", "relu4"]
    chain = nn.Sequential(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(10)), nn.Flatten())
    assert ck.style_layers(ck.Model(chain)) == ["0", "2", "4", "6"]
    with pytest.raises(UnknownLayer, match=r"no layer with a map"):
        ck.style_layers(ck.Model(nn.Sequential(nn.Flatten(), nn.Linear(3 * 224 * 224, 2))))


def test_the_distance_of_a_style_to_itself_is_zero(model, pictures):
    both = torch.cat([pictures[1], 1 - pictures[1]])
    first, second = ck.gram_distance(model, both, pictures[1], LAYERS)
    assert first < 1e-10 < 0.01 < second


# ------------------------------------------------------------------------------------------------- wrong input


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"start": "black"}, OptionError, "start is 'content', 'noise', 'style' or images"),
        ({"start": torch.rand(1, 3, 40, 40)}, ImageError, "of the content's size"),
        ({"colour": "none"}, OptionError, "colour is 'style' or 'content'"),
        ({"content_weight": -1}, OptionError, "content_weight must be a number from 0 on"),
        ({"style_weights": [1, 2]}, OptionError, "style_weights must be 1 numbers"),
        ({"tv": -1}, OptionError, "tv must be 0 or more"),
        ({"smooth": 0}, OptionError, "smooth must be above 0"),
        ({"optimizer": "sgd"}, OptionError, "optimizer is 'lbfgs' or 'adam'"),
        ({"parameterization": "blocks"}, OptionError, "parameterization is 'fourier' or 'pixels'"),
        ({"steps": 0}, OptionError, "steps must be a whole number"),
        ({"layers": "conv1"}, UnknownLayer, "layers must be a list"),
        ({"layers": ["conv9"]}, UnknownLayer, "no layer 'conv9'"),
        ({"style": []}, ImageError, "style must be an image"),
        ({"style": torch.rand(3, 40, 40)}, ImageError, "style must be an image|shape"),
        ({"content": torch.rand(2, 3, 40, 40)}, ImageError, "content must be one image"),
        ({"content": torch.rand(1, 3, 16, 40)}, ImageError, "32 pixels or more"),
    ],
)
def test_a_wrong_option_is_told_before_any_work(model, pictures, options, error, words):
    arguments = {"content": pictures[0], "style": pictures[1]} | OPTIONS | options
    model.module.fuse.passes = 0  # a forward pass would blow it
    with pytest.raises(error, match=words):
        ck.style_transfer(model, **arguments)


def test_wrong_maps_of_a_doodle_are_told_before_any_work(model, pictures):
    style, new = pictures[1], torch.zeros(32, 32, dtype=torch.long)
    model.module.fuse.passes = 0
    for style_map, new_map, words in (
        (torch.zeros(40, 40), new, "whole numbers"),
        (torch.zeros(8, 8, dtype=torch.long), new, r"style_map has \(8, 8\)"),
        (torch.zeros(40, 40, dtype=torch.long), new + 3, "Region 3 of new_map is not in style_map"),
        (torch.zeros(40, 40, dtype=torch.long), new[:8], "32 × 32 pixels or more"),
    ):
        with pytest.raises(OptionError, match=words):
            ck.neural_doodle(model, style, style_map, new_map, layers=LAYERS)


def test_wrong_counts_of_parameters_are_told():
    with pytest.raises(OptionError, match="statistic is"):
        ck.texture_parameters([3], statistic="median")
    with pytest.raises(OptionError, match="components"):
        ck.texture_parameters([3], components=0)


# --------------------------------------------------------------------------------------------------- explorers


def test_the_style_explorer_follows_its_controls():
    explorer = ck.explore_style(ck.load_model("coursenet"), size=64, steps=3)
    for control, value in (("style", "ink"), ("photograph", "coffee"), ("content_weight", 0.5), ("steps", 5)):
        before = bytes(explorer.image.value)
        explorer.controls[control].value = value
        assert bytes(explorer.image.value) != before and explorer.message.value == "", control


def test_the_painted_map_becomes_the_picture():
    explorer = ck.explore_doodle(ck.load_model("coursenet"), size=64, steps=1)
    canvas, before = explorer.controls["doodle"], bytes(explorer.image.value)
    assert len(canvas.value) == canvas.rows * canvas.columns
    canvas.value = "3" * len(canvas.value)
    assert bytes(explorer.image.value) != before and explorer.picture.alt.startswith("a map of water,")


def test_a_painted_landscape_has_a_colour_of_its_own_in_each_region():
    painting, labels = ck.painted_landscape(64)
    means = torch.stack([painting[0][:, labels == r].mean(1) for r in labels.unique()])
    assert torch.pdist(means).min() > 0.15
    assert torch.equal(painting, ck.painted_landscape(64)[0])
    with pytest.raises(OptionError, match="even number"):
        ck.painted_landscape(33)


def dead_on_black() -> ck.Model:
    layers = (nn.Conv2d(3, 8, 3, bias=False, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return ck.Model(seeded(nn.Sequential(*layers, nn.Linear(8, 3))))


def test_a_goal_of_zero_is_refused_before_any_work():
    model, black, image = dead_on_black(), torch.zeros(1, 3, 64, 64), random_images(1, 64)
    asked = {
        "invert": lambda: ck.invert(model, black, "1", steps=1),
        "caricature": lambda: ck.objectives.caricature(model, black, "1"),
        "transfer": lambda: ck.style_transfer(model, image, black, layers=["1"], steps=1),
        "texture": lambda: ck.synthesise_texture(model, black, layers=["1"], size=64, steps=1),
        "distance": lambda: ck.gram_distance(model, image, black, layers=["1"]),
    }
    for ask in asked.values():
        with pytest.raises(ck.OptionError, match="'1' the image gives nothing but zeros"):
            ask()
    assert ck.gram_distance(model, black, image, layers=["1"]).item() == pytest.approx(1)


def test_style_layers_take_one_forward_pass():
    model, passes = dead_on_black(), []
    model.register_forward_hook(lambda *_: passes.append(1))
    assert ck.style_layers(model) == ["0", "1"]
    assert len(passes) == 1
