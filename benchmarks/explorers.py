"""How long each explorer takes to answer: `python benchmarks/explorers.py` (two minutes on a quiet machine).

One control moves, the figure is drawn again and encoded, with the settings of the labs. Wall seconds are what a reader
waits on this machine as it is now; CPU seconds, of all threads, also tell something where other programs run. The first
look has a quarter of the steps, where an explorer gives one. The fastest of three.
"""

import time
from collections.abc import Callable

import torch

import coursekit as ck
from coursekit.explorers.explorer import MANY, Explorer


def explorers() -> dict[str, tuple[Callable[[], Explorer], str]]:
    """Name -> how to make the explorer, and a control to move."""
    lite, coursenet = ck.load_model("efficientnet_lite0"), ck.load_model("coursenet")
    cat, small = ck.load_image("chelsea", size=224), ck.load_image("chelsea", size=128)
    scenes = ck.scenes(24, objects=["zebra", "hen"], size=128).images
    return {
        "prediction": (lambda: ck.explore_prediction(lite), "photograph"),
        "activations": (lambda: ck.explore_activations(lite, layer="relu2"), "channel"),
        "training": (ck.explore_training, "step"),
        "occlusion": (lambda: ck.explore_occlusion(lite, cat), "row"),
        "saliency": (lambda: ck.explore_saliency(lite, cat), "target"),
        "backward": (lambda: ck.explore_backward(coursenet), "channel"),
        "cam": (lambda: ck.explore_cam(lite, cat, ["block5", "block11", "relu2"]), "target"),
        "features": (lambda: ck.explore_features(lite, "block11", 56), "channel"),
        "fooling": (lambda: ck.explore_fooling(lite, cat), "target"),
        "inversion": (lambda: ck.explore_inversion(coursenet, "relu2", size=128, steps=80), "seed"),
        "dream": (lambda: ck.explore_dream(lite), "octaves"),
        "style": (lambda: ck.explore_style(lite), "style"),
        "doodle": (lambda: ck.explore_doodle(lite), "steps"),
        "fast style": (ck.explore_fast_style, "mosaic"),
        "randomisation": (lambda: ck.explore_randomisation(coursenet, small), "forgotten"),
        "unit": (lambda: ck.explore_unit(coursenet, scenes, "relu3", 57), "channel"),
    }


def moved(explorer: Explorer, name: str) -> dict:
    """Return the values of the controls with one of them moved."""
    control = explorer.controls[name]
    if hasattr(control, "options"):
        values = [option[1] if isinstance(option, tuple) else option for option in control.options]
        other = next(value for value in values if value != control.value)
    else:
        other = control.value + control.step if control.value < control.max else control.min
    return explorer.drawn | {name: other}


def timed(draw: Callable[[], object]) -> tuple[float, float]:
    """Return wall and CPU seconds, the fastest of three."""
    spent = []
    for _ in range(3):
        wall, cpu = time.perf_counter(), time.process_time()
        draw()
        spent.append((time.perf_counter() - wall, time.process_time() - cpu))
    return min(wall for wall, _ in spent), min(cpu for _, cpu in spent)


def main() -> None:
    ck.setup(seed=0)
    torch.set_num_threads(2)
    print(f"{'explorer':14} {'wall s':>8} {'CPU s':>8} {'first look':>11} {'the figure alone':>17}")
    for name, (make, control) in explorers().items():
        explorer = make()
        values = moved(explorer, control)
        wall, cpu = timed(lambda e=explorer, v=values: e.draw(**v).data)
        look, picture = "", explorer.picture
        if values.get("steps", 0) >= MANY:
            few = values | {"steps": values["steps"] // 4}
            look = f"{timed(lambda e=explorer, v=few: e.draw(**v).data)[1]:.2f}"

        def encode(picture=picture) -> None:
            picture.__dict__.pop("data", None)
            _ = picture.data

        print(f"{name:14} {wall:8.2f} {cpu:8.2f} {look:>11} {timed(encode)[1]:17.2f}", flush=True)


if __name__ == "__main__":
    main()
