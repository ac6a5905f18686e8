"""RISE against the closed form of a linear network, against a plain loop, and against an exact expectation of masks."""

import itertools

import pytest
import torch
import torch.nn.functional as F
from nets import CLASSES, MEAN, STD, polynomial_model, random_images, small_model
from torch import Tensor

import coursekit as ck
from coursekit.attribution.rise import random_masks

IMAGES = random_images(2, dtype=torch.float64)


def masks_of(n: int, size: tuple[int, int] = (12, 12), cells: int = 3, keep: float = 0.5, seed: int = 0) -> Tensor:
    return torch.cat(list(random_masks(n, size, cells=cells, keep=keep, seed=seed)))


def test_each_mask_is_an_enlarged_grid_cut_at_a_random_place():
    """Eight of nine pixels apart there is one cell, and between the cells' centres the mask is linear."""
    masks = masks_of(2000, (12, 12))
    assert masks.shape == (2000, 1, 12, 12) and masks.min() == 0 and masks.max() == 1
    # 3 cells enlarged to 16 pixels: each is 16 / 3 wide, so neighbours differ by at most 3 / 16
    assert (masks.diff(dim=2).abs() <= 3 / 16 + 1e-6).all() and (masks.diff(dim=3).abs() <= 3 / 16 + 1e-6).all()


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.9])
def test_a_pixel_is_shown_with_the_probability_keep_wherever_it_lies(keep):
    n = 6000
    masks = masks_of(n, (12, 9), keep=keep)
    spread = (keep * (1 - keep) / n) ** 0.5
    assert ((masks.mean((0, 1)) - keep).abs() < 5 * spread).all()


def test_a_linear_network_by_its_closed_form():
    """f = w · (fill + (x − fill) M): the mean over masks needs Σ M(q) M(p) / Σ M(p) only."""
    model, n = polynomial_model(mean=MEAN, std=STD), 40
    masks = masks_of(n).double()[:, 0].flatten(1)
    together = masks.T @ masks / masks.sum(0)[:, None]  # row p: how much of each pixel is shown where p is
    ours = ck.rise(model, IMAGES, 3, n=n, cells=3)
    weight = model.module.weight[3].detach() / model.std[0]
    fill = model.mean.expand_as(IMAGES)
    hidden = (weight * (fill - model.mean)[0]).sum()
    gain = (weight * (IMAGES - fill)).sum(1).flatten(1)
    expected = hidden + gain @ together.T
    assert torch.allclose(ours.flatten(1), expected.detach(), atol=1e-6)


def test_the_expectation_over_all_masks_is_the_exact_one():
    """Grids of 2 × 2 cells on 4 × 4 pixels: sixteen grids times four places can all be tried."""
    model, images = polynomial_model(4, mean=MEAN, std=STD), random_images(1, 4, dtype=torch.float64)
    grids = torch.tensor(list(itertools.product([0.0, 1.0], repeat=4)), dtype=torch.float64).view(16, 1, 2, 2)
    large = F.interpolate(grids, (6, 6), mode="bilinear")
    every = torch.cat([large[:, :, top : top + 4, left : left + 4] for top in range(2) for left in range(2)])
    fill = model.mean.expand_as(images)
    scores = model(fill + every * (images - fill))[:, 2].detach()
    exact = (scores.view(-1, 1, 1, 1) * every).mean(0) / every.mean(0)
    ours = ck.rise(model, images, 2, n=6000, cells=2)[0]
    error = 5 * scores.std() / (6000 * 0.5) ** 0.5
    assert (ours - exact).abs().max() < error < (exact.max() - exact.min()) / 3


def test_a_plain_loop():
    model, n = small_model().double(), 20
    ours = ck.rise(model, IMAGES, [4, 2], n=n, cells=4, keep=0.3, fill="black", seed=5)
    masks = masks_of(n, cells=4, keep=0.3, seed=5).double()
    for i, c in enumerate([4, 2]):
        total, count = torch.zeros(12, 12).double(), torch.zeros(12, 12).double()
        for mask in masks:
            total += float(model((IMAGES[i] * mask)[None])[0, c].detach()) * mask[0]
            count += mask[0]
        assert torch.allclose(ours[i, 0], total / count, atol=1e-10)


def test_a_constant_score_gives_the_same_everywhere_and_showing_all_gives_the_score():
    model = small_model().double()
    constant = ck.rise(model, IMAGES, lambda logits: 0 * logits[:, 0] + 3, n=12, cells=3)
    assert torch.allclose(constant, torch.full_like(constant, 3))
    whole = ck.rise(model, IMAGES, 1, n=3, keep=1)
    assert torch.allclose(whole, model(IMAGES)[:, 1].view(2, 1, 1, 1).expand_as(whole))


def test_it_finds_the_only_pixels_that_count_and_the_seed_decides():
    model, target = small_model(), 1
    image = random_images(1, 24)
    corner = ck.rise(model, image, lambda logits: logits[:, target], n=60)
    assert torch.equal(corner, ck.rise(model, image, target, n=60))
    assert not torch.equal(corner, ck.rise(model, image, target, n=60, seed=1))
    eye = polynomial_model(24)
    with torch.no_grad():
        eye.module.weight.zero_()
        eye.module.weight[:, :, 3:7, 15:19] = 1
    found = ck.rise(eye, torch.ones(1, 3, 24, 24, dtype=torch.float64), 0, n=1500, fill="black")[0, 0]
    row, column = divmod(int(found.argmax()), 24)
    assert 3 <= row < 7 and 15 <= column < 19


def test_bad_options_are_refused():
    model, images = small_model(), random_images()
    cases = {
        "n must be a whole number of at least 1": {"n": 0},
        "cells must be a whole number from 1 to 12": {"cells": 13},
        "keep must be a number above 0 and at most 1": {"keep": 0},
        "seed must be a whole number": {"seed": None},
    }
    for message, options in cases.items():
        with pytest.raises(ck.OptionError, match=message):
            ck.rise(model, images, 1, **options)
    with pytest.raises(ck.TargetError, match=f"classes from 0 to {CLASSES - 1}"):
        ck.rise(model, images, 99)
