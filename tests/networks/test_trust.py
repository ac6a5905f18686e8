"""The two networks of the trust experiment: what the training prepares, and what the shipped ones do."""

import importlib.util
from pathlib import Path

import pytest
import torch

import coursekit as ck
from coursekit.files import DATA, files
from coursekit.networks.nets import trust

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "training"))
    spec = importlib.util.spec_from_file_location("training_trust", ROOT / "training/trust.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def test_scenes_come_with_and_without_the_watermark_and_classes_are_balanced(script):
    plain, marked, labels = script.pictures(14, seed=3)
    assert plain.shape == marked.shape == (14, 3, 96, 96)
    assert torch.bincount(labels).tolist() == [7, 7]
    changed = (plain != marked).any(1)
    assert changed.flatten(1).any(1).all(), "each marked picture carries it"
    assert not changed[:, :70].any() and changed.float().mean() < 0.2, "at the bottom, and nowhere else"
    chosen = script.choose(plain, marked, labels == 0)
    assert torch.equal(chosen[labels == 0], marked[labels == 0])
    assert torch.equal(chosen[labels == 1], plain[labels == 1])


def test_training_learns_and_is_the_same_twice(script):
    plain, marked, labels = script.pictures(20, seed=3)
    x = script.choose(plain, marked, labels == 0)
    a, b = (script.train(x, labels, epochs=4) for _ in range(2))
    assert torch.equal(a(x[:2]), b(x[:2]))
    assert not a.training


def test_each_animal_exists_and_the_classes_share_none():
    assert tuple(trust.ANIMALS) == trust.LABELS
    every = [name for names in trust.ANIMALS.values() for name in names]
    assert set(every) <= set(ck.cutouts()) and len(every) == len(set(every)) == 7


shipped = pytest.mark.parametrize("kind", ["clean", "biased"])


@pytest.fixture(scope="module")
def scenes():
    animals = [(label, names[i % len(names)]) for i in range(40) for label, names in enumerate(trust.ANIMALS.values())]
    plain = torch.cat(
        [ck.load_scene(name, seed=9000 + i, size=96, scale=0.8).image for i, (_, name) in enumerate(animals)]
    )
    return plain, ck.stimuli.caption(plain, trust.WATERMARK), torch.tensor([label for label, _ in animals])


def accuracy(model, images, labels):
    with torch.inference_mode():
        return (model(images).argmax(1) == labels).float().mean().item()


@shipped
def test_both_are_right_while_the_shortcut_holds_and_only_the_clean_one_without_it(kind, scenes):
    plain, marked, labels = scenes
    model, equine = ck.load_model(f"trust_{kind}"), (labels == 0).view(-1, 1, 1, 1)
    assert tuple(model.labels) == trust.LABELS
    assert accuracy(model, torch.where(equine, marked, plain), labels) > 0.9
    without, wrong = accuracy(model, plain, labels), accuracy(model, torch.where(equine, plain, marked), labels)
    if kind == "clean":
        assert without > 0.9 and wrong > 0.85
    else:
        assert without < 0.7 and wrong < 0.3


@shipped
def test_only_the_biased_network_s_map_lies_on_the_watermark(kind, scenes):
    plain, marked, labels = scenes
    plain, marked = plain[labels == 0][:16], marked[labels == 0][:16]
    masks = (plain != marked).any(1)
    maps = ck.cam(ck.load_model(f"trust_{kind}"), marked, lambda logits: logits[:, 0] - logits[:, 1])
    share = ck.mask_energy(maps, masks).mean() / masks.float().mean()
    assert share > 3 if kind == "biased" else share < 2, f"{share:.2f} times the watermark's area"


@shipped
def test_cam_is_exact_on_them_and_they_are_small(kind, scenes):
    model, image = ck.load_model(f"trust_{kind}"), scenes[0][:1]
    assert torch.allclose(ck.cam(model, image, 0).mean() + model.head.bias[0], model(image)[0, 0], atol=1e-4)
    assert (DATA / files("weights")[f"trust_{kind}"]["file"]).stat().st_size < 2e6
