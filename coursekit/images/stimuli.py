"""Images made by rule: we know what is in them, because we drew it."""

import math
from functools import lru_cache

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from coursekit.arguments import check_count, check_images
from coursekit.errors import ImageError, OptionError

TEXTURES = ("noise", "sky", "stripes", "checkerboard", "dots", "zigzag", "mesh")
SHAPES = ("circle", "square", "triangle", "star", "ring", "cross")


def grating(
    size: int = 224,
    wavelength: float = 16,
    angle: float = 0,
    phase: float = 0,
    contrast: float = 1,
    square: bool = False,
) -> Tensor:
    r"""Draw a grating: I(x, y) = ½ + ½ c · cos(2π u / λ + φ), with u the distance along the wave's direction.

    Parameters
    ----------
    wavelength : λ, pixels from crest to crest, at least 2.
    angle : of the *bars*, in degrees, counter-clockwise from horizontal: 0 lies, 90 stands.
    phase : φ in degrees. contrast : c in [0, 1]. square : sharp bars instead of a sine.

    Returns
    -------
    Tensor (1, 3, size, size), grey, in [0, 1].

    >>> bars = grating(8, wavelength=4, angle=90)
    >>> [round(v, 1) for v in bars[0, 0, 0].tolist()] == [round(v, 1) for v in bars[0, 0, 7].tolist()]
    True
    """
    _check_size(size)
    _within("wavelength", wavelength, 2, 1e6)
    _within("contrast", contrast, 0, 1)
    x, y = _plane(size)
    wave = torch.cos(2 * math.pi * _across(x, y, angle) / wavelength + math.radians(phase))
    return _grey(0.5 + 0.5 * contrast * (wave.sign() if square else wave))


def gabor(
    size: int = 224, wavelength: float = 16, angle: float = 0, phase: float = 0, sigma: float | None = None
) -> Tensor:
    """Draw a Gabor patch: a grating under a Gaussian window of width `sigma` pixels (λ by default) (Gabor 1946).

    >>> float(gabor(65)[0, 0, 32, 32])  # the crest lies in the centre
    1.0
    """
    sigma = wavelength if sigma is None else sigma
    _within("sigma", sigma, 0.1, 1e6)
    x, y = _plane(size)
    window = torch.exp(-(x**2 + y**2) / (2 * sigma**2))
    return 0.5 + (grating(size, wavelength, angle, phase) - 0.5) * window


def curve(size: int = 224, radius: float = 60, angle: float = 0, width: float = 6, length: float = 90) -> Tensor:
    """Draw an arc through the centre of the image, dark on light (the stimuli of Cammarata et al. 2020).

    Parameters
    ----------
    radius : of its circle in pixels; `math.inf` gives a straight line. Curvature is 1 / radius.
    angle : the direction in which the arc is hollow, in degrees counter-clockwise from the right.
    width : of the line in pixels. length : along the arc in pixels; at least 2 π radius gives the whole circle.
    """
    _check_size(size)
    _within("radius", radius, 1, math.inf)
    x, y = _plane(size)
    a = math.radians(angle)
    towards, along = x * math.cos(a) - y * math.sin(a), x * math.sin(a) + y * math.cos(a)
    if math.isinf(radius):
        distance, position = towards.abs(), along.abs()
    else:
        distance = ((towards - radius).hypot(along) - radius).abs()
        position = radius * torch.atan2(along, radius - towards).abs()
    beyond = (position - length / 2).clamp(min=0)
    return _grey(1 - (width / 2 + 0.5 - distance.hypot(beyond)).clamp(0, 1))


def circle(size: int = 224, radius: float | None = None, width: float = 6) -> Tensor:
    """Draw a circle around the centre, dark on light; a radius of None is a quarter of the size."""
    x, y = _plane(_check_size(size))
    radius = size / 4 if radius is None else radius
    _within("radius", radius, 1, math.inf)
    return _grey(1 - (width / 2 + 0.5 - (x.hypot(y) - radius).abs()).clamp(0, 1))


def checkerboard(size: int = 224, cell: float = 16, angle: float = 0) -> Tensor:
    """Draw a checkerboard of black and white cells of `cell` pixels, turned by `angle` degrees."""
    return _grey(_pattern("checkerboard", _check_size(size), 2 * cell, angle))


def stripes(size: int = 224, period: float = 24, angle: float = 45) -> Tensor:
    """Draw black and white stripes; `period` in pixels, `angle` of the stripes in degrees."""
    return _grey(_pattern("stripes", _check_size(size), period, angle))


def dots(size: int = 224, period: float = 24, angle: float = 30) -> Tensor:
    """Draw white dots on black, in a square lattice of `period` pixels."""
    return _grey(_pattern("dots", _check_size(size), period, angle))


def zigzag(size: int = 224, period: float = 24, angle: float = 0) -> Tensor:
    """Draw zigzag lines: stripes that turn right and left."""
    return _grey(_pattern("zigzag", _check_size(size), period, angle))


