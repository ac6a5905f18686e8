"""Catch: its rules, its pictures, and an agent that learns what it was trained on, and nothing else."""

import pytest
import torch
from torch import nn

import coursekit as ck
from coursekit.labs import catch


class Follower(nn.Module):
    """Moves towards the ball; so it catches every ball that can be caught."""

    def forward(self, boards):
        ball = (boards == 1).float().amax(2).argmax(2)[:, 0]
        paddle = (boards[:, 0, -1] > 0.5).float().argmax(1)
        return nn.functional.one_hot((ball - paddle).sign() + 1, 3).float()


def test_there_are_all_states_once():
    states = catch.states()
    assert states.shape == (9 * 9 * 9, 3) and len(states.unique(dim=0)) == 729
    assert states.amax(0).tolist() == [8, 8, 8], "in the last row the game is over"


def test_the_board_shows_ball_and_paddle():
    board = catch.boards(torch.tensor([[2, 7, 4]]))
    assert board.shape == (1, 1, 10, 9)
    assert (board[0, 0, 2, 7], board[0, 0, 9, 4], board.sum()) == (1, torch.tensor(0.6), torch.tensor(1.6))


def test_the_rules():
    states = torch.tensor([[0, 3, 3], [0, 3, 0], [0, 3, 8], [8, 3, 4], [8, 3, 4]])
    after, reward, over = catch.step(states, torch.tensor([1, 0, 2, 0, 1]))
    assert after.tolist() == [[1, 3, 3], [1, 3, 0], [1, 3, 8], [9, 3, 3], [9, 3, 4]]
    assert reward.tolist() == [0, 0, 0, 1, -1] and over.tolist() == [False, False, False, True, True]


def test_who_follows_the_ball_catches_what_can_be_caught():
    states = catch.states()
    reachable = (states[:, 1] - states[:, 2]).abs() <= 9 - states[:, 0]
    before = states.clone()
    assert torch.equal(catch.play(Follower(), states), torch.where(reachable, 1.0, -1.0))
    assert torch.equal(states, before)


def test_the_agent_learns_and_the_training_leaves_the_random_state():
    before = torch.get_rng_state()
    agent = ck.catch.train(updates=1200)
    assert torch.equal(before, torch.get_rng_state())
    states = catch.states()
    starts = states[states[:, 0] == 0]
    untrained = catch.play(ck.catch.train(updates=1), starts).mean()
    assert catch.play(agent, starts).mean() > max(0.5, untrained + 0.5)


def test_training_is_seeded():
    one, two, other = (ck.catch.train(updates=3, seed=seed)[1].weight for seed in (0, 0, 1))
    assert torch.equal(one, two) and not torch.equal(one, other)


def test_a_ball_starts_only_in_the_given_columns():
    agent = ck.catch.train(columns=range(8), updates=60)
    first = ck.catch.train(columns=range(8), updates=1)
    seen = (agent[1].weight - first[1].weight).abs().amax(0).view(10, 9)
    assert seen[:-1, 8].max() == 0, "the pixels of the last column were always 0, so their weights never changed"
    assert seen[:-1, :8].amax(0).min() > 0


@pytest.mark.parametrize("columns", [[], [9], [-1]])
def test_bad_columns(columns):
    with pytest.raises(ck.OptionError, match="columns of 0 to 8"):
        ck.catch.train(columns=columns)
