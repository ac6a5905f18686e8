"""The checks of lab 05 that need no network: unpooling, the best of each object, the shares of a layer."""

import torch
import torch.nn.functional as F
from torch import Tensor

from coursekit.labs.checking import call, case, compare


def drawn(*shape: int, seed: int) -> Tensor:
    """Normal numbers of their own seed.

    >>> drawn(2, 3, seed=0).shape
    torch.Size([2, 3])
    """
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def unpool(answer: object) -> str | None:
    """05.3: signals back to the places of the maxima; the last window wins."""
    return _unpool(answer, *((5, 7), (9, 5))[case()])


def _unpool(answer: object, height: int, width: int) -> str | None:
    z = drawn(1, 1, height, width, seed=50)
    z[0, 0, 2, 2] = z[0, 0, height - 3, width - 3] = 9.0  # each is the maximum of four windows
    _, places = F.max_pool2d(z, 3, 2, return_indices=True)
    places = places[0, 0]
    signal = drawn(*places.shape, seed=51)
    right, first, added, ones = (torch.zeros(height * width) for _ in range(4))
    for place, value in zip(places.flatten().tolist(), signal.flatten(), strict=True):
        right[place] = value
        first[place] = value if first[place] == 0 else first[place]
        added[place] += value
        ones[place] = 1
    result = call(answer, signal.clone(), places.clone(), height, width)
    shape = height, width
    shared = added.view(shape) != right.view(shape)  # where windows share a place
    chance = right.view(shape).clone()
    if isinstance(result, Tensor) and result.shape == shape:  # one of the signals, whichever
        chance = torch.where(shared & torch.isin(result, signal), result, chance)
    corner, middle = torch.zeros(shape), torch.zeros(shape)
    corner[0 : height - 1 : 2, 0 : width - 1 : 2] = signal
    middle[1:height:2, 1:width:2] = signal
    mistakes = [
        (added.view(shape), "windows that share a place add up here, as in autograd; with switches the last one wins."),
        (first.view(shape), "the first window wins here; go row by row and let later windows overwrite."),
        (
            chance,
            "where windows share a place another one than the last wins; go row by row (F.max_unpool2d leaves that to "
            "chance where PyTorch has several threads).",
        ),
        (ones.view(shape), "that is where the maxima were; write the signals there."),
        (right.view(shape).T, "rows and columns are swapped: place = row · width + column."),
        (right.view(shape[::-1]), "height and width are swapped: the answer is (height, width)."),
        (added.view(shape).T, "rows and columns are swapped, and windows that share a place add up."),
        (corner, "the signals go to the corners of the windows; take the places of the maxima."),
        (middle, "the signals go to the middles of the windows; take the places of the maxima."),
        (right, "reshape the answer to (height, width)."),
        (right.view(shape).clamp(min=0), "do not rectify here; unpooling only moves the signals."),
    ]
    return compare(torch.as_tensor(result).squeeze(), right.view(shape), mistakes)


def best(answer: object) -> str | None:
    """05.6: the k pictures with the strongest answers, no object twice."""
    owls = torch.tensor([0.2, 0.9, 0.8, 0.1, 0.7, 0.3]), ["hen", "owl", "owl", "owl", "fox", "cat"], 3
    many = drawn(12, seed=80), [str(i) for i in (0, 1, 2, 3, 2, 1, 0, 3, 4, 4, 4, 0)], 4
    for answers, objects, k in (owls, many):
        order = answers.argsort(descending=True).tolist()
        strongest = {name: next(i for i in order if objects[i] == name) for name in objects}
        right = [i for i in order if i in strongest.values()]
        first = {name: objects.index(name) for name in objects}
        mistakes = [
            (order[:k], "an object comes twice: keep only its strongest picture."),
            ([i for i in order[:k] if i in right], "fewer than k are left; go on until there are k objects."),
            (right, "these are all objects; stop after k."),
            (right[::-1][:k], "that is the weakest first; sort by descending answers."),
            (sorted(right[:k]), "the right pictures; give them with the strongest first."),
            (
                [i for i in order if i in first.values()][:k],
                "of each object take the strongest picture, not the first.",
            ),
            (answers[right[:k]], "those are the answers; give the indices of the pictures."),
        ]
        result = call(answer, answers.clone(), list(objects), k)
        if isinstance(result, list | tuple) and any(isinstance(value, str) for value in result):
            return "those are the objects; give the indices of the pictures."
        hint = compare(result, torch.tensor(right[:k]), [(torch.as_tensor(value), hint) for value, hint in mistakes])
        if hint:
            return hint
    return None


