"""Codes, neighbours and projections against loops, algebra and hand-made sets."""

import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from nets import random_images, small_maps, small_model
from state import unchanged, unusual_model

import coursekit as ck
from coursekit.representations.embedding import _umap_neighbours


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# Codes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", ["conv2", "relu6", "avgpool", "fc"])
def test_codes_are_what_the_layer_computes(layer):
    model, images = small_model(), random_images(11)
    expected = small_maps(model, images)[layer]
    mean = expected.mean((2, 3)) if expected.ndim == 4 else expected
    assert torch.allclose(ck.embed(model, images, layer), mean, atol=1e-5)
    assert torch.allclose(ck.embed(model, images, layer, reduce="flatten"), expected.flatten(1), atol=1e-5)


def test_embedding_leaves_the_model_as_found_and_refuses_bad_input():
    model, images = unusual_model(), random_images()
    with unchanged(model, images):
        assert not ck.embed(model, images, "conv2").requires_grad
    with unchanged(model, images), pytest.raises(ck.UnknownLayer, match="'conv9'"):
        ck.embed(model, images, "conv9")
    with pytest.raises(ck.OptionError, match="'maps' or a function, but got 'average'"):
        ck.embed(model, images, "conv2", reduce="average")
    with pytest.raises(ck.ImageError):
        ck.embed(model, images[0], "conv2")


# Neighbours -------------------------------------------------------------------------------------------------------


def test_neighbours_by_hand():
    codes = torch.tensor([[1.0, 0.0], [9.0, 0.5], [0.0, 1.0], [1.2, 1.0]])
    l2, cosine = ck.neighbours(codes, 2), ck.neighbours(codes, 2, metric="cosine")
    assert l2.index.tolist() == [[3, 2], [3, 0], [3, 0], [0, 2]]
    assert l2.distance[0].tolist() == pytest.approx([1.04**0.5, 2**0.5])
    assert cosine.index[0].tolist() == [1, 3], "the angle counts, not the length"
    assert cosine.distance[2].tolist() == pytest.approx([1 - 1 / 2.44**0.5, 1 - 0.5 / 81.25**0.5])


@pytest.mark.parametrize("metric", ["l2", "cosine"])
def test_neighbours_by_brute_force_are_never_of_the_same_group(metric):
    codes, groups = noise(700, 5), [f"object {i % 40}" for i in range(700)]  # more than one block of rows
    found = ck.neighbours(codes, 4, metric=metric, groups=groups)
    points = codes.double()
    for i in range(0, 700, 23):
        distance = (points - points[i]).norm(dim=1) if metric == "l2" else 1 - F.cosine_similarity(points, points[i], 1)
        distance[[j for j in range(700) if groups[j] == groups[i]]] = torch.inf
        assert found.index[i].tolist() == distance.argsort()[:4].tolist()
        assert found.distance[i].tolist() == pytest.approx(distance.sort().values[:4].tolist(), abs=1e-4)


def test_copies_of_an_object_are_not_its_neighbours():
    """Two scenes of one zebra lie at the same point; the nearest other object counts."""
    codes = torch.tensor([[0.0], [0.0], [1.0], [5.0], [5.0]])
    groups = ["zebra", "zebra", "horse", "hen", "hen"]
    assert ck.neighbours(codes, 1).index[:2].tolist() == [[1], [0]]
    assert ck.neighbours(codes, 1, groups=groups).index.flatten().tolist() in ([2, 2, 0, 2, 2], [2, 2, 1, 2, 2])


def test_far_away_codes_lose_no_digits():
    codes = 1000 + 0.1 * noise(40, 30)
    exact = torch.cdist(codes.double(), codes.double()).sort(dim=1).values[:, 1:4].float()
    assert torch.allclose(ck.neighbours(codes, 3).distance, exact, atol=1e-3)


def test_images_are_compared_pixel_by_pixel():
    images = random_images(5)
    assert torch.equal(ck.neighbours(images, 2).index, ck.neighbours(images.flatten(1), 2).index)


