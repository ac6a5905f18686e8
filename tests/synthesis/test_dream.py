"""DeepDream: its step, its octaves, its guide, and the file of an animation."""

import pytest
import torch
from nets import SmallNet, random_images, seeded
from PIL import Image

import coursekit as ck
from coursekit.errors import OptionError, UnknownLayer
from coursekit.synthesis.dream import even_out, resize, tiled_gradient

SIZE = 48


@pytest.fixture
def model():
    model = ck.Model(seeded(SmallNet()))
    model.input_size = SIZE
    return model


def test_one_step_without_jitter_is_the_step_of_the_lecture(model):
    image = 0.3 + 0.4 * random_images(1, SIZE)
    x = image.clone().requires_grad_()
    with ck.capture(model, ["conv2"]) as acts:
        model(x)
    acts["conv2"].backward(acts["conv2"].detach())  # the gradient set to the activation
    expected = image + 0.01 * x.grad / x.grad.abs().mean()
    made = ck.dream(model, image, "conv2", octaves=1, steps=1, rate=0.01, jitter=0)
    torch.testing.assert_close(made, expected.clamp(0, 1), atol=1e-6, rtol=0)


def test_a_dream_that_changes_nothing_gives_the_photograph_back(model):
    image = random_images(1, SIZE)
    made = ck.dream(model, image, "conv2", octaves=2, scale=1.3, steps=1, rate=0.0)
    torch.testing.assert_close(made, image, atol=1e-6, rtol=0)  # no detail is lost on the way through small sizes


def test_the_layer_sees_more_than_before_and_seeds_repeat(model):
    image = random_images(1, SIZE)
    made = [ck.dream(model, image, "conv3", octaves=2, scale=1.3, steps=6, seed=s) for s in (0, 0, 1)]
    with ck.capture(model, ["conv3"]) as acts, torch.no_grad():
        model(torch.cat([image, made[0]]))
    before, after = acts["conv3"].pow(2).flatten(1).mean(1)
    assert after > 1.1 * before and torch.equal(made[0], made[1]) and not torch.equal(made[0], made[2])


def test_a_smoothed_step_adds_the_gradient_at_several_scales_with_equal_strength(model):
    image, sigmas = 0.3 + 0.4 * random_images(1, SIZE), (0.5, 2.0)
    x = image.clone().requires_grad_()
    with ck.capture(model, ["conv2"]) as acts:
        model(x)
    (g,) = torch.autograd.grad(acts["conv2"].pow(2).mean() / 2, x)
    layers = []
    for sigma in sigmas:  # by a full two-dimensional kernel
        r = round(3 * sigma + 0.01)
        line = torch.exp(-(torch.arange(-r, r + 1.0) ** 2) / (2 * sigma**2))
        kernel = (line[:, None] * line / line.sum() ** 2).expand(3, 1, -1, -1)
        blurred = torch.nn.functional.conv2d(torch.nn.functional.pad(g, [r] * 4, mode="reflect"), kernel, groups=3)
        layers.append(blurred / blurred.std())
    g = sum(layers)
    for tile in (640, SIZE - 8):  # in one piece, and in tiles, of which the whole gradient is smoothed
        if tile < SIZE:
            shift = torch.randint(-20, 21, (2,), generator=torch.Generator().manual_seed(0)).tolist()
            g = tiled_gradient(model, ck.objectives.layer("conv2"), image.roll(shift, (2, 3)), tile)
            g = even_out(g.roll([-s for s in shift], (2, 3)), sigmas)
        expected = (image + 0.01 * g / g.abs().mean()).clamp(0, 1)
        made = ck.dream(model, image, "conv2", octaves=1, steps=1, rate=0.01, jitter=0, smooth=sigmas, tile=tile)
        torch.testing.assert_close(made, expected, atol=1e-5, rtol=0)
    grain, calm = (
        ck.dream(model, image, "conv2", octaves=1, steps=4, smooth=smooth) - image for smooth in ((), sigmas)
    )
    assert calm.diff(dim=3).norm() / calm.norm() < 0.8 * grain.diff(dim=3).norm() / grain.norm()


def test_the_guide_gives_each_place_its_best_code(model):
    guide, image = random_images(1, 16, seed=1), random_images(1, 16, seed=2)
    objective = ck.objectives.guide(model, guide, "conv1")
    with ck.capture(model, ["conv1"]) as acts, torch.no_grad():
        model(guide)
        codes = acts["conv1"].flatten(2)[0]
        model(image)
        seen = acts["conv1"].flatten(2)[0]
    torch.testing.assert_close(
        objective.read({"conv1": acts["conv1"]}, None)[0], (codes.T @ seen).amax(0).mean(), atol=1e-5, rtol=1e-5
    )


