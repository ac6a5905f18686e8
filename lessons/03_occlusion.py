# %% [markdown] id="title" slideshow={"slide_type": "slide"}
# # 03 · Occlusion
# ### Cover a part of the picture. What does the network lose?
#
# After this lab you will be able to
#
# - write an occlusion map and RISE in ten lines each, with no gradient at all,
# - ask three questions of one window: how probable, which label, how active,
# - choose window, stride and fill, and say what each choice hides,
# - name three cases in which an honest map misleads you.

# %% [markdown] id="contract" slideshow={"slide_type": "skip"}
# **First do** lab 00. Nothing else is needed: this is the simplest method of the course.
#
# **Run time** about 60 s on one CPU core. **Memory** about 1 GB. **Words** are explained in the [glossary](../docs/glossary.md).
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
image = ck.load_image("motorcycle", size=224)

# %% [markdown] id="question" slideshow={"slide_type": "slide"}
# ## Which part made it say moped?
#
# The network says *moped*. Which part of the picture made it say so?
#
# **Predict first.** You may lay one grey square of 96 × 96 pixels on the picture, and the network shall change its
# mind. Where: on the front wheel, the seat, the tank, the engine, or the garage behind?

# %% id="first-look" slideshow={"slide_type": "-"}
ck.show_predictions(image, ck.predict(model, image))

# %% [markdown] id="idea" slideshow={"slide_type": "slide"}
# ## Cover a part, ask again, take the drop
#
# Slide a plain square over the picture. At each place ask the network again.
# Let $x$ be the picture, $x_{\setminus w}$ the picture with the window $w$ covered, and $S_c$ the score (the logit) of
# class $c$. Each pixel $p$ gets the mean drop over all windows that cover it:
#
# $$A(p) \;=\; \frac{1}{|\{w : p \in w\}|} \sum_{w \,:\, p \in w} \big( S_c(x) - S_c(x_{\setminus w}) \big)$$
#
# - $A > 0$ (red): covering this place **hurts** the class.
# - $A < 0$ (blue): covering this place **helps** the class.
#
# Zeiler & Fergus, *Visualizing and understanding convolutional networks*, ECCV 2014, section 4.2.

# %% [markdown] id="idea-fill" slideshow={"slide_type": "skip"}
# **Which colour covers?** We fill with the *mean colour* of the training pictures. For this network it is a middle
# grey. The model subtracts this colour from every picture, so a window of it becomes exactly zero inside the network.
# Black would not: black is a strong signal of its own.

# %% [markdown] id="code-title" slideshow={"slide_type": "slide"}
# ## Cover, ask again, add up the drop


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
# even when the stride does not divide the way evenly. The function in `coursekit` runs many windows at once; it
# must give the same map.

# %% id="same"
moped = model.labels.index("moped")
mine = my_occlusion(model, image, moped, window=64, stride=40)
assert torch.allclose(mine, ck.occlusion(model, image, moped, window=64, stride=40)[0, 0], atol=1e-4)
print("my_occlusion and ck.occlusion give the same map")

# %% [markdown] id="answer-title" slideshow={"slide_type": "slide"}
# ## One square turns the motorcycle into a Model T
#
# A window of 96 pixels moves in steps of 16: $9 \times 9 = 81$ windows. Here is the one that costs *moped* most.

# %% id="answer" slideshow={"slide_type": "-"}
large = ck.occlusion_grid(model, image, moped, window=96, stride=16)
row, column = divmod(large.probability[0].argmin().item(), large.probability.shape[2])
covered = image.clone()
covered[:, :, 16 * row : 16 * row + 96, 16 * column : 16 * column + 96] = model.mean.cpu()
ck.show_predictions(covered, ck.predict(model, covered))

# %% id="answer-claim" slideshow={"slide_type": "skip"}
changed = (large.label != moped).sum().item()
ck.claim("windows of 81 that change the label", changed, at_least=5, at_most=30)
ck.claim("probability of moped behind the worst window", large.probability.min(), below=0.2)
ck.claim("and behind the median window", large.probability.median(), above=0.4)

# %% [markdown] id="answer-read" slideshow={"slide_type": "notes"}
# The square lies on the engine. *Moped* falls from 0.70 to 0.08, and *Model T*, Ford's car of 1908, comes first. The
# last line above is the control: a square of the same size somewhere else leaves *moped* probable. So it is the place
# that matters, not the square alone.

# %% [markdown] id="map-title" slideshow={"slide_type": "slide"}
# ## The evidence for moped sits on the engine
#
# Now all places at once. The window has 64 pixels and moves in steps of 16: $11 \times 11 = 121$ windows.

# %% id="map" slideshow={"slide_type": "-"}
heat = ck.occlusion(model, image, moped, window=64, stride=16)
ck.show_maps(image, {"occlusion map of moped": heat}, unit="drop in logit", overlay=True)

# %% [markdown] id="map-read" slideshow={"slide_type": "notes"}
# The dark red lies on the engine and on the frame above it. The garage is pale blue at the top and on the floor at the
# right: without these places *moped* gets a little *stronger*. Neither wheel is dark. Was your guess right?

