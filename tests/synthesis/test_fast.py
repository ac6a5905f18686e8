"""Fast style, texture and super-resolution networks: what normalisation removes, mixtures, sizes, errors, loaders."""

import pytest
import torch
import torch.nn.functional as F
from nets import random_images, seeded

import coursekit as ck
from coursekit.networks.nets.style import ConditionalNorm, Step, StyleNetwork
from coursekit.networks.nets.texture import TextureNetwork, noise
from tests.explorers.test_browser import jpeg


@pytest.fixture
def network():
    """Two styles that differ, random convolutions."""
    network = seeded(StyleNetwork(styles=2))
    with torch.no_grad():
        for part in network.modules():
            if isinstance(part, ConditionalNorm):
                part.gamma.copy_(torch.tensor([[0.5], [1.5]]).expand_as(part.gamma))
                part.beta.copy_(torch.tensor([[0.2], [-0.1]]).expand_as(part.beta))
    network.styles = ["ink", "mosaic"]
    return network.eval()


def test_the_norm_is_its_formula():
    norm = ConditionalNorm(2, 3, "instance")
    torch.nn.init.uniform_(norm.gamma), torch.nn.init.uniform_(norm.beta)
    x, mixture = torch.tensor([[[[1.0, 3.0]], [[0.0, 4.0]]]]), torch.tensor([[0.2, 0.3, 0.5]])
    gamma, beta = (mixture @ table for table in (norm.gamma, norm.beta))
    right = torch.tensor([[[[-1.0, 1.0]], [[-1.0, 1.0]]]]) * gamma[..., None, None] + beta[..., None, None]
    torch.testing.assert_close(norm(x, mixture), right, atol=1e-4, rtol=0)


def test_instance_normalisation_removes_contrast_and_brightness():
    """In float64 and for pictures far above ε, the first step gives the same for x and a·x + b, per picture and channel
    of the convolution; batch normalisation does not."""
    generator = torch.Generator().manual_seed(0)
    x, one = 100 * torch.rand(2, 3, 12, 12, generator=generator, dtype=torch.float64), torch.ones(2, 1).double()
    for norm, same in (("instance", True), ("batch", False)):
        step = seeded(Step(3, 4, 3, styles=1, norm=norm)).to(torch.float64).eval()
        assert torch.allclose(step(0.3 * x + 7, one), step(x, one), atol=1e-4) is same


def test_one_picture_does_not_change_another_under_instance_normalisation(network):
    x, mixture = random_images(3, size=32), torch.tensor([[0.4, 0.6]]).expand(3, -1)
    torch.testing.assert_close(network(x, mixture)[:1], network(x[:1], mixture[:1]), atol=1e-5, rtol=1e-4)


def test_a_mixture_is_linear_in_gamma_and_beta():
    norm = ConditionalNorm(3, 2, "instance")
    torch.nn.init.normal_(norm.gamma), torch.nn.init.normal_(norm.beta)
    x = torch.randn(1, 3, 5, 5)
    first, second = (norm(x, torch.tensor([row])) for row in ([1.0, 0.0], [0.0, 1.0]))
    torch.testing.assert_close(norm(x, torch.tensor([[0.3, 0.7]])), 0.3 * first + 0.7 * second)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (33, 46), (16, 19), (50, 31)])
def test_a_painting_has_the_size_of_its_picture(network, height, width):
    made = ck.fast_style(network, torch.rand(2, 3, height, width), "ink")
    assert made.shape == (2, 3, height, width) and made.min() >= 0 and made.max() <= 1 and not made.requires_grad


def test_one_pass_is_the_network_on_the_mirrored_picture(network):
    x = random_images(1, size=30)
    padded = F.pad(x, (0, 2, 0, 2), mode="reflect")
    with torch.no_grad():
        right = network(padded, torch.tensor([[0.25, 0.75]]))[..., :30, :30]
    torch.testing.assert_close(ck.fast_style(network, x, {"mosaic": 3, "ink": 1}), right)


def test_pictures_of_a_batch_are_painted_as_alone(network):
    x = random_images(3, size=24)
    torch.testing.assert_close(
        ck.fast_style(network, x, "ink"), torch.cat([ck.fast_style(network, one, "ink") for one in x.split(1)])
    )