def test_zooming_yields_frames_of_one_size_that_move_towards_the_middle(model):
    image = random_images(1, SIZE)
    frames = list(ck.dream_zoom(model, image, "conv2", frames=3, factor=1.2, octaves=1, steps=1, rate=0.0))
    assert [f.shape for f in frames] == [image.shape] * 3
    middle = resize(image[:, :, 4:44, 4:44], (SIZE, SIZE))
    torch.testing.assert_close(frames[1], middle, atol=1e-6, rtol=0)


def test_an_animation_is_whole_or_not_there(tmp_path):
    path = ck.save_animation(list(random_images(4, 20).split(1)), tmp_path / "zoom.gif")
    with Image.open(path) as gif:
        assert gif.n_frames == 4 and gif.size == (20, 20)
    with pytest.raises(OptionError, match="no frame"):
        ck.save_animation([], tmp_path / "empty.gif")
    with Image.open(ck.save_animation(random_images(3, 20), tmp_path / "zoom.gif")) as gif:
        assert gif.n_frames == 3, "a batch is a row of frames"
    for frames, name, sentence in [
        (random_images(1, 20), "zoom.mp4", "writes GIF files; end 'zoom.mp4' in .gif"),
        (random_images(1, 20), "none/zoom.gif", "There is no folder .*none"),
        ([random_images(2, 20)], "two.gif", "one holds 2"),
    ]:
        with pytest.raises(ck.ImageError, match=sentence):
            ck.save_animation(frames, tmp_path / name)
    assert [file.name for file in tmp_path.iterdir()] == ["zoom.gif"]


def test_tiles_have_each_their_own_gradient_and_one_tile_has_the_whole(model):
    objective = ck.objectives.layer("conv2")
    x = random_images(1, 60)

    def gradient(piece):
        piece = piece.clone().requires_grad_()
        with ck.capture(model, ["conv2"]) as acts:
            model(piece)
        return torch.autograd.grad(acts["conv2"].pow(2).mean() / 2, piece)[0]

    torch.testing.assert_close(tiled_gradient(model, objective, x, 60), gradient(x))
    quarters = tiled_gradient(model, objective, x, 40)  # 30 and 30, not 40 and 20
    torch.testing.assert_close(quarters[:, :, 30:, :30], gradient(x[:, :, 30:, :30]) / 4)


def test_a_dream_in_tiles_is_nearly_the_dream_in_one_piece(model):
    image = 0.3 + 0.4 * random_images(1, SIZE)
    whole, tiled = (ck.dream(model, image, "conv2", octaves=1, steps=4, jitter=8, tile=t) - image for t in (SIZE, 32))
    assert torch.nn.functional.cosine_similarity(whole.flatten(), tiled.flatten(), dim=0) > 0.8
    still = ck.dream(model, image, "conv2", octaves=2, scale=1.3, steps=2, rate=0.0, tile=32)
    torch.testing.assert_close(still, image, atol=1e-6, rtol=0)


def test_wrong_input_gets_one_sentence(model):
    image = random_images(1, SIZE)
    for call, error in (
        (lambda: ck.dream(model, image, "conv9"), UnknownLayer),
        (lambda: ck.dream(model, image, "conv2", octaves=9), OptionError),
        (lambda: ck.dream(model, image, "conv2", scale=1.0), OptionError),
        (lambda: ck.dream(model, image, "conv2", octaves=0), OptionError),
        (lambda: ck.dream(model, image, "conv2", smooth=(1.0, 0.0)), OptionError),
        (lambda: ck.dream(model, image, "conv2", smooth=(float("inf"),)), OptionError),
        (lambda: ck.dream(model, image, "conv2", smooth=2.0), OptionError),
        (lambda: next(ck.dream_zoom(model, image, "conv2", frames=0)), OptionError),
    ):
        with pytest.raises(error):
            call()


@pytest.mark.parametrize("tile, at", [(640, 3), (40, 11)], ids=["whole", "tiled"])  # 40: four passes a step
def test_an_interrupt_ends_the_dream_and_not_only_its_octave(model, tile, at):
    passes = []

    def interrupt(module: torch.nn.Module, inputs: tuple) -> None:
        passes.append(module)
        if len(passes) == at:
            raise KeyboardInterrupt

    model.register_forward_pre_hook(interrupt)
    image = random_images(1, SIZE)
    with pytest.warns(UserWarning, match="Interrupted after 2 of 4 steps") as said:
        made = ck.dream(model, image, "conv2", octaves=2, scale=1.1, steps=4, tile=tile)
    assert len(passes) == at and len(said) == 1
    assert made.shape == image.shape and not torch.equal(made, image)
    passes.clear()
    with pytest.warns(UserWarning, match="Interrupted after 0 of 2 steps") as said:
        frames = list(ck.dream_zoom(model, image, "conv2", frames=9, octaves=1, steps=2, tile=tile))
    assert len(passes) == at and len(frames) == 2 and len(said) == 1