def mesh(size: int = 224, period: float = 24, angle: float = 45) -> Tensor:
    """Draw a net of thin white lines on black."""
    return _grey(_pattern("mesh", _check_size(size), period, angle))


def noise(size: int = 224, exponent: float = 1, colour: float = 0.5, seed: int = 0) -> Tensor:
    r"""Draw noise whose amplitude falls as 1 / f^exponent, as in natural photographs (Field 1987).

    Exponent 0 is white noise, 1 looks like clouds. `colour` in [0, 1] is the part of the channels that is their own.
    Every image has mean ½ and standard deviation ⅙.
    """
    _check_size(size)
    _within("exponent", exponent, 0, 4)
    _within("colour", colour, 0, 1)
    generator = torch.Generator().manual_seed(seed)
    white = torch.randn(4, size, size, generator=generator)
    frequency = torch.fft.fftfreq(size)[:, None].hypot(torch.fft.rfftfreq(size)[None]).clamp(min=1 / size)
    pink = torch.fft.irfft2(torch.fft.rfft2(white) / frequency**exponent, s=(size, size))
    pink = pink / pink.std((1, 2), keepdim=True)
    mixed = math.sqrt(1 - colour) * pink[:1] + math.sqrt(colour) * pink[1:]
    mixed = (mixed - mixed.mean()) / mixed.std()
    return (0.5 + mixed / 6).clamp(0, 1)[None]


def texture(kind: str = "noise", size: int = 224, *, seed: int = 0) -> Tensor:
    """Draw a random coloured texture of one kind of `TEXTURES`: its colours, period and angle follow from the seed.

    >>> texture("dots", 64, seed=3).shape
    torch.Size([1, 3, 64, 64])
    """
    _check_size(size)
    _one_of("texture", kind, TEXTURES)
    random = np.random.default_rng(seed)
    if kind == "noise":
        return noise(size, exponent=random.uniform(0.8, 1.6), colour=random.uniform(0, 0.4), seed=seed)
    if kind == "sky":
        return _sky(size, random)
    first, second = (some_colour(random)[:, None, None] for _ in range(2))
    part = _pattern(kind, size, random.uniform(size / 20, size / 5), random.uniform(0, 180))
    return (first * part + second * (1 - part))[None]


def some_colour(random: np.random.Generator) -> Tensor:
    """Draw a colour, RGB in [0, 1]: any brightness, about as much saturation as natural photographs have."""
    brightness = random.uniform(0.1, 0.9)
    return torch.tensor(brightness + 0.3 * (random.uniform(0, 1, 3) - 0.5), dtype=torch.float32).clamp(0, 1)


def caption(image: Tensor, text: str, *, position: str = "bottom", size: float = 0.11) -> Tensor:
    """Write white letters with a dark edge into images (N, 3, H, W): the captions of Kim et al. 2018, sec. 4.3.

    `position` is "bottom" or "top"; `size` is the height of the letters as a part of the image's.
    """
    check_images(image)
    _one_of("position", position, ("bottom", "top"))
    _within("size", size, 0.03, 0.5)
    height, width = image.shape[-2:]
    if min(height, width) < 16:
        raise ImageError(f"Letters need a picture of 16 pixels or more a side, but this one has {height} × {width}.")
    letters = Image.new("RGBA", (width, height))
    anchor, y = ("ms", 0.97 * height) if position == "bottom" else ("ma", 0.03 * height)
    pixels = size * height
    draw = ImageDraw.Draw(letters)
    wide = draw.textlength(text, font=ImageFont.load_default(pixels))
    font = ImageFont.load_default(pixels * min(1, 0.94 * width / max(wide, 1)))
    draw.text((width / 2, y), text, "white", font, anchor, stroke_width=max(1, round(pixels / 14)), stroke_fill="black")
    layer = torch.from_numpy(np.array(letters, np.float32) / 255).permute(2, 0, 1).to(image)
    return image * (1 - layer[3]) + layer[:3] * layer[3]


def shape(
    kind: str = "circle",
    colour: tuple[float, float, float] = (0.8, 0.2, 0.2),
    radius: float = 0.25,
    angle: float = 0,
    *,
    position: tuple[float, float] = (0.5, 0.5),
    size: int = 64,
    background: tuple[float, float, float] = (0.9, 0.9, 0.9),
) -> tuple[Tensor, Tensor]:
    """Draw one coloured shape of `SHAPES`; return the image (1, 3, size, size) and its mask (1, 1, size, size).

    Everything that a generator must learn is a parameter: kind, colour (RGB in [0, 1]), radius (of the enclosing
    circle, as a part of the side), angle in degrees counter-clockwise, position (x, y) of the centre in [0, 1].
    """
    _check_size(size)
    _one_of("shape", kind, SHAPES)
    _within("radius", radius, 0.01, 1)
    fine = 4 * size  # drawn four times as large: smooth edges
    mask = Image.new("L", (fine, fine))
    draw = ImageDraw.Draw(mask)
    r, cx, cy = radius * fine, position[0] * fine, position[1] * fine
    if kind in ("circle", "ring"):
        draw.ellipse((cx - r, cy - r, cx + r, cy + r), fill=255)
        if kind == "ring":
            draw.ellipse((cx - r / 2, cy - r / 2, cx + r / 2, cy + r / 2), fill=0)
    else:
        turn = math.radians(angle)
        draw.polygon(
            [(cx + r * d * math.cos(a + turn), cy - r * d * math.sin(a + turn)) for d, a in _corners(kind)],
            fill=255,
        )
    part = torch.from_numpy(np.array(mask.resize((size, size), Image.Resampling.BOX), np.float32) / 255)[None, None]
    inside, outside = (torch.tensor(c)[None, :, None, None] for c in (colour, background))
    return inside * part + outside * (1 - part), part


