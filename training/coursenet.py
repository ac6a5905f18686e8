"""Train CourseNet: it learns the answers of EfficientNet-Lite0, from random weights.

    python training/photographs.py && python training/crops.py && python training/coursenet.py

Where a picture shows a cut-out object of a known class, that class counts as well. A run that was cut off goes on
from its last checkpoint; without one, `--resume` starts from the shipped weights. Batch normalisation helps it to
learn, and is folded into the convolutions and linear layers afterwards: the shipped network has none.

Hinton, Vinyals, Dean, *Distilling the knowledge in a neural network*, 2015; Beyer et al., *Knowledge distillation: a
good teacher is patient and consistent*, CVPR 2022; Asano & Saeed, *The augmented image prior*, ICLR 2023.
"""

import argparse
import json
import math
import time
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

import coursekit as ck
import crops
from assets import halved, publish
from coursekit.files import replacing
from coursekit.networks.nets.coursenet import INPUT_SIZE, MEAN, STD, coursenet
from photographs import ROOT

FOLDER = ROOT / "build/training/coursenet"
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
BATCH, TEMPERATURE, DECAY = 128, 2.0, 0.05
# The first layer is there to be looked at. It starts small and decays faster, so that what it has learned is soon
# larger than the noise that it began with; to the network it is all the same, for it normalises the scale away.
FIRST_SCALE, FIRST_DECAY = 0.2, 0.3
FILTERS_AT = (0, 10, 20, 40, 80, 160, 320, 640, 1280, 2560)  # steps at which the first layer is kept
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


@torch.no_grad()
def unfold(plain: nn.Sequential, images: Tensor) -> nn.Sequential:
    """Return the same function with batch normalisations, whose statistics are those of `images`."""
    network, x = with_batchnorm(plain), images
    for layer in network.eval():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            over = [d for d in range(x.ndim) if d != 1]
            variance, mean = torch.var_mean(x, over)
            layer.running_mean.copy_(mean)
            layer.running_var.copy_(variance)
            layer.weight.copy_((variance + layer.eps).sqrt())
            layer.bias.copy_(mean)
        x = layer(x)
    return network


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


def train(options: argparse.Namespace, exam: Exam) -> tuple[nn.Sequential, int]:
    """Run the epochs that are missing; return the averaged network and the number of steps it took."""
    shards = sorted(crops.FOLDER.glob("[0-9]*.npz"))[: options.shards]
    ck.setup(seed=2026)  # also keeps freed memory, which takes a third off each step
    network = with_batchnorm(coursenet())
    with torch.no_grad():
        network.conv1.weight.mul_(FIRST_SCALE)
    if options.resume:
        first = normalise(np.load(shards[0])["images"][:1024, 8:136, 8:136])
        network = unfold(ck.load_model("coursenet").module.to(DEVICE), first)
    network.to(DEVICE, memory_format=torch.channels_last)
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.998), use_buffers=True)
    first, others = [network.conv1.weight], [p for name, p in network.named_parameters() if name != "conv1.weight"]
    groups = [{"params": others}, {"params": first, "weight_decay": FIRST_DECAY}]
    optimizer = torch.optim.AdamW(groups, lr=options.rate, weight_decay=DECAY)
    total = options.epochs * len(shards)
    done, step = 0, 0
    checkpoint = FOLDER / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=DEVICE, weights_only=True)
        for part, name in ((network, "network"), (average, "average"), (optimizer, "optimizer")):
            part.load_state_dict(state[name])
        done, step = state["done"], state["step"]
    began = time.time()
    keep_history(network, step)
    while done < total:
        shard = shards[np.random.default_rng(done // len(shards)).permutation(len(shards))[done % len(shards)]]
        network.train()
        losses = []
        for x, logits, labels in batches(shard, seed=done):
            progress = min(1, (done + len(losses) * BATCH / crops.SHARD) / total)
            rate = options.rate * min(1, (step + 1) / 200) * (0.5 + 0.5 * math.cos(math.pi * progress))
            for group in optimizer.param_groups:
                group["lr"] = rate
            with torch.autocast(DEVICE.type, torch.bfloat16):
                answer = network(x)
            loss = lesson(answer.float(), logits, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            average.update_parameters(network)
            step += 1
            losses.append(loss.item())
            keep_history(network, step)
        done += 1
        parts = (network, average, optimizer)
        states = dict(zip(("network", "average", "optimizer"), (part.state_dict() for part in parts), strict=True))
        save(checkpoint, states | {"done": done, "step": step})
        line = {"shards": done, "step": step, "loss": round(float(np.mean(losses)), 4), "rate": round(rate, 6)}
        if done % len(shards) == 0 or done == total:
            line |= exam.marks(average.module)
        log(line | {"seconds": round(time.time() - began)})
    return average.module, step


def log(line: dict) -> None:
    """Append one line to the log, and print it."""
    print(json.dumps(line), flush=True)
    with open(FOLDER / "log.jsonl", "a") as file:
        file.write(json.dumps(line) + "\n")


def ship(network: nn.Sequential, step: int, exam: Exam) -> None:
    """Fold, examine as it is shipped, in half precision, and publish the network and its history."""
    plain, state = halved(fold(network))
    command = "python training/photographs.py && python training/crops.py && python training/coursenet.py"
    origin = f"CourseNet, taught by EfficientNet-Lite0 in {step} steps of {BATCH} pictures, from random weights"
    publish("coursenet", state, command, exam.marks(plain), origin, steps=step)
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
    """Train what is missing, examine and publish; or only publish what there is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shards", type=int, default=24, help="of 4096 pictures; make them with training/crops.py")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--resume", action="store_true", help="start from the shipped weights, not from random ones")
    parser.add_argument("--rate", type=float, default=2e-3, help="the highest learning rate")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    exam = Exam()
    ship(*train(options, exam), exam)


if __name__ == "__main__":
    main()
