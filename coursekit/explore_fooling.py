"""Explorer of lab 08: choose a class and a budget, and fool the network."""

import ipywidgets as widgets
import torch
from torch import Tensor

from coursekit import plotting
from coursekit.explore import Explorer
from coursekit.images import check_images
from coursekit.models import Model, predict
from coursekit.plotting import Picture
from coursekit.synthesis.fooling import iterated_gradient_sign

SUGGESTED = ("ostrich", "teapot", "school bus", "volcano", "daisy", "electric guitar", "tabby", "castle")


def explore_fooling(model: Model, image: Tensor) -> Explorer:
    """Choose the class that the network shall see, how much each value may change, and how many steps.

    >>> import coursekit as ck
    >>> ck.explore_fooling(ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224))
    <Explorer: target, epsilon, steps; Egyptian cat before; ostrich after a change of at most 2/255>
    """
    check_images(image)
    labels = model.labels or [f"class {k}" for k in range(model(image).shape[1])]
    options = [name for name in SUGGESTED if name in labels] or list(labels)[:8]
    before = predict(model, image, top=1)[0][0][0]

    def draw(target: str, epsilon: float, steps: int) -> Picture:
        budget = epsilon / 255
        made = iterated_gradient_sign(
            model, image, labels.index(target), epsilon=budget, step=2 * budget / steps, steps=steps
        ).cpu()
        name, sure = predict(model, made, top=1)[0][0]
        return plotting.show_images(
            [torch.as_tensor(image), (0.5 + 10 * (made - image)).clamp(0, 1), made],
            [before, "the change × 10", f"{name} {sure:.0%}"],
            columns=3,
            alt=f"{before} before; {name} after a change of at most {epsilon:g}/255",
        )

    return Explorer(
        draw,
        target=widgets.Dropdown(options=options, description="class"),
        epsilon=widgets.FloatSlider(
            value=2, min=0.25, max=8, step=0.25, description="ε · 255", continuous_update=False
        ),
        steps=widgets.IntSlider(value=8, min=1, max=20, description="steps", continuous_update=False),
    )
