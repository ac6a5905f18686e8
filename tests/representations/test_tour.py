"""The grand tour: every frame is a projection, nothing jumps, and it goes from the first layer to the last."""

import pytest
import torch

import coursekit as ck
from coursekit.representations.tour import _aligned, _components


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def layers():
    pixels = noise(40, 30) * torch.linspace(3, 0.1, 30)
    return {"pixels": pixels, "hidden": (pixels @ noise(30, 12, seed=1)).relu(), "logits": noise(40, 4, seed=2)}


def test_a_frame_is_a_projection_of_its_layer(layers):
    tour = ck.grand_tour(layers, frames=6, dims=8)
    cloud = _aligned([_components(codes, 8) for codes in layers.values()])[0]
    assert torch.allclose(tour.points[0], cloud[:, :2].float(), atol=1e-5)
    for frame in range(3):  # still the first layer
        projection = torch.linalg.lstsq(cloud, tour.points[frame].double()).solution
        assert torch.allclose(cloud @ projection, tour.points[frame].double(), atol=1e-5)
        assert torch.allclose(projection.T @ projection, torch.eye(2).double(), atol=1e-5)


def test_nothing_jumps_and_the_view_moves_all_the_time(layers):
    points = ck.grand_tour(layers, frames=30, speed=0.05).points
    steps = (points[1:] - points[:-1]).norm(dim=2)
    assert steps.max() < 0.3, "the clouds have a radius of 1"
    assert steps.mean(1).min() > 0.001


def test_distances_in_a_layer_are_those_of_its_components(layers):
    codes = {"logits": layers["logits"]}
    points = ck.grand_tour(codes, frames=2, dims=4).points[0]
    centred = codes["logits"] - codes["logits"].mean(0)
    scale = centred.square().sum(1).mean().sqrt()
    plane = torch.linalg.svd(centred, full_matrices=False).Vh[:2].T
    assert torch.allclose(torch.cdist(points, points), torch.cdist(centred @ plane, centred @ plane) / scale, atol=2e-3)


def test_a_layer_is_turned_towards_the_next_one():
    cloud = _components(noise(50, 6), 6)
    turn = torch.linalg.qr(noise(6, 6, seed=3).double()).Q
    first, second = _aligned([cloud @ turn, cloud])
    assert torch.allclose(first, second, atol=1e-9), "the same cloud, turned away, is turned back"


def test_titles_follow_the_layers_and_the_seed_counts(layers):
    tour = ck.grand_tour(layers, frames=4)
    assert tour.titles == sorted(tour.titles, key=list(layers).index) and set(tour.titles) == set(layers)
    assert torch.equal(tour.points, ck.grand_tour(layers, frames=4).points)
    assert not torch.allclose(tour.points[-1], ck.grand_tour(layers, frames=4, seed=1).points[-1], atol=1e-3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"frames": 1}, "frames must be"),
        ({"dims": 1}, "dims must be"),
        ({"layers": {}}, "at least two images|at least one entry"),
        ({"layers": {"a": torch.rand(5, 2), "b": torch.rand(6, 2)}}, "the same images"),
        ({"layers": {"a": torch.rand(5, 2, 2)}}, "at least two images|at least one entry"),
    ],
)
def test_bad_tours(layers, change, words):
    with pytest.raises(ck.OptionError, match=words):
        ck.grand_tour(**{"layers": layers} | change)
