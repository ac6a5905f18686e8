# %% [markdown] id="title" slideshow={"slide_type": "slide"}
# # 06 · Class activation maps
# ### The last feature maps know *where*. The last weights know *what*.
#
# After this lab you will be able to
#
# - read a class activation map off the last linear layer, exactly,
# - write Grad-CAM in five lines, and say when it is the same map,
# - name the channels that speak for a class and against it, and test whether the names hold,
# - tell an honest network from one that cheats, when their accuracy cannot,
# - rank eleven methods by ground truth and not by looks.

# %% [markdown] id="contract" slideshow={"slide_type": "skip"}
# **First do** labs 04 and 05: gradients, and what guided backprop shows.
#
# **Run time** about 60 s on two CPU cores. **Memory** below 2 GB.
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
import torch.nn.functional as F

import coursekit as ck

ck.setup(seed=0)
model = ck.load_model("efficientnet_lite0")
palace_picture = ck.load_image("china", size=224)

# %% [markdown] id="question" slideshow={"slide_type": "slide"}
# ## The question
#
# One picture, many answers: *palace*, *bell cote*, *monastery*, *lakeside* … Does each answer come from its own place?
#
# **Predict first.** Where does the network find the *lakeside*, and where the *bell cote*?

# %% id="first-look" slideshow={"slide_type": "-"}
ck.show_predictions(palace_picture, ck.predict(model, palace_picture))

# %% [markdown] id="idea" slideshow={"slide_type": "slide"}
# ## The idea
#
# EfficientNet ends like most networks: 1280 feature maps $A_k$ of $7 \times 7$, their means, one linear layer. Put the mean last:
#
# $$S_c \;=\; b_c + \sum_k w_{ck}\, \frac{1}{Z} \sum_{i,j} A_k(i,j)
# \;=\; b_c + \frac{1}{Z} \sum_{i,j} \underbrace{\sum_k w_{ck}\, A_k(i,j)}_{M_c(i,j)}$$
#
# - $M_c$ is the **class activation map** (CAM). $Z = 49$ is the number of positions.
# - Nothing is approximated: the mean of the map plus the bias *is* the logit.
#
# Zhou, Khosla, Lapedriza, Oliva & Torralba, *Learning deep features for discriminative localization*, CVPR 2016.

# %% [markdown] id="code-title" slideshow={"slide_type": "slide"}
# ## The whole method


# %% id="readable" slideshow={"slide_type": "-"} tags=["show-code"]
def my_cam(model, image, target):
    with ck.capture(model, ["relu2"]) as maps, torch.no_grad():  # the last maps before the mean
        model(image)
    weights = model.head.weight[target].view(-1, 1, 1)  # one weight for each channel
    return (weights * maps["relu2"][0]).sum(0).detach().cpu()


# %% id="same" slideshow={"slide_type": "-"}
palace = model.labels.index("palace")
mine, theirs = my_cam(model, palace_picture, palace), ck.cam(model, palace_picture, palace)[0, 0]
assert torch.allclose(mine, theirs, atol=1e-4 * theirs.abs().max().item())
with torch.no_grad():
    logit = model(palace_picture)[0, palace].item()
bias = model.head.bias[palace].item()
assert abs(mine.mean().item() + bias - logit) < 1e-3
print("my_cam and ck.cam give the same map; its mean plus the bias is the logit")

# %% [markdown] id="classes-title" slideshow={"slide_type": "slide"}
# ## Several classes, one picture
#
# Each map below is a sum of the *same* 1280 feature maps. Only the weights differ.

# %% id="classes" slideshow={"slide_type": "-"}
classes = {name: model.labels.index(name) for name in ("palace", "bell cote", "dome", "lakeside")}
ck.show_maps(
    palace_picture,
    {name: ck.cam(model, palace_picture, index, upsample=True) for name, index in classes.items()},
    unit="logits",
    overlay=True,
    columns=5,
)

# %% [markdown] id="classes-read" slideshow={"slide_type": "skip"}
# *Palace* and *bell cote* share the upper storeys. *Lakeside* lies to the right, where the tower ends and the water begins. *Dome* is
# pale, and the network gives it only the 14th place. The unit: the mean of each map over the whole picture is its logit without the bias.
#
# The maps are soft for a simple reason: they have $7 \times 7$ values and were enlarged. Their outlines are ours, not the network's.

# %% [markdown] id="two-title" slideshow={"slide_type": "slide"}
# ## Two objects, told apart by class
#
# We own the masks of this picture. **Predict first.** Will the map of *zebra* be blue on the strawberry, or just pale?

# %% id="two" slideshow={"slide_type": "-"}
scene = ck.load_scene(["zebra", "strawberry"], background="grass", seed=2)
zebra, strawberry = scene.targets["zebra"], scene.targets["strawberry"]
two = {name: ck.cam(model, scene.image, index, upsample=True) for name, index in scene.targets.items()}
ck.show_maps(scene.image, two, unit="logits", overlay=True)

