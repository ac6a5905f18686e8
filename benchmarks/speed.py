"""How fast is the course beside the packages that people use, and beside one pass through the network?

`make bench` runs it on a quiet machine, in less than eight minutes, and writes docs/performance.md. In one process all
take turns, so that a slow moment hits all; a ratio is the median over the rounds, ours divided by theirs. The maps of
captum are compared too, since a fast wrong map is worth nothing. F is one plain forward pass of the model as it is
loaded, FB a forward pass and the gradient of the image. A package that is not here is left out with a sentence.

    python benchmarks/speed.py --quick    # one round of the short rows, printed and not written
"""

import argparse
import importlib
import platform
import re
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import psutil
import torch
from torch import Tensor

import coursekit as ck
from coursekit.attribution.fills import baseline

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "build" / "peers"  # where `make bench` puts packages that do not get on with the course's own
CAT, BATCH, STEPS = 285, 8, 50  # the Egyptian cat; captum's best batch on a CPU
PAINT = 8  # steps of painting that are timed
Call = Callable[[], object]
HEAVY = [  # whose peak memory is measured
    ("occlusion 32/16, efficientnet_lite0", "captum"),
    ("integrated gradients, 50 steps", "captum"),
    ("FullGrad", "pytorch-grad-cam"),
    ("features of classes, 128 px, eight", "lucent"),
]


@dataclass
class Row:
    """One kind of work: ours, and what it is measured against; `each` of theirs makes one of ours."""

    work: str
    ours: Call
    against: str
    theirs: Call
    most: float | None = None  # the ratio that we want to stay below
    each: float = 1.0
    long: bool = False  # left out by --quick
    ratios: list[float] = field(default_factory=list)
    seconds: tuple[float, float] = (0.0, 0.0)
    alike: float | None = None


class Stop(Exception):
    """A layer has been reached."""


def peer(name: str) -> object:
    """The module of that name; where it is not here, a sentence and None."""
    try:
        return importlib.import_module(name)
    except Exception as error:  # of any kind: these packages fail in many ways
        print(f"{name} is left out ({type(error).__name__}: {error}); `make bench` installs it.")
        return None


def passes(model: ck.Model, images: Tensor, layer: str | None = None) -> tuple[Call, Call]:
    """A plain forward pass, and one with the gradient of the images; up to a layer where one is given."""

    def stop(module: torch.nn.Module, inputs: tuple, output: Tensor) -> None:
        error = Stop()
        error.output = output
        raise error

    def forward(x: Tensor) -> Tensor:
        if layer is None:
            return model(x)
        handle = model.layer(layer).register_forward_hook(stop)
        try:
            model(x)
        except Stop as reached:
            return reached.output
        finally:
            handle.remove()
        raise AssertionError(f"{layer} did not run")

    def backward() -> Tensor:
        x = images.clone().requires_grad_()
        return torch.autograd.grad(forward(x).pow(2).sum(), x)[0]

    return torch.no_grad()(lambda: forward(images)), backward


def occlusions(captum: object, wanted: str) -> list[Row]:
    """Occlusion beside captum's, at the batch that suits captum best."""
    rows = []
    for name, window, stride, most in (
        ("efficientnet_lite0", 32, 16, 0.25),
        ("efficientnet_lite0", 16, 8, 0.25),
        ("resnet18", 32, 16, 0.45),
        ("vgg16", 32, 16, 0.20),
    ):
        work = f"occlusion {window}/{stride}, {name}"
        if not work.startswith(wanted.split("|")[0]):
            continue  # VGG-16 takes seconds to make
        model = ck.load_model(name) if name == "efficientnet_lite0" else ck.random_model(name, seed=0)
        image = ck.load_image("chelsea", size=224).to(model.device)
        options = {"sliding_window_shapes": (3, window, window), "strides": (3, stride, stride)}
        options |= {
            "baselines": baseline(model, image, "mean"),
            "perturbations_per_eval": BATCH if name != "vgg16" else 1,
        }
        rows.append(
            Row(
                work,
                lambda m=model, x=image, w=window, s=stride: ck.occlusion(m, x, CAT, window=w, stride=s),
                "captum",
                lambda m=model, x=image, o=options: captum.Occlusion(m).attribute(x, target=torch.tensor([CAT]), **o),
                most,
                long=(name, stride) != ("efficientnet_lite0", 16),
            )
        )
    return rows