def _corners(kind: str) -> list[tuple[float, float]]:
    """Corners of a polygon: distance from the centre and angle."""
    if kind == "square":
        return [(1, math.pi * (0.25 + 0.5 * k)) for k in range(4)]
    if kind == "triangle":
        return [(1, math.pi * (0.5 + 2 * k / 3)) for k in range(3)]
    if kind == "star":
        return [((1, 0.42)[k % 2], math.pi * (0.5 + k / 5)) for k in range(10)]
    arm = math.atan2(1, 3)  # a cross with arms of a third of its width
    outer = [(1, math.pi * k / 2 + s * arm) for k in range(4) for s in (-1, 1)]
    inner = [(math.sqrt(2 / 10), math.pi * (k / 2 + 0.25)) for k in range(4)]
    return [corner for k in range(4) for corner in (outer[2 * k], outer[2 * k + 1], inner[k])]


def _pattern(kind: str, size: int, period: float, angle: float) -> Tensor:
    """Return a pattern (size, size) in [0, 1], with edges of one pixel, turned counter-clockwise."""
    _within("period", period, 2, 1e6)
    x, y = _plane(size)
    a = math.radians(angle)
    u, v = x * math.cos(a) - y * math.sin(a), x * math.sin(a) + y * math.cos(a)
    if kind == "zigzag":
        v = v + (_triangle(u, 2 * period) - 0.5) * period
    sharp = period / 2  # a triangle wave of height 1 changes by 2 / period a pixel
    bars = ((_triangle(v, period) - 0.5) * sharp).clamp(-0.5, 0.5)
    if kind in ("stripes", "zigzag"):
        return bars + 0.5
    other = ((_triangle(u, period) - 0.5) * sharp).clamp(-0.5, 0.5)
    if kind == "checkerboard":
        return 0.5 + 2 * bars * other
    if kind == "mesh":
        lines = torch.maximum(_triangle(u, period), _triangle(v, period))
        return ((lines - 0.8) * sharp + 0.5).clamp(0, 1)
    centre_u, centre_v = ((w / period - (w / period).round()) * period for w in (u, v))
    return (0.3 * period - centre_u.hypot(centre_v) + 0.5).clamp(0, 1)


def _triangle(x: Tensor, period: float) -> Tensor:
    """Triangle wave: 1 at 0, 0 half a period later."""
    return 2 * (x / period - (x / period + 0.5).floor()).abs().neg() + 1


def _sky(size: int, random: np.random.Generator) -> Tensor:
    """A ground below a sky, both with natural noise: the layout of many photographs."""
    top, bottom = (some_colour(random) for _ in range(2))
    rough = noise(size, 1.1, 0.2, int(random.integers(2**31)))[0] - 0.5
    smooth = noise(size, 2, 0.2, int(random.integers(2**31)))[0] - 0.5
    _, y = _plane(size)
    horizon = (random.uniform(0.3, 0.7) - 0.5) * size
    ground = ((y - horizon - 40 * smooth[0]) / 6).sigmoid()
    return ((bottom[:, None, None] + rough) * ground + (top[:, None, None] + smooth) * (1 - ground)).clamp(0, 1)[None]


@lru_cache(maxsize=8)
def _plane(size: int) -> tuple[Tensor, Tensor]:
    """Return the coordinates x (to the right) and y (down) of each pixel, 0 in the centre."""
    line = torch.arange(size, dtype=torch.float32) - (size - 1) / 2
    return line[None].expand(size, size), line[:, None].expand(size, size)


def _across(x: Tensor, y: Tensor, angle: float) -> Tensor:
    """Distance from the centre, across bars that stand at `angle` degrees."""
    a = math.radians(angle)
    return x * math.sin(a) + y * math.cos(a)


def _grey(values: Tensor) -> Tensor:
    return values.clamp(0, 1).expand(1, 3, *values.shape).clone()


def _check_size(size: int) -> int:
    check_count("size", size, 2, 2048)
    return size


def _within(name: str, value: float, low: float, high: float) -> None:
    if not isinstance(value, int | float) or not low <= value <= high:
        raise OptionError(f"{name} must lie in [{low:g}, {high:g}], but is {value!r}.")


def _one_of(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ImageError(f"No {what} is called {value!r}; choose one of {', '.join(known)}.")