def test_a_network_in_training_mode_paints_as_in_use_and_stays_as_it_was():
    network = seeded(StyleNetwork(styles=1, norm="batch")).train()
    network.styles = ["ink"]
    x, before = random_images(1, size=24), {k: v.clone() for k, v in network.state_dict().items()}
    made = ck.fast_style(network, x)
    assert all(part.training for part in network.modules())
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    torch.testing.assert_close(made, ck.fast_style(network.eval(), x))


def test_wrong_input_gets_one_sentence(network):
    x = random_images(1, size=24)
    with pytest.raises(ck.OptionError, match="paints ink, mosaic, but not 'oil'"):
        ck.fast_style(network, x, "oil")
    with pytest.raises(ck.OptionError, match="mixture says which style to paint: ink, mosaic"):
        ck.fast_style(network, x)
    for shares in ({"ink": -1.0, "mosaic": 2.0}, {"ink": 0.0}, {}, {"ink": float("nan")}, {"ink": float("inf")}):
        with pytest.raises(ck.OptionError, match=r"Shares are 0 or above and not all 0|mixture must be a dict"):
            ck.fast_style(network, x, shares)
    with pytest.raises(ck.ImageError, match="16 pixels a side or more, but these have 12 × 40"):
        ck.fast_style(network, torch.rand(1, 3, 12, 40), "ink")
    with pytest.raises(ck.ImageError, match="Add the batch dimension"):
        ck.fast_style(network, x[0], "ink")
    with pytest.raises(ck.OptionError, match="no network 'lite' for fast style transfer; there is transformer"):
        ck.load_style_network("lite")
    with pytest.raises(ck.OptionError, match="loss is 'feature' or 'pixel', but is 'gan'"):
        ck.load_superresolution("gan")
    for size, words in ((24, "at least 32"), (40, "multiple of 16"), (0, "at least 1"), (True, "whole number")):
        with pytest.raises(ck.OptionError, match=words):
            ck.fast_texture(TextureNetwork(), size=size)
    with pytest.raises(ck.OptionError, match="n must be a whole number"):
        ck.fast_texture(TextureNetwork(), n=0)
    with pytest.raises(ck.ImageError, match="give two images or more"):
        ck.sample_diversity(x)


LOADERS = {
    "transformer": ck.load_style_network,
    "texture_network": ck.load_texture_network,
    "superresolution_feature": ck.load_superresolution,
}


@pytest.mark.parametrize("name", LOADERS)
def test_missing_weights_get_a_sentence_and_random_ones_never_pass(name, monkeypatch, tmp_path):
    monkeypatch.setattr("coursekit.networks.weights.DATA", tmp_path)
    with pytest.raises(ck.WeightsUnavailable, match=f"{name} are missing: .* git checkout -- data/weights/{name}"):
        LOADERS[name]()
    monkeypatch.setattr("coursekit.networks.weights.own_checkpoint", lambda name: None)
    with pytest.raises(ck.WeightsUnavailable, match=f"lists no weights '{name}'"):
        LOADERS[name]()


def test_the_trained_networks_paint_their_styles():
    """In a network that took no part, the painting is nearer to its style than the photograph is."""
    judge, photo, network = (
        ck.load_model("efficientnet_lite2"),
        ck.load_image("motorcycle", 128),
        ck.load_style_network(),
    )
    assert network.styles == ["strokes", "swirls", "mosaic", "woodcut", "colour field", "ink"]
    assert not any(p.requires_grad for p in network.parameters())
    for style in ("strokes", "mosaic", "woodcut"):
        pair = torch.cat([photo, ck.fast_style(network, photo, style)])
        before, after = ck.gram_distance(judge, pair, ck.style_image(style, 256)).tolist()
        assert after < 0.8 * before, style


def test_the_two_networks_of_one_style_differ_in_their_normalisation():
    instance, batch = (ck.load_style_network(f"transformer_one_{norm}") for norm in ("instance", "batch"))
    assert instance.styles == batch.styles and len(instance.styles) == 1
    photo = ck.load_image("motorcycle", 96)
    far = []
    for network in (instance, batch):
        full, faint = ck.fast_style(network, torch.cat([photo, 0.5 + 0.25 * (photo - 0.5)]))
        far.append((full - faint).norm().item())
    assert 3 * far[0] < far[1]


