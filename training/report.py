"""Print how well the networks do on the cut-outs, and the table of everything that the course trained.

python training/report.py
"""

import json

import torch

import coursekit as ck
from assets import ROOT
from coursekit.images.scenes import KINDS

ROUNDS = 4  # scenes of each object and kind of background


def accuracy(model: ck.Model, kind: str) -> tuple[float, float, dict[str, float]]:
    """Return top-1 and top-5 accuracy on scenes of every labelled object, and top-1 by object."""
    names = list(ck.cutouts("labelled"))
    scenes = ck.scenes(ROUNDS * len(names), background=kind, seed=7, size=model.input_size)
    with torch.inference_mode():
        logits = torch.cat([model(batch) for batch in scenes.images.split(8)])
    best = logits.topk(5).indices == scenes.targets[:, None]
    hits = best[:, 0].float()
    by_object = {name: hits[[o == name for o in scenes.objects]].mean().item() for name in names}
    return hits.mean().item(), best.any(1).float().mean().item(), by_object


def main() -> None:
    """Print both tables."""
    print(f"Scenes of {len(ck.cutouts('labelled'))} labelled objects, {ROUNDS} each and kind of background")
    print(f"{'network':26}" + "".join(f"{kind + ' top-1':>18}{'top-5':>8}" for kind in KINDS))
    names = "efficientnet_lite0", "efficientnet_lite0_robust", "efficientnet_lite1", "efficientnet_lite2", "coursenet"
    for name in names:
        try:
            model = ck.load_model(name)
        except ck.WeightsUnavailable as error:
            print(f"{name:26}{error}")
            continue
        results = [accuracy(model, kind) for kind in KINDS]
        print(f"{name:26}" + "".join(f"{top1:18.1%}{top5:8.1%}" for top1, top5, _ in results))
        if name == "efficientnet_lite0":
            mean = {o: sum(r[2][o] for r in results) / len(results) for o in results[0][2]}
            print({o: round(v, 2) for o, v in sorted(mean.items(), key=lambda pair: pair[1])})
    print("\nTrained here (data/weights, data/manifest.json)")
    for entry in json.loads((ROOT / "data/manifest.json").read_text(encoding="utf8"))["files"]:
        if entry["file"].startswith("weights/"):
            scores = ", ".join(f"{key} {value:.3g}" for key, value in entry["scores"].items())
            print(f"{entry['file'][8:]:34}{entry['bytes'] / 1e6:6.2f} MB   {scores}")
            for marks in entry.get("by_epsilon", ()):
                print("   ", ", ".join(f"{key} {value}" for key, value in marks.items()))


if __name__ == "__main__":
    main()
