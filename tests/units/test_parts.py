"""The filter loss and its templates, places in an object's own frame, and the trained pair."""

import math

import pytest
import torch
from torch import nn

import coursekit as ck
from coursekit.networks.nets.parted import LABELS, OBJECTS, PartMask


def test_a_template_falls_by_steps_and_the_last_one_is_negative():
    shapes = ck.part_templates(8)
    assert shapes.shape == (65, 8, 8) and bool((shapes[-1] == -1).all())
    third = shapes[2 * 8 + 3]
    assert third[2, 3] == 1 and third[2, 4] == 0.5 and third[3, 4] == 0 and third[7, 7] == -1


def brute_force(maps, tau):
    """Minus the mutual information, by loops in double precision."""
    shapes, found = ck.part_templates(maps.shape[2]).double(), []
    for k in range(maps.shape[1]):
        fit = [[math.exp(tau * float((x * shape).sum())) for x in maps[:, k].double()] for shape in shapes]
        given = [[value / sum(row) for value in row] for row in fit]
        alone = [sum(row[n] for row in given) / len(shapes) for n in range(len(maps))]
        terms = [p * math.log(p / alone[n]) / len(shapes) for row in given for n, p in enumerate(row)]
        found.append(-sum(terms))
    return torch.tensor(found)


def test_the_filter_loss_is_minus_the_mutual_information():
    maps = 3 * torch.rand(5, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ck.filter_loss(maps, 0.7), brute_force(maps, 0.7).float(), atol=1e-5, rtol=1e-4)


def test_one_peak_costs_less_than_a_spread_or_two_peaks():
    one, two = torch.zeros(16, 1, 4, 4), torch.zeros(16, 1, 4, 4)
    for n in range(16):
        one[n, 0].view(-1)[n] = 4
        two[n, 0].view(-1)[[n, (n + 10) % 16]] = 4
    flat = torch.full((16, 1, 4, 4), 0.25)
    loss = [ck.filter_loss(maps, 1.0).item() for maps in (one, two, flat)]
    assert loss[0] < loss[1] - 0.2 and abs(loss[2]) < 1e-5


def test_the_mask_keeps_the_peak_and_clears_what_is_far():
    maps = torch.ones(1, 1, 8, 8)
    maps[0, 0, 1, 6] = 5
    masked = PartMask(8)(maps)
    assert masked[0, 0, 1, 6] == 5 and masked[0, 0, 7, 0] == 0 and 0 < masked[0, 0, 2, 6] < 1


def test_places_are_measured_in_the_frame_of_the_object():
    """A white dot at (row 10, column 24) of a box that begins at (8, 8) and is 8 × 32 large."""
    images = torch.zeros(2, 3, 40, 48)
    images[:, :, 10, 24] = 1
    boxes = torch.tensor([[8, 8, 8, 32]] * 2)
    made = ck.PartScenes(images, boxes, torch.tensor([False, True]), ["hen"] * 2)
    same = nn.Conv2d(3, 1, 1, bias=False)
    same.weight.data.fill_(1)
    places, heights = ck.part_places(ck.Model(nn.Sequential(same)), made, "0")
    expected = [[2.5 / 8, 16.5 / 32], [2.5 / 8, 1 - 16.5 / 32]]
    torch.testing.assert_close(places[:, 0], torch.tensor(expected))
    assert heights.flatten().tolist() == [3, 3]


def test_scenes_remember_where_the_cut_out_lies():
    made = ck.part_scenes(12, ["zebra", "hen"], seed=4, size=64)
    assert made.objects == ["zebra", "hen"] * 6 and {True, False} == set(made.mirrored.tolist())
    top, left, height, width = made.boxes.T
    assert bool((top >= 0).all() and (left >= 0).all() and (top + height <= 64).all() and (left + width <= 64).all())
    again = ck.part_scenes(12, ["zebra", "hen"], seed=4, size=64)
    assert torch.equal(made.images, again.images)
    with pytest.raises(ck.ImageError, match="unicorn"):
        ck.part_scenes(2, ["unicorn"])
    with pytest.raises(ck.OptionError, match="empty"):
        ck.part_scenes(2, [])


def test_a_mirrored_cut_out_lies_mirrored_in_its_box():
    made = ck.part_scenes(8, ["flamingo"], seed=1, size=96)
    plain = ck.cutout_picture("flamingo", size=96)

    def likeness(n, flip):
        top, left, height, width = made.boxes[n].tolist()
        seen = made.images[n : n + 1, :, top : top + height, left : left + width].mean(1).flatten()
        picture = torch.nn.functional.interpolate(plain, (height, width), mode="bilinear", antialias=True)
        picture = (picture.flip(3) if flip else picture).mean(1).flatten()
        inside = picture < 0.9
        return torch.corrcoef(torch.stack([seen[inside], picture[inside]]))[0, 1]

    assert all((likeness(n, True) > likeness(n, False)).item() == made.mirrored[n].item() for n in range(8))


def test_the_spread_counts_strong_peaks_only():
    places = torch.zeros(12, 1, 2)
    places[:6, 0, 0] = torch.tensor([0.4, 0.6] * 3)
    places[6:] = 9  # weak, and far away
    heights = torch.tensor([[1.0]] * 6 + [[0.2]] * 6)
    assert ck.part_spread(places, heights, ["hen"] * 12).item() == pytest.approx(0.1)
    assert ck.part_spread(places, heights, ["hen"] * 4 + ["ox"] * 8).isnan().all()


def test_the_pair_knows_the_animals_and_the_filter_loss_keeps_filters_to_their_parts():
    made = ck.part_scenes(150, OBJECTS, seed=77)
    truth, spread = torch.tensor([OBJECTS.index(name) for name in made.objects]), {}
    for name in ("parted", "unparted"):
        model = ck.load_model(name)
        assert tuple(model.labels) == LABELS
        with torch.no_grad():
            right = torch.cat([model(batch).argmax(1) for batch in made.images.split(30)]) == truth
        assert right.float().mean() > 0.85
        spread[name] = ck.part_spread(*ck.part_places(model, made, "relu4"), made.objects).nanmedian().item()
    assert spread["parted"] < 0.8 * spread["unparted"] < 0.8 * 0.41, "0.41 is a random place"
