"""Where does a concept lie in a layer, and does it matter to a class? Concept activation vectors and TCAV scores.

Run the network once over each picture and keep the results: `activations` of the concepts, `activation_gradients` of
the class. Everything after that is small linear algebra. The test for a TCAV score is in `tcav.py`.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from coursekit.arguments import check_shape, check_vectors, shown
from coursekit.errors import OptionError
from coursekit.interrupts import importing


class Cav(NamedTuple):
    """The unit vector (D,) that points towards a concept, and how well the linear model knows unseen examples."""

    vector: Tensor
    accuracy: float


def cav(concept: Tensor, others: Tensor, *, classifier: object = None, seed: int = 0) -> Cav:
    """Fit a linear model that tells a concept's activations from others; return its normal, the CAV.

    v = w / |w|, where w · a + b > 0 says "concept". With random pictures as `others` this is the CAV of the paper;
    with the pictures of other concepts it is a *relative* CAV: what striped has and dotted and checked have not.

    Parameters
    ----------
    concept, others : activations (N, D) of the two kinds of pictures at one layer, at least 2 of each.
    classifier : a scikit-learn classifier with `coef_`, such as `LogisticRegression()`. None takes ridge regression on
        ±1, scikit-learn's `RidgeClassifier`, with a penalty as large as the activations' total variance, so that their
        unit does not matter.
    seed : for the folds of the cross-validation, and for the classifier if it has no `random_state` of its own.

    Returns
    -------
    Cav(vector (D,), accuracy in [0, 1]): the accuracy is balanced, so chance is ½, and cross-validated in (at most)
    five folds. Where it is not above ½, the vector means nothing.

    Raises
    ------
    OptionError

    References
    ----------
    Kim, Wattenberg, Gilmer, Cai, Wexler, Viégas, Sayres, *Interpretability beyond feature attribution: quantitative
    testing with concept activation vectors (TCAV)*, ICML 2018, sec. 3.2; relative CAVs, sec. 3.6.

    Examples
    --------
    >>> concept = torch.tensor([[3.0, 0.0], [3.0, 1.0], [4.0, 0.0], [4.0, 1.0]])
    >>> vector, accuracy = cav(concept, -concept + torch.tensor([0.0, 1.0]))
    >>> round(float(vector[0]), 3), accuracy
    (1.0, 1.0)
    """
    with importing():
        from sklearn.base import clone
        from sklearn.model_selection import StratifiedKFold, cross_val_score

    check_vectors({"concept": concept, "others": others})
    if classifier is not None and (isinstance(classifier, type) or not hasattr(classifier, "fit")):
        raise OptionError(f"classifier must be a linear classifier of scikit-learn, but is {shown(classifier)}.")
    points = torch.cat([concept, others]).detach().cpu().double().numpy()
    labels = np.repeat([1, 0], [len(concept), len(others)])
    spread = points.var(0).sum()
    if spread == 0:
        raise OptionError("All activations are equal, so no direction leads to the concept; choose another layer.")
    folds = StratifiedKFold(min(5, len(concept), len(others)), shuffle=True, random_state=seed)
    if classifier is None:
        normal, _ = _ridge(points, labels, spread)
        splits = folds.split(points, labels)
        accuracy = np.mean([_accuracy(points, labels, spread, train, test) for train, test in splits])
    else:
        model = clone(classifier)
        if model.get_params().get("random_state", 0) is None:
            model.set_params(random_state=seed)
        accuracy = cross_val_score(model, points, labels, cv=folds, scoring="balanced_accuracy").mean()
        normal = np.atleast_2d(model.fit(points, labels).coef_)[0]
    return Cav(nn.functional.normalize(torch.from_numpy(normal), dim=0).to(concept), float(accuracy))


def _ridge(points: np.ndarray, labels: np.ndarray, penalty: float) -> tuple[np.ndarray, float]:
    """Fit w · a + b to ±1: w = (XᵀX + λ)⁻¹ Xᵀ y = Xᵀ (XXᵀ + λ)⁻¹ y with X and y centred, by the smaller system."""
    mean, y = points.mean(0), 2.0 * labels - 1
    x, target = points - mean, y - y.mean()
    if len(x) < x.shape[1]:
        w = x.T @ np.linalg.solve(x @ x.T + penalty * np.eye(len(x)), target)
    else:
        w = np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ target)
    return w, y.mean() - mean @ w


def _accuracy(points: np.ndarray, labels: np.ndarray, penalty: float, train: np.ndarray, test: np.ndarray) -> float:
    """Return the balanced accuracy of ridge regression on examples that it has not seen."""
    w, b = _ridge(points[train], labels[train], penalty)
    right = (points[test] @ w + b > 0) == labels[test]
    return (right[labels[test] == 1].mean() + right[labels[test] == 0].mean()) / 2


def tcav_score(gradients: Tensor, vector: Tensor) -> float:
    """Return the part of a class's images whose logit grows towards the concept; a derivative of zero counts half.

    TCAV = 1/N Σ_i 1[g_i · v > 0] + ½ · 1[g_i · v = 0] (Kim et al. 2018, eq. 2, which counts ties as 0).

    gradients : (N, D) of `activation_gradients` at one layer. vector : (D,), towards the concept.

    >>> tcav_score(torch.tensor([[2.0, 0.0], [1.0, 5.0], [-1.0, 0.0], [0.0, 0.0]]), torch.tensor([1.0, 0.0]))
    0.625
    """
    gradients, vector = check_shape("gradients", gradients, "N", "D"), check_shape("vector", vector, "D")
    if vector.shape != gradients.shape[1:]:
        raise OptionError(
            f"Gradients (N, D) and a vector (D,) are needed, not {[*gradients.shape]} and {[*vector.shape]}."
        )
    return float((gradients @ vector.to(gradients)).sign().mean() / 2 + 0.5)


def sort_by_concept(codes: Tensor, vector: Tensor) -> tuple[Tensor, Tensor]:
    """Sort images by the cosine of their activations (N, D) with a CAV (D,); return order and cosine, each (N,).

    The image that shows most of the concept comes first (Kim et al. 2018, sec. 4.2.1).

    >>> order, cosine = sort_by_concept(torch.tensor([[0.0, 1.0], [3.0, 0.0]]), torch.tensor([1.0, 0.0]))
    >>> order.tolist(), cosine.tolist()
    ([1, 0], [1.0, 0.0])
    """
    codes = check_shape("codes", codes, "N", "D")
    vector = check_shape("vector", vector, codes.shape[1]).to(codes)
    cosine = nn.functional.cosine_similarity(codes, vector[None])
    order = cosine.argsort(descending=True, stable=True)
    return order, cosine[order]
