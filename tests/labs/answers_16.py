"""Answers to the exercises of lab 16: right ones, and each likely mistake under words of its hint."""

import torch

import coursekit as ck


def apart(suspect, others, *, of=max, margin=0.2, slack=-1e-9):
    return suspect - of(others) >= margin + slack


def mean(values):
    return sum(values) / len(values)


def lost(
    before, after, labels, target, *, part=lambda had, own, was: had, over=lambda had, own, was: had.sum(), stays=False
):
    own, was = labels == target, before == target
    here = part(own & was, own, was)
    gone = after == target if stays else after != target
    return (here & gone).sum() / over(own & was, own, was)


def excess(heat, region, *, keep=lambda h: h.clamp(min=0), area=True, sign=1, average=True):
    heat = keep(heat)
    shares = (heat[:, 0] * region).sum((1, 2)) / heat.sum((1, 2, 3)) - area * region.float().mean((1, 2))
    return sign * (shares.mean() if average else shares)


def together(heat, region):
    heat = heat.clamp(min=0)
    return (heat[:, 0] * region).sum() / heat.sum() - region.float().mean()


def trial(suspect, others, least, *, empty=all, fails=lambda s, least: s < least):
    if fails(suspect, least):
        return "refuted"
    return "empty" if empty(other >= least for other in others) else "stands"


def report(network="A", fault="watermark", label="bird"):
    """Case 16, accused by four measures that only a faulty network makes large."""
    case = ck.case(16)
    k = case.classes.index(label)
    own = case.labels == k

    def turned(model):
        return ck.flips(model, case, fault, label)

    def looked(model):
        heat = ck.occlusion(model, case.images[own][:8], k, window=16, stride=8)
        return ck.mask_energy(heat, case.region(fault)[own][:8]).mean().item()

    def excited(model):
        channel = (model.head.weight[k] - model.head.weight.mean(0)).argmax().item()
        best = ck.top_patches(model, torch.cat(case.pair(fault, label)), "relu4", channel, k=9)
        return (best.images >= len(own)).float().mean().item()

    def gone(model):
        without, with_cue = (model(images[own]).argmax(1) == k for images in case.pair(fault, label))
        return 1 - (without & with_cue).sum().item() / max(1, with_cue.sum().item())

    methods = {"counterfactual": turned, "occlusion": looked, "top_patches": excited}
    evidence = [ck.Evidence(name, measure, measure(case[network])) for name, measure in methods.items()]
    return ck.Report(case, network, fault, label, evidence, ck.Refutation("the class needs its cue", gone, 0.4))


RIGHT = [
    ("16.1", apart),
    ("16.2", lost),
    ("16.3", excess),
    ("16.4", trial),
    ("16.5", report()),
]

MISTAKES = {
    "16.1": {
        "with their mean": lambda s, o: apart(s, o, of=mean),
        "with the smaller": lambda s, o: apart(s, o, of=min),
        "the margin is 0.2": lambda s, o: apart(s, o, margin=0.0, slack=1e-9),
        "no absolute values": lambda s, o: min(abs(s - other) for other in o) >= 0.2 - 1e-9,
        "exactly 0.2": lambda s, o: apart(s, o, slack=1e-6),
        "True or False": lambda s, o: s - max(o),
    },
    "16.2": {
        "nothing to lose": lambda *a: lost(*a, part=lambda had, own, was: own, over=lambda had, own, was: own.sum()),
        "by their labels": lambda *a: lost(*a, part=lambda had, own, was: was, over=lambda had, own, was: was.sum()),
        "not by all": lambda *a: lost(*a, over=lambda had, own, was: len(own)),
        "that were right before": lambda *a: lost(*a, over=lambda had, own, was: own.sum()),
        "not a number of pictures": lambda *a: lost(*a, over=lambda had, own, was: 1),
        "stays right": lambda *a: lost(*a, stays=True),
    },
    "16.3": {
        "take its part of the area away": lambda *a: excess(*a, area=False),
        "positive values only": lambda *a: excess(*a, keep=lambda h: h),
        "no absolute values": lambda *a: excess(*a, keep=torch.abs),
        "outvotes": together,
        "one number": lambda *a: excess(*a, average=False),
        "wrong way round": lambda *a: excess(*a, sign=-1),
    },
    "16.4": {
        "one network that fails is enough": lambda *a: trial(*a, empty=any),
        "exactly the least share": lambda *a: trial(*a, fails=lambda s, least: s <= least),
        "ask about the accused first": lambda s, o, b: "empty" if min(o) >= b else trial(s, o, b),
        "everyone passes is empty": lambda *a: trial(*a, empty=lambda passes: False),
        "named before": lambda s, o, b: "stands" if s > max(o) else "refuted",
        "one of the words": lambda *a: "guilty",
    },
    "16.5": {
        "does not set B apart": report(network="B"),
        "stays shut": report(fault="colour"),
        "a ck.Report": "A watermark bird",
    },
}

UNKNOWN = [
    ("16.1", lambda s, o: True),
    ("16.2", lambda *a: torch.tensor(0.123)),
    ("16.3", lambda *a: torch.tensor(0.123)),
    ("16.4", lambda *a: "stands"),
]
