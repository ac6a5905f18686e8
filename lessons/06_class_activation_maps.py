# %% [markdown] id="title" slideshow={"slide_type": "slide"}
# # 06 · Class activation maps
# ### The last feature maps know *where*. The last weights know *what*.
#
# After this lab you will be able to
#
# - read a class activation map off the last linear layer, exactly,
# - write Grad-CAM, HiResCAM and LayerCAM in three lines each, and say where they are equal and where they differ,
# - name the channels that speak for a class and against it, and say when the names mislead,
# - run a blind trial, and tell an honest network from one that cheats, when their accuracy cannot,
# - rank methods by ground truth and not by looks.

# %% [markdown] id="contract" slideshow={"slide_type": "skip"}
# **First do** labs 04 and 05: gradients, and what guided backprop shows.
#
# **Run time** about 90 s on one CPU core. **Memory** below 2 GB.
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
# ## The whole method


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
    {name: ck.cam(model, palace_picture, index, upsample=True) for name, index in classes.items()},
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
# ## The same in a real photograph
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
# Nearly all misses lie on the background beside the object: a coarse map points a little off. It rarely points at the *wrong* object. That is what
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
def maps_and_gradient(model, images, target, layer):
    with ck.capture(model, [layer]) as maps:
        scores = model(images.clone().requires_grad_())[range(len(images)), target]  # the logits
    (gradient,) = torch.autograd.grad(scores.sum(), maps[layer])
    return maps[layer].detach(), gradient


def my_grad_cam(maps, gradient):
    importance = gradient.mean((2, 3), keepdim=True)  # over positions
    return F.relu((importance * maps).sum(1, keepdim=True))


# %% id="gradcam-same"
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
# Earlier layers have finer maps: $28 \times 28$, $14 \times 14$. But there one mean gradient for a whole channel says little. So average nothing:
#
# $$\text{HiResCAM} = \mathrm{ReLU}\Big( \sum_k \frac{\partial S_c}{\partial A_k} \odot A_k \Big)
# \qquad \text{LayerCAM} = \mathrm{ReLU}\Big( \sum_k \mathrm{ReLU}\Big(\frac{\partial S_c}{\partial A_k}\Big) \odot A_k \Big)$$
#
# Draelos & Carin 2020; Jiang et al., *LayerCAM: exploring hierarchical class activation maps for localization*, IEEE TIP 2021.


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
# A violin and a tiger; all nine maps are of *tiger*, each on its own scale. **Predict first.** At which layer will the three methods differ most?

# %% id="layers" slideshow={"slide_type": "fragment"}
on_grass = ck.load_scene(["violin", "tiger"], background="grass", seed=10)
depth = {}
for layer in ("block5", "block11", "relu2"):
    known = maps_and_gradient(model, on_grass.image, on_grass.targets["tiger"], layer)
    found = {name: rule(*known).cpu() for name, rule in RULES.items()}
    row = f"{layer} {found['Grad-CAM'].shape[2]}×{found['Grad-CAM'].shape[3]}"
    depth[row] = {name: F.interpolate(heat, 224, mode="bilinear") for name, heat in found.items()}
ck.show_matrix(depth, image=on_grass.image)

# %% [markdown] id="layers-read" slideshow={"slide_type": "notes"}
# At block11. There Grad-CAM lies all over the grass, and the two others lie on the tiger: a single mean gradient for a whole channel cannot say that
# *this* edge counts and that one does not, and a gradient for each position can. At relu2 Grad-CAM and HiResCAM are one map, and LayerCAM lights the
# violin too. At block5 all three are grain, but the grain of the two others gathers on the tiger.

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
    levels={"the object's area": alone[6].masks.float().mean().item()},
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
change = of_any["LayerCAM"] - energy["LayerCAM"][2][0]
ck.claim("LayerCAM at block11: energy for a random class minus that for the true class", change, above=-0.05)

# %% [markdown] id="depth-chart-read" slideshow={"slide_type": "notes"}
# Finer can be better: LayerCAM at block11 puts 0.64 of its energy on the object, more than Grad-CAM at relu2, 0.44, and Grad-CAM at block11 has only 0.28. It is the method, not
# the fineness. But "deeper is better" is no rule either: LayerCAM and HiResCAM dip at block8 and at block15, where Grad-CAM is best of the three.
#
# **The control spoils the joy.** Ask block11 for a class drawn at random, and LayerCAM puts the *same* 0.64 on the object. With one object in
# the picture this score says that a map finds the object. It does not say that it explains the class.

# %% [markdown] id="depth-pairs-title" slideshow={"slide_type": "slide"}
# ## But the last layer tells classes apart best
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
    levels={"no class told": 0.5},
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
# Grad-CAM at block5 tells no class: half of its energy on either object. Each method gets better with depth, and at relu2 nine tenths of Grad-CAM's energy on the two objects lie on the one
# that was asked for. LayerCAM falls there: it has dropped the channels that speak against the class, and they were the ones that
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
ck.show_dots(agreement, xlabel="rank correlation with the occlusion map", interval="95 % interval over 12 objects", columns=2)

