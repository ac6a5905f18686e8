"""Train the decoders: from CourseNet's codes conv5 and fc6, and from HOG and dense SIFT, back to pictures.

    python training/decoders.py               # all six, one after the other; two hours on two cores

One is scored by its pixels alone, the other also by what CourseNet itself sees in the result, and by a critic that
tells copies from pictures (Dosovitskiy & Brox, *Generating images with perceptual similarity metrics based on deep
networks*, NeurIPS 2016). The critic looks at CourseNet's features, which makes it quick to train (Sauer et al.,
*Projected GANs converge faster*, NeurIPS 2021). HOG and SIFT have the second kind only. A run that was cut off goes on
from its last checkpoint.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

import coursekit as ck
import crops
from assets import halved, publish
from coursekit.networks.descriptors import KINDS
from coursekit.networks.nets.decoder import CODES, decoder
from coursenet import DEVICE, batches, fold, normalise, save, with_batchnorm
from learn import start
from photographs import ROOT

FOLDER = ROOT / "build/training/decoders"
LAYERS = {"conv5": "pool5", "fc6": "relu6"}  # where each code of CourseNet is taken
PASSES = {"fc6-feature": 11, "conv5-feature": 8, "fc6-pixel": 7, "conv5-pixel": 6}  # shards each
PASSES |= {"hog-feature": 4, "sift-feature": 4}
BATCH = 16
FEATURES = {"relu1": 64, "relu2": 128, "relu5": 256}  # what the second kind is compared by, and its channels
ADVERSARY = 0.02  # weight of the critic


def look(network: nn.Sequential, x: Tensor, names: tuple[str, ...]) -> list[Tensor]:
    """Run CourseNet on normalised pictures and return what the named layers say."""
    found = {}
    for name, layer in network.named_children():
        x = layer(x)
        if name in names:
            found[name] = x
        if len(found) == len(set(names)):
            break
    return [found[name] for name in names]


def encode(code: str, coursenet: nn.Sequential, x: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Return the code of normalised pictures, and what CourseNet's layers of FEATURES see in them."""
    *features, z = look(coursenet, x, (*FEATURES, LAYERS.get(code, "relu5")))
    return (z if code in LAYERS else KINDS[code]()(x * 0.25 + 0.5)), features


