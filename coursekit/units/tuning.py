"""Which orientation, which curve does a unit like? Tuning curves from stimuli made by rule, as in physiology."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from coursekit.arguments import check_count, check_images, check_maps
from coursekit.errors import OptionError
from coursekit.images import stimuli
from coursekit.networks.model import Model
from coursekit.probe.capture import activations


@dataclass(frozen=True)
class Tuning:
    """How strongly each channel of a layer answers to a stimulus at each angle.

    Attributes
    ----------
    angles : (A,) degrees
    sizes : (S,), the wavelengths or the radii in pixels
    responses : (K, S, A), at least 0: the peak in the middle of the map, above its answer to the empty background
    turn : degrees after which the stimulus is the same again, 180 for a grating, 360 for a curve

    >>> wave = Tuning("relu1", torch.tensor([0.0, 60.0, 120.0]), (8,), torch.tensor([[[1.0, 0.0, 0.0]]]), 180)
    >>> wave.preferred().item(), wave.selectivity().item(), wave.best_size()
    (0.0, 1.0, [8])
    """

    layer: str
    angles: Tensor
    sizes: Sequence[float]
    responses: Tensor
    turn: int

    def by_angle(self) -> Tensor:
        """Return (K, A): each channel's answers at the size that it likes best."""
        return self.responses[torch.arange(len(self.responses)), self._best()]

    def best_size(self) -> list[float]:
        """Return for each channel the wavelength or the radius of its strongest answer."""
        return [self.sizes[i] for i in self._best().tolist()]

    def preferred(self) -> Tensor:
        """Return (K,) degrees in [0, turn): the direction of the vector sum of the answers."""
        return torch.rad2deg(self._vector().angle()).mul(self.turn / 360) % self.turn

    def selectivity(self) -> Tensor:
        """Return (K,) in [0, 1]: the length of the vector sum, over the sum. 0 all angles alike, 1 one angle only."""
        return self._vector().abs() / self.by_angle().sum(1).clamp(min=1e-9)

    def _best(self) -> Tensor:
        return self.responses.amax(2).argmax(1)

    def _vector(self) -> Tensor:
        around = torch.deg2rad(self.angles) * 360 / self.turn
        return (self.by_angle() * torch.exp(1j * around)).sum(1)


def orientation_tuning(
    model: Model, layer: str, *, angles: int = 12, wavelengths: Sequence[float] = (4, 8, 16)
) -> Tuning:
    """Show gratings of every orientation to a layer; the angle is that of the bars, 0 lies and 90 stands.

    A channel's answer is its peak in the middle third of the map, so the phase of the grating does not matter.

    References
    ----------
    Hubel & Wiesel, *Receptive fields of single neurones in the cat's striate cortex*, J. Physiol. 1959; the index of
    selectivity is that of Swindale, *Biological Cybernetics* 1998.

    Examples
    --------
    >>> import coursekit as ck
    >>> ck.orientation_tuning(ck.load_model("coursenet"), "relu1", angles=4).responses.shape
    torch.Size([64, 3, 4])
    """
    check_count("angles", angles, least=3)
    check_count("The number of wavelengths", len(wavelengths))
    turns = [180 * i / angles for i in range(angles)]
    shown = [stimuli.grating(model.input_size, wavelength, angle) for wavelength in wavelengths for angle in turns]
    responses = _responses(model, torch.cat(shown), layer, background=0.5)
    return Tuning(layer, torch.tensor(turns), tuple(wavelengths), responses.view(-1, len(wavelengths), angles), 180)


