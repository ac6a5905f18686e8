"""Pictures at their dots: each at its own, in every panel; and a choice of dots far from each other."""

import numpy as np
import pytest
import torch
from matplotlib.offsetbox import AnnotationBbox

import coursekit as ck

POINTS = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])


def pinned(images):
    values = torch.arange(4.0)
    return ck.pin_thumbnails(ck.show_points({"a": POINTS, "b": POINTS}, values), POINTS, images)


def test_thumbnails_stand_at_their_dots_in_every_panel_and_within_the_figure():
    picture = pinned({3: torch.ones(3, 32, 32), 0: torch.zeros(1, 32, 24)})
    picture.figure.draw_without_rendering()
    for axes in picture.figure.axes[:2]:
        boxes = [a for a in axes.artists if isinstance(a, AnnotationBbox)]
        assert [list(box.xy) for box in boxes] == [[1, 1], [0, 0]]
        assert [float(np.mean(box.offsetbox.get_data())) for box in boxes] == [1, 0]
        for box in boxes:
            extent, frame = box.get_window_extent(), axes.get_window_extent()
            assert frame.x0 <= extent.x0 and extent.x1 <= frame.x1 and frame.y0 <= extent.y0 and extent.y1 <= frame.y1
    assert not any(axes.artists for axes in picture.figure.axes[2:]), "colour bars have no dots"


def test_bad_thumbnails():
    with pytest.raises(ck.OptionError, match="finite"):
        pinned({0: torch.full((1, 2, 2), torch.nan)})
    with pytest.raises(ck.OptionError, match=r"point 4, .* 4 points"):
        pinned({4: torch.ones(1, 2, 2)})


def test_points_that_are_spread_are_the_far_ones():
    line = torch.tensor([[4.0, 0], [0, 0], [0.5, 0], [9, 0], [8.5, 0]])
    assert ck.spread(line, 3) == [1, 3, 0] and sorted(ck.spread(line, 9)) == [0, 1, 2, 3, 4]
    with pytest.raises(ck.OptionError, match=r"\(N, 2\)"):
        ck.spread(torch.rand(4), 2)
