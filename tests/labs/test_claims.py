"""A claim prints its number and its threshold, and says ✗ when it does not hold."""

import math

import numpy as np
import pytest
import torch

import coursekit as ck


@pytest.fixture
def claimed(capsys, monkeypatch):
    """What stands below a claim."""
    monkeypatch.delenv("COURSEKIT_STRICT", raising=False)

    def ask(value, **thresholds):
        capsys.readouterr()
        ck.claim("share", value, **thresholds)
        return capsys.readouterr().out.removesuffix("\n")

    return ask


@pytest.mark.parametrize("value", [0.7712, torch.tensor(0.7712), torch.tensor([0.7712]), np.float32(0.7712)])
def test_a_claim_prints_its_number_and_its_threshold(claimed, value):
    assert claimed(value, above=0.5) == "share: 0.77 (more than 0.5) ✓"
    assert claimed(value, below=0.5) == "share: 0.77 (less than 0.5) ✗"
    assert claimed(value, above=0.5, at_most=0.9, digits=1) == "share: 0.8 (more than 0.5 and at most 0.9) ✓"
    assert claimed(value, at_least=0.8, below=0.9) == "share: 0.77 (at least 0.8 and less than 0.9) ✗"


def test_at_the_threshold_itself_the_words_are_kept(claimed):
    marks = [claimed(3, **{name: 3})[-1] for name in ("above", "below", "at_least", "at_most")]
    assert marks == ["✗", "✗", "✓", "✓"]


@pytest.mark.parametrize("threshold", ["above", "below", "at_least", "at_most"])
@pytest.mark.parametrize("value", [math.nan, torch.tensor(math.nan), np.float64("nan")])
def test_nan_holds_no_claim(claimed, value, threshold):
    assert claimed(value, **{threshold: 0.5}).startswith("share: nan (") and claimed(value, above=0)[-1] == "✗"


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (12345, "12345"),
        (torch.tensor(12345), "12345"),
        (12345.6, "12000"),
        (9.96, "10"),
        (-3.14159, "-3.1"),
        (0.5, "0.50"),
        (0.00321, "0.0032"),
        (3.21e-7, "3.2e-07"),
        (0.0, "0"),
        (-math.inf, "-inf"),
    ],
)
def test_a_number_is_rounded_to_what_is_stable(claimed, value, printed):
    assert claimed(value, below=20_000) == f"share: {printed} (less than 20000) ✓"


def test_rounding_never_puts_a_number_on_its_threshold(claimed):
    assert claimed(0.4996, at_least=0.5) == "share: 0.4996 (at least 0.5) ✗"
    assert claimed(1.0 + 1e-6, above=1) == "share: 1.000001 (more than 1) ✓"
    assert claimed(float(np.nextafter(0.5, 1)), above=0.5)[-1] == "✓"


def test_strict_mode_raises_where_a_claim_fails(monkeypatch):
    monkeypatch.setenv("COURSEKIT_STRICT", "1")
    ck.claim("share", 0.7, above=0.5)
    for value in (0.3, math.nan):
        with pytest.raises(AssertionError, match=r"share: .* \(more than 0\.5\) ✗"):
            ck.claim("share", value, above=0.5)


@pytest.mark.parametrize("value", [True, torch.tensor(True), "0.7", None, torch.zeros(2), [1, 2], np.bool_(True)])
def test_a_claim_about_no_number_is_an_error(value):
    with pytest.raises(ck.OptionError, match="A claim is about one number"):
        ck.claim("share", value, above=0.5)


def test_a_claim_without_a_threshold_is_an_error():
    with pytest.raises(ck.OptionError, match="needs a threshold"):
        ck.claim("share", 0.7)
    with pytest.raises(ck.OptionError, match="digits"):
        ck.claim("share", 0.7, above=0, digits=0)