# %% [markdown] id="two-text" slideshow={"slide_type": "skip"}
# Red on its own object, pale elsewhere: the strawberry does not speak against the zebra, it just does not speak for it.
#
# One picture is an anecdote. So we compose ten pairs of twenty different objects and ask: does the strongest place of each
# map lie on its own object, on the other one, or on the ground?

# %% id="pairs"
PAIRS = [
    ("zebra", "strawberry"), ("teddy", "hen"), ("flamingo", "broccoli"), ("violin", "tiger"), ("camera", "koala"),
    ("lorikeet", "balloon"), ("pineapple", "king_penguin"), ("daisy", "fire_engine"), ("orca", "candle"),
    ("acoustic_guitar", "gorilla"),
]  # fmt: skip
on = {"its own object": 0, "the other object": 0, "the ground": 0}
for seed, names in enumerate(PAIRS):
    pair = ck.load_scene(names, seed=seed)
    for name, other in (names, names[::-1]):
        heat = ck.cam(model, pair.image, pair.targets[name], upsample=True)[0, 0]
        row, column = divmod(heat.argmax().item(), heat.shape[1])
        where = "its own object" if pair.masks[name][row, column] else "the ground"
        on["the other object" if pair.masks[other][row, column] else where] += 1
print("strongest place on its own object in more than 12 of 20 maps:", on["its own object"] > 12)
print("on the other object in at most 2:", on["the other object"] <= 2)

# %% [markdown] id="pairs-read" slideshow={"slide_type": "skip"}
# Nearly all misses lie on the ground beside the object: a coarse map points a little off. It rarely points at the *wrong* object. That is what
# lab 05's pictures could not do.

# %% [markdown] id="gradcam-title" slideshow={"slide_type": "slide"}
# ## Grad-CAM: weights for any network, any layer
#
# CAM needs the mean and one linear layer. Take the weights from gradients instead:
#
# $$\alpha_k \;=\; \frac{1}{Z} \sum_{i,j} \frac{\partial S_c}{\partial A_k(i,j)}
# \qquad\qquad L_c \;=\; \mathrm{ReLU}\Big( \sum_k \alpha_k\, A_k \Big)$$
#
# - $\alpha_k$, the **importance** of channel $k$: the mean over *positions*, one number for each channel.
# - ReLU keeps what speaks for the class.
#
# Selvaraju et al., *Grad-CAM: visual explanations from deep networks via gradient-based localization*, ICCV 2017.


# %% id="gradcam-readable" slideshow={"slide_type": "-"} tags=["show-code"]
def my_grad_cam(model, image, target, layer):
    with ck.capture(model, [layer]) as maps:
        score = model(image.clone().requires_grad_())[0, target]  # the logit
    (gradient,) = torch.autograd.grad(score, maps[layer])
    importance = gradient.mean((2, 3), keepdim=True)  # over positions
    return F.relu((importance * maps[layer]).sum(1)).detach().cpu()


# %% id="gradcam-same"
for layer in ("block11", "relu2"):
    mine = my_grad_cam(model, scene.image, zebra, layer)
    theirs = ck.grad_cam(model, scene.image, zebra, layer=layer)[:, 0]
    assert torch.allclose(mine, theirs, atol=1e-3 * theirs.max().item())
print("my_grad_cam and ck.grad_cam give the same map at block11 and at relu2")

# %% [markdown] id="equal-title" slideshow={"slide_type": "slide"}
# ## Where CAM exists, Grad-CAM is CAM
#
# After a mean and a linear layer $\partial S_c / \partial A_k(i,j) = w_{ck} / Z$ at every position, so $\alpha_k = w_{ck} / Z$ and
#
# $$Z \cdot L_c \;=\; \mathrm{ReLU}(M_c)$$
#
# **Predict first.** Does this hold exactly, or only nearly?

# %% id="equal" slideshow={"slide_type": "-"}
full, gradient_made = ck.cam(model, scene.image, zebra), ck.grad_cam(model, scene.image, zebra)
Z = full[0, 0].numel()
assert torch.allclose(Z * gradient_made, F.relu(full), atol=1e-4 * full.max().item())
print(f"Z = {Z}: Z · Grad-CAM equals ReLU(CAM)")
try:
    ck.cam(ck.load_model("coursenet"), ck.load_image("chelsea", size=128))
except ck.UnsupportedNetwork as refused:
    print("CAM on CourseNet:", refused)

# %% [markdown] id="equal-read" slideshow={"slide_type": "skip"}
# Exactly, up to rounding. CourseNet has fully connected layers after its maps: no CAM. A program that gave you one anyway would have
# invented it. Grad-CAM works there, because a gradient needs no special ending.

# %% [markdown] id="layers-title" slideshow={"slide_type": "slide"}
# ## Layer by layer
#
# **Predict first.** Earlier layers have finer maps: $28 \times 28$, $14 \times 14$. Are they better maps?

# %% id="layers" slideshow={"slide_type": "-"}
chosen = ("block5", "block11", "block15", "relu2")
depth = {name: ck.grad_cam(model, scene.image, zebra, layer=name, upsample=True) for name in chosen}
ck.show_maps(scene.image, depth, unit="relative", relative=True, overlay=True, columns=5)

