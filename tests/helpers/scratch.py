"""A small lab in a course of its own, for the tests of the tools: every kind of cell, and it runs in a second."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

LESSON = '''\
# %% [markdown] id="title" slideshow={"slide_type": "slide"}
# # Lab 99 · Scratch
#
# *A lab for the tests.*

# %% [markdown] id="contract" slideshow={"slide_type": "slide"}
# ## What you will be able to do
#
# You will be able to add $\\alpha + \\beta$, and to say why it is not
#
# $$\\sum_{i=1}^{N} \\frac{\\alpha_i}{\\beta_i}.$$

# %% id="imports"
import io

import ipywidgets as widgets
from IPython.display import display
from PIL import Image

# %% [markdown] id="helper-words" slideshow={"slide_type": "slide"}
# ## How the picture is made

# %% id="helper" slideshow={"slide_type": "-"} tags=["show-code"]
def picture(level):
    """A PNG of one grey level."""
    buffer = io.BytesIO()
    Image.new("L", (300, 200), level).save(buffer, "png")
    return buffer.getvalue()


# %% [markdown] id="figure-words" slideshow={"slide_type": "subslide"}
# ## A figure

# %% id="figure" slideshow={"slide_type": "-"}
display({"image/png": picture(60), "text/plain": "grey"}, raw=True)

# %% id="explorer"
slider = widgets.IntSlider(value=0, min=0, max=10, description="grey")
field = widgets.Image(value=picture(0), format="png")
slider.observe(lambda change: setattr(field, "value", picture(20 * change["new"])), "value")
bundle = widgets.VBox([slider, field])._repr_mimebundle_()
bundle = bundle[0] if isinstance(bundle, tuple) else bundle
still = {"image/png": picture(0), "text/plain": "A black field."}
display(bundle | still, raw=True)

# %% id="claim"
print("two and two are four:", 2 + 2 == 4)

# %% [markdown] id="exercise"
# ### Exercise 99.1
#
# Put the sum of 2 and 3 into `answer`.

# %% id="starter"
answer = ...  # your code here

# %% id="solution" jupyter={"source_hidden": true} tags=["solution"]
answer = sum([2, 3])  # the secret of the lab

# %% id="check"
print("not done yet" if answer is ... else f"right: {answer == 5}")

# %% [markdown] id="recap" slideshow={"slide_type": "slide"}
# ## Recap
#
# 1. One.
# 2. Two.

# %% [markdown] id="aside" slideshow={"slide_type": "notes"}
# Ask who got it wrong.
'''

ALTS = """\
# Lab 99 · Scratch

## figure

A grey field.

## explorer

A black field.
"""


def make_course(folder: Path, lesson: str = LESSON) -> Path:
    """Make a course of one lab in the folder; return the path of its lesson."""
    (folder / "lessons").mkdir(parents=True)
    (folder / "notebooks").mkdir()
    shutil.copy(ROOT / "jupytext.toml", folder)
    (folder / "data" / "alt").mkdir(parents=True)
    (folder / "data" / "alt" / "99.md").write_text(ALTS, "utf8")
    path = folder / "lessons" / "99_scratch.py"
    path.write_text(lesson, "utf8")
    return path
