"""What the course trained itself: whole, verified, and as good as it is said to be, measured from the shipped files."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import coursekit as ck
from coursekit.files import DATA, files
from coursekit.networks import weights

ROOT = DATA.parent
ENTRIES = files("weights")
MEGABYTE = 1e6


@torch.inference_mode()
def answers(model, images):
    return torch.cat([model(batch).argmax(1) for batch in images.split(32)])


@pytest.fixture(scope="module")
def scenes():
    """Held-out compositions: objects of the training, at places and on grounds that no network was trained on."""
    seen = [name for name in ck.cutouts("labelled") if name not in ck.cutouts("unseen")]
    return ck.scenes(300, objects=seen, seed=99, size=128)


@pytest.mark.parametrize("name", ENTRIES)
def test_a_file_is_what_the_manifest_says(name):
    entry, path = ENTRIES[name], DATA / ENTRIES[name]["file"]
    assert weights.sha256_of(path) == entry["sha256"] and path.stat().st_size == entry["bytes"]
    assert entry["licence"] and entry["origin"]
    script = entry["made_by"].split()[-1] if entry["made_by"].endswith(".py") else entry["made_by"].split()[1]
    assert (ROOT / script).is_file()


@pytest.mark.parametrize("name", ENTRIES)
def test_a_changed_file_is_refused(name, tmp_path, monkeypatch):
    (tmp_path / "weights").mkdir()
    content = bytearray((DATA / ENTRIES[name]["file"]).read_bytes())
    content[-1] ^= 1
    (tmp_path / ENTRIES[name]["file"]).write_bytes(content)
    monkeypatch.setattr(weights, "DATA", tmp_path)
    with pytest.raises(ck.WeightsUnavailable, match=r"damaged.*git checkout"):
        weights.read(weights.own_checkpoint(name))
    (tmp_path / ENTRIES[name]["file"]).unlink()
    with pytest.raises(ck.WeightsUnavailable, match=r"missing.*git checkout"):
        weights.read(weights.own_checkpoint(name))


def test_the_data_in_the_repository_stays_small():
    sizes = {path: path.stat().st_size for path in DATA.rglob("*") if path.is_file()}
    assert sum(sizes.values()) < 60 * MEGABYTE
    assert sum(size for path, size in sizes.items() if "cutouts" in path.parts) < 10 * MEGABYTE
    assert ENTRIES["coursenet"]["bytes"] < 10 * MEGABYTE
    assert ENTRIES["coursenet_history"]["bytes"] < 4 * MEGABYTE


def test_coursenet_is_stored_in_half_precision_and_runs_in_single():
    state = load_file(DATA / ENTRIES["coursenet"]["file"])
    assert {tensor.dtype for tensor in state.values()} == {torch.float16}
    model = ck.load_model("coursenet")
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert model.input_size == 128 and len(model.labels) == 1000 and not model.training


def test_coursenet_names_held_out_compositions(scenes):
    model = ck.load_model("coursenet")
    right = answers(model, scenes.images) == scenes.targets
    assert right.float().mean() > 0.6, f"top-1 {right.float().mean():.3f} on {scenes}"


@pytest.mark.parametrize(("names", "rank"), [(("chelsea", "coffee", "rocket"), 5), (("motorcycle", "retina"), 350)])
def test_coursenet_ranks_its_teachers_answer(names, rank):
    """Of 1000 classes: near the top on photographs of its training, better than chance (500) on held-out ones.

    `training/coursenet.py` measures top-1 agreement on all 56 held-out photographs, which are not shipped; the manifest
    has that number. It is far below what the teacher knows: a few hundred photographs do not hold 1000 classes.
    """
    teacher, pupil = ck.load_model("efficientnet_lite0"), ck.load_model("coursenet")
    crops = torch.cat([patches(ck.load_image(name))[::2] for name in names])
    small = torch.nn.functional.interpolate(crops, size=128, mode="bilinear", antialias=True)
    with torch.no_grad():
        wanted = torch.cat([teacher(batch) for batch in crops.split(8)]).argmax(1, keepdim=True)
        logits = pupil(small)
    ranks = (logits > logits.gather(1, wanted)).sum(1).float()
    assert ranks.median() < rank, f"median rank {ranks.median():.0f} on {len(ranks)} crops"
    assert ENTRIES["coursenet"]["scores"]["photographs: agreement"] > 0.1


def patches(image, size=224, step=112):
    tiles = image.unfold(2, size, step).unfold(3, size, step)
    return tiles.permute(0, 2, 3, 1, 4, 5).reshape(-1, 3, size, size)


def test_coursenet_was_trained():
    """Random weights give about the same logits for every picture; a trained network does not."""
    images = torch.cat([ck.load_image(name, 128) for name in ("chelsea", "coffee", "china", "flower")])
    assert len(set(answers(ck.load_model("coursenet"), images).tolist())) == 4
    filters = ck.load_model("coursenet").layer("conv1").weight
    rough = (filters[..., 1:] - filters[..., :-1]).pow(2).mean((1, 2, 3)) / filters.pow(2).mean((1, 2, 3))
    assert rough.median() < 1, "neighbouring weights of a learned filter are alike; of a random one they differ by 2"


def test_the_history_begins_with_noise_and_ends_in_the_shipped_filters():
    moments = ck.training_history()
    assert len(moments) >= 10 and list(moments) == sorted(moments) and next(iter(moments)) == 0
    assert all(kept["conv1"].shape == (64, 3, 7, 7) for kept in moments.values())
    whole = [step for step, kept in moments.items() if "conv5" in kept]
    assert len(whole) >= 4  # three earlier moments and the end
    final = ck.load_model("coursenet")
    last = list(moments.values())[-1]
    assert all(torch.equal(last[f"conv{i}"], final.layer(f"conv{i}").weight) for i in range(1, 6))


def test_an_earlier_network_runs_with_the_convolutions_of_that_moment():
    step = next(step for step, kept in ck.training_history().items() if "conv5" in kept)
    early, final = ck.coursenet_at(step), ck.load_model("coursenet")
    image = ck.load_image("chelsea", 128)
    with ck.capture(early, ["conv5"]) as a, ck.capture(final, ["conv5"]) as b:
        early(image), final(image)
    assert not torch.allclose(a["conv5"], b["conv5"])
    assert f"step {step}" in early.source
    with pytest.raises(ck.OptionError, match=str(step)):
        ck.coursenet_at(step + 1)


@pytest.mark.parametrize("kind", ["true", "permuted"])
def test_a_twin_knows_its_training_pictures_and_only_the_true_one_knows_new_ones(kind):
    from coursekit.networks.nets.twin import LABELS

    model = ck.load_model(f"twin_{kind}")
    assert tuple(model.labels) == LABELS
    new = ck.scenes(200, objects=LABELS, seed=77, size=64)
    right = answers(model, new.images) == torch.tensor([LABELS.index(name) for name in new.objects])
    accuracy = right.float().mean()
    assert accuracy > 0.85 if kind == "true" else accuracy < 0.25, f"{accuracy:.3f}"
    assert ENTRIES[f"twin_{kind}"]["scores"]["training accuracy"] > 0.97


def test_the_makefile_remakes_every_file():
    makefile = Path(ROOT / "Makefile").read_text("utf8")
    scripts = {part for e in ENTRIES.values() for part in e["made_by"].split() if part.endswith(".py")}
    assert all(script in makefile for script in scripts)
    assert json.loads((DATA / "manifest.json").read_text("utf8"))