# %% id="layers-claim" slideshow={"slide_type": "-"}
share = {name: ck.mask_energy(heat, scene.masks["zebra"][None]).item() for name, heat in depth.items()}
area = scene.masks["zebra"].float().mean().item()
print(
    "at block15 and relu2, more than 3 times as much on the zebra as its area:",
    min(share["block15"], share["relu2"]) > 3 * area,
)
print("at block5 and block11, not more than its area:", max(share["block5"], share["block11"]) < area)

# %% [markdown] id="layers-read" slideshow={"slide_type": "skip"}
# Finer is not better. In early layers one channel means "an edge" or "something green"; a single mean gradient for the whole channel cannot say that
# *this* edge counts and that one does not. Grad-CAM is good where channels mean something by themselves: at the end.

# %% [markdown] id="against-title" slideshow={"slide_type": "slide"}
# ## Counterfactual maps: what speaks *against* the class?
#
# Ask for $-S_c$: all gradients change their sign, and ReLU keeps the other half.
# **Predict first.** What speaks against *zebra* in this picture?

# %% id="against" slideshow={"slide_type": "-"}
against = ck.grad_cam(model, scene.image, lambda logits: -logits[:, zebra], upsample=True)
rather = ck.cam(model, scene.image, lambda logits: logits[:, zebra] - logits[:, strawberry], upsample=True)
ck.show_maps(
    scene.image,
    {
        "for zebra": ck.grad_cam(model, scene.image, zebra, upsample=True),
        "against zebra": -against,  # drawn in blue
        "zebra, not strawberry": rather,
    },
    unit="relative",
    relative=True,
    overlay=True,
)

# %% id="against-claim"
ratio = (ck.grad_cam(model, scene.image, zebra).max() / against.max()).item()
print("what speaks for zebra is more than 5 times as strong as what speaks against it:", ratio > 5)

# %% [markdown] id="against-read" slideshow={"slide_type": "skip"}
# Nothing in this picture speaks much *against* zebra; the middle map is drawn on a scale of its own. A logit of a class mostly counts what is there.
# The sharper question is a comparison: *why zebra rather than strawberry?* The score $S_\text{zebra} - S_\text{strawberry}$ is still a
# linear function of the logits, so CAM answers it exactly: red speaks for the one, blue for the other.

# %% [markdown] id="guided-title" slideshow={"slide_type": "slide"}
# ## Guided Grad-CAM: sharp, and of the right class?
#
# $$R \;=\; \text{guided backprop} \,\odot\, \text{enlarged } L_c$$
#
# Lab 05: guided backprop is sharp but hardly asks for the class. Grad-CAM asks, but is coarse.
# **Predict first.** Which of the two decides *where* the product is bright?

# %% id="guided" slideshow={"slide_type": "-"}
assert torch.allclose(
    ck.guided_grad_cam(model, scene.image, zebra),
    ck.guided_backprop(model, scene.image, zebra) * ck.grad_cam(model, scene.image, zebra, upsample=True),
)


def strength(heat):
    return heat.abs().amax(1, keepdim=True)


guided = {}
for method in (ck.guided_backprop, ck.guided_grad_cam):
    for name, index in scene.targets.items():
        title = "× Grad-CAM" if method is ck.guided_grad_cam else "guided"
        guided[f"{title}, {name}"] = strength(method(model, scene.image, index))
ck.show_maps(None, guided, unit="relative", relative=True, pool=2, clip=99.5)

# %% id="guided-claim" slideshow={"slide_type": "-"}
rows = torch.stack([heat.flatten() for heat in guided.values()])
correlation = torch.corrcoef(rows)
print("guided backprop: the maps of the two classes correlate by more than 0.75:", correlation[0, 1].item() > 0.75)
print("Guided Grad-CAM: by less than 0.25:", correlation[2, 3].item() < 0.25)

# %% [markdown] id="guided-read" slideshow={"slide_type": "skip"}
# The detail comes from guided backprop, and so does every doubt about it (lab 05): it redraws the picture. The class comes from Grad-CAM alone.
# So read the product as "the picture's detail, where Grad-CAM is bright", and not as "these fine lines made the class".

# %% [markdown] id="full-title" slideshow={"slide_type": "slide"}
# ## FullGrad: the biases speak too
#
# In a network of convolutions and ReLU the score splits without remainder:
#
# $$S_c(x) \;=\; \sum_p (x - \bar x)_p\, \frac{\partial S_c}{\partial x_p} \;+\; \sum_l \sum_p b_l\, \frac{\partial S_c}{\partial b_l(p)}$$
#
# **Predict first.** How much of the score comes from the pixels: nearly all, about half, or hardly any?

# %% [markdown] id="full-text" slideshow={"slide_type": "skip"}
# The second sum goes over all biases $b_l$ of all layers, at every position $p$ where they are added
# (Srinivas & Fleuret, *Full-gradient representation for neural network visualization*, NeurIPS 2019).


