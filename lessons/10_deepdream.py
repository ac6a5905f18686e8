# %% [markdown] id="title" slideshow={"slide_type": "slide"}
# # 10 · DeepDream
# ### What if a layer sees more of what it sees?
#
# After this lab you will be able to
#
# - say what one step of DeepDream maximises, and prove it with one gradient,
# - explain what jitter, the size of the step and octaves are each for,
# - choose a layer by what it will paint, and guide a dream with a second picture,
# - say why a network dreams of dogs.

# %% [markdown] id="contract" slideshow={"slide_type": "skip"}
# **First do** lab 04. It also helps to know lab 01.
#
# **Run time** about 60 s on two CPU cores. **Memory** below 1.5 GB.

# %% id="install" jupyter={"source_hidden": true} slideshow={"slide_type": "skip"}
from importlib.util import find_spec

if find_spec("coursekit") is None:  # on Colab, Kaggle, or in another environment than the course's own
    print("coursekit is missing here: copy coursekit-*.whl beside this notebook (README.md says how to make it),")
    print("run  %pip install coursekit-*.whl  in a cell, and restart the kernel.")

# %% id="setup"
import torch
import torch.nn.functional as F

import coursekit as ck

ck.setup(seed=0)
model = ck.load_model("efficientnet_lite0")
sky = ck.load_image("china", size=(288, 432))

# %% [markdown] id="question" slideshow={"slide_type": "slide"}
# ## The question
#
# You look at a cloud and see a sheep. Look longer, and the sheep gets legs.
#
# A layer of a network sees a little of everything: a hint of fur, the start of an eye. What happens if the picture is changed
# so that the layer sees **more of what it already sees**, again and again?
#
# **Predict first.** Will all layers paint the same?

# %% id="sky" slideshow={"slide_type": "-"}
ck.show_images(sky, ["the start"], columns=2)

# %% [markdown] id="idea" slideshow={"slide_type": "slide"}
# ## The idea
#
# Take the activation $a$ of a layer. The recipe of Mordvintsev et al. (2015): run the picture forward, **put the activation itself in
# the place of the gradient**, and run backward to the picture. That is the gradient of
#
# $$ S(x) = \tfrac12 \lVert a(x) \rVert^2, \qquad \frac{\partial S}{\partial a} = a $$
#
# so what is strong gets stronger. Then a step whose size does not depend on the layer:
#
# $$ x \leftarrow x + \eta \, \frac{g}{\operatorname{mean} |g|}, \qquad g = \nabla_x S $$

# %% [markdown] id="code-title" slideshow={"slide_type": "slide"}
# ## One step is five lines


# %% id="readable" slideshow={"slide_type": "-"} tags=["show-code"]
def my_step(model, x, layer, rate=0.012):
    x = x.clone().requires_grad_()
    with ck.capture(model, [layer]) as acts:
        model(x)
    acts[layer].backward(acts[layer].detach())  # the activation in the place of the gradient
    g = x.grad
    return (x.detach() + rate * g / g.abs().mean()).clamp(0, 1)


# %% id="same"
small = ck.load_image("china", size=160)
ours = ck.dream(model, small, "block8", octaves=1, steps=1, jitter=0)
mine = my_step(model, small, "block8")
assert (mine - ours).norm() < 0.02 * (ours - small).norm()  # not to the bit: a ReLU at 0 may open by rounding
print("my_step and one step of ck.dream give the same picture")

# %% [markdown] id="half-text" slideshow={"slide_type": "skip"}
# Is it really the gradient of ½‖a‖²? We ask autograd.

# %% id="half"
x = small.clone().requires_grad_()
with ck.capture(model, ["block8"]) as acts:
    model(x)
(g,) = torch.autograd.grad(acts["block8"].pow(2).sum() / 2, x, retain_graph=True)
(h,) = torch.autograd.grad(acts["block8"], x, grad_outputs=acts["block8"].detach())
torch.testing.assert_close(g, h)
print("setting the gradient to the activation is ascent on half the squared length")

# %% [markdown] id="tricks-title" slideshow={"slide_type": "slide"}
# ## Three tricks, one after the other
#
# The same layer, and about the same number of steps.
#
# **Predict first.** What is wrong with the plain version?

