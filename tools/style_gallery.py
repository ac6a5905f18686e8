"""Paint the stored plates of lab 11, with `python tools/style_gallery.py` (some minutes of one core).

gallery/features_style_ladder.jpeg: textures from fewer and more numbers; a row for each sample, which stands first.
gallery/features_style_grid.jpeg: style layers (down) and weights of the content (to the right), as in figure 3 of
Gatys et al. 2015. gallery/features_style_starts.jpeg: one goal from three starts, after 300 steps.
gallery/features_style_conflicts.jpeg: shapes with the textures of others, `ck.cue_conflicts()` in order.

The tiles have no words between them, so that the lab can cut and measure them. `python tools/style_gallery.py race`
paints nothing: it prints the losses of the four ways to search for five pairs. `… objects` prints the objects of the
cue conflicts. `… inside` prints what is left of both cues in a patch from the inside of each painted conflict.
"""

import sys
import time

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

import coursekit as ck
from feature_gallery import picture_of
from notebooks import ROOT
from posters import write

LITE = "efficientnet_lite0"
NETWORKS = (LITE, "efficientnet_lite1", "efficientnet_lite2", "coursenet", f"{LITE}_robust")
ACROSS = 8  # tiles in a row of the conflicts
PAIRS = {"chelsea": "strokes", "flower": "mosaic", "china": "swirls", "astronaut": "woodcut", "coffee": "colour field"}
LADDER = ({"components": 4}, {"statistic": "mean"}, {"components": 16}, {})  # from fewer numbers to more


def samples(size: int) -> list[Tensor]:
    """Return the three samples of the ladder: a texture, rows of round things, and no texture at all."""
    mosaic = ck.style_image("mosaic", 256)[..., 60:172, 60:172]
    coins = ck.load_image("coins", size=192)[..., :112, :112]
    tower = ck.load_image("china", size=112)
    return [F.interpolate(x, (size, size), mode="bicubic").clamp(0, 1) for x in (mosaic, coins, tower)]


def ladder(size: int = 128, steps: int = 200) -> list[list[Tensor]]:
    model, rows = ck.load_model(LITE), []
    for sample in samples(size):
        made = [ck.synthesise_texture(model, sample, size=size, steps=steps, **few).images for few in LADDER]
        rows.append([sample, *made])
    return rows


def grid(size: int = 112, steps: int = 80) -> list[list[Tensor]]:
    model, style = ck.load_model(LITE), ck.style_image("swirls", 192)
    layers, rows = ck.style_layers(model), []
    for i in range(len(layers)):
        how = {"layers": layers[: i + 1], "content_weight": [0.01, 0.03, 0.1, 0.3, 1.0], "start": "noise"}
        cat = ck.load_image("chelsea", size=size)
        made = ck.style_transfer(model, cat, style, optimizer="adam", steps=steps, **how).images
        rows.append(list(made.split(1)))
    return rows


def starts(size: int = 112, steps: int = 300) -> list[list[Tensor]]:
    model, cat, style = ck.load_model(LITE), ck.load_image("chelsea", size=size), ck.style_image("strokes", 192)
    noise = 0.5 + 0.02 * torch.randn(cat.shape, generator=torch.Generator().manual_seed(0))
    begin = torch.cat([cat, ck.load_image(style, size=size), noise])
    how = {"content_weight": 0.3, "optimizer": "adam"}
    return [list(ck.style_transfer(model, cat, style, start=begin, steps=steps, **how).images.split(1))]


def conflicts(size: int = 112, steps: int = 40) -> list[list[Tensor]]:
    model, made = ck.load_model(LITE), []
    for shape, texture in ck.cue_conflicts():
        content, style = ck.shape_scene(shape, size).image, ck.object_texture(texture, size)
        out = ck.style_transfer(model, content, style, content_weight=0.1, optimizer="adam", steps=steps)
        made.append(out.images)
        print(shape, texture, flush=True)
    made += [torch.full_like(made[0], 0.5)] * (-len(made) % ACROSS)
    return [made[i : i + ACROSS] for i in range(0, len(made), ACROSS)]


def objects() -> list[str]:
    """List the objects that fill a square of CROP pixels to 85 % and that each network names right among all of them.

    One for each class, the one of which EfficientNet-Lite0 is surest; in a random order.
    """
    core, candidates = ck.cutouts("core"), []
    for name in core:
        mask = ck.load_scene(name, background="grey", seed=0, size=224, scale=0.95).masks[name].float()
        if F.avg_pool2d(mask[None, None], 72, 1).max() >= 0.85:
            candidates.append(name)
    images = torch.cat([ck.shape_scene(name, 224).image for name in candidates])
    targets = torch.tensor([core[name] for name in candidates])
    classes, right, sure = targets.unique(), torch.ones(len(targets), dtype=torch.bool), None
    for network in NETWORKS:
        model = ck.load_model(network)
        said = torch.cat([model(fit(model, batch)) for batch in images.split(8)]).detach().cpu()
        right &= classes[said[:, classes].argmax(1)] == targets
        sure = said.softmax(1)[range(len(targets)), targets] if sure is None else sure
    best: dict[int, int] = {}
    for i in right.nonzero()[:, 0].tolist():
        k = int(targets[i])
        if k not in best or sure[i] > sure[best[k]]:
            best[k] = i
    chosen = [candidates[i] for i in sorted(best.values())]
    order = torch.randperm(len(chosen), generator=torch.Generator().manual_seed(0)).tolist()
    return [chosen[i] for i in order]


