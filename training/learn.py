"""The training loop of the small networks: cross-entropy, Adam, one cycle of the learning rate."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR


def learn(
    network: nn.Module,
    x: Tensor,
    labels: Tensor,
    *,
    epochs: int,
    batch: int,
    peak: float,
    mirror: bool = False,
    decay: float = 0.0,
) -> nn.Module:
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