# %% id="tricks" slideshow={"slide_type": "-"}
plain = ck.dream(model, sky, "block8", octaves=1, steps=30, jitter=0)
jittered = ck.dream(model, sky, "block8", octaves=1, steps=30)
octaves = ck.dream(model, sky, "block8", octaves=4, steps=12)
ck.show_images([plain, jittered, octaves], ["plain", "with jitter", "with jitter and octaves"], columns=3)

# %% [markdown] id="tricks-read" slideshow={"slide_type": "skip"}
# **Jitter.** The strides of the network make some pixels count more than their neighbours. Rolling the picture by a random
# amount before each step lets every pixel have its turn, and the grid disappears. Rolling loses nothing: what leaves on the right
# comes back on the left.
#
# **Octaves.** A layer has a receptive field of fixed size, so its forms have a fixed size in pixels. Dream on a small copy first: there
# its forms cover half the picture. Enlarge what was added, dream again, and smaller forms grow on the large ones. Only the *added
# detail* is enlarged; the photograph itself stays sharp.
#
# **Size of the step.** Divided by mean |g|, one rate serves all layers. Gradients of different layers differ a thousandfold.

# %% [markdown] id="layers-title" slideshow={"slide_type": "slide"}
# ## Low layers paint strokes, higher ones paint parts
#
# **Predict first.** Which of four layers will be the first to paint an eye?

# %% id="layers" slideshow={"slide_type": "-"} tags=["gallery"]
layers = ("block3", "block6", "block10", "block13")
dreams = {name: ck.dream(model, sky, name, octaves=3, steps=10) for name in layers}
ck.show_images(list(dreams.values()), list(dreams), columns=2)

# %% id="layers-claim"
with ck.capture(model, list(layers)) as acts, torch.no_grad():
    model(sky)
    before = {name: acts[name].pow(2).mean().item() for name in layers}
    grown = []
    for name in layers:
        model(dreams[name])
        grown.append(acts[name].pow(2).mean().item() / before[name])
print("each layer sees at least twice as much as before, in squared length:", min(grown) > 2)

# %% [markdown] id="guide-title" slideshow={"slide_type": "slide"}
# ## Guided by a second picture
#
# At each place we look for the code of the *guide* that answers most, and make this product larger:
# $S = \sum_p \max_q \, a_p(x) \cdot a_q(\text{guide})$.

# %% id="guide" slideshow={"slide_type": "-"}
guides = {name: ck.load_image(name, size=224) for name in ("flower", "chelsea")}
lake = ck.load_image("china", size=224)
guided = [
    ck.dream(model, lake, ck.objectives.guide(model, guide, "block8"), octaves=3, steps=16) for guide in guides.values()
]
ck.show_images(
    [guides["flower"], guided[0], guides["chelsea"], guided[1]], ["guide", "dream", "guide", "dream"], columns=4
)

# %% [markdown] id="data-title" slideshow={"slide_type": "slide"}
# ## A network dreams of what it has seen
#
# **PatternNet** is small and was trained on stripes, dots, checks, circles and stars. It has never seen an object.
#
# **Predict first.** Same lake, same step. What will grow?

# %% id="data" slideshow={"slide_type": "-"}
patterns = ck.load_model("patternnet")
other = {name: ck.dream(patterns, sky, name, octaves=3, steps=12) for name in ("relu2", "relu4")}
ck.show_images(
    [dreams["block10"], *other.values()], ["ImageNet, block10", "PatternNet, relu2", "PatternNet, relu4"], columns=3
)

# %% [markdown] id="data-read" slideshow={"slide_type": "skip"}
# A dream shows the data as much as the picture. Google's first dreams were full of dogs, and the same code on a network
# trained on places (MIT Places) painted buildings and fountains.

# %% [markdown] id="dogs-title" slideshow={"slide_type": "slide"}
# ## Why so many dogs? Count them
#
# ImageNet's dogs are the classes 151 to 268. **Predict first.** How many of the 1000 are dogs?

# %% id="dogs" slideshow={"slide_type": "-"}
dogs = range(151, 269)
print("first and last:", model.labels[dogs[0]], "…", model.labels[dogs[-1]])
print(f"{len(dogs)} of {len(model.labels)} classes are dogs")