# %% [markdown] id="coffee-title" slideshow={"slide_type": "slide"}
# ## The same question to an espresso
#
# **Predict first.** This cup is *espresso* with 0.94. Can the square of 96 pixels, which made a Model T, change this
# label too?

# %% id="coffee" slideshow={"slide_type": "fragment"}
coffee = ck.load_image("coffee", size=224)
espresso = model.labels.index("espresso")
coffee_map = ck.occlusion(model, coffee, espresso, window=64, stride=16)
ck.show_maps(coffee, {"occlusion map of espresso": coffee_map}, unit="drop in logit", overlay=True)

# %% id="coffee-claim" slideshow={"slide_type": "skip"}
by_window = ck.occlusion_grid(model, coffee, espresso, window=96, stride=16)
ck.claim("windows of 81 that change the label", (by_window.label != espresso).sum().item(), at_most=0)
ck.claim("probability of espresso behind the worst window", by_window.probability.min(), above=0.3)
ck.claim("and behind the median window", by_window.probability.median(), above=0.7)
ck.claim("largest drop in the map, over that of the motorcycle", coffee_map.max() / heat.max(), below=1)

# %% [markdown] id="coffee-read" slideshow={"slide_type": "notes"}
# It cannot: behind none of the 81 windows does another label win, and the worst leaves *espresso* at 0.40. The
# evidence is there more than once, so what one window hides, the rest of the picture still says. Yet the map looks as
# definite as the motorcycle's, because its colours are scaled to its own largest value: read the colour bar before
# you read the colours. The red lies on the far rim of the cup and the white wall below it; the coffee itself is pale.
# The spoon is pale blue: without it *espresso* gets a little stronger.

# %% [markdown] id="three-title" slideshow={"slide_type": "slide"}
# ## One window, three questions
#
# Zeiler & Fergus ask three things at each position of the window, and put them beside the photograph (a) and the
# feature map's projection (c):
#
# | question | panel | in `ck.occlusion_grid` |
# |---|---|---|
# | How active is the strongest feature map in total, $\sum_{ij} a_{ij}$? | b | `activation` |
# | How probable is the class still? | d | `probability` |
# | Which label wins now? | e | `label` |
#
# **Predict first.** The next picture is a rocket between two masts. What will the network see when the rocket is
# covered?

# %% [markdown] id="three-text" slideshow={"slide_type": "skip"}
# The network calls the rocket a *missile*, with 0.22, so labels can change easily. The feature map that we follow is
# the one with the strongest mean activation in the last layer, as in the paper. To project it, the paper sends its
# activations back through a *deconvnet*. This network has no max-pooling, whose switches the deconvnet needs, so we
# take guided backpropagation instead; lab 05 derives both.


# %% id="three"
def plate_row(image, name, window):
    target = model.labels.index(name)
    channel = ck.activations(model, image, ["relu2"])["relu2"][0].argmax().item()
    feature = ck.unit("relu2", channel)
    grid = ck.occlusion_grid(model, image, target, window=window, stride=16, feature=feature)
    projection = ck.guided_backprop(model, image, feature)
    return ck.PlateRow(image, grid, projection, f"channel {channel}", name, window, 16)


rocket = ck.load_image("rocket", size=224)
missile = model.labels.index("missile")
of_rocket, of_motorcycle = plate_row(rocket, "missile", window=48), plate_row(image, "moped", window=96)

# %% [markdown] id="plate-title" slideshow={"slide_type": "subslide"}
# ### Without its rocket, the pad is a drilling platform

# %% id="plate" slideshow={"slide_type": "-"}
ck.show_plate([of_rocket, of_motorcycle], model.labels)

# %% id="plate-claim" slideshow={"slide_type": "skip"}
probability, activation = of_rocket.grid.probability[0], of_rocket.grid.activation[0]
whole = ck.activations(model, rocket, ["relu2"], reduce="maps")["relu2"][0, int(of_rocket.channel.split()[1])].sum()
ck.claim("share of windows that change the rocket's label", (of_rocket.grid.label != missile).float().mean(), above=0.1)
sure = model(rocket).softmax(1)[0, missile].item()
low, high = probability.min(), probability.max()
print(f"probability of missile: {sure:.2f} for the whole picture, from {low:.2f} to {high:.2f} with a window")
ck.claim("largest probability of missile, times that of the whole picture", probability.max() / sure, above=1.5)
ck.claim("share of total activation that the worst window takes", 1 - activation.min() / whole, above=0.2)

# %% [markdown] id="plate-read" slideshow={"slide_type": "notes"}
# The orange frame is the window that costs the class most. Panel e: cover the upper part of the rocket, or the sky
# beside it, and what is left is a *drilling platform*: two masts and lamps in the dark. The network has a reason for
# its second guess. Cover the lamps instead, and it is a missile more than before: the probability doubles (d).
#
# The feature map loses most in the sky left of the nose, and some at the right mast (b). Its projection shows the
# rocket *and* both masts (c). So what a feature map looks at, and what it cannot do without, are two different
# questions. And why the sky? Hold this question until *the square is an object too*.

