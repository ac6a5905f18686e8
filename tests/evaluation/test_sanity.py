"""Sanity checks: similarities as scipy has them, networks that forget layer by layer, the two randomisation tests."""

import copy

import numpy as np
import pytest
import scipy.stats
import torch
from nets import CLASSES, random_images, small_model
from skimage.metrics import structural_similarity as skimage_ssim
from torch import nn

import coursekit as ck
from coursekit.evaluation.randomisation import likeness
from coursekit.evaluation.similarity import SIMILARITIES

LAYERS = ["fc", "conv3", "conv2", "conv1"]  # SmallNet's layers with weights, from the logits down
OWN = ["coursenet", "twin_true", "twin_permuted", "patternnet", "trust_clean", "trust_biased", "parted", "unparted"]
OWN += [f"captioned_{part}" for part in (0, 30, 100, "none")]
METHODS = {"gradient": ck.input_gradient, "edges": ck.edge_map}


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def weights_of(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def changed(before: dict, after: dict) -> set[str]:
    """The parts of the network (`module.conv1` → `conv1`) that hold another value than before."""
    return {name.split(".")[1] for name in before if not torch.equal(before[name], after[name])}


def quick(model: ck.Model, methods: dict, images: torch.Tensor | None = None, **options) -> ck.RandomisationTest:
    images = random_images(3) if images is None else images
    return ck.randomisation_test(model, methods, images, **{"seeds": [0, 1], "progress": False} | options)


# Similarity of maps -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("absolute", [False, True])
def test_rank_correlation_is_scipys_also_with_ties(absolute):
    maps = noise(2, 3, 8, 8)
    others = maps + 2 * noise(2, 3, 8, 8, seed=1)
    maps[0], others[1] = maps[0].round(), others[1].clamp(min=0)  # many equal values
    found = ck.rank_correlation(maps, others, absolute=absolute)
    a, b = (maps.abs(), others.abs()) if absolute else (maps, others)
    expected = [scipy.stats.spearmanr(x.flatten(), y.flatten()).statistic for x, y in zip(a, b, strict=True)]
    assert found.tolist() == pytest.approx(expected, abs=1e-6)


def test_signed_and_absolute_ranks_tell_different_things():
    maps = noise(1, 3, 32, 32)
    scrambled = maps * noise(1, 3, 32, 32, seed=1).sign()
    assert ck.rank_correlation(maps, scrambled, absolute=True).item() == pytest.approx(1)
    assert abs(ck.rank_correlation(maps, scrambled).item()) < 0.06
    assert ck.rank_correlation(maps, -maps).item() == pytest.approx(-1)


def test_a_map_of_one_value_is_like_no_map():
    maps, blank = noise(1, 1, 16, 16), torch.zeros(1, 1, 16, 16)
    assert ck.rank_correlation(maps, blank).item() == ck.hog_correlation(maps, blank).item() == 0


def test_ssim_is_skimages_with_the_range_said_and_no_scale_of_a_map_counts():
    maps, others = noise(1, 1, 16, 16).abs(), noise(1, 1, 16, 16, seed=1).abs()
    found = ck.structural_similarity(maps, others).item()
    pictures = [np.clip(m[0, 0].numpy() / np.quantile(m.numpy(), 0.99), 0, 1) for m in (maps, others)]
    assert found == pytest.approx(skimage_ssim(*pictures, data_range=1.0), abs=1e-5)
    for scale in (1e-3, 1e3):
        assert ck.structural_similarity(scale * maps, scale * others).item() == pytest.approx(found, abs=1e-5)
        assert ck.hog_correlation(scale * maps, others).item() == pytest.approx(
            ck.hog_correlation(maps, others).item(), abs=1e-4
        )


def test_ssim_without_the_true_range_gives_another_number():
    """Versions of scikit-image took 2 for every map of floats; this one refuses to guess."""
    maps, others = (noise(1, 1, 16, 16, seed=seed).abs() * 1e-2 for seed in (0, 1))
    a, b = maps[0, 0].numpy(), others[0, 0].numpy()
    with pytest.raises(ValueError, match="data_range"):
        skimage_ssim(a, b)
    guessed = skimage_ssim(a, b, data_range=2.0)
    assert guessed > 0.9 and ck.structural_similarity(maps, others).item() < 0.5, "two maps of noise are not alike"


def test_hog_sees_the_direction_of_edges():
    rows = torch.zeros(1, 1, 32, 32)
    rows[..., ::8, :], rows[..., 1::8, :] = 1, 1
    shifted, columns = rows.roll(1, 2), rows.mT
    assert ck.hog_correlation(rows, shifted).item() > 0.5 > 0.2 > ck.hog_correlation(rows, columns).item()


def test_similarity_refuses_what_it_cannot_compare():
    maps = noise(1, 1, 8, 8)
    with pytest.raises(ck.OptionError, match=r"same shape .* got \(1, 1, 8, 8\) and \(1, 1, 7, 8\)"):
        ck.map_similarity(maps, maps[:, :, 1:])
    with pytest.raises(ck.OptionError, match="NaN or infinite"):
        ck.rank_correlation(maps, maps / 0)
    with pytest.raises(ck.OptionError, match="7 by 7 pixels"):
        ck.structural_similarity(maps[..., :6], maps[..., :6])
    with pytest.raises(ck.OptionError, match="4 by 4 pixels"):
        ck.hog_correlation(maps[..., :3], maps[..., :3])
    assert -1 <= ck.hog_correlation(maps[..., :4], maps[..., 4:]).item() < 1


# Networks that forget ---------------------------------------------------------------------------------------------


def test_cascading_goes_from_the_logits_down_and_batch_norm_with_its_convolution():
    model = small_model()
    before, seen = weights_of(model), []
    for layer, network in ck.randomised(model):
        seen.append((layer, changed(before, network.state_dict())))
        assert changed(before, model.state_dict()) == set(), "the trained network is never touched"
    expected = [{"fc"}, {"fc", "conv3"}, {"fc", "conv3", "conv2"}, {"fc", "conv3", "conv2", "conv1", "bn1"}]
    assert seen == list(zip(LAYERS, expected, strict=True))
    norm = network.module.bn1
    assert [norm.weight.unique().tolist(), norm.bias.unique().tolist()] == [[1], [0]]
    assert [norm.running_mean.unique().tolist(), norm.running_var.unique().tolist()] == [[0], [1]]


def test_independent_mode_changes_one_layer_and_draws_the_same_weights():
    model = small_model()
    before = weights_of(model)
    cascade = {layer: weights_of(network) for layer, network in ck.randomised(model, seed=3)}
    for layer, network in ck.randomised(model, seed=3, mode="independent"):
        assert changed(before, network.state_dict()) == ({"conv1", "bn1"} if layer == "conv1" else {layer})
        own = f"module.{layer}.weight"
        assert torch.equal(network.state_dict()[own], cascade[layer][own])


def test_a_cascade_can_stop_at_some_layers_and_passes_through_the_others():
    model = small_model()
    before = weights_of(model)
    stages = [(layer, changed(before, net.state_dict())) for layer, net in ck.randomised(model, layers=["conv2", "fc"])]
    assert stages == [("fc", {"fc"}), ("conv2", {"fc", "conv3", "conv2"})]


def test_equal_shaped_neighbours_get_different_weights_and_a_seed_the_same_ones():
    net = nn.Sequential(nn.Flatten(), nn.Linear(432, 432), nn.Linear(432, 432))
    model = ck.Model(net)
    (_, first), (_, again), (_, other) = (list(ck.randomised(model, seed=seed))[-1] for seed in (0, 0, 1))
    assert not torch.equal(first.module[1].weight, first.module[2].weight)
    assert torch.equal(first.module[1].weight, again.module[1].weight)
    assert not torch.equal(first.module[1].weight, other.module[1].weight)


def test_a_named_network_is_drawn_by_its_own_initialisation():
    model = ck.random_model("patternnet", seed=5)
    *_, (_, network) = ck.randomised(model, seed=7)
    assert changed(weights_of(ck.random_model("patternnet", seed=7)), network.state_dict()) == set()


@pytest.mark.parametrize("name", OWN)
def test_a_random_network_is_never_the_start_of_the_training(name):
    """Eleven of the course's twelve networks were trained from seed 0: .82 to 1.0 with the draw of that seed."""
    model = ck.load_model(name)
    for seed in (0, 1):
        *_, (_, network) = ck.randomised(model, seed=seed)
        assert likeness(network.module, model.module) < 0.15


def test_a_draw_that_is_where_the_training_began_gives_way():
    def drawn(seed):
        with torch.random.fork_rng():
            torch.manual_seed(seed % 2**32)
            return nn.Sequential(nn.Flatten(), nn.Linear(432, 9))

    salt = 2_718_281_828
    (_, network) = list(ck.randomised(ck.Model(drawn(salt)), seed=0))[-1]
    assert torch.equal(network.module[1].weight, drawn(2 * salt)[1].weight), "the next stream, and not that of seed 0"


def test_nor_is_it_that_of_a_network_of_ones_own():
    ck.setup()
    net = nn.Sequential(nn.Flatten(), nn.Linear(432, 9))
    (_, network), (_, other) = (list(ck.randomised(ck.Model(net), seed=seed))[-1] for seed in (0, 0))
    assert likeness(network.module, net) < 0.15 and likeness(net, copy.deepcopy(net)) == pytest.approx(1)
    assert torch.equal(network.module[1].weight, other.module[1].weight), "the other draw is always the same"
    with torch.random.fork_rng():
        torch.manual_seed(0 + 2_718_281_828)
        net[1].reset_parameters()
    assert torch.equal(network.module[1].weight, net[1].weight), "the stream that the docstring names"


def test_the_model_stays_as_it_was_after_a_loop_that_raises_or_stops():
    model = small_model().train()
    before, state = weights_of(model), torch.get_rng_state()
    with pytest.raises(KeyboardInterrupt):
        for _ in ck.randomised(model):
            raise KeyboardInterrupt
    for _ in ck.randomised(model):
        break
    assert changed(before, model.state_dict()) == set() and model.training
    assert torch.equal(state, torch.get_rng_state())


def test_layers_of_real_networks_have_no_part_left_out_and_no_lonely_batch_norm():
    for name, layer, parts in (
        ("efficientnet_lite0", "conv1", ["conv_stem", "bn1"]),
        ("trust_clean", "conv2", ["conv2", "norm2"]),
    ):
        model = ck.random_model(name)
        layers = ck.randomisable(model)
        assert layers[layer] == parts and set(layers) <= set(model.layers)
        assert sum(len(paths) for paths in layers.values()) == sum(
            bool(list(part.parameters(recurse=False))) for part in model.module.modules()
        )
    assert list(ck.randomisable(ck.random_model("efficientnet_lite0")))[-2:] == ["conv2", "fc"]


def test_randomised_refuses_before_any_work():
    model = small_model()
    with pytest.raises(ck.OptionError, match="'cascading' or 'independent', but got 'both'"):
        ck.randomised(model, mode="both")
    with pytest.raises(ck.UnknownLayer, match="no layer 'relu' with weights of its own; it has fc, conv3"):
        ck.randomised(model, layers=["relu"])
    with pytest.raises(ck.UnknownLayer, match=r"write \['fc'\]"):
        ck.randomised(model, layers="fc")

    class Scale(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(1))

    own = ck.Model(nn.Sequential(nn.Flatten(), nn.Linear(432, 2), Scale()))
    for start in (lambda: ck.randomised(own), lambda: quick(own, {"edges": ck.edge_map})):
        with pytest.raises(ck.UnsupportedNetwork, match=r"Scale \(2\) does not say how its weights are drawn"):
            start()


# The tests --------------------------------------------------------------------------------------------------------


def test_the_edge_detector_never_changes_and_fresh_noise_is_like_nothing():
    draws = torch.Generator().manual_seed(0)
    fresh = {"noise": lambda model, images, target: torch.randn(images.shape, generator=draws)}
    test = quick(small_model(), METHODS | fresh)
    assert test.layers == LAYERS and test.methods == ["gradient", "edges", "noise"]
    for measure in SIMILARITIES:
        assert test.values("edges", measure).flatten().tolist() == pytest.approx([1] * 2 * 4 * 3, abs=1e-6), measure
    assert test.values("noise").abs().mean() < 0.1
    assert test.values("gradient").mean() < 0.9


def test_the_gradient_of_a_linear_model_forgets_everything_at_once():
    model = ck.Model(nn.Sequential(nn.Flatten(), nn.Linear(3 * 24 * 24, CLASSES)))
    test = quick(model, {"gradient": ck.input_gradient}, random_images(4, size=24), seeds=range(4))
    assert test.layers == ["1"]
    assert abs(test.interval("gradient")[0]) < 0.04, "1728 independent weights: a spread of 0.024 for each seed"


def test_the_class_is_the_one_that_the_trained_network_saw():
    model, images, asked = small_model(), random_images(10), []

    def spy(network, batch, target):
        asked.append((len(batch), target.tolist()))
        return ck.input_gradient(network, batch, target)

    quick(model, {"spy": spy}, images, seeds=[0])
    top = model(images).argmax(1).tolist()
    assert len(set(top)) > 1
    assert asked == [(8, top[:8]), (2, top[8:])] * (1 + len(LAYERS)), "the trained network first, then each stage"
    *_, (_, network) = ck.randomised(model)
    assert network(images).argmax(1).tolist() != top, "so asking again would have given other classes"


def test_values_are_similarities_to_the_trained_maps_and_these_are_in_no_mean():
    model, images, targets = small_model(), random_images(3), torch.tensor([0, 1, 2])
    test = quick(model, {"gradient": ck.input_gradient}, images, targets=targets, seeds=[4])
    trained = ck.input_gradient(model, images, targets)
    by_hand = [
        ck.rank_correlation(trained, ck.input_gradient(network, images, targets)).tolist()
        for _, network in ck.randomised(model, seed=4)
    ]
    assert test.values("gradient")[0].tolist() == [pytest.approx(row, abs=1e-5) for row in by_hand]
    assert test.interval("gradient")[0] == pytest.approx(float(np.mean(by_hand)), abs=1e-5)
    assert test.interval("gradient", layer="conv2")[0] == pytest.approx(float(np.mean(by_hand[2])), abs=1e-5)


def test_coarse_maps_are_compared_at_the_size_of_the_images_and_blank_ones_are_counted():
    def coarse(network, images, target):
        same = torch.equal(network.module.conv3.weight, trained)
        return noise(1, 1, 3, 3).expand(len(images), 1, 3, 3) * (1.0 if same else 0.0)

    model = small_model()
    trained = model.module.conv3.weight.clone()
    test = quick(model, {"coarse": coarse}, seeds=[0])
    assert test.values("coarse", "blank")[0, :, 0].tolist() == [0, 1, 1, 1]
    assert test.values("coarse", "Spearman")[0, :, 0].tolist() == pytest.approx([1, 0, 0, 0])


def test_two_runs_give_the_same_numbers_and_leave_the_model_as_found():
    model = small_model()
    before, hooks = weights_of(model), len(model._forward_hooks)
    first, second = (quick(model, METHODS, mode="independent") for _ in range(2))
    assert first == second
    assert changed(before, model.state_dict()) == set() and len(model._forward_hooks) == hooks

    def fails(network, images, target):
        if network is not model:
            raise ZeroDivisionError
        return images

    with pytest.raises(ZeroDivisionError):
        quick(model, {"fails": fails})
    assert changed(before, model.state_dict()) == set()


def test_intervals_count_objects_and_seeds_not_images():
    rows = {
        "m": {str(seed): {"Spearman": [values]} for seed, values in enumerate([[0, 0, 0, 1], [0.2, 0.2, 0.2, 1.2]])}
    }
    test = ck.RandomisationTest("net", "cascading", ["fc"], [0, 1], ["a", "a", "a", "b"], rows)
    mean, low, high = test.interval("m")
    assert mean == pytest.approx(0.6), "the mean of two objects (0.1 and 1.1), not of four images"
    assert (low, high) == pytest.approx((0.1, 1.1)), "objects differ more than seeds do"
    test.objects = ["a"] * 4
    assert test.interval("m") == pytest.approx((0.35, 0.25, 0.45)), "one object: seeds alone are resampled"
    test.seeds = [0]
    mean, low, high = test.interval("m")
    assert mean == 0.25 and low != low and high != high


def test_data_randomisation_compares_two_networks_on_the_classes_of_the_first():
    true, permuted, images = small_model(), small_model(seed=1), random_images(4)
    test = ck.data_randomisation_test(true, permuted, METHODS, images, progress=False)
    target = true(images).argmax(1)
    maps = [ck.input_gradient(model, images, target) for model in (true, permuted)]
    assert test.layers == ["permuted labels"] and test.seeds == [0]
    assert test.values("gradient")[0, 0].tolist() == pytest.approx(ck.rank_correlation(*maps).tolist(), abs=1e-5)
    assert test.interval("edges")[0] == pytest.approx(1)


def test_a_method_that_cannot_apply_gets_the_reason_and_other_errors_are_not_hidden():
    def refuses(network, images, target):
        raise ck.UnsupportedNetwork("needs pooling <here>")

    test = quick(small_model(), {"cam": refuses, "edges": ck.edge_map})
    assert test.methods == ["edges"] and test.not_applicable == {"cam": "needs pooling <here>"}
    assert "n/a, cam: needs pooling <here>" in repr(test) and "&lt;here&gt;" in test._repr_html_()
    with pytest.raises(ck.OptionError, match="'Spearman' of 'cam': needs pooling"):
        test.interval("cam")
    with pytest.raises(ck.OptionError, match="no layer 'conv9'; it has fc, conv3"):
        test.interval("edges", layer="conv9")
    assert "NaN" in quick(small_model(), {"broken": lambda m, x, t: x * float("nan")}).not_applicable["broken"]
    assert "shape (3, C, h, w)" in quick(small_model(), {"flat": lambda m, x, t: x[:, 0]}).not_applicable["flat"]


def test_bad_input_is_told_before_any_work():
    called = []
    methods = {"spy": lambda *inputs: called.append(1)}
    for options, words in (
        ({"seeds": []}, "at least one"),
        ({"seeds": [1, 1]}, "different whole numbers"),
        ({"mode": "data"}, "'cascading' or 'independent'"),
        ({"objects": ["zebra"]}, "3 images, but 1 objects"),
        ({"targets": [1, 2]}, "3 images, but 2 targets"),
        ({"targets": ck.unit("conv1", 0)}, "targets must be a whole number"),
        ({"layers": ["conv9"]}, "no layer 'conv9'"),
    ):
        with pytest.raises(ck.CoursekitError, match=words):
            quick(small_model(), methods, **options)
    with pytest.raises(ck.OptionError, match="methods must be a dict"):
        quick(small_model(), {})
    assert not called


def test_an_interrupted_test_goes_on_where_it_stopped(tmp_path):
    path, calls, model = tmp_path / "test.json", [], small_model()
    whole = quick(model, METHODS, seeds=[0, 1])

    def gradient(network, images, target):
        calls.append(network is model)
        if len(calls) == 8:
            raise KeyboardInterrupt
        return ck.input_gradient(network, images, target)

    methods = {"gradient": gradient, "edges": ck.edge_map}
    with pytest.raises(KeyboardInterrupt):
        quick(model, methods, path=path)
    first = ck.RandomisationTest.load(path)
    assert list(first.rows["gradient"]) == ["0"], "the first seed is kept"
    calls[:] = [None] * 8
    assert quick(model, methods, path=path) == whole == ck.RandomisationTest.load(path)
    assert calls[8:] == [True, *[False] * 4], "the trained network's maps, and the second seed"
    assert 0 < first.seconds < ck.RandomisationTest.load(path).seconds, "the time of both runs adds up"
    more = quick(model, METHODS, path=path, seeds=[1, 2])
    assert more.values("gradient")[0].tolist() == whole.values("gradient")[1].tolist() and more.seeds == [1, 2]
    assert [file.name for file in tmp_path.iterdir()] == ["test.json"], "no temporary file is left"


def test_the_bar_counts_methods_seeds_layers_and_images(tmp_path, capsys):
    for _ in range(2):
        quick(small_model(), METHODS, progress=True, layers=["fc", "conv1"], path=tmp_path / "test.json")
        assert "100%|██████████| 24/24" in capsys.readouterr().err.strip().split("\r")[-1]


def test_a_file_of_something_else_is_refused(tmp_path):
    path, model = tmp_path / "test.json", small_model()
    quick(model, {"edges": ck.edge_map}, path=path)
    for other, options, words in (
        (small_model(seed=1), {"targets": 0}, "another network, images or targets;"),
        (model, {"mode": "independent"}, "another mode;"),
        (model, {"layers": ["fc"]}, "another layers;"),
        (model, {"images": random_images(3, seed=1)}, "another images or targets;"),
    ):
        with pytest.raises(ck.OptionError, match=words):
            quick(other, {"edges": ck.edge_map}, path=path, **options)
    path.write_text("[]")
    with pytest.raises(ck.OptionError, match="is not a randomisation test that can be read"):
        quick(model, {"edges": ck.edge_map}, path=path)


def test_table_and_figure_say_what_was_measured():
    test = quick(small_model(), METHODS, objects=["zebra", "zebra", "hen"])
    text = repr(test)
    assert "3 images of 2 distinct objects, 2 seeds" in text and "mean over fc, conv3, conv2, conv1" in text
    assert next(line for line in text.splitlines() if line.startswith("edges")).count("1.00 [1.00, 1.00]") == 4
    picture = test.show("SSIM")
    (axes,) = picture.figure.axes
    assert [tick.get_text() for tick in axes.get_xticklabels()] == LAYERS
    assert [line.get_label() for line in axes.lines] == ["edges", "gradient"], "the most similar first"
    drawn = [float(value) for value in axes.lines[1].get_ydata()]
    assert drawn == pytest.approx([mean for mean, *_ in test.curve("gradient", "SSIM")])
    assert len(axes.collections) == 2 and "edges 1.00" in picture.alt and "SSIM" in axes.get_ylabel()


def test_many_methods_have_a_panel_each_with_the_edges_in_all():
    row = {"0": {"Spearman": [[0.2, 0.4], [0.1, 0.3]]}}
    flat = {"0": {"Spearman": [[1.0, 1.0], [1.0, 1.0]]}}
    names = ["cam", "grad_cam", "fullgrad", "occlusion", "deconvnet"]
    rows = {**dict.fromkeys(names, row), **dict.fromkeys(("edges", "centre", "chance"), flat)}
    test = ck.RandomisationTest("net", "cascading", ["fc", "conv1"], [0], ["a", "b"], rows)
    axes = test.show().figure.axes
    assert [ax.get_title() for ax in axes] == ["CAM", "Grad-CAM", "FullGrad", "occlusion", "deconvnet"]
    for ax in axes:
        edges, own = ax.lines
        assert list(edges.get_ydata()) == [1, 1] and list(own.get_ydata()) == pytest.approx([0.3, 0.2])


def test_a_deep_copy_keeps_a_stage():
    stages = [copy.deepcopy(network) for _, network in ck.randomised(small_model())]
    assert not torch.equal(stages[0].module.conv1.weight, stages[-1].module.conv1.weight)
