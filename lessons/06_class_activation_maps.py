# %% [markdown] id="title" slideshow={"slide_type": "slide"}
# # 06 · Class activation maps
# ### The last feature maps know *where*. The last weights know *what*.
#
# After this lab you will be able to
#
# - read a class activation map off the last linear layer, exactly,
# - write Grad-CAM, HiResCAM and LayerCAM in three lines each, and say where they differ,
# - name the channels that speak for a class, and say when the names mislead,
# - tell an honest network from one that cheats, in a blind trial,
# - rank methods by ground truth and not by looks.

# %% [markdown] id="contract" slideshow={"slide_type": "skip"}
# **First do** labs 04 and 05: gradients, and what guided backprop shows.
#
# **Run time** about 60 s on one CPU core. **Memory** below 2 GB. **Words** are explained in the [glossary](../docs/glossary.md).
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
# ## Five names for one picture: has each its own place?
#
# One picture, many answers: *palace*, *bell cote*, *monastery*, *lakeside* … Does each answer come from its own place?
#
# **Predict first.** Where does the network find the *lakeside*, and where the *bell cote*?

# %% id="first-look" slideshow={"slide_type": "-"}
ck.show_predictions(palace_picture, ck.predict(model, palace_picture))

# %% [markdown] id="idea" slideshow={"slide_type": "slide"}
# ## The mean of the map is the logit
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
# ## The maps of the last layer, weighted by the class


# %% id="readable" slideshow={"slide_type": "-"} tags=["show-code"]
def my_cam(model, image, target):
    with ck.capture(model, ["relu2"]) as maps, torch.no_grad():  # the last maps before the mean
        model(image)
    weights = model.head.weight[target].view(-1, 1, 1)  # one weight for each channel
    return (weights * maps["relu2"][0]).sum(0).detach().cpu()


# %% id="same" slideshow={"slide_type": "skip"}
palace = model.labels.index("palace")
mine, theirs = my_cam(model, palace_picture, palace), ck.cam(model, palace_picture, palace)[0, 0]
assert torch.allclose(mine, theirs, atol=1e-4 * theirs.abs().max().item())
with torch.no_grad():
    logit = model(palace_picture)[0, palace].item()
bias = model.head.bias[palace].item()
assert abs(mine.mean().item() + bias - logit) < 1e-3
print("my_cam and ck.cam give the same map")
print(f"mean of the map {mine.mean().item():.2f}, plus the bias {bias:.2f}: the logit {logit:.2f}")

# %% [markdown] id="classes-title" slideshow={"slide_type": "slide"}
# ## Each class has a place of its own
#
# Each map below is a sum of the *same* 1280 feature maps. Only the weights differ.

# %% id="classes" slideshow={"slide_type": "-"}
classes = {name: model.labels.index(name) for name in ("palace", "bell cote", "dome", "lakeside")}
ck.show_maps(
    palace_picture,
    {f"CAM of {name}": ck.cam(model, palace_picture, index, upsample=True) for name, index in classes.items()},
    unit="logits",
    overlay=True,
    columns=5,
)

# %% [markdown] id="classes-read" slideshow={"slide_type": "notes"}
# *Bell cote* and *palace* share the upper storeys. *Lakeside* lies to the right, where the tower ends and the water begins. *Dome* is
# pale, and the network gives it only the 14th place. The unit: the mean of each map over the whole picture is its logit without the bias.
#
# The maps are soft for a simple reason: they have $7 \times 7$ values and were enlarged. Their outlines are ours, not the network's.

# %% [markdown] id="two-title" slideshow={"slide_type": "slide"}
# ## Two objects, told apart by class
#
# We own the masks of this picture. **Predict first.** Will the map of *zebra* be blue on the strawberry, or just pale?

# %% id="two" slideshow={"slide_type": "fragment"}
scene = ck.load_scene(["zebra", "strawberry"], background="grass", seed=2)
zebra, strawberry = scene.targets["zebra"], scene.targets["strawberry"]
two = {name: ck.cam(model, scene.image, index, upsample=True) for name, index in scene.targets.items()}
ck.show_maps(scene.image, {f"CAM of {name}": heat for name, heat in two.items()}, unit="logits", overlay=True)

# %% [markdown] id="two-text" slideshow={"slide_type": "notes"}
# Red on its own object, pale elsewhere: the strawberry does not speak against the zebra, it just does not speak for it.

# %% [markdown] id="photograph-title" slideshow={"slide_type": "slide"}
# ## A man, a camera, a tripod: where are the binoculars?
#
# A man, a camera, a tripod. The network says *tripod* with 0.95; *binoculars* has 0.01.
#
# **Predict first.** Where is the evidence for *binoculars*?

# %% id="photograph" slideshow={"slide_type": "fragment"}
cameraman = ck.load_image("camera", size=224)
tripod, binoculars = model.labels.index("tripod"), model.labels.index("binoculars")
objects = {"tripod": tripod, "binoculars": binoculars}
ck.show_maps(
    cameraman,
    {f"CAM of {name}": ck.cam(model, cameraman, index, upsample=True) for name, index in objects.items()},
    unit="logits",
    overlay=True,
)

# %% [markdown] id="photograph-read" slideshow={"slide_type": "notes"}
# On the camera, at the man's eye: the network has no other word that fits so well. *Tripod* is strongest between the three legs, and it has a second place on
# the camera. Nobody gave us masks here, so we can only look. With composed pictures we can count.

# %% [markdown] id="pairs-title" slideshow={"slide_type": "skip"}
# **One picture is an anecdote.** So we compose ten pairs of twenty different objects and ask: does the strongest place of each
# map lie on its own object, on the other one, or on the background?

# %% id="pairs" slideshow={"slide_type": "skip"}
PAIRS = [
    ("zebra", "strawberry"), ("teddy", "hen"), ("flamingo", "broccoli"), ("violin", "tiger"), ("camera", "koala"),
    ("lorikeet", "balloon"), ("pineapple", "king_penguin"), ("daisy", "fire_engine"), ("orca", "candle"),
    ("acoustic_guitar", "gorilla"),
]  # fmt: skip
composed = [ck.load_scene(names, seed=seed) for seed, names in enumerate(PAIRS)]
both = torch.cat([pair.image for pair in composed for _ in range(2)])  # each picture twice: once for each object
named = [pair.targets[name] for pair, names in zip(composed, PAIRS, strict=True) for name in names]
own = torch.stack([pair.masks[name] for pair, names in zip(composed, PAIRS, strict=True) for name in names])
other = torch.stack([pair.masks[name] for pair, names in zip(composed, PAIRS, strict=True) for name in names[::-1]])
best = ck.cam(model, both, named, upsample=True).flatten(1).argmax(1, keepdim=True)
on_own, on_other = (mask.flatten(1).gather(1, best).sum().item() for mask in (own, other))
ck.claim("maps of 20 whose strongest place lies on their own object", on_own, at_least=11)
ck.claim("on the other object", on_other, at_most=2)
print("on the background:", 20 - on_own - on_other)

# %% [markdown] id="pairs-read" slideshow={"slide_type": "skip"}
# Five of the six misses lie on the background: a coarse map points a little off. It rarely points at the *wrong* object. That is what
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
def my_grad_cam(maps, gradient):
    importance = gradient.mean((2, 3), keepdim=True)  # over positions
    return F.relu((importance * maps).sum(1, keepdim=True))


# %% id="maps-and-gradient" slideshow={"slide_type": "skip"}
def maps_and_gradient(model, images, target, layer):
    with ck.capture(model, [layer]) as maps:
        scores = model(images.clone().requires_grad_())[range(len(images)), target]  # the logits
    (gradient,) = torch.autograd.grad(scores.sum(), maps[layer])
    return maps[layer].detach(), gradient


# %% id="gradcam-same" slideshow={"slide_type": "skip"}
for layer in ("block11", "relu2"):
    mine = my_grad_cam(*maps_and_gradient(model, scene.image, zebra, layer)).cpu()
    theirs = ck.grad_cam(model, scene.image, zebra, layer=layer)
    assert torch.allclose(mine, theirs, atol=1e-3 * theirs.max().item())
print("my_grad_cam and ck.grad_cam give the same map at block11 and at relu2")

# %% [markdown] id="equal-title" slideshow={"slide_type": "skip"}
# ## Where CAM exists, Grad-CAM is CAM
#
# After a mean and a linear layer $\partial S_c / \partial A_k(i,j) = w_{ck} / Z$ at every position, so $\alpha_k = w_{ck} / Z$ and
#
# $$Z \cdot L_c \;=\; \mathrm{ReLU}(M_c)$$
#
# **Predict first.** Does this hold exactly, or only nearly?