chosen = ["china", "coffee", "rocket", "flower", "motorcycle", "astronaut", "grace_hopper", "page"]
photos = [ck.load_image(name, size=160) for name in chosen]
dreamt = [ck.dream(model, x, "block11", octaves=2, steps=12) for x in photos]


def probability(network, images, classes):
    large = [F.interpolate(x, size=(network.input_size,) * 2, mode="bilinear", antialias=True) for x in images]
    with torch.no_grad():
        return torch.cat([network(x) for x in large]).softmax(1)[:, classes].sum(1).cpu()


with torch.no_grad():
    before, after = (torch.cat([model(x).softmax(1)[:, 151:269].sum(1).cpu() for x in xs]) for xs in (photos, dreamt))
print(
    "dogs more than three times as probable after a dream of block11, of eight photographs at least six:",
    bool((after > 3 * before).sum() >= 6),
)
most = model.head.weight.argmax(0)
share = ((most >= 151) & (most < 269)).float().mean().item()
print("yet fewer than 10 % of the 1280 last channels speak most for a dog:", share < 0.1)

# %% [markdown] id="dogs-read" slideshow={"slide_type": "skip"}
# 118 classes: the benchmark wanted to test *fine* differences, and took 118 breeds. (Some lectures say 200; count them.) A network that must tell a
# Norfolk terrier from a Norwich terrier must look closely at snouts, ears and eyes. So a dream of those layers brings dogs into a photograph. The
# channels tell a finer story: few of the last ones belong to dogs alone. A dog is put together from parts that other animals have, too.

# %% [markdown] id="zoom-title" slideshow={"slide_type": "slide"}
# ## Endless zoom
#
# Dream, step five per cent closer, dream again. Nothing of the lake is left after a while: the network dreams of its own dream.

# %% id="zoom" slideshow={"slide_type": "-"}
import tempfile
from pathlib import Path

frames = list(
    ck.dream_zoom(model, ck.load_image("china", size=112), "block10", frames=12, factor=1.06, octaves=1, steps=3)
)
with tempfile.TemporaryDirectory() as folder:
    gif = ck.save_animation(frames, Path(folder) / "zoom.gif").read_bytes()
ck.show_images([frames[i] for i in (0, 4, 8, 11)], [f"frame {i}" for i in (1, 5, 9, 12)], columns=4)

# %% id="zoom-play" tags=["nbval-ignore-output"]
from IPython.display import Image

Image(gif)

# %% [markdown] id="tiles-text" slideshow={"slide_type": "skip"}
# ## Large pictures: in tiles
#
# A photograph of 12 megapixels needs some 240 times the memory of our 224 × 224 pixels. So `ck.dream` looks at pictures above 640 pixels
# **tile by tile**, and only the gradient is as large as the picture. A tile does not see beyond its border. Why is no seam visible? Because each step
# rolls the picture first, by up to half a tile, so the seams lie somewhere else each time.

# %% id="tiles"
pieces = {tile: ck.dream(model, sky, "block8", octaves=1, steps=8, tile=tile) for tile in (640, 160)}
with ck.capture(model, ["block8"]) as acts, torch.no_grad():
    model(torch.cat([sky, *pieces.values()]))
start, one, six = acts["block8"].pow(2).flatten(1).mean(1).tolist()
print("the layer sees 1.8 times as much, in one piece and in six tiles:", min(one, six) > 1.8 * start)

# %% [markdown] id="explorer-title" slideshow={"slide_type": "slide"}
# ## Your turn: choose the layer
#
# Or upload a picture of your own.

# %% id="explorer" slideshow={"slide_type": "-"}
ck.explore_dream(model)

# %% [markdown] id="wrong-title" slideshow={"slide_type": "slide"}
# ## What goes wrong · the step
#
# The same 12 steps with a sixth of our rate, and with seven times as much. **Predict first.** What does too large a step look like?

# %% id="wrong" slideshow={"slide_type": "-"}
rates = (0.002, 0.08)
ck.show_images(
    [ck.dream(model, small, "block8", octaves=2, steps=12, rate=rate) for rate in rates],
    [f"rate {rate}" for rate in rates],
    columns=4,
)

# %% [markdown] id="wrong-read" slideshow={"slide_type": "skip"}
# Too small, and nothing happens; too large, and the values run into 0 and 1, where the colours burn and the details break. The
# division by mean |g| makes the rate readable: each step moves a value by 0.012 in the mean, three of 255 grey levels.