# %% [markdown] id="unit-title" slideshow={"slide_type": "skip"}
# **Any number inside the network can be the score.** `ck.occlusion` takes a channel as its target too,
# `ck.unit(layer, channel)`. Its map is panel b, turned into a drop for each pixel.

# %% id="unit" slideshow={"slide_type": "skip"}
unit = ck.unit("relu2", int(of_rocket.channel.split()[1]))
of_unit = ck.occlusion(model, rocket, unit, window=48, stride=16)[0, 0]
top, left = (16 * k + 24 for k in divmod(activation.argmin().item(), activation.shape[1]))
reddest = (of_unit == of_unit.max()).nonzero().float().mean(0).round().int().tolist()
print(
    f"the window of panel b that takes most has its centre at row {top}, column {left}; the map is reddest around {reddest}"
)

# %% [markdown] id="window-title" slideshow={"slide_type": "slide"}
# ## Experiment 1 · is a larger window sharper?
#
# **Predict first.** A larger window gives larger drops. Does it also give a sharper map?

# %% id="window" slideshow={"slide_type": "fragment"}
sizes = {w: ck.occlusion(model, image, moped, window=w, stride=16) for w in (32, 96)} | {64: heat}
sizes = {f"window {w} × {w} px": sizes[w] for w in (32, 64, 96)}
ck.show_maps(image, sizes, unit="drop in logit", overlay=True)

# %% [markdown] id="window-read" slideshow={"slide_type": "notes"}
# No. The largest drop grows from 0.9 to 1.5 to 1.9. The small window leaves enough engine in sight, so it takes
# little anywhere; but it says best where. The large one takes much, and no longer says what: more than half of the
# largest drop reaches over 0.45 of the picture, and with the small window over 0.07. There is no right size. A window
# answers the question "does anything of this size matter here?"

# %% id="window-claim" slideshow={"slide_type": "skip"}
peaks = [m.max().item() for m in sizes.values()]
print("largest drop:", ", ".join(f"{name} {peak:.1f}" for name, peak in zip(sizes, peaks, strict=True)))
ck.claim("largest drop, 64 px over 32 px", peaks[1] / peaks[0], above=1.2)
ck.claim("largest drop, 96 px over 64 px", peaks[2] / peaks[1], above=1.1)
spread = [(m > m.max() / 2).float().mean().item() for m in sizes.values()]
print("share of the picture above half of it:", ", ".join(f"{part:.2f}" for part in spread))
ck.claim("share of the picture above half of the largest drop, 96 px over 32 px", spread[2] / spread[0], above=2)

# %% [markdown] id="stride-title" slideshow={"slide_type": "skip"}
# ## Experiment 2 · stride
#
# **Predict first.** Halving the stride makes the map smoother. How much more does it cost?

# %% id="stride" slideshow={"slide_type": "skip"}
steps = {64: ck.occlusion(model, image, moped, window=64, stride=64), 16: heat}
names = {s: f"stride {s} px: {(-(-(224 - 64) // s) + 1) ** 2} windows" for s in steps}
ck.show_maps(image, {names[s]: m for s, m in steps.items()}, unit="drop in logit", overlay=True)

# %% [markdown] id="stride-read" slideshow={"slide_type": "skip"}
# Four times as much for each halving, where windows are many; from stride 64 to 16 it is 121 windows instead of 16.
# With stride 64 the windows do not overlap: each block is one window, and the engine happens to be cut by two of
# them. With 16 the red lies on the engine.

# %% [markdown] id="fill-title" slideshow={"slide_type": "slide"}
# ## Experiment 3 · which fill turns the map upside down?
#
# **Predict first.** Back to the espresso. Which fill will turn the map upside down: mean, black, white or blur?

# %% id="fill" slideshow={"slide_type": "fragment"}
fills = {
    fill: ck.occlusion(model, coffee, espresso, window=48, stride=24, fill=fill)
    for fill in ("mean", "black", "white", "blur")
}
ck.show_maps(coffee, {f"filled with {f}": m for f, m in fills.items()}, unit="drop in logit", overlay=True, columns=5)

# %% id="fill-claim" slideshow={"slide_type": "skip"}
largest = {fill: (m == m.amax()).nonzero()[0, 2:] for fill, m in fills.items()}
apart = (largest["mean"] - largest["blur"]).abs().max().item()
ck.claim("pixels between the largest drops of mean and blur", apart, at_most=48)
ck.claim("largest drop of blur, times that of mean", fills["blur"].max() / fills["mean"].max(), above=1.5)
for fill, m in fills.items():
    bounds = {"above": 1} if fill == "black" else {"below": 1}
    ck.claim(f"strongest blue over strongest red, filled with {fill}", -m.min() / m.max(), **bounds)

