"""Paint the stored inversions of lab 09, with `python tools/inversion_gallery.py` (some ten minutes).

gallery/features_inversion.jpeg: a row for each photograph, a column for each layer of EfficientNet-Lite0.
gallery/features_inversion_robust.jpeg: the code of block16 of each photograph without any prior. Columns: among pixels
in EfficientNet-Lite0, in its robust twin, in the twin stopped at the error of the first; among frequencies in both.

The tiles are painted at 224 pixels and stored at 160, without words between them: the lab cuts and measures them.
"""

import sys
import time

import torch
import torch.nn.functional as F
from torch import Tensor

import coursekit as ck
from feature_gallery import picture_of, save
from notebooks import ROOT

PHOTOGRAPHS = ("chelsea", "coffee", "motorcycle", "china", "flower")
LAYERS = {
    "block5": (1, 0, 80),
    "block11": (1, 2, 80),
    "block16": (0.3, 2, 100),
    "fc": (0.3, 4, 150),
}  # λ, jitter, steps
STEPS = 60  # of the second sheet
SIZE, TILE, LIMIT = 224, 160, 330_000  # pixels painted, pixels stored, bytes of a sheet


def photograph(name: str) -> Tensor:
    return ck.load_image(name, size=SIZE)


def by_layer() -> list[list[Tensor]]:
    """Invert each photograph from each layer."""
    model = ck.load_model("efficientnet_lite0")
    smooth = ck.parameterizations.fourier(decay=1.25)
    rows = []
    for name in PHOTOGRAPHS:
        image = photograph(name)
        made = [
            ck.invert(model, image, layer, weight=w, jitter=j, steps=steps, parameterization=smooth)
            for layer, (w, j, steps) in LAYERS.items()
        ]
        rows.append([out.images for out in made])
        print(
            name,
            *(f"{layer} {-out.values[-1].item():.3f}" for layer, out in zip(LAYERS, made, strict=True)),
            flush=True,
        )
    return rows


def by_network() -> list[list[Tensor]]:
    """Match the code of block16 of each photograph and ask for nothing else; the columns are those of the lab."""
    plain, twin = (ck.load_model(name) for name in ("efficientnet_lite0", "efficientnet_lite0_robust"))
    grey, rows = ck.parameterizations.pixels("grey"), []
    how = {
        "parameterization": grey,
        "optimizer": "ascent",
        "rate": 0.005,
        "transforms": [],
        "size": SIZE,
        "steps": STEPS,
    }
    for image in map(photograph, PHOTOGRAPHS):
        goals = [ck.objectives.match(model, image, "block16") for model in (plain, twin)]
        of_plain = ck.render(plain, goals[0], progress=False, **how).images
        of_twin = ck.render(twin, goals[1], progress=False, snapshots=range(1, STEPS + 1), **how)
        near = ck.inversion_error(plain, of_plain, "block16", image)
        errors = {step: ck.inversion_error(twin, x, "block16", image) for step, x in of_twin.snapshots.items()}
        alike = next(
            (step for step, error in errors.items() if error <= near), STEPS
        )  # the code is as near as the plain one's
        waves = [ck.invert(model, image, "block16", weight=0, steps=STEPS).images for model in (plain, twin)]
        rows.append([of_plain, of_twin.images, of_twin.snapshots[alike], *waves])
        print(
            f"{near.item():.2f}, {errors[STEPS].item():.2f}, after {alike} steps {errors[alike].item():.2f}", flush=True
        )
    return rows


def main(names: list[str]) -> None:
    ck.setup(seed=0)
    plates = {"inversion": by_layer, "inversion_robust": by_network}
    for name in names or plates:
        began = time.process_time()
        tiles = [[F.interpolate(tile, size=(TILE, TILE), mode="area") for tile in row] for row in plates[name]()]
        sheet = torch.cat([torch.cat(row, 3) for row in tiles], 2)[0]
        save(picture_of(sheet), ROOT / "gallery" / f"features_{name}.jpeg", LIMIT)
        print(f"features_{name}.jpeg in {(time.process_time() - began) / 60:.1f} minutes of one core", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
