"""How fast are our attribution methods beside captum's, on EfficientNet-Lite0 at 224 pixels?

Run it on a quiet machine: `python benchmarks/attribution.py`. Both take turns in one process, so that a slow moment
hits both; captum runs at its best batch size of 8. A ratio below 1 means that ours is faster. The two maps are compared
too, since a fast wrong map is worth nothing.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from captum import attr
from torch import Tensor

import coursekit as ck
from coursekit.attribution.fills import baseline

STEPS, WINDOW, STRIDE = 50, 32, 16
CAT = 285  # Egyptian cat
BATCH = 8  # captum's best on a CPU


def contestants(model: ck.Model, image: Tensor) -> dict[str, tuple[Callable, Callable]]:
    """Name -> (ours, captum's), each a call without arguments that returns a map."""
    target, mean = torch.tensor([CAT], device=model.device), baseline(model, image, "mean")
    noise_tunnel = attr.NoiseTunnel(attr.Saliency(model))
    sigma = 0.15 * float(image.max() - image.min())
    return {
        f"integrated gradients, {STEPS} steps": (
            lambda: ck.integrated_gradients(model, image, CAT, steps=STEPS),
            lambda: attr.IntegratedGradients(model).attribute(
                image, target=target, n_steps=STEPS, method="riemann_middle", internal_batch_size=BATCH
            ),
        ),
        f"SmoothGrad, {STEPS} samples": (
            lambda: ck.smoothgrad(model, image, CAT, samples=STEPS),
            lambda: noise_tunnel.attribute(
                image, target=target, nt_samples=STEPS, nt_samples_batch_size=BATCH, stdevs=sigma, abs=False
            ),
        ),
        f"occlusion {WINDOW}/{STRIDE}": (
            lambda: ck.occlusion(model, image, CAT, window=WINDOW, stride=STRIDE),
            lambda: attr.Occlusion(model).attribute(
                image,
                sliding_window_shapes=(3, WINDOW, WINDOW),
                strides=(3, STRIDE, STRIDE),
                baselines=mean,
                target=target,
                perturbations_per_eval=BATCH,
            ),
        ),
    }


def seconds(call: Callable) -> float:
    start = time.perf_counter()
    call()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


def likeness(ours: Tensor, theirs: Tensor) -> float:
    """The correlation of two maps over all pixels: 1, or nearly so where the noise differs (SmoothGrad)."""
    pair = torch.stack([ours.expand_as(theirs).flatten(), theirs.flatten()])
    return float(torch.corrcoef(pair.detach().cpu())[0, 1])


def main() -> None:
    parser = argparse.ArgumentParser(description="Time our attribution methods beside captum's.")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is timed (default 5)")
    rounds = parser.parse_args().rounds
    ck.setup()
    model = ck.load_model("efficientnet_lite0")
    image = ck.load_image("chelsea", size=224).to(model.device)
    print(f"EfficientNet-Lite0, 224 px, {model.device}, {torch.get_num_threads()} threads, median of {rounds} rounds\n")
    print(f"{'':32} {'ours':>8} {'captum':>8} {'ratio':>6} {'correlation':>12}")
    for name, (ours, theirs) in contestants(model, image).items():
        alike = likeness(ours(), theirs())  # warms both up
        pairs = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
        mine, captums = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratio = statistics.median(a / b for a, b in pairs)
        print(f"{name:32} {mine:6.2f} s {captums:6.2f} s {ratio:6.2f} {alike:12.4f}")


if __name__ == "__main__":
    main()
