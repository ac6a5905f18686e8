"""What a window can change: the pieces that are computed again give what full passes give, in every architecture."""

import pytest
import torch
import torch.nn.functional as F
from nets import small_model
from state import unchanged, unusual_model
from torch import Tensor, nn

import coursekit as ck
from coursekit.attribution import occlusion as plain
from coursekit.networks.nets.coursenet import coursenet
from coursekit.probe import windows
from coursekit.probe.recording import Recorder
from coursekit.probe.windows import changing, reaches


def randomised(module: nn.Module, seed: int = 0) -> ck.Model:
    """Give BatchNorm statistics as after a training, none of them 0 or 1, so that folding them in has to be right."""
    generator = torch.Generator().manual_seed(seed)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            for tensor, least in (
                (part.running_mean, -0.5),
                (part.running_var, 0.5),
                (part.weight, 0.5),
                (part.bias, -0.5),
            ):
                if tensor is not None:
                    tensor.data.copy_(torch.rand(tensor.shape, generator=generator) + least)
    return ck.Model(module, (0.4, 0.5, 0.6), (0.2, 0.3, 0.25))


class Gated(nn.Module):
    """Convolutions of every stride, padding and dilation, a mean over the picture that gates channels, two branches."""

    def __init__(self, gate: bool = False, ceil: bool = False):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 5, 2, 2, bias=False)
        self.norm = nn.BatchNorm2d(8, affine=False)
        self.wide = nn.Conv2d(8, 8, 3, padding="same", dilation=2, groups=8)
        self.skip = nn.Conv2d(8, 16, 1, stride=2)
        self.deep = nn.Sequential(nn.ReLU(inplace=True), nn.Conv2d(8, 16, 3, 2, 1), nn.BatchNorm2d(16))
        self.pool = nn.MaxPool2d(3, 2, ceil_mode=ceil)
        self.mean = nn.AvgPool2d(2)
        self.gate = nn.Conv2d(16, 16, 1) if gate else None
        self.late = nn.Conv2d(32, 12, (3, 1), padding=(1, 0))
        self.fc = nn.Linear(12, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = F.gelu(self.norm(self.stem(F.pad(x, (1, 2, 0, 1)))))
        x = self.wide(x) * 0.5 + x
        skip = self.skip(x)
        x = self.deep(x)
        x += skip
        x = self.mean(self.pool(x))
        if self.gate is not None:
            x = x * self.gate(x.mean((2, 3), keepdim=True)).sigmoid()
        x = F.relu6(self.late(torch.cat([x, -x], 1)), inplace=True)
        return self.fc(x.mean([2, 3]))


def seeded_model(build: object) -> ck.Model:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return randomised(build())


def torchvision(name: str) -> object:
    def build() -> nn.Module:
        import torchvision

        return getattr(torchvision.models, name)(num_classes=10)

    return build


def timms(name: str) -> object:
    def build() -> nn.Module:
        import timm

        return timm.create_model(name, num_classes=10)

    return build


NETWORKS = {  # name -> (how to build it, height and width of the image)
    "efficientnet_lite0": (timms("tf_efficientnet_lite0"), (80, 97)),
    "mobilenet_v2": (torchvision("mobilenet_v2"), (97, 96)),
    "resnet18": (torchvision("resnet18"), (101, 96)),
    "vgg11": (torchvision("vgg11"), (64, 64)),
    "densenet121": (torchvision("densenet121"), (64, 64)),
    "squeezenet1_1": (torchvision("squeezenet1_1"), (99, 96)),
    "coursenet": (lambda: coursenet(10), (112, 96)),
    "every kind of step": (Gated, (75, 64)),
    "a pooling that goes beyond the border": (lambda: Gated(ceil=True), (71, 66)),
    "a gate": (lambda: Gated(gate=True), (71, 64)),
}


@pytest.fixture(autouse=True)
def always(monkeypatch):
    """Take the pieces also where full passes would be faster."""
    monkeypatch.setattr(windows, "WORTH", 1.0)


@pytest.fixture
def taken(monkeypatch):
    """How often pieces were prepared, and how often in vain."""
    asked = []

    def noted(*args):
        asked.append(changing(*args))
        return asked[-1]

    monkeypatch.setattr(plain, "changing", noted)
    return asked


def full_passes(monkeypatch) -> None:
    monkeypatch.setattr(plain, "changing", lambda *args: None)


@pytest.mark.parametrize("name", NETWORKS)
def test_pieces_give_what_full_passes_give(name, taken, monkeypatch):
    build, size = NETWORKS[name]
    model, images = seeded_model(build), torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
    options = {"target": [3, 1], "window": 19, "stride": 13, "fill": "blur"}
    ours = ck.occlusion_grid(model, images, **options)
    assert len(taken) == 2 and None not in taken, "the pieces are taken"
    full_passes(monkeypatch)
    theirs = ck.occlusion_grid(model, images, **options)
    spread = theirs.score.flatten(1).std(1).min()
    assert (ours.score - theirs.score).abs().max() < 1e-4 * min(spread, theirs.score.abs().max()) + 1e-6
    assert torch.equal(ours.label, theirs.label)
    assert torch.allclose(ours.probability, theirs.probability, atol=1e-5)


@pytest.mark.parametrize("fill", ["mean", "black", "blur", (0.2, 0.9, 0.4)])
@pytest.mark.parametrize(
    "target", [None, 3, ck.unit("conv3", 2), ck.unit("conv2", 1, (2, 3)), lambda y: y[:, 0] * y[:, 1]]
)
@pytest.mark.parametrize("inplace", [False, True])
def test_every_target_and_fill(target, fill, inplace, taken, monkeypatch):
    images = torch.rand(2, 3, 33, 40, generator=torch.Generator().manual_seed(2))
    model, options = small_model(inplace), {"window": 7, "stride": 5, "fill": fill}
    feature = ck.unit("conv2", 4)
    ours = (
        ck.occlusion(model, images, target, **options),
        *ck.occlusion_grid(model, images, target, feature=feature, **options),
    )
    assert len(taken) == 4 and None not in taken
    full_passes(monkeypatch)
    theirs = (
        ck.occlusion(model, images, target, **options),
        *ck.occlusion_grid(model, images, target, feature=feature, **options),
    )
    for a, b in zip(ours, theirs, strict=True):
        assert (a - b).abs().max() <= 1e-5 * b.abs().max() + 3e-6  # some roundings of a logit


@pytest.mark.parametrize("size", [(20, 20), (31, 20)])
@pytest.mark.parametrize(("window", "stride"), [(1, 1), (3, 2), (9, 4), (20, 5), (20, 1)])
def test_every_window(size, window, stride, taken, monkeypatch):
    model, images = (
        seeded_model(Gated).double(),
        torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(3)).double(),
    )
    ours = ck.occlusion(model, images, 2, window=window, stride=stride)
    full_passes(monkeypatch)
    theirs = ck.occlusion(model, images, 2, window=window, stride=stride)
    assert (ours - theirs).abs().max() <= 1e-11 * theirs.abs().max()


