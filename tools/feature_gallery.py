"""Paint the stored sheets of features, with `python tools/feature_gallery.py` (a quarter of an hour on one core).

gallery/features_NETWORK.jpeg: a few channels of each layer, drawn at random with a seed, none chosen by eye.
The other sheets are plain tiles, side by side without a gap, so that lab 07 can cut them out and ask another network:

    classes: four classes as waves    maco: the same by MACO    priors: two classes under six other priors
    steps: one class after 1 to 2048 steps, twice      frequencies: two classes in pixels, under four regularizers
    twin: eight classes in plain pixels, by two networks      carts: four vehicles
    diversity: of 216 units, searched first, the one whose four runs differ most and the one whose differ least
"""

import io
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFile, ImageFont
from torch import Tensor

import coursekit as ck
from coursekit.files import replacing
from notebooks import ROOT

CHANNELS, TILE, LABEL, GAP = 4, 96, 74, 2  # of a layer; pixels of a picture, of the layer's name, between pictures
STEPS = (1, 32, 128, 256, 2048)
ImageFile.MAXBLOCK = 1 << 22  # Pillow keeps a whole JPEG in one block
LIMIT = 120_000  # bytes of a sheet
CLASSES = "flamingo", "zebra", "goldfish", "strawberry"
TWIN = "flamingo", "zebra", "goldfish", "strawberry", "volcano", "tiger", "hen", "broccoli"
CARTS = "horse cart", "oxcart", "dogsled", "shopping cart"
DEPTHS = "block3", "block6", "block9", "block11", "block13", "fc"  # fc: the logits, one for each class
RUNS, DIVERSITY = 4, 30  # paintings of one channel, from other noise; weight of the term that wants them to differ
LEFT_OUT = ("flatten", "avgpool")  # numbers of the layer before, in another order


def recipe() -> dict:
    """Return the options of lab 07: waves 1/f^1.5, shaken."""
    t = ck.transforms
    wide = [t.pad(16), t.jitter(16), t.warp(degrees=15, scale=(0.7, 1.2)), t.jitter(8)]
    return {"parameterization": ck.parameterizations.fourier(decay=1.5), "transforms": wide, "rate": 0.1}


def paint_network(name: str) -> Image.Image:
    """Paint some channels of each layer; two layers stand side by side in a row."""
    model, generator = ck.load_model(name), torch.Generator().manual_seed(0)
    layers = [layer for layer in model.layers if layer not in LEFT_OUT]
    rows = []
    for layer in layers:
        chosen = torch.randperm(model.layers.shape(layer)[0], generator=generator)[:CHANNELS].tolist()
        made = ck.render(model, ck.objectives.channel(layer, chosen), size=TILE, steps=64, progress=False, **recipe())
        rows.append(made.images)
        print(f"{name} {layer}: channels {chosen}", flush=True)
    return lay_out(layers, rows)


