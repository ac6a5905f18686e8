# %% [markdown] id="title" slideshow={"slide_type": "slide"}
# # 03 · Occlusion
# ### Cover a part of the picture. What does the network lose?
#
# After this lab you will be able to
#
# - write an occlusion map in ten lines, with no gradient at all,
# - ask three questions of one window: how probable, which label, how active,
# - choose window, stride and fill, and say what each choice hides,
# - name two cases in which an honest map misleads you.

# %% [markdown] id="contract" slideshow={"slide_type": "skip"}
# **First do** lab 00. Nothing else is needed: this is the simplest method of the course.
#
# **Run time** about 30 s on two CPU cores. **Memory** below 1 GB.
#
# **How to read a lab.** Before each figure there is a *predict first* line. Write your guess on paper. A wrong guess
# that you wrote down teaches you more than a right one that you only thought.

# %% id="install" jupyter={"source_hidden": true} slideshow={"slide_type": "skip"}
from importlib.util import find_spec

if find_spec("coursekit") is None:  # on Colab, Kaggle, or in another environment than the course's own
    print("coursekit is missing here: copy coursekit-*.whl beside this notebook (README.md says how to make it),")
    print("run  %pip install coursekit-*.whl  in a cell, and restart the kernel.")

# %% id="setup"
import torch

import coursekit as ck

ck.setup(seed=0)
model = ck.load_model("efficientnet_lite0")
image = ck.load_image("coffee", size=224)

# %% [markdown] id="question" slideshow={"slide_type": "slide"}
# ## The question
#
# The network says *espresso*. Which part of the picture made it say so?
#
# **Predict first.** Point at the one place that you would cover to make the network change its mind: the coffee,
# the cup, the handle, the spoon or the saucer?

# %% id="first-look" slideshow={"slide_type": "-"}
ck.show_predictions(image, ck.predict(model, image))

# %% [markdown] id="idea" slideshow={"slide_type": "slide"}
# ## The idea
#
# Slide a plain square over the picture. At each place ask the network again.
# Let $x$ be the picture, $x_{\setminus w}$ the picture with the window $w$ covered, and $S_c$ the score (the logit) of class $c$.
# Each pixel $p$ gets the mean drop over all windows that cover it:
#
# $$A(p) \;=\; \frac{1}{|\{w : p \in w\}|} \sum_{w \,:\, p \in w} \big( S_c(x) - S_c(x_{\setminus w}) \big)$$
#
# - $A > 0$ (red): covering this place **hurts** the class.
# - $A < 0$ (blue): covering this place **helps** the class.
#
# Zeiler & Fergus, *Visualizing and understanding convolutional networks*, ECCV 2014, section 4.2.

# %% [markdown] id="idea-fill" slideshow={"slide_type": "skip"}
# **Which colour covers?** We fill with the *mean colour* of the training pictures. For this network it is a middle grey.
# The model subtracts this colour from every picture, so a window of it becomes exactly zero inside the network. Black
# would not: black is a strong signal of its own.

# %% [markdown] id="code-title" slideshow={"slide_type": "slide"}
# ## The whole method


# %% id="readable" slideshow={"slide_type": "-"} tags=["show-code"]
def my_occlusion(model, image, target, window, stride):
    height, width = image.shape[-2:]
    total, count = torch.zeros(height, width), torch.zeros(height, width)
    with torch.no_grad():
        whole = model(image)[0, target]
        for top in range(0, height - window + stride, stride):
            for left in range(0, width - window + stride, stride):
                covered = image.clone()
                covered[:, :, top : top + window, left : left + window] = model.mean.cpu()
                drop = whole - model(covered)[0, target]
                total[top : top + window, left : left + window] += drop.cpu()
                count[top : top + window, left : left + window] += 1
    return total / count


# %% [markdown] id="same-text" slideshow={"slide_type": "skip"}
# The ranges end at `height - window + stride`, not at `height - window`. So the last window always reaches the border,
# even when the stride does not divide the way evenly. The function in `coursekit` runs eight windows at once; it must
# give the same map.