def filled_square(image: Tensor, mask: Tensor, side: int) -> Tensor:
    """Cut out the square that the mask fills best, (1, 3, 112, 112)."""
    full = F.avg_pool2d(mask.float()[None, None], side, 1)[0, 0]
    best = (full > full.max() - 1e-6).nonzero()
    top, left = best[len(best) // 2].tolist()
    crop = image[..., top : top + side, left : left + side]
    return F.interpolate(crop, (112, 112), mode="bicubic").clamp(0, 1)


def inside(side: int = 36) -> None:
    """Count what a patch without any outline is named as, before and after it was painted, and what it looks like."""
    pairs, core = ck.cue_conflicts(), ck.cutouts("core")
    painted = [tile for row in ck.style_tiles("conflicts", 112) for tile in row]
    before, after = [], []
    for (shape, _), tile in zip(pairs, painted, strict=False):
        scene = ck.shape_scene(shape)
        before.append(filled_square(scene.image, scene.masks[shape], side))
        after.append(filled_square(tile, scene.masks[shape], side))
    judge, textures = ck.load_model("efficientnet_lite2"), [ck.object_texture(texture) for _, texture in pairs]
    triples = zip(after, before, textures, strict=True)
    own = sum((ck.gram_distance(judge, x, b) < ck.gram_distance(judge, x, t)).item() for x, b, t in triples)
    print(f"in Lite2 nearer to the object's own surface than to the other's: {own:.0f} of {len(pairs)}", flush=True)
    classes, ring = torch.tensor([core[shape] for shape, _ in pairs]), torch.arange(len(pairs))
    for network in NETWORKS:
        model, named = ck.load_model(network), []
        for patches in (before, after):
            said = torch.cat([model(fit(model, batch)).detach().cpu() for batch in torch.cat(patches).split(8)])
            named.append(said[:, classes].argmax(1))
        own = [(x == ring).sum().item() for x in named]
        texture = (named[1] == ring.roll(-1)).sum().item()  # the next in the ring
        print(f"{network}: before, own {own[0]}; painted, own {own[1]}, texture {texture}", flush=True)


def fit(model: ck.Model, images: Tensor) -> Tensor:
    """Scale images to the size that a network was trained with."""
    return F.interpolate(images, (model.input_size,) * 2, mode="bilinear", antialias=True).to(model.device)


def race(size: int = 112, passes: int = 80) -> None:
    """Print the loss without TV after so many forward and backward passes, for each way to search."""
    model, judge = ck.load_model(LITE), ck.load_model("efficientnet_lite2")
    for photograph, kind in PAIRS.items():
        content, style = ck.load_image(photograph, size=size), ck.style_image(kind, 192)
        for among in ("pixels", "fourier"):
            for optimizer in ("adam", "lbfgs"):
                how = {"parameterization": among, "optimizer": optimizer}
                out = ck.style_transfer(model, content, style, steps=passes, **how)
                losses = " ".join(f"{-out.values[p - 1, 0]:.3f}" for p in (passes // 4, passes // 2, passes))
                apart = ck.gram_distance(judge, out.images, style).item()
                print(f"{photograph:10} {kind:12} {among:8} {optimizer:6} {losses}  in Lite2 {apart:.3f}", flush=True)


def sheet(rows: list[list[Tensor]]) -> Image.Image:
    """Lay square pictures edge to edge."""
    side = rows[0][0].shape[-1]
    canvas = Image.new("RGB", (side * len(rows[0]), side * len(rows)))
    for i, row in enumerate(rows):
        for k, image in enumerate(row):
            canvas.paste(picture_of(image[0]), (k * side, i * side))
    return canvas


PLATES = {"ladder": ladder, "grid": grid, "starts": starts, "conflicts": conflicts}


def main(names: list[str]) -> None:
    ck.setup(seed=0)
    for name in names or list(PLATES):
        began = time.process_time()
        if name == "race":
            race()
        elif name == "inside":
            inside()
        elif name == "objects":
            print(*objects())
        else:
            write(sheet(PLATES[name]()), ROOT / f"gallery/features_style_{name}.jpeg")
        print(f"{name}: {time.process_time() - began:.0f} seconds of one core", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
