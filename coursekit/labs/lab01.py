"""Lab 01, weights: filters beside their fitted Gabor functions, a training to watch, and the checks."""

import math
from collections.abc import Callable, Iterable, Sequence

import ipywidgets as widgets
import torch
from matplotlib.figure import Figure
from torch import Tensor

from coursekit.arguments import check_shape
from coursekit.errors import OptionError
from coursekit.explorers.explorer import Explorer
from coursekit.figures.figure import COLOURS, MAGNITUDE, WIDTH, Picture, draw_image, styled
from coursekit.figures.images import signal_pictures
from coursekit.labs.checking import call, case, compare, varied
from coursekit.units.filters import Gabor, frequency_response, mosaic


@styled
def show_gabors(filters: Tensor, colours: Tensor, gabors: Sequence[Gabor], *, alt: str | None = None) -> Picture:
    """Draw each filter above the Gabor function that was fitted to it, in its colour, and above its spectrum.

    The spectrum is |FFT| (`frequency_response`), each on its own scale, frequency 0 in the middle; two crosses mark the
    frequency of the fit, ±(sin θ, cos θ) / λ. The ends are ½ cycle per pixel, the highest that pixels can show.

    Parameters
    ----------
    filters : (n, 3, k, k)
    colours : (n, 3), as `main_pattern` gives them.
    gabors : n of `fit_gabor`.

    >>> import coursekit as ck
    >>> filters = ck.load_model("coursenet").layer("conv1").weight[:2]
    >>> patterns, colours, _ = ck.main_pattern(filters)
    >>> show_gabors(filters, colours, [ck.fit_gabor(pattern[0]) for pattern in patterns])
    <Picture 900 × 520>
    """
    n, k = len(gabors), filters.shape[-1]
    filters = check_shape("filters", filters.detach().cpu(), n, 3, k, k)
    colours = check_shape("colours", colours.detach().cpu(), n, 3)
    if not n or any(gabor.drawn.shape != (k, k) or gabor.wavelength <= 0 for gabor in gabors):
        raise OptionError(f"There must be a Gabor function of ck.fit_gabor for each filter, {k} × {k} pixels.")
    spectra = frequency_response(filters)
    figure = Figure(figsize=(WIDTH, 5.2), layout="constrained")
    axes = figure.subplots(3, len(gabors), squeeze=False)
    for i, gabor in enumerate(gabors):
        fitted = colours[i][:, None, None] * gabor.drawn
        titles = (f"{gabor.angle:.0f}°, {gabor.wavelength:.1f} px", f"Gabor, R² {gabor.fit:.2f}")
        pictures = signal_pictures(torch.stack([filters[i], fitted]), clip=100)
        for ax, picture, title in zip(axes[:2, i], pictures, titles, strict=True):
            draw_image(ax, picture, squares=True)
            ax.set_title(title)
        ax = axes[2, i]
        ax.imshow(spectra[i, 0].numpy(), cmap=MAGNITUDE, extent=(-0.5, 0.5, 0.5, -0.5))
        angle = math.radians(gabor.angle)
        x, y = math.sin(angle) / gabor.wavelength, math.cos(angle) / gabor.wavelength
        ax.plot([x, -x], [y, -y], "x", color=COLOURS[4], markersize=8, markeredgewidth=2)
        ax.set(xticks=[-0.5, 0, 0.5], yticks=[-0.5, 0, 0.5] if i == 0 else [])
    figure.supxlabel("spectrum: cycles per pixel", fontsize=11)
    return Picture(figure, alt)


Moment = tuple[int, Tensor, list[float], float]  # step, filters (n, 1, k, k), losses so far, held-out accuracy


def explore_learning(train: Callable[..., Iterable[Moment]], images: Tensor) -> Explorer:
    """Watch a small network learn: its filters, one unit's nine strongest patches, and the loss, while it trains.

    A new rate, batch or weight decay trains again, and the figure follows; `step` goes back to an earlier moment.

    Parameters
    ----------
    train : train(rate, batch, weight_decay) yields moments: the step, the filters (n, 1, k, k) of a first layer that
        has stride 1 and no padding, the losses of all steps so far, and the accuracy on held-out images.
    images : (N, 1, H, W) in [0, 1], not learned from; the patches are cut out of them.

    >>> explore_learning(lambda *options: [(0, torch.randn(4, 1, 5, 5), [2.3], 0.1)], torch.rand(20, 1, 12, 12))
    <Explorer: rate, batch, weight_decay, unit, step>
    """
    images = check_shape("images", images.detach().cpu(), "n", 1, "h", "w").float()
    runs: dict[tuple, list[Moment]] = {}
    image = None  # the widget, once it is there

    def draw(rate: float, batch: int, weight_decay: float, unit: int, step: int) -> Picture:
        key = (rate, batch, weight_decay)
        if key not in runs:
            moments = []
            for moment in train(*key):
                moments.append(moment)
                if image is not None:
                    image.value = _learning(moment, images, unit).data
            runs[key] = moments  # whole or not at all
        return _learning(runs[key][min(step, len(runs[key]) - 1)], images, unit)

    def choose(name: str, options: list, value: float) -> widgets.Dropdown:
        return widgets.Dropdown(options=options, value=value, description=name)

    def slide(name: str, most: int, value: int) -> widgets.IntSlider:
        return widgets.IntSlider(value=value, max=most, description=name, continuous_update=False)

    rate, batch = choose("rate", [0.005, 0.02, 0.05, 0.1, 0.5], 0.05), choose("batch", [8, 32, 128], 32)
    decay = choose("decay", [0.0, 0.003, 0.01, 0.03, 0.1], 0.01)
    first = list(train(rate.value, batch.value, decay.value))
    if not first or first[0][1].shape[-1] > min(images.shape[-2:]):
        raise OptionError("train must yield a moment at least, with filters no larger than the images.")
    runs[rate.value, batch.value, decay.value] = first
    last = len(first) - 1
    unit, step = slide("unit", len(first[0][1]) - 1, min(3, len(first[0][1]) - 1)), slide("moment", last, last)
    explorer = Explorer(draw, rate=rate, batch=batch, weight_decay=decay, unit=unit, step=step)
    image = explorer.image
    return explorer


