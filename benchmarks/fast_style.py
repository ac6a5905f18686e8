"""One pass beside the search: time, and how near each comes to the style in a network that took no part.

Run it on a quiet machine: `python benchmarks/fast_style.py`. Photographs that no network of ours was trained on are
painted in each of the six styles, by `ck.fast_style` and by `ck.style_transfer` of 50 and 200 steps. The distance is
`ck.gram_distance` in EfficientNet-Lite2; that of the untouched photographs stands beside it. A second table times one
pass at three sizes.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

import coursekit as ck

PHOTOGRAPHS = ("motorcycle", "retina", "hubble")
SIZES = (256, 512, 1024)


def timed(call: Callable[[], Tensor]) -> tuple[Tensor, float]:
    start = time.perf_counter()
    result = call()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return result, time.perf_counter() - start


def compare(size: int, styles: int) -> None:
    """Print a table: seconds for one picture, and its distance to the style."""
    model, judge = ck.load_model("efficientnet_lite0"), ck.load_model("efficientnet_lite2")
    network = ck.load_style_network()
    ways: dict[str, Callable[[Tensor, str, Tensor], Tensor]] = {
        "photograph": lambda photo, name, style: photo,
        "one pass": lambda photo, name, style: ck.fast_style(network, photo, name),
        "50 steps": lambda photo, name, style: ck.style_transfer(model, photo, style, steps=50).images,
        "200 steps": lambda photo, name, style: ck.style_transfer(model, photo, style, steps=200).images,
    }
    times, distances = {way: [] for way in ways}, {way: [] for way in ways}
    for name in network.styles[:styles]:
        style = ck.style_image(name, 256)
        for photograph in PHOTOGRAPHS:
            photo = ck.load_image(photograph, size=size)
            for way, paint in ways.items():
                made, seconds = timed(partial(paint, photo, name, style))
                times[way].append(seconds)
                distances[way].append(ck.gram_distance(judge, made, style).item())
    print(f"{'':12} {'seconds':>10} {'distance':>9}")
    for way in ways:
        print(f"{way:12} {statistics.median(times[way]):10.3f} {statistics.mean(distances[way]):9.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Fast style transfer beside the search.")
    parser.add_argument("--size", type=int, default=256, help="pixels a side (default 256)")
    parser.add_argument("--styles", type=int, default=6, help="how many of the six (default all)")
    options = parser.parse_args()
    ck.setup()
    print(f"{torch.get_num_threads()} threads, {options.size} px, {len(PHOTOGRAPHS)} photographs not trained on\n")
    compare(options.size, options.styles)
    network = ck.load_style_network()
    print("\none pass, median of 5")
    for size in SIZES:
        photo = ck.load_image("motorcycle", size=size)
        every = [timed(partial(ck.fast_style, network, photo, "ink"))[1] for _ in range(5)]
        print(f"{size:5} px {statistics.median(every):7.3f} s")


if __name__ == "__main__":
    main()
