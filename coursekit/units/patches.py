"""What excites a channel: the patches of many images on which it answers most, cut out to its receptive field."""

from dataclasses import dataclass

import torch
from torch import Tensor

from coursekit.arguments import check_count, check_images
from coursekit.errors import ImageError, OptionError
from coursekit.networks.model import Model
from coursekit.networks.receptive import Axis, trace
from coursekit.probe.capture import activations
from coursekit.probe.targets import unit

GREY = 0.5  # what lies outside the image


@dataclass(frozen=True)
class TopPatches:
    """The strongest answers of a channel, best first; made by `top_patches`.

    Attributes
    ----------
    patches : (k, 3, h, w), grey where the receptive field reaches over the border of the image
    values : (k,), the activations
    images : (k,), which image each comes from
    positions : (k, 2), row and column of the neuron in its map
    boxes : (top, left, height, width) in pixels for each patch, as `ck.show_images` draws them; may leave the image
    cut : (k,) bool, whether the receptive field reaches over the border
    known : False where the receptive field is not known, so that each patch is a whole image
    """

    patches: Tensor
    values: Tensor
    images: Tensor
    positions: Tensor
    boxes: list[tuple[int, int, int, int]]
    cut: Tensor
    known: bool = True

    def __len__(self) -> int:
        return len(self.values)

    def crop(self, pictures: Tensor) -> Tensor:
        """Cut the same boxes out of other pictures (k, 3, H, W), one for each patch, such as maps of its image.

        Returns (k, 3, h, w), 0.5 outside the image.
        """
        if not isinstance(pictures, Tensor) or pictures.ndim != 4 or len(pictures) != len(self):
            shape = tuple(pictures.shape) if isinstance(pictures, Tensor) else type(pictures).__name__
            raise ImageError(f"Give one picture for each of the {len(self)} patches, (k, 3, H, W), but got {shape}.")
        return torch.stack([_crop(picture, box) for picture, box in zip(pictures, self.boxes, strict=True)])

    def __repr__(self) -> str:
        height, width = self.patches.shape[2:]
        over = (
            "the receptive field is not known"
            if not self.known
            else f"{int(self.cut.sum())} reach over the border and are grey there"
        )
        return f"TopPatches({len(self)} patches of {height} × {width} px, one per image; {over})"


def top_patches(model: Model, images: Tensor, layer: str, channel: int, *, k: int = 9) -> TopPatches:
    """Find the k images that excite a channel most, and cut out exactly what its strongest neuron saw in each.

    The patch is the receptive field, computed from the network's kernels, strides and paddings; one patch per image.
    Where the field is the whole image (after global pooling, in linear layers), so is the patch. Where it is not known
    (`print(model.layers)` says so), the patch is the whole image too, and `known` is False.

    Parameters
    ----------
    model : Model
    images : (N, 3, S, S) in [0, 1], S the model's input size.
    layer, channel : friendly layer name, and the number of the channel.
    k : number of patches, 1 to N.

    Returns
    -------
    TopPatches(patches, values, images, positions, boxes, cut, known)

    Raises
    ------
    ImageError, UnknownLayer, TargetError, OptionError

    References
    ----------
    Zeiler, Fergus, *Visualizing and understanding convolutional networks*, ECCV 2014, fig. 2; Girshick et al., *Rich
    feature hierarchies*, CVPR 2014, sec. 3.1. The field's arithmetic: Araujo, Norris, Sim, Distill 2019.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, images = ck.load_model("efficientnet_lite0"), ck.scenes(2, objects=["zebra", "hen"]).images
    >>> top_patches(model, images, "relu1", 5, k=2).patches.shape
    torch.Size([2, 3, 3, 3])
    """
    check_images(images)
    unit(layer, channel)  # raises if channel is no whole number
    check_count("k", k)
    if images.shape[2] != model.input_size or images.shape[3] != model.input_size:
        raise ImageError(
            f"top_patches computes the receptive field for {model.input_size} x {model.input_size} images, but got "
            f"{images.shape[2]} x {images.shape[3]}; resize them, or set model.input_size."
        )
    if k > len(images):
        raise OptionError(f"There is one patch per image, so k is at most {len(images)}, but is {k}.")
    values, positions = _strongest(model, images, layer, channel)
    (call, *_) = trace(model, {layer: model.layer(layer)})[layer]
    field = call.field
    best = values.argsort(descending=True, stable=True)[:k]
    boxes = [_box(field, positions[i].tolist(), images.shape[2:]) for i in best]
    cropped = [_crop(images[i], box) for i, box in zip(best, boxes, strict=True)]
    cut = torch.tensor([_is_cut(box, images.shape[2:]) for box in boxes])
    return TopPatches(torch.stack(cropped), values[best], best, positions[best], boxes, cut, call.known)


def _strongest(model: Model, images: Tensor, layer: str, channel: int) -> tuple[Tensor, Tensor]:
    """Return the channel's maximum in each image (N,), and where it lies in the map (N, 2)."""
    maps = activations(model, images, [layer], reduce=unit(layer, channel).values)[layer].cpu()  # (N, h, w) or (N,)
    values, places = maps.reshape(len(maps), -1).max(1)
    width = maps.shape[2] if maps.ndim == 3 else 1
    return values, torch.stack([places // width, places % width], 1)


def _box(field: tuple[Axis, ...] | None, position: list[int], size: torch.Size) -> tuple[int, int, int, int]:
    """Return (top, left, height, width) of what the neuron at this position sees."""
    if field is None:
        return 0, 0, *size
    (row, column), (rows, columns) = position, field
    return row * rows.step + rows.first, column * columns.step + columns.first, rows.size, columns.size


def _crop(image: Tensor, box: tuple[int, int, int, int]) -> Tensor:
    top, left, height, width = box
    patch = image.new_full((3, height, width), GREY)
    inside = image[:, max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)]
    y, x = max(-top, 0), max(-left, 0)
    patch[:, y : y + inside.shape[1], x : x + inside.shape[2]] = inside
    return patch


def _is_cut(box: tuple[int, int, int, int], size: torch.Size) -> bool:
    top, left, height, width = box
    return top < 0 or left < 0 or top + height > size[0] or left + width > size[1]
