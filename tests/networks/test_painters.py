"""Networks that paint: decoders of codes, and the generator of shapes, measured from the shipped files."""

import pytest
import torch
import torch.nn.functional as F

import coursekit as ck
from coursekit.networks.loading import load_own
from coursekit.networks.nets import captioned, parted
from coursekit.networks.nets.decoder import CODES
from coursekit.networks.weights import own_checkpoint, read

KINDS = [
    (code, loss) for code in CODES for loss in ("pixel", "feature") if code in ("conv5", "fc6") or loss == "feature"
]


@pytest.fixture(scope="module")
def pictures():
    """Held-out compositions of training objects, and photographs."""
    seen = [name for name in ck.cutouts("labelled") if name not in ck.cutouts("unseen")]
    photographs = torch.cat([ck.load_image(name, size=128) for name in ck.photographs()])
    return torch.cat([ck.scenes(32, objects=seen, seed=77, size=128).images, photographs])


@torch.no_grad()
def encoded(code, pictures):
    model, layer = (ck.descriptor(code), code) if code in ("hog", "sift") else (ck.load_model("coursenet"), code)
    layer = {"conv5": "pool5", "fc6": "relu6"}.get(layer, layer)
    with ck.capture(model, [layer]) as acts:
        model(pictures)
    return acts[layer]


def copies(code, loss, pictures):
    return ck.load_decoder(code, loss)(encoded(code, pictures))


@pytest.mark.parametrize(("code", "loss"), KINDS)
def test_a_copy_is_a_picture_and_keeps_the_layout(code, loss, pictures):
    made = copies(code, loss, pictures)
    assert made.shape == pictures.shape and made.min() >= 0 and made.max() <= 1 and not made.requires_grad
    if code == "hog":  # it does not know which side of an edge is bright, so the copy cannot
        return
    small, wanted = (F.adaptive_avg_pool2d(x, 8).flatten(1) for x in (made.mean(1, True), pictures.mean(1, True)))
    alike = torch.stack([torch.corrcoef(torch.stack(pair))[0, 1] for pair in zip(small, wanted, strict=True)])
    assert alike.nan_to_num().median() > {"conv5": 0.7, "fc6": 0.4, "sift": 0.4}[code]


@pytest.mark.parametrize("code", ["hog", "sift"])
def test_the_descriptor_of_a_copy_is_nearer_to_its_picture_than_to_others(code, pictures):
    made, wanted = encoded(code, copies(code, "feature", pictures)).flatten(1), encoded(code, pictures).flatten(1)
    distance = torch.cdist(made, wanted)
    found = (distance.argmin(1) == torch.arange(len(pictures))).float().mean()
    assert found > {"hog": 0.3, "sift": 0.6}[code]  # by chance 0.02


@pytest.mark.parametrize("code", ["conv5", "fc6"])
def test_colours_come_back_from_a_code_of_coursenet(code, pictures):
    made, wanted = copies(code, "feature", pictures).mean((2, 3)), pictures.mean((2, 3))
    made, wanted = made - made.mean(1, keepdim=True), wanted - wanted.mean(1, keepdim=True)
    assert F.cosine_similarity(made.flatten(), wanted.flatten(), dim=0) > 0.6


def test_what_was_trained_by_pixels_is_nearer_in_pixels(pictures):
    for code in ("conv5", "fc6"):
        pixel, feature = ((copies(code, loss, pictures) - pictures).pow(2).mean() for loss in ("pixel", "feature"))
        assert pixel < feature


def test_conv5_keeps_more_than_fc6(pictures):
    conv5, fc6 = ((copies(code, "pixel", pictures) - pictures).pow(2).mean() for code in ("conv5", "fc6"))
    assert conv5 < 0.8 * fc6


def test_the_generator_paints_what_its_parameters_say():
    options = [
        {"kind": kind, "radius": 0.3, "angle": 20 * i, "position": (0.4 + 0.03 * i, 0.5), "colour": (0.1 * i, 0.8, 0.3)}
        for i, kind in enumerate(ck.stimuli.SHAPES)
    ]
    made = ck.load_generator()(torch.cat([ck.shape_parameters(**o) for o in options]))
    drawn = [ck.stimuli.shape(**o) for o in options]
    images, masks = torch.cat([d[0] for d in drawn]), torch.cat([d[1] for d in drawn])
    found, truth = made[:, 3:] > 0.5, masks > 0.5
    assert ((found & truth).flatten(1).sum(1) / (found | truth).flatten(1).sum(1)).min() > 0.75
    assert (made[:, :3] - images).pow(2).mean().sqrt() < 0.1


def test_a_full_turn_is_no_turn():
    assert torch.allclose(ck.shape_parameters("star", angle=-30), ck.shape_parameters("star", angle=330), atol=1e-6)


def test_wrong_input_gets_one_sentence():
    with pytest.raises(ck.OptionError, match=r"no decoder of 'hog' with 'pixel' loss; there is 'conv5' with 'pixel'"):
        ck.load_decoder("hog", "pixel")
    with pytest.raises(ck.OptionError, match="no decoder of 'fc7'"):
        ck.load_decoder("fc7")
    with pytest.raises(ck.OptionError, match="kind is one of circle"):
        ck.shape_parameters("heart")


OPENED = {
    "decoder": ck.load_decoder,
    "generator": ck.load_generator,
    "style network": ck.load_style_network,
    "style network, batch": lambda: ck.load_style_network("transformer_one_batch"),
    "texture network": ck.load_texture_network,
    "super-resolution": ck.load_superresolution,
    "detective's case": lambda: ck.case(0)["A"],
    "with a computed buffer": lambda: ck.load_model("parted"),
}


@pytest.mark.parametrize("name", OPENED)
def test_opening_a_network_draws_no_random_number_and_leaves_it_ready(name):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    network = OPENED[name]()
    assert torch.equal(torch.get_rng_state(), before)
    assert not any(part.training for part in network.modules())
    tensors = [*network.parameters(), *network.buffers()]
    assert not any(t.requires_grad or t.is_meta or t.dtype == torch.float16 for t in tensors)


@pytest.mark.parametrize("name, build", [("captioned_0", captioned.captioned), ("parted", parted.parted)])
def test_an_own_network_has_the_numbers_of_its_file(name, build):
    network, stored = load_own(name, build), read(own_checkpoint(name))
    assert set(network.state_dict()) == set(build().state_dict()) == set(stored)
    for key, value in network.state_dict().items():
        assert torch.equal(value.cpu(), stored[key].to(value.dtype)), key
    with pytest.raises(ck.WeightsUnavailable, match="lists no weights 'nobody'"):
        load_own("nobody", build)
