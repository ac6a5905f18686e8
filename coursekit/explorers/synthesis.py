"""An explorer of what channels want to see, and the stored sheets that show a few channels of each layer."""

from pathlib import Path

import ipywidgets as widgets

from coursekit.errors import DataUnavailable, OptionError, UnknownLayer
from coursekit.explorers.explorer import Explorer, _maps
from coursekit.figures import figure as plotting
from coursekit.figures.figure import Picture
from coursekit.files import DATA
from coursekit.networks.model import Model
from coursekit.synthesis.objectives import channel as see_channel
from coursekit.synthesis.parameterizations import maco, pixels
from coursekit.synthesis.render import render
from coursekit.synthesis.transforms import crops

WAYS = {
    "fourier": dict,  # the defaults of render
    "pixels": lambda: {"parameterization": pixels(), "rate": 0.02},
    "maco": lambda: {"parameterization": maco(), "transforms": [crops()], "rate": 0.5},
}


def explore_features(model: Model, layer: str = "", channel: int = 0, size: int = 96, steps: int = 32) -> Explorer:
    """Choose a layer, a channel, a parameterisation and the number of steps; see how the picture grows.

    Parameters
    ----------
    model : Model
    layer, channel : where to start; by default channel 0 of a layer in the middle. Channels beyond the layer's last one
        become the last one.
    size : height and width in pixels.
    steps : at the start.

    >>> import coursekit as ck
    >>> ck.explore_features(ck.load_model("efficientnet_lite0"), "block6", 5, size=32, steps=4)
    <Explorer: layer, channel, parameterization, steps; block6 channel 5 by fourier, after 1, 2 and 4 steps>
    """
    channels = _maps(model)
    layer = layer or list(channels)[len(channels) // 2]
    if layer not in channels:
        raise UnknownLayer(f"{model.name} has no layer {layer!r} with maps. It has: {', '.join(channels)}.")
    if not isinstance(channel, int) or not 0 <= channel < channels[layer]:
        raise OptionError(f"Layer {layer!r} has the channels 0 to {channels[layer] - 1}, but not {channel!r}.")

    def draw(layer: str, channel: int, parameterization: str, steps: int) -> Picture:
        channel = min(channel, channels[layer] - 1)
        moments = sorted({max(1, steps // 4), max(1, steps // 2), steps})
        made = render(
            model,
            see_channel(layer, channel),
            size=size,
            steps=steps,
            snapshots=moments,
            progress=False,
            **WAYS[parameterization](),
        )
        after = " and ".join(", ".join(map(str, moments)).rsplit(", ", 1))
        return plotting.show_images(
            list(made.snapshots.values()),
            [f"{step} step{'s' * (step > 1)}" for step in moments],
            columns=3,
            alt=f"{layer} channel {channel} by {parameterization}, after {after} step{'s' * (steps > 1)}",
        )

    return Explorer(
        draw,
        layer=widgets.Dropdown(options=list(channels), value=layer, description="layer"),
        channel=widgets.IntSlider(
            value=channel, min=0, max=max(channels.values()) - 1, description="channel", continuous_update=False
        ),
        parameterization=widgets.Dropdown(options=list(WAYS), description="painted by"),
        steps=widgets.IntSlider(value=steps, min=1, max=256, description="steps", continuous_update=False),
    )


def feature_gallery(name: str) -> Path:
    """Return the path of a stored sheet of features: "efficientnet_lite0", "coursenet" or "steps".

    `make gallery` paints them, in minutes. Raises `DataUnavailable` for a sheet that is not there.

    >>> feature_gallery("coursenet").name
    'features_coursenet.jpeg'
    """
    path = DATA.parent / "gallery" / f"features_{name}.jpeg"
    if not path.is_file():
        there = ", ".join(sorted(p.stem.removeprefix("features_") for p in path.parent.glob("features_*.jpeg")))
        raise DataUnavailable(f"There is no sheet of features {name!r}, only: {there or 'none'}; run `make gallery`.")
    return path
