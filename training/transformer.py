"""Train the networks of fast style transfer: six styles in one, and two that differ in their normalisation alone.

    python training/transformer.py            # about 70 minutes on one core

The loss is what `ck.style_transfer` minimises for one picture: content at block 5, Gram matrices at blocks 1, 3, 5, 8
of EfficientNet-Lite0 (Johnson et al. 2016). A run that was cut off goes on from its last checkpoint.
"""

import argparse

import torch
from torch import Tensor

import coursekit as ck
from assets import halved, publish
from coursekit.images.styles import STYLES
from coursekit.networks.nets.style import StyleNetwork
from coursekit.synthesis.objectives import gram
from learn import start
from perceptual import Eyes, crops, curve, fit, relative, wiggle

STYLE_BLOCKS, CONTENT_BLOCK = [1, 3, 5, 8], 5
CONTENT, SMOOTH = 0.3, 0.5
SIZE, BATCH, RATE = 128, 4, 2e-3
ONE_STYLE = "strokes"  # of the two networks that are compared
# name -> styles, normalisation, steps
NETWORKS = {
    "transformer": (list(STYLES), "instance", 5000),
    "transformer_one_instance": ([ONE_STYLE], "instance", 1200),
    "transformer_one_batch": ([ONE_STYLE], "batch", 1200),
}


def train(name: str) -> StyleNetwork:
    """Train one network."""
    styles, norm, steps = NETWORKS[name]
    ck.setup(seed=0)
    eyes = Eyes(STYLE_BLOCKS)
    seen = [eyes(ck.style_image(style, 256).to(memory_format=torch.channels_last)) for style in styles]
    goals = {b: torch.cat([gram(s[b]) for s in seen]) for b in STYLE_BLOCKS}  # (styles, C, C)
    network = start(StyleNetwork, len(styles), norm)

    def loss(step: int) -> dict[str, Tensor]:
        images = crops(BATCH, SIZE, seed=step)
        which = torch.arange(step * BATCH, (step + 1) * BATCH) % len(styles)  # each style in its turn
        with torch.autocast(images.device.type, torch.bfloat16):
            made = network(images, torch.eye(len(styles))[which].to(images))
            with torch.no_grad():
                wanted = eyes(images)[CONTENT_BLOCK]
            found = eyes(made)
        content = relative(found[CONTENT_BLOCK], wanted)
        style = sum(relative(gram(found[b]), goals[b][which]) for b in STYLE_BLOCKS) / len(STYLE_BLOCKS)
        smooth = wiggle(made.float())
        parts = {"content": content.mean(), "style": style.mean(), "smooth": smooth.mean()}
        return parts | {"total": CONTENT * parts["content"] + parts["style"] + SMOOTH * parts["smooth"]}

    return fit(name, network, loss, steps, RATE)


@torch.inference_mode()
def marks(network: StyleNetwork, styles: list[str]) -> dict[str, float]:
    """Measure content and style on held-out photographs, and the style of the photographs themselves."""
    eyes, images = Eyes(STYLE_BLOCKS), crops(32, 256, seed=1, held_out=True)
    scores, wanted = {}, eyes(images)
    for i, style in enumerate(styles):
        mixture = torch.eye(len(styles))[[i]].expand(len(images), -1).to(images)
        found = eyes(torch.cat([network(x, m) for x, m in zip(images.split(8), mixture.split(8), strict=True)]))
        goal = {b: gram(a) for b, a in eyes(ck.style_image(style, 256)).items()}

        def distance(seen: dict[int, Tensor], goal: dict[int, Tensor] = goal) -> float:
            every = [relative(gram(seen[b]), goal[b].expand(len(images), -1, -1)).mean() for b in STYLE_BLOCKS]
            return round(torch.stack(every).mean().item(), 4)

        scores |= {f"{style}: style": distance(found), f"{style}: style of the photographs": distance(wanted)}
        content = relative(found[CONTENT_BLOCK], wanted[CONTENT_BLOCK]).mean().item()
        scores |= {f"{style}: content": round(content, 4)}
    return scores


def main() -> None:
    """Train and publish all, or the one that is named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", choices=list(NETWORKS))
    options = parser.parse_args()
    for name in [options.network] if options.network else NETWORKS:
        styles, norm, steps = NETWORKS[name]
        network, state = halved(train(name).cpu())
        origin = f"fast style transfer, {', '.join(styles)}, {norm} normalisation, {steps} steps of {BATCH} crops"
        more = {"styles": styles, "norm": norm, "curve": curve(name, "total")}
        publish(name, state, "python training/transformer.py", marks(network, styles), origin, **more)


if __name__ == "__main__":
    main()