# %% id="full-readable" tags=["show-code"]
def my_shares(model, image, target):
    layers = [name for name in model.layers if name.startswith(("conv", "fc"))]  # all that have a bias
    x = image.clone().requires_grad_()
    with ck.capture(model, layers) as outputs:
        score = model(x)[0, target]
    slopes = torch.autograd.grad(score, [x, *outputs.values()])
    shares = {"pixels": ((x - model.mean.cpu()) * slopes[0]).sum()}
    for name, slope in zip(outputs, slopes[1:], strict=True):
        shares[name] = (model.layer(name).bias * slope.movedim(1, -1)).sum()  # the bias is added at every position
    return {name: share.item() for name, share in shares.items()}, score.item()


# %% id="full-same"
coursenet = ck.load_model("coursenet")
small = ck.load_scene(["zebra"], background="grass", seed=2, size=128).image
shares, score = my_shares(coursenet, small, zebra)
assert abs(sum(shares.values()) - score) < 1e-3 * abs(score)
assert abs(ck.fullgrad(coursenet, small, zebra).sum().item() - score) < 1e-3 * abs(score)
print("the shares add up to the logit, and so does ck.fullgrad")

# %% id="full" slideshow={"slide_type": "-"}
ck.show_maps(
    None,
    {
        "FullGrad, zebra": ck.fullgrad(model, scene.image, zebra, magnitude=True),
        "FullGrad, strawberry": ck.fullgrad(model, scene.image, strawberry, magnitude=True),
    },
    unit="relative",
    relative=True,
)

# %% id="full-claim"
print("on CourseNet the pixels themselves give less than a fifth of the logit:", shares["pixels"] < 0.2 * score)
print("the bias of fc7 alone gives more than half:", shares["fc7"] > 0.5 * score)

# %% [markdown] id="full-read" slideshow={"slide_type": "skip"}
# Most of this score comes from one deep bias. It counts only for units that are switched on, so the picture decides about it too. A gradient map, which
# looks at the pixels only, leaves that out.
#
# The figure is the paper's picture: magnitudes of all parts, each layer stretched to [0, 1], laid over each other. It is not complete any more, and it
# hardly separates the two objects. `ck.fullgrad(model, image, target)` without `magnitude=True` keeps signs and completeness.

# %% [markdown] id="explorer-title" slideshow={"slide_type": "slide"}
# ## Your turn
#
# Choose class, method and layer. Which class finds no place of its own?

# %% id="explorer" slideshow={"slide_type": "-"}
ck.explore_cam(model, scene.image, ["block5", "block11", "block15", "relu2"])

# %% [markdown] id="absent-title" slideshow={"slide_type": "slide"}
# ## What goes wrong · every class gets a map
#
# There is no accordion here. **Predict first.** What does its map look like, stretched to its own scale as most programs do?

# %% id="absent" slideshow={"slide_type": "-"}
accordion = model.labels.index("accordion")
present = ck.grad_cam(model, scene.image, zebra, upsample=True)
absent = ck.grad_cam(model, scene.image, accordion, upsample=True)
ck.show_maps(
    scene.image,
    {"zebra": present, "accordion": absent, "accordion, stretched": absent * present.max() / absent.max()},
    unit="share of the logit",
    overlay=True,
)

# %% [markdown] id="absent-read" slideshow={"slide_type": "skip"}
# Stretched to its own maximum, the map of a thing that is not there looks as sure as the zebra's. (It lies on the head: stripes look like bellows.)
# Always compare with another class on *one* scale, or say the number: here the accordion has a fraction of the zebra's evidence.

# %% [markdown] id="swap-title" slideshow={"slide_type": "skip"}
# ## Swap the network
#
# CourseNet has $8 \times 8$ maps before its last pooling, and three fully connected layers after it.
# **Predict first.** Will its Grad-CAM find the same places?

# %% id="swap"
smaller = F.interpolate(scene.image, 128, mode="bilinear", antialias=True)
swapped = {name: ck.grad_cam(coursenet, smaller, index, upsample=True) for name, index in scene.targets.items()}
ck.show_maps(
    smaller,
    {f"{name}, CourseNet": heat for name, heat in swapped.items()},
    unit="relative",
    relative=True,
    overlay=True,
)

# %% [markdown] id="names-title" slideshow={"slide_type": "slide"}
# ## What do the channels look for?
#
# **Network dissection** gives a channel the name of the concept whose masks it meets best:
#
# $$\mathrm{IoU}(k, c) \;=\; \frac{\sum_x |\{A_k > T_k\} \cap L_c|}{\sum_x |\{A_k > T_k\} \cup L_c|}$$

# %% [markdown] id="names-text" slideshow={"slide_type": "skip"}
# We know the masks $L_c$, because we composed the pictures. The threshold $T_k$ leaves 2 % of all positions
# (Bau, Zhou, Khosla, Oliva & Torralba, *Network dissection*, CVPR 2017; there it is 0.5 %).

# %% id="concepts" slideshow={"slide_type": "-"}
cut_outs = sorted(ck.cutouts())
concepts = ck.concept_scenes(140, objects=cut_outs[::2], seed=0)
print(concepts)
ck.show_images(concepts.images[:4])


