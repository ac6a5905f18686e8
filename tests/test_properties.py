"""What holds for any window, target, scene, layer name and seed, not only for those that labs use."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nets import CLASSES, random_images, small_model
from torch import nn

import coursekit as ck

ANY = settings(max_examples=40, deadline=None)
OBJECTS = sorted(ck.cutouts())
model = small_model()
ONCE = [name for name in model.layers if name != "relu"]  # that one is run twice


@ANY
@given(st.data(), st.integers(4, 11), st.integers(4, 11))
def test_occlusion_of_a_linear_network_is_the_mean_of_what_its_windows_hold(data, height, width):
    """Every pixel, with any window and stride: Σ w·(x − fill) over each window that covers it, averaged."""
    window = data.draw(st.integers(1, min(height, width)))
    stride = data.draw(st.integers(1, window))
    generator = torch.Generator().manual_seed(height * 100 + width)
    x = torch.rand(1, 3, height, width, generator=generator)
    linear = nn.Sequential(nn.Flatten(), nn.Linear(x.numel(), 2))
    found = ck.occlusion(ck.Model(linear), x, 1, window=window, stride=stride, fill="black")[0, 0]
    parts = (linear[1].weight[1].detach().view_as(x) * x).sum((0, 1))
    total, count = torch.zeros_like(parts), torch.zeros_like(parts)
    tops, lefts = (range(0, -(-(n - window) // stride) * stride + 1, stride) for n in (height, width))
    for top in tops:
        for left in lefts:
            box = slice(top, top + window), slice(left, left + window)
            total[box] += parts[box].sum()
            count[box] += 1
    assert count.min() >= 1, "a window reaches every pixel"
    torch.testing.assert_close(found, total / count, atol=1e-4, rtol=1e-4)


@ANY
@given(st.integers(-3, CLASSES + 3))
def test_a_class_is_one_of_the_networks_own_or_refused(k):
    images = random_images()
    if not 0 <= k < CLASSES:
        with pytest.raises(ck.TargetError, match=str(k)):
            ck.saliency(model, images, k)
        return
    both = ck.saliency(model, images, [k, CLASSES - 1 - k])
    assert torch.allclose(both[:1], ck.saliency(model, images[:1], k), atol=1e-6)
    assert torch.allclose(both[1:], ck.saliency(model, images[1:], CLASSES - 1 - k), atol=1e-6)


@ANY
@given(st.lists(st.integers(0, CLASSES - 1), max_size=4))
def test_as_many_classes_as_images_or_refused(targets):
    images = random_images(2)
    if len(targets) == 2:
        assert ck.saliency(model, images, targets).shape == (2, 1, 12, 12)
    else:
        with pytest.raises(ck.TargetError):
            ck.saliency(model, images, targets)


@ANY
@given(st.one_of(st.sampled_from(ONCE), st.text(max_size=40)))
def test_a_layer_is_one_of_the_networks_own_or_refused_by_its_name(name):
    if name in ONCE:
        assert len(ck.activations(model, random_images(), [name])[name]) == 2
    else:
        with pytest.raises(ck.UnknownLayer) as said:
            ck.activations(model, random_images(), [name])
        assert "\n" not in str(said.value)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sampled_from(OBJECTS), min_size=1, max_size=3, unique=True),
    st.integers(0, 2**32 - 1),
    st.integers(32, 96),
    st.sampled_from(["photograph", "texture", "plain", "grey", None]),
)
def test_a_scene_is_a_picture_with_masks_that_do_not_overlap_and_the_same_again(names, seed, size, background):
    scene, again = (ck.load_scene(names, background=background, seed=seed, size=size) for _ in range(2))
    assert scene.image.shape == (1, 3, size, size) and scene.image.min() >= 0 and scene.image.max() <= 1
    assert torch.equal(scene.image, again.image) and scene.masks.keys() == set(names) >= scene.targets.keys()
    masks = torch.stack([scene.masks[name].float().view(size, size) for name in names])
    assert masks.unique().tolist() in ([0, 1], [0.0, 1.0]) and masks.sum(0).max() == 1
    assert (masks.sum((1, 2)) > 0).all(), "each object is seen"


@ANY
@given(st.integers(-5, 2**33))
def test_a_seed_gives_the_same_again_or_is_refused(seed):
    images = random_images(1)
    if not 0 <= seed < 2**32:
        with pytest.raises(ck.OptionError, match="seed"):
            ck.rise(model, images, 1, n=4, cells=3, seed=seed)
        return
    first, second = (ck.rise(model, images, 1, n=4, cells=3, seed=seed) for _ in range(2))
    assert torch.equal(first, second)
    state = torch.random.get_rng_state()
    ck.smoothgrad(model, images, 1, samples=2, seed=seed)
    assert torch.equal(state, torch.random.get_rng_state()), "the caller's own random numbers stay as they were"