def test_textures_follow_their_seed_and_have_noise_of_five_sizes():
    network = seeded(TextureNetwork())
    first = ck.fast_texture(network, n=2, size=32, seed=3)
    assert first.shape == (2, 3, 32, 32) and first.min() >= 0 and first.max() <= 1
    assert torch.equal(first, ck.fast_texture(network, n=2, size=32, seed=3))
    assert not torch.equal(first, ck.fast_texture(network, n=2, size=32, seed=4))
    assert not torch.equal(first[0], first[1])
    assert [z.shape[-1] for z in noise(1, 32, seed=0)] == [2, 4, 8, 16, 32]


def test_the_trained_texture_is_nearer_to_the_mosaic_than_to_other_styles():
    made, model = ck.fast_texture(ck.load_texture_network(), n=2), ck.load_model("efficientnet_lite0")
    distance = {s: ck.gram_distance(model, made, ck.style_image(s, 256)).max() for s in ("mosaic", "strokes", "ink")}
    assert min(distance, key=distance.get) == "mosaic" and distance["mosaic"] < 0.3


def test_diversity_is_one_minus_the_mean_correlation_of_details():
    a, b = random_images(2, size=64).split(1)  # unrelated
    assert ck.sample_diversity(torch.cat([a, a, a])) == pytest.approx(0, abs=1e-6)
    assert ck.sample_diversity(torch.cat([a, 1 - a])) == pytest.approx(2, abs=1e-5)
    assert ck.sample_diversity(torch.cat([a, b])) == pytest.approx(1, abs=0.05)
    assert ck.sample_diversity(torch.cat([a, a, b])) == pytest.approx(2 / 3, abs=0.05)
    assert ck.sample_diversity(torch.cat([a, 0.5 * a + 0.2])) == pytest.approx(0, abs=1e-6), "fainter, but the same"
    slope = torch.linspace(0, 0.5, 64).expand(1, 3, 64, 64)  # a slow change that both have says nothing
    assert ck.sample_diversity(torch.cat([a / 2 + slope, b / 2 + slope])) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("loss", ["pixel", "feature"])
def test_enlarged_pictures_are_four_times_as_large_and_keep_their_means(loss):
    network, small = ck.load_superresolution(loss), ck.load_image("motorcycle", size=(32, 40))
    made = network(small)
    assert made.shape == (1, 3, 128, 160) and not made.requires_grad
    assert (F.avg_pool2d(made, 32) - F.avg_pool2d(small, 8)).abs().max() < 0.05


def test_pixel_loss_beats_bicubic_in_pixels_on_a_photograph_it_never_saw():
    truth = ck.load_image("motorcycle", size=(256, 384))
    small = F.interpolate(truth, scale_factor=0.25, mode="bicubic", antialias=True).clamp(0, 1)
    bicubic = F.interpolate(small, scale_factor=4, mode="bicubic").clamp(0, 1)
    made = {loss: ck.load_superresolution(loss)(small).clamp(0, 1) for loss in ("pixel", "feature")}
    error = {name: (x - truth).pow(2).mean().item() for name, x in {**made, "bicubic": bicubic}.items()}
    assert error["pixel"] < error["bicubic"] and error["pixel"] < error["feature"]


def test_the_explorer_follows_each_control(network):
    explorer = ck.explore_fast_style(network, photograph="chelsea", size=32)
    assert list(explorer.controls) == ["photograph", "upload", "camera", "ink", "mosaic"]
    assert explorer.picture.alt == "chelsea painted as ink 1"
    for control, value, words in (
        ("mosaic", 0.5, "chelsea painted as ink 1, mosaic 0.5"),
        ("ink", 0.0, "chelsea painted as mosaic 0.5"),
        ("camera", jpeg("orange"), "the camera painted as mosaic 0.5"),
        ("photograph", "coffee", "coffee painted as mosaic 0.5"),
    ):
        before = bytes(explorer.image.value)
        explorer.controls[control].value = value
        assert explorer.message.value == "" and explorer.picture.alt == words
        assert bytes(explorer.image.value) != before
    explorer.controls["mosaic"].value = 0
    assert "Shares are 0 or above and not all 0" in explorer.message.value
    assert explorer.picture.alt == "coffee painted as mosaic 0.5", "the last picture stays"