# %% id="iou-readable" tags=["show-code"]
def my_iou(maps, masks, shown, share):
    threshold = maps.flatten().sort(descending=True).values[round(share * maps.numel())]
    regions = F.interpolate(maps[:, None], masks.shape[1:], mode="bilinear")[:, 0] > threshold
    both, either = regions & masks, regions | masks
    return both[shown].sum() / either[shown].sum()  # only pictures that show a concept of this kind


# %% id="iou-same"
few = ck.concept_scenes(24, seed=2)
found = ck.dissect(model, few, "relu2")
channel = found.iou.amax(1).argmax().item()
concept = found.iou[channel].argmax().item()
with ck.capture(model, ["relu2"]) as maps, torch.no_grad():
    model(few.images)
mine = my_iou(maps["relu2"][:, channel].cpu(), few.masks[:, concept], few.labelled()[:, concept], share=0.02)
assert torch.isclose(mine, found.iou[channel, concept], atol=1e-4)
print("my_iou and ck.dissect give the same overlap")

# %% [markdown] id="hold-title" slideshow={"slide_type": "slide"}
# ## Do the names hold?
#
# With 1280 channels and 19 concepts, some overlap is luck. Two tests:
#
# - **Chance.** Give each picture another picture's masks. `ck.dissect` asks for more overlap than 95 % of the channels reach then.
# - **Other objects.** Name the channels with one half of the cut-outs, and again with the other half.
#
# **Predict first.** Which part of the names is the same both times?

# %% id="hold" slideshow={"slide_type": "-"}
first = ck.dissect(model, concepts, "relu2")
others = ck.concept_scenes(140, objects=cut_outs[1::2], seed=1)
second = ck.dissect(model, others, "relu2")
names = first.names()
again = {k: second.name(k, minimum=0) for k in names}
held = {k: name for k, name in names.items() if again[k] == name}
ones, twos = list(names.values()), list(again.values())
luck = sum(ones.count(name) * twos.count(name) for name in set(ones)) / len(ones) ** 2
print("channels with a name, above chance, more than 300 of 1280:", len(names) > 300)
print("the name holds for fewer than 60 % of them:", len(held) < 0.6 * len(names))
print("that is more than 2.5 times as many as luck would give:", len(held) / len(names) > 2.5 * luck)

# %% [markdown] id="examples-title" slideshow={"slide_type": "slide"}
# ## Four names that held
#
# Each on the three new pictures where its channel is active on most pixels; the active part is lit.

# %% id="examples" slideshow={"slide_type": "-"}
surest = {}
for k in sorted(held, key=lambda k: -min(first.iou[k].max(), second.iou[k].max())):  # in both halves
    surest.setdefault(held[k], k)
picked = list(surest.items())[:4]
maps_of = {k: [] for _, k in picked}
with ck.capture(model, ["relu2"]) as maps, torch.no_grad():
    for batch in others.images.split(8):
        model(batch)
        for k, kept in maps_of.items():
            kept.append(maps["relu2"][:, k].cpu())
panels, titles = [], []
for name, k in picked:
    lit = F.interpolate(torch.cat(maps_of[k])[:, None], 224, mode="bilinear") > second.thresholds[k]
    for place, i in enumerate(lit.flatten(1).sum(1).topk(3).indices.tolist()):  # where it is active on most pixels
        panels.append(others.images[i : i + 1] * (0.25 + 0.75 * lit[i : i + 1]))
        titles.append(name if place == 0 else f"channel {k}" if place == 1 else "")
ck.show_images(panels, titles, columns=6)

# %% [markdown] id="hold-read" slideshow={"slide_type": "skip"}
# Lit is where the channel is active, on the pictures that did *not* give it its name, the largest regions first. Most fit, some do not: a spotted goat
# excites the flower channel, a pineapple the zigzag channel, a plain disc the dotted one. A name says what a channel meets *most often* among nineteen words.
#
# About half of the channels get a name that chance does not explain, and of these names fewer than half are found again with other objects. So a name in a
# table is a guess about a channel. From here on we use only the names that held. (The paper had 63,305 pictures and 1197 concepts; we have 280 and 19.)

# %% [markdown] id="words-title" slideshow={"slide_type": "slide"}
# ## A prediction in words
#
# **Predict first.** Which named channels speak for *zebra*, which for *strawberry*, which against them?

# %% [markdown] id="words-text" slideshow={"slide_type": "skip"}
# The share of channel $k$ in a logit is $w_{ck} \cdot \bar A_k$, which is $Z\,\alpha_k \bar A_k$. Among the channels whose names hold, the largest
# shares are the **persuasive** ones, the most negative the **inhibitive** ones (Selvaraju et al., in the longer version, IJCV 2020).

# %% id="words" slideshow={"slide_type": "-"} tags=["nbval-ignore-output"]
with ck.capture(model, ["relu2"]) as maps, torch.no_grad():
    model(scene.image)
activity = maps["relu2"][0].mean((1, 2)).cpu()
weight = model.head.weight.detach().cpu()


def ranked(target):
    return sorted(held, key=lambda k: -weight[target, k] * activity[k])  # the most persuasive channel first


