"""Train CourseNet: it learns the answers of EfficientNet-Lite0, from random weights.

    python training/photographs.py && python training/coursenet.py

Two million pictures come from `stream.py`, each of them four times, cut and mirrored anew. Where one shows a cut-out
object of a known class, that class counts as well. A run that was cut off goes on from its last checkpoint; with
`--until` it stops at that time. Batch normalisation helps it to learn, and is folded into the convolutions and linear
layers afterwards: the shipped network has none.

This is the second training, with first filters of 11 × 11. The file in data/weights is still of the first, with filters
of 7 × 7 and half a million pictures; the history of this script has it. `ship` takes the second only if it is better.

Hinton, Vinyals, Dean, *Distilling the knowledge in a neural network*, 2015; Beyer et al., *Knowledge distillation: a
good teacher is patient and consistent*, CVPR 2022; Asano & Saeed, *The augmented image prior*, ICLR 2023.
"""

import argparse
import json
import math
import os
import time
from collections import OrderedDict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval
from torch.optim.swa_utils import AveragedModel

import coursekit as ck
import crops
import stream
from assets import halved, publish
from coursekit.files import files, replacing
from coursekit.networks.nets.coursenet import INPUT_SIZE, MEAN, STD, coursenet
from photographs import ROOT

FOLDER = ROOT / "build/training/coursenet"
CHECKPOINT = FOLDER / "checkpoint.pt"
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
BATCH, TEMPERATURE, DECAY = 128, 2.0, 0.05
KERNEL = 11  # side of the first filters
GAPS = (0, 5, 11, 18)  # a shard of pictures is taught when it is new, and again so many shards later
# The first layer is there to be looked at. It starts small and decays faster, so that what it has learned is soon
# larger than the noise that it began with; to the network it is all the same, for it normalises the scale away.
FIRST_SCALE, FIRST_DECAY = 0.2, 0.3
FILTERS_AT = (0, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10240)  # steps at which the first layer is kept
CONVOLUTIONS_AT = (80, 320, 1280)  # … and all convolutions


def with_batchnorm(plain: nn.Sequential, last: str = "fc8") -> nn.Sequential:
    """Put a batch normalisation after every layer with weights, except the `last`."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for name, layer in plain.named_children():
        layers[name] = layer
        if name == last:
            continue
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            layers[f"bn_{name}"] = nn.BatchNorm2d(layer.out_channels)
        elif isinstance(layer, nn.Linear):
            layers[f"bn_{name}"] = nn.BatchNorm1d(layer.out_features)
    return nn.Sequential(layers)


def fold(network: nn.Sequential) -> nn.Sequential:
    """Return the same function without its batch normalisations."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    network.eval()
    for name, layer in network.named_children():
        if name.startswith("bn_"):
            before = layers[name[3:]]
            if isinstance(before, nn.Linear):
                layers[name[3:]] = fuse_linear_bn_eval(before, layer)
            else:
                layers[name[3:]] = fuse_conv_bn_eval(before, layer, transpose=isinstance(before, nn.ConvTranspose2d))
        else:
            layers[name] = layer
    return nn.Sequential(layers)


def normalise(images: np.ndarray) -> Tensor:
    """Turn images (N, H, W, 3), uint8, into the network's input on its device."""
    x = torch.from_numpy(images).to(DEVICE).permute(0, 3, 1, 2).float().div_(255)
    return x.sub_(MEAN[0]).div_(STD[0]).contiguous(memory_format=torch.channels_last)


def lesson(answer: Tensor, taught: Tensor, labels: Tensor) -> Tensor:
    """T² KL(teacher ‖ pupil) at temperature T, plus the cross-entropy of the class where it is known (not -1)."""
    pupil, teacher = (F.log_softmax(logits / TEMPERATURE, 1) for logits in (answer, taught))
    loss = TEMPERATURE**2 * F.kl_div(pupil, teacher, reduction="batchmean", log_target=True)
    return loss + F.cross_entropy(answer, labels, ignore_index=-1, reduction="sum") / len(labels)


