"""Every exception that coursekit raises on purpose.

Each one also derives from the built-in exception that a Python user would expect, and its message says in one
sentence what was seen, what was expected and what to do.
"""


class CoursekitError(Exception):
    """Base class: `except ck.CoursekitError` catches everything below."""


class ImageError(CoursekitError, ValueError):
    """A file or tensor is not an image that the course can use."""


class TargetError(CoursekitError, ValueError):
    """A target (class, unit, callable) does not fit the model or the images."""


class OptionError(CoursekitError, ValueError):
    """An option of a method has a value outside its range."""


class UnknownModel(CoursekitError, ValueError):
    """No model of that name exists."""


class UnknownLayer(CoursekitError, ValueError):
    """The model has no layer of that name, or the layer cannot be captured."""


class WeightsUnavailable(CoursekitError, RuntimeError):
    """Trained weights could not be had; random weights are never used instead."""


class DataUnavailable(CoursekitError, FileNotFoundError):
    """The course's own data does not lie beside the package."""


class UnsupportedActivation(CoursekitError, RuntimeError):
    """A backward rule does not cover an activation function of the network."""


class UnsupportedNetwork(CoursekitError, ValueError):
    """A method needs a structure that the network does not have, such as global average pooling."""


class UnknownExercise(CoursekitError, ValueError):
    """No exercise of that number exists."""
