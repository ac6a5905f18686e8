"""Pictures in and out: every image in the course is a float32 RGB tensor (N, 3, H, W) with values in [0, 1]."""

import difflib
import io
import math
import os
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from coursekit.arguments import check_count, check_images, shown
from coursekit.errors import ImageError, OptionError
from coursekit.files import replacing

MAX_MEGAPIXELS = 50
LARGE = 4_000_000  # pixels: from here on a picture is made smaller in 8 bit before anything else
FORMATS = "PNG JPEG WEBP GIF BMP TIFF AVIF ICO PPM".split()  # noqa: SIM905 (Pillow would try 45)


# Photographs that come inside packages which the course needs anyway: name -> (package, file).
_PHOTOGRAPHS = {
    "chelsea": ("skimage", "data/chelsea.png"),
    "astronaut": ("skimage", "data/astronaut.png"),
    "coffee": ("skimage", "data/coffee.png"),
    "rocket": ("skimage", "data/rocket.jpg"),
    "motorcycle": ("skimage", "data/motorcycle_left.png"),
    "china": ("sklearn", "datasets/images/china.jpg"),
    "flower": ("sklearn", "datasets/images/flower.jpg"),
    "grace_hopper": ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
    "camera": ("skimage", "data/camera.png"),
    "coins": ("skimage", "data/coins.png"),
    "brick": ("skimage", "data/brick.png"),
    "grass": ("skimage", "data/grass.png"),
    "gravel": ("skimage", "data/gravel.png"),
    "hubble": ("skimage", "data/hubble_deep_field.jpg"),
    "retina": ("skimage", "data/retina.jpg"),
    "immunohistochemistry": ("skimage", "data/ihc.png"),
    "moon": ("skimage", "data/moon.png"),
    "page": ("skimage", "data/page.png"),
}


def photographs() -> list[str]:
    """List the names of the packaged photographs that `load_image` opens without a network.

    >>> photographs()[:3]
    ['chelsea', 'astronaut', 'coffee']
    """
    return list(_PHOTOGRAPHS)


def load_image(source: object, size: int | tuple[int, int] | None = None) -> Tensor:
    """Open any picture as a float32 RGB tensor in [0, 1].

    EXIF orientation is applied; grey, palette, CMYK and 16-bit pictures become RGB; transparency is laid on white.

    Parameters
    ----------
    source : name of a packaged photograph (see `photographs`), path, bytes, ipywidgets upload,
        PIL image, NumPy array (H, W), (H, W, 1 | 3 | 4) or (3, H, W), or tensor (3, H, W) or (1, 3, H, W).
        Integer arrays use their type's full range; float arrays hold values in [0, 1].
    size : int or (height, width), optional. The picture is scaled until it covers that size, then cut at the
        centre. None keeps its own size.

    Returns
    -------
    Tensor (1, 3, H, W), float32, in [0, 1], on the CPU.

    Raises
    ------
    ImageError
        Not an image, truncated, empty, larger than 50 megapixels, or an array of the wrong shape or range.

    Examples
    --------
    >>> load_image("chelsea").shape
    torch.Size([1, 3, 300, 451])
    >>> load_image("chelsea", size=224).shape
    torch.Size([1, 3, 224, 224])
    """
    height_width = _check_size(size)
    if isinstance(source, Tensor):
        image = _from_tensor(source)
    elif isinstance(source, np.ndarray):
        image = _from_array(source)
    else:
        pixels, name = _pixels(source, height_width)
        try:
            image = _from_array(pixels)  # by now the file's own pixels are gone from memory
        except ImageError as error:
            raise ImageError(f"{name} cannot be used: {error}") from None
    return image if height_width is None else _cover(image, *height_width)


def check_folder(path: Path) -> None:
    """Raise ImageError unless the folder of this file is there."""
    if not path.parent.is_dir():
        raise ImageError(f"There is no folder {str(path.parent)!r} to save {path.name!r} in; make it first.")


def save_image(images: Tensor, path: str | os.PathLike) -> Path:
    """Write images (N, 3, H, W) in [0, 1] to one file, side by side if there are several.

    The kind of file follows from the suffix (.png, .jpg, .webp). It is written under a temporary name first, so a
    full disk or an interrupt never leaves half a file. Returns the path; raises ImageError for other tensors.

    >>> import tempfile
    >>> save_image(load_image("chelsea"), Path(tempfile.mkdtemp(), "cat.png")).name
    'cat.png'
    """
    check_images(images)
    path = Path(path)
    if Image.registered_extensions().get(path.suffix.lower()) not in Image.SAVE:
        raise ImageError(f"{path.name!r} has no suffix of a picture file; end it in .png, .jpg or .webp.")
    check_folder(path)
    row = torch.cat(list(images.detach().cpu()), dim=2)
    picture = Image.fromarray((row * 255).round().byte().permute(1, 2, 0).numpy())
    with replacing(path) as temporary:
        picture.save(temporary)
    return path