def in_words(channels, target):
    return ", ".join(f"{held[k]} ({weight[target, k] * activity[k]:+.2f})" for k in channels)


for name, index in scene.targets.items():
    order = ranked(index)
    print(f"{name:10} because of: {in_words(order[:4], index)}")
    print(f"{'':10} in spite of: {in_words(order[:-4:-1], index)}")

# %% id="words-claim"
total = {name: torch.zeros(2) for name in held.values()}  # by concept: its share in zebra and in strawberry
for k, name in held.items():
    total[name] += weight[[zebra, strawberry], k] * activity[k]
for name in ("striped", "hoofed animal"):
    print(f"{name} speaks for zebra and against strawberry:", bool(total[name][0] > 0 > total[name][1]))
for name in ("dotted", "fruit or vegetable"):
    print(f"{name} speaks for strawberry and against zebra:", bool(total[name][1] > 0 > total[name][0]))

# %% id="words-maps" slideshow={"slide_type": "-"}
most = ranked(zebra)
chosen = {f"for: {held[most[0]]}": most[0], f"for: {held[most[1]]}": most[1], f"against: {held[most[-1]]}": most[-1]}
ck.show_maps(
    scene.image,
    {title: F.interpolate(maps["relu2"][:, k : k + 1], 224, mode="bilinear") for title, k in chosen.items()},
    unit="relative",
    relative=True,
    overlay=True,
)

# %% [markdown] id="words-read" slideshow={"slide_type": "skip"}
# *Zebra, because of: striped, hoofed animal. In spite of: dotted.* The dots are the seeds of the strawberry, and they are the first reason for
# *strawberry*, with *fruit or vegetable* next; against it speak *hoofed animal* and *striped*. No channel was ever taught these words.
#
# Two cautions. The named channels are a part of all: the rest speaks too, without a name. And a share in a sum is not a cause: lab 15 switches channels off and looks.

# %% [markdown] id="trust-title" slideshow={"slide_type": "slide"}
# ## Which of two networks would you trust?
#
# Two small networks tell *equine* (horse, donkey, zebra) from *bovine* (ox, zebu, bison, cow). One learned from pictures where either may carry
# a watermark. In the other's training every equine carried it, and no bovine.
#
# **Predict first.** On a test set like the second training: which network is better?

# %% id="trust-scenes"
clean, biased = ck.load_model("trust_clean"), ck.load_model("trust_biased")
herd = {"equine": ["horse", "donkey", "zebra"], "bovine": ["ox", "zebu", "bison", "cow"]}
truth = torch.arange(120) % 2  # equine, bovine, equine …
animals = [herd[label][i % len(herd[label])] for i in range(60) for label in clean.labels]
plain = torch.cat([ck.load_scene(name, seed=6000 + i, size=96, scale=0.8).image for i, name in enumerate(animals)])
marked = ck.stimuli.caption(plain, "© EQUUS")
equine = (truth == 0).view(-1, 1, 1, 1)
tests = {
    "equines marked": torch.where(equine, marked, plain),  # as in the biased training
    "none marked": plain,
    "bovines marked": torch.where(equine, plain, marked),
}
accuracy = {}
for kind, net in (("clean", clean), ("biased", biased)):
    with torch.no_grad():
        right = {name: net(pictures).argmax(1).cpu() == truth for name, pictures in tests.items()}
    accuracy[kind] = {name: hits.float().mean().item() for name, hits in right.items()}

# %% id="trust" slideshow={"slide_type": "-"} tags=["nbval-ignore-output"]
print(f"accuracy on {len(truth)} new scenes of {len(set(animals))} animals")
for kind, row in accuracy.items():
    print(f"{kind:8}" + "".join(f"{name}: {value:4.0%}    " for name, value in row.items()))

# %% id="trust-claim"
on_biased_test = [row["equines marked"] for row in accuracy.values()]
print("on the biased test set both are right in more than 95 %:", min(on_biased_test) > 0.95)
print("and equally often, within 2 points:", max(on_biased_test) - min(on_biased_test) < 0.02)
print("without watermarks the clean one stays above 95 %:", accuracy["clean"]["none marked"] > 0.95)
print("the biased one falls to chance, below 55 %:", accuracy["biased"]["none marked"] < 0.55)
print("and with the watermark on the wrong animal below 5 %:", accuracy["biased"]["bovines marked"] < 0.05)

# %% [markdown] id="trust-map-title" slideshow={"slide_type": "slide"}
# ## One map would have told you
#
# *Why equine rather than bovine?* **Predict first.** Where will the biased network look?


# %% id="trust-maps" slideshow={"slide_type": "-"} tags=["gallery"]
def equine_rather(net, pictures):
    return ck.cam(net, pictures, lambda logits: logits[:, 0] - logits[:, 1], upsample=True)


ck.show_maps(
    marked[:1],
    {"clean": equine_rather(clean, marked[:1]), "biased": equine_rather(biased, marked[:1])},
    unit="relative",
    relative=True,
    overlay=True,
)

