"""The optimisation loop: closed forms, seeds, restored state, and sentences for wrong input."""

import cv2
import pytest
import torch
from nets import CLASSES, SmallNet, random_images, seeded
from torch import nn

import coursekit as ck
from coursekit.errors import ImageError, OptionError, TargetError, UnknownLayer
from coursekit.synthesis.parameterizations import natural_statistics

SIZE = 16
o, p, r, t = ck.objectives, ck.parameterizations, ck.regularizers, ck.transforms


@pytest.fixture
def model():
    model = ck.Model(seeded(SmallNet()))
    model.input_size = SIZE
    return model


@pytest.fixture
def linear():
    """Logits that are linear in the pixels: every optimum has a closed form."""
    model = ck.Model(seeded(nn.Sequential(nn.Flatten(), nn.Linear(3 * 6 * 6, 4)), seed=3))
    model.input_size = 6
    return model


def paint(model, objective, **options):
    return ck.render(model, objective, progress=False, **({"steps": 3} | options))


# ---------------------------------------------------------------------------------------------- closed forms


@pytest.mark.parametrize(("optimizer", "steps", "rate"), [("adam", 600, 0.01), ("lbfgs", 20, 1.0)])
def test_a_linear_logit_with_l2_has_its_optimum_at_the_scaled_weights(linear, optimizer, steps, rate):
    weight = linear.module[1].weight[2].view(1, 3, 6, 6).detach()
    strength = 4 * weight.abs().max().item()  # so that no pixel reaches 0 or 1
    image = paint(
        linear, 2, steps=steps, rate=rate, optimizer=optimizer, transforms=[], parameterization=p.pixels("grey"),
        regularizers=[r.l2(strength)],
    ).images  # fmt: skip
    torch.testing.assert_close(image, 0.5 + weight / (2 * strength), atol=1e-3, rtol=0)


def test_ascent_moves_along_the_gradient_by_its_mean_size(linear):
    weight = linear.module[1].weight[1].view(1, 3, 6, 6).detach()
    image = paint(
        linear, 1, steps=1, rate=0.01, optimizer="ascent", transforms=[], parameterization=p.pixels("grey")
    ).images
    torch.testing.assert_close(image, 0.5 + 0.01 * weight / weight.abs().mean())


def test_the_gradient_of_the_layer_objective_is_the_activation(model):
    with ck.capture(model, ["conv2"]) as acts:
        model(random_images(2, SIZE))
        (g,) = torch.autograd.grad(o.layer("conv2").read(acts, None).sum(), acts["conv2"])
    torch.testing.assert_close(g, acts["conv2"].detach() / acts["conv2"][0].numel())


