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
# **Run time** about 30 s on two CPU cores; a few seconds on a GPU. **Memory** below 1.5 GB.
#
# **How to read a lab.** Before each figure there is a *predict first* line. Write your guess on paper. A wrong guess
# that you wrote down teaches you more than a right one that you only thought.

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
ck.show_predictions(
    image,
    ck.predict(model, image),
    alt="A cup of coffee on a saucer with a spoon. The network gives espresso a probability of about 0.94.",
)

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
ck.show_maps(
    image,
    {"occlusion map": heat, "laid over the image": heat},
    unit="drop in logit",
    overlay=True,
    alt="The map is red, up to a drop of about one logit, on the surface of the coffee, and pale elsewhere.",
)

# %% [markdown] id="map-read" slideshow={"slide_type": "skip"}
# The dark red lies on the coffee's surface. The spoon is pale blue: without it the class gets a little *stronger*.
# The saucer hardly matters. Was your guess right?

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
# **Predict first.** Is there a place where covering 1/49 of the picture changes the winning label?

# %% [markdown] id="three-text" slideshow={"slide_type": "skip"}
# We take the photograph of a tower in China. The network hesitates between *palace* and *bell cote* there, so labels can
# change. First we choose the feature map that answers most strongly to the whole picture, as the paper does. We look at
# the output of `block5` after no activation function, so we take the map with the largest total.

# %% id="three"
tower = ck.load_image("china", size=224)
with ck.capture(model, ["relu2"]) as maps, torch.no_grad():
    palace = model(tower).argmax(1).item()
channel = maps["relu2"].sum((2, 3)).argmax().item()
grid = ck.occlusion_grid(model, tower, palace, window=32, stride=16, feature=ck.unit("relu2", channel))
changed = (grid.label != palace).float().mean().item()
print("the label changes at some windows, but at fewer than half:", 0 < changed < 0.5)

# %% [markdown] id="probability-title" slideshow={"slide_type": "subslide"}
# ### How probable is the class still?

# %% id="probability" slideshow={"slide_type": "-"}
ck.show_maps(
    tower,
    {"p(palace) by window": grid.probability},
    unit="probability",
    alt="Map of the probability of palace by window position, dark where covering the tower lowers it.",
)

# %% [markdown] id="label-title" slideshow={"slide_type": "subslide"}
# ### Which label wins?

# %% id="label" slideshow={"slide_type": "-"}
ck.show_grid(tower, grid.label, model.labels)

# %% [markdown] id="activation-title" slideshow={"slide_type": "subslide"}
# ### One feature map: its own picture, and its total activation
#
# Left to right: the image, *where* the feature map is active, and its *total* for each position of the window.
# If the map really reads the tower, its total falls where the window covers the tower.

# %% id="activation" slideshow={"slide_type": "-"}
ck.show_maps(
    tower,
    {f"map {channel} of relu2": maps["relu2"][:, channel], "its total by window": grid.activation},
    unit="activation",
    shared=False,
    alt="The feature map is active on the tower, and its total falls where the window covers the tower.",
)

# %% [markdown] id="window-title" slideshow={"slide_type": "slide"}
# ## Experiment 1 · window size
#
# **Predict first.** A larger window gives larger drops. Does it also give a sharper map?

# %% id="window" slideshow={"slide_type": "-"}
sizes = {f"window {w}": ck.occlusion(model, image, espresso, window=w, stride=24) for w in (24, 48, 96)}
ck.show_maps(
    image,
    sizes,
    unit="drop in logit",
    alt="Three maps: window 24 is spotted, window 48 marks the coffee, window 96 is strong but broad.",
)

# %% [markdown] id="window-read" slideshow={"slide_type": "skip"}
# A small window leaves enough coffee in sight, so little is lost anywhere. A large window takes everything away at once,
# but then you no longer know *what* was lost. There is no right size: a window answers the question "does anything of
# this size matter here?"

# %% [markdown] id="stride-title" slideshow={"slide_type": "slide"}
# ## Experiment 2 · stride
#
# **Predict first.** Halving the stride makes the map smoother. How much more does it cost?

# %% id="stride" slideshow={"slide_type": "-"}
steps = {f"stride {s}": ck.occlusion(model, image, espresso, window=48, stride=s) for s in (48, 24, 12)}
ck.show_maps(
    image,
    steps,
    unit="drop in logit",
    alt="Three maps of the same window: stride 48 shows blocks, 24 is smoother, 12 smoother still.",
)

# %% [markdown] id="fill-title" slideshow={"slide_type": "slide"}
# ## Experiment 3 · the fill
#
# **Predict first.** Which fill will invent something that is not there: mean, black, white or blur?

# %% id="fill" slideshow={"slide_type": "-"}
fills = {
    fill: ck.occlusion(model, image, espresso, window=48, stride=24, fill=fill)
    for fill in ("mean", "black", "white", "blur")
}
ck.show_maps(
    None,
    fills,
    unit="drop in logit",
    alt="Four maps of the same windows filled with the mean colour, black, white and a blurred copy; they disagree.",
)

