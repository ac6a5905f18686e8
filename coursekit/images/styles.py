"""Style images made by rule: a small gallery without a painter, for style transfer where no painting can be fetched."""

from collections.abc import Callable

import cv2
import numpy as np
import torch
from torch import Tensor

from coursekit.arguments import check_count
from coursekit.errors import OptionError
from coursekit.interrupts import importing

Random = np.random.Generator


def style_image(kind: str = "strokes", size: int = 256, *, seed: int = 0) -> Tensor:
    """Paint one image (1, 3, size, size) in [0, 1] of a style of `STYLES`, the same for the same seed.

    "strokes": short thick brush strokes that follow a field; "swirls": long thin lines around whirls; "mosaic": small
    stones with grey joints; "woodcut": black lines whose width follows light and shade; "colour field": large plain
    areas with lines and discs; "ink": a wet brush on paper.

    Raises OptionError for another kind or a size below 32.

    >>> style_image("mosaic", size=64).shape
    torch.Size([1, 3, 64, 64])
    """
    if kind not in STYLES:
        raise OptionError(f"kind is one of {', '.join(STYLES)}, but is {kind!r}.")
    check_count("size", size, 32)
    canvas = STYLES[kind](2 * size, np.random.default_rng(seed))  # twice as large: smooth edges
    small = cv2.resize(np.ascontiguousarray(canvas, np.float32), (size, size), interpolation=cv2.INTER_AREA)
    return torch.from_numpy(small).permute(2, 0, 1)[None].clamp(0, 1).contiguous()


REGIONS = ("sky", "mountains", "meadow", "water", "trees")