def _check_size(size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    if size is None:
        return None
    sides = size if isinstance(size, tuple | list) else (size, size)
    if len(sides) != 2:
        raise OptionError(f"size must be one number of pixels, or height and width, but is {size!r}.")
    for side in sides:
        check_count("size", side, 1, 10_000)
    return sides[0], sides[1]


def _file(source: object) -> tuple[io.BytesIO | Path, str]:
    """Find the file or the bytes behind a name, path or upload; return them and what to call them."""
    if hasattr(source, "value") and not isinstance(source, str | os.PathLike):  # an ipywidgets FileUpload
        source = source.value
    if isinstance(source, tuple | list):
        if len(source) != 1:
            raise ImageError(f"Upload exactly one picture; this upload holds {len(source)}.")
        source = source[0]
    name = "the given bytes"
    if isinstance(source, dict) and "content" in source:
        name, source = str(source.get("name", "the upload")), source["content"]
        if not isinstance(source, bytes | bytearray | memoryview):
            raise ImageError(f"{name} holds no bytes, but a {type(source).__name__}; upload it again.")
    if isinstance(source, bytes | bytearray | memoryview):
        return io.BytesIO(bytes(source)), name
    if isinstance(source, str | os.PathLike):
        return _find(source), str(source)
    raise ImageError(f"A picture can be a name, a path, bytes, an upload or an array, not {type(source).__name__}.")


def _opened(file: io.BytesIO | Path, name: str) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is checked below
            Image.init()  # without it Pillow knows five formats only
            return Image.open(file, formats=[kind for kind in FORMATS if kind in Image.OPEN])
    except UnidentifiedImageError:
        empty = (file.getbuffer().nbytes if isinstance(file, io.BytesIO) else Path(file).stat().st_size) == 0
        problem = "is empty" if empty else "is not a picture that can be read"
        raise ImageError(f"{name} {problem}; give a PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF file.") from None
    except Image.DecompressionBombError:
        raise ImageError(f"{name} has more than {MAX_MEGAPIXELS} megapixels; make it smaller first.") from None
    except OSError as error:
        raise ImageError(f"{name} could not be opened: {error}.") from None
    except Exception as error:  # each of Pillow's readers raises what it happens to stumble over
        raise ImageError(f"{name} is damaged or cut short: {error}.") from None


def _find(source: str | os.PathLike) -> Path:
    if isinstance(source, str) and source in _PHOTOGRAPHS:
        package, file = _PHOTOGRAPHS[source]
        spec = find_spec(package)  # looks the package up without importing it
        folders = (spec and spec.submodule_search_locations) or []
        if not folders or not Path(folders[0], file).is_file():
            raise ImageError(f"The photograph {source!r} comes with the package {package}, which is not installed.")
        return Path(folders[0], file)
    try:
        path = Path(source).expanduser()
        if path.is_file():
            return path
    except (OSError, RuntimeError, ValueError) as error:  # a name of 300 letters, no such user, a zero byte
        raise ImageError(f"{shown(source)} cannot be the path of a picture: {error}.") from None
    close = difflib.get_close_matches(str(source), _PHOTOGRAPHS, n=3)
    hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
    raise ImageError(f"There is no file and no packaged photograph {str(source)!r}.{hint} See ck.photographs().")


def _pixels(source: object, size: tuple[int, int] | None) -> tuple[np.ndarray, str]:
    """Read a picture: grey or RGB values (H, W) or (H, W, 3), and what to call it."""
    picture, name = (source, "the PIL image") if isinstance(source, Image.Image) else (None, "")
    if picture is None:
        file, name = _file(source)
        picture = _opened(file, name)
    _check_area(*picture.size, name)
    try:
        if size and picture.width * picture.height > LARGE:
            picture = _reduced(picture, *size)
        picture = ImageOps.exif_transpose(picture)  # also reads the pixels, so a truncated file shows here
        if picture.mode.startswith("I"):  # 16 bit (Pillow opens some of them as 32 bit)
            values = np.asarray(picture)
            if values.min() < 0 or values.max() > 65535:
                raise ImageError(f"its grey values of {values.min()} to {values.max()} do not fit 16 bits.")
            return values.astype(np.uint16), name
        if picture.mode == "F":
            return np.asarray(picture), name
        if "A" in picture.mode or "transparency" in picture.info:
            picture = picture.convert("RGBA")
            picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
        return np.asarray(picture.convert("RGB")), name
    except ImageError as error:
        raise ImageError(f"{name} cannot be used: {error}") from None
    except MemoryError:
        raise ImageError(f"{name} does not fit into the memory; make it smaller first.") from None
    except Exception as error:
        raise ImageError(f"{name} is damaged or cut short: {error}.") from None


def _check_area(width: int, height: int, name: str) -> None:
    if width * height > MAX_MEGAPIXELS * 1e6:
        raise ImageError(
            f"{name} has {width * height / 1e6:.0f} megapixels; make it smaller than {MAX_MEGAPIXELS} megapixels first."
        )


def _reduced(picture: Image.Image, height: int, width: int) -> Image.Image:
    """Halve, third … a large picture in 8 bit: at least twice the size that is asked for remains, on either side."""
    side = max(height, width)  # of the picture as it will be turned
    picture.draft(None, (2 * side, 2 * side))  # JPEG: fewer pixels are decoded at all
    if picture.mode == "P":
        picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    factor = min(picture.size) // (2 * side)
    return picture.reduce(factor) if factor > 1 and picture.mode in ("L", "LA", "RGB", "RGBA", "CMYK") else picture


def _from_tensor(tensor: Tensor) -> Tensor:
    """Tensors have their channels first, also where a side of 3 or 4 pixels could be taken for them."""
    if tensor.ndim not in (3, 4) or tensor.shape[-3] not in (1, 3) or (tensor.ndim == 4 and len(tensor) != 1):
        raise ImageError(f"A tensor must have the shape (3, H, W) or (1, 3, H, W), but has {tuple(tensor.shape)}.")
    tensor = tensor.detach().cpu().reshape(tensor.shape[-3:]).permute(1, 2, 0)
    return _from_array((tensor.float() if tensor.is_floating_point() else tensor).numpy())


def _from_array(array: np.ndarray) -> Tensor:
    array = np.asarray(array)  # a np.matrix would stay two-dimensional, and lose its memory
    shape = array.shape
    if array.ndim == 4 and shape[0] == 1:
        array = array[0]
    if array.ndim == 3 and array.shape[0] in (1, 3) and array.shape[2] not in (1, 3, 4):
        array = array.transpose(1, 2, 0)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:
        raise ImageError(f"An array must have the shape (H, W), (H, W, 3) or (3, H, W), but has {shape}.")
    if array.dtype.kind not in "buf":
        raise ImageError(f"An array must be uint8, uint16 or float in [0, 1], but is {array.dtype}.")
    height, width, channels = array.shape
    _check_area(width, height, "The array")
    image = np.empty((3, height, width), np.float32)
    for channel in range(3):  # one after another: this needs the memory of no more than the result
        image[channel] = array[..., channel if channels > 1 else 0]
    if array.dtype.kind == "u":
        image /= np.iinfo(array.dtype).max
    if channels == 4:
        alpha = array[..., 3].astype(np.float32) / (np.iinfo(array.dtype).max if array.dtype.kind == "u" else 1)
        image *= alpha
        image += 1 - alpha
    result = torch.from_numpy(image)[None]
    check_images(result)
    return result.clamp_(0, 1)


def _cover(image: Tensor, height: int, width: int) -> Tensor:
    """Scale until the picture covers (height, width), then cut that size from its centre."""
    h, w = image.shape[-2:]
    scale = max(height / h, width / w)
    if h * w * scale**2 > MAX_MEGAPIXELS * 1e6:  # a long strip: what will be cut away is not enlarged first
        h, w = min(h, math.ceil(height / scale)), min(w, math.ceil(width / scale))
        top, left = (image.shape[-2] - h) // 2, (image.shape[-1] - w) // 2
        return _cover(image[..., top : top + h, left : left + w], height, width)
    h, w = max(height, round(h * scale)), max(width, round(w * scale))
    image = F.interpolate(image, size=(h, w), mode="bicubic", antialias=True).clamp(0, 1)
    top, left = (h - height) // 2, (w - width) // 2
    return image[..., top : top + height, left : left + width].contiguous()


def save_animation(frames: Tensor | Sequence[Tensor], path: str | os.PathLike, *, milliseconds: int = 80) -> Path:
    """Write frames, each (1, 3, H, W) in [0, 1], or a batch of them, as an endless GIF; return its path.

    It is written under a temporary name first. Raises OptionError, and ImageError for other tensors, where there is no
    such folder, and for another suffix than .gif.

    >>> import tempfile
    >>> save_animation(torch.rand(3, 3, 8, 8), Path(tempfile.mkdtemp(), "noise.gif")).name
    'noise.gif'
    """
    if not len(frames):
        raise OptionError("There is no frame to save.")
    path = Path(path)
    if path.suffix.lower() != ".gif":
        raise ImageError(f"save_animation writes GIF files; end {path.name!r} in .gif.")
    check_folder(path)
    pictures = []
    for frame in frames.split(1) if isinstance(frames, Tensor) else frames:
        check_images(frame)
        if len(frame) > 1:
            raise ImageError(f"Each frame is one image (1, 3, H, W), but one holds {len(frame)}.")
        pixels_ = (frame[0].cpu().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
        # Without dithering, for its noise does not compress.
        pictures.append(Image.fromarray(pixels_).quantize(128, dither=Image.Dither.NONE))
    with replacing(path) as temporary:
        pictures[0].save(
            temporary, "GIF", save_all=True, append_images=pictures[1:], duration=milliseconds, loop=0, optimize=True
        )
    return path
