"""Networks that paint: decoders of codes, a generator of shapes, style, texture and super-resolution in one pass."""

import math

import torch
from torch import Tensor, nn

from coursekit.errors import OptionError
from coursekit.files import files
from coursekit.images.stimuli import SHAPES
from coursekit.networks.loading import load_own
from coursekit.networks.nets import decoder, generator
from coursekit.networks.nets.style import StyleNetwork
from coursekit.networks.nets.superresolution import SuperResolution
from coursekit.networks.nets.texture import TextureNetwork

# A shape is the same after 1/n of a turn; 0 is after any.
SYMMETRY = {"circle": 0, "square": 4, "triangle": 3, "star": 5, "ring": 0, "cross": 4}


NOT_TRAINED = {("hog", "pixel"), ("sift", "pixel")}


def load_decoder(code: str = "fc6", loss: str = "feature") -> nn.Sequential:
    """Open a trained decoder: from the code of a picture of 128 pixels back to the picture, (N, 3, 128, 128) in (0, 1).

    Parameters
    ----------
    code : "fc6", CourseNet's (N, 512) after relu6; "conv5", its map (N, 256, 4, 4) after pool5; "hog", (N, 36, 16, 16);
        "sift", (N, 128, 16, 16); both as `ck.descriptor` computes them.
    loss : what it was trained by: "pixel", the squared difference of pixels, for "conv5" and "fc6" only; or "feature",
        that and the difference of what CourseNet sees.

    Raises
    ------
    OptionError
        No decoder of that code and loss was trained.

    References
    ----------
    Dosovitskiy & Brox, *Inverting visual representations with convolutional networks*, CVPR 2016, and *Generating
    images with perceptual similarity metrics based on deep networks*, NeurIPS 2016.

    Examples
    --------
    >>> import torch
    >>> load_decoder("fc6")(torch.rand(2, 512)).shape
    torch.Size([2, 3, 128, 128])
    """
    kinds = [(c, kind) for c in decoder.CODES for kind in ("pixel", "feature") if (c, kind) not in NOT_TRAINED]
    if (code, loss) not in kinds:
        known = ", ".join(f"{c!r} with {kind!r}" for c, kind in kinds)
        raise OptionError(f"There is no decoder of {code!r} with {loss!r} loss; there is {known}.")
    return load_own(f"decoder_{code}_{loss}", lambda: decoder.decoder(code))


def load_generator() -> nn.Sequential:
    """Open the trained generator of shapes: parameters (N, 17) -> (N, 4, 64, 64) in (0, 1), RGB and the mask.

    Dosovitskiy, Springenberg, Tatarchenko & Brox, *Learning to generate chairs, tables and cars with convolutional
    networks*, TPAMI 2017. `shape_parameters` makes the parameters.

    >>> made = load_generator()(shape_parameters("star", angle=30))
    >>> image, mask = made[:, :3], made[:, 3:]
    """
    return load_own("generator", generator.generator)


def shape_parameters(
    kind: str = "circle",
    colour: tuple[float, float, float] = (0.8, 0.2, 0.2),
    radius: float = 0.25,
    angle: float = 0,
    *,
    position: tuple[float, float] = (0.5, 0.5),
    background: tuple[float, float, float] = (0.9, 0.9, 0.9),
) -> Tensor:
    """Write the parameters of `ck.stimuli.shape` as one row (1, 17) for the generator.

    The kind is one-hot. The angle (degrees) is sin nθ and cos nθ, where the shape is the same after 1/n of a turn: 359°
    and 1° are neighbours, and a square turned by 90° has the parameters of the square.

    >>> square, turned = shape_parameters("square"), shape_parameters("square", angle=90)
    >>> torch.allclose(square, turned, atol=1e-6)
    True
    """
    if kind not in SHAPES:
        raise OptionError(f"kind is one of {', '.join(SHAPES)}, but is {kind!r}.")
    for name, values in (("colour", colour), ("position", position), ("background", background), ("radius", (radius,))):
        if len(values) != {"radius": 1, "position": 2}.get(name, 3) or not all(0 <= value <= 1 for value in values):
            raise OptionError(f"{name} must lie in [0, 1], but is {values!r}.")
    turn = math.radians(angle) * SYMMETRY[kind]
    hot = [float(kind == name) for name in SHAPES]
    return torch.tensor([[*hot, *colour, radius, math.sin(turn), math.cos(turn), *position, *background]])


STYLE_NETWORKS = ("transformer", "transformer_one_instance", "transformer_one_batch")
LOSSES = ("feature", "pixel")


def load_style_network(name: str = "transformer") -> StyleNetwork:
    """Open a trained network for fast style transfer.

    Its attribute `styles` lists the names of what it paints; `curve` holds [step, loss] of its training.

    Parameters
    ----------
    name : "transformer", six styles by conditional instance normalisation; or "transformer_one_instance" and
        "transformer_one_batch", one style each, which differ in their normalisation alone.

    Raises
    ------
    OptionError, WeightsUnavailable
        There is no such network; its file is missing or damaged.

    References
    ----------
    Johnson, Alahi & Fei-Fei, ECCV 2016; Ulyanov, Vedaldi & Lempitsky, *Instance normalization*, 2016; Dumoulin, Shlens
    & Kudlur, *A learned representation for artistic style*, ICLR 2017.

    Examples
    --------
    >>> load_style_network().styles
    ['strokes', 'swirls', 'mosaic', 'woodcut', 'colour field', 'ink']
    """
    if name not in STYLE_NETWORKS:
        raise OptionError(
            f"There is no network {name!r} for fast style transfer; there is {', '.join(STYLE_NETWORKS)}."
        )

    def build() -> StyleNetwork:
        entry = files("weights")[name]
        network = StyleNetwork(len(entry["styles"]), entry["norm"])
        network.styles, network.curve = list(entry["styles"]), entry.get("curve", [])
        return network

    return load_own(name, build)


def load_texture_network() -> TextureNetwork:
    """Open the trained network from noise to the texture "mosaic"; `fast_texture` draws the noise for it.

    Ulyanov, Lebedev, Vedaldi & Lempitsky, *Texture networks: feed-forward synthesis of textures and stylized images*,
    ICML 2016. Raises WeightsUnavailable if its file is missing or damaged.

    >>> sum(p.numel() for p in load_texture_network().parameters()) < 200_000
    True
    """
    return load_own("texture_network", TextureNetwork)


def load_superresolution(loss: str = "feature") -> SuperResolution:
    """Open a trained network that makes pictures four times as large: (N, 3, h, w) -> (N, 3, 4h, 4w).

    Values can leave [0, 1] a little; clamp them before they are shown.

    Parameters
    ----------
    loss : what it was trained by: "pixel", the squared difference of pixels; or "feature", the difference of what
        EfficientNet-Lite0 sees.

    Raises
    ------
    OptionError, WeightsUnavailable
        Another loss; the file is missing or damaged.

    Johnson, Alahi & Fei-Fei, *Perceptual losses for real-time style transfer and super-resolution*, ECCV 2016.

    >>> load_superresolution("pixel")(torch.rand(1, 3, 16, 24)).shape
    torch.Size([1, 3, 64, 96])
    """
    if loss not in LOSSES:
        raise OptionError(f"loss is 'feature' or 'pixel', but is {loss!r}.")
    return load_own(f"superresolution_{loss}", SuperResolution)