# %% [markdown] id="wrong-two-title" slideshow={"slide_type": "slide"}
# ## What goes wrong 2 · a dream is no explanation
#
# White noise, no lake. **Predict first.** What does block10 see in it?

# %% id="wrong-two" slideshow={"slide_type": "-"}
noise = torch.rand(1, 3, 160, 160, generator=torch.Generator().manual_seed(0))
from_noise = ck.dream(model, noise, "block10", octaves=2, steps=24)
ck.show_images(from_noise, ["the dream of block10"], columns=2)

# %% [markdown] id="wrong-two-read" slideshow={"slide_type": "skip"}
# The forms come from the network and hardly from the picture. A dream of *your* photograph does not tell what the network saw in it, only
# what its layer can be brought to see. For the first question there are labs 03 to 06.

# %% [markdown] id="score-title" slideshow={"slide_type": "slide"}
# ## Score it: are there animals for another network, too?
#
# We think that we see eyes and fur. Ask a network that did not dream: EfficientNet-Lite1. The classes 0 to 397 are animals.
# Their probability on eight photographs, before and after a dream of a low and of a high layer.
#
# **Predict first.** Which of the two brings animals?

# %% id="score" slideshow={"slide_type": "-"}
judge = ck.load_model("efficientnet_lite1")
animals = {"before": photos, "block11": dreamt}
animals["block3"] = [ck.dream(model, x, "block3", octaves=2, steps=12) for x in photos]
share = {name: probability(judge, animals[name], slice(0, 398)).tolist() for name in ("before", "block3", "block11")}
ck.show_dots(
    {"probability of animals": {name: ck.bootstrap_interval(values, chosen) for name, values in share.items()}},
    grey=["before"],
)

# %% id="score-claim"
more = sum(a > b for a, b in zip(share["block11"], share["before"], strict=True))
print("block11 brings animals in at least six of eight photographs:", more >= 6)
mean = {name: sum(values) / len(values) for name, values in share.items()}
print("in the mean more than 1.4 times as probable:", mean["block11"] > 1.4 * mean["before"])
print("block3 does not (less than 1.2 times):", mean["block3"] < 1.2 * mean["before"])

# %% [markdown] id="score-read" slideshow={"slide_type": "skip"}
# So the animals are not only in *our* eyes: a network with other weights sees them, too. (Eight photographs are few, and Lite1 learned
# from the same pictures as Lite0.) The low layer brings strokes, and strokes are no animals.

# %% [markdown] id="swap-title" slideshow={"slide_type": "slide"}
# ## Swap the network
#
# CourseNet has plain layers and no block. The same function dreams.

# %% id="swap" slideshow={"slide_type": "-"}
coursenet = ck.load_model("coursenet")
ck.show_images(
    [ck.dream(coursenet, small, name, octaves=2, steps=12) for name in ("relu2", "relu4", "relu5")],
    ["relu2", "relu4", "relu5"],
    columns=4,
)

# %% [markdown] id="exercises-title" slideshow={"slide_type": "slide"}
# ## Exercises
#
# | | what you do | difficulty | minutes |
# |---|---|---|---|
# | 10.1 | one step | ★ | 8 |
# | 10.2 | roll there and back | ★ | 5 |
# | 10.3 | the sizes of the octaves | ★★ | 8 |
# | 10.4 | carry the detail over | ★★ | 12 |
#
# Each check says ✓, or which mistake it has recognised.

# %% [markdown] id="e1-card"
# ### Exercise 10.1 · The step
# *★ · 8 minutes.* `g` is the gradient of an image `x` (1, 3, H, W). Return the picture after one step of DeepDream with `rate`, in $[0, 1]$.
# **You will probably** divide by the largest value of |g| instead of its mean.


# %% id="e1-starter"
def dream_step(x, g, rate):
    return ...


# %% id="e1-solution" jupyter={"source_hidden": true} tags=["solution"]
def dream_step(x, g, rate):
    step = rate * g / g.abs().mean()
    return torch.clamp(x + step, min=0, max=1)


# %% id="e1-check"
ck.check("10.1", dream_step)

# %% [markdown] id="e2-card"
# ### Exercise 10.2 · Roll there and back
# *★ · 5 minutes.* Roll `x` by `dy` rows and `dx` columns, apply the function `step`, and roll the result back.
# **You will probably** swap rows and columns, or forget the way back.