# %% id="same"
espresso = model.labels.index("espresso")
mine = my_occlusion(model, image, espresso, window=64, stride=40)
assert torch.allclose(mine, ck.occlusion(model, image, espresso, window=64, stride=40)[0, 0], atol=1e-4)
print("my_occlusion and ck.occlusion give the same map")

# %% [markdown] id="map-title" slideshow={"slide_type": "slide"}
# ## Espresso is in the coffee
#
# A window of 32 pixels moves in steps of 16: $13 \times 13 = 169$ windows.

# %% id="map" slideshow={"slide_type": "-"}
heat = ck.occlusion(model, image, espresso, window=32, stride=16)
ck.show_maps(image, {"occlusion map of espresso": heat}, unit="drop in logit", overlay=True)

# %% [markdown] id="map-read" slideshow={"slide_type": "skip"}
# The dark red lies where the brown of the coffee meets the white wall of the cup. The spoon is pale blue: without it the
# class gets a little *stronger*. The saucer and the table hardly matter. Was your guess right?

# %% [markdown] id="three-title" slideshow={"slide_type": "slide"}
# ## One window, three questions
#
# Zeiler & Fergus ask three things at each position of the window (their figure 7):
#
# | question | their panel | in `ck.occlusion_grid` |
# |---|---|---|
# | How probable is the class still? | d | `probability` |
# | Which label wins now? | e | `label` |
# | How active is one feature map in total, $\sum_{ij} a_{ij}$? | b | `activation` |
#
# **Predict first.** The picture is a rocket between two masts. What will the network see when the rocket is covered?

# %% [markdown] id="three-text" slideshow={"slide_type": "skip"}
# We take the photograph of a rocket on its launch pad. The network calls it a *missile*, but it is not sure, so labels can
# change. The feature map that we follow is the one that speaks most for *missile*: channel $k$ of the last layer with the
# largest product of weight and mean activation, $w_{ck} \cdot \bar a_k$.

# %% id="three"
rocket = ck.load_image("rocket", size=224)
missile = model.labels.index("missile")
with ck.capture(model, ["relu2"]) as maps, torch.no_grad():
    model(rocket)
features = maps["relu2"].cpu()
channel = (features[0].mean((1, 2)) * model.head.weight[missile].cpu()).argmax().item()
grid = ck.occlusion_grid(model, rocket, missile, window=48, stride=16, feature=ck.unit("relu2", channel))
changed = (grid.label != missile).float().mean().item()
print("the label changes at more than a tenth of the windows, but at fewer than half:", 0.1 < changed < 0.5)

# %% [markdown] id="probability-title" slideshow={"slide_type": "subslide"}
# ### How probable is the class still?

# %% id="probability" slideshow={"slide_type": "-"}
ck.show_maps(rocket, {"probability of missile by window": grid.probability}, unit="probability")

# %% [markdown] id="label-title" slideshow={"slide_type": "subslide"}
# ### Which label wins?

# %% id="label" slideshow={"slide_type": "-"}
ck.show_grid(rocket, grid.label, model.labels)

# %% [markdown] id="label-read" slideshow={"slide_type": "skip"}
# Hide the rocket, and what is left is a *drilling platform*: two masts and lamps in the dark. The network has a reason
# for its second guess, and this map lets you see it.

# %% [markdown] id="activation-title" slideshow={"slide_type": "subslide"}
# ### One feature map: its own picture, and what it loses
#
# In the middle, *where* the feature map is active. On the right, how much of its total activation is lost for each
# position of the window.

# %% id="activation" slideshow={"slide_type": "-"}
own = features[:, channel]
ck.show_maps(
    rocket,
    {f"channel {channel} of relu2": own, "lost by window": own.sum() - grid.activation},
    unit=["activation", "loss of total activation"],
    shared=False,
)

# %% [markdown] id="activation-read" slideshow={"slide_type": "skip"}
# The channel lights up in a region much wider than the rocket, because each of its positions sees nearly the whole
# picture. What it *depends on* is another place: the loss is largest near the upper half of the rocket and at the right
# mast. Where a feature map is active and what it reads are two different questions.