@styled
def _learning(moment: Moment, images: Tensor, unit: int) -> Picture:
    step, filters, losses, accuracy = moment
    if not filters.isfinite().all():
        raise OptionError("The weights have grown beyond all numbers; choose a smaller rate.")
    size = filters.shape[-1]
    values, places = torch.nn.functional.conv2d(images, filters[unit : unit + 1]).flatten(1).max(1)
    width = images.shape[-1] - size + 1
    patches = torch.stack(
        [
            images[i, :, p // width : p // width + size, p % width : p % width + size]
            for i, p in ((i, int(places[i])) for i in values.topk(min(9, len(values))).indices.tolist())
        ]
    )
    figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=[1.33, 1, 1.4])
    draw_image(left, mosaic(signal_pictures(filters, clip=100), columns=4, zoom=6, gap=6)[0], squares=True)
    left.set_title(f"filters after {step} steps")
    draw_image(middle, mosaic(patches, columns=3, zoom=6, gap=6)[0], squares=True)
    middle.set_title(f"what excites unit {unit} most")
    right.plot(losses, color=COLOURS[0], linewidth=1)
    right.set(xlabel="step", ylabel="loss of the batch", ylim=(0, 3), title=f"held-out accuracy {accuracy:.2f}")
    return Picture(figure)


def _random(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=varied(seed))


def parameters(answer: object) -> str | None:
    """01.1: the number of parameters of 64 filters of 7 × 7 on three colours, with bias."""
    mistakes = [
        (64 * 49 * 3, "each filter also has a bias."),
        (64 * 49, "each filter has 7 × 7 weights for each of the three colours, and a bias."),
        (64 * 50, "each filter has 7 × 7 weights for each of the three colours, not for one."),
        (64 * 49 * 3 + 1, "every filter has a bias of its own, so there are 64 of them."),
        (64 * (49 + 1) * 3, "a filter has one bias, not one for each colour."),
        (49 * 3 + 1, "that is one filter; there are 64."),
    ]
    return compare(answer, 64 * (49 * 3 + 1), mistakes)


def similarity(answer: object) -> str | None:
    """01.2: the largest |cosine| of each filter to another one."""
    w = _random(6, 2, 3, 3, seed=1)
    w[4] = -2 * w[1] + 0.1 * w[0]  # a double with the opposite sign and another length
    unit = w.flatten(1) / w.flatten(1).norm(dim=1, keepdim=True)
    cosine, products = unit @ unit.T, w.flatten(1) @ w.flatten(1).T
    others = 1 - torch.eye(6)
    result = call(answer, w.clone())
    mistakes = [
        (torch.ones(6), "every filter is most alike to itself; leave the diagonal out."),
        (
            (cosine - 2 * torch.eye(6)).amax(1),
            "the sign is kept; a filter and its negative are duplicates too: take |cos|.",
        ),
        ((products.abs() * others).amax(1), "these are dot products; divide by both lengths to get the cosine."),
        ((cosine.abs() * others).sum(1) / 5, "that is the mean over the others; the largest is asked for."),
        ((cosine.abs() * others).amax(), "that is one number for the layer; one for each filter is asked for."),
    ]
    return compare(result, (cosine.abs() * others).amax(1), mistakes)


def share_of_zeros(answer: object) -> str | None:
    """01.3: the share of zeros after a ReLU, by image."""
    maps = (_random(3, 4, 5, 6, seed=2) - torch.tensor([0.0, 0.5, 1.0]).roll(case())[:, None, None, None]).clamp(min=0)
    zero = (maps == 0).float()
    result = call(answer, maps.clone())
    mistakes = [
        (1 - zero.mean((1, 2, 3)), "that is the share of activations above zero; the zeros are asked for."),
        (zero.mean(), "you averaged over the images too; keep the first dimension."),
        (zero.sum((1, 2, 3)), "that is their number; divide by the number of activations of one image."),
        (maps.mean((1, 2, 3)), "that is the mean activation; count the zeros: (maps == 0)."),
        (zero.mean((2, 3)), "one number for each image is asked for; average over the channels as well."),
    ]
    return compare(result, zero.mean((1, 2, 3)), mistakes)


