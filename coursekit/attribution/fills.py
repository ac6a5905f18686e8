"""What stands in for pixels that are taken away."""

from collections.abc import Sequence

import torch
from torch import Tensor

from coursekit.arguments import check_images
from coursekit.errors import OptionError
from coursekit.interrupts import importing
from coursekit.networks.model import Model

Fill = str | Sequence[float] | Tensor  # a name, an RGB colour, or a tensor that broadcasts to the images


def baseline(model: Model, images: Tensor, kind: Fill) -> Tensor:
    """Return the picture that stands for "nothing there", in the shape of `images`.

    kind : "black", "white", "mean" (the mean colour of the training set, which is zero after normalisation),
        "blur" (the image without its details), an RGB colour in [0, 1], or a tensor that broadcasts to the images.
    """
    if isinstance(kind, str):
        if kind == "blur":
            with importing():
                from torchvision.transforms.functional import gaussian_blur

            sigma = min(images.shape[-2:]) / 16
            return gaussian_blur(images, 2 * round(2 * sigma) + 1, sigma)
        colours = {"black": torch.zeros(1), "white": torch.ones(1), "mean": model.mean}
        if kind not in colours:
            raise OptionError(f"{kind!r} is no fill; give 'black', 'white', 'mean', 'blur', a colour or a tensor.")
        colour = colours[kind]
    else:
        colour = torch.as_tensor(kind)
        colour = colour.view(1, 3, 1, 1) if colour.shape == (3,) else colour
    try:
        filled = colour.detach().to(images).expand_as(images)
    except RuntimeError:
        raise OptionError(f"A fill of shape {tuple(colour.shape)} does not fit images {tuple(images.shape)}.") from None
    check_images(filled)
    return filled