def lay_out(layers: list[str], rows: list[Tensor]) -> Image.Image:
    """Put the rows on one sheet, two to a line, each behind the name of its layer."""
    width, lines = LABEL + CHANNELS * (TILE + GAP), -(-len(rows) // 2)
    sheet = Image.new("RGB", (2 * width, lines * (TILE + GAP)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=17)
    for i, (layer, images) in enumerate(zip(layers, rows, strict=True)):
        left, top = i // lines * width, i % lines * (TILE + GAP)  # down the first column, then down the second
        draw.text((left + 8, top + TILE / 2), layer, "black", font=font, anchor="lm")
        for k, image in enumerate(images):
            sheet.paste(picture_of(image), (left + LABEL + k * (TILE + GAP), top))
    return sheet


def indices(model: ck.Model, names: Sequence[str]) -> list[int]:
    return [model.labels.index(name) for name in names]


def paint(model: ck.Model, wish: Any, **options: Any) -> Tensor:
    """Paint with the recipe of lab 07, or with other options."""
    return ck.render(model, wish, progress=False, **({"size": 224, "steps": 96} | recipe() | options)).images


def paint_classes() -> Tensor:
    """Paint four classes as waves that are shaken."""
    model = ck.load_model("efficientnet_lite0")
    return paint(model, indices(model, CLASSES))


def paint_maco() -> Tensor:
    """Paint the same four with the magnitudes of photographs (MACO), and keep the middle."""
    model = ck.load_model("efficientnet_lite0")
    natural = {"parameterization": ck.parameterizations.maco(), "transforms": [ck.transforms.crops()], "rate": 0.5}
    made = paint(
        model, indices(model, CLASSES), seed=2, steps=108, **natural
    )  # the best of three starts, as the lab says
    return made[:, :, 48:176, 48:176]


def paint_priors(seed: int = 0) -> Tensor:
    """Paint two classes: no prior, L2, the mixture of four, shaken pixels, waves that are not shaken, a decoder."""
    p, r, t = ck.parameterizations, ck.regularizers, ck.transforms
    model = ck.load_model("efficientnet_lite0")
    chosen = indices(model, CLASSES[:2])
    grey = {"parameterization": p.pixels("grey"), "transforms": [], "optimizer": "ascent", "rate": 0.02}
    four = [r.decay(0.01), r.blur(1.0, 4), r.clip_norm(0.2), r.clip_contribution(0.1)]
    decoder = ck.load_decoder("fc6", "feature")
    codes = ck.embed(ck.load_model("coursenet"), ck.scenes(64, size=128).images, "relu6")
    mean, sd = codes.mean(0), codes.std(0)
    learned = paint(
        model,
        chosen,
        size=128,
        seed=seed,
        parameterization=p.code(decoder, mean[None], low=0.0, high=mean + 3 * sd),
        transforms=[t.pad(8), t.jitter(8)],
    )
    made = {
        "nothing": paint(model, chosen, seed=seed, parameterization=p.pixels(), transforms=[], rate=0.02),
        "L2": paint(model, chosen, **(grey | {"regularizers": [r.l2(0.2)]})),
        "four": paint(model, chosen, **(grey | {"regularizers": four, "rate": 0.05, "steps": 120})),
        "shaken": paint(model, chosen, seed=seed, parameterization=p.pixels(), rate=0.02),
        "waves": paint(model, chosen, seed=seed, transforms=[]),
        "learned": F.interpolate(learned, size=(224, 224), mode="bicubic").clamp(0, 1),
    }
    return torch.cat(list(made.values()))


def paint_steps(size: int = 112) -> Tensor:
    """Paint one class for a long time, in plain pixels and by the recipe, and keep the pictures on the way."""
    model = ck.load_model("efficientnet_lite0")
    options = {"size": size, "steps": STEPS[-1], "snapshots": STEPS, "progress": False}
    bare = {"parameterization": ck.parameterizations.pixels(), "transforms": [], "rate": 0.02}
    made = [ck.render(model, indices(model, CLASSES[:1]), **options, **way) for way in (bare, recipe())]
    return torch.cat([way.snapshots[step] for way in made for step in STEPS])


def paint_frequencies(seed: int = 0) -> Tensor:
    """Paint two classes in shaken pixels: as they are, and with three cures against fast frequencies."""
    r = ck.regularizers
    model = ck.load_model("efficientnet_lite0")
    pixels = {"parameterization": ck.parameterizations.pixels(), "optimizer": "ascent", "rate": 0.02, "seed": seed}
    cures = [], [r.bilateral(every=1)], [r.blur_gradient(2.0)], [r.even_frequencies(5)]
    chosen = indices(model, CLASSES[:2])
    return torch.cat([paint(model, chosen, size=160, steps=64, regularizers=cure, **pixels) for cure in cures])


def paint_twin(seed: int = 0) -> Tensor:
    """Climb plain pixels, without any prior, by EfficientNet-Lite0 and by its robust twin."""
    options = {"size": 160, "steps": 64, "transforms": [], "optimizer": "ascent", "rate": 0.02, "seed": seed}
    networks = [ck.load_model(name) for name in ("efficientnet_lite0", "efficientnet_lite0_robust")]
    pixels = ck.parameterizations.pixels(sd=0.05)
    return torch.cat([paint(m, indices(m, TWIN), parameterization=pixels, **options) for m in networks])


def paint_carts(seed: int = 0) -> Tensor:
    model = ck.load_model("efficientnet_lite0")
    return paint(model, indices(model, CARTS), seed=seed)


def search_diversity(seed: int, count: int = 12) -> list[dict[str, Any]]:
    """Paint `count` channels of each depth four times, small, and measure how much the four runs of a channel differ.

    Returns one line for each channel: the mean distance of its runs (`within`), the same between different channels of
    its layer (`between`), and the smallest of its values as a part of the largest (`share`).
    """
    model, generator = ck.load_model("efficientnet_lite0"), torch.Generator().manual_seed(seed)
    found = []
    for layer in DEPTHS:
        chosen = torch.randperm(model.layers.shape(layer)[0], generator=generator)[:count].tolist()
        wish = ck.objectives.channel(layer, [channel for channel in chosen for _ in range(RUNS)])
        images = paint(model, wish, size=64, steps=48, seed=seed, transforms=ck.transforms.robust(64))
        within, between = run_distances(images)
        values = ck.activations(model, images, [layer])[layer].view(count, RUNS, -1)
        for i, channel in enumerate(chosen):
            share = (values[i, :, channel].min() / values[i, :, channel].max()).item()
            found.append({"layer": layer, "channel": channel, "within": within[i], "between": between, "share": share})
    return found


def run_distances(images: Tensor) -> tuple[list[float], float]:
    """Return the mean distance of the runs of each channel, and that of pictures of different channels.

    The distance is one minus the cosine of two codes by EfficientNet-Lite1, which did not paint.
    """
    codes = codes_of(images)
    distance = 1 - codes @ codes.T
    blocks = distance.view(len(images) // RUNS, RUNS, -1, RUNS).mean((1, 3))  # a run's distance to itself is 0
    within = blocks.diagonal() * RUNS / (RUNS - 1)
    between = (blocks.sum() - blocks.diagonal().sum()) / (blocks.numel() - len(blocks))
    return within.tolist(), between.item()


def paint_diversity(seeds: int = 3, finalists: int = 6) -> Tensor:
    """Search, print what was found, and paint two channels with other noise: the runs differ most, and least.

    The channels that differ most in small pictures are painted large, with noise that the search has not seen; the
    first of these is shown, again with other noise. Below, the same channel with the diversity term. The logits take
    part in the search, not in the choice.
    """
    o, model = ck.objectives, ck.load_model("efficientnet_lite0")
    found = [line for seed in range(seeds) for line in report_diversity(search_diversity(seed), seed)]
    steady = [line for line in found if line["share"] >= 0.8 and line["layer"] != "fc"]
    steady.sort(key=lambda line: -line["within"])
    print(f"of {len(found)} units {len(steady)} have maps and four runs of like value")

    def large(wish: Any, seed: int) -> Tensor:
        return paint(model, wish, n=RUNS, size=128, seed=seed, transforms=ck.transforms.robust(128))

    wishes = {(line["layer"], line["channel"]): o.channel(line["layer"], line["channel"]) for line in steady}
    best = list(wishes)[:finalists]
    differ = run_distances(torch.cat([large(wishes[unit], seeds) for unit in best]))[0]
    for unit, distance in zip(best, differ, strict=True):
        print("finalist", unit, f"{distance:.3f}", flush=True)
    most, least = best[differ.index(max(differ))], list(wishes)[-1]
    shown = wishes[most], wishes[least], wishes[most] + DIVERSITY * o.diversity(most[0])
    rows = torch.cat([large(wish, seeds + 1) for wish in shown])
    print("shown:", most, least, "and the first with the term; distances", run_distances(rows)[0])
    return rows


def report_diversity(found: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """Print one line for each depth, and return what was given."""
    for layer in DEPTHS:
        lines = [line for line in found if line["layer"] == layer]
        within = sum(line["within"] for line in lines) / len(lines)
        print(f"seed {seed} {layer}: runs {within:.3f}, different channels {lines[0]['between']:.3f}", flush=True)
    return found


def codes_of(images: Tensor) -> Tensor:
    """Return EfficientNet-Lite1's codes, each of length 1: it did not paint."""
    enlarged = F.interpolate(images, (160, 160), mode="bicubic").clamp(0, 1)
    return F.normalize(ck.embed(ck.load_model("efficientnet_lite1"), enlarged, "avgpool"), dim=1)


def lay_tiles(images: Tensor, columns: int) -> Image.Image:
    """Put tiles side by side without a gap: their sides are whole JPEG blocks, so no tile runs into another."""
    height, width = images.shape[2:]
    sheet = Image.new("RGB", (columns * width, -(-len(images) // columns) * height), "white")
    for k, image in enumerate(images):
        sheet.paste(picture_of(image), (k % columns * width, k // columns * height))
    return sheet


def picture_of(image: Tensor) -> Image.Image:
    """Turn (3, H, W) in [0, 1] into a picture."""
    return Image.fromarray((image * 255).round().byte().permute(1, 2, 0).numpy())


def save(sheet: Image.Image, path: Path, limit: int = LIMIT) -> None:
    """Write a JPEG below the limit, as good as fits, whole or not at all."""
    for quality in range(94, 40, -4):
        buffer = io.BytesIO()
        sheet.save(buffer, "JPEG", quality=quality, optimize=True, subsampling=0 if quality > 88 else 2)
        if buffer.tell() <= limit:
            break
    with replacing(path) as temporary:
        temporary.write_bytes(buffer.getvalue())


SHEETS = {  # name -> what paints it, tiles in a row, bytes at most
    "classes": (paint_classes, 4, 80_000),
    "maco": (paint_maco, 4, 60_000),
    "priors": (paint_priors, 4, 155_000),
    "steps": (paint_steps, 5, 80_000),
    "frequencies": (paint_frequencies, 8, 110_000),
    "twin": (paint_twin, 8, 200_000),
    "carts": (paint_carts, 4, 60_000),
    "diversity": (paint_diversity, 4, 70_000),
}


def main(names: list[str]) -> None:
    ck.setup(seed=0)
    folder = ROOT / "gallery"
    folder.mkdir(exist_ok=True)
    for name in names or [*SHEETS, "coursenet", "efficientnet_lite0"]:
        began = time.process_time()
        if name in SHEETS:
            paint_sheet, columns, limit = SHEETS[name]
            sheet = lay_tiles(paint_sheet(), columns)
        else:
            sheet, limit = paint_network(name), LIMIT
        save(sheet, folder / f"features_{name}.jpeg", limit)
        print(f"features_{name}.jpeg in {(time.process_time() - began) / 60:.1f} minutes of one core", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