def gradients(captum: object, grad_cam: object) -> list[Row]:
    """Methods of one pass or of many, on EfficientNet-Lite0 at 224 pixels."""
    model = ck.load_model("efficientnet_lite0")
    image = ck.load_image("chelsea", size=224).to(model.device)
    target, layer = torch.tensor([CAT], device=model.device), "relu2"
    f, fb = passes(model, image)
    rows = [
        Row("saliency", lambda: ck.saliency(model, image, CAT), "FB", fb, 0.70),
        Row("guided backpropagation", lambda: ck.guided_backprop(model, image, CAT), "FB", fb, 0.90),
        Row("Grad-CAM", lambda: ck.grad_cam(model, image, CAT, layer=layer), "F", f, 0.80),
        Row("FullGrad", lambda: ck.fullgrad(model, image, CAT), "F", f, 3.0),
    ]
    if captum:
        noise = {"nt_samples": STEPS, "nt_samples_batch_size": BATCH, "stdevs": 0.15, "abs": False}
        ig = {"n_steps": STEPS, "method": "riemann_middle"}
        guided = captum.GuidedGradCam(model, model.layer(layer))
        path = "integrated gradients, 50 steps", lambda: ck.integrated_gradients(model, image, CAT, steps=STEPS)
        many = "SmoothGrad, 50 samples", lambda: ck.smoothgrad(model, image, CAT, samples=STEPS)
        integrated, smooth = captum.IntegratedGradients(model), captum.NoiseTunnel(captum.Saliency(model))
        rows += [
            Row(
                *path,
                "captum",
                lambda: integrated.attribute(image, target=target, **ig, internal_batch_size=BATCH),
                0.65,
            ),
            Row(
                *path,
                "captum as it comes",
                lambda: integrated.attribute(image, target=target, **ig),
                long=True,
            ),
            Row(*many, "captum", lambda: smooth.attribute(image, target=target, **noise), 0.65),
            Row(
                "saliency",
                lambda: ck.saliency(model, image, CAT),
                "captum",
                lambda: captum.Saliency(model).attribute(image, target=target, abs=False),
            ),
            Row(
                "Grad-CAM",
                lambda: ck.grad_cam(model, image, CAT, layer=layer),
                "captum",
                lambda: captum.LayerGradCam(model, model.layer(layer)).attribute(image, target=target),
            ),
            Row(
                "guided Grad-CAM",
                lambda: ck.guided_grad_cam(model, image, CAT, layer=layer),
                "captum",
                lambda: guided.attribute(image, target=target),
                0.65,
            ),
        ]
    if grad_cam:
        chosen = [importlib.import_module("pytorch_grad_cam.utils.model_targets").ClassifierOutputTarget(CAT)]
        own = ck.load_model(
            "efficientnet_lite0"
        )  # it leaves its hooks on the network, for which ours takes no fast copy
        cams = {"Grad-CAM": grad_cam.GradCAM(own, [own.layer(layer)]), "FullGrad": grad_cam.FullGrad(own, [])}
        for row in [row for row in rows if row.work in cams and row.against == "F"]:
            rows.append(
                Row(
                    row.work,
                    row.ours,
                    "pytorch-grad-cam",
                    lambda cam=cams[row.work]: cam(image.clone().requires_grad_(), chosen),
                )
            )
    return rows


