"""A matched control has the number, the sign and the strength of what was cut, and none of its members."""

import pytest
import torch

import coursekit as ck

STRENGTHS = torch.randn(60, generator=torch.Generator().manual_seed(0))
STRONG = STRENGTHS.argsort()[1:14:2].tolist()  # seven negative ones, stronger than most


@pytest.mark.parametrize("tolerance", [0.2, 0.02])
def test_controls_match_in_number_sign_and_strength_and_leave_the_chosen_out(tolerance):
    controls = ck.matched_controls(STRENGTHS, STRONG, draws=30, tolerance=tolerance)
    sums, goal = STRENGTHS[controls].sum(1), STRENGTHS[STRONG].sum()
    assert controls.shape == (30, 7) and all(len(set(row.tolist())) == 7 for row in controls)
    assert (STRENGTHS[controls] < 0).all() and not set(controls.flatten().tolist()) & set(STRONG)
    assert ((sums - goal).abs() <= tolerance * goal.abs() + 1e-6).all()
    at_random = STRENGTHS[(STRENGTHS < 0)].mean() * 7
    assert goal < 1.2 * at_random, "random sets of the same number and sign would be weaker"


def test_controls_differ_and_follow_from_the_seed():
    first, again = (ck.matched_controls(STRENGTHS, STRONG, draws=30) for _ in range(2))
    assert torch.equal(first, again) and not torch.equal(
        first, ck.matched_controls(STRENGTHS, STRONG, draws=30, seed=1)
    )
    assert len({tuple(row.tolist()) for row in first}) > 20


def test_it_works_on_exciting_inputs_as_on_inhibiting_ones():
    assert torch.equal(ck.matched_controls(STRENGTHS, STRONG), ck.matched_controls(-STRENGTHS, STRONG))


def test_cutting_a_matched_control_moves_a_linear_channel_as_much_as_cutting_the_chosen():
    """All inputs alike at 1: the channel is the sum of its weights, so only the strength counts."""
    controls = ck.matched_controls(STRENGTHS, STRONG, tolerance=0.05)
    left = torch.stack([STRENGTHS.index_fill(0, row, 0).sum() for row in controls])
    cut = STRENGTHS.index_fill(0, torch.tensor(STRONG), 0).sum()
    assert (left - cut).abs().max() <= 0.05 * STRENGTHS[STRONG].sum().abs() + 1e-5


BAD = {
    "both signs": (lambda: ck.matched_controls(torch.tensor([1.0, -2, 3]), [0, 1]), "all of one sign"),
    "none": (lambda: ck.matched_controls(STRENGTHS, []), "at least one input"),
    "too strong": (
        lambda: ck.matched_controls(torch.tensor([9.0, 8, 1, 1, 1]), [0, 1]),
        "sum up to 17.00; as many of the 3 others .* no nearer than 2.00",
    ),
    "too few": (lambda: ck.matched_controls(torch.tensor([1.0, 1, 1, -1]), [0, 1]), "2 chosen .* the 1 others"),
    "number": (lambda: ck.matched_controls(STRENGTHS, [60]), "inputs 0 to 59, but 60"),
    "gap": (
        lambda: ck.matched_controls(torch.tensor([5.0, 1, 1, 9]), [0]),
        "came no nearer than [19].00",
    ),
}


@pytest.mark.parametrize(("call", "words"), BAD.values(), ids=BAD)
def test_a_control_that_cannot_be_is_refused_in_one_sentence(call, words):
    with pytest.raises(ck.OptionError, match=words):
        call()