# %% [markdown] id="window-title" slideshow={"slide_type": "slide"}
# ## Experiment 1 · window size
#
# **Predict first.** A larger window gives larger drops. Does it also give a sharper map?

# %% id="window" slideshow={"slide_type": "-"}
sizes = {f"window {w}": ck.occlusion(model, image, espresso, window=w, stride=24) for w in (24, 48, 96)}
ck.show_maps(image, sizes, unit="drop in logit")

# %% [markdown] id="window-read" slideshow={"slide_type": "skip"}
# A small window leaves enough coffee in sight, so little is lost anywhere. A large window takes everything away at once,
# but then you no longer know *what* was lost. There is no right size: a window answers the question "does anything of
# this size matter here?"

# %% [markdown] id="stride-title" slideshow={"slide_type": "slide"}
# ## Experiment 2 · stride
#
# **Predict first.** Halving the stride makes the map smoother. How much more does it cost?

# %% id="stride" slideshow={"slide_type": "-"}
steps = {f"stride {s}": ck.occlusion(model, image, espresso, window=48, stride=s) for s in (48, 16)}
steps = {"stride 48": steps["stride 48"], "stride 24": sizes["window 48"], "stride 16": steps["stride 16"]}
ck.show_maps(image, steps, unit="drop in logit")

# %% [markdown] id="fill-title" slideshow={"slide_type": "slide"}
# ## Experiment 3 · the fill
#
# **Predict first.** Which fill will invent something that is not there: mean, black, white or blur?

# %% id="fill" slideshow={"slide_type": "-"}
fills = {"mean": sizes["window 48"]}  # computed above
for fill in ("black", "white", "blur"):
    fills[fill] = ck.occlusion(model, image, espresso, window=48, stride=24, fill=fill)
ck.show_maps(None, fills, unit="drop in logit")

# %% id="fill-claim"
largest = {fill: (m == m.amax()).nonzero()[0, 2:] for fill, m in fills.items()}
apart = (largest["mean"] - largest["blur"]).abs().max().item()
print("mean and blur put their largest drop within 48 pixels of each other:", apart <= 48)
print("blur finds a larger drop than mean:", bool(fills["blur"].amax() > fills["mean"].amax()))

# %% [markdown] id="fill-read" slideshow={"slide_type": "skip"}
# Every fill is itself a picture. A black square looks like a dark object, a white one like paper or a plate, and both
# have hard edges. A blurred window keeps the colours and takes only the details. When two fills disagree about a place,
# say so: the map there speaks of the fill, not of the picture.

# %% [markdown] id="unit-title" slideshow={"slide_type": "slide"}
# ## Any number inside the network can be the score
#
# A map need not explain a class. Here the score is one channel of an inner layer, chosen with `ck.unit(layer, channel)`.

# %% id="unit" slideshow={"slide_type": "-"}
unit = ck.unit("relu2", channel)
ck.show_maps(
    rocket,
    {
        "for the class missile": ck.occlusion(model, rocket, missile, window=48, stride=24),
        f"for channel {channel} of relu2": ck.occlusion(model, rocket, unit, window=48, stride=24),
    },
    unit=["drop in logit", "drop in activation"],
    shared=False,
)

# %% [markdown] id="explorer-title" slideshow={"slide_type": "slide"}
# ## Your turn: move the window
#
# Try to make *espresso* lose with the smallest window you can. Then change the fill.

# %% id="explorer" slideshow={"slide_type": "-"}
ck.explore_occlusion(model, image)

# %% [markdown] id="wrong-title" slideshow={"slide_type": "slide"}
# ## What goes wrong 1 · blue is not noise
#
# **Predict first.** On this cat, covering which part lowers the score of *Egyptian cat* most?

# %% id="wrong-cat" slideshow={"slide_type": "-"}
cat = ck.load_image("chelsea", size=224)
egyptian = model.labels.index("Egyptian cat")
ck.show_maps(
    cat, {"Egyptian cat": ck.occlusion(model, cat, egyptian, window=32, stride=16)}, unit="drop in logit", overlay=True
)

