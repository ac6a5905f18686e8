"""Top patches: what is cut out is exactly what can influence the neuron, seen by its gradient."""

import pytest
import torch
import torch.nn.functional as F
from nets import random_images, small_maps, small_model
from state import unchanged, unusual_model
from torch import nn

import coursekit as ck

SIZE = 24


class Lopsided(nn.Module):
    """Strides, dilation, pooling, unequal paddings and a branch; all weights positive, so that no path is off."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.wide = nn.Conv2d(4, 4, 3, dilation=2, padding=2)
        self.narrow = nn.Conv2d(4, 4, 1)
        self.pool = nn.AvgPool2d(2, 2)
        self.last = nn.Conv2d(4, 5, (3, 1))
        self.fc = nn.LazyLinear(6)
        self.eval()(torch.zeros(1, 3, SIZE, SIZE))
        generator = torch.Generator().manual_seed(0)
        for parameter in self.parameters():
            parameter.data = torch.rand(parameter.shape, generator=generator) + 0.1

    def forward(self, x):
        x = self.first(F.pad(x, (1, 0, 0, 2)))  # like TensorFlow's SAME, unequal on two sides
        x = self.pool(self.wide(x) + self.narrow(x))
        return self.fc(self.last(x).flatten(1))


@pytest.fixture(scope="module")
def model():
    model = ck.Model(Lopsided())
    model.input_size = SIZE
    return model


def test_the_box_covers_exactly_what_influences_the_neuron(model):
    """Support of ∂ neuron / ∂ pixel at many positions, on the border and inside."""
    images = random_images(60, SIZE)
    for layer in ("first", "wide", "pool", "last"):
        top = ck.top_patches(model, images, layer, 2, k=60)
        assert len({tuple(p) for p in top.positions.tolist()}) > 5, "many positions make this a test"
        for i, (row, column), (y, x, h, w) in zip(top.images, top.positions.tolist(), top.boxes, strict=True):
            image = images[i, None].clone().requires_grad_()
            with ck.capture(model, [layer]) as maps:
                model(image)
            (gradient,) = torch.autograd.grad(maps[layer][0, 2, row, column], image)
            seen = gradient[0].abs().sum(0) > 0
            inside = torch.zeros_like(seen)
            inside[max(y, 0) : max(y + h, 0), max(x, 0) : max(x + w, 0)] = True
            if layer == "first":
                assert torch.equal(seen, inside), "a plain convolution has no gaps"
            assert not (seen & ~inside).any(), f"{layer}: the neuron sees more than its box"
            rows, columns = seen.any(1).nonzero()[:, 0], seen.any(0).nonzero()[:, 0]
            assert (int(rows[0]), int(columns[0])) == (max(y, 0), max(x, 0)), f"{layer}: the box starts too early"
            assert (int(rows[-1]), int(columns[-1])) == (min(y + h, SIZE) - 1, min(x + w, SIZE) - 1), layer


def test_patches_are_cut_out_of_the_images_and_grey_beyond_the_border(model):
    images = random_images(60, SIZE)
    top = ck.top_patches(model, images, "pool", 1, k=60)
    padded = F.pad(images, (SIZE, SIZE, SIZE, SIZE), value=0.5)
    assert 0 < int(top.cut.sum()) < 60
    for patch, i, (y, x, h, w), cut in zip(top.patches, top.images, top.boxes, top.cut, strict=True):
        assert torch.equal(patch, padded[i, :, y + SIZE : y + SIZE + h, x + SIZE : x + SIZE + w])
        assert bool(cut) == (y < 0 or x < 0 or y + h > SIZE or x + w > SIZE)
    assert f"60 patches of {h} × {w} px, one per image; {int(top.cut.sum())} reach over the border" in repr(top)


def test_the_strongest_images_come_first_and_each_once():
    model, images = small_model(), random_images(20)
    model.input_size = 12
    top = ck.top_patches(model, images, "conv2", 3, k=9)
    maps = small_maps(model, images)["conv2"][:, 3].detach()
    strongest = maps.amax((1, 2)).sort(descending=True)
    assert torch.allclose(top.values, strongest.values[:9], atol=1e-6)
    assert top.images.tolist() == strongest.indices[:9].tolist() and len(top) == 9
    for i, (row, column) in zip(top.images, top.positions, strict=True):
        assert maps[i, row, column] == maps[i].max()


def test_a_bright_spot_is_found_where_it_is():
    """A channel that adds up 3 × 3 pixels, at stride 1: the patch is the spot."""
    net = nn.Sequential(nn.Conv2d(3, 1, 3, bias=False), nn.Flatten(), nn.Linear(64, 2))
    net[0].weight.data.fill_(1)
    model, images = ck.Model(net), torch.zeros(2, 3, 10, 10)
    model.input_size = 10
    images[0, :, 4:7, 2:5], images[1, :, 7:10, 7:10] = 1.0, 0.5
    top = ck.top_patches(model, images, "0", 0, k=2)
    assert top.boxes == [(4, 2, 3, 3), (7, 7, 3, 3)] and top.positions.tolist() == [[4, 2], [7, 7]]
    assert torch.equal(top.patches[0], torch.ones(3, 3, 3)) and torch.equal(top.patches[1], torch.full((3, 3, 3), 0.5))
    assert top.values.tolist() == [27, 13.5] and not top.cut.any()


def test_a_layer_that_sees_everything_gives_whole_images(model):
    images = random_images(5, SIZE)
    top = ck.top_patches(model, images, "fc", 4, k=2)
    logits = model(images)[:, 4].detach().sort(descending=True)
    assert top.images.tolist() == logits.indices[:2].tolist() and torch.allclose(top.values, logits.values[:2])
    assert torch.equal(top.patches, images[top.images]) and top.boxes == [(0, 0, SIZE, SIZE)] * 2


def test_the_model_is_left_as_found_and_bad_input_is_told():
    model, images = unusual_model(), random_images(3)
    model.input_size = 12
    with unchanged(model, images):
        ck.top_patches(model, images, "conv2", 3, k=2)
    for layer, channel, pictures, k, error, words in (
        ("conv9", 0, images, 1, ck.UnknownLayer, "'conv9'"),
        ("relu", 0, images, 1, ck.UnknownLayer, "more than once"),
        ("conv2", 8, images, 1, ck.TargetError, "channel 8"),
        ("conv2", -1, images, 1, ck.TargetError, "channel must be"),
        ("conv2", 0, images, 4, ck.OptionError, "at most 3, but is 4"),
        ("conv2", 0, images, 0, ck.OptionError, "k must be"),
        ("conv2", 0, random_images(3, 14), 1, ck.ImageError, "12 x 12 images, but got 14 x 14"),
    ):
        with unchanged(model, images), pytest.raises(error, match=words):
            ck.top_patches(model, pictures, layer, channel, k=k)


def test_the_boxes_can_be_cut_out_of_other_pictures(model):
    images = random_images(6, SIZE)
    top = ck.top_patches(model, images, "pool", 1, k=4)
    assert torch.equal(top.crop(images[top.images]), top.patches)
    assert not torch.equal(top.crop(1 - images[top.images]), top.patches)
    with pytest.raises(ck.ImageError, match="each of the 4 patches"):
        top.crop(images)