# %% id="occlusion-claim" slideshow={"slide_type": "skip"}
for name in agreement:
    ck.claim(f"{name}: correlation for the same scene", agreement[name]["the same scene"][0], above=0.15, below=0.8, digits=1)
ck.claim("CourseNet: more than for another scene by", gap["CourseNet"], above=0.2, digits=1)
print(f"one map of each kind: Grad-CAM 1 run forward and 1 back, occlusion {windows + 1} runs forward")

# %% [markdown] id="occlusion-read" slideshow={"slide_type": "skip"}
# PLACEHOLDER

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
ck.claim("share of these maps in which what speaks for the class is stronger", (ratios > 1).float().mean(), at_least=0.9)

# %% [markdown] id="against-read" slideshow={"slide_type": "notes"}
# Next to nothing: all three maps have one scale, and the middle one is pale. Its strongest place has 1/25 of what speaks for zebra. A logit of a class mostly counts what is there.
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
ck.claim("guided backprop, correlation of the two classes' maps, median of ten scenes", alike["guided backprop"].median(), above=0.75)
ck.claim("Guided Grad-CAM", alike["Guided Grad-CAM"].median(), below=0.25)

# %% [markdown] id="guided-read" slideshow={"slide_type": "notes"}
# Grad-CAM decides: left both objects are there for either class, right only one. The tiger's stripes and the edge of the violin are lines of guided backprop, and so is every doubt about them (lab 05): it redraws the picture.
# So read the product as "the picture's detail, where Grad-CAM is bright", and not as "these fine lines made the class".

# %% [markdown] id="full-title" slideshow={"slide_type": "slide"}
# ## FullGrad: the biases speak too
#
# A network of convolutions and ReLU is linear piece by piece. Multiply the input *and* all biases by $\lambda > 0$: every ReLU keeps its side, so the score is multiplied by $\lambda$ too. Take
# the derivative with respect to $\lambda$ at 1 (Euler's theorem):
#
# $$S(\lambda u, \lambda b) = \lambda\, S(u, b) \;\;\Longrightarrow\;\;
# S_c \;=\; \sum_p u_p\, \frac{\partial S_c}{\partial u_p} \;+\; \sum_l \sum_p b_l\, \frac{\partial S_c}{\partial b_l(p)}, \qquad u = x - \bar x$$
#
# **Predict first.** How much of the score comes from the pixels: nearly all, about half, or hardly any?

# %% [markdown] id="full-text" slideshow={"slide_type": "skip"}
# $\bar x$ is the mean colour, which the network subtracts first, so that $u$ is what the first layer gets (up to a scale, which cancels in $u\,\partial S / \partial u$). The second sum goes over
# all biases $b_l$ of all layers, at every position $p$ where they are added
# (Srinivas & Fleuret, *Full-gradient representation for neural network visualization*, NeurIPS 2019).


# %% id="full-readable" tags=["show-code"] slideshow={"slide_type": "skip"}
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
# The paper's picture takes magnitudes, stretches each layer to [0, 1], and lays all layers over each other.

# %% id="full" slideshow={"slide_type": "skip"}
laid = {name: ck.fullgrad(model, duo.image, index, magnitude=True) for name, index in duo.targets.items()}
ck.show_maps(
    duo.image,
    {f"FullGrad of {name}": heat for name, heat in laid.items()},
    unit="sum of layers, each stretched to 1",
    overlay=True,
)

# %% [markdown] id="full-map-read" slideshow={"slide_type": "skip"}
# PLACEHOLDER

# %% [markdown] id="explorer-title" slideshow={"slide_type": "skip"}
# ## Your turn
#
# Choose class, method and layer. Which class finds no place of its own?

# %% id="explorer" slideshow={"slide_type": "skip"}
bear_and_hen = ck.load_scene(["teddy", "hen"], seed=0)
ck.explore_cam(model, bear_and_hen.image, ["block5", "block11", "block15", "relu2"])

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
# PLACEHOLDER

# %% [markdown] id="swap-title" slideshow={"slide_type": "skip"}
# ## Swap the network
#
# CourseNet has $8 \times 8$ maps before its last pooling, and three fully connected layers after it.
# **Predict first.** Will its Grad-CAM find the teddy bear and the hen?

# %% id="swap"
smaller = F.interpolate(bear_and_hen.image, 128, mode="bilinear", antialias=True)
swapped = {n: ck.grad_cam(coursenet, smaller, index, upsample=True) for n, index in bear_and_hen.targets.items()}
ck.show_maps(
    bear_and_hen.image,
    {f"CourseNet, {name}": F.interpolate(heat, 224, mode="bilinear") for name, heat in swapped.items()},
    unit="contribution (logits)",
    overlay=True,
)

# %% [markdown] id="swap-read" slideshow={"slide_type": "skip"}
# Both: the map of *teddy* lies on the bear's chest and bow, the map of *hen* on the body of the hen, without a mean and one linear layer at the end. The hen's map is paler on the common scale.

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