def activation(answer: object) -> str | None:
    """01.4: one activation of a convolution with stride and ReLU."""
    x, w, b, s, k = _random(2, 9, 9, seed=3), _random(2, 3, 3, seed=4), torch.tensor(0.7 - 0.9 * case()), 2 - case(), 3
    spots = [(i, j) for i in range(4) for j in range(3)]

    def by_hand(
        step: int = s, bias: float = float(b), relu: bool = True, flip: bool = False, swap: bool = False
    ) -> torch.Tensor:
        values = []
        for i, j in spots:
            i, j = (j, i) if swap else (i, j)
            patch = x[:, i * step : i * step + k, j * step : j * step + k]
            kernel = w.flip(1, 2) if flip else w
            values.append((kernel * patch).sum() + bias)
        sums = torch.stack(values)
        return sums.clamp(min=0) if relu else sums

    result = [torch.as_tensor(call(answer, x, w, b, s, i, j)).float() for i, j in spots]
    if any(value.numel() != 1 for value in result):
        return "one number is asked for: sum over the colours, too."
    mistakes = [
        (by_hand(relu=False), "the ReLU is missing: nothing below 0 comes out."),
        (by_hand(bias=0), "the bias is missing."),
        (by_hand(step=3 - s), "the stride is missing: the patch starts at row i · s and column j · s."),
        (
            by_hand(flip=True),
            "you flipped the filter; deep learning calls this dot product a convolution, without a flip.",
        ),
        (by_hand(swap=True), "rows and columns are swapped: i counts rows."),
    ]
    return compare(torch.stack([value.reshape(()) for value in result]), by_hand(), mistakes)


def strongest_input(answer: object) -> str | None:
    """01.5: the input channel that each filter of a later layer weighs most."""
    w = _random(5, 7, 3, 3, seed=6)
    w[1, 4] = -3.0  # strong, but negative
    w[2] = 0.1 * w[2]
    w[2, 6, 0, 0] = 1.0  # one large weight; the channel's norm is still not the largest
    w[2, 3] = 0.5
    norms = w.flatten(2).norm(dim=2)
    right = norms.argmax(1)
    result = call(answer, w.clone())
    mistakes = [
        (norms.amax(1), "that is the largest norm; the number of its channel is asked for: argmax."),
        (w.sum((2, 3)).argmax(1), "weights of both signs cancel in a sum; take the norm of the nine weights."),
        (
            w.flatten(2).amax(2).argmax(1),
            "a single largest weight does not make a strong channel, and negative weights count; take the norm.",
        ),
        (norms.argmax(0), "that is the filter that uses each input most; for each filter the input is asked for."),
        (norms.sum(0).argmax(), "that is one channel for the layer; one for each filter is asked for."),
        (w.flatten(1).norm(dim=1), "that is the norm of each filter; which of its input channels has the largest?"),
    ]
    return compare(result, right, mistakes)


def settled(answer: object) -> str | None:
    """01.6: the first step from which on a filter stays like its final form."""
    end, noise = _random(3, 2, 3, 3, seed=7), _random(3, 2, 3, 3, seed=8)
    shares: dict[int, tuple[float, ...]]
    shares = {0: (0.0, 0.0, 0.0), 10: (0.3, 0.9, 0.1), 20: (0.9, 0.2, 0.2), 40: (0.95, 0.9, 0.3), 80: (1.0, 1.0, 1.0)}
    shares = {step: share[case() :] + share[: case()] for step, share in shares.items()}
    parts = {step: torch.tensor(share)[:, None, None, None] for step, share in shares.items()}
    moments = {step: 0.4 * (part * end + (1 - part) * noise) for step, part in parts.items()}  # the length says nothing
    moments[80] = end
    alike = torch.stack([torch.cosine_similarity(w.flatten(1), end.flatten(1)) for w in moments.values()])
    steps, enough = torch.tensor(list(moments)), alike >= 0.9
    stays = enough.flip(0).cumprod(0).flip(0)
    result = call(answer, {step: w.clone() for step, w in moments.items()})
    mistakes = [
        (steps[enough.int().argmax(0)], "one filter is like its end once and then moves away; it must stay so."),
        (stays.argmax(0), "that is the place in the list; the step is asked for."),
        (steps[stays.argmax(0)].max(), "one step for each filter is asked for."),
        (alike.amax(0), "these are cosines; the step at which they reach 0.9 is asked for."),
    ]
    return compare(result, steps[stays.argmax(0)], mistakes)


JUDGES = {
    "01.1": parameters,
    "01.2": similarity,
    "01.3": share_of_zeros,
    "01.4": activation,
    "01.5": strongest_input,
    "01.6": settled,
}
