"""The captioned networks: captions are as noisy as they should be, and each network relies on them as it must."""

import importlib.util
from pathlib import Path

import pytest
import torch

import coursekit as ck
from coursekit.files import DATA, files
from coursekit.networks.nets.captioned import LABELS, LETTERS, OBJECTS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "training"))
    spec = importlib.util.spec_from_file_location("training_captioned", ROOT / "training/captioned.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def test_each_object_exists_and_the_classes_share_none():
    every = [name for names in OBJECTS.values() for name in names]
    assert tuple(OBJECTS) == LABELS
    assert set(every) <= set(ck.cutouts()) and len(every) == len(set(every)) == 24


def test_captions_are_right_unless_noise_draws_another(script):
    labels = torch.arange(3000) % 3
    assert script.random_words(labels, None, seed=0) is None
    assert torch.equal(script.random_words(labels, 0.0, seed=0), labels)
    for noise in (0.3, 1.0):  # a word drawn at random is right in a third of the cases
        wrong = (script.random_words(labels, noise, seed=0) != labels).float().mean()
        assert wrong == pytest.approx(noise * 2 / 3, abs=0.03)


def test_a_caption_is_written_below_and_names_what_it_should(script):
    images, labels = script.pictures(6, seed=3)
    assert images.shape == (6, 3, 64, 64) and torch.bincount(labels).tolist() == [2, 2, 2]
    bare, marked = script.written(images, None), script.written(images, 2 - labels)
    changed = (bare != marked).any(1)
    assert changed.flatten(1).any(1).all() and not changed[:, :40].any()
    vehicle = ck.stimuli.caption(images[:1], "vehicle", size=LETTERS)
    assert torch.allclose(marked[:1], (vehicle - 0.5) / 0.25), "class 0 was given the word of class 2"


def test_training_is_the_same_twice(script):
    images, labels = script.pictures(12, seed=3)
    a, b = (script.train(script.written(images, labels), labels, epochs=2) for _ in range(2))
    assert torch.equal(a.fc6.weight, b.fc6.weight) and not a.training


@pytest.fixture(scope="module")
def scenes():
    names = [(k, names[i % 8]) for i in range(30) for k, names in enumerate(OBJECTS.values())]
    plain = [ck.load_scene(name, seed=7000 + i, size=64, scale=0.5).image for i, (_, name) in enumerate(names)]
    return torch.cat(plain), torch.tensor([k for k, _ in names])


@pytest.mark.parametrize(
    ("name", "without", "wrong"),
    [
        ("captioned_0", (0, 0.5), (0, 0.1)),
        ("captioned_30", (0.7, 0.95), (0.55, 0.9)),
        ("captioned_100", (0.85, 1), (0.85, 1)),
        ("captioned_none", (0.85, 1), (0, 1)),
    ],
)
def test_the_more_often_captions_were_right_the_more_is_lost_without_them(name, without, wrong, scenes):
    images, labels = scenes
    model = ck.load_model(name)
    assert tuple(model.labels) == LABELS

    def accuracy(said):
        pictures = (
            images
            if said is None
            else torch.cat(
                [ck.stimuli.caption(x[None], LABELS[k], size=LETTERS) for x, k in zip(images, said, strict=True)]
            )
        )
        with torch.inference_mode():
            return (model(pictures).argmax(1) == labels).float().mean().item()

    if name != "captioned_none":  # which has never seen a letter, and is lost where there are some
        assert accuracy(labels) > 0.85
    assert without[0] <= accuracy(None) <= without[1] and wrong[0] <= accuracy((labels + 1) % 3) <= wrong[1]


def test_the_four_are_small():
    sizes = [(DATA / entry["file"]).stat().st_size for name, entry in files("weights").items() if "captioned" in name]
    assert len(sizes) == 4 and sum(sizes) < 4e6