def batches(shard: Path, seed: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield (input, teacher's logits, class or -1) of one shard in random order: 128 of 144 pixels, half mirrored."""
    random = np.random.default_rng([seed, int(shard.stem)])
    data = np.load(shard)
    images, logits, labels = (data[key] for key in ("images", "logits", "labels"))
    order, room = random.permutation(len(images)), crops.SIZE - INPUT_SIZE
    for start in range(0, len(order), BATCH):
        chosen = order[start : start + BATCH]
        cut = np.empty((len(chosen), INPUT_SIZE, INPUT_SIZE, 3), np.uint8)
        for i, index in enumerate(chosen):
            top, left = random.integers(room + 1, size=2)
            piece = images[index, top : top + INPUT_SIZE, left : left + INPUT_SIZE]
            cut[i] = piece[:, ::-1] if random.random() < 0.5 else piece
        taught, classes = torch.from_numpy(logits[chosen]).float(), torch.from_numpy(labels[chosen]).long()
        yield normalise(cut), taught.to(DEVICE), classes.to(DEVICE)


class Exam:
    """Held-out pictures with the teacher's answers and the true classes."""

    def __init__(self, n: int = 2000):
        import cv2

        self.parts = {}
        for kind, seed in (("photographs", 1), ("scenes", 2), ("unseen", 3)):
            large, labels = crops.held_out(n, kind, seed)
            answers = crops.ask_teacher(large).argmax(1)
            small = [cv2.resize(image, (INPUT_SIZE, INPUT_SIZE), interpolation=cv2.INTER_AREA) for image in large]
            self.parts[kind] = (np.stack(small), answers, torch.from_numpy(labels))

    @torch.inference_mode()
    def marks(self, network: nn.Module) -> dict[str, float]:
        """Return agreement with the teacher and, where there is a label, top-1 accuracy, by kind of picture."""
        network.eval()
        scores = {}
        for kind, (images, answers, labels) in self.parts.items():
            pieces = [images[i : i + 250] for i in range(0, len(images), 250)]
            guess = torch.cat([network(normalise(piece)).argmax(1).cpu() for piece in pieces])
            scores[f"{kind}: agreement"] = round((guess == answers).float().mean().item(), 4)
            if labels.min() >= 0:
                scores[f"{kind}: top-1"] = round((guess == labels).float().mean().item(), 4)
                scores[f"{kind}: teacher's top-1"] = round((answers == labels).float().mean().item(), 4)
        return scores


def save(path: Path, state: dict) -> None:
    """Write a checkpoint, whole or not at all."""
    with replacing(path) as temporary:
        torch.save(state, temporary)


def keep_history(network: nn.Sequential, step: int) -> None:
    """Keep the filters as they are now, for the figure of how features form."""
    if step not in FILTERS_AT and step not in CONVOLUTIONS_AT:
        return
    training = network.training
    plain = fold(network)
    network.train(training)
    wanted = "conv" if step in CONVOLUTIONS_AT else "conv1"
    kept = {key: value.cpu().contiguous() for key, value in plain.state_dict().items() if key.startswith(wanted)}
    save(FOLDER / f"history-{step:06}.pt", kept)


def filters_that_fit(weights: Tensor, least: float = 0.7) -> dict[str, int]:
    """Count the first-layer filters whose strongest grey pattern is a Gabor function with R² above `least`.

    "oriented" have at least one whole wave within the filter, "opponent" set one colour channel against another.
    """
    patterns, colours, _ = ck.main_pattern(weights.detach().float().cpu())
    fits = [ck.fit_gabor(pattern) for pattern in patterns]
    good = torch.tensor([fitted.fit > least for fitted in fits])
    oriented = torch.tensor([fitted.wavelength < weights.shape[-1] for fitted in fits])
    opponent = colours.amin(1) * colours.amax(1) < -0.05
    return {
        "filters: Gabor": int(good.sum()),
        "filters: oriented": int((good & oriented).sum()),
        "filters: opponent": int((good & opponent).sum()),
        "filters: oriented or opponent": int((good & (oriented | opponent)).sum()),
    }


@torch.no_grad()
def _lean(averaged: list[Tensor], current: list[Tensor], n: Tensor | int) -> None:
    """Move the average towards the network: by a tenth at first, by a two-thousandth later."""
    part = max(0.0005, 1 / (10 + 0.2 * int(n)))
    for mean, value in zip(averaged, current, strict=True):
        mean.lerp_(value, part) if mean.is_floating_point() else mean.copy_(value)


class Training:
    """The network with its average, its optimiser, and how many lessons it has had."""

    def __init__(self, rate: float):
        ck.setup(seed=2026)  # also keeps freed memory, which takes a third off each step
        self.network = with_batchnorm(coursenet(kernel=KERNEL))
        with torch.no_grad():
            self.network.conv1.weight.mul_(FIRST_SCALE)
        self.network.to(DEVICE, memory_format=torch.channels_last)
        self.average = AveragedModel(self.network, multi_avg_fn=_lean, use_buffers=True)
        named = list(self.network.named_parameters())
        groups = [
            {"params": [p for name, p in named if name != "conv1.weight"], "weight_decay": DECAY},
            {"params": [self.network.conv1.weight], "weight_decay": FIRST_DECAY},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=rate)
        self.done, self.step = 0, 0
        if CHECKPOINT.exists():
            state = torch.load(CHECKPOINT, map_location=DEVICE, weights_only=True)
            for key in ("network", "average", "optimizer"):
                getattr(self, key).load_state_dict(state[key])
            self.done, self.step = state["done"], state["step"]

    def save(self) -> None:
        """Write the checkpoint."""
        parts = {key: getattr(self, key).state_dict() for key in ("network", "average", "optimizer")}
        save(CHECKPOINT, parts | {"done": self.done, "step": self.step})

    def learn(self, x: Tensor, logits: Tensor, labels: Tensor, rate: float) -> float:
        """Make one step and return its loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast(DEVICE.type, torch.bfloat16):
            answer = self.network(x)
        loss = lesson(answer.float(), logits, labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.average.update_parameters(self.network)
        self.step += 1
        keep_history(self.network, self.step)
        return loss.item()


def shard_of(lesson_number: int) -> int:
    """Return which shard is taught: a new one every fourth lesson, then those of 5, 11 and 18 shards ago."""
    newest, turn = divmod(lesson_number, len(GAPS))
    return max(newest - GAPS[turn], 0) if newest else 0


def train(options: argparse.Namespace, exam: Exam) -> Training:
    """Teach the lessons that are missing, each one shard of pictures; stop early at `--until`."""
    training, began, saved, losses = Training(options.rate), time.time(), time.time(), []
    keep_history(training.network, training.step)
    while training.done < options.lessons and not late(options.until):
        training.network.train()
        for x, logits, labels in batches(stream.shard(shard_of(training.done)), seed=training.done):
            progress = min(1, training.step * BATCH / (options.lessons * stream.SHARD))
            rate = options.rate * min(1, (training.step + 1) / 400) * (0.5 + 0.5 * math.cos(math.pi * progress))
            losses.append(training.learn(x, logits, labels, rate))
        training.done += 1
        stream.forget(training.done // len(GAPS) - max(GAPS))
        if training.done % 8 == 0 or training.done == options.lessons:
            line = {"lessons": training.done, "step": training.step, "loss": round(float(np.mean(losses)), 4)}
            if training.done % options.exam_every == 0 or training.done == options.lessons:
                line |= exam.marks(training.average.module)
                line |= filters_that_fit(fold(training.average.module).conv1.weight)
            log(line | {"rate": round(rate, 6), "seconds": round(time.time() - began)})
            losses = []
        if time.time() - saved > 240:
            training.save()
            saved = time.time()
    training.save()
    return training


def late(until: str | None) -> bool:
    """Say whether the time of day, HH:MM in UTC, has come, within the last twelve hours."""
    if until is None:
        return False
    now, (hour, minute) = datetime.now(UTC), map(int, until.split(":"))
    return (60 * (now.hour - hour) + now.minute - minute) % (24 * 60) < 12 * 60


def log(line: dict) -> None:
    """Append one line to the log, and print it."""
    print(json.dumps(line), flush=True)
    with open(FOLDER / "log.jsonl", "a") as file:
        file.write(json.dumps(line) + "\n")


def beats_the_shipped_one(scores: dict[str, float]) -> bool:
    """Compare agreement on held-out photographs and the number of oriented filters with today's.

    With another `KERNEL` than today's, the default of `nets/coursenet.py` has to follow when it is taken.
    """
    filters = filters_that_fit(ck.load_model("coursenet").layer("conv1").weight)
    today = files("weights")["coursenet"]["scores"] | filters
    return all(scores[key] > today[key] for key in ("photographs: agreement", "filters: oriented"))


def ship(network: nn.Sequential, step: int, exam: Exam) -> None:
    """Fold, examine as it is shipped, in half precision, and publish the network and its history."""
    plain, state = halved(fold(network))
    command = "python training/photographs.py && python training/coursenet.py"
    origin = f"CourseNet, taught by EfficientNet-Lite0 in {step} steps of {BATCH} pictures, from random weights"
    scores = exam.marks(plain) | filters_that_fit(plain.conv1.weight)
    if not beats_the_shipped_one(scores):
        raise SystemExit(f"The shipped CourseNet stays: {scores}")
    publish("coursenet", state, command, scores, origin, steps=step)
    kept = {}
    for path in sorted(FOLDER.glob("history-*.pt")):
        moment = int(path.stem.split("-")[1])
        for key, value in torch.load(path, weights_only=True).items():
            if key.endswith("weight") and not key.startswith("conv1"):  # 8 bits and one scale a filter will do
                scale = value.abs().amax((1, 2, 3), keepdim=True) / 127
                kept[f"{moment}.{key}.scale"] = scale
                kept[f"{moment}.{key}"] = (value / scale).round().to(torch.int8)
            else:
                kept[f"{moment}.{key}"] = value.half()
    publish("coursenet_history", kept, command, {}, "CourseNet's filters at earlier moments of its training")


def main() -> None:
    """Teach what is missing; examine and publish when all is done."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lessons", type=int, default=1024, help=f"of {stream.SHARD} pictures")
    parser.add_argument("--rate", type=float, default=2e-3, help="the highest learning rate")
    parser.add_argument("--exam-every", type=int, default=32, help="lessons")
    parser.add_argument("--until", help="HH:MM in UTC: stop then, to be gone on with later")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count())))
    exam = Exam()
    training = train(options, exam)
    if training.done == options.lessons:
        ship(training.average.module, training.step, exam)


if __name__ == "__main__":
    main()