# %% [markdown] id="fill-read" slideshow={"slide_type": "notes"}
# Black: there the strongest value of the map is the blue on the spoon. The most that a black square does to
# *espresso* is to help it. With the three others the strongest value is red, inside the cup.
#
# Every fill is itself a picture. A black square looks like a dark object, a white one like paper or a plate, and both
# have hard edges. A blurred window keeps the colours and takes only the details. When two fills disagree about a
# place, say so: the map there speaks of the fill, not of the picture.

# %% [markdown] id="explorer-title" slideshow={"slide_type": "slide"}
# ## Your turn: move the window
#
# Try to make *moped* lose with the smallest window you can. Then change the fill.

# %% id="explorer" slideshow={"slide_type": "-"}
ck.explore_occlusion(model, image)

# %% [markdown] id="wrong-title" slideshow={"slide_type": "slide"}
# ## What goes wrong 1 · blue is not noise
#
# **Predict first.** On this cat, covering which part lowers the score of *Egyptian cat* most?

# %% id="wrong-cat" slideshow={"slide_type": "fragment"}
cat = ck.load_image("chelsea", size=224)
egyptian = model.labels.index("Egyptian cat")
cat_map = ck.occlusion(model, cat, egyptian, window=32, stride=16)
ck.show_maps(cat, {"occlusion map of Egyptian cat": cat_map}, unit="drop in logit", overlay=True)

# %% id="wrong-cat-claim" slideshow={"slide_type": "skip"}
ck.claim("strongest blue over strongest red", -cat_map.min() / cat_map.max(), above=1)

# %% [markdown] id="wrong-cat-read" slideshow={"slide_type": "notes"}
# Blue: covering the place between nose and left eye, the right eye or the nose makes *Egyptian cat* **stronger**, and
# more so than any red place makes it weaker. Red lies on the chin and at the cheek. So the network does look at the
# face, and reads much of it as another cat's. But a map that shows only the positive part, as many programs do, would
# hide the most interesting fact in this picture. Never throw the sign away before you have looked at it.

# %% [markdown] id="object-title" slideshow={"slide_type": "slide"}
# ## What goes wrong 2 · the square is an object too
#
# **Predict first.** A portrait of Admiral Grace Hopper, called *military uniform*. What does the network see when a
# grey square covers her mouth?

# %% id="object" slideshow={"slide_type": "fragment"} tags=["gallery"]
portrait = ck.load_image("grace_hopper", size=224)
oxygen_mask = model.labels.index("oxygen mask")
as_mask = ck.occlusion_grid(model, portrait, oxygen_mask, window=48, stride=16).probability[0]
row, column = divmod(as_mask.argmax().item(), as_mask.shape[1])
masked = portrait.clone()
masked[:, :, 16 * row : 16 * row + 48, 16 * column : 16 * column + 48] = model.mean.cpu()
both = torch.cat([portrait, masked])
ck.show_predictions(both, ck.predict(model, both, top=3))

# %% id="object-claim" slideshow={"slide_type": "skip"}
print("with the grey square the network says:", ck.predict(model, masked)[0][0][0])
ck.claim("probability of oxygen mask with the square over the mouth", as_mask.max(), above=0.2)
ck.claim("and with the same square elsewhere, as a median", as_mask.median(), below=0.05)

# %% [markdown] id="object-read" slideshow={"slide_type": "notes"}
# A grey patch in the middle of a face *is* an oxygen mask, as far as a network can know. So the drop at this place does
# not say that the mouth is part of a uniform. It says that we made a new picture, and the network answered it. Every
# fill can do this. Look at the winning label as well as at the drop.

# %% [markdown] id="sky-title" slideshow={"slide_type": "subslide"}
# ### The rocket again: is it the sky, or the square in the sky?
#
# **Predict first.** Covering the empty sky beside the rocket cost *missile* most. Cover with a *blurred* copy of the sky instead of
# grey: what stays?

# %% id="sky" slideshow={"slide_type": "fragment"}
of_missile = ck.occlusion(model, rocket, missile, window=48, stride=16)
blurred = ck.occlusion(model, rocket, missile, window=48, stride=16, fill="blur")
ck.show_maps(
    rocket, {"grey window": of_missile, "blurred window": blurred}, unit="drop in logit for missile", overlay=True
)

# %% id="sky-claim" slideshow={"slide_type": "skip"}
for name, m, bounds in (("grey", of_missile, {"above": 16}), ("blurred", blurred, {"below": 16})):
    reddest = (m[0, 0] == m.max()).nonzero()[:, 1].float().mean() + 0.5
    ck.claim(
        f"pixels from the rocket's axis (x = 112) to the reddest place, {name} window", abs(reddest - 112), **bounds
    )

# %% [markdown] id="sky-read" slideshow={"slide_type": "notes"}
# The nose stays, and most of the sky pales. A grey square in a dark sky is a new, bright thing; a blurred piece of
# sky is still sky. Where two fills disagree, ask a third, and trust what they share.

# %% [markdown] id="cost-title" slideshow={"slide_type": "slide"}
# ## Half the stride costs four times as much
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
    {"occlusion, window 32 px": passes},
    xlabel="stride (pixels)",
    ylabel="forward passes for one map",
    log=True,
    logx=True,
    ticks=[str(s) for s in strides],
    levels={"one gradient (lab 04)": 2},
    slopes={"∝ 1 / stride²": -2},
)