def test_fourier_is_the_same_function_in_other_coordinates():
    painting = p.fourier(sd=0.3)(2, SIZE, torch.Generator().manual_seed(0), torch.device("cpu"))
    image = painting.images()
    assert image.shape == (2, 3, SIZE, SIZE) and image.min() > 0 and image.max() < 1
    _, root, _ = natural_statistics()
    planes = torch.einsum("dc,nchw->ndhw", torch.linalg.inv(root), torch.logit(image) / 4)
    frequency = torch.hypot(torch.fft.fftfreq(SIZE)[:, None], torch.fft.rfftfreq(SIZE)[None]).clamp(min=1 / SIZE)
    z = torch.fft.rfft2(planes, norm="ortho") * 4 * frequency  # undoes the 1/f
    inner = (slice(None), slice(None), slice(1, SIZE // 2), slice(1, SIZE // 2))  # the others are bound by symmetry
    torch.testing.assert_close(z[inner], torch.view_as_complex(painting.parameters[0])[inner], atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("decorrelate", [True, False])
def test_fourier_begins_with_the_given_images(decorrelate):
    start = 0.1 + 0.8 * random_images(2, SIZE)
    painting = p.fourier(start=start, decorrelate=decorrelate, decay=1.5)(2, SIZE, None, torch.device("cpu"))
    torch.testing.assert_close(painting.images(), start, atol=1e-4, rtol=0)
    with pytest.raises(ImageError, match="3 pictures of 16 px cannot start"):
        p.fourier(start=start)(3, SIZE, None, torch.device("cpu"))


def test_maco_keeps_the_magnitudes_of_photographs(model):
    made = paint(model, o.channel("conv2", 1), parameterization=p.maco(), steps=5, rate=0.5, transforms=[])
    _, root, _ = natural_statistics()
    planes = torch.einsum("dc,nchw->ndhw", torch.linalg.inv(root), torch.logit(made.images) / 4)
    magnitude, natural = torch.fft.rfft2(planes).abs()[0], natural_statistics(SIZE)[2]
    ratio = (magnitude / natural)[:, 1 : SIZE // 2, 1 : SIZE // 2]  # without the mean, and what symmetry binds
    assert (ratio.flatten(1).std(1) / ratio.flatten(1).mean(1)).max() < 0.01


def test_the_natural_statistics_are_those_of_the_photographs():
    mean, root, spectrum = natural_statistics()
    images = torch.cat([ck.load_image(name, 128) for name in ck.photographs()])
    pixels = images.transpose(0, 1).flatten(1)
    torch.testing.assert_close(mean, pixels.mean(1))
    torch.testing.assert_close(root @ root.T, torch.cov(pixels, correction=0), atol=1e-4, rtol=1e-3)
    slow, fast = spectrum[:, 2:6, 2:6].mean(), spectrum[:, 30:60, 30:60].mean()
    assert slow > 10 * fast  # about 1/f


def test_the_code_of_a_generator_stays_in_its_range(linear):
    decode = nn.Sequential(nn.Linear(5, 3 * 6 * 6), nn.Sigmoid(), nn.Unflatten(1, (3, 6, 6)))
    seen = []

    def watched(z):
        seen.append(z.detach().clone())
        return decode(z)

    paint(linear, 0, parameterization=p.code(watched, torch.zeros(1, 5), -0.1, 0.2), rate=0.5, steps=9, transforms=[])
    assert torch.stack(seen).min() >= -0.1 - 1e-6 and torch.stack(seen).max() <= 0.2 + 1e-6
    assert (seen[-1] - seen[0]).abs().max() > 0.05


# ------------------------------------------------------------------------------------------------ objectives


def test_objectives_add_subtract_and_scale(model):
    images = random_images(3, SIZE)
    one, two = o.channel("conv1", 2), o.logit([0, 1, 2])
    both = 2 * one - two * 0.5 + -one
    with ck.capture(model, ["conv1"]) as acts, torch.no_grad():
        logits = model(images)
    expected = acts["conv1"][:, 2].mean((1, 2)) - 0.5 * logits.diagonal()
    torch.testing.assert_close(both.read(acts, logits), expected)
    assert both.layers == {"conv1"} and both.count == 3


def test_a_list_makes_one_picture_each_as_if_alone(model):
    options = {"parameterization": p.pixels(random_images(1, SIZE)), "optimizer": "ascent", "transforms": []}
    together = paint(model, o.channel("conv2", [1, 4]), **options).images
    alone = [paint(model, ck.unit("conv2", k), **options).images for k in (1, 4)]
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-5, rtol=0)


@pytest.mark.parametrize("make", [o.match, o.texture])
def test_matching_an_image_is_best_at_the_image_itself(model, make):
    image, other = random_images(1, SIZE, seed=1), random_images(1, SIZE, seed=2)
    objective = make(model, image, "conv2")
    with ck.capture(model, ["conv2"]) as acts, torch.no_grad():
        model(torch.cat([image, other]))
    same, different = objective.read(acts, None)
    assert same.abs() < 1e-9 and different < -1e-3


def test_an_objective_is_about_one_image(model):
    for make in (o.match, o.texture, o.caricature, o.guide):
        with pytest.raises(ImageError, match="one image"):
            make(model, random_images(2, SIZE), "conv2")


def test_a_texture_has_no_place_but_a_match_has():
    a = torch.rand(1, 4, 6, 6, generator=torch.Generator().manual_seed(0))
    rolled = a.roll((2, 3), (2, 3))
    torch.testing.assert_close(o.gram(a), o.gram(rolled))
    assert (a - rolled).abs().max() > 0.1


def test_diversity_is_lowest_for_equal_pictures():
    a = torch.rand(1, 4, 6, 6, generator=torch.Generator().manual_seed(0)).expand(3, -1, -1, -1)
    torch.testing.assert_close(o.diversity("x").read({"x": a}, None), -torch.ones(3))
    b = torch.eye(3)[:, :, None, None].expand(3, 3, 2, 2)  # each active in another channel
    torch.testing.assert_close(o.diversity("x").read({"x": b}, None), torch.zeros(3))


def test_a_direction_with_power_prefers_purity():
    pure, mixed = torch.tensor([[2.0, 0.0]]), torch.tensor([[2.0, 2.0]])
    v = torch.tensor([1.0, 0.0])
    plain = [o.direction("x", v).read({"x": a}, None).item() for a in (pure, mixed)]
    careful = [o.direction("x", v, power=2).read({"x": a}, None).item() for a in (pure, mixed)]
    assert plain == [2.0, 2.0] and careful[0] == pytest.approx(2 * careful[1])


# ------------------------------------------------------------------------------- transforms and regularisers


def test_transforms_keep_what_they_promise():
    x, g = random_images(2, 20), torch.Generator().manual_seed(0)
    torch.testing.assert_close(t.warp(0, (1, 1))(x, g), x, atol=1e-5, rtol=0)
    assert torch.equal(t.roll(7)(x, g).flatten(1).sort().values, x.flatten(1).sort().values)
    assert t.pad(3)(x, g).shape[-1] == 26 and torch.equal(t.pad(3)(x, g)[..., 3:-3, 3:-3], x)
    assert (t.warp(90, (1, 1))(x, g) - x).abs().max() > 0.1


def test_gaussian_equals_opencv():
    x = random_images(1, 24)
    expected = cv2.GaussianBlur(x[0].permute(1, 2, 0).numpy(), (13, 13), 2.0, borderType=cv2.BORDER_REFLECT_101)
    torch.testing.assert_close(r.gaussian(x, 2.0)[0].permute(1, 2, 0), torch.from_numpy(expected), atol=1e-5, rtol=0)


def test_a_blurred_gradient_is_the_one_that_the_step_follows(linear):
    weight = linear.module[1].weight[1].view(1, 3, 6, 6).detach()
    options = {"steps": 1, "rate": 0.01, "optimizer": "ascent", "transforms": []}
    image = paint(
        linear, 1, parameterization=p.pixels("grey"), regularizers=[r.blur_gradient(0.8)], **options
    ).images  # fmt: skip
    soft = r.gaussian(weight, 0.8)
    torch.testing.assert_close(image, 0.5 + 0.01 * soft / soft.abs().mean())


def test_the_centre_bias_charges_by_the_squared_distance_from_the_middle():
    bias, grey = r.centre_bias(2.0), torch.full((1, 3, 5, 5), 0.5)
    assert bias.penalty(grey) == 0
    at = {}
    for place in ((2, 2), (2, 3), (2, 4), (0, 0)):
        x = grey.clone()
        x[:, :, *place] = 1.0
        at[place] = bias.penalty(x).item() / (2.0 * 3 * 0.25 / 75)  # three values, ½ away from grey, of 75
    assert at == pytest.approx({(2, 2): 0.0, (2, 3): 0.25, (2, 4): 1.0, (0, 0): 2.0})


def test_a_biased_picture_keeps_its_contrast_in_the_middle(linear):
    options = {"steps": 60, "rate": 0.02, "transforms": [], "parameterization": p.pixels("grey")}
    plain, biased = (paint(linear, 1, regularizers=rules, **options).images for rules in ([], [r.centre_bias(300.0)]))
    share = [(x - 0.5).abs()[..., 2:4, 2:4].mean() / (x - 0.5).abs().mean() for x in (plain, biased)]
    assert share[0] < 1.2 and share[1] > 2


def test_the_bilateral_filter_smooths_the_grain_and_keeps_the_edge():
    x = torch.full((2, 3, 16, 16), 0.2)
    x[..., 8:] = 0.8
    grain = 0.02 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    bilateral = r.bilateral(every=2)
    assert torch.equal(bilateral.repair(x + grain, x, 0), x + grain), "not at this step"
    smooth = bilateral.repair(x + grain, x, 1)
    assert (smooth - x).abs().mean() < 0.5 * grain.abs().mean()
    edge = (smooth[..., 8] - smooth[..., 7]).mean()
    assert edge > 0.55 > 0.35 > (r.gaussian(x, 1.0)[..., 8] - r.gaussian(x, 1.0)[..., 7]).mean()
    torch.testing.assert_close(bilateral.repair((x + grain)[1:], x, 1), smooth[1:])  # each picture by itself


def test_a_caricature_grows_with_what_was_seen_and_shrinks_with_what_was_not():
    model = ck.Model(nn.Sequential(nn.Identity(), nn.Flatten(), nn.Linear(12, 2)))
    image = torch.zeros(1, 3, 2, 2)
    image[:, 0] = 0.5  # red
    green = image.roll(1, 1)
    (layer, *_) = model.layers
    seen = {layer: torch.cat([image, 2 * image, image + green, green])}
    plain, strict = (o.caricature(model, image, layer, power).read(seen, None) for power in (0.0, 2.0))
    torch.testing.assert_close(plain, torch.tensor([1.0, 2.0, 1.0, 0.0]))
    torch.testing.assert_close(strict, torch.tensor([1.0, 2.0, 0.5, 0.0]))  # the cosine of 45 degrees, squared


def test_total_variation_of_a_step():
    x = torch.zeros(1, 1, 5, 5)
    x[..., 3:] = 1
    for beta in (1.0, 2.0):  # a step of height 1 costs the same for both
        value = r.total_variation(1.0, beta).penalty(x).item()
        assert value == pytest.approx(4 / 25, abs=1e-3)
    ramp = torch.linspace(0, 1, 5).expand(1, 1, 5, 5)
    assert r.total_variation(1.0, 2.0).penalty(ramp) < 0.3 * r.total_variation(1.0, 1.0).penalty(ramp)


def test_clipping_makes_the_least_pixels_grey():
    x = 0.5 + torch.linspace(-0.4, 0.4, 100).view(1, 1, 10, 10)
    small = r.clip_norm(0.3).repair(x, x, 0)
    changed = small != x
    assert changed.sum() in range(28, 33) and (x - 0.5)[changed].abs().max() <= (x - 0.5)[~changed].abs().min()
    gradient = torch.ones_like(x)
    gradient[..., :5] = 0  # these pixels contribute nothing
    assert (r.clip_contribution(0.5).repair(x, gradient, 0)[..., :5] == 0.5).all()


def test_blur_comes_every_few_steps_only():
    x = random_images(1, SIZE)
    blurred = [not torch.equal(r.blur(1.0, every=4).repair(x, x, step), x) for step in range(8)]
    assert blurred == [False, False, False, True] * 2


def test_even_frequencies_gives_each_band_the_same_strength():
    coarse = torch.sin(torch.arange(64.0) / 10).expand(1, 1, 64, 64)
    fine = 0.01 * torch.sin(torch.arange(64.0) * 2.5).expand(1, 1, 64, 64)
    out = r.even_frequencies(4).gradient(coarse + fine)
    before, after = (torch.fft.rfft(x[0, 0, 0]).abs() for x in (coarse + fine, out))
    assert before[20:].max() < 0.05 * before[:5].max() and after[20:].max() > 0.3 * after[:5].max()


# -------------------------------------------------------------------------------------------------- the loop


def test_the_objective_grows_and_the_seed_decides(model):
    made = [paint(model, o.channel("conv2", 3), steps=20, seed=seed) for seed in (1, 1, 2)]
    assert torch.equal(made[0].images, made[1].images) and not torch.equal(made[0].images, made[2].images)
    assert (made[0].values[-5:].mean(0) > made[0].values[:5].mean(0)).all()
    assert made[0].values.shape == (20, 1) and made[0].images.min() >= 0 and made[0].images.max() <= 1


def test_the_model_and_the_global_random_state_stay_as_they_were(model):
    model.module.fc.weight.requires_grad_(False)
    wanted = {name: q.requires_grad for name, q in model.named_parameters()}
    state, before = torch.get_rng_state(), {k: v.clone() for k, v in model.state_dict().items()}
    paint(model, o.channel("conv1", 0))
    assert {name: q.requires_grad for name, q in model.named_parameters()} == wanted
    assert all(q.grad is None for q in model.parameters()) and torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert not any(m._forward_hooks for m in model.modules())


def test_a_rendering_tells_its_size_and_how_far_the_objective_came(model):
    made = ck.render(model, 1, n=2, size=24, steps=3, progress=False)
    first, last = (f"{value:.3g}" for value in made.values.mean(1)[[0, -1]])
    assert repr(made) == f"Rendering(2 of 24 × 24 px, 3 steps, objective {first} → {last})"


def test_an_interrupt_returns_what_is_there(model):
    def watch(step, images):
        if step == 2:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="Interrupted after 2 of 9 steps"):
        made = paint(model, o.channel("conv1", 0), steps=9, watch=watch)
    assert len(made.values) == 2 and made.images.isfinite().all()
    assert all(q.requires_grad for q in model.parameters())


def test_an_interrupt_ends_a_loop_of_renderings_and_not_the_next_cell(model, monkeypatch):
    cells = iter(["a", "a", "a", "b"])  # asked when the interrupt comes, and by each rendering after it
    monkeypatch.setattr("coursekit.synthesis.render._cell", lambda: next(cells))
    monkeypatch.setattr("coursekit.synthesis.render.interrupts", [])

    def watch(step, images):
        raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="Interrupted after 1 of 9 steps"):
        paint(model, o.channel("conv1", 0), steps=9, watch=watch)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            paint(model, o.channel("conv1", 0), steps=1)
    assert len(paint(model, o.channel("conv1", 0), steps=1).values) == 1


def test_snapshots_are_the_images_of_their_steps(model):
    made = paint(model, o.channel("conv1", 0), steps=4, snapshots=[1, 4])
    assert list(made.snapshots) == [1, 4] and torch.equal(made.snapshots[4], made.images)
    assert torch.equal(made.snapshots[1], paint(model, o.channel("conv1", 0), steps=1).images)
    assert made.attention.shape == (1, 1, SIZE, SIZE) and made.attention.min() >= 0


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"objective": "cat"}, TargetError, "objective must be"),
        ({"objective": CLASSES}, TargetError, f"0 to {CLASSES - 1}"),
        ({"objective": o.channel("conv1", 99)}, TargetError, "0 to 5"),
        ({"objective": o.channel("conv9", 0)}, UnknownLayer, "conv9"),
        ({"objective": o.neuron("conv1", 0, (99, 0))}, TargetError, "outside"),
        ({"optimizer": "sgd"}, OptionError, "adam, ascent, lbfgs"),
        ({"optimizer": "ascent"}, OptionError, "pixels"),
        ({"regularizers": [r.decay(0.1)]}, OptionError, "pixels"),
        ({"optimizer": "lbfgs"}, OptionError, "transforms"),
        ({"snapshots": [0]}, OptionError, "from 1 to 3"),
        ({"steps": 0}, OptionError, "steps"),
        ({"transforms": [t.jitter(99)]}, OptionError, "leaves nothing"),
    ],
)
def test_wrong_input_gets_one_sentence(model, options, error, words):
    objective = options.pop("objective", 0)
    with pytest.raises(error, match=words):
        paint(model, objective, **options)


def test_wrong_parts_get_one_sentence():
    for build, error in (
        (lambda: p.pixels("red"), OptionError),
        (lambda: p.pixels(random_images(2))(3, 12, torch.Generator(), torch.device("cpu")), ImageError),
        (lambda: t.warp(scale=(0, 1)), OptionError),
        (lambda: r.total_variation(1, 0), OptionError),
        (lambda: r.decay(2), OptionError),
        (lambda: o.direction("x", torch.zeros(3)), OptionError),
        (lambda: o.logit([0, 1]) + o.logit([0, 1, 2]), OptionError),
        (lambda: o.diversity("x").read({"x": torch.rand(1, 2, 2, 2)}, None), OptionError),
    ):
        with pytest.raises(error):
            build()