def test_bad_neighbours():
    codes = noise(4, 2)
    for bad, options, words in (
        (codes, {"k": 4}, "k is 4, but some item has only 3 others"),
        (codes, {"k": 2, "groups": "aabc"}, None),
        (codes, {"k": 3, "groups": "aabc"}, "only 2 others outside its own group"),
        (codes, {"k": 0}, "k must be"),
        (codes, {"k": 1, "metric": "l1"}, "'l2' or 'cosine', but got 'l1'"),
        (codes, {"k": 1, "groups": "abc"}, "one entry of groups for each of the 4 items, but got 3"),
        (codes[0], {"k": 1}, r"\(2,\)"),
        (codes.long(), {"k": 1}, "int64"),
        (codes / 0, {"k": 1}, "NaN or infinite"),
    ):
        if words is None:
            assert ck.neighbours(bad, **options).index.shape == (4, 2)
        else:
            with pytest.raises(ck.OptionError, match=words):
                ck.neighbours(bad, **options)


def test_precision_at_k_by_hand_for_labels_of_any_kind():
    index = torch.tensor([[1, 2, 3], [0, 2, 3], [3, 0, 1], [2, 0, 1]])
    expected = pytest.approx([1 / 3, 1 / 3, 1 / 3, 1 / 3])
    assert ck.precision_at_k(index, ["cat", "cat", "dog", "dog"]).tolist() == expected
    assert ck.precision_at_k(index[:, :1], torch.tensor([7, 7, 9, 8])).tolist() == [1, 1, 0, 0]
    with pytest.raises(ck.OptionError, match="labels"):
        ck.precision_at_k(index, ["cat"])


def test_precision_of_random_codes_is_chance():
    labels = torch.arange(600) % 3
    precision = ck.precision_at_k(ck.neighbours(noise(600, 8), 10).index, labels)
    assert abs(float(precision.mean()) - 199 / 599) < 0.02


# Projections ------------------------------------------------------------------------------------------------------


def two_blobs(seed: int = 0) -> torch.Tensor:
    codes = noise(60, 10, seed=seed)
    codes[30:, 0] += 12
    return codes