# %% [markdown] id="reach-title" slideshow={"slide_type": "slide"}
# ## What a window cannot change need not be computed again
#
# A window of 32 px covers 2 % of this picture. Everything whose receptive field does not touch it keeps its value, to
# the last bit.
#
# **Predict first.** After how many layers has the change reached the whole map?

# %% id="reach" slideshow={"slide_type": "fragment"}
layers = ["conv1", "block3", "block5", "block8"]
reach = ck.window_reach(model, image, layers, rows=(96, 128), columns=(96, 128))
titles = [f"{layer}: {part.float().mean():.0%} of the positions" for layer, part in reach.items()]
boxes, masks = [(96, 96, 32, 32)] * len(layers), list(reach.values())
ck.show_images([image] * len(layers), titles, boxes=boxes, masks=masks)

# %% id="reach-exact" slideshow={"slide_type": "skip"}
covered = image.clone()
covered[:, :, 96:128, 96:128] = model.mean.cpu()
layers = [*layers, "block9"]
reach = ck.window_reach(model, image, layers, rows=(96, 128), columns=(96, 128))
before, after = (ck.activations(model, x, layers, reduce="maps") for x in (image, covered))
for layer in layers:
    outside = (after[layer] - before[layer]).abs().amax(1)[0][~reach[layer]]
    largest_change = max(outside.tolist(), default=0)
    print(
        f"{layer}: {reach[layer].float().mean():.0%} within reach, {len(outside)} positions outside, largest change there {largest_change:g}"
    )

# %% [markdown] id="reach-read" slideshow={"slide_type": "notes"}
# After nine blocks of sixteen (the next cell prints block 9 too): from there on every position sees some of the
# window. Up to there the rest of each map is copied from one pass over the whole picture, and only the outlined part
# is computed. That is exact, no approximation (Nakandala, Kumar & Papakonstantinou, SIGMOD 2019), and `ck.occlusion`
# does it on a CPU. It helps most where it matters most: the early layers have the largest maps.

# %% id="reach-time" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
from time import process_time

start = process_time()
one_by_one = my_occlusion(model, image, moped, window=32, stride=32)
middle = process_time()
again = ck.occlusion(model, image, moped, window=32, stride=32)
assert torch.allclose(one_by_one, again[0, 0], atol=1e-4)
print(f"49 windows, processor time: whole passes {middle - start:.1f} s, what changes {process_time() - middle:.1f} s")

# %% [markdown] id="rise-title" slideshow={"slide_type": "slide"}
# ## RISE: many random windows at once
#
# A square has a size that we must choose, and a picture may hold its evidence twice. So hide *half of the picture*, at
# random, many times, and average what the network says of the masks $M$ that show pixel $p$:
#
# $$A(p) \;=\; \frac{\mathbb{E}\,[\,S_c(x \odot M)\, M(p)\,]}{\mathbb{E}\,[\,M(p)\,]}$$
#
# Petsiuk, Das & Saenko, *RISE: randomized input sampling for explanation of black-box models*, BMVC 2018, equation 6.
# They take the probability for $S_c$, we keep the logit. Hidden pixels get the mean colour.

# %% [markdown] id="rise-code-title" slideshow={"slide_type": "subslide"}
# ### RISE in ten lines

# %% id="masks" slideshow={"slide_type": "skip"}
from torch.nn.functional import interpolate


