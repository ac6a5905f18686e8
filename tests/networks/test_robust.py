"""The robust twin of EfficientNet-Lite0: what it keeps of its teacher's answers, and what its gradient gains."""

import pytest
import torch

import coursekit as ck

TEACHER, TWIN = "efficientnet_lite0", "efficientnet_lite0_robust"


def low_frequencies(gradients: torch.Tensor) -> float:
    """Return the part of the power that lies in waves longer than eight pixels."""
    power = torch.fft.fft2(gradients.mean(1)).abs() ** 2
    rows, columns = (torch.fft.fftfreq(side) for side in power.shape[-2:])
    return float(power[:, (rows[:, None] ** 2 + columns**2) < 1 / 64].sum() / power.sum())


@pytest.fixture(scope="module")
def marks() -> dict[str, dict[str, float]]:
    """Of the scenes by which the twin was examined, four of each object that no training has seen."""
    unseen = list(ck.cutouts("unseen"))
    scenes = ck.scenes(4 * len(unseen), objects=unseen, seed=5)
    found = {}
    for name in (TEACHER, TWIN):
        model = ck.load_model(name)
        answers = torch.cat([model(batch).argmax(1) for batch in scenes.images.split(8)])
        gradients = ck.input_gradient(model, scenes.images, scenes.targets.tolist())
        found[name] = {
            "accuracy": float((answers == scenes.targets).float().mean()),
            "energy": float(ck.mask_energy(gradients, scenes.masks).mean()),
            "low frequencies": low_frequencies(gradients),
        }
    return found


@pytest.mark.parametrize(("mark", "least"), [("accuracy", 0.75), ("energy", 1.15), ("low frequencies", 3.0)])
def test_the_twin_keeps_its_answers_and_its_gradient_is_smoother_and_on_the_object(marks, mark, least):
    assert marks[TWIN][mark] >= least * marks[TEACHER][mark]


def test_it_takes_a_larger_attack_to_change_the_twins_answer():
    """Of pictures that both name alike: five steps of ascent, within a length of .25 at 128 pixels."""
    both = [ck.load_model(name) for name in (TEACHER, TWIN)]
    unseen = list(ck.cutouts("unseen"))
    images = ck.scenes(2 * len(unseen), objects=unseen, seed=78, size=128).images
    answers = [model(images).argmax(1) for model in both]
    alike = answers[0] == answers[1]
    images, wanted = images[alike], answers[0][alike, None]
    kept = []
    for model in both:
        change = torch.zeros_like(images)
        for _ in range(5):
            change.requires_grad_()
            loss = -model((images + change).clamp(0, 1)).log_softmax(1).gather(1, wanted).sum()
            (slope,) = torch.autograd.grad(loss, change)
            change = change.detach() + 0.1 * slope / slope.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
            change = change * (0.25 / change.flatten(1).norm(dim=1)).clamp(max=1).view(-1, 1, 1, 1)
        kept.append(float((model((images + change).clamp(0, 1)).argmax(1) == wanted[:, 0]).float().mean()))
    assert len(images) >= 10 and kept[1] > kept[0] + 0.2, kept


def test_its_layers_have_the_names_of_its_teacher_and_it_says_what_it_is():
    twin = ck.load_model(TWIN)
    assert list(twin.layers) == list(ck.load_model(TEACHER).layers) and twin.labels[285] == "Egyptian cat"
    assert twin.name == TWIN and twin.input_size == 224 and ck.is_available(TWIN)
    assert "robust" in twin.source


def test_no_other_network_has_a_robust_twin():
    with pytest.raises(ck.UnknownModel, match="efficientnet_lite1"):
        ck.load_model("efficientnet_lite1_robust")