# %% [markdown] id="wrong-cat-read" slideshow={"slide_type": "skip"}
# Blue on the right eye and beside the nose: covering them makes *Egyptian cat* **stronger**. The strongest values lie on
# the face, so the network does look at it. But a map that shows only the positive part, as many programs do, would hide the most
# interesting fact in this picture. Never throw the sign away before you have looked at it.

# %% [markdown] id="object-title" slideshow={"slide_type": "slide"}
# ## What goes wrong 2 · the square is an object too
#
# **Predict first.** A portrait of Admiral Grace Hopper, called *military uniform*. What does the network see when a grey
# square covers her mouth?

# %% id="object" slideshow={"slide_type": "-"} tags=["gallery"]
portrait = ck.load_image("grace_hopper", size=224)
oxygen_mask = model.labels.index("oxygen mask")
by_window = ck.occlusion_grid(model, portrait, oxygen_mask, window=48, stride=16).probability[0]
row, column = divmod(by_window.argmax().item(), by_window.shape[1])
masked = portrait.clone()
masked[:, :, 16 * row : 16 * row + 48, 16 * column : 16 * column + 48] = model.mean.cpu()
both = torch.cat([portrait, masked])
ck.show_predictions(both, ck.predict(model, both, top=3))

# %% id="object-claim"
first = ck.predict(model, masked)[0][0][0]
print("with the grey square the network says:", first)

# %% [markdown] id="object-read" slideshow={"slide_type": "skip"}
# A grey patch in the middle of a face *is* an oxygen mask, as far as a network can know. So the drop at this place does
# not say that the mouth is part of a uniform. It says that we made a new picture, and the network answered it. Every
# fill can do this. Look at the winning label as well as at the drop.

# %% [markdown] id="cost-title" slideshow={"slide_type": "slide"}
# ## What it costs
#
# With a picture of side $H$, a window $w$ and a stride $s$ the network runs
#
# $$ n = \left( \left\lceil \frac{H - w}{s} \right\rceil + 1 \right)^2 \text{ times.} $$
#
# Halving the stride costs four times as much. A gradient (lab 04) costs about two forward passes, whatever the size.