def curves(quantus: object) -> list[Row]:
    """A deletion curve, for each of its steps."""
    model = ck.load_model("efficientnet_lite0")
    image = ck.load_image("chelsea", size=224).to(model.device)
    heat = ck.edge_map(model, image)
    rows = [
        Row(
            "deletion curve, a step of 16",
            lambda: ck.deletion_curve(model, image, heat, CAT, steps=16),
            "F",
            passes(model, image)[0],
            0.75,
            each=16,
        )
    ]
    if quantus:
        flip = quantus.PixelFlipping(features_in_step=1024, disable_warnings=True, display_progressbar=False)
        batch = {"x_batch": image.cpu().numpy(), "y_batch": torch.tensor([CAT]).numpy(), "a_batch": heat.cpu().numpy()}
        theirs = lambda: flip(model=model, **batch, device=str(model.device))  # noqa: E731
        rows.append(Row("deletion curve, a step", rows[0].ours, "quantus", theirs, each=16 / 49))
    return rows


def paintings(lucent: object) -> list[Row]:
    """Steps of painting: features, inversions and styles."""
    model, classes = ck.load_model("efficientnet_lite0"), list(range(0, 1000, 125))
    photo, style = ck.load_image("chelsea", size=256), ck.style_image("strokes", 256)
    order, deep = list(model.layers), "block9"
    styled = max([*ck.style_layers(model), "block5"], key=order.index)
    options = {"size": 128, "steps": PAINT, "progress": False}
    rows = [
        Row(
            "features of block 9, 128 px, eight",
            lambda: ck.render(model, ck.unit(deep, 3), n=8, **options),
            "FB to there",
            passes(model, torch.rand(8, 3, 128, 128).to(model.device), deep)[1],
            1.25,
            each=PAINT,
        ),
        Row(
            "style transfer, a step at 256 px",
            lambda: ck.style_transfer(model, photo, style, steps=PAINT),
            "FB to there",
            passes(model, photo.to(model.device), styled)[1],
            1.25,
            each=PAINT,
        ),
        Row(
            "inversion of block 5, a step at 256 px",
            lambda: ck.invert(model, photo, "block5", steps=PAINT),
            "FB to there",
            passes(model, photo.to(model.device), "block5")[1],
            1.25,
            each=PAINT,
        ),
    ]
    if lucent:
        objectives, param = (importlib.import_module(f"lucent.optvis.{part}") for part in ("objectives", "param"))
        wish = sum(objectives.channel("module_classifier", k, batch=i) for i, k in enumerate(classes))
        quiet = {"thresholds": (PAINT,), "preprocess": False, "progress": False, "show_image": False}
        rows.append(
            Row(
                "features of classes, 128 px, eight",
                lambda: ck.render(model, classes, **options),
                "lucent",
                lambda: lucent.render_vis(model, wish, lambda: param.image(128, batch=8), **quiet),
                1 / 9,
            )
        )
    return rows


def seconds(call: Call, clock: Callable[[], float]) -> tuple[float, object]:
    start = clock()
    result = call()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return clock() - start, result


def measure(row: Row, budget: float, clock: Callable[[], float]) -> None:
    """Let both take turns for about so many seconds; calls that are long count at once, others warm up first."""
    (a, mine), (b, yours) = (seconds(call, clock) for call in (row.ours, row.theirs))
    if row.against == "captum" and row.work.startswith(("occlusion", "integrated", "Grad-CAM")):
        pair = torch.stack([mine.expand_as(yours).flatten(), yours.flatten()]).detach().cpu()
        row.alike = float(torch.corrcoef(pair)[0, 1])
    long = a + b > 10
    pairs = [(a, b)] if long else []
    while not long and len(pairs) < 15 and (not pairs or sum(map(sum, pairs)) < budget):
        pairs.append((seconds(row.ours, clock)[0], seconds(row.theirs, clock)[0]))
    row.ratios = [a / (b * row.each) for a, b in pairs]
    row.seconds = tuple(statistics.median(column) for column in zip(*pairs, strict=True))