# %% id="e2-starter"
def rolled_step(x, step, dy, dx):
    return ...


# %% id="e2-solution" jupyter={"source_hidden": true} tags=["solution"]
def rolled_step(x, step, dy, dx):
    there = x.roll((dy, dx), dims=(2, 3))
    return step(there).roll((-dy, -dx), dims=(2, 3))


# %% id="e2-check"
ck.check("10.2", rolled_step)

# %% [markdown] id="e3-card"
# ### Exercise 10.3 · Octaves
# *★★ · 8 minutes.* Return the list of sizes (height, width), from the **smallest to the largest**, for `n` octaves with a factor `scale` between
# neighbours; the largest is the picture's own size. Round each side to the nearest whole number, from the original size.
# **You will probably** begin with the largest.


# %% id="e3-starter"
def octave_sizes(height, width, n, scale):
    return ...


# %% id="e3-solution" jupyter={"source_hidden": true} tags=["solution"]
def octave_sizes(height, width, n, scale):
    return [(round(height / scale**k), round(width / scale**k)) for k in range(n - 1, -1, -1)]


# %% id="e3-check"
ck.check("10.3", octave_sizes)

# %% [markdown] id="e4-card"
# ### Exercise 10.4 · Carry the detail over
# *★★ · 12 minutes.* `step(x)` dreams on a picture. Walk through `sizes` from small to large: shrink the photograph `image` to the size, add the enlarged
# detail of the size before, dream, and keep as detail what differs from the shrunk photograph. Return the last dream. Use
# `F.interpolate(…, mode="bilinear", antialias=True)` for every change of size.
# **You will probably** enlarge the whole dream instead of its detail, and the photograph gets blurred.


# %% id="e4-starter"
def dream_in_octaves(image, step, sizes):
    return ...


# %% id="e4-solution" jupyter={"source_hidden": true} tags=["solution"]
def dream_in_octaves(image, step, sizes):
    added = torch.zeros_like(image)
    for size in sizes:
        photo = F.interpolate(image, size=size, mode="bilinear", antialias=True)
        result = step(photo + F.interpolate(added, size=size, mode="bilinear", antialias=True))
        added = result - photo
    return result


# %% id="e4-check"
ck.check("10.4", dream_in_octaves)

# %% [markdown] id="recap" slideshow={"slide_type": "slide"}
# ## Recap
#
# - DeepDream climbs ½‖a‖²: the activation, put in the place of the gradient. What is strong gets stronger.
# - Jitter removes the grid, octaves give forms of all sizes, and dividing by mean |g| makes one rate fit all layers.
# - A dream shows what the network has learned to see, more than what is in the picture.

# %% [markdown] id="quiz" slideshow={"slide_type": "slide"}
# ## Quiz
#
# 1. Which number does one step make larger?
# <details><summary>Answer</summary>Half the squared length of the layer's activation. Its gradient at the layer is the activation itself.</details>
#
# 2. Why is only the detail enlarged from octave to octave, and not the picture?
# <details><summary>Answer</summary>An enlarged small copy is blurred. The detail is laid over the sharp photograph of the new size, so nothing of the photograph gets lost.</details>
#
# 3. Why do the forms of one layer have about the same size in pixels?
# <details><summary>Answer</summary>Because the layer's receptive field has a fixed size. Octaves change the picture's size instead.</details>
#
# 4. Your dream is full of eyes. What does that tell about your photograph?
# <details><summary>Answer</summary>Little. It tells that the layer has many channels for eyes, because the classes of its training asked for them.</details>

# %% [markdown] id="reading" slideshow={"slide_type": "slide"}
# ## Further reading
#
# - A. Mordvintsev, C. Olah, M. Tyka. *Inceptionism: going deeper into neural networks.* Google Research Blog, 2015.
# - B. Zhou et al. *Learning deep features for scene recognition using Places database.* NeurIPS 2014.
# - C. Olah, A. Mordvintsev, L. Schubert. *Feature visualization.* Distill 2017.
# - O. Russakovsky et al. *ImageNet large scale visual recognition challenge.* IJCV 2015. Section 3.1.1 on the dogs.
#
# **Next:** lab 11 keeps the content of one picture and takes the style of another.