def linear_shares(answer: object) -> str | None:
    """05.7: the ε-rule for a linear layer."""
    for seed, (inputs, outputs), epsilon in ((90, (5, 3), 0.1), (91, (3, 6), 1.0)):
        a, w, b = (
            drawn(inputs, seed=seed).abs(),
            drawn(outputs, inputs, seed=seed + 10),
            drawn(outputs, seed=seed + 20),
        )
        relevance = drawn(outputs, seed=seed + 30)
        z = w @ a + b
        steady = z + epsilon * z.sign()

        def by(denominator: Tensor, a: Tensor = a, w: Tensor = w, relevance: Tensor = relevance) -> Tensor:
            return a * (w.T @ (relevance / denominator))

        right = by(steady)
        mistakes = [
            (by(z), "ε is missing: divide by z + ε · sign(z)."),
            (by(z + epsilon), "add ε with the sign of z, or it pulls a negative z towards 0."),
            (by(w @ a + epsilon * (w @ a).sign()), "the bias belongs to z; what it takes is lost for the inputs."),
            (by(w @ a), "z is without the bias, and without ε."),
            (w.T @ (relevance / steady), "each contribution is a_i w_ij: multiply by the input, too."),
            (a * (w.T @ relevance), "that is the gradient × input of R: divide by z, so that what is shared is R."),
            (
                (a * w).abs().T @ (relevance / steady),
                "keep the signs: an input that speaks against gets a negative share.",
            ),
            (a * (w / steady[:, None] * relevance[:, None]), "add up what each input gets from all outputs."),
        ]
        hint = compare(call(answer, a.clone(), w.clone(), b.clone(), relevance.clone(), epsilon), right, mistakes)
        if hint:
            return hint
    return None


def gamma_shares(answer: object) -> str | None:
    """05.8: the γ-rule for one layer with inputs of at least 0 and relevance where z is above 0."""
    for seed, (inputs, outputs), gamma in ((120, (5, 4), 0.25), (121, (4, 7), 2.0)):
        a, w, b = (
            drawn(inputs, seed=seed).abs(),
            drawn(outputs, inputs, seed=seed + 10),
            drawn(outputs, seed=seed + 20),
        )
        z = w @ a + b
        relevance = 4 * drawn(outputs, seed=seed + 30) * (z > 0)

        def by(
            w: Tensor, b: Tensor, over: Tensor | None = None, a: Tensor = a, relevance: Tensor = relevance
        ) -> Tensor:
            return a * (w.T @ (relevance / (w @ a + b if over is None else over)))

        stronger, bias = w + gamma * w.clamp(min=0), b + gamma * b.clamp(min=0)
        mistakes = [
            (by(w, b), "γ does nothing here: a factor of all weights cancels, so take w' = w + γ · max(w, 0)."),
            (by(stronger, b), "the bias follows the same rule: b' = b + γ · max(b, 0)."),
            (by(stronger, bias, z), "divide by z' of the same w' and b', or the shares do not add up."),
            (by(stronger, torch.zeros_like(b)), "the bias is missing in z'."),
            (
                by(w + gamma * w.clamp(max=0), b + gamma * b.clamp(max=0)),
                "the wrong sign: γ favours the positive weights.",
            ),
            (
                by(w.clamp(min=0), b.clamp(min=0)),
                "negative weights still count; γ only makes the positive ones stronger.",
            ),
            (by(w + gamma * w.abs(), b + gamma * b.abs()), "take max(w, 0), not |w|."),
            (
                stronger.T @ (relevance / (stronger @ a + bias)),
                "each contribution is a_i w'_ij: multiply by the input, too.",
            ),
        ]
        hint = compare(
            call(answer, a.clone(), w.clone(), b.clone(), relevance.clone(), gamma), by(stronger, bias), mistakes
        )
        if hint:
            return hint
    return None
