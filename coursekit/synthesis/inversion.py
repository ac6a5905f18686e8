"""Back from a code to a picture: search the images that have the same code."""

import torch
from torch import Tensor

from coursekit.arguments import check_count, check_images
from coursekit.errors import ImageError, OptionError
from coursekit.networks.model import Model
from coursekit.probe.capture import embed
from coursekit.synthesis.objectives import code_of, match
from coursekit.synthesis.parameterizations import Parameterization, fourier
from coursekit.synthesis.regularizers import alpha_norm, total_variation
from coursekit.synthesis.render import Rendering, render
from coursekit.synthesis.transforms import roll


def invert(
    model: Model,
    image: Tensor,
    layer: str,
    *,
    n: int = 1,
    weight: float = 3.0,
    beta: float = 2.0,
    alpha: float = 6.0,
    jitter: int = 0,
    parameterization: Parameterization | None = None,
    steps: int = 80,
    seed: int = 0,
) -> Rendering:
    r"""Search images whose code is that of `image`: min_x ‖Φ(x) - Φ₀‖² / ‖Φ₀‖² + λ_α R_α(x) + λ R_Vβ(x).

    Φ is what the layer computes, R_α (`alpha_norm`, of fixed weight 0.01) keeps values near grey, R_Vβ
    (`total_variation`) makes neighbours agree. The paper searches among pixels; here Adam searches among frequencies
    (`fourier`), which has the same minima and finds calmer ones.

    Parameters
    ----------
    model : Model
    image : (1, 3, S, S) in [0, 1]. Its code is all that the search gets to know of it.
    layer : any layer, from the first to the logits.
    n : how many images to search, from different starts, in one batch.
    weight, beta : λ and β of the total variation.
    alpha : α of the norm.
    jitter : roll by up to so many pixels before each look (Mahendran & Vedaldi 2016): for deep layers, which do not
        care about a pixel more or less.
    parameterization : one of `ck.parameterizations` instead of `fourier()`, such as `pixels()`.
    steps : of Adam; each costs one forward and one backward pass.

    Returns
    -------
    Rendering. `images` (n, 3, S, S) in [0, 1]; `values` (steps, n) hold -‖Φ(x) - Φ₀‖² / ‖Φ₀‖².

    Raises
    ------
    ImageError, OptionError, UnknownLayer

    References
    ----------
    Mahendran & Vedaldi, *Understanding deep image representations by inverting them*, CVPR 2015, and *Visualizing
    deep convolutional neural networks using natural pre-images*, IJCV 2016.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, cat = ck.load_model("coursenet"), ck.load_image("chelsea", size=64)
    >>> out = invert(model, cat, "relu1", steps=20)
    >>> bool(out.values[-1] > -0.2)
    True
    """
    check_images(image)
    if image.shape[2] != image.shape[3]:
        raise ImageError(f"invert takes square images, but got {image.shape[2]} × {image.shape[3]} pixels.")
    check_count("jitter", jitter, 0)
    if weight < 0:
        raise OptionError(f"weight must be 0 or more, but is {weight!r}.")
    return render(
        model,
        match(model, image, layer),
        n=n,
        size=image.shape[-1],
        parameterization=parameterization or fourier(),
        transforms=[roll(jitter)] if jitter else [],
        regularizers=[alpha_norm(0.01, alpha), total_variation(weight, beta)],
        steps=steps,
        rate=0.05,
        seed=seed,
        progress=False,
    )


def inversion_error(model: Model, images: Tensor, layer: str, image: Tensor, *, others: Tensor | None = None) -> Tensor:
    r"""Measure how far the codes of `images` lie from that of `image`: ‖Φ(x) - Φ₀‖ / N.

    N is the mean distance between the codes of two of the pictures in `others`, as in the paper's tables: 0 is the
    same code, 1 is as far away as another picture. Without `others`, N = ‖Φ₀‖.

    Parameters
    ----------
    model : Model
    images : (N, 3, H, W) in [0, 1].
    layer : any layer.
    image : (1, 3, H, W), whose code Φ₀ is the goal.
    others : (M, 3, H, W), M ≥ 2 different pictures.

    Returns
    -------
    Tensor (N,), one error for each image, on the images' device.

    Raises
    ------
    ImageError, OptionError, UnknownLayer

    References
    ----------
    Mahendran & Vedaldi, *Understanding deep image representations by inverting them*, CVPR 2015, sec. 5.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, cat = ck.load_model("coursenet"), ck.load_image("chelsea", size=64)
    >>> inversion_error(model, torch.cat([cat, cat]), "relu6", cat).round(decimals=3)
    tensor([0., 0.])
    """
    check_images(images)
    if images.shape[1:] != image.shape[1:]:
        raise ImageError(f"images and image must have one size, but have {[*images.shape]} and {[*image.shape]}.")
    if others is not None:
        check_images(others)
        if len(others) < 2:
            raise OptionError("others must hold two or more pictures, for N is their mean distance.")

    goal = code_of(model, image, layer).flatten(1).to(images)
    unit = goal.norm() if others is None else torch.pdist(embed(model, others, layer, reduce="flatten")).mean()
    if unit == 0:
        raise OptionError(f"The error has no unit: at {layer!r} the codes that should give it are all the same.")
    return (embed(model, images, layer, reduce="flatten") - goal).norm(dim=1) / unit