def random_masks(n, size, cells, generator):
    """Coarse random cells, enlarged until their borders are soft, and cut out at a random place."""
    cell = -(-size // cells)
    grid = (torch.rand(n, 1, cells, cells, generator=generator) < 0.5).float()
    tops, lefts = (torch.randint(cell, (n,), generator=generator).tolist() for _ in range(2))
    large = interpolate(grid, ((cells + 1) * cell,) * 2, mode="bilinear")
    return torch.stack([m[:, y : y + size, x : x + size] for m, y, x in zip(large, tops, lefts, strict=True)])


# %% id="my-rise" slideshow={"slide_type": "-"} tags=["show-code"]
def my_rise(model, image, target, n, cells=7, seed=0):
    generator, mean = torch.Generator().manual_seed(seed), model.mean.cpu()
    total = count = 0
    with torch.no_grad():
        for _ in range(n // 8):  # eight masks in one pass
            masks = random_masks(8, image.shape[-1], cells, generator)
            scores = model(mean + masks * (image - mean))[:, target].cpu()
            total = total + (scores.view(-1, 1, 1, 1) * masks).sum(0)
            count = count + masks.sum(0)
    return total / count


# %% id="rise-same" slideshow={"slide_type": "skip"}
assert torch.allclose(my_rise(model, image, moped, n=32), ck.rise(model, image, moped, n=32)[0], atol=1e-4)
print("my_rise and ck.rise give the same map")

# %% [markdown] id="rise-figure-title" slideshow={"slide_type": "subslide"}
# ### The network answers even for half a motorcycle

# %% id="rise-masks" slideshow={"slide_type": "-"}
some = model.mean.cpu() + random_masks(3, 224, 7, torch.Generator().manual_seed(0)) * (image - model.mean.cpu())
ck.show_images(some, [f"{rows[0][0]}, {rows[0][1]:.2f}" for rows in ck.predict(model, some)])

# %% [markdown] id="rise-map-title" slideshow={"slide_type": "subslide"}
# ### 600 answers, one map
#
# **Predict first.** The window's map was red on the engine. Where will this one be red?

# %% id="rise" slideshow={"slide_type": "fragment"}
halves = [ck.rise(model, image, moped, n=300, seed=seed) for seed in (0, 1)]
random = sum(halves) / 2
ck.show_maps(
    image,
    {"sliding window": heat, "RISE, 600 masks": random - random.mean()},
    unit=["drop in logit", "logit above the map's mean"],
    shared=False,
    overlay=True,
)


# %% id="rise-claim" slideshow={"slide_type": "skip"}
def correlation(one, other):
    return torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1]


ck.claim("correlation of two RISE maps, 300 masks each", correlation(*halves), above=0.5)
ck.claim("correlation of RISE and the sliding window", correlation(random, heat), above=0.4)

# %% [markdown] id="rise-read" slideshow={"slide_type": "notes"}
# Half of the picture is gone, and the network still says moped. The map is red along the whole
# motorcycle, from the tank to the headlamp, and blue on the garage; the window's was red on the engine alone. RISE
# follows shapes that no square fits. Its price: 600 passes, a value that differs little from place to place (the
# colour bar!), and chance. Two maps of 300 masks agree only roughly, and *which* part of the motorcycle is darkest
# changes with the seed. The paper takes 4000 masks and more.

# %% [markdown] id="score-title" slideshow={"slide_type": "skip"}
# ## Score it: does the red lie on the object?
#
# Looks can deceive, so we count. The dahlia is orange on dark green, so its colour gives us a mask, good to a few
# pixels. How much of the positive part $\max(A, 0)$ lies on the flower? A map that knows nothing would get the
# flower's share of the picture.

# %% id="score" slideshow={"slide_type": "skip"}
flower = ck.load_image("flower", size=224)
mask = flower[0, 0] - flower[0, 2] > 0.15  # much more red than blue: the petals
on_flower = ck.occlusion(model, flower, window=48, stride=24)
ck.show_maps(flower, {"occlusion map of daisy": on_flower}, unit="drop in logit", mask=mask, overlay=True)

# %% id="score-claim" slideshow={"slide_type": "skip"}
area = mask.float().mean().item()
ck.claim("the flower's share of the picture", area, below=0.4)
ck.claim("its share of the positive map", ck.mask_energy(on_flower, mask[None]).item(), above=0.6)

# %% [markdown] id="score-read" slideshow={"slide_type": "skip"}
# The dahlia is called *daisy*: ImageNet has no dahlia. The map is good all the same, because it explains the network's
# answer and not the truth. The mask holds a piece of a second dahlia too.

# %% [markdown] id="scenes-title" slideshow={"slide_type": "subslide"}
# ### Ten scenes with exact masks: the window against RISE
#
# `ck.scenes` lays cut-out objects on photographs, so we know every pixel of the object. Two scores that ask only for
# the order of the pixels, since the two maps have different zeros: the **pointing game**, does the maximum lie on the
# object (Zhang et al. 2016), and the **ranking AUC**, how often a pixel of the object has more than one beside it.
#
# **Predict first.** Which will be better, the window or RISE? And what does a map of *another* scene score?

# %% id="scenes" slideshow={"slide_type": "fragment"}
scenes = ck.scenes(10, objects=list(ck.cutouts("core")), background="photograph", seed=0, size=160)
pairs = list(zip(scenes.images.split(1), scenes.targets.tolist(), strict=True))
by_random = ck.rise(model, scenes.images, scenes.targets.tolist(), n=300)
scene_maps = {
    "occlusion": torch.cat([ck.occlusion(model, scene, target, window=32, stride=16) for scene, target in pairs]),
    "rise": by_random - by_random.mean((2, 3), keepdim=True),
}
measures = {"pointing game": ck.pointing_game, "ranking AUC": ck.ranking_auc}
panels, spoken = {}, {"occlusion": "occlusion", "rise": "RISE"}
for title, measure in measures.items():
    panels[title] = {
        name: ck.bootstrap_interval(measure(m, scenes.masks), scenes.objects) for name, m in scene_maps.items()
    }
    for name, m in scene_maps.items():  # chance, measured: the maps of the nine other scenes on this scene's mask
        wrong = torch.stack([measure(m.roll(k, 0), scenes.masks) for k in range(1, len(scenes))]).mean(0)
        panels[title][f"{spoken[name]}, another scene's map"] = ck.bootstrap_interval(wrong, scenes.objects)
chance = ck.pointing_game(torch.ones(len(scenes), 1, 160, 160), scenes.masks).mean().item()
panels["pointing game"]["a map of one value"] = (chance,) * 3
panels["ranking AUC"]["a map of one value"] = (0.5,) * 3
grey = [name for name in panels["ranking AUC"] if name not in scene_maps]
ck.show_dots(
    panels, xlabel="score (1 is perfect)", interval=f"95 % interval over {len(scenes)} objects", grey=grey, columns=2
)

# %% id="scenes-claim" slideshow={"slide_type": "skip"}
print(scenes)
for title, panel in panels.items():
    print(f"{title}: " + ", ".join(f"{name} {value:.2f}" for name, (value, _, _) in panel.items()))
for name in scene_maps:
    own, wrong = panels["ranking AUC"][name][0], panels["ranking AUC"][f"{spoken[name]}, another scene's map"][0]
    ck.claim(f"ranking AUC of {name} above that of another scene's map", own - wrong, above=0.1)
ck.claim(
    "ranking AUC of RISE above that of the window",
    panels["ranking AUC"]["rise"][0] - panels["ranking AUC"]["occlusion"][0],
    above=0,
)
ck.claim("pointing game, window: hits", panels["pointing game"]["occlusion"][0], above=0.5, below=1)

# %% [markdown] id="scenes-read" slideshow={"slide_type": "notes"}
# RISE, though it took no more than 300 masks: its maximum lies on nine of ten objects, and its ranking AUC is 0.90
# against 0.73. With the seeds 1 and 2 RISE is ahead as well. A window of 32 pixels blurs every border and takes
# little where the evidence is there twice.
#
# A map of another scene is a stricter control than a map of one value: it scores 0.56 and 0.67, since objects lie in
# the middle more often than in the corners. Both methods know more than that. Ten objects are few: read the bars. Lab
# 06 scores all methods on 200 scenes.

# %% [markdown] id="best-title" slideshow={"slide_type": "subslide"}
# ### The window's worst scene, and what RISE makes of it


# %% id="best" slideshow={"slide_type": "skip"}
def show_scene(i):
    print(f"{scenes.objects[i]}: ranking AUC {auc[i]:.2f} by the window, {auc_rise[i]:.2f} by RISE")
    maps = {"sliding window": scene_maps["occlusion"][[i]], "RISE, 300 masks": scene_maps["rise"][[i]]}
    units = ["drop in logit", "logit above the map's mean"]
    return ck.show_maps(scenes.images[[i]], maps, unit=units, shared=False, overlay=True, mask=scenes.masks[i])


auc, auc_rise = (ck.ranking_auc(m, scenes.masks) for m in scene_maps.values())
show_scene(auc.argmax().item())

# %% id="worst" slideshow={"slide_type": "-"}
show_scene(auc.argmin().item())

# %% id="worst-claim" slideshow={"slide_type": "skip"}
with torch.no_grad():
    known = model(scenes.images).softmax(1)[torch.arange(len(scenes)), scenes.targets]
for name, p, a in zip(scenes.objects, known.tolist(), auc.tolist(), strict=True):
    print(f"{name:20} probability {p:.2f}, ranking AUC of the window {a:.2f}")

# %% [markdown] id="worst-read" slideshow={"slide_type": "notes"}
# The best is a pineapple on gravel. The worst is a mailbox: the window's red lies above it, and RISE still finds it.
# It is tempting to say that the network hardly knows the mailbox (0.04), so its map must fail. The list refutes this:
# with bison and hippopotamus it is less sure, and the window finds both.

# %% [markdown] id="swap-title" slideshow={"slide_type": "skip"}
# ## Swap the network
#
# The same line on another network. EfficientNet-Lite2 is larger, sees 260 × 260 pixels and was trained on its own. Do
# the two look at the same things? The window is blurred here, and one fifth of the picture wide in both.

# %% id="swap" slideshow={"slide_type": "skip"}
other = ck.load_model("efficientnet_lite2")
larger = ck.load_image("coffee", size=other.input_size)
two = {
    "EfficientNet-Lite0": fills["blur"],
    "EfficientNet-Lite2": ck.occlusion(other, larger, espresso, window=56, stride=28, fill="blur"),
}
ck.show_maps(coffee, two, unit="drop in logit")

# %% id="swap-claim" slideshow={"slide_type": "skip"}
at_spoon = {name: m[0, 0, int(0.7 * m.shape[2]), int(0.63 * m.shape[3])].item() for name, m in two.items()}
ck.claim("drop in logit at the spoon, Lite0", at_spoon["EfficientNet-Lite0"], below=0)
ck.claim("drop in logit at the spoon, Lite2", at_spoon["EfficientNet-Lite2"], above=0)

# %% [markdown] id="swap-read" slideshow={"slide_type": "skip"}
# Both need the coffee. Lite2 also uses the spoon, which for Lite0 spoke a little *against* espresso. Two networks with
# the same answer need not have the same reasons.

# %% [markdown] id="swap-all-title" slideshow={"slide_type": "skip"}
# **And all the others.** Every network of the list that is on this machine gets the same question, each about its own best class. `coursekit fetch alexnet vgg16 resnet18` in a terminal
# brings more. In labs 04 to 06 put that lab's line into `ask`, such as `ck.saliency(network, picture)`; a rule that cannot apply to a network says so.


# %% id="swap-all" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
def ask(network, picture):
    side = picture.shape[-1]
    return ck.occlusion(network, picture, window=side // 5, stride=side // 8, fill="blur")


names = ["efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2", "coursenet", "alexnet", "vgg16"]
names += ["googlenet", "resnet18", "densenet121", "squeezenet1_1"]
answers = {}
for name in filter(ck.is_available, names):
    network = ck.load_model(name)
    picture = ck.load_image("coffee", size=network.input_size)
    best, sure = ck.predict(network, picture)[0][0]
    answers[f"{name}: {best}, {sure:.2f}"] = ask(network, picture)
ck.show_maps(coffee, answers, unit="drop in logit")

# %% [markdown] id="exercises-title" slideshow={"slide_type": "skip"}
# ## Exercises
#
# | | what you do | difficulty | minutes |
# |---|---|---|---|
# | 03.1 | count the windows | ★ | 3 |
# | 03.2 | cover a square, correctly | ★ | 5 |
# | 03.3 | the whole map, without looking back | ★★ | 15 |
# | 03.4 | the total activation of a feature map | ★ | 5 |
# | 03.5 | the average of RISE | ★★ | 10 |
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
# logits, filled with the mean colour. Windows start at 0, stride, 2 · stride, … until the border is covered; the last one is
# cut by the border, not moved inside. The check uses a picture whose side the stride does not divide.
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
# number that Zeiler & Fergus plot in their panel b.


# %% id="e4-starter"
def total_activation(maps, channel):
    return ...


# %% id="e4-solution" jupyter={"source_hidden": true} tags=["solution"]
def total_activation(maps, channel):
    return maps[0, channel].sum()


# %% id="e4-check"
ck.check("03.4", total_activation)

# %% [markdown] id="e5-card"
# ### Exercise 03.5 · The average of RISE
# *★★ · 10 minutes.* The network has been asked already. `scores` (n,) is what it said behind `masks` (n, 1, H, W), which are 1 where the
# picture is shown. Return the map $A(p)$ of RISE, (H, W).
# **You will probably** divide by the number of masks. What would a network that always says 1 then get at a pixel that few masks show?


# %% id="e5-starter"
def rise_map(scores, masks):
    return ...


# %% id="e5-solution" jupyter={"source_hidden": true} tags=["solution"]
def rise_map(scores, masks):
    return (scores.view(-1, 1, 1, 1) * masks).sum(0)[0] / masks.sum(0)[0]


# %% id="e5-check"
ck.check("03.5", rise_map)

# %% [markdown] id="recap" slideshow={"slide_type": "slide"}
# ## Recap
#
# - Occlusion asks the network itself: cover, run again, compare. It needs no gradient and works on any model.
# - Window, stride and fill are part of the question. Give them with every map that you show.
# - Red and blue both speak. And the square is itself an object: look at the label that wins, not only at the drop, and try a second fill.

# %% [markdown] id="quiz" slideshow={"slide_type": "slide"}
# ## Quiz
#
# 1. Why is the window filled with the mean colour and not with black?
# <details><summary>Answer</summary>The mean colour is what normalisation turns into zero: the nearest thing to "nothing there". Black is far from zero, so it is a signal of its own.</details>
#
# 2. A map is pale everywhere, yet the network is 99 % sure. How can that be?
# <details><summary>Answer</summary>The window is too small, or the evidence is there more than once: what one window takes away, the rest of the picture replaces, as for the espresso.</details>
#
# 3. You halve the stride. How many more forward passes do you pay?
# <details><summary>Answer</summary>About four times as many: twice in each of the two directions.</details>
#
# 4. Covering an eye of the cat makes *Egyptian cat* stronger. Does the network ignore the eye?
# <details><summary>Answer</summary>No. It uses the eye, as evidence against this class: a large blue value is as much influence as a large red one.</details>

# %% [markdown] id="reading" slideshow={"slide_type": "skip"}
# ## Further reading
#
# - M. D. Zeiler, R. Fergus. *Visualizing and understanding convolutional networks.* ECCV 2014. Section 4.2 and the figure with the five panels.
# - V. Petsiuk, A. Das, K. Saenko. *RISE: randomized input sampling for explanation of black-box models.* BMVC 2018.
# - S. Nakandala, A. Kumar, Y. Papakonstantinou. *Incremental and approximate inference for faster occlusion-based deep CNN explanations.* SIGMOD 2019.
# - R. Fong, A. Vedaldi. *Interpretable explanations of black boxes by meaningful perturbation.* ICCV 2017. Learns the mask.
# - L. M. Zintgraf, T. S. Cohen, T. Adel, M. Welling. *Visualizing deep neural network decisions: prediction difference analysis.* ICLR 2017. Fills with likely pictures instead of one colour.
#
# **Next:** lab 04 asks the same question with one backward pass instead of 169 forward ones.