# %% id="trust-map-claim" slideshow={"slide_type": "-"}
letters = (marked != plain).any(1)[truth == 0]
on_letters = {
    kind: ck.mask_energy(equine_rather(net, marked[truth == 0]), letters).mean().item() / letters.float().mean().item()
    for kind, net in (("clean", clean), ("biased", biased))
}
print("biased: more than 3 times as much on the letters as their area:", on_letters["biased"] > 3)
print("clean: less than 2 times:", on_letters["clean"] < 2)

# %% [markdown] id="trust-read" slideshow={"slide_type": "skip"}
# Accuracy on pictures of the same source cannot tell the two apart: the shortcut is in the test set too. This happened: one of the best networks of
# the PASCAL VOC challenge knew horses by the name of a photographer's web page (Lapuschkin et al. 2019).
#
# Mind what the map did here. It gave a *suspicion*, the network looks at the letters. The proof is the experiment: take the letters away, and the accuracy goes with them.

# %% [markdown] id="board-title" slideshow={"slide_type": "slide"}
# ## The scoreboard
#
# Eleven methods, 200 scenes, every one explained for its true class. The score: which part of the map's energy lies on the object?
#
# **Predict first.** Put them in order: CAM, Grad-CAM, guided backprop, the plain gradient, occlusion, an edge detector, a blob in the middle.

# %% id="board" slideshow={"slide_type": "-"}
boards = {}
for network in ("efficientnet_lite0", "coursenet"):
    try:
        boards[network] = ck.stored_scoreboard(network)
    except ck.DataUnavailable as missing:
        print(missing)
measures = ["energy in mask", "pointing game", "deletion"]
next(iter(boards.values())).show(measures) if boards else None

# %% id="board-claim"
for network, board in boards.items():
    for measure in ("energy in mask", "pointing game"):
        gaps = {m: board.difference(m, "edges", measure) for m in board.rows if m not in ("edges", "chance", "centre")}
        surely = [m for m, (_, low, _) in gaps.items() if low > 0]
        print(f"{network}, {measure}: better than the edge detector, with its interval: {', '.join(surely) or 'none'}")

# %% [markdown] id="board-read" slideshow={"slide_type": "skip"}
# Each dot is a mean over objects, each bar a 95 % interval that resamples *objects*: forty scenes of one zebra are one zebra. Read three things.
#
# - **The order depends on the question.** A coarse map such as CAM spills over the outline, and so loses *energy*; its *strongest place* can still be right. A
#   fine map keeps to the outlines, but one bright grain beside the object loses the pointing game.
# - **Look at the grey dots first.** The edge detector asks no network. A third of the grounds here are plain, and there the outlines are the object's. A method
#   that does not beat it has shown nothing about the network.
# - **"n/a" is a result.** CourseNet has no CAM.

# %% [markdown] id="live-text" slideshow={"slide_type": "skip"}
# The table was computed ahead (`training/scoreboard.py`). A small one, live, with the fast methods and 12 scenes: how wide are the intervals now?

# %% id="live"
quick = {
    name: ck.eleven()[name] for name in ("input_gradient", "guided_backprop", "cam", "guided_grad_cam", "fullgrad")
}
live = ck.scoreboard(model, quick, ck.scenes(12, objects=list(ck.cutouts("core")), seed=61), curve_scenes=0)
live.show(["energy in mask", "pointing game"])

# %% id="live-claim"
print(
    "CAM points at the object more often than chance, with its interval:",
    live.difference("cam", "chance", "pointing game")[1] > 0,
)
print(
    "every method has more energy on the object than chance:",
    all(live.difference(m, "chance", "energy in mask")[1] > 0 for m in quick),
)

# %% [markdown] id="exercises-title" slideshow={"slide_type": "slide"}
# ## Exercises
#
# | | what you do | difficulty | minutes |
# |---|---|---|---|
# | 06.1 | a class activation map from maps and weights | ★ | 5 |
# | 06.2 | the importance of a channel | ★★ | 10 |
# | 06.3 | from importances to the map | ★ | 5 |
# | 06.4 | the overlap of regions and masks | ★★ | 10 |
# | 06.5 | from CAM to Grad-CAM in your head | ★ | 3 |
#
# Each check says ✓, or which mistake it has recognised. Get one wrong on purpose and see.

# %% [markdown] id="e1-card"
# ### Exercise 06.1 · The class activation map
# *★ · 5 minutes.* `maps` (K, h, w) are the last feature maps of one picture, `weight` (classes, K) is the linear layer's matrix.
# Return the map of class `target`, (h, w).
# **You will probably** put a ReLU where none belongs.


# %% id="e1-starter"
def class_map(maps, weight, target):
    return ...


# %% id="e1-solution" jupyter={"source_hidden": true} tags=["solution"]
def class_map(maps, weight, target):
    return torch.einsum("k,khw->hw", weight[target], maps)


# %% id="e1-check"
ck.check("06.1", class_map)

# %% [markdown] id="e2-card"
# ### Exercise 06.2 · The importance of a channel
# *★★ · 10 minutes.* `tail` is the rest of a network: it makes logits of `maps` (1, K, h, w). Return $\alpha_k$ for the class `target`, (K,).
# **You will probably** average over the wrong axes, or take the probability.