def painted_landscape(size: int = 256, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Paint a landscape in strokes, and give the map of its regions: something to doodle with.

    Returns an image (1, 3, size, 3/2 size) in [0, 1], and labels (size, 3/2 size), indices of `REGIONS`.

    >>> painting, labels = painted_landscape(64)
    >>> painting.shape, labels.unique().tolist()
    (torch.Size([1, 3, 64, 96]), [0, 1, 2, 3, 4])
    """
    check_count("size", size, 32)
    if size % 2:
        raise OptionError(f"size is an even number of pixels, but is {size}.")
    height, width, random = 2 * size, 3 * size, np.random.default_rng(seed)
    labels = _layout(height, width)
    field, tone = _whirls(width, random, 7), _smooth(width, random, 0.15)
    palettes = [  # from the shade to the light, in the order of REGIONS
        [(0.10, 0.24, 0.52), (0.25, 0.48, 0.75), (0.60, 0.80, 0.90), (0.98, 0.90, 0.66)],
        [(0.22, 0.18, 0.40), (0.42, 0.36, 0.60), (0.74, 0.62, 0.74)],
        [(0.46, 0.46, 0.10), (0.74, 0.66, 0.16), (0.95, 0.84, 0.36)],
        [(0.04, 0.26, 0.42), (0.12, 0.52, 0.60), (0.80, 0.92, 0.88)],
        [(0.03, 0.12, 0.08), (0.08, 0.30, 0.14), (0.32, 0.50, 0.14)],
    ]
    slopes = [None, 0.8, -1.4, 0.0, None]  # directions of the strokes; None: along the whirls, or any
    canvas = np.array([palette[1] for palette in palettes], np.float32)[labels]
    for _ in range(9000):
        x, y = random.uniform(0, width), random.uniform(0, height)
        region = int(labels[int(y), int(x)])
        angle = slopes[region]
        if angle is None:
            angle = np.arctan2(*_at(field, x, y)[::-1]) if region == 0 else random.uniform(0, 2 * np.pi)
        angle += random.normal() * 0.15
        light = _at(tone, x, y) + 0.18 * random.normal() + (0.5 * (y / height) if region == 0 else 0)
        colour = _ramp(palettes[region], float(light)) * random.uniform(0.9, 1.1)
        half = height * (0.022 if region in (0, 3) else 0.013) * np.array((np.cos(angle), np.sin(angle)))
        start, end = (np.round((x, y) + sign * half).astype(int).tolist() for sign in (-1, 1))
        cv2.line(canvas, start, end, colour.tolist(), max(2, int(height * random.uniform(0.009, 0.014))), cv2.LINE_AA)
    small = cv2.resize(_relief(canvas), (3 * size // 2, size), interpolation=cv2.INTER_AREA)
    image = torch.from_numpy(small.astype(np.float32)).permute(2, 0, 1)[None].clamp(0, 1).contiguous()
    return image, torch.from_numpy(labels[::2, ::2].astype(np.int64))


def _layout(height: int, width: int) -> np.ndarray:
    """Draw the map of the landscape: mountains on the horizon, a river that comes nearer, trees on both sides."""
    y, x = np.mgrid[:height, :width] / np.array((height, width)).reshape(2, 1, 1)
    labels = np.zeros((height, width), np.uint8)
    labels[y > 0.46 - 0.20 * np.abs(np.sin(4.2 * x + 0.6)) - 0.05 * np.sin(17 * x)] = 1
    labels[y > 0.50] = 2
    labels[(y > 0.50) & (np.abs(x - 0.52 - 0.14 * np.sin(7 * y)) < 0.03 + 0.55 * (y - 0.50))] = 3
    for centre, base, tall in ((0.08, 0.74, 0.34), (0.19, 0.66, 0.22), (0.88, 0.70, 0.30), (0.97, 0.82, 0.46)):
        labels[((x - centre) / (0.24 * tall)) ** 2 + ((y - base + tall / 2) / (tall / 2)) ** 2 < 1] = 4
    return labels


def _strokes(size: int, random: Random) -> np.ndarray:
    """Paint broad strokes, dark ground first, light ones on top; their colour changes slowly over the canvas."""
    field, tone = _whirls(size, random, 4), _smooth(size, random, 0.25)
    canvas = np.full((size, size, 3), (0.10, 0.16, 0.32), np.float32)
    palette = [(0.07, 0.13, 0.38), (0.12, 0.32, 0.60), (0.28, 0.56, 0.72), (0.62, 0.76, 0.62), (0.96, 0.82, 0.36)]
    for i in range(7000):
        x, y = random.uniform(-0.1, 1.1, 2) * size  # some begin outside: the border is covered too
        light = _at(tone, x, y) + 0.16 * random.normal()
        colour = _ramp(palette, float(light)) * random.uniform(0.85, 1.12)
        width = max(2, int(size * random.uniform(0.008, 0.016) * (1.3 - i / 11000)))
        _trace(canvas, field, (x, y), colour, width=width, steps=int(random.integers(5, 9)), step=size * 0.007)
    return _relief(canvas)


def _swirls(size: int, random: Random) -> np.ndarray:
    """Paint long thin lines around whirls, each ring in another colour."""
    field, tone = _whirls(size, random, 6), _smooth(size, random, 0.2)
    canvas = np.full((size, size, 3), (0.20, 0.05, 0.16), np.float32)
    palette = [(0.28, 0.05, 0.22), (0.70, 0.12, 0.22), (0.95, 0.42, 0.18), (0.99, 0.78, 0.36), (0.10, 0.45, 0.50)]
    for _ in range(4000):
        x, y = random.uniform(-0.15, 1.15, 2) * size
        colour = _ramp(palette, float(1.25 * _at(tone, x, y) - 0.1 + 0.1 * random.normal()))
        _trace(canvas, field, (x, y), colour, width=max(1, size // 130), steps=30, step=size * 0.006)
    return _relief(canvas)


def _mosaic(size: int, random: Random) -> np.ndarray:
    """Lay stones on a jittered grid: each pixel belongs to the nearest stone, joints are where two are equally near."""
    cell = size // 26
    ticks = np.arange(-cell, size + cell, cell)
    points = np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2).astype(float)
    points += random.uniform(-0.3, 0.3, points.shape) * cell
    with importing():
        from sklearn.neighbors import KDTree

    y, x = np.mgrid[:size, :size]
    distance, nearest = KDTree(points).query(np.stack([x, y], -1).reshape(-1, 2), k=2)
    gap = (distance[:, 1] - distance[:, 0]).reshape(size, size)
    tone = _smooth(size, random, 0.3)
    at = points.clip(0, size - 1).astype(int)
    palette = [(0.05, 0.22, 0.42), (0.05, 0.50, 0.58), (0.92, 0.86, 0.68), (0.85, 0.58, 0.14), (0.66, 0.16, 0.12)]
    light = tone[at[:, 1], at[:, 0]] + 0.10 * random.normal(size=len(points))
    colours = np.stack([_ramp(palette, v) for v in light]) * random.uniform(0.82, 1.12, (len(points), 1))
    stones = colours[nearest[:, 0]].reshape(size, size, 3)
    joint = np.clip((gap - 0.10 * cell) / (0.10 * cell), 0, 1)[..., None]
    return stones * joint + 0.32 * (1 - joint)


def _woodcut(size: int, random: Random) -> np.ndarray:
    """Cut parallel curved lines: a line is as broad as the place is dark."""
    bend, tone = _smooth(size, random, 0.35), _smooth(size, random, 0.22)
    y, x = np.mgrid[:size, :size] / size
    phase = 26 * (y + 0.35 * bend + 0.12 * np.sin(5 * x))
    wave = np.abs((phase % 1) - 0.5) * 2  # 0 in the middle of a line, 1 between two
    rough = 0.05 * cv2.GaussianBlur(random.normal(size=(size, size)), (0, 0), 2)
    ink = wave < np.clip(1.15 - 1.15 * tone, 0.06, 0.97) + rough
    return np.where(ink[..., None], (0.09, 0.07, 0.07), (0.95, 0.90, 0.78))


def _colour_field(size: int, random: Random) -> np.ndarray:
    """Divide the canvas again and again into rectangles, then lay discs, rings and lines on it."""
    canvas = np.zeros((size, size, 3), np.float32)
    palette = [(0.93, 0.89, 0.80), (0.83, 0.20, 0.15), (0.12, 0.27, 0.55), (0.95, 0.74, 0.18), (0.20, 0.48, 0.44)]
    palette += [(0.14, 0.13, 0.16), (0.90, 0.56, 0.40)]

    def divide(top: int, left: int, height: int, width: int, depth: int) -> None:
        if depth == 0 or min(height, width) < size // 10:
            colour = np.array(palette[random.integers(len(palette))]) * random.uniform(0.9, 1.08)
            canvas[top : top + height, left : left + width] = colour
        elif (height > width) ^ (random.random() < 0.15):
            cut = int(height * random.uniform(0.3, 0.7))
            divide(top, left, cut, width, depth - 1)
            divide(top + cut, left, height - cut, width, depth - 1)
        else:
            cut = int(width * random.uniform(0.3, 0.7))
            divide(top, left, height, cut, depth - 1)
            divide(top, left + cut, height, width - cut, depth - 1)

    divide(0, 0, size, size, 5)
    for i in range(16):
        centre, r = tuple(random.integers(0, size, 2).tolist()), int(size * random.uniform(0.03, 0.13))
        colour = tuple(palette[random.integers(len(palette))])
        cv2.circle(canvas, centre, r, colour, -1 if i % 2 else max(2, r // 6), cv2.LINE_AA)
    for _ in range(9):
        a, b = (tuple(random.integers(0, size, 2).tolist()) for _ in range(2))
        cv2.line(canvas, a, b, palette[5], 2 + int(random.integers(max(1, size // 100))), cv2.LINE_AA)
    return canvas


def _ink(size: int, random: Random) -> np.ndarray:
    """Draw with a wet brush: pale washes that run at their edges, then dark strokes, thick in the middle, and drops."""
    light = np.ones((size, size), np.float32)
    for _ in range(12):  # washes
        layer = np.zeros((size, size), np.float32)
        x, y = random.uniform(0, size, 2)
        for _ in range(40):
            x, y = x + random.normal() * size * 0.03, y + random.normal() * size * 0.012
            cv2.circle(layer, (int(x), int(y)), int(size * random.uniform(0.02, 0.05)), 1.0, -1, cv2.LINE_AA)
        soft = cv2.GaussianBlur(layer, (0, 0), size * 0.012)
        edge = cv2.GaussianBlur(layer, (0, 0), size * 0.004) * (1 - soft)
        light *= 1 - 0.22 * soft - 0.35 * edge
    for _ in range(26):  # strokes
        x, y, angle = random.uniform(0, size), random.uniform(0, size), random.uniform(-0.5, 0.9)
        length, dark = int(random.integers(30, 80)), random.uniform(0.6, 0.97)
        turn = random.normal() * 0.02
        for k in range(length):
            angle += turn + 0.01 * random.normal()
            x, y = x + np.cos(angle) * size * 0.006, y + np.sin(angle) * size * 0.006
            r = max(1, int(size * 0.012 * np.sin(np.pi * (k + 1) / (length + 1)) * random.uniform(0.8, 1.1)))
            cv2.circle(light, (int(x), int(y)), r, 1 - dark, -1, cv2.LINE_AA)
    for _ in range(70):  # drops
        r = max(1, int(size * 0.012 * random.random() ** 3))
        cv2.circle(light, tuple(random.integers(0, size, 2).tolist()), r, 0.15, -1, cv2.LINE_AA)
    paper = np.array((0.96, 0.93, 0.86)) * (1 - 0.05 * _smooth(size, random, 0.02)[..., None])
    return paper * (0.06 + 0.94 * light[..., None])


STYLES: dict[str, Callable[[int, Random], np.ndarray]] = {
    "strokes": _strokes,
    "swirls": _swirls,
    "mosaic": _mosaic,
    "woodcut": _woodcut,
    "colour field": _colour_field,
    "ink": _ink,
}


def _smooth(size: int, random: Random, scale: float) -> np.ndarray:
    """Return slow random values (size, size), evenly over [0, 1]; `scale` is their width as a part of the side."""
    coarse = 64
    noise = cv2.GaussianBlur(random.normal(size=(coarse, coarse)), (0, 0), scale * coarse / 2)
    values = cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC)
    return np.interp(values, np.sort(noise, None), np.linspace(0, 1, noise.size))


def _whirls(size: int, random: Random, n: int) -> np.ndarray:
    """Return unit vectors (size, size, 2) that turn around n centres and flow to the right far from them."""
    y, x = np.mgrid[:size, :size].astype(np.float32)
    u, v = np.full_like(x, 0.6), 0.3 * np.sin(6 * x / size)
    for _ in range(n):
        cx, cy = random.uniform(0, size, 2)
        strength = random.choice([-1, 1]) * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (0.16 * size) ** 2) * 4
        distance = np.hypot(x - cx, y - cy) + 1
        u, v = u - strength * (y - cy) / distance, v + strength * (x - cx) / distance
    return np.stack([u, v], -1) / (np.hypot(u, v)[..., None] + 1e-6)


def _at(values: np.ndarray, x: float, y: float) -> np.ndarray:
    """Return the value at a point; outside the canvas that of its border."""
    return values[int(np.clip(y, 0, len(values) - 1)), int(np.clip(x, 0, len(values) - 1))]


def _trace(
    canvas: np.ndarray,
    field: np.ndarray,
    start: tuple[float, float],
    colour: np.ndarray,
    *,
    width: int,
    steps: int,
    step: float,
) -> None:
    """Draw one line along the field, from `start` on."""
    points = [start]
    for _ in range(steps):
        x, y = points[-1]
        u, v = _at(field, x, y)
        points.append((x + step * u, y + step * v))
    line = np.round(points).astype(np.int32)[:, None]
    cv2.polylines(canvas, [line], False, colour.tolist(), width, cv2.LINE_AA)


def _ramp(palette: list[tuple[float, float, float]], value: float) -> np.ndarray:
    """Return the colour at `value` (0 to 1) of a palette, mixed between its neighbours."""
    at = float(np.clip(value, 0, 1)) * (len(palette) - 1)
    i = min(int(at), len(palette) - 2)
    return np.array(palette[i]) * (1 - at + i) + np.array(palette[i + 1]) * (at - i)


def _relief(canvas: np.ndarray) -> np.ndarray:
    """Let light fall on thick paint from the upper left."""
    grey = cv2.GaussianBlur(canvas.mean(2), (0, 0), 1.2)
    return canvas + 0.7 * (grey - np.roll(grey, (2, 2), (0, 1)))[..., None]