def tells_blobs_apart(points: torch.Tensor) -> bool:
    return bool(ck.precision_at_k(ck.neighbours(points, 5).index, torch.arange(60) // 30).mean() > 0.97)


def test_pca_is_the_singular_value_decomposition():
    codes = noise(50, 6) * torch.tensor([5.0, 3, 1, 1, 1, 1])
    points = ck.project(codes, dims=3)
    left, values, _ = torch.linalg.svd(codes - codes.mean(0), full_matrices=False)
    assert torch.allclose(points.abs(), (left * values)[:, :3].abs(), atol=1e-4)


def test_laplacian_eigenmaps_unroll_a_spiral():
    angle = torch.linspace(3, 12, 80)
    spiral = torch.stack([angle * angle.cos(), angle * angle.sin()], 1)
    order = ck.project(spiral, "laplacian", dims=1, n_neighbors=4)[:, 0]
    steps = order.diff()
    assert (steps > 0).all() or (steps < 0).all(), "one coordinate runs along the spiral"


def test_tsne_keeps_blobs_apart_and_takes_options():
    points = ck.project(two_blobs(), "tsne", perplexity=10)
    assert points.shape == (60, 2) and points.dtype == torch.float32 and tells_blobs_apart(points)
    assert torch.equal(ck.project(two_blobs(), "tsne", perplexity=10), points), "seeded"
    assert not torch.equal(ck.project(two_blobs(), "tsne", perplexity=5), points)


@pytest.mark.parametrize("method", ["umap", "pacmap"])  # umap is slow: numba compiles it in each new process
def test_umap_and_pacmap_keep_blobs_apart_and_are_seeded(method, recwarn):
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    points = ck.project(two_blobs(), method, seed=3)
    assert torch.get_num_threads() == threads, "numba changes torch's number when it starts"
    assert points.shape == (60, 2) and points.dtype == torch.float32 and tells_blobs_apart(points)
    assert torch.equal(ck.project(two_blobs(), method, seed=3), points)
    assert not torch.equal(ck.project(two_blobs(), method, seed=4), points)
    assert torch.equal(torch.get_rng_state(), state)
    assert not [w for w in recwarn if "n_jobs" in str(w.message) or "random state" in str(w.message)]


def test_umap_gets_exact_neighbours_with_each_point_as_its_own_first():
    index, distance = _umap_neighbours(torch.tensor([[0.0], [1.0], [3.0], [7.0]]), 3)
    assert index.tolist() == [[0, 1, 2], [1, 0, 2], [2, 1, 0], [3, 2, 1]]
    assert distance.tolist() == [[0, 1, 3], [0, 1, 2], [0, 2, 3], [0, 4, 6]]
    assert _umap_neighbours(noise(4, 2), 5) == (None, None, None), "UMAP itself warns"


def test_bad_projections():
    for options, words in (
        ({"method": "sne"}, "pca, laplacian, tsne, umap, pacmap, but got 'sne'"),
        ({"method": "tsne", "perplexity": 60}, "tsne cannot project 60 codes.*perplexity"),
        ({"method": "pca", "perplexity": 6}, "pca cannot project.*perplexity"),
        ({"dims": 0}, "dims must be"),
    ):
        with pytest.raises(ck.OptionError, match=words):
            ck.project(two_blobs(), **options)


def test_trustworthiness_of_a_copy_is_perfect_and_of_noise_about_half():
    codes = noise(300, 5)
    assert ck.trustworthiness(codes, codes * 3 + 1) == pytest.approx(1)
    assert abs(ck.trustworthiness(codes, noise(300, 2, seed=1)) - 0.5) < 0.05
    with pytest.raises(ck.OptionError, match="over 2 k, but got 10, 10 and k = 5"):
        ck.trustworthiness(codes[:10], codes[:10])


# The grid ---------------------------------------------------------------------------------------------------------


def test_points_on_a_grid_get_their_own_cells_with_row_0_at_the_top():
    cells = torch.cartesian_prod(torch.arange(3), torch.arange(4))[torch.randperm(12, generator=torch.Generator())]
    points = torch.stack([cells[:, 1] * 2.0, 5.0 - cells[:, 0]], 1)  # x to the right, y upwards
    points += 0.1 * noise(12, 2)
    assert torch.equal(ck.grid_layout(points, 3, 4), cells)


def test_each_point_has_a_cell_of_its_own_and_no_exchange_is_better():
    points = noise(20, 2)
    cells = ck.grid_layout(points, 5, 6)
    assert len({tuple(cell) for cell in cells.tolist()}) == 20
    assert cells.min() >= 0 and cells[:, 0].max() < 5 and cells[:, 1].max() < 6
    unit = (points - points.amin(0)) / (points.amax(0) - points.amin(0))
    places = torch.stack([(cells[:, 1] + 0.5) / 6, 1 - (cells[:, 0] + 0.5) / 5], 1)
    cost = torch.cdist(unit, places) ** 2
    exchanged = cost + cost.T
    assert (exchanged >= cost.diag()[:, None] + cost.diag() - 1e-6).all()


def test_bad_grids():
    for points, rows, words in (
        (noise(7, 2), 2, r"2 x 3 cells, but are \(7, 2\)"),
        (noise(4, 3), 2, r"\(4, 3\)"),
        (noise(4, 2), 0, "rows must be"),
    ):
        with pytest.raises(ck.OptionError, match=words):
            ck.grid_layout(points, rows, 3)


def test_nothing_slow_is_imported_before_it_is_used():
    code = "import sys, coursekit as ck; ck.embed, ck.top_patches, ck.scoreboard; print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "'coursekit.probe.capture'" in loaded
    for package in ("sklearn", "umap", "pacmap", "numba", "scipy"):
        assert f"'{package}'" not in loaded, package


@pytest.mark.parametrize("method", ["pca", "laplacian", "tsne", "umap", "pacmap"])
@pytest.mark.parametrize(
    ("codes", "words"),
    [
        (torch.ones(40, 8), "All codes are the same.*dead"),
        (torch.rand(60, 8, generator=torch.Generator().manual_seed(0)) * 1e-30, "float32 cannot square"),
        (torch.rand(60, 8, generator=torch.Generator().manual_seed(0)) * 1e30, "float32 cannot square"),
    ],
)
def test_codes_without_spread_do_not_reach_a_library_that_crashes_on_them(method, codes, words):
    with pytest.raises(ck.OptionError, match=words):
        ck.project(codes, method)