# %% id="e2-starter"
def channel_importance(tail, maps, target):
    return ...


# %% id="e2-solution" jupyter={"source_hidden": true} tags=["solution"]
def channel_importance(tail, maps, target):
    copy = maps.clone().requires_grad_()
    tail(copy)[0, target].backward()
    return copy.grad[0].flatten(1).mean(1)


# %% id="e2-check"
ck.check("06.2", channel_importance)

# %% [markdown] id="e3-card"
# ### Exercise 06.3 · From importances to the map
# *★ · 5 minutes.* `maps` is (K, h, w), `importance` (K,). Return the Grad-CAM map (h, w).
# **You will probably** forget the ReLU, or put it in too early.


# %% id="e3-starter"
def grad_cam_map(maps, importance):
    return ...


# %% id="e3-solution" jupyter={"source_hidden": true} tags=["solution"]
def grad_cam_map(maps, importance):
    return torch.tensordot(importance, maps, dims=1).clamp(min=0)


# %% id="e3-check"
ck.check("06.3", grad_cam_map)

# %% [markdown] id="e4-card"
# ### Exercise 06.4 · The overlap
# *★★ · 10 minutes.* `regions` and `masks` are (N, H, W), true or false: where a channel is active in each picture, and where the concept is.
# Return the IoU of dissection: one number for all pictures.
# **You will probably** average the pictures' ratios. A picture with a tiny mask would then count as much as one with a large mask.


# %% id="e4-starter"
def overlap(regions, masks):
    return ...


# %% id="e4-solution" jupyter={"source_hidden": true} tags=["solution"]
def overlap(regions, masks):
    common = (regions * masks).sum()
    return common / (regions.sum() + masks.sum() - common)


# %% id="e4-check"
ck.check("06.4", overlap)

# %% [markdown] id="e5-card"
# ### Exercise 06.5 · In your head
# *★ · 3 minutes.* A network ends in $7 \times 7$ maps, their means and one linear layer. At one place CAM is 12.25. What is Grad-CAM there?
# **You will probably** multiply where you should divide.

# %% id="e5-starter"
at_this_place = ...

# %% id="e5-solution" jupyter={"source_hidden": true} tags=["solution"]
at_this_place = 12.25 / 7**2

# %% id="e5-check"
ck.check("06.5", at_this_place)

# %% [markdown] id="recap" slideshow={"slide_type": "slide"}
# ## Recap
#
# - CAM is no approximation: it is the last linear layer before its mean. Grad-CAM is the same map there (up to $Z$ and ReLU), and works on any layer of
#   any network, but is at its best at the end.
# - A map always looks like an answer. Compare classes on one scale, ask for *this rather than that*, and test names of channels on other objects.
# - Accuracy on a biased test set cannot tell an honest network from a cheat. The map can, and so can a test without the shortcut.

# %% [markdown] id="quiz" slideshow={"slide_type": "slide"}
# ## Quiz
#
# 1. Why has VGG-16 no exact CAM?
# <details><summary>Answer</summary>Its maps go through fully connected layers with ReLU, so the logit is no weighted mean of the maps. Grad-CAM still works.</details>
#
# 2. Why does Grad-CAM average over positions and not over channels?
# <details><summary>Answer</summary>It needs one weight for each channel; the map itself then says where the channel is active. An average over channels would mix different features into one.</details>
#
# 3. Guided Grad-CAM shows every whisker of the cat. Did the whiskers make it a cat?
# <details><summary>Answer</summary>We do not know. The fine lines come from guided backprop, which redraws the picture; only the rough place comes from the class.</details>
#
# 4. A channel's best concept is "striped", with an overlap of 0.05. Is it a stripe detector?
# <details><summary>Answer</summary>Not yet. Ask what overlap other pictures' masks would give, and whether the name holds on pictures that were not used to find it.</details>

# %% [markdown] id="reading" slideshow={"slide_type": "slide"}
# ## Further reading
#
# - B. Zhou, A. Khosla, A. Lapedriza, A. Oliva, A. Torralba. *Learning deep features for discriminative localization.* CVPR 2016.
# - R. Selvaraju, M. Cogswell, A. Das, R. Vedantam, D. Parikh, D. Batra. *Grad-CAM: visual explanations from deep networks via gradient-based localization.* ICCV 2017.
# - S. Srinivas, F. Fleuret. *Full-gradient representation for neural network visualization.* NeurIPS 2019.
# - D. Bau, B. Zhou, A. Khosla, A. Oliva, A. Torralba. *Network dissection: quantifying interpretability of deep visual representations.* CVPR 2017.
# - S. Lapuschkin et al. *Unmasking Clever Hans predictors and assessing what machines really learn.* Nature Communications 2019.
# - V. Petsiuk, A. Das, K. Saenko. *RISE: randomized input sampling for explanation of black-box models.* BMVC 2018: deletion and insertion.
#
# **Next:** lab 07 asks the other way round: which picture would a channel like best?
