"""Checks of lab 03, occlusion."""

import torch
from torch import Tensor, nn

from coursekit.labs.checking import call, compare
from coursekit.networks.model import Model

SIDE, WINDOW, STRIDE = 20, 6, 4  # (20 − 6) / 4 is no whole number: the last window is cut by the border


def _linear() -> Model:
    """A linear network on 20 × 20 images, with a known answer for every window."""
    layer = nn.Linear(3 * SIDE * SIDE, 2)
    generator = torch.Generator().manual_seed(3)
    layer.weight.data = torch.randn(layer.weight.shape, generator=generator) * 0.1
    model = Model(nn.Sequential(nn.Flatten(), layer), mean=(0.5, 0.4, 0.3), std=(0.2, 0.2, 0.2))
    return model.requires_grad_(False)


def _image() -> Tensor:
    return torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(30))


def windows(answer: object) -> str | None:
    """03.1: the number of forward passes for one map of 224 pixels, window 32, stride 8."""
    mistakes = [
        (24**2, "you lost the first window: it starts at 0, before the first step."),
        (28**2, "a window must end inside the image, so its start can move only 224 − 32 pixels."),
        (25, "that is one row of windows; the window moves in two directions."),
        (626, "almost: the clean image is one more pass, but here only the windows count."),
    ]
    return compare(answer, 25.0**2, mistakes)


def occlude(answer: object) -> str | None:
    """03.2: cover a square with the training-set mean colour."""
    model, image = _linear(), _image()
    before = image.clone()
    result = call(answer, model, image, 2, 9, WINDOW)
    if not torch.equal(image, before):
        return "your function changes the image it was given; start with image.clone()."

    def covered(colour: Tensor | float, top: int = 2, left: int = 9) -> Tensor:
        copy = before.clone()
        copy[:, :, top : top + WINDOW, left : left + WINDOW] = colour
        return copy

    red = before.clone()
    red[:, 0, 2 : 2 + WINDOW, 9 : 9 + WINDOW] = model.mean[0, 0].cpu()
    mistakes = [
        (covered(0.0), "you filled with 0, which is black here; zero is the mean colour only after normalisation."),
        (covered(0.5), "0.5 is a plain grey; use model.mean, the mean colour of the training set."),
        (covered(model.mean.cpu(), 9, 2), "rows and columns are swapped: images are indexed [:, :, row, column]."),
        (red, "only one colour channel is covered; index all of them with a colon."),
        (before, "nothing is covered; return the changed copy."),
    ]
    return compare(result, covered(model.mean.cpu()), mistakes)


def _map(model: Model, image: Tensor, target: int, kind: str) -> Tensor:
    """The occlusion map by a plain loop; `kind` names the mistake that is made on purpose."""
    total, count = torch.zeros(SIDE, SIDE), torch.zeros(SIDE, SIDE)
    last = SIDE - WINDOW + (0 if kind == "border" else STRIDE)
    whole = model(image)[0].cpu()
    for top in range(0, last + (kind == "border"), STRIDE):
        for left in range(0, last + (kind == "border"), STRIDE):
            copy = image.clone()
            fill = torch.zeros(1) if kind == "black" else model.mean.cpu()
            copy[:, :, top : top + WINDOW, left : left + WINDOW] = fill
            logits = model(copy)[0].cpu()
            drop = whole[target] - logits[target]
            if kind == "probability":
                drop = whole.softmax(0)[target] - logits.softmax(0)[target]
            total[top : top + WINDOW, left : left + WINDOW] += drop
            count[top : top + WINDOW, left : left + WINDOW] += 1
    if kind == "all":
        return total / len(range(0, last, STRIDE)) ** 2
    return total if kind == "sum" else total / count.clamp(min=1)


def occlusion_map(answer: object) -> str | None:
    """03.3: the whole map, averaged over the windows that cover a pixel."""
    model, image = _linear(), _image()
    with torch.no_grad():
        result = torch.as_tensor(call(answer, model, image, 1, WINDOW, STRIDE)).squeeze()
        right = _map(model, image, 1, "")
        hints = {
            "border": "the border is left uncovered; let the last window reach it, cut short if need be.",
            "sum": "where windows overlap you add the drops up; divide by the number of windows that cover the pixel.",
            "all": "you divide by the number of all windows; divide by the number of those that cover the pixel.",
            "probability": "this is the drop in probability; the exercise asks for the logit.",
            "black": "you fill with black; fill with model.mean.",
        }
        mistakes = [(_map(model, image, 1, kind), hint) for kind, hint in hints.items()]
        mistakes += [(-right, "the sign is wrong: a drop is the score of the whole image minus the covered one.")]
    return compare(result, right, mistakes)


def total_activation(answer: object) -> str | None:
    """03.4: one feature map's total activation, summed over its positions."""
    maps = torch.rand(1, 4, 5, 7, generator=torch.Generator().manual_seed(34))
    result = call(answer, maps, 2)
    mistakes = [
        (maps[0, 2].mean(), "that is the mean over the map; the total is the sum over all positions."),
        (maps[0, 2].max(), "that is the strongest position; the total is the sum over all positions."),
        (maps.sum(), "you sum over all channels; take channel 2 first."),
        (maps[0, :, 2].sum(), "you took row 2; the channel is the second index: maps[:, channel]."),
    ]
    return compare(torch.as_tensor(result).squeeze(), maps[0, 2].sum(), mistakes)


JUDGES = {"03.1": windows, "03.2": occlude, "03.3": occlusion_map, "03.4": total_activation}