class Teacher:
    """What a decoder is scored by: pixels, and with loss "feature" CourseNet's features and a critic of them."""

    def __init__(self, coursenet: nn.Sequential, loss: str):
        self.coursenet, self.loss = coursenet, loss
        self.critic = nn.ModuleList(critic(channels) for channels in FEATURES.values()).to(DEVICE)
        self.optimizer = torch.optim.Adam(self.critic.parameters(), 1e-3, betas=(0.0, 0.99))

    def score(self, made: Tensor, wanted: Tensor, features: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Return the loss, and its pixel part: the mean squared difference of pictures in [0, 1]."""
        pixel = F.mse_loss(made, wanted)
        if self.loss == "pixel":
            return pixel, pixel
        size = [b.pow(2).mean().sqrt() for b in features]
        true = [b.float() / s for b, s in zip(features, size, strict=True)]
        seen = look(self.coursenet, (made - 0.5) / 0.25, tuple(FEATURES))
        seen = [a.float() / s for a, s in zip(seen, size, strict=True)]
        parts = list(zip(self.critic, seen, true, strict=True))
        caught = sum(F.relu(1 - judge(b)).mean() + F.relu(1 + judge(a.detach())).mean() for judge, a, b in parts)
        self.optimizer.zero_grad()  # hinge loss: the critic should say +1 of pictures, -1 of copies
        caught.backward()
        self.optimizer.step()
        feature = sum(F.mse_loss(a, b) for a, b in zip(seen, true, strict=True)) / len(FEATURES)
        fooled = -sum(judge(a).mean() for judge, a, _ in parts)
        return 2 * pixel + 0.25 * feature + ADVERSARY * fooled, pixel


def critic(channels: int) -> nn.Sequential:
    """Build a small network that says of each place of a feature map how much it looks like a picture's."""
    return nn.Sequential(
        spectral_norm(nn.Conv2d(channels, 64, 1)),
        nn.LeakyReLU(0.2),
        spectral_norm(nn.Conv2d(64, 64, 3, stride=2, padding=1)),
        nn.LeakyReLU(0.2),
        spectral_norm(nn.Conv2d(64, 1, 1)),
    )


def train(code: str, loss: str, rate: float = 1e-3) -> tuple[nn.Sequential, int]:
    """Train one decoder; go on from a checkpoint."""
    passes = PASSES[f"{code}-{loss}"]
    shards = sorted(crops.FOLDER.glob("[0-9]*.npz"))
    ck.setup(seed=0)
    coursenet = ck.load_model("coursenet").module.to(DEVICE, memory_format=torch.channels_last).requires_grad_(False)
    network = with_batchnorm(start(decoder, code), last="paint").to(DEVICE, memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), rate, betas=(0.5, 0.99))
    teacher = Teacher(coursenet, loss)
    path, done = FOLDER / f"{code}-{loss}.pt", 0
    if path.exists():
        state = torch.load(path, map_location=DEVICE, weights_only=True)
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        teacher.critic.load_state_dict(state["critic"])
        teacher.optimizer.load_state_dict(state["critic_optimizer"])
        done = state["done"]
    while done < passes:
        began, losses = time.time(), []
        network.train()
        for x, _, _ in batches(shards[done % len(shards)], seed=done):
            for piece in x.split(BATCH):
                progress = (done + len(losses) * BATCH / crops.SHARD) / passes
                optimizer.param_groups[0]["lr"] = rate * max(0.02, min(1, 3 * (1 - progress)))
                with torch.autocast(DEVICE.type, torch.bfloat16):
                    with torch.no_grad():
                        z, features = encode(code, coursenet, piece)
                    total, pixel = teacher.score(network(z).float(), piece * 0.25 + 0.5, features)
                optimizer.zero_grad()
                total.backward()
                optimizer.step()
                losses.append((total.item(), pixel.item()))
        done += 1
        parts = {"network": network, "optimizer": optimizer}
        parts |= {"critic": teacher.critic, "critic_optimizer": teacher.optimizer}
        save(path, {name: part.state_dict() for name, part in parts.items()} | {"done": done})
        means = [round(value, 5) for value in np.mean(losses, 0)]
        log(
            {
                "decoder": f"{code}-{loss}",
                "shards": done,
                "loss": means[0],
                "pixel": means[1],
                "seconds": round(time.time() - began),
            }
        )
    return fold(network), done


@torch.inference_mode()
def marks(network: nn.Sequential, code: str) -> dict[str, float]:
    """Examine on held-out pictures: the pixel error, and whether CourseNet says the same of the copy."""
    import cv2

    coursenet, scores = ck.load_model("coursenet").module.to(DEVICE), {}
    for kind, seed in (("photographs", 1), ("scenes", 2)):
        large, _ = crops.held_out(400, kind, seed)
        small = np.stack([cv2.resize(image, (128, 128), interpolation=cv2.INTER_AREA) for image in large])
        x = normalise(small)
        made = torch.cat([network(encode(code, coursenet, piece)[0]) for piece in x.split(50)])
        error = (made - (x * 0.25 + 0.5)).pow(2).mean().item()
        blank = (x * 0.25).var((0, 2, 3)).mean().item()  # of the mean colour of all pictures
        same = (coursenet((made - 0.5) / 0.25).argmax(1) == coursenet(x).argmax(1)).float().mean().item()
        scores |= {f"{kind}: error / variance": round(error / blank, 4), f"{kind}: same answer": round(same, 4)}
    return scores


def log(line: dict) -> None:
    """Append one line to the log, and print it."""
    print(json.dumps(line), flush=True)
    with open(FOLDER / "log.jsonl", "a") as file:
        file.write(json.dumps(line) + "\n")


def main() -> None:
    """Train and publish all, or the one that is named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--code", choices=list(CODES))
    parser.add_argument("--loss", choices=["pixel", "feature"])
    options = parser.parse_args()
    Path(FOLDER).mkdir(parents=True, exist_ok=True)
    for code, loss in (name.split("-") for name in PASSES):
        if options.code in (None, code) and options.loss in (None, loss):
            network, done = train(code, loss)
            network, state = halved(network.eval())
            about = f"a decoder of {code}, trained with {loss} loss on {done} shards of {crops.SHARD} pictures"
            publish(f"decoder_{code}_{loss}", state, "python training/decoders.py", marks(network, code), about)


if __name__ == "__main__":
    main()