# %% id="equal" slideshow={"slide_type": "skip"}
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
# ## Two descendants: keep each position's own gradient
#
# Earlier layers have finer maps, but one mean gradient for a whole channel says little there. So average nothing. With $g_k = \partial S_c / \partial A_k$ at each position:
#
# $$\text{HiResCAM} = \mathrm{ReLU}\Big( \sum_k g_k \odot A_k \Big)
# \qquad \text{LayerCAM} = \mathrm{ReLU}\Big( \sum_k \mathrm{ReLU}(g_k) \odot A_k \Big)$$
#
# Draelos & Carin 2020; Jiang et al., *LayerCAM*, IEEE TIP 2021.


# %% id="variants-readable" slideshow={"slide_type": "-"} tags=["show-code"]
def my_hires_cam(maps, gradient):
    weighed = gradient * maps  # each position has its own weight
    return F.relu(weighed.sum(1, keepdim=True))


def my_layer_cam(maps, gradient):
    weighed = F.relu(gradient) * maps  # what speaks against the class is left out first
    return F.relu(weighed.sum(1, keepdim=True))


# %% id="variants-same" slideshow={"slide_type": "skip"}
RULES = {"Grad-CAM": my_grad_cam, "HiResCAM": my_hires_cam, "LayerCAM": my_layer_cam}
alike = {}
for layer in ("block11", "relu2"):
    found = {name: rule(*maps_and_gradient(model, scene.image, zebra, layer)).cpu() for name, rule in RULES.items()}
    for name, method in (("HiResCAM", ck.hires_cam), ("LayerCAM", ck.layer_cam)):
        theirs = method(model, scene.image, zebra, layer=layer)
        assert torch.allclose(found[name], theirs, atol=1e-3 * theirs.max().item())
        alike[layer, name] = F.cosine_similarity(found[name].flatten(), found["Grad-CAM"].flatten(), dim=0).item()
print("my_hires_cam, my_layer_cam and those of ck give the same maps at block11 and at relu2")
ck.claim("relu2: cosine of HiResCAM and Grad-CAM", alike["relu2", "HiResCAM"], above=0.9999, digits=4)
ck.claim("relu2: cosine of LayerCAM and Grad-CAM", alike["relu2", "LayerCAM"], above=0.9, below=0.9999)
ck.claim("block11: cosine of HiResCAM and Grad-CAM", alike["block11", "HiResCAM"], below=0.7)

# %% [markdown] id="variants-read" slideshow={"slide_type": "skip"}
# At relu2, the last layer before the mean, all positions of a channel have the same gradient: averaging it changes nothing, and HiResCAM *is*
# Grad-CAM. LayerCAM is only nearly the same there, because its inner ReLU drops the channels with a negative weight. At block11 the three differ.

# %% [markdown] id="depth-title" slideshow={"slide_type": "slide"}
# ## Finer maps: it is the method that decides
#
# A violin and a tiger; all maps are of *tiger*, each on its own scale. **Predict first.** At which of the two layers will the methods differ more?

# %% id="layers" slideshow={"slide_type": "fragment"}
on_grass = ck.load_scene(["violin", "tiger"], background="grass", seed=10)
depth = {}
for layer in ("block11", "relu2"):
    known = maps_and_gradient(model, on_grass.image, on_grass.targets["tiger"], layer)
    found = {name: rule(*known).cpu() for name, rule in RULES.items()}
    row = f"{layer} {found['Grad-CAM'].shape[2]}×{found['Grad-CAM'].shape[3]}"
    depth[row] = {name: F.interpolate(heat, 224, mode="bilinear") for name, heat in found.items()}
ck.show_matrix(depth, image=on_grass.image)

# %% [markdown] id="layers-read" slideshow={"slide_type": "notes"}
# At block11. There Grad-CAM lies in patches all over the picture, and the two others lie on the tiger: a single mean gradient for a whole channel cannot say that
# *this* edge counts and that one does not, and a gradient for each position can. At relu2 Grad-CAM and HiResCAM are one map, and LayerCAM lights the
# violin too.

# %% id="depth-energy" slideshow={"slide_type": "skip"}
LAYERS = ("block5", "block8", "block11", "block15", "relu2")


def three_maps(images, target, layer):
    parts = [
        maps_and_gradient(model, some, index, layer)
        for some, index in zip(images.split(8), torch.as_tensor(target).split(8), strict=True)
    ]
    return {name: torch.cat([rule(*part).cpu() for part in parts]) for name, rule in RULES.items()}


half = list(ck.cutouts("core"))[1:73:3]  # 24 objects
alone = {seed: ck.scenes(24, objects=half, seed=seed) for seed in (6, 1, 2)}
any_class = torch.randint(1000, (24,), generator=torch.Generator().manual_seed(0))
energy, of_any = {name: [] for name in RULES}, {}
for layer in LAYERS:
    for name, heat in three_maps(alone[6].images, alone[6].targets, layer).items():
        on_object = ck.mask_energy(heat, alone[6].masks)
        energy[name].append(ck.bootstrap_interval(on_object, alone[6].objects))
for name, heat in three_maps(alone[6].images, any_class, "block11").items():
    of_any[name] = ck.mask_energy(heat, alone[6].masks).nanmean().item()

# %% [markdown] id="depth-energy-title" slideshow={"slide_type": "slide"}
# ## LayerCAM at block11 lies on the object best
#
# 24 scenes with one object each. Which part of a map's energy lies on the object?

# %% id="depth-chart" slideshow={"slide_type": "-"}
ck.show_lines(
    range(len(LAYERS)),
    {name: [mean for mean, _, _ in values] for name, values in energy.items()},
    bands={name: ([low for _, low, _ in v], [high for _, _, high in v]) for name, v in energy.items()},
    levels={"the object's area": alone[6].masks.float().mean().item(), "LayerCAM, random class": of_any["LayerCAM"]},
    ticks=LAYERS,
    xlabel="layer",
    ylabel="share of the map's energy on the object",
    title="mean of 24 scenes, band: 95 % interval over objects",
    limits=(0, 0.8),
)

# %% id="depth-claim" slideshow={"slide_type": "skip"}
finer, last = [], []
for single in alone.values():
    at_block11 = {
        n: ck.mask_energy(h, single.masks).mean().item()
        for n, h in three_maps(single.images, single.targets, "block11").items()
    }
    end = ck.mask_energy(ck.grad_cam(model, single.images, single.targets), single.masks).mean().item()
    finer.append(at_block11["LayerCAM"] - end)
    last.append(at_block11["Grad-CAM"] - end)
ck.claim("three seeds, LayerCAM at block11 minus Grad-CAM at relu2, least", min(finer), above=0.05)
ck.claim("Grad-CAM at block11 minus Grad-CAM at relu2, most", max(last), below=-0.05)
ck.claim("LayerCAM at block11: energy for the true class", energy["LayerCAM"][2][0], above=0.5)
ck.claim("and for a random class", of_any["LayerCAM"], above=0.5)

# %% [markdown] id="depth-chart-read" slideshow={"slide_type": "notes"}
# Finer can be better: LayerCAM at block11 puts 0.64 of its energy on the object, more than Grad-CAM at relu2, 0.44, and Grad-CAM at block11 has only 0.28. It is the method, not
# the fineness. But "deeper is better" is no rule either: LayerCAM and HiResCAM dip at block8 and at block15, where Grad-CAM is best of the three.
#
# **The control spoils the joy.** Ask block11 for a class drawn at random, and LayerCAM puts the *same* 0.64 on the object. With one object in
# the picture this score says that a map finds the object. It does not say that it explains the class.

# %% [markdown] id="depth-pairs-title" slideshow={"slide_type": "slide"}
# ## But Grad-CAM at the last layer tells classes apart best
#
# The ten scenes with two objects. Of the energy on both objects, which part lies on the one that we asked for? A map that does not depend on the class gets exactly ½.

