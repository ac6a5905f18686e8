"""What may be said of measured numbers: intervals, and tests of several hypotheses at once."""

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

from coursekit.errors import OptionError


def bootstrap_interval(
    values: Sequence[float] | Tensor, objects: Sequence[Hashable], *, samples: int = 2000, seed: int = 0
) -> tuple[float, float, float]:
    """Return the mean over objects and its 95 % interval by the percentile bootstrap: (mean, low, high).

    The values of each object are averaged first, then whole objects are drawn with replacement `samples` times, because
    scenes of one object are not independent (Efron & Tibshirani 1993; Field & Welsh, *Bootstrapping clustered
    data*, 2007). Needs at least two distinct objects, and some twenty for an interval to be trusted.

    >>> bootstrap_interval([1.0, 1.0, 0.0], ["zebra", "zebra", "hen"])
    (0.5, 0.0, 1.0)
    """
    names = {name: i for i, name in enumerate(dict.fromkeys(objects))}
    if len(values) != len(objects) or len(names) < 2:
        raise OptionError(
            f"An interval needs one object for each value and at least two distinct objects, but got {len(values)} "
            f"values of {len(objects)} scenes with {len(names)} distinct objects."
        )
    owner = torch.tensor([names[name] for name in objects])
    means = torch.bincount(owner, weights=torch.as_tensor(values).double()) / torch.bincount(owner)
    drawn = torch.randint(len(means), (samples, len(means)), generator=torch.Generator().manual_seed(seed))
    low, high = means[drawn].mean(1).quantile(torch.tensor([0.025, 0.975]).double()).tolist()
    return float(means.mean()), low, high


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for their number: below α, with all of them true, falls one with a probability of at most α.

    The smallest of m is multiplied by m, the next by m − 1, and so on; the order is kept (Holm 1979).

    >>> holm([0.01, 0.5, 0.02])
    [0.03, 0.5, 0.04]
    """
    adjusted, worst = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = worst
    return adjusted