# %% id="cost" slideshow={"slide_type": "-"}
strides = [4, 8, 16, 32]
passes = [(-(-(224 - 32) // s) + 1) ** 2 for s in strides]
ck.show_lines(
    strides,
    {"occlusion, window 32": passes, "one gradient": [2] * 4},
    xlabel="stride (pixels)",
    ylabel="forward passes",
    log=True,
)

# %% [markdown] id="score-title" slideshow={"slide_type": "slide"}
# ## Score it: does the red lie on the object?
#
# Looks can deceive, so we count. The dahlia is orange on dark green, so its colour gives us an exact mask. How much of the
# positive part $\max(A, 0)$ lies on the flower? A map that knows nothing would get the flower's share of the picture.

# %% id="score" slideshow={"slide_type": "-"}
flower = ck.load_image("flower", size=224)
mask = flower[:, :1] - flower[:, 2:] > 0.15  # much more red than blue: the petals
on_flower = ck.occlusion(model, flower, window=48, stride=24)
energy = on_flower.clamp(min=0)
share, area = (energy[mask].sum() / energy.sum()).item(), mask.float().mean().item()
print(
    "more than 70 % of the map's energy lies on the flower, on less than 40 % of the area:", share > 0.7 and area < 0.4
)
ck.show_maps(
    flower,
    {"mask": mask.float(), "occlusion map of daisy": on_flower},
    unit=["1 on the flower", "drop in logit"],
    shared=False,
)

# %% [markdown] id="score-read" slideshow={"slide_type": "skip"}
# The dahlia is called *daisy*: ImageNet has no dahlia. The map is good all the same, because it explains the network's
# answer and not the truth.

# %% [markdown] id="scenes-title" slideshow={"slide_type": "subslide"}
# ### The same question with exact masks
#
# `ck.scenes` lays cut-out objects on photographs, so we know every pixel of the object. Two scores: the part of the
# positive map inside the mask, and the **pointing game**: does the maximum lie on the object (Zhang et al. 2016)?
# **Predict first.** In how many of six?

# %% id="scenes" slideshow={"slide_type": "-"}
scenes = ck.scenes(6, objects=list(ck.cutouts("core")), background="photograph", seed=0)
pairs = zip(scenes.images.split(1), scenes.targets.tolist(), strict=True)
scene_maps = torch.cat([ck.occlusion(model, scene, target, window=48, stride=24) for scene, target in pairs])
inside, hits = ck.mask_energy(scene_maps, scenes.masks), ck.pointing_game(scene_maps, scenes.masks)
area = scenes.masks.float().mean((1, 2))
print(scenes)
print("energy inside, as a mean more than twice the object's area:", bool(inside.mean() > 2 * area.mean()))
print("more hits than misses:", bool(hits.mean() > 0.5), "| a hit each time:", bool(hits.min() == 1))
worst = inside.div(area).argmin().item()
ck.show_maps(
    scenes.images[[worst]],
    {"mask": scenes.masks[[worst]][:, None].float(), f"map of {scenes.objects[worst]}": scene_maps[[worst]]},
    unit=["1 on the object", "drop in logit"],
    shared=False,
)

# %% [markdown] id="scenes-read" slideshow={"slide_type": "skip"}
# The map finds the object more often than chance does, and it is far from perfect. A window of 48 pixels blurs every
# border, and where the network is not sure of the object (it says *candle* only with 27 %), covering the background may
# matter as much. Six scenes are few. Lab 06 scores all methods on 200.

# %% [markdown] id="swap-title" slideshow={"slide_type": "slide"}
# ## Swap the network
#
# The same line on another network. EfficientNet-Lite2 is larger, sees 260 × 260 pixels and was trained on its own. Do the
# two look at the same things? The window is blurred here, and one fifth of the picture wide in both.

# %% id="swap" slideshow={"slide_type": "-"}
other = ck.load_model("efficientnet_lite2")
larger = ck.load_image("coffee", size=other.input_size)
ck.show_maps(
    image,
    {
        "EfficientNet-Lite0": fills["blur"],
        "EfficientNet-Lite2": ck.occlusion(other, larger, espresso, window=56, stride=28, fill="blur"),
    },
    unit="drop in logit",
)

# %% [markdown] id="swap-read" slideshow={"slide_type": "skip"}
# Both need the coffee. Lite2 also uses the spoon, which for Lite0 spoke a little *against* espresso. Two networks with
# the same answer need not have the same reasons.

# %% [markdown] id="exercises-title" slideshow={"slide_type": "slide"}
# ## Exercises
#
# | | what you do | difficulty | minutes |
# |---|---|---|---|
# | 03.1 | count the windows | ★ | 3 |
# | 03.2 | cover a square, correctly | ★ | 5 |
# | 03.3 | the whole map, without looking back | ★★ | 15 |
# | 03.4 | the total activation of a feature map | ★ | 5 |
#
# Each check says ✓, or which mistake it has recognised. Get one wrong on purpose and see.

# %% [markdown] id="e1-card"
# ### Exercise 03.1 · Count the windows
# *★ · 3 minutes.* How many windows does one map need: a picture of 224 × 224 pixels, window 32, stride 8?
# **You will probably** forget the first or the last window; so does almost everybody.

# %% id="e1-starter"
number_of_windows = ...

# %% id="e1-solution" jupyter={"source_hidden": true} tags=["solution"]
number_of_windows = ((224 - 32) // 8 + 1) ** 2

# %% id="e1-check"
ck.check("03.1", number_of_windows)

# %% [markdown] id="e2-card"
# ### Exercise 03.2 · Cover a square
# *★ · 5 minutes.* Write a function that returns a copy of the image with one square covered by the mean colour of the
# training set, `model.mean`. The original must stay as it is.
# **You will probably** write into the image that you were given.


# %% id="e2-starter"
def cover(model, image, top, left, window):
    return ...


# %% id="e2-solution" jupyter={"source_hidden": true} tags=["solution"]
def cover(model, image, top, left, window):
    covered = image.clone()
    covered[:, :, top : top + window, left : left + window] = model.mean.cpu()
    return covered


# %% id="e2-check"
ck.check("03.2", cover)

# %% [markdown] id="e3-card"
# ### Exercise 03.3 · The whole map
# *★★ · 15 minutes.* Close your eyes, think of the formula, and write the occlusion map $A(p)$ as a tensor (H, W), in
# logits, filled with the mean colour. The check uses a picture whose side the stride does not divide.
# **You will probably** leave the border uncovered, or divide by the number of *all* windows.


# %% id="e3-starter"
def occlusion_map(model, image, target, window, stride):
    return ...


# %% id="e3-solution" jupyter={"source_hidden": true} tags=["solution"]
def occlusion_map(model, image, target, window, stride):
    height, width = image.shape[-2:]
    total, count = torch.zeros(height, width), torch.zeros(height, width)
    whole = model(image)[0, target]
    for top in range(0, height - window + stride, stride):
        for left in range(0, width - window + stride, stride):
            box = slice(top, top + window), slice(left, left + window)
            total[box] += (whole - model(cover(model, image, top, left, window))[0, target]).cpu()
            count[box] += 1
    return total / count


# %% id="e3-check"
ck.check("03.3", occlusion_map)

# %% [markdown] id="e4-card"
# ### Exercise 03.4 · Total activation
# *★ · 5 minutes.* `maps` is a captured layer of one image, (1, C, H, W). Return the total activation of one channel, the
# number that Zeiler & Fergus plot in figure 7 b.


# %% id="e4-starter"
def total_activation(maps, channel):
    return ...


# %% id="e4-solution" jupyter={"source_hidden": true} tags=["solution"]
def total_activation(maps, channel):
    return maps[0, channel].sum()


# %% id="e4-check"
ck.check("03.4", total_activation)

# %% [markdown] id="recap" slideshow={"slide_type": "slide"}
# ## Recap
#
# - Occlusion asks the network itself: cover, run again, compare. It needs no gradient and works on any model.
# - Window, stride and fill are part of the question. Give them with every map that you show.
# - Red and blue both speak. And the square is itself an object: look at the label that wins, not only at the drop.

# %% [markdown] id="quiz" slideshow={"slide_type": "slide"}
# ## Quiz
#
# 1. Why is the window filled with the mean colour and not with black?
# <details><summary>Answer</summary>The mean colour is what normalisation turns into zero: the nearest thing to "nothing there". Black is far from zero, so it is a signal of its own.</details>
#
# 2. A map is pale everywhere, yet the network is 99 % sure. How can that be?
# <details><summary>Answer</summary>The window is too small, or the evidence is there more than once: what one window takes away, the rest of the picture replaces.</details>
#
# 3. You halve the stride. How many more forward passes do you pay?
# <details><summary>Answer</summary>About four times as many: twice in each of the two directions.</details>
#
# 4. Covering an eye of the cat makes *Egyptian cat* stronger. Does the network ignore the eye?
# <details><summary>Answer</summary>No. It uses the eye, as evidence against this class: a large blue value is as much influence as a large red one.</details>

# %% [markdown] id="reading" slideshow={"slide_type": "slide"}
# ## Further reading
#
# - M. D. Zeiler, R. Fergus. *Visualizing and understanding convolutional networks.* ECCV 2014. Section 4.2 and figure 7.
# - V. Petsiuk, A. Das, K. Saenko. *RISE: randomized input sampling for explanation of black-box models.* BMVC 2018. Random masks instead of a sliding square.
# - R. Fong, A. Vedaldi. *Interpretable explanations of black boxes by meaningful perturbation.* ICCV 2017. Learns the mask.
# - L. M. Zintgraf, T. S. Cohen, T. Adel, M. Welling. *Visualizing deep neural network decisions: prediction difference analysis.* ICLR 2017. Fills with likely pictures instead of one colour.
#
# **Next:** lab 04 asks the same question with one backward pass instead of 169 forward ones.