# %% id="depth-pairs" slideshow={"slide_type": "-"}
apart = {name: [] for name in RULES}
scene_number = [i // 2 for i in range(len(both))]
for layer in LAYERS:
    for name, heat in three_maps(both, named, layer).items():
        ours, theirs = ck.mask_energy(heat, own), ck.mask_energy(heat, other)
        apart[name].append(ck.bootstrap_interval(ours / (ours + theirs), scene_number))
ck.show_lines(
    range(len(LAYERS)),
    {name: [mean for mean, _, _ in values] for name, values in apart.items()},
    bands={name: ([low for _, low, _ in v], [high for _, _, high in v]) for name, v in apart.items()},
    levels={"same map for both": 0.5},
    ticks=LAYERS,
    xlabel="layer",
    ylabel="share on the object asked for",
    title="mean of 20 maps, band: 95 % interval over ten scenes",
    limits=(0.3, 1),
)

# %% id="depth-pairs-claim" slideshow={"slide_type": "skip"}
for name in ("Grad-CAM", "LayerCAM"):
    ck.claim(f"{name} at block11: share on the object asked for", apart[name][2][0], below=0.8)
ck.claim("Grad-CAM at relu2", apart["Grad-CAM"][-1][0], above=0.8)
ck.claim("its interval begins at", apart["Grad-CAM"][-1][1], above=0.7)

# %% [markdown] id="depth-pairs-read" slideshow={"slide_type": "notes"}
# Grad-CAM at block5 tells no class: half of its energy on either object. Up to block15 each method gets better with depth, and at relu2 nine tenths of Grad-CAM's energy on the two objects lie on the one
# that was asked for. But LayerCAM falls there: it has dropped the channels that speak against the class, and they were the ones that
# kept the other object out. So choose by the question: *where is the object, sharply?* LayerCAM in the middle. *Why this class?* Grad-CAM at the end.

# %% [markdown] id="occlusion-title" slideshow={"slide_type": "skip"}
# ## Grad-CAM and occlusion: do they agree?
#
# Selvaraju et al. (fig. 1) say that Grad-CAM looks like an occlusion map and is orders of magnitude cheaper. **Predict first.** Rank the places of a picture by either map: how high is the
# correlation? As controls we take Grad-CAM of another scene, and of another class.

# %% id="occlusion" slideshow={"slide_type": "skip"}
coursenet = ck.load_model("coursenet")


def ranks(maps):
    return F.adaptive_avg_pool2d(maps, 14).flatten(1).argsort(1).argsort(1).float()


def rank_correlation(a, b):
    a, b = (ranks(maps) - (14 * 14 - 1) / 2 for maps in (a, b))
    return F.cosine_similarity(a, b).tolist()


agreement, gap, windows = {}, {}, 6 * 6
for name, network in {"CourseNet": coursenet, "EfficientNet-Lite0": model}.items():
    size = network.input_size
    dozen = ck.scenes(12, objects=half, seed=6, size=size)
    ours = ck.grad_cam(network, dozen.images, dozen.targets, upsample=True)
    of_other = ck.grad_cam(network, dozen.images, (dozen.targets + 500) % 1000, upsample=True)
    covered = ck.occlusion(network, dozen.images, dozen.targets, window=2 * size // 7, stride=size // 7)
    compared = {"the same scene": ours, "another scene": ours.roll(1, 0), "another class": of_other}
    values = {title: rank_correlation(maps, covered) for title, maps in compared.items()}
    agreement[name] = {title: ck.bootstrap_interval(v, dozen.objects) for title, v in values.items()}
    difference = [a - b for a, b in zip(values["the same scene"], values["another scene"], strict=True)]
    gap[name] = sum(difference) / 12
ck.show_dots(
    agreement, xlabel="rank correlation with the occlusion map", interval="95 % interval over 12 objects", columns=2
)

# %% id="occlusion-claim" slideshow={"slide_type": "skip"}
for name in agreement:
    ck.claim(
        f"{name}: correlation for the same scene", agreement[name]["the same scene"][0], above=0.15, below=0.8, digits=1
    )
ck.claim("CourseNet: more than for another scene by", gap["CourseNet"], above=0.2, digits=1)
print(f"one map of each kind: Grad-CAM 1 run forward and 1 back, occlusion {windows + 1} runs forward")

# %% [markdown] id="occlusion-read" slideshow={"slide_type": "skip"}
# On CourseNet 0.7, far above both controls; on EfficientNet-Lite0 0.4, and there the intervals of the controls overlap it. So the maps agree in part: both find the object, and any two maps that find something in the middle
# of a picture agree a little. The other claim holds: one run forward and one back instead of 37 runs, and a window that moves in finer steps costs hundreds.

# %% [markdown] id="against-title" slideshow={"slide_type": "slide"}
# ## Little speaks *against* a class; ask "rather than"
#
# A counterfactual map asks for $-S_c$: all gradients change their sign, and ReLU keeps the other half.
# **Predict first.** What speaks against *zebra* in this picture?

# %% id="against" slideshow={"slide_type": "fragment"}
against = ck.grad_cam(model, scene.image, lambda logits: -logits[:, zebra], upsample=True)
rather = ck.cam(model, scene.image, lambda logits: logits[:, zebra] - logits[:, strawberry], upsample=True) / Z
ck.show_maps(
    scene.image,
    {
        "for zebra": ck.grad_cam(model, scene.image, zebra, upsample=True),
        "against zebra": -against,  # drawn in blue
        "zebra rather than strawberry": rather,
    },
    unit="contribution (logits)",
    overlay=True,
)

# %% id="against-claim" slideshow={"slide_type": "skip"}
signed = ck.cam(model, both, named).flatten(1)
ratios = (signed.amax(1) / -signed.amin(1)).sort().values
ratio = (ck.grad_cam(model, scene.image, zebra).max() / against.max()).item()
ck.claim("strongest place for zebra, times the strongest against it", ratio, above=10)
ck.claim("the same in the 20 maps of the ten pairs, median", ratios.median(), above=5)
ck.claim(
    "share of these maps in which what speaks for the class is stronger", (ratios > 1).float().mean(), at_least=0.9
)

# %% [markdown] id="against-read" slideshow={"slide_type": "notes"}
# Next to nothing: all three maps have one scale, and the middle one is pale. Its strongest place has 1/26 of what speaks for zebra. A logit of a class mostly counts what is there.
# The sharper question is a comparison: *why zebra rather than strawberry?* The score $S_\text{zebra} - S_\text{strawberry}$ is still a
# linear function of the logits, so CAM answers it exactly: red speaks for the one, blue for the other.

# %% [markdown] id="guided-title" slideshow={"slide_type": "slide"}
# ## Guided Grad-CAM: sharp lines, at the place of the class
#
# $$R \;=\; \text{guided backprop} \,\odot\, \text{enlarged } L_c$$
#
# Lab 05: guided backprop is sharp but hardly asks for the class. Grad-CAM asks, but is coarse.
# **Predict first.** Which of the two decides *where* the product is bright?

# %% id="guided" slideshow={"slide_type": "fragment"}
duo = ck.load_scene(["violin", "tiger"], seed=10)
lines = {}
for title, method in (("guided backprop", ck.guided_backprop), ("Guided Grad-CAM", ck.guided_grad_cam)):
    for name, index in duo.targets.items():
        lines[f"{title}, {name}"] = ck.signal_pictures(method(model, duo.image, index), clip=99)  # signed: 0 is grey
ck.show_images(list(lines.values()), list(lines), columns=4)

# %% id="guided-claim" slideshow={"slide_type": "skip"}
assert torch.allclose(
    ck.guided_grad_cam(model, duo.image, duo.targets["tiger"]),
    ck.guided_backprop(model, duo.image, duo.targets["tiger"])
    * ck.grad_cam(model, duo.image, duo.targets["tiger"], upsample=True),
)
maps_of = {
    "guided backprop": ck.guided_backprop(model, both, named),
    "Grad-CAM": ck.grad_cam(model, both, named, upsample=True),
    "Guided Grad-CAM": ck.guided_grad_cam(model, both, named),
}


def two_classes(maps):
    """The correlation of the magnitudes for the two classes of each of the ten scenes."""
    strength = maps.abs().amax(1).flatten(1).unflatten(0, (10, 2))
    return torch.stack([torch.corrcoef(pair)[0, 1] for pair in strength])


alike = {name: two_classes(maps) for name, maps in maps_of.items()}
for name, values in alike.items():
    print(f"{name}: from {values.min():.1f} to {values.max():.1f}")
ck.claim(
    "guided backprop, correlation of the two classes' maps, median of ten scenes",
    alike["guided backprop"].median(),
    above=0.75,
)
ck.claim(
    "Guided Grad-CAM, scenes of ten with a correlation below 0.3",
    (alike["Guided Grad-CAM"] < 0.3).sum().item(),
    at_least=6,
)

# %% [markdown] id="guided-read" slideshow={"slide_type": "notes"}
# Grad-CAM decides: left both objects are there for either class; right there is the object of the class, and for *violin* a trace of the tiger's paw. The tiger's stripes and the edge of the violin are lines of guided backprop, and so is every doubt about them (lab 05): it redraws the picture.
# So read the product as "the picture's detail, where Grad-CAM is bright", and not as "these fine lines made the class".

# %% [markdown] id="full-title" slideshow={"slide_type": "slide"}
# ## FullGrad: the biases speak too
#
# Multiply the input $u = x - \bar x$ *and* all biases by $\lambda > 0$: each ReLU keeps its side, and the score becomes $\lambda S$. Its derivative at $\lambda = 1$ (Euler's theorem):
# $S_c = \sum_p u_p\, \partial S_c / \partial u_p + \sum_l \sum_p b_l\, \partial S_c / \partial b_l(p)$.
# **Predict first.** How much of it comes from the pixels: nearly all, half, or hardly any?

# %% [markdown] id="full-text" slideshow={"slide_type": "skip"}
# In full: a network of convolutions and ReLU is linear piece by piece, so that $S(\lambda u, \lambda b) = \lambda\, S(u, b)$. The derivative of the right side with respect to $\lambda$ is $S$; that of the left side
# is, by the chain rule, the two sums:
#
# $$S_c \;=\; \sum_p u_p\, \frac{\partial S_c}{\partial u_p} \;+\; \sum_l \sum_p b_l\, \frac{\partial S_c}{\partial b_l(p)}$$
#
# $\bar x$ is the mean colour, which the network subtracts first, so that $u$ is what the first layer gets (up to a scale, which cancels in $u\,\partial S / \partial u$). The second sum goes over
# all biases $b_l$ of all layers, at every position $p$ where they are added
# (Srinivas & Fleuret, *Full-gradient representation for neural network visualization*, NeurIPS 2019).


# %% id="full-readable" slideshow={"slide_type": "skip"} tags=["show-code"]
def my_parts(model, image, target):
    layers = [name for name in model.layers if name.startswith(("conv", "fc"))]  # all that have a bias
    x = image.clone().requires_grad_()
    with ck.capture(model, layers) as outputs:
        score = model(x)[0, target]
    slopes = torch.autograd.grad(score, [x, *outputs.values()])
    parts = {"pixels": ((x - model.mean.cpu()) * slopes[0]).sum()}
    for name, slope in zip(outputs, slopes[1:], strict=True):
        parts[name] = (model.layer(name).bias * slope.movedim(1, -1)).sum()  # the bias is added at every position
    return {name: part.item() for name, part in parts.items()}, score.item()


# %% id="full-same"
split, scores = {}, {}
for name in ("zebra", "hen", "strawberry", "tiger", "violin"):
    single = ck.load_scene([name], background="grass", seed=2, size=128)
    split[name], scores[name] = my_parts(coursenet, single.image, single.targets[name])
    scale = sum(abs(part) for part in split[name].values())
    assert abs(sum(split[name].values()) - scores[name]) < 1e-3 * scale
    complete = ck.fullgrad(coursenet, single.image, single.targets[name]).sum().item()
    assert abs(complete - scores[name]) < 1e-3 * scale
print("for five objects the parts add up to the logit, and so does ck.fullgrad")

# %% id="full-parts" slideshow={"slide_type": "fragment"}
ck.show_lines(
    range(len(split["zebra"])),
    {f"{name}: logit {scores[name]:.1f}": list(parts.values()) for name, parts in split.items()},
    ticks=list(split["zebra"]),
    levels={"nothing": 0},
    xlabel="part of the score: pixels, then the biases of each layer",
    ylabel="contribution (logits)",
    title="CourseNet: what the logit of each object is made of",
)

# %% id="full-claim" slideshow={"slide_type": "skip"}
sure = [name for name in split if scores[name] > 5]
ck.claim("objects of 5 with a logit above 5", len(sure), at_least=4)
ck.claim("among them, pixels: largest share of the logit", max(split[n]["pixels"] / scores[n] for n in sure), below=0.2)
ck.claim("among them, bias of fc7: smallest share", min(split[n]["fc7"] / scores[n] for n in sure), above=0.7)

# %% [markdown] id="full-read" slideshow={"slide_type": "notes"}
# Hardly any: a tenth or less. Where CourseNet is sure, nearly all of the score comes from one deep bias, that of fc7. It counts only for units that are switched on, so the picture decides
# about it too; but a gradient map, which looks at the pixels only, leaves it out. The violin is the counter-example: CourseNet does not recognise it, its
# parts are as large with either sign, and cancel.

# %% [markdown] id="full-map-title" slideshow={"slide_type": "skip"}
# The paper's picture takes magnitudes, stretches each layer to [0, 1], and adds up all channels of all layers.

# %% id="full" slideshow={"slide_type": "skip"}
laid = {name: ck.fullgrad(model, duo.image, index, magnitude=True) for name, index in duo.targets.items()}
ck.show_maps(
    duo.image,
    {f"FullGrad of {name}": heat for name, heat in laid.items()},
    unit="sum of layers, each stretched to 1",
    overlay=True,
)

# %% [markdown] id="full-map-read" slideshow={"slide_type": "skip"}
# Now the map follows the violin from its body to its neck. (The sharp outline is that of the picture, not of the map.) But the map of *violin* covers the tiger too, more weakly, and the other way round. And it is not complete any more:
# `ck.fullgrad(model, image, target)` without `magnitude=True` keeps signs and completeness.

# %% [markdown] id="explorer-title" slideshow={"slide_type": "skip"}
# ## Your turn
#
# Choose class, method and layer. Which class finds no place of its own?

# %% id="explorer" slideshow={"slide_type": "skip"}
teddy_and_hen = ck.load_scene(["teddy", "hen"], seed=0)
ck.explore_cam(model, teddy_and_hen.image, ["block5", "block11", "block15", "relu2"])

# %% [markdown] id="absent-title" slideshow={"slide_type": "slide"}
# ## What goes wrong · every class gets a map
#
# There is no goldfish here. **Predict first.** What does its map look like, stretched to its own scale as most programs do?

# %% id="absent" slideshow={"slide_type": "fragment"}
present = ck.grad_cam(model, cameraman, tripod, upsample=True)
absent = ck.grad_cam(model, cameraman, model.labels.index("goldfish"), upsample=True)
ck.show_maps(
    cameraman,
    {"tripod": present, "goldfish": absent, "goldfish, stretched": absent * present.max() / absent.max()},
    unit="contribution (logits)",
    overlay=True,
)

# %% id="absent-claim" slideshow={"slide_type": "skip"}
ck.claim("strongest place of the tripod, times that of the goldfish", present.max() / absent.max(), above=10)
hundred = torch.randperm(1000, generator=torch.Generator().manual_seed(0))[:100].tolist()
with ck.capture(model, ["relu2"]) as maps, torch.no_grad():
    model(cameraman)
highest = torch.einsum("ck,kij->cij", model.head.weight[hundred], maps["relu2"][0]).flatten(1).amax(1)
ck.claim("of 100 classes drawn at random: those with a map", (highest > 0).sum().item(), at_least=95)

# %% [markdown] id="absent-read" slideshow={"slide_type": "notes"}
# Like an answer. Stretched to its own maximum, the map of a thing that is not there is a clear spot on the man's back. (Make up a reason for it, and you see how easily one believes a map.)
# Always compare with another class on *one* scale, or say the number: the goldfish has 1/35 of the tripod's evidence. And of a hundred classes drawn at random *each* has a map.

# %% [markdown] id="swap-title" slideshow={"slide_type": "skip"}
# ## Swap the network
#
# CourseNet has $8 \times 8$ maps before its last pooling, and three fully connected layers after it, so it has no CAM.
# **Predict first.** Will its Grad-CAM tell the two objects of our ten pairs apart as well as that of EfficientNet-Lite0, 0.89?

# %% id="swap" slideshow={"slide_type": "skip"}
smaller = F.interpolate(both, 128, mode="bilinear", antialias=True)
swapped = F.interpolate(ck.grad_cam(coursenet, smaller, named), 224, mode="bilinear")
ours, theirs = ck.mask_energy(swapped, own), ck.mask_energy(swapped, other)
by_scene = ck.bootstrap_interval(ours / (ours + theirs), scene_number)
ck.claim("CourseNet, share on the object asked for, mean of 20 maps", by_scene[0], above=0.7)
ck.claim("lower end of its 95 % interval over ten scenes", by_scene[1], above=0.5, digits=1)
ck.claim("maps of 20 with more energy on the object asked for", (ours > theirs).sum().item(), at_least=16)

# %% [markdown] id="swap-read" slideshow={"slide_type": "skip"}
# Yes: 0.92, and in 19 of 20 maps more energy lies on the object that was asked for. Grad-CAM needs no mean and no single linear layer at the end.

# %% [markdown] id="names-title" slideshow={"slide_type": "slide"}
# ## What do the channels look for?
#
# **Network dissection** gives a channel the name of the concept whose masks it overlaps best:
#
# $$\mathrm{IoU}(k, c) \;=\; \frac{\sum_x |\{A_k > T_k\} \cap L_c|}{\sum_x |\{A_k > T_k\} \cup L_c|}$$
#
# The sums go over the pictures $x$; $L_c$ is the **mask** of the concept $c$ in them (outlined below), and the threshold $T_k$ leaves the 2 % of all positions where channel $k$ is most active.

# %% [markdown] id="names-text" slideshow={"slide_type": "notes"}
# We know the masks $L_c$, because we composed the pictures
# (Bau, Zhou, Khosla, Oliva & Torralba, *Network dissection*, CVPR 2017; there the threshold leaves 0.5 %).

# %% id="concepts" slideshow={"slide_type": "-"}
cut_outs = sorted(ck.cutouts())
concepts = ck.concept_scenes(140, objects=cut_outs[::2], seed=0)
print(concepts)


def main_concept(i):
    """The concept of picture i that is an object or a texture, else its largest colour."""
    sizes = concepts.masks[i].flatten(1).sum(1) * torch.tensor(
        [1 if kind == "colour" else 10**6 for kind in concepts.kinds]
    )
    return sizes.argmax().item()


chosen = [main_concept(i) for i in range(4)]
ck.show_images(
    concepts.images[:4],
    [concepts.names[c] for c in chosen],
    masks=[concepts.masks[i, c] for i, c in enumerate(chosen)],
)


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

# %% [markdown] id="hold-title" slideshow={"slide_type": "skip"}
# ## Do the names hold?
#
# With 1280 channels and 19 concepts, some overlap is luck. Two tests:
#
# - **Chance.** Give each picture another picture's masks. `ck.dissect` asks for more overlap than 95 % of the channels reach then.
# - **Other objects.** Name the channels with one half of the cut-outs, and again with the other half.
#
# **Predict first.** Which part of the names is the same both times?

# %% id="hold" slideshow={"slide_type": "skip"}
first = ck.dissect(model, concepts, "relu2")
others = ck.concept_scenes(140, objects=cut_outs[1::2], seed=1)
second = ck.dissect(model, others, "relu2")
names = first.names()
again = {k: second.name(k, minimum=0) for k in names}
held = {k: name for k, name in names.items() if again[k] == name}
ones, twos = list(names.values()), list(again.values())
luck = sum(ones.count(name) * twos.count(name) for name in set(ones)) / len(ones) ** 2
ck.claim("share of the 1280 channels with a name, above chance", len(names) / 1280, above=0.15, below=0.6, digits=1)
ck.claim("share of these whose name holds with other objects", len(held) / len(names), above=0.2, below=0.6, digits=1)
ck.claim("times what luck would give", len(held) / len(names) / luck, above=2, digits=1)

# %% [markdown] id="hold-answer" slideshow={"slide_type": "skip"}
# Fewer than half. About a third of the channels get a name that chance does not explain, and of these names fewer than half are found again with other objects; luck would give less than a tenth. So a name in a
# table is a guess about a channel. From here on we use only the names that held. (The paper had 63,305 pictures and 1197 concepts; we have 280 and 19.)

# %% [markdown] id="examples-title" slideshow={"slide_type": "slide"}
# ## Four channels whose names held
#
# Each on the three new pictures where it is active on most pixels. Lit: where the channel is active. Outlined: where the concept is.

# %% id="examples" slideshow={"slide_type": "-"}
surest = {}
for k in sorted(held, key=lambda k: -min(first.iou[k].max(), second.iou[k].max())):  # in both halves
    surest.setdefault(held[k], k)
picked = list(surest.items())[:4]
at_relu2 = ck.activations(model, others.images, ["relu2"], reduce=lambda maps: maps[:, [k for _, k in picked]])["relu2"]
plates, outlines, titles = [], [], []
for place, (name, k) in enumerate(picked):
    lit = F.interpolate(at_relu2[:, place : place + 1].cpu(), 224, mode="bilinear") > second.thresholds[k]
    three = lit.flatten(1).sum(1).topk(3).indices  # where it is active on most pixels
    truth = F.interpolate(others.masks[three, others.names.index(name)][:, None].float(), 224)
    plates.append(torch.cat(list(others.images[three] * (0.25 + 0.75 * lit[three])), 2)[None])
    outlines.append(torch.cat(list(truth), 2)[0] > 0.5)
    titles.append(f"channel {k}: {name}, IoU {second.iou[k].max():.2f}")
ck.show_images(plates, titles, columns=2, masks=outlines)

# %% [markdown] id="hold-read" slideshow={"slide_type": "notes"}
# The pictures did *not* give the channel its name, and the largest regions come first. Most fit, some do not: a spotted goat
# excites the flower channel, a pineapple the zigzag channel, a plain disc the dotted one. They have no outline, because the concept is not there. A name says what a channel meets *most often* among nineteen words.

# %% [markdown] id="words-title" slideshow={"slide_type": "skip"}
# ## A prediction in words
#
# The contribution of channel $k$ to a logit is $w_{ck} \cdot \bar A_k$. Among the channels whose names hold, the largest are the **persuasive** ones, the most negative the **inhibitive** ones.
#
# **Predict first.** Which named channels speak for *zebra*, which against it?

# %% [markdown] id="words-text" slideshow={"slide_type": "skip"}
# $\bar A_k$ is the mean of the map, so $w_{ck} \bar A_k = Z\,\alpha_k \bar A_k$ (Selvaraju et al., in the longer version, IJCV 2020).

# %% id="words" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
weight = model.head.weight.detach().cpu()


def explain(image, target):
    """The contribution of each named channel to the logit of a class, the most persuasive first."""
    activity = ck.activations(model, image, ["relu2"])["relu2"][0].cpu()
    parts = {k: (weight[target, k] * activity[k]).item() for k in held}
    return dict(sorted(parts.items(), key=lambda item: -item[1]))


def in_words(parts):
    return ", ".join(f"{held[k]} ({part:+.2f})" for k, part in parts)


for name, index in scene.targets.items():
    parts = list(explain(scene.image, index).items())
    print(f"{name:10} because of: {in_words(parts[:4])}")
    print(f"{'':10} in spite of: {in_words(parts[:-4:-1])}")

# %% id="words-claim" slideshow={"slide_type": "skip"}
meant = {"striped": "zebra", "hoofed animal": "zebra", "dotted": "strawberry", "fruit or vegetable": "strawberry"}
for_it, against_it = dict.fromkeys(meant, 9.0), dict.fromkeys(meant, -9.0)
for seed in (2, 3, 4):
    composed_again = ck.load_scene(["zebra", "strawberry"], background="grass", seed=seed)
    for target, index in composed_again.targets.items():
        parts = explain(composed_again.image, index)
        for name in meant:
            total = sum(part for k, part in parts.items() if held[k] == name)
            if meant[name] == target:
                for_it[name] = min(for_it[name], total)
            else:
                against_it[name] = max(against_it[name], total)
for name, target in meant.items():
    other_one = "strawberry" if target == "zebra" else "zebra"
    ck.claim(f"three scenes, channels named {name}: contribution to {target}, least", for_it[name], above=0, digits=1)
    ck.claim(f"and to {other_one}, most", against_it[name], below=0, digits=1)

# %% id="words-maps" slideshow={"slide_type": "skip"}
most = list(explain(scene.image, zebra))
with ck.capture(model, ["relu2"]) as maps, torch.no_grad():
    model(scene.image)
panels = []
for k in (most[0], most[1], most[-1]):
    lit = F.interpolate(maps["relu2"][:, k : k + 1].cpu(), 224, mode="bilinear") > second.thresholds[k]
    panels.append(scene.image * (0.25 + 0.75 * lit))
titles = [f"for zebra: {held[most[0]]}", f"for zebra: {held[most[1]]}", f"against zebra: {held[most[-1]]}"]
ck.show_images([scene.image, *panels], ["the scene", *titles])

# %% [markdown] id="words-read" slideshow={"slide_type": "skip"}
# *Zebra, because of: striped, hoofed animal. In spite of: dotted.* The dotted channel is active on the strawberry and below it (are its seeds the dots? the map does not say),
# and *dotted* is the first reason for *strawberry*, with *fruit or vegetable* next; against it speak *hoofed animal* and *striped*. No channel was ever taught these words.
#
# Two cautions. The named channels are a part of all: the rest speaks too, without a name. And a part of a sum is not a cause: lab 15 switches channels off and looks.

# %% [markdown] id="mislead-title" slideshow={"slide_type": "slide"}
# ## What goes wrong · words that mislead
#
# The same explanation for four pictures that the network gets right. Each title: the class, its probability, the first two reasons.
# **Predict first.** In how many pictures does the first word for a thing, such as *bird* or *vehicle*, name what is there?

# %% id="mislead" slideshow={"slide_type": "fragment"}
pictures, titles = [], []
for name in ("ram", "fire_engine", "slug", "vulture"):
    single = ck.load_scene(name, background="grey", seed=3)
    probability = model(single.image).softmax(1)[0, single.targets[name]].item()
    said = list(dict.fromkeys(held[k] for k in explain(single.image, single.targets[name])))
    pictures.append(single.image)
    titles.append(f"{name} {probability:.2f}: {said[0]}, {said[1]}")
ck.show_images(pictures, titles)

# %% id="mislead-claim" slideshow={"slide_type": "skip"}
things = [i for i, kind in enumerate(others.kinds) if kind == "object"]
truth = others.masks[:, things].flatten(2).any(2)  # the group of the object in each picture
shown = truth.any(1)
activity = ck.activations(model, others.images, ["relu2"])["relu2"].cpu()
answers = (activity @ weight.T + model.head.bias.detach().cpu()).argmax(1)
by_group = torch.stack(
    [
        torch.stack([weight[answers, k] * activity[:, k] for k in held if held[k] == others.names[c]]).amax(0)
        for c in things
    ],
    1,
)
said = by_group.argmax(1)
print(shown.sum().item(), "pictures of one object")
hits = truth[shown, said[shown]].float().mean().item()
luck = (truth[shown].float().mean(0) * F.one_hot(said[shown], len(things)).float().mean(0)).sum().item()
ck.claim(
    "pictures of one object in which the first word for a thing is right, share", hits, above=0.4, below=0.9, digits=1
)
ck.claim("with the words of any other picture", luck, below=0.3, digits=1)

# %% [markdown] id="mislead-read" slideshow={"slide_type": "notes"}
# In two of four: a ram because of *hoofed animal*, a fire engine because of *vehicle*. But the slug is a slug because of *bird*, and the vulture because of *striped* and *hoofed animal*, of which nothing is there. The network is right, of the slug even sure, and the words are wrong. Over 70 pictures
# of one object each, the first word for a thing is right in about half; with the words of any other picture it would be right in about 0.1. There is no word for slugs among our nineteen, so an honest explanation of the slug cannot be said with them. A sentence sounds like a reason even
# when it is none (Selvaraju et al. show such failures too).

# %% [markdown] id="blind-class-title" slideshow={"slide_type": "slide"}
# ## A blind trial: which class is the map of?
#
# Selvaraju et al. showed maps to people and asked which of two objects they explain. Do it yourself, with maps of three methods whose names you do not see: 15 trials, 5 of each. Count your hits.
#
# **Predict first.** With which method will you only guess?


# %% id="blind-class" slideshow={"slide_type": "-"}
def class_trial(method, place):
    pair, maps = composed[place // 2], maps_of[method][place : place + 1]
    labels = list(pair.targets)

    def draw():
        if method == "Grad-CAM":
            return ck.show_maps(pair.image, {"a map": maps}, unit="map ÷ maximum", relative=True, overlay=True)
        return ck.show_images([pair.image, ck.signal_pictures(maps, clip=99)], ["image", "a map"])

    return ck.Trial(draw, [label.replace("_", " ") for label in labels], place % 2, method)


generator = torch.Generator().manual_seed(0)  # another seed gives you other trials
deck = [(method, place) for method in maps_of for place in torch.randperm(20, generator=generator)[:5].tolist()]
order = torch.randperm(len(deck), generator=generator).tolist()
which_class = ck.blind_trial([class_trial(*deck[i]) for i in order], "Which of the two objects is this the map of?")
which_class

# %% id="blind-class-rule" slideshow={"slide_type": "skip"}
density = {
    name: [(maps.abs().sum(1) * mask).sum((1, 2)) / mask.sum((1, 2)) for mask in (own, other)]
    for name, maps in maps_of.items()
}
for name, (ours, theirs) in density.items():
    low, high = ck.wilson((ours > theirs).sum().item(), 20)
    print(f"a rule that takes the brighter object, {name}: Wilson's interval {low:.1f} to {high:.1f} (chance 0.5)")
certain = min((density[name][0] > density[name][1]).sum().item() for name in ("Grad-CAM", "Guided Grad-CAM"))
ck.claim("the rule's hits of 20, Grad-CAM and Guided Grad-CAM, the fewer", certain, at_least=18)
guided_hits = (density["guided backprop"][0] > density["guided backprop"][1]).sum().item()
ck.claim("guided backprop: lower end of the interval", ck.wilson(guided_hits, 20)[0], below=0.6)

# %% [markdown] id="blind-class-read" slideshow={"slide_type": "notes"}
# With guided backprop, if you do not know lab 05. In the paper people were right in 44 % of the cases with guided backprop and in 61 % with Guided Grad-CAM (Selvaraju et al. 2017, section 5.1). A simple rule, *the object on which the map is stronger*, is right for all
# 20 maps of Grad-CAM and of Guided Grad-CAM, and for 14 of 20 of guided backprop, whose interval still holds chance. What about you? With five trials of each method the interval of even five hits begins at 0.57:
# play with another seed, and add your hits up, before you say that one method beats another.

# %% [markdown] id="trust-title" slideshow={"slide_type": "skip"}
# ## Which of two networks would you trust?
#
# Two small networks tell *equine* (horse, donkey, zebra) from *bovine* (ox, zebu, bison, cow). One learned from pictures where either may carry
# a watermark. In the other's training every equine carried it, and no bovine.
#
# **Predict first.** On a test set like the second training: which network is better?

# %% id="trust-scenes" slideshow={"slide_type": "skip"}
clean, biased = ck.load_model("trust_clean"), ck.load_model("trust_biased")
herd = {"equine": ["horse", "donkey", "zebra"], "bovine": ["ox", "zebu", "bison", "cow"]}
truth = torch.arange(120) % 2  # equine, bovine, equine …
animals = [herd[label][i % len(herd[label])] for i in range(60) for label in clean.labels]
pastures = [ck.load_scene(name, seed=6000 + i, size=96, scale=0.8) for i, name in enumerate(animals)]
plain = torch.cat([pasture.image for pasture in pastures])
on_animal = torch.stack([pasture.masks[name] for pasture, name in zip(pastures, animals, strict=True)])
marked = ck.stimuli.caption(plain, "© EQUUS")
equine = (truth == 0).view(-1, 1, 1, 1)
tests = {
    "equines marked": torch.where(equine, marked, plain),  # as in the biased training
    "none marked": plain,
    "bovines marked": torch.where(equine, plain, marked),
}
with torch.no_grad():
    right = {
        kind: {name: net(pictures).argmax(1).cpu() == truth for name, pictures in tests.items()}
        for kind, net in (("clean", clean), ("biased", biased))
    }

# %% id="trust-same" slideshow={"slide_type": "skip"}
accuracy = {kind: {name: hits.float().mean().item() for name, hits in row.items()} for kind, row in right.items()}
on_biased_test = [row["equines marked"] for row in accuracy.values()]
print(f"{len(truth)} new scenes of {len(set(animals))} animals, the equines with the watermark")
ck.claim("accuracy of the worse network", min(on_biased_test), above=0.95)
ck.claim("and of the better one", max(on_biased_test), above=0.95)

# %% [markdown] id="trust-same-read" slideshow={"slide_type": "skip"}
# Neither. Pictures of the same source cannot tell the two apart: the shortcut is in the test set too.

# %% [markdown] id="blind-title" slideshow={"slide_type": "slide"}
# ## Which robot would you trust? A blind trial
#
# Two networks tell equines from bovines, both right in more than 95 % of the test pictures. One looks at the animal. You see a map of each, *why equine rather than bovine?*, without names.
#
# **Protocol.** Ten pictures on which both are right; a coin decides which network stands left. Which one is more reasonable? Write L or R for each, then count. Ten of ten by chance: 1 in 1024.


# %% id="blind" slideshow={"slide_type": "-"}
def equine_rather(net, pictures):
    return ck.cam(net, pictures, lambda logits: logits[:, 0] - logits[:, 1], upsample=True)


def robot_trial(place, left):
    nets = {"clean": clean, "biased": biased}
    names = ["clean", "biased"] if left else ["biased", "clean"]

    def draw():
        picture = marked[place : place + 1]
        maps = {side: equine_rather(nets[n], picture) for side, n in zip(("left", "right"), names, strict=True)}
        return ck.show_maps(picture, maps, unit="map ÷ maximum", relative=True, overlay=True)

    return ck.Trial(draw, ("left", "right"), names.index("clean"), "your hits", f"{animals[place]}, the clean network")


generator = torch.Generator().manual_seed(1)  # another seed gives you other trials
both_right = (right["clean"]["equines marked"] & right["biased"]["equines marked"] & (truth == 0)).nonzero()[:, 0]
ten = both_right[torch.randperm(len(both_right), generator=generator)[:10]].tolist()
coins = torch.randint(2, (10,), generator=generator).tolist()
which_robot = ck.blind_trial(
    [robot_trial(place, coin) for place, coin in zip(ten, coins, strict=True)],
    "Both networks say equine. Which one has the more reasonable map?",
)
which_robot

# %% id="blind-rule" slideshow={"slide_type": "skip"}
on_it = {
    kind: ck.mask_energy(equine_rather(net, marked[both_right]), on_animal[both_right])
    for kind, net in (("clean", clean), ("biased", biased))
}
hits, n = (on_it["clean"] > on_it["biased"]).sum().item(), len(both_right)
low, high = ck.wilson(hits, n)
ck.claim("a rule that takes the map with more energy on the animal: share of hits", hits / n, above=0.7)
ck.claim("lower end of Wilson's interval (chance: 0.5)", low, above=0.5)

# %% [markdown] id="blind-read" slideshow={"slide_type": "notes"}
# Ten hits? Wilson's interval of 10 of 10 begins at 0.72. In the paper 54 people had to say which of two networks is more reliable, AlexNet or VGG-16, from maps of pictures on which both were right. They found the
# better one, more clearly with Guided Grad-CAM than with guided backprop (section 5.2). A rule that knows nothing but where the animal is takes the clean network every time.

# %% [markdown] id="trust-map-title" slideshow={"slide_type": "slide"}
# ## The names: one network reads the watermark
#
# The first horse again, now with names. The proof is the experiment: *without* watermarks the clean network is right in 0.99 of the pictures, the biased one in 0.49.

# %% id="trust-maps" slideshow={"slide_type": "-"} tags=["gallery"]
ck.show_maps(
    marked[:1],
    {"the clean network": equine_rather(clean, marked[:1]), "the biased network": equine_rather(biased, marked[:1])},
    unit="map ÷ its own maximum",
    relative=True,
    overlay=True,
)

# %% id="trust-map-claim" slideshow={"slide_type": "skip"}
letters = (marked != plain).any(1)[truth == 0]
on_letters = {
    kind: ck.mask_energy(equine_rather(net, marked[truth == 0]), letters).mean().item() / letters.float().mean().item()
    for kind, net in (("clean", clean), ("biased", biased))
}
ck.claim("biased: energy on the letters, times their area", on_letters["biased"], above=3)
ck.claim("clean: energy on the letters, times their area", on_letters["clean"], below=2)

# %% id="trust" slideshow={"slide_type": "skip"}
ck.show_shares(
    {f"the {kind} network": row for kind, row in accuracy.items()},
    title="Accuracy on 120 scenes: two answers, chance is 0.5",
)

# %% id="trust-claim" slideshow={"slide_type": "skip"}
ck.claim("without watermarks, accuracy of the clean network", accuracy["clean"]["none marked"], above=0.95)
ck.claim("of the biased network", accuracy["biased"]["none marked"], below=0.55)
ck.claim("with the watermark on the wrong animal", accuracy["biased"]["bovines marked"], below=0.05)

# %% [markdown] id="trust-read" slideshow={"slide_type": "notes"}
# This happened. A classifier of the PASCAL VOC 2007 challenge knew horses by the name of a photographer's web page, which stood on about a fifth of the horse pictures. It was no deep network but a
# *Fisher vector classifier*; the deep network that was compared with it looked at the horse (Lapuschkin et al. 2016 and 2019).
#
# Mind what the map did here. It gave a *suspicion*: the network looks around the letters. The proof is the experiment: take the letters away, and the accuracy goes with them.

# %% [markdown] id="board-title" slideshow={"slide_type": "slide"}
# ## The scoreboard: an edge detector is hard to beat
#
# **Predict first.** Put CAM, guided backprop, occlusion and an edge detector in order. (*Deletion*: paint over the map's strongest places first; mean probability of the class, low is good.)

# %% [markdown] id="board-text" slideshow={"slide_type": "skip"}
# All methods on the same 200 scenes of 78 objects, every scene explained for its true class. **Energy in mask**: which part of the map lies on the object? **Pointing game**: does its strongest place lie there? **Deletion**: replace the pixels by the
# mean colour, in the order of the map, and take the mean of the probability of the class on the way
# (on the first 40 scenes, of 40 objects). Only RISE of lab 03 has no row: 500 masks for each of 200 scenes are 100,000 runs of a network.

# %% id="board" slideshow={"slide_type": "fragment"}
boards = {}
for network in ("efficientnet_lite0", "coursenet"):
    try:
        boards[network] = ck.stored_scoreboard(network)
    except ck.DataUnavailable as missing:
        print(missing)
measures = ["energy in mask", "pointing game", "deletion"]
next(iter(boards.values())).show(measures) if boards else None

# %% id="board-claim" slideshow={"slide_type": "skip"}
for network, board in boards.items():
    for measure in ("energy in mask", "pointing game"):
        gaps = {m: board.difference(m, "edges", measure) for m in board.rows if m not in ("edges", "chance", "centre")}
        surely = [m for m, (_, low, _) in gaps.items() if low > 0]
        print(f"{network}, {measure}: better than the edge detector (95 % interval of the difference above 0):")
        print("   ", ", ".join(m.replace("_", " ") for m in surely) or "none")

# %% [markdown] id="board-read" slideshow={"slide_type": "notes"}
# Each dot is a mean over objects, each bar a 95 % interval that resamples *objects*: forty scenes of one zebra are one zebra. The four, by energy: guided backprop 0.53, CAM 0.48, edges and occlusion 0.44. In the pointing game all four have 0.7 to 0.8. In deletion guided backprop is best, then CAM, occlusion, and edges, which are no better than chance. Read three things.
#
# - **The order depends on the question.** A coarse map such as CAM spills over the outline, and so loses *energy*; its *strongest place* can still be right. A
#   fine map keeps to the outlines, but one bright grain beside the object loses the pointing game.
# - **Look at the hollow grey dots first.** The edge detector asks no network. A third of the backgrounds here are plain, and there the outlines are the object's. A method
#   that does not beat it has not shown, by this measure, that it knows more than the outlines.
# - **One object in a scene.** We saw above that such a score asks for the object, not for the class. Relevance leads in energy, with 0.74, and lab 05 showed that on CourseNet it puts nearly as much there when asked for any other class.
#   CourseNet's board has no row for CAM, because that network has none.

# %% [markdown] id="live-text" slideshow={"slide_type": "skip"}
# The table was computed ahead (`training/scoreboard.py`). A small one, live, with the fast methods and 12 scenes: how wide are the intervals now?

# %% id="live"
quick = {
    name: ck.eleven()[name] for name in ("input_gradient", "guided_backprop", "cam", "guided_grad_cam", "fullgrad")
}
twelve = ck.scenes(12, objects=list(ck.cutouts("core")), seed=61)
live = ck.scoreboard(model, quick, twelve, curve_scenes=0, progress=False)
live.show(["energy in mask", "pointing game"])

# %% id="live-claim" slideshow={"slide_type": "skip"}
pointing = live.difference("cam", "chance", "pointing game")[1]
ck.claim("CAM minus chance, pointing game: lower end of the 95 % interval", pointing, above=0, digits=1)
lowest = min(live.difference(m, "chance", "energy in mask")[1] for m in quick)
ck.claim("each method minus chance, energy in mask: lowest of the lower ends", lowest, above=0, digits=1)

# %% [markdown] id="live-read" slideshow={"slide_type": "skip"}
# So wide that most of them overlap: with twelve objects only large differences show. That is why the stored table takes many objects.

# %% [markdown] id="exercises-title" slideshow={"slide_type": "skip"}
# ## Exercises
#
# | | what you do | difficulty | minutes |
# |---|---|---|---|
# | 06.1 | a class activation map from maps and weights | ★ | 5 |
# | 06.2 | the importance of a channel | ★★ | 10 |
# | 06.3 | from importances to the map | ★ | 5 |
# | 06.4 | the overlap of regions and masks | ★★ | 10 |
# | 06.5 | from CAM to Grad-CAM in your head | ★ | 3 |
# | 06.6 | LayerCAM: one ReLU more | ★ | 5 |
# | 06.7 | Guided Grad-CAM | ★ | 5 |
# | 06.8 | Score-CAM: weights without a gradient | ★★★ | 20 |
# | 06.9 | FullGrad by hand | ★★ | 15 |
# | 06.10 | the interval of your hits | ★★ | 10 |
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

# %% [markdown] id="e6-card"
# ### Exercise 06.6 · LayerCAM
# *★ · 5 minutes.* `maps` and `gradient` are (K, h, w). Return the LayerCAM map (h, w).
# **You will probably** write HiResCAM: one ReLU is inside the sum, one outside.


# %% id="e6-starter"
def layer_cam_map(maps, gradient):
    return ...


# %% id="e6-solution" jupyter={"source_hidden": true} tags=["solution"]
def layer_cam_map(maps, gradient):
    return F.relu((F.relu(gradient) * maps).sum(0))


# %% id="e6-check"
ck.check("06.6", layer_cam_map)

# %% [markdown] id="e7-card"
# ### Exercise 06.7 · Guided Grad-CAM
# *★ · 5 minutes.* `guided` is guided backprop, signed, (3, H, W); `heat` is a Grad-CAM map (h, w). Return Guided Grad-CAM (3, H, W). Enlarge bilinearly.
# **You will probably** forget that `F.interpolate` wants four dimensions.


# %% id="e7-starter"
def guided_product(guided, heat):
    return ...


# %% id="e7-solution" jupyter={"source_hidden": true} tags=["solution"]
def guided_product(guided, heat):
    return guided * F.interpolate(heat[None, None], guided.shape[1:], mode="bilinear")[0]


# %% id="e7-check"
ck.check("06.7", guided_product)

# %% [markdown] id="e8-card"
# ### Exercise 06.8 · Score-CAM
# *★★★ · 20 minutes.* How much of the class's logit $S_c$ does the picture keep where channel $k$ is active? Use each map as a mask,
#
# $$\alpha_k = S_c(x \odot H_k) - S_c(0), \qquad H_k = \text{map } k, \text{ enlarged bilinearly and stretched to } [0, 1],$$
#
# where $0$ is a black picture (Wang et al., *Score-CAM*, CVPR workshops 2020, eq. 6). `network` makes logits of images (n, 3, H, W), `image` is (1, 3, H, W), `maps` (K, h, w). Return (K,).
# **You will probably** stretch all maps by one common maximum.


# %% id="e8-starter"
def score_weights(network, image, maps, target):
    return ...


# %% id="e8-solution" jupyter={"source_hidden": true} tags=["solution"]
def score_weights(network, image, maps, target):
    masks = F.interpolate(maps[:, None], image.shape[2:], mode="bilinear")
    low, high = masks.amin((2, 3), keepdim=True), masks.amax((2, 3), keepdim=True)
    scores = network(image * (masks - low) / (high - low))[:, target]
    return scores - network(torch.zeros_like(image))[0, target]


# %% id="e8-check"
ck.check("06.8", score_weights)

# %% [markdown] id="e9-card"
# ### Exercise 06.9 · FullGrad by hand
# *★★ · 15 minutes.* A network with one hidden layer: $S = W_2\, \mathrm{ReLU}(W_1 x + b_1) + b_2$. Return the two parts of the logit of class `target`: what the input gives, and what all
# biases give together, as a tensor (2,). Their sum is the logit.
# **You will probably** count biases of units whose ReLU is off.


# %% id="e9-starter"
def two_parts(W1, b1, W2, b2, x, target):
    return ...


# %% id="e9-solution" jupyter={"source_hidden": true} tags=["solution"]
def two_parts(W1, b1, W2, b2, x, target):
    on = (W1 @ x + b1 > 0).float()
    return torch.stack([W2[target] @ (on * (W1 @ x)), W2[target] @ (on * b1) + b2[target]])


# %% id="e9-check"
ck.check("06.9", two_parts)

# %% [markdown] id="e10-card"
# ### Exercise 06.10 · The interval of your hits
# *★★ · 10 minutes.* Return the two ends of Wilson's 95 % interval of a share $p$ = `hits` / `n`, with $z = 1.96$:
#
# $$\frac{p + \frac{z^2}{2n} \pm z \sqrt{\frac{p(1-p)}{n} + \frac{z^2}{4n^2}}}{1 + \frac{z^2}{n}}$$
#
# **You will probably** write the textbook's $p \pm z\sqrt{p(1-p)/n}$. What does it say for ten hits of ten?


# %% id="e10-starter"
def interval(hits, n):
    return ...


# %% id="e10-solution" jupyter={"source_hidden": true} tags=["solution"]
def interval(hits, n):
    p, z = hits / n, 1.96
    middle, half = p + z**2 / (2 * n), z * (p * (1 - p) / n + z**2 / (4 * n**2)) ** 0.5
    return (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)


# %% id="e10-check"
ck.check("06.10", interval)

# %% [markdown] id="recap" slideshow={"slide_type": "slide"}
# ## Recap
#
# - CAM is no approximation: it is the last linear layer before its mean. Grad-CAM and HiResCAM are the same map there (up to $Z$ and ReLU). In earlier layers a gradient for each
#   position beats the mean gradient, but Grad-CAM at the last layer tells classes apart best.
# - A map always looks like an answer. Compare classes on one scale, ask for *this rather than that*, and do not believe the name of a channel before you have tested it on other objects.
# - Accuracy on a biased test set cannot tell an honest network from a cheat. A map can raise the suspicion, in a blind trial too; a test without the shortcut is the proof.

# %% [markdown] id="quiz" slideshow={"slide_type": "slide"}
# ## Quiz
#
# 1. Why has VGG-16 no exact CAM?
# <details><summary>Answer</summary>Its maps go through fully connected layers with ReLU, so the logit is no weighted mean of the maps. Grad-CAM still works.</details>
#
# 2. LayerCAM at block11 puts more of its energy on the object than Grad-CAM at the end. Does it explain the class better?
# <details><summary>Answer</summary>Not by this measure: a random class gives the same energy. With two objects in the picture the last layer tells them apart better.</details>
#
# 3. Guided Grad-CAM shows the stripes of the tiger. Did the stripes make it a tiger?
# <details><summary>Answer</summary>We do not know. The fine lines come from guided backprop, which redraws the picture; only the rough place comes from the class.</details>
#
# 4. In a blind trial you are right in five of five. Is your true rate of hits surely above one half?
# <details><summary>Answer</summary>Just about: Wilson's 95 % interval begins at 0.57. With four of five it begins at 0.38.</details>

# %% [markdown] id="reading" slideshow={"slide_type": "skip"}
# ## Further reading
#
# - B. Zhou, A. Khosla, A. Lapedriza, A. Oliva, A. Torralba. *Learning deep features for discriminative localization.* CVPR 2016.
# - R. Selvaraju, M. Cogswell, A. Das, R. Vedantam, D. Parikh, D. Batra. *Grad-CAM: visual explanations from deep networks via gradient-based localization.* ICCV 2017; longer, IJCV 2020.
# - R. Draelos, L. Carin. *Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural networks.* arXiv:2011.08891, 2020.
# - P.-T. Jiang, C.-B. Zhang, Q. Hou, M.-M. Cheng, Y. Wei. *LayerCAM: exploring hierarchical class activation maps for localization.* IEEE Transactions on Image Processing 2021.
# - H. Wang et al. *Score-CAM: score-weighted visual explanations for convolutional neural networks.* CVPR workshops 2020.
# - S. Srinivas, F. Fleuret. *Full-gradient representation for neural network visualization.* NeurIPS 2019.
# - D. Bau, B. Zhou, A. Khosla, A. Oliva, A. Torralba. *Network dissection: quantifying interpretability of deep visual representations.* CVPR 2017.
# - J. Borowski et al. *Exemplary natural images explain CNN activations better than state-of-the-art feature visualization.* ICLR 2021: people in a blind trial.
# - S. Lapuschkin, A. Binder, G. Montavon, K.-R. Müller, W. Samek. *Analyzing classifiers: Fisher vectors and deep neural networks.* CVPR 2016; S. Lapuschkin et al. *Unmasking Clever Hans predictors and assessing what machines really learn.* Nature Communications 2019.
# - V. Petsiuk, A. Das, K. Saenko. *RISE: randomized input sampling for explanation of black-box models.* BMVC 2018: deletion and insertion.
#
# **Next:** lab 07 asks the other way round: which picture would a channel like best?
