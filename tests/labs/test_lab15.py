"""Lab 15's own figure: features as arrows."""

import math

import pytest
import torch

import coursekit as ck


def test_each_arrow_ends_at_its_weights_and_only_long_ones_have_a_number():
    weights = torch.tensor([[1.0, 0.0, 0.1], [0.0, -1.5, 0.1]])
    (ax,) = ck.show_arrows({"toy": weights}).figure.axes
    arrows = [note for note in ax.texts if note.arrow_patch is not None]
    assert [tuple(arrow.xy) for arrow in arrows] == [pytest.approx(tuple(w)) for w in weights.T.tolist()]
    assert all(arrow.xyann == (0, 0) for arrow in arrows)
    assert [note.get_text() for note in ax.texts if note.arrow_patch is None] == ["1", "2"]
    assert ax.get_aspect() == 1 and ax.get_xlim()[1] > 1.5


def test_all_panels_have_one_scale_and_a_circle_of_radius_1():
    axes = ck.show_arrows({"a": torch.eye(2), "b": 3 * torch.eye(2)}).figure.axes
    assert len({ax.get_xlim() for ax in axes}) == 1
    x, y = (torch.as_tensor(values) for values in axes[0].lines[0].get_data())
    assert math.isclose(float((x**2 + y**2).max()), 1, rel_tol=1e-5)


def test_nothing_to_draw_is_said():
    with pytest.raises(ck.OptionError):
        ck.show_arrows({})
    with pytest.raises(ck.CoursekitError):
        ck.show_arrows({"a": torch.rand(3, 4)})
