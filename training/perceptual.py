"""What the style and super-resolution networks have in common: crops, the eyes of the loss, a resumable loop."""

import json
import time
from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import torch
from torch import Tensor, nn

import coursekit as ck
from coursenet import DEVICE, save
from photographs import ROOT, photographs

FOLDER = ROOT / "build/training/perceptual"


@cache
def pictures() -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the photographs to train on and those held out, read once."""
    return photographs()


def crops(count: int, size: int, seed: int, held_out: bool = False) -> Tensor:
    """Cut squares from photographs whose shorter side is `size` to 640 pixels, (count, 3, size, size) in [0, 1]."""
    random, found = np.random.default_rng(seed), []
    chosen = pictures()[held_out]
    for _ in range(count):
        photograph = chosen[random.integers(len(chosen))]
        shorter = min(photograph.shape[:2])
        side = min(shorter, np.exp(random.uniform(np.log(size), np.log(640))))
        scale = max(side, size) / shorter
        shape = [max(size, round(length * scale)) for length in photograph.shape[1::-1]]
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        small = cv2.resize(photograph, shape, interpolation=method)
        top, left = random.integers(small.shape[0] - size + 1), random.integers(small.shape[1] - size + 1)
        piece = small[top : top + size, left : left + size]
        found.append(piece[:, ::-1] if random.random() < 0.5 else piece)
    stacked = torch.from_numpy(np.stack(found)).permute(0, 3, 1, 2).float() / 255
    return stacked.to(DEVICE).contiguous(memory_format=torch.channels_last)


class Eyes:
    """EfficientNet-Lite0 up to the last block that is asked for: images in [0, 1] -> activations by block."""

    def __init__(self, blocks: list[int]):
        model = ck.load_model("efficientnet_lite0")
        net = model.module.to(memory_format=torch.channels_last).requires_grad_(False)
        self.mean, self.std, self.blocks = model.mean, model.std, blocks
        flat = [block for stage in net.blocks for block in stage]
        self.parts = nn.ModuleList([nn.Sequential(net.conv_stem, net.bn1, flat[0]), *flat[1 : max(blocks)]])

    def __call__(self, x: Tensor) -> dict[int, Tensor]:
        x, seen = (x - self.mean) / self.std, {}
        for number, part in enumerate(self.parts, start=1):
            x = part(x)
            if number in self.blocks:
                seen[number] = x.float()
        return seen


def relative(a: Tensor, b: Tensor) -> Tensor:
    """Compute ‖a - b‖² / ‖b‖² for each image."""
    return (a - b).flatten(1).pow(2).sum(1) / b.flatten(1).pow(2).sum(1)


def fit(name: str, network: nn.Module, loss: Callable[[int], dict[str, Tensor]], steps: int, rate: float) -> nn.Module:
    """Minimise loss(step)["total"] with Adam; go on from a checkpoint. Logs the mean of each part."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    network = network.to(DEVICE, memory_format=torch.channels_last).train()
    optimizer = torch.optim.Adam(network.parameters(), rate)
    path, done = FOLDER / f"{name}.pt", 0
    if path.exists():
        state = torch.load(path, map_location=DEVICE, weights_only=True)
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        done = state["done"]
    began, sums = time.time(), {}
    for step in range(done, steps):
        optimizer.param_groups[0]["lr"] = rate * max(0.02, min(1, 2.5 * (1 - step / steps)))
        parts = loss(step)
        optimizer.zero_grad()
        parts["total"].backward()
        optimizer.step()
        for key, value in parts.items():
            sums[key] = sums.get(key, 0) + value.item()
        if (step + 1) % 100 == 0 or step + 1 == steps:
            save(path, {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "done": step + 1})
            count = step % 100 + 1
            line = {"network": name, "step": step + 1, "seconds": round(time.time() - began)}
            line |= {key: round(value / count, 5) for key, value in sums.items()}
            print(json.dumps(line), flush=True)
            with open(FOLDER / "log.jsonl", "a") as file:
                file.write(json.dumps(line) + "\n")
            sums = {}
    return network.eval()


def curve(name: str, part: str) -> list[list[float]]:
    """Return [step, mean of that part of the loss] of each line that the training of this network has logged."""
    lines = map(json.loads, (FOLDER / "log.jsonl").read_text().splitlines())
    return [[line["step"], line[part]] for line in lines if line["network"] == name]


def wiggle(x: Tensor) -> Tensor:
    """Compute the total variation, mean of the squared differences of neighbours, for each image."""
    down, right = x[..., 1:, :] - x[..., :-1, :], x[..., 1:] - x[..., :-1]
    return down.pow(2).flatten(1).mean(1) + right.pow(2).flatten(1).mean(1)