def test_the_pieces_are_smaller_than_the_maps():
    """A tenth of CourseNet's multiplications are left for small windows; the count is that of the marked positions."""
    model = seeded_model(lambda: coursenet(10))
    images = torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    boxes = plain._boxes(images, 8, 8)
    with torch.no_grad():
        rerun = changing(model, images, boxes, images[0], {})
        sizes = [tuple(rerun([90, 91])[0].shape)]
    assert sizes == [(2, 10)] and 0.02 < rerun.work < 0.2
    assert sorted(rerun.order) == list(range(len(boxes)))


# What cannot be done again in pieces -------------------------------------------------------------------------------


class Deciding(nn.Module):
    """Looks at a number, and goes another way."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)[:, :2] if x.mean() > 0.5 else -x.flatten(1)[:, :2]


class Writing(nn.Module):
    """Writes into a map."""

    def forward(self, x: Tensor) -> Tensor:
        x = x * 2
        x[:, :, 3:5] = 0
        return x.mean((2, 3))


class AcrossImages(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return (x - x.mean(0, keepdim=True)).mean((2, 3)) + x.amax((2, 3))


class PlaceCode(nn.Module):
    """Adds a code of its place to each position."""

    def __init__(self):
        super().__init__()
        self.code = nn.Parameter(torch.linspace(0, 1, 24 * 24).view(24, 24))

    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool2d(x + self.code, 24).flatten(1)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attend = nn.MultiheadAttention(12, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        tokens = F.unfold(x, 2, stride=2).transpose(1, 2)
        return self.attend(tokens, tokens, tokens)[0].mean(1)


class TrainingNorm(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.batch_norm(x, None, None, training=True).amax((2, 3))


@pytest.mark.parametrize("network", [Deciding, Writing, AcrossImages, PlaceCode, Attention, TrainingNorm])
def test_what_is_not_known_runs_in_full(network, taken):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = ck.Model(network())
    images = torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    ours = ck.occlusion_grid(model, images, 1, window=6, stride=6, fill="black").score.flatten()
    assert taken == [None]
    variants = []
    for rows, columns in plain._boxes(images, 6, 6):
        variants.append(images.clone())
        variants[-1][:, :, rows, columns] = 0
    with torch.no_grad():
        batches = [model(batch)[:, 1] for batch in torch.cat(variants).split(8)]
    assert torch.allclose(ours, torch.cat(batches))


def test_half_precision_few_windows_and_large_windows_run_in_full(monkeypatch):
    model, images = small_model(), torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(windows, "WORTH", 0.75)
    few, many, large = (plain._boxes(images, *each) for each in ((16, 16), (6, 6), (40, 2)))
    with torch.no_grad():
        assert changing(model, images, many, images[0], {}) is not None
        assert changing(model, images, few, images[0], {}) is None
        assert changing(model, images, large, images[0], {}) is None
        assert changing(model.half(), images, many, images[0], {}) is None


# The contract ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("passes", [None, 0, 1, 2])
def test_the_model_stays_as_it_was(passes, taken):
    model, images = unusual_model(32), torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    model.module.fuse.passes, model.module.fuse.error = passes, KeyboardInterrupt()
    with unchanged(model, images):
        if passes is None:
            ck.occlusion(model, images, window=6, stride=5)
            assert len(taken) == 2 and None not in taken
        else:
            with pytest.raises(KeyboardInterrupt):
                ck.occlusion(model, images, window=6, stride=5)


def test_nothing_is_kept_when_weights_change():
    model, images = small_model(), torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    first = ck.occlusion(model, images, 1, window=6, stride=5)
    with torch.no_grad():
        model.module.fc.weight *= 2
    assert torch.allclose(ck.occlusion(model, images, 1, window=6, stride=5), 2 * first, atol=1e-6)


def test_hooks_of_others_count():
    """Silence a channel for a while, and the pieces are those of the silenced network."""
    model, images = small_model(), torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with ck.ablate(model, "conv2", [0, 3]):
        silenced = ck.occlusion(model, images, 1, window=6, stride=5)
    with torch.no_grad():
        for tensor in (model.module.conv2.weight, model.module.conv2.bias):
            tensor[[0, 3]] = 0
    assert torch.allclose(silenced, ck.occlusion(model, images, 1, window=6, stride=5), atol=1e-6)


# What a window can change ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rows", "columns"), [((0, 5), (30, 41)), ((33, 39), (17, 18)), ((0, 75), (60, 64))])
def test_outside_its_reach_a_window_changes_nothing_and_inside_it_does(rows, columns):
    model, images = (
        seeded_model(Gated).double(),
        torch.rand(1, 3, 75, 64, generator=torch.Generator().manual_seed(0)).double(),
    )
    layers = ["stem", "wide", "deep.1", "pool", "late", "fc"]
    reach = ck.window_reach(model, images, layers, rows=rows, columns=columns)
    covered = images.clone()
    covered[:, :, slice(*rows), slice(*columns)] = torch.rand(1, generator=torch.Generator().manual_seed(1)).double()
    maps = ck.activations(model, torch.cat([images, covered]), layers, reduce="maps")
    for layer in layers[:-1]:
        changed = (maps[layer][0] - maps[layer][1]).abs().amax(0) > 1e-12
        assert not (changed & ~reach[layer]).any(), layer
        if layer in ("stem", "wide"):
            assert torch.equal(changed, reach[layer]), layer
    assert reach["fc"].tolist() == [[True]]


def test_the_reach_is_what_is_computed_again():
    model, images = small_model(), torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(0))
    model.input_size = 40
    reach = ck.window_reach(model, images, ["conv1", "conv2"], rows=(8, 12), columns=(0, 4))
    assert reach["conv1"].nonzero().aminmax(dim=0).max.tolist() == [12, 4]
    assert reach["conv1"].sum() == 6 * 5 and reach["conv2"].sum() == 6 * 4


def test_bad_windows_and_networks():
    model, images = small_model(), torch.rand(1, 3, 32, 32)
    with pytest.raises(ck.OptionError, match="rows must be two whole numbers, 0 ≤ first < end ≤ 32, but are"):
        ck.window_reach(model, images, ["conv1"], rows=(4, 33), columns=(0, 4))
    with pytest.raises(ck.OptionError, match="columns must be"):
        ck.window_reach(model, images, ["conv1"], rows=(4, 8), columns=(4, 4))
    with pytest.raises(ck.UnsupportedNetwork, match="not known to act on places"):
        ck.window_reach(ck.Model(Writing()), images, ["writing"], rows=(0, 4), columns=(0, 4))


def test_a_window_without_effect_reaches_one_position_at_least():
    """A stride larger than its kernel jumps over pixels; the sums stay right."""
    model = seeded_model(lambda: nn.Sequential(nn.Conv2d(3, 4, 1, stride=3), nn.AdaptiveAvgPool2d(1), nn.Flatten()))
    images = torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    with torch.no_grad(), Recorder(images) as record:
        logits = model(images)
    steps = record.before([logits])[1]
    for first, last in reaches(steps, [(slice(1, 2), slice(2, 3))]).values():
        assert (last >= first).all()
    ours = ck.occlusion(model, images, 1, window=1, stride=1)
    assert (ours[..., 0::3, 0::3].abs() > 1e-5).any() and ours[..., 1::3, :].abs().max() < 1e-5
