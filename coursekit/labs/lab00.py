"""Checks of lab 00, start here."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from coursekit.labs.checking import call, case, compare, varied


def numbers(answer: object) -> str | None:
    """00.1: how many numbers a picture of 224 × 224 pixels holds."""
    pixels = 224**2
    mistakes = [
        (pixels, "that is the number of pixels; each of them holds three numbers."),
        (3 * 224, "that is three rows of pixels; there are 224 rows in each channel."),
        (4 * 3 * pixels, "those are bytes: each number takes four of them; count the numbers."),
        (256 * 3 * pixels, "count the numbers, not the values that each of them can have."),
        (1000, "that is what the network gives back; how many numbers go in?"),
    ]
    return compare(answer, 3 * pixels, mistakes)


def softmax(answer: object) -> str | None:
    """00.2: softmax over the classes of a batch of logits, also of large ones."""
    logits = 2 * torch.randn(3 + case(), 5, generator=varied(2))
    given, powers = logits.clone(), logits.exp()
    result = call(answer, given)
    if not torch.equal(given, logits):
        return "your function changes the logits it was given; write logits - …, not logits -= …"
    mistakes = [
        (logits.sigmoid(), "that is the sigmoid: it judges each class alone, so a picture's sum is not 1."),
        (powers, "these are the powers; divide them by their sum over the classes."),
        (logits.softmax(0), "each column adds up to 1, but each row should: sum over the classes, dim=1."),
        (powers / powers.sum(), "you divide by the sum over all pictures; each picture has a sum of its own, dim=1."),
        (logits.log_softmax(1), "that is the logarithm of the probabilities; leave the log out."),
        (powers / powers.amax(1, keepdim=True), "you divide by the largest power; divide by the sum."),
        (logits / logits.sum(1, keepdim=True), "you divide the logits themselves; take exp of them first."),
        ((-logits).softmax(1), "the sign is wrong: the largest logit should be the most probable class."),
    ]
    hint = compare(result, logits.softmax(1), mistakes)
    if hint is None and compare(call(answer, 1000 * logits), (1000 * logits).softmax(1)) is not None:
        return "right for small logits, but exp(1000) is infinite: first subtract the largest logit of each picture."
    return hint


def to_image(answer: object) -> str | None:
    """00.3: a camera's array (H, W, 3) of bytes as an image (1, 3, H, W) of floats in [0, 1]."""
    height, width = (5, 3) if case() else (4, 6)
    array = np.random.default_rng(3 + case()).integers(10, 200, (height, width, 3)).astype(np.uint8)
    array[0, 0] = 200 - 90 * case(), 60, 10  # not the whole range: a dark picture should stay dark
    result = call(answer, array.copy())
    if not isinstance(result, Tensor):
        return f"the answer should be a tensor, not {type(result).__name__}; start with torch.from_numpy(array)."
    last = "the channels come last; PyTorch wants them before the rows: permute(2, 0, 1)."
    shapes = {
        (height, width, 3): last,
        (1, height, width, 3): last,
        (3, height, width): "the batch dimension is missing; add it with image[None].",
        (3, width, height): "rows and columns are swapped: permute(2, 0, 1), not (2, 1, 0).",
        (1, 3, width, height): "rows and columns are swapped: permute(2, 0, 1), not (2, 1, 0).",
    }
    if tuple(result.shape) in shapes:
        return shapes[tuple(result.shape)]
    if result.max() > 1:
        return "the values go up to 255; divide by 255 to have them in [0, 1]."
    pixels = torch.from_numpy(array)
    image = pixels.permute(2, 0, 1)[None] / 255
    stretched = (image - image.min()) / (image.max() - image.min())
    mistakes = [
        (pixels.reshape(1, 3, height, width) / 255, "reshape mixes colours and places; permute moves the axes."),
        (image.flip(1), "red and blue are swapped; this array is already red, green, blue."),
        (image * 255 / 256, "255 should become exactly 1: divide by 255, not by 256."),
        (
            stretched,
            "you make this picture's darkest value 0 and its brightest 1; a dark picture stays dark: divide by 255.",
        ),
        (image / image.max(), "you make this picture's brightest value 1; a dark picture stays dark: divide by 255."),
        (2 * image - 1, "the values go from -1 to 1; the range should be [0, 1]."),
        (image.floor(), "only whole numbers are left: // and whole numbers cut the fraction off; use / and float32."),
    ]
    hint = compare(result, image, mistakes)
    if hint is None and result.dtype != torch.float32:
        return f"the values are right, but they are {result.dtype}; networks take float32: add .float()."
    return hint


def best_labels(answer: object) -> str | None:
    """00.4: the names of the most probable classes, best first."""
    labels = ["ant", "bee", "cat", "dog", "eel", "fox"]
    logits = torch.tensor([0.5, 2.0, -1.0, 3.0, 1.0, -4.0])
    right = ["dog", "bee", "eel"]
    result = call(answer, logits.clone(), list(labels), 3)
    if isinstance(result, str) or not isinstance(result, Sequence | Tensor | np.ndarray):
        return f"the answer should be a list of names, not {type(result).__name__}."
    found = list(result)
    if found == right:
        # a second question, so that neither the number of names nor the names can be fixed
        again = list(call(answer, -logits, list(labels), 2))
        return None if again == ["fox", "cat"] else "right for three names, but not for `top` of them; use `top`."
    if not all(isinstance(name, str) for name in found):
        return "these are not names; look each class up with labels[i], and return the names alone."
    if len(found) != len(right):
        return f"asked for the 3 best, your function returns {len(found)} names; use `top`."
    hints = {
        ("fox", "cat", "ant"): "these are the least probable names; sort downwards, or use topk.",
        ("fox", "dog", "bee"): "-4 is a strong no, not a strong yes; sort by the logits and not by their size.",
        ("ant", "bee", "cat"): "these are the first names of the list; use the indices that topk returns.",
    }
    if set(found) == set(right):
        return "the right names in the wrong order; the most probable comes first."
    return hints.get(tuple(found), "these are not the most probable names; look at logits.topk(top).indices.")


JUDGES = {"00.1": numbers, "00.2": softmax, "00.3": to_image, "00.4": best_labels}
