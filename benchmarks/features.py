"""Feature visualisation beside lucent's: time, the logit reached, and whether another network recognises the class.

Run it on a quiet machine: `python benchmarks/features.py`. Both paint the same classes on EfficientNet-Lite0 at 128
pixels, eight at a time, with equal steps and each with its own defaults. *Recognised* is the share of the pictures that
EfficientNet-Lite2, which took no part, calls by the painted class: the picture itself, and a mirrored crop of 80 % of
its side. lucent is no dependency of the course; for the comparison:

    pip install --no-deps torch-lucent kornia==0.4.1
    pip install decorator future
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

import coursekit as ck

SIZE, BATCH = 128, 8


def ours(model: ck.Model, classes: list[int], steps: int, seed: int) -> Tensor:
    return ck.render(model, classes, size=SIZE, steps=steps, seed=seed, progress=False).images


def ours_maco(model: ck.Model, classes: list[int], steps: int, seed: int) -> Tensor:
    options = {"parameterization": ck.parameterizations.maco(), "transforms": [ck.transforms.crops()], "rate": 0.5}
    return ck.render(model, classes, size=SIZE, steps=steps, seed=seed, progress=False, **options).images


def lucents(model: ck.Model, classes: list[int], steps: int, seed: int) -> Tensor:
    import numpy as np
    from lucent.optvis import objectives, param, render

    torch.manual_seed(seed)
    np.random.seed(seed)
    objective = sum(objectives.channel("module_classifier", k, batch=i) for i, k in enumerate(classes))
    images = render.render_vis(
        model,
        objective,
        lambda: param.image(SIZE, batch=len(classes)),
        thresholds=(steps,),
        preprocess=False,  # our models normalise themselves
        progress=False,
        show_image=False,
    )
    return torch.from_numpy(images[-1]).permute(0, 3, 1, 2).float()


@torch.no_grad()
def recognised(judge: ck.Model, images: Tensor, classes: list[int]) -> tuple[Tensor, Tensor]:
    """Say for each picture (N,) whether the judge's first answer is its class: as it is, and in a mirrored crop."""
    side = round(0.8 * SIZE)
    rows, columns = torch.randint(SIZE - side + 1, (2, len(images)), generator=torch.Generator().manual_seed(0))
    crops = [x[:, r : r + side, c : c + side].flip(2) for x, r, c in zip(images, rows, columns, strict=True)]
    crops = F.interpolate(torch.stack(crops), size=(SIZE, SIZE), mode="bilinear")
    answers = [torch.cat([judge(x).argmax(1) for x in views.split(BATCH)]).cpu() for views in (images, crops)]
    return answers[0] == torch.tensor(classes), answers[1] == torch.tensor(classes)


def main() -> None:
    parser = argparse.ArgumentParser(description="Feature visualisation beside lucent's.")
    parser.add_argument("--classes", type=int, default=50, help="evenly spaced among the 1000 (default 50)")
    parser.add_argument("--steps", type=int, default=128)
    parser.add_argument("--sheet", type=Path, help="write the pictures of the first eight classes there, as PNG")
    options = parser.parse_args()
    ck.setup()
    model, judge = ck.load_model("efficientnet_lite0"), ck.load_model("efficientnet_lite2")
    classes = [round(i * 1000 / options.classes) for i in range(options.classes)]
    painters: dict[str, Callable] = {"ours, Fourier": ours, "ours, MACO": ours_maco}
    try:
        import lucent  # noqa: F401

        painters["lucent"] = lucents
    except ImportError as error:
        print(f"lucent is not here ({error}): the head of this file says how to install it.\n")
    print(f"{len(classes)} classes, {SIZE} px, {options.steps} steps, {BATCH} together, {model.device}")
    print(f"\n{'':16} {'s/image':>8} {'logit':>7} {'recognised':>11} {'in a crop':>10}")
    shown = []
    for name, paint in painters.items():
        paint(model, classes[:BATCH], 2, 0)  # the first call of all prepares
        start, made = time.perf_counter(), []
        for i in range(0, len(classes), BATCH):
            made.append(paint(model, classes[i : i + BATCH], options.steps, seed=i))
        each, images = (time.perf_counter() - start) / len(classes), torch.cat(made).clamp(0, 1)
        with torch.no_grad():
            logits = torch.cat([model(x) for x in images.split(BATCH)]).cpu()
        logit = logits[torch.arange(len(classes)), classes].median().item()
        plain, crop = (hits.float().mean().item() for hits in recognised(judge, images, classes))
        print(f"{name:16} {each:8.2f} {logit:7.1f} {plain:11.0%} {crop:10.0%}", flush=True)
        shown.append(images[:BATCH])
    if options.sheet:
        from torchvision.utils import save_image

        save_image(torch.cat(shown), options.sheet, nrow=BATCH)


if __name__ == "__main__":
    main()