# %% id="fill-claim"
flat = torch.stack([m.flatten() for m in fills.values()])
agree = torch.corrcoef(flat)[0, 1:]
print(
    "each fill agrees with the mean fill in part (correlation between 0.2 and 0.98):",
    bool(((agree > 0.2) & (agree < 0.98)).all()),
)

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
    tower,
    {
        "for palace": ck.occlusion(model, tower, palace, stride=24),
        f"for channel {channel} of relu2": ck.occlusion(model, tower, unit, stride=24),
    },
    unit="drop in logit, drop in activation",
    shared=False,
    alt="Two occlusion maps of the tower, one for the class palace, one for a single channel.",
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
    cat,
    {"Egyptian cat": ck.occlusion(model, cat, egyptian, stride=16)},
    unit="drop in logit",
    overlay=True,
    alt="On the cat's face the map is blue at both eyes: covering an eye raises the score of Egyptian cat.",
)

# %% [markdown] id="wrong-cat-read" slideshow={"slide_type": "skip"}
# Blue eyes: covering an eye makes the network *more* sure of *Egyptian cat*. The strongest values lie on the cat, so the
# network does look at it. But a map that shows only the positive part, as many programs do, would hide the most
# interesting fact in this picture. Never throw the sign away before you have looked at it.

# %% [markdown] id="redundant-title" slideshow={"slide_type": "slide"}
# ## What goes wrong 2 · two of the same
#
# **Predict first.** Two cups stand side by side. We cover the left one. How much does *espresso* lose?

# %% id="redundant" slideshow={"slide_type": "-"}
pair = torch.cat([image, image], dim=3)
left, right, both = pair.clone(), pair.clone(), pair.clone()
for covered, columns in ((left, [0]), (right, [224]), (both, [0, 224])):
    for column in columns:
        covered[:, :, 40:140, column + 40 : column + 160] = model.mean.cpu()
with torch.no_grad():
    whole, *less = model(torch.cat([pair, left, right, both]))[:, espresso].tolist()
drops = [whole - score for score in less]
ck.show_images(
    torch.cat([left, right, both]),
    [
        f"{name}: drop {drop:.1f}"
        for name, drop in zip(("left covered", "right covered", "both covered"), drops, strict=True)
    ],
    alt="Two cups side by side, with the left coffee, the right coffee or both covered, and the drop in the logit of each.",
)

# %% id="redundant-claim"
print(
    "covering both costs more than twice as much as the two single covers together:",
    drops[2] > 2 * (drops[0] + drops[1]),
)

# %% [markdown] id="redundant-read" slideshow={"slide_type": "skip"}
# Occlusion removes **one** thing at a time. When a second copy of the evidence is still in sight, the first seems not to
# matter. A pale map does not mean that a place is unimportant; it means that the network can do without it *while
# everything else is there*.

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
    alt="Forward passes fall from 2401 at stride 4 to 49 at stride 32; one gradient costs about 2.",
)

# %% [markdown] id="score-title" slideshow={"slide_type": "slide"}
# ## Score it: does the red lie on the cup?
#
# Looks can deceive, so we count. We draw a box around the cup by hand and ask how much of the positive part
# $\max(A, 0)$ lies inside. A map that knows nothing would score the box's share of the area.

# %% id="score" slideshow={"slide_type": "-"}
top, left, height, width = 8, 40, 110, 130
energy = heat.clamp(min=0)
share = (energy[..., top : top + height, left : left + width].sum() / energy.sum()).item()
area = height * width / 224**2
print(f"the box covers {area:.0%} of the picture")
print("it holds more than 1.3 times its share of the map's energy:", share > 1.3 * area)
ck.show_images(
    image, ["the cup's box"], boxes=[(top, left, height, width)], alt="The cup with an orange box around it."
)

# %% [markdown] id="swap-title" slideshow={"slide_type": "slide"}
# ## Swap the network
#
# The same line on another network. EfficientNet-Lite2 is larger and was trained on its own. Do the two agree?

# %% id="swap" slideshow={"slide_type": "-"}
other = ck.load_model("efficientnet_lite2")
ck.show_maps(
    image,
    {m.name: ck.occlusion(m, image, espresso, window=48, stride=24) for m in (model, other)},
    unit="drop in logit",
    alt="The occlusion maps of EfficientNet-Lite0 and EfficientNet-Lite2 for espresso, side by side.",
)

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
# - Red and blue both speak; and a pale place may only mean that a second copy of the evidence was in sight.

# %% [markdown] id="quiz" slideshow={"slide_type": "slide"}
# ## Quiz
#
# 1. Why is the window filled with the mean colour and not with black?
# <details><summary>Answer</summary>The mean colour is what normalisation turns into zero: the nearest thing to "nothing there". Black is far from zero, so it is a signal of its own.</details>
#
# 2. A map is pale everywhere, yet the network is 99 % sure. How can that be?
# <details><summary>Answer</summary>The evidence exists more than once, or the window is too small: what one window takes away, the rest of the picture replaces.</details>
#
# 3. You halve the stride. How many more forward passes do you pay?
# <details><summary>Answer</summary>About four times as many: twice in each of the two directions.</details>
#
# 4. Covering the eye of the cat makes *Egyptian cat* stronger. Does the network ignore the eye?
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