def line(row: Row) -> str:
    ratio = statistics.median(row.ratios)
    goal = "" if row.most is None else f"{row.most:.2f} {'✓' if ratio <= row.most else '✗'}"
    spread = f"{min(row.ratios):.2f} to {max(row.ratios):.2f}, {len(row.ratios)}"
    alike = "" if row.alike is None else f"{row.alike:.4f}"
    ours, theirs = (f"{value:.3f}" for value in (row.seconds[0], row.seconds[1] * row.each))
    cells = row.work, row.against, f"**{ratio:.2f}**", goal, spread, ours, theirs, alike
    return "| " + " | ".join(cells) + " |"


def growth(clock: Callable[[], float], quick: bool) -> list[str]:
    """How the time grows with windows, steps, pixels and images: each column doubles or nearly so."""
    model = ck.load_model("efficientnet_lite0")
    image = ck.load_image("chelsea", size=224)
    larger = {size: ck.load_image("chelsea", size=size) for size in (112, 160, 224, 320)}
    many = torch.cat([image.roll(shift, 3) for shift in range(0, 160, 10)])
    series: dict[str, dict[str, Call]] = {
        "occlusion, windows of 32 px": {
            f"{(192 // s + 1) ** 2}": lambda s=s: ck.occlusion(model, image, CAT, window=32, stride=s)
            for s in (32, 24, 16, *([] if quick else [8]))
        },
        "integrated gradients, steps": {
            f"{n}": lambda n=n: ck.integrated_gradients(model, image, CAT, steps=n) for n in (8, 16, 32, 64)
        },
        "saliency, pixels a side": {f"{n}": lambda n=n: ck.saliency(model, larger[n], CAT) for n in larger},
        "saliency, images together": {f"{n}": lambda n=n: ck.saliency(model, many[:n], CAT) for n in (1, 2, 4, 8, 16)},
    }
    lines = ["| work | seconds |", "|---|---|"]
    for name, calls in series.items():
        found = {}
        for size, call in calls.items():
            call()
            found[size] = statistics.median(seconds(call, clock)[0] for _ in range(1 if quick else 3))
        lines.append(f"| {name} | {', '.join(f'{size}: {time:.3f}' for size, time in found.items())} |")
    return lines


def peaks(rows: list[Row]) -> list[str]:
    """How much memory a call takes beyond the loaded network, each in a process of its own."""
    lines = ["| work | ours | theirs |", "|---|---|---|"]
    for row in rows:
        sizes = []
        for side in ("ours", "theirs"):
            command = [sys.executable, __file__, "--peak", f"{row.work}|{row.against}|{side}"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            sizes.append(f"{done.stdout.split()[-1]} MB" if done.returncode == 0 else "–")
        lines.append(f"| {row.work} | {sizes[0]} | {row.against}: {sizes[1]} |")
    return lines


def peak(rows: list[Row], wanted: str) -> int:
    """Megabytes by which the peak of one call stands above what the process holds before it (Linux)."""
    row = next(row for row in rows if wanted.startswith(f"{row.work}|{row.against}|"))
    call = row.ours if wanted.endswith("|ours") else row.theirs

    def held(key: str) -> int:
        return int(re.search(rf"{key}:\s+(\d+) kB", Path("/proc/self/status").read_text("utf8")).group(1))

    Path("/proc/self/clear_refs").write_text("5", "utf8")  # forget the peak of loading
    before = held("VmRSS")
    call()
    return round((held("VmHWM") - before) / 1024)


def machine() -> str:
    """What the numbers were measured on."""
    name = platform.processor() or platform.machine()
    with suppress(OSError):
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text("utf8"))
        name = found.group(1) if found else name
    name = torch.cuda.get_device_name() if torch.cuda.is_available() else name
    packages = []
    for package in ("torch", "captum", "grad-cam", "quantus", "torch-lucent"):
        with suppress(importlib.metadata.PackageNotFoundError):
            packages.append(f"{package} {version(package)}")
    packages += [f"{psutil.virtual_memory().total / 2**30:.0f} GB of memory", f"Python {platform.python_version()}"]
    return f"{name}, {torch.get_num_threads()} threads, {', '.join(packages)}"


