"""How a training starts, the loop of the small networks (cross-entropy, Adam, one cycle of the rate) and their test."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR

Network = TypeVar("Network", bound=nn.Module)


def start(build: Callable[..., Network], *args: Any) -> Network:
    """Build a network with the weights with which the training of the course's own began.

    `apart` in `coursekit/networks/nets/blocks.py` keeps these from everybody else: here it is taken off.
    """
    if not isinstance(build, type):
        return inspect.unwrap(build)(*args)
    network = build.__new__(build)
    inspect.unwrap(build.__init__)(network, *args)
    return network


def learn(
    network: Network,
    x: Tensor,
    labels: Tensor,
    *,
    epochs: int,
    batch: int,
    peak: float,
    mirror: bool = False,
    decay: float = 0.0,
) -> Network:
    """Train in place on normalised pictures (N, 3, H, W) and classes (N,); return the network in eval mode.

    `peak` is the highest learning rate, `decay` AdamW's weight decay. `mirror` turns a whole batch left to right, half
    of the time; that is the only augmentation.
    """
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=decay)
    schedule = OneCycleLR(optimizer, peak, epochs * -(-len(x) // batch))
    for epoch in range(epochs):
        total = 0.0
        for chosen in torch.randperm(len(x)).split(batch):
            seen = x[chosen].flip(3) if mirror and torch.rand(()) < 0.5 else x[chosen]
            loss = F.cross_entropy(network(seen), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(chosen) / len(x)
        print(f"epoch {epoch + 1:2d}: loss {total:.4f}", flush=True)
    return network.eval()


@torch.inference_mode()
def accuracy(network: nn.Module, x: Tensor, labels: Tensor, batch: int = 50) -> float:
    """Return top-1 accuracy on normalised pictures (N, 3, H, W), rounded to four digits."""
    guesses = torch.cat([network(piece).argmax(1) for piece in x.split(batch)])
    return round((guesses == labels.to(guesses.device)).float().mean().item(), 4)
