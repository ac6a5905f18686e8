"""Catch: a ball falls, a paddle must be there. A game small enough to know every state of it, and a deep Q-network.

A state is (row of the ball, column of the ball, column of the paddle). In each step the paddle moves one column to the
left, stays, or moves to the right, and the ball falls by one row. When it arrives in the paddle's row, the game ends
with the reward +1 (caught) or −1.
"""

import random
from collections import deque
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from coursekit.arguments import check_count, check_shape
from coursekit.errors import OptionError
from coursekit.interrupts import importing

ROWS, COLUMNS, ACTIONS = 10, 9, ("left", "stay", "right")
DISCOUNT = 0.9


def states() -> Tensor:
    """Return all 729 states in which the ball still falls, (N, 3) whole numbers.

    >>> states().shape, states()[0].tolist()
    (torch.Size([729, 3]), [0, 0, 0])
    """
    return torch.cartesian_prod(torch.arange(ROWS - 1), torch.arange(COLUMNS), torch.arange(COLUMNS))


def boards(states: Tensor) -> Tensor:
    """Draw states (N, 3) as the agent sees them: images (N, 1, 10, 9), the ball 1 and the paddle 0.6.

    >>> boards(torch.tensor([[0, 2, 4]]))[0, 0, [0, -1]].tolist()[0][:4]
    [0.0, 0.0, 1.0, 0.0]
    """
    row, ball, paddle = _checked(states).T
    images, every = torch.zeros(len(states), 1, ROWS, COLUMNS), torch.arange(len(states))
    images[every, 0, ROWS - 1, paddle] = 0.6
    images[every, 0, row, ball] = 1.0
    return images


def step(states: Tensor, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Play one step: (states, actions 0 to 2) -> (next states, rewards, whether the game is over).

    >>> step(torch.tensor([[8, 3, 2]]), torch.tensor([2]))
    (tensor([[9, 3, 3]]), tensor([1.]), tensor([True]))
    """
    row, ball, paddle = _checked(states).T
    actions = check_shape("actions", actions, len(states), whole=True)
    if not ((actions >= 0) & (actions <= 2)).all():
        raise OptionError("actions must be 0 (left), 1 (stay) or 2 (right).")
    paddle = (paddle + actions - 1).clamp(0, COLUMNS - 1)
    over = row + 1 == ROWS - 1
    reward = torch.where(over, torch.where(paddle == ball, 1.0, -1.0), 0.0)
    return torch.stack([row + 1, ball, paddle], 1), reward, over


def play(agent: nn.Module, states: Tensor) -> Tensor:
    """Let the agent play on from each state (N, 3) to the end, always with its best action; return the rewards (N,)."""
    rewards, running = torch.zeros(len(states)), _checked(states).clone()
    with torch.no_grad():
        for _ in range(ROWS - 1):
            alive = running[:, 0] < ROWS - 1
            if not alive.any():
                break
            running[alive], reward, _ = step(running[alive], agent(boards(running[alive])).argmax(1))
            rewards[alive] += reward
    return rewards


def _checked(states: Tensor) -> Tensor:
    """Return states as indices; OptionError where ball or paddle is outside of the board."""
    states = check_shape("states", states, "N", 3, whole=True).long()
    if not ((states >= 0) & (states < torch.tensor([ROWS, COLUMNS, COLUMNS]))).all():
        raise OptionError(f"states must be rows 0 to {ROWS - 1}, and columns 0 to {COLUMNS - 1} of ball and paddle.")
    return states


def train(columns: Sequence[int] = range(COLUMNS), *, updates: int = 2000, seed: int = 0) -> nn.Sequential:
    """Train a deep Q-network on 64 games at once, in seconds.

    It learns Q(s, a), the discounted reward to come, from (s, a, r, s′) drawn at random from a memory of the games:

        Q(s, a)  →  r + γ · max_a′ Q⁻(s′, a′),   nothing after the end of a game,

    where Q⁻ is an older copy of the network. At first it acts at random, later in one of ten steps.

    Parameters
    ----------
    columns : in which the ball may start, of 0 to 8.
    updates : steps of training.

    Returns
    -------
    nn.Sequential: boards (N, 1, 10, 9) -> Q (N, 3) for left, stay, right; `[:-1]` gives its last hidden layer (N, 64).

    References
    ----------
    Mnih et al., *Human-level control through deep reinforcement learning*, Nature 2015.

    Examples
    --------
    >>> train(updates=1)(boards(states()[:2])).shape
    torch.Size([2, 3])
    """
    check_count("updates", updates)
    if not len(columns) or not all(0 <= column < COLUMNS for column in columns):
        raise OptionError(f"The ball starts in columns of 0 to {COLUMNS - 1}, but got {list(columns)}.")
    generator, picker = torch.Generator().manual_seed(seed), random.Random(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        agent, older = _network(), _network()
    with importing():  # the first optimiser of a process imports a good part of torch
        optimiser = torch.optim.Adam(agent.parameters(), lr=1e-3)
    memory: deque[tuple] = deque(maxlen=200)
    playing = _new_games(columns, generator)
    for update in range(updates):
        if update % 50 == 0:
            older.load_state_dict(agent.state_dict())
        with torch.no_grad():
            best = agent(boards(playing)).argmax(1)
        at_random = torch.rand(len(playing), generator=generator) < max(0.1, 1 - 2 * update / updates)
        action = torch.where(at_random, torch.randint(3, best.shape, generator=generator), best)
        after, reward, over = step(playing, action)
        memory.append((playing, action, reward, after, over))
        playing = torch.where(over[:, None], _new_games(columns, generator), after)
        drawn = picker.sample(memory, min(4, len(memory)))
        _learn(agent, older, optimiser, *(torch.cat(parts) for parts in zip(*drawn, strict=True)))
    return agent.eval()


def _learn(
    agent: nn.Module,
    older: nn.Module,
    optimiser: torch.optim.Optimizer,
    state: Tensor,
    action: Tensor,
    reward: Tensor,
    after: Tensor,
    over: Tensor,
) -> None:
    with torch.no_grad():
        future = older(boards(after)).amax(1)
    goal = reward + DISCOUNT * torch.where(over, 0.0, future)
    q = agent(boards(state)).gather(1, action[:, None])[:, 0]
    optimiser.zero_grad()
    nn.functional.mse_loss(q, goal).backward()
    optimiser.step()


def _network() -> nn.Sequential:
    return nn.Sequential(
        nn.Flatten(), nn.Linear(ROWS * COLUMNS, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3)
    )


def _new_games(columns: Sequence[int], generator: torch.Generator) -> Tensor:
    ball = torch.tensor(list(columns))[torch.randint(len(columns), (64,), generator=generator)]
    return torch.stack([torch.zeros_like(ball), ball, torch.randint(COLUMNS, (64,), generator=generator)], 1)
