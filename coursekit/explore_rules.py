"""An explorer of the three rules for the way back: choose a neuron, and see what each rule makes of it."""

import ipywidgets as widgets
from torch import Tensor

from coursekit.attribution.backward_rules import deconvnet, guided_backprop
from coursekit.attribution.gradients import input_gradient
from coursekit.errors import OptionError, UnknownLayer
from coursekit.explorers.explorer import Explorer, _maps, photograph_or_upload
from coursekit.figures import figure as plotting
from coursekit.figures.figure import Picture
from coursekit.images.loading import load_image
from coursekit.networks.model import Model
from coursekit.probe.capture import unit
from coursekit.units.patches import top_patches

RULES = {"backprop": input_gradient, "deconvnet": deconvnet, "guided": guided_backprop}


def explore_backward(model: Model, photograph: str = "chelsea", layer: str = "relu3", channel: int = 0) -> Explorer:
    """Choose a channel, and go back from its strongest neuron by three rules: backprop, deconvnet, guided.

    Left the picture with the neuron's receptive field, then the three pictures of `input_gradient`, `deconvnet` and
    `guided_backprop`, cut out to that field; 0 is grey.

    Parameters
    ----------
    model : Model whose activations are ReLU or ReLU6.
    photograph : one of the packaged photographs; a picture of your own can be uploaded.
    layer, channel : where to start; channels beyond the layer's last one become the last one.

    >>> import coursekit as ck
    >>> ck.explore_backward(ck.load_model("coursenet"))
    <Explorer: layer, channel, photograph, upload; Pictures: input, backprop, deconvnet, guided>
    """
    channels = _maps(model)
    if layer not in channels:
        raise UnknownLayer(f"{model.name} has no layer {layer!r} with maps. It has: {', '.join(channels)}.")
    if not isinstance(channel, int) or not 0 <= channel < channels[layer]:
        raise OptionError(f"Layer {layer!r} has the channels 0 to {channels[layer] - 1}, but not {channel!r}.")

    def draw(layer: str, channel: int, photograph: str, upload: tuple) -> Picture:
        image = load_image(upload[-1] if upload else photograph, size=model.input_size)
        return _draw(model, image, layer, min(channel, channels[layer] - 1))

    most = max(channels.values()) - 1
    return Explorer(
        draw,
        layer=widgets.Dropdown(options=list(channels), value=layer, description="layer"),
        channel=widgets.IntSlider(value=channel, min=0, max=most, description="channel", continuous_update=False),
        **photograph_or_upload(photograph),
    )


def _draw(model: Model, image: Tensor, layer: str, channel: int) -> Picture:
    top = top_patches(model, layer, channel, image, k=1)
    target = unit(layer, channel, position="max")
    signals = [top.crop(plotting.signal_pictures(rule(model, image, target))) for rule in RULES.values()]
    return plotting.show_images([image, *signals], ["input", *RULES], boxes=top.boxes)
