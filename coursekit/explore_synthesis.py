"""Images made by a network, live: watch one grow, fool the network, or let it dream."""

from collections.abc import Callable

import ipywidgets as widgets
import torch
from torch import Tensor

from coursekit.explorers.explorer import Explorer, photograph_or_upload
from coursekit.figures import figure as plotting
from coursekit.figures.figure import Picture
from coursekit.images.loading import check_images, load_image
from coursekit.networks.model import Model, predict
from coursekit.probe.capture import check_count
from coursekit.synthesis.dream import dream
from coursekit.synthesis.fooling import iterated_gradient_sign

SUGGESTED = ("ostrich", "teapot", "school bus", "volcano", "daisy", "electric guitar", "tabby", "castle")


def live_picture(every: int = 16) -> Callable[[int, Tensor], None]:
    """Make a `watch` for `ck.render`: under the progress bar the pictures of the first and every 16th step, in place.

    >>> import coursekit as ck
    >>> model = ck.load_model("efficientnet_lite0")
    >>> made = ck.render(model, [130, 340], size=64, steps=2, watch=ck.live_picture(), progress=False)
    <Picture: Pictures: step 1>
    """
    from IPython.display import display

    check_count("every", every)
    handles = []

    def watch(step: int, images: Tensor) -> None:
        if not handles:
            handles.append(display(plotting.show_images(images, [f"step {step}"]), display_id=True))
        elif step % every == 0 and handles[0]:  # outside of a notebook there is no handle
            handles[0].update(plotting.show_images(images, [f"step {step}"]))

    return watch


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


def explore_dream(model: Model, layer: str = "", photograph: str = "china", size: int = 176) -> Explorer:
    """Choose a picture, a layer, the number of octaves and of steps; an upload is taken instead of the photograph.

    >>> import coursekit as ck
    >>> ck.explore_dream(ck.load_model("efficientnet_lite0"), size=96)
    <Explorer: photograph, upload, layer, octaves, steps; china and its dream of block10>
    """
    names = [name for name in model.layers if name.startswith(("block", "relu", "conv", "mixed", "layer"))]
    layer = layer or names[int(0.55 * len(names))]

    def draw(photograph: str, upload: tuple, layer: str, octaves: int, steps: int) -> Picture:
        image = load_image(upload[-1] if upload else photograph, size=size)
        made = dream(model, image, layer, octaves=octaves, steps=steps)
        name = "your picture" if upload else photograph
        return plotting.show_images([image, made], [name, layer], columns=3, alt=f"{name} and its dream of {layer}")

    return Explorer(
        draw,
        **photograph_or_upload(photograph),
        layer=widgets.Dropdown(options=names, value=layer, description="layer"),
        octaves=widgets.IntSlider(value=2, min=1, max=3, description="octaves", continuous_update=False),
        steps=widgets.IntSlider(value=6, min=1, max=20, description="steps", continuous_update=False),
    )