def curve_tuning(
    model: Model,
    layer: str,
    *,
    angles: int = 16,
    radii: Sequence[float] = (6, 12, 24, 48, math.inf),
    width: float = 4,
    length: float = 48,
) -> Tuning:
    """Show arcs of every direction and curvature to a layer; the angle says where the arc is hollow, 0 to the right.

    Each arc is shown dark on light and light on dark, and the stronger answer counts. `width` and `length` are those of
    `ck.stimuli.curve`. An infinite radius is a straight line, which is the same after half a turn.

    References
    ----------
    Cammarata, Goh, Carter, Schubert, Petrov, Olah, *Curve detectors*, Distill 2020.

    Examples
    --------
    >>> import coursekit as ck
    >>> ck.curve_tuning(ck.load_model("coursenet"), "relu2", angles=4, radii=(12, 24)).responses.shape
    torch.Size([128, 2, 4])
    """
    check_count("angles", angles, least=3)
    check_count("The number of radii", len(radii))
    turns = [360 * i / angles for i in range(angles)]
    arcs = torch.cat([stimuli.curve(model.input_size, r, angle, width, length) for r in radii for angle in turns])
    dark, light = _responses(model, arcs, layer, 1.0), _responses(model, 1 - arcs, layer, 0.0)
    responses = torch.maximum(dark, light).view(-1, len(radii), angles)
    return Tuning(layer, torch.tensor(turns), tuple(radii), responses, 360)


def gradient_orientation(images: Tensor) -> tuple[Tensor, Tensor]:
    """Read the main orientation off the pixels: degrees in [0, 180), and how clear it is, in [0, 1]; both (N,).

    The structure tensor under a Gaussian window: tan 2a = 2 sum(gx gy) / sum(gy² - gx²). The angle is that of bars or
    edges, 0 lies and 90 stands, as in `ck.stimuli.grating`.

    References
    ----------
    Kass & Witkin, *Analyzing oriented patterns*, CVGIP 1987.

    Examples
    --------
    >>> angle, clear = gradient_orientation(stimuli.grating(64, 8, angle=30))
    >>> abs(angle.item() - 30) < 1.5, clear.item() > 0.9
    (True, True)
    """
    check_images(images)
    if min(images.shape[2:]) < 3:
        raise OptionError(f"A gradient needs at least 3 x 3 pixels, but the images are {tuple(images.shape[2:])}.")
    grey = images.float().mean(1, keepdim=True)
    gx = F.conv2d(grey, torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])[None, None])
    gy = F.conv2d(grey, torch.tensor([[-1.0, -2, -1], [0, 0, 0], [1, 2, 1]])[None, None])
    y, x = (torch.linspace(-1, 1, side) for side in gx.shape[2:])
    window = torch.exp(-2 * (y[:, None] ** 2 + x**2))
    across, double = ((window * part).flatten(1).sum(1) for part in (gy**2 - gx**2, 2 * gx * gy))
    energy = (window * (gx**2 + gy**2)).flatten(1).sum(1)
    return torch.rad2deg(torch.atan2(double, across)) / 2 % 180, across.hypot(double) / energy.clamp(min=1e-12)


def angle_between(a: Tensor, b: Tensor | float, *, turn: float = 180) -> Tensor:
    """Return the difference of two angles in degrees, 0 to turn / 2.

    >>> angle_between(torch.tensor([170.0]), torch.tensor([10.0]))
    tensor([20.])
    """
    if not turn > 0:
        raise OptionError(f"turn must be above 0, but is {turn!r}.")
    return ((1.0 * a - 1.0 * b + turn / 2) % turn - turn / 2).abs()


def _responses(model: Model, images: Tensor, layer: str, background: float) -> Tensor:
    """Return (K, N): the peak of each channel in the middle third of its map, above that of the empty one."""

    def peak(maps: Tensor) -> Tensor:
        return _middle(check_maps(maps, layer)).amax((2, 3))

    images = torch.cat([images, torch.full_like(images[:1], background)])
    peaks = activations(model, images, [layer], reduce=peak)[layer].T
    return (peaks[:, :-1] - peaks[:, -1:]).clamp(min=0)


def _middle(maps: Tensor) -> Tensor:
    """Cut the middle third out of maps (N, K, h, w), at least one position."""
    (top, rows), (left, columns) = ((side // 2 - max(1, side // 3) // 2, max(1, side // 3)) for side in maps.shape[2:])
    return maps[:, :, top : top + rows, left : left + columns]
