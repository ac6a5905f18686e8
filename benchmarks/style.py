"""Style transfer beside a textbook loop: time for 200 steps at 256 pixels, and how near the style comes.

Run it on a quiet machine: `OMP_NUM_THREADS=2 python benchmarks/style.py`. The textbook loop walks among
pixels by Adam and runs the whole network; ours walks among frequencies by L-BFGS. Both paint the same cat with the same
loss. The judge of the result is EfficientNet-Lite2, which took no part.
"""

import argparse
import time
from pathlib import Path

import torch
from torch import Tensor

import coursekit as ck

ALPHA, TV = 0.04, 1.0


def textbook(model: ck.Model, content: Tensor, style: Tensor, steps: int) -> Tensor:
    layers, gram = ck.style_layers(model), ck.objectives.gram
    with ck.capture(model, [*layers]) as acts, torch.no_grad():
        model(style)
        grams = {name: gram(acts[name]) for name in layers}
        model(content)
        goal = acts["block5"]
    x = content.clone().requires_grad_()
    adam = torch.optim.Adam([x], lr=0.02)
    for _ in range(steps):
        with ck.capture(model, layers) as acts:
            model(x)
        loss = ALPHA * (acts["block5"] - goal).pow(2).sum() / goal.pow(2).sum()
        loss = loss + sum((gram(acts[k]) - g).pow(2).sum() / g.pow(2).sum() for k, g in grams.items()) / len(layers)
        loss = loss + ck.regularizers.total_variation(TV).penalty(x).sum()
        adam.zero_grad()
        loss.backward()
        adam.step()
        x.data.clamp_(0, 1)
    return x.detach()


def ours(model: ck.Model, content: Tensor, style: Tensor, steps: int) -> Tensor:
    return ck.style_transfer(model, content, style, content_weight=ALPHA, tv=TV, steps=steps).images


def main() -> None:
    parser = argparse.ArgumentParser(description="Style transfer beside a textbook loop.")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--sheet", type=Path, help="write the pictures there, as PNG")
    options = parser.parse_args()
    ck.setup()
    model, judge = ck.load_model("efficientnet_lite0"), ck.load_model("efficientnet_lite2")
    content, style = ck.load_image("chelsea", size=options.size), ck.style_image("strokes", options.size)
    print(f"{options.size} px, {options.steps} steps, {torch.get_num_threads()} threads, {model.device}")
    print(f"the photograph itself: {ck.gram_distance(judge, content, style).item():.3f} from the style")
    print(f"\n{'':10} {'seconds':>8} {'distance of style':>18}")
    made, seconds = [], []
    for name, paint in {"textbook": textbook, "ours": ours}.items():
        paint(model, content, style, 2)  # the first call of all prepares
        start = time.perf_counter()
        made.append(paint(model, content, style, options.steps).cpu())
        seconds.append(time.perf_counter() - start)
        print(f"{name:10} {seconds[-1]:8.1f} {ck.gram_distance(judge, made[-1], style).item():18.3f}", flush=True)
    print(f"\nours takes {seconds[1] / seconds[0]:.2f} of the textbook's time")
    if options.sheet:
        ck.save_image(torch.cat(made), options.sheet)


if __name__ == "__main__":
    main()