PAGE = """# Performance

Written by `make bench` in one process on a quiet machine: {machine}; {date}.

A ratio is our time divided by theirs, the median over rounds in which both take turns: below 1, ours is faster. F is
one plain forward pass of the model as it is loaded, FB a forward pass and the gradient of the image; *there* is the
deepest layer that the method needs. Peers run at the batch that suits them best. Networks: EfficientNet-Lite0 with
trained weights at 224 pixels where nothing else is said; ResNet-18 and VGG-16 with random ones. The last column is the
correlation of our map with captum's.

| work | against | ratio | to stay below | lowest to highest, rounds | ours, s | theirs, s | maps |
|---|---|---|---|---|---|---|---|
{table}

## How the time grows

{growth}

## Peak memory

What one call adds to the peak of a fresh process that has loaded the network.

{memory}
{missing}"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Our speed beside other packages'.")
    parser.add_argument("--quick", action="store_true", help="one round of the short rows, printed and not written")
    parser.add_argument("--busy", action="store_true", help="count the processor's time, where others use the machine")
    parser.add_argument("--only", default="", help="only the rows that begin so, printed and not written")
    parser.add_argument("--peak", help=argparse.SUPPRESS)
    options = parser.parse_args()
    sys.path.append(str(PEERS))
    warnings.simplefilter("ignore")  # of the peers
    ck.setup()
    clock = time.process_time if options.busy else time.perf_counter
    names = {
        "captum": "captum.attr",
        "pytorch-grad-cam": "pytorch_grad_cam",
        "quantus": "quantus",
        "lucent": "lucent.optvis.render",
    }
    found = {name: peer(module) for name, module in names.items()}
    rows = [
        *occlusions(found["captum"], options.peak or options.only),
        *gradients(found["captum"], found["pytorch-grad-cam"]),
    ]
    rows += [*curves(found["quantus"]), *paintings(found["lucent"])]
    rows = [row for row in rows if found["captum"] or row.against != "captum"]
    if options.peak:
        print(peak(rows, options.peak))
        return
    table = []
    for row in [row for row in rows if row.work.startswith(options.only) and not (options.quick and row.long)]:
        measure(row, 0.0 if options.quick else 8.0, clock)
        table.append(line(row))
        print(table[-1], flush=True)
    if options.only:
        return
    grown = growth(clock, options.quick)
    print(*grown, sep="\n", flush=True)
    if options.quick:
        return
    heavy = [row for row in rows if (row.work, row.against) in HEAVY]
    missing = [f"{name} was not here." for name, module in found.items() if module is None]
    page = PAGE.format(
        machine=machine(),
        date=time.strftime("%d %B %Y"),
        table="\n".join(table),
        growth="\n".join(grown),
        memory="\n".join(peaks(heavy)),
        missing="\n" + " ".join(missing) + "\n" if missing else "",
    )
    (ROOT / "docs" / "performance.md").write_text(page, "utf8")
    told = [row for row in rows if row.against in found]
    said = "; ".join(f"{row.work} {statistics.median(row.ratios):.2f} of {row.against}" for row in told)
    readme = ROOT / "README.md"
    block = f"*Time, as a part of what other packages take ([how it was measured](docs/performance.md)): {said}.*"
    old = readme.read_text("utf8")
    readme.write_text(
        re.sub(r"(<!-- speed -->\n).*(<!-- end of speed -->)", rf"\1{block}\n\2", old, flags=re.S), "utf8"
    )
    print("docs/performance.md is written, and the ratios in README.md.")


if __name__ == "__main__":
    main()
