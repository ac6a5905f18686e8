"""Train one small network twice on scenes of ten animals: with the filter loss and masks, and without.

    python training/parted.py                 # some minutes on one core; a network that is there is not trained again
    python training/parted.py --again

Both see the same scenes in the same order. Both are tested on new ones, for accuracy and for the spread of the places
where their filters peak on the animal.
"""

import argparse

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR

import coursekit as ck
from assets import FOLDER, halved, publish
from coursekit.networks.nets.parted import INPUT_SIZE, LABELS, MEAN, OBJECTS, STD, filter_loss, parted
from coursekit.units.parts import PartScenes, part_places, part_scenes, part_spread
from learn import start

PICTURES, EPOCHS, BATCH, PEAK = 1500, 8, 50, 3e-3
TAU, WEIGHT = 0.15, 0.3  # the paper takes tau = 0.5 / n² = 0.003, on maps without BatchNorm that are far stronger
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def tensors(scenes: PartScenes) -> tuple[Tensor, Tensor]:
    """Return the scenes as normalised pictures, and the class of each."""
    labels = torch.tensor([OBJECTS.index(name) for name in scenes.objects])
    return ((scenes.images - MEAN[0]) / STD[0]).to(DEVICE), labels.to(DEVICE)


def train(x: Tensor, labels: Tensor, masked: bool, epochs: int) -> nn.Sequential:
    """Train with Adam and one cycle of the learning rate; the filter loss comes on together with the masks."""
    ck.setup(seed=0)
    network = start(parted, masked).to(DEVICE)
    maps: list[Tensor] = []
    network.relu4.register_forward_hook(lambda module, inputs, output: maps.append(output))
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=1e-4)
    schedule = OneCycleLR(optimizer, PEAK, epochs * -(-len(x) // BATCH))
    for epoch in range(epochs):
        total = torch.zeros(2)
        for chosen in torch.randperm(len(x)).split(BATCH):
            loss = F.cross_entropy(network(x[chosen]), labels[chosen])
            places = filter_loss(maps.pop(), TAU).mean() if masked else loss.new_zeros(()) * len(maps.pop())
            optimizer.zero_grad()
            (loss + WEIGHT * places).backward()
            optimizer.step()
            schedule.step()
            total += torch.tensor([loss.item(), places.item()]) * len(chosen) / len(x)
        print(f"epoch {epoch + 1:2d}: loss {total[0]:.4f}, filter loss {total[1]:.4f}", flush=True)
    network.relu4._forward_hooks.clear()
    return network.eval()


def scores(network: nn.Sequential, scenes: PartScenes) -> dict[str, float]:
    """Return accuracy on new scenes, and the median spread of its filters' peaks on the animals."""
    x, labels = tensors(scenes)
    with torch.inference_mode():
        right = torch.cat([network(batch).argmax(1) for batch in x.split(BATCH)]) == labels
    model = ck.Model(network, MEAN, STD, LABELS)
    places, heights = part_places(model, scenes, "relu4")
    spread = part_spread(places, heights, scenes.objects)
    return {"accuracy": round(right.float().mean().item(), 4), "spread": round(spread.nanmedian().item(), 4)}


def main() -> None:
    """Train, test and publish what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--pictures", type=int, default=PICTURES)
    parser.add_argument("--again", action="store_true", help="train a network that is there, too")
    options = parser.parse_args()
    data = tensors(part_scenes(options.pictures, OBJECTS, seed=1, size=INPUT_SIZE))
    new = part_scenes(300, OBJECTS, seed=2, size=INPUT_SIZE)
    for name, masked in (("parted", True), ("unparted", False)):
        if (FOLDER / f"{name}.safetensors").is_file() and not options.again:
            continue
        network, state = halved(train(*data, masked, options.epochs).cpu())
        kind = "with" if masked else "without"
        about = f"a small network trained on {options.pictures} scenes of ten animals, {kind} the filter loss"
        publish(name, state, "python training/parted.py", scores(network, new), about)


if __name__ == "__main__":
    main()
