# %% [markdown] id="title" slideshow={"slide_type": "slide"}
# # 11 · Style transfer
# ### What is left of a picture when all places are forgotten?
#
# After this lab you will be able to
#
# - compute a Gram matrix by hand, and say why it keeps texture and forgets place,
# - paint a new texture from noise, and count the numbers that describe it,
# - balance style against content, and choose layers, start and optimiser on purpose,
# - turn a map of coloured regions into a landscape.

# %% [markdown] id="contract" slideshow={"slide_type": "skip"}
# **First do** lab 09 (match a code by search). Lab 10 helps.
#
# **Run time** about 70 s on two CPU cores. **Memory** below 1.5 GB.

# %% id="install" jupyter={"source_hidden": true} slideshow={"slide_type": "skip"}
from importlib.util import find_spec

if find_spec("coursekit") is None:  # on Colab, Kaggle, or in another environment than the course's own
    print("coursekit is missing here: copy coursekit-*.whl beside this notebook (README.md says how to make it),")
    print("run  %pip install coursekit-*.whl  in a cell, and restart the kernel.")

# %% id="setup"
import torch

import coursekit as ck

ck.setup(seed=0)
lite = ck.load_model("efficientnet_lite0")
coursenet = ck.load_model("coursenet")


def enlarge(images):
    """Three times as large, for the eye: smooth instead of large square pixels."""
    return [torch.nn.functional.interpolate(x, scale_factor=3, mode="bicubic").clamp(0, 1) for x in images]


cat, small = (ck.load_image("chelsea", size=size) for size in (128, 96))

# %% [markdown] id="question" slideshow={"slide_type": "slide"}
# ## The question
#
# Two pictures. Keep **what** the first one shows, and paint it **as** the second one is painted.
#
# **Predict first.** Lab 09 recovered a photograph from the code of one layer. What must a code of *style* keep, and what must it forget?

# %% id="pair" slideshow={"slide_type": "-"}
strokes = ck.style_image("strokes", 192)
ck.show_images([ck.load_image("chelsea", size=192), strokes], ["content", "style"], columns=3)

# %% [markdown] id="styles-text" slideshow={"slide_type": "skip"}
# No painting comes with this course, so its styles are painted by rule: a few dozen lines of code each, in `coursekit/images/styles.py`. Your own painting goes in
# by upload, further down.

# %% id="styles" slideshow={"slide_type": "skip"}
kinds = ("strokes", "swirls", "mosaic", "woodcut", "colour field", "ink")
ck.show_images([ck.style_image(kind, 128) for kind in kinds], kinds, columns=6)

# %% [markdown] id="idea" slideshow={"slide_type": "slide"}
# ## The idea: which channels are active together
#
# A layer gives $C$ maps of $H \times W$ places. Write each map as one long row: a matrix $A$ of $C$ rows and $HW$ columns. Its **Gram matrix**
#
# $$ G = \frac{1}{HW} A A^\top, \qquad G_{ij} = \frac{1}{HW} \sum_{p} a_i(p)\, a_j(p) $$
#
# says how often channel $i$ is active where channel $j$ is. *Where* that is, the sum over all places $p$ forgets.
#
# L. Gatys, A. Ecker, M. Bethge, *Texture synthesis using convolutional neural networks*, NeurIPS 2015.

# %% [markdown] id="hand-title" slideshow={"slide_type": "slide"}
# ## By hand: from C × H × W to C × C
#
# **Predict first.** Now shuffle the places of all maps, the same way for each channel. What happens to $G$?


# %% id="readable-gram" slideshow={"slide_type": "-"} tags=["show-code"]
def gram(a):
    n, c, h, w = a.shape
    rows = a.reshape(n, c, h * w)  # one row for each channel
    return rows @ rows.transpose(1, 2) / (h * w)


def maps(model, images, layer):
    with ck.capture(model, [layer]) as acts, torch.no_grad():
        model(images)
    return acts[layer]


def relative(a, goal):
    return (a - goal).pow(2).sum() / goal.pow(2).sum()


# %% id="same-gram"
a = maps(coursenet, cat, "relu2")
torch.testing.assert_close(gram(a), ck.objectives.gram(a))
print("the maps:", tuple(a.shape), "  the Gram matrix:", tuple(gram(a).shape))
order = torch.randperm(a[0, 0].numel(), generator=torch.Generator().manual_seed(0))
shuffled = a.flatten(2)[:, :, order].view_as(a)
print("all places shuffled, the same Gram matrix:", torch.allclose(gram(a), gram(shuffled), atol=1e-4))
alone = torch.stack([row[torch.randperm(len(row))] for row in a.flatten(2)[0]]).view_as(a)
print("each channel shuffled on its own, the same:", torch.allclose(gram(a), gram(alone), atol=1e-1))

# %% [markdown] id="mean-text" slideshow={"slide_type": "skip"}
# **Mean, covariance, Gram.** The plain *mean* of each map, $\mu_i$, also forgets place. It knows how much there is of each thing, $C$ numbers. The *covariance*
# $\Sigma$ knows what goes together. The Gram matrix holds both: $G = \Sigma + \mu \mu^\top$.

# %% id="mean"
mean = a.mean((2, 3))
centred = a - mean[:, :, None, None]
print("G = Σ + μ μᵀ:", torch.allclose(gram(a), gram(centred) + mean[:, :, None] * mean[:, None, :], atol=1e-4))

# %% [markdown] id="texture-title" slideshow={"slide_type": "slide"}
# ## A texture from noise
#
# Start with noise, and search (among frequencies, lab 07) a picture with the Gram matrices of a sample.


# %% id="readable-texture" slideshow={"slide_type": "-"} tags=["show-code"]
def my_texture(model, sample, layers, steps):
    goals = {layer: gram(maps(model, sample, layer)) for layer in layers}
    start = torch.Generator().manual_seed(0)
    painting = ck.parameterizations.fourier()(1, sample.shape[-1], start, model.device)
    lbfgs = torch.optim.LBFGS(painting.parameters, lr=0.5, max_iter=1, history_size=10)

    def closure():
        lbfgs.zero_grad()
        with ck.capture(model, layers) as acts:
            model(painting.images())
        loss = sum(relative(gram(acts[layer]), goals[layer]) for layer in layers) / len(layers)
        loss.backward()
        return loss

    for _ in range(steps):
        lbfgs.step(closure)
    return painting.images().detach().cpu()


# %% id="same-texture"
mosaic = ck.style_image("mosaic", 256)[..., 60:172, 60:172]
depths = ["block1", "block3", "block5", "block8", "block11"]
mine = my_texture(lite, mosaic, depths[:2], steps=3)
ours = ck.synthesise_texture(lite, mosaic, layers=depths[:2], size=112, steps=3).images
print("my_texture and ck.synthesise_texture agree:", bool((mine - ours).abs().mean() < 1e-3))

# %% [markdown] id="depth-title" slideshow={"slide_type": "slide"}
# ## Up to layer 1, 3, 5, 8, 11
#
# **Predict first.** From which layer on will there be *stones*?

# %% id="depth" slideshow={"slide_type": "-"}
textures = {}
for i, layer in enumerate(depths):
    made = ck.synthesise_texture(lite, mosaic, layers=depths[: i + 1], size=112, steps=90)
    textures[f"up to {layer}"] = made.images
ck.show_images(enlarge([mosaic, *textures.values()]), ["the sample", *textures], columns=4)

# %% [markdown] id="depth-read" slideshow={"slide_type": "skip"}
# The receptive field of a layer is the size of the largest thing that its Gram matrices can know. *block1* knows colours that lie side by side. With *block3* there are
# stones, and with *block5* the joints get dark and sharp. Where red and blue stones lie is never the sample's.

# %% [markdown] id="parameters-title" slideshow={"slide_type": "slide"}
# ## How many numbers is a texture?
#
# A Gram matrix is symmetric: $C(C+1)/2$ numbers for each layer. Gatys et al. counted for VGG-19, and left away what was not needed:
#
# | VGG-19 | numbers |
# |---|---|
# | all convolutions and poolings up to *pool4* | 852,128 |
# | *conv1_1* and *pool1* to *pool4* | 176,640 |
# | the same, 64 principal components of each layer | 10,400 |
# | the same, only the means | 1,024 |
#
# **Predict first.** Are 1,024 means enough for a texture?

# %% id="parameters"
vgg = [64, 64, 128, 256, 512]  # conv1_1, pool1, pool2, pool3, pool4
everything = [64] * 3 + [128] * 3 + [256] * 5 + [512] * 5
for channels, options in (
    (everything, {}),
    (vgg, {}),
    (vgg, {"components": 64}),
    (vgg, {"statistic": "mean"}),
):
    print(f"{ck.texture_parameters(channels, **options):>9,}")
print(f"CourseNet, relu1 to relu4: {ck.texture_parameters(coursenet):,}; the pixels of a sample: {mosaic.numel():,}")
print(f"EfficientNet-Lite0, {', '.join(ck.style_layers(lite))}: {ck.texture_parameters(lite):,}")

# %% [markdown] id="lost-title" slideshow={"slide_type": "slide"}
# ## What gets lost: everything that has a place
#
# The mosaic from the **means** alone, 160 numbers, and from Gram matrices. Then coins, and a tower. **Predict first.** What becomes of rows of coins? Of a tower?


# %% id="lost" slideshow={"slide_type": "-"}
def means_only(model, sample, layers, steps):
    goals = {layer: maps(model, sample, layer).mean((2, 3)) for layer in layers}

    def read(acts, logits):
        return -sum((acts[k].mean((2, 3)) - goal).pow(2).sum(1) / goal.pow(2).sum() for k, goal in goals.items())

    return ck.render(
        model,
        ck.objectives.Objective(read, frozenset(layers)),
        size=112,
        parameterization=ck.parameterizations.fourier(),
        transforms=[],
        optimizer="lbfgs",
        steps=steps,
        progress=False,
    ).images


coins, tower = ck.load_image("coins", size=192)[..., :112, :112], ck.load_image("china", size=112)
from_means = means_only(lite, mosaic, depths[:4], steps=90)
jumbled = [ck.synthesise_texture(lite, x, size=112, steps=90).images for x in (coins, tower)]
ck.show_images(
    enlarge([from_means, textures["up to block8"], *jumbled, mosaic, coins, tower]),
    ["means only", "Gram", "Gram", "Gram", "the mosaic", "the coins", "the tower"],
    columns=4,
)

# %% [markdown] id="lost-read" slideshow={"slide_type": "skip"}
# A texture is what looks the same everywhere. The coins are still round here and there, and their rows are gone. Of the tower, pieces are left: a storey, a tree, sky, each at
# a new place. This is why a Gram matrix can serve as *style*: the subject is lost.
#
# The means alone make stones, too. Gatys et al. saw the same, and wondered. What they miss is which colours go together: too much is orange.

# %% [markdown] id="transfer" slideshow={"slide_type": "slide"}
# ## Style and content: two goals, one search
#
# The content image $p$ gives the maps of one layer, the style image $a$ gives Gram matrices of several:
#
# $$ \min_x \; \alpha\, \frac{\lVert A_c(x) - A_c(p) \rVert^2}{\lVert A_c(p) \rVert^2} \;+\; \beta\, \frac1L \sum_{l} \frac{\lVert G_l(x) - G_l(a) \rVert^2}{\lVert G_l(a) \rVert^2} \;+\; \text{TV}(x) $$
#
# Only ratios of weights count. We set $\beta = 1$. Each term is divided by its goal, so that one $\alpha$ serves all pictures.
#
# L. Gatys, A. Ecker, M. Bethge, *Image style transfer using convolutional neural networks*, CVPR 2016.

# %% id="variation"
variation = ck.regularizers.total_variation(1.0).penalty  # lab 09
style = ck.style_layers(lite)
print("style layers of EfficientNet-Lite0:", *style)

# %% [markdown] id="transfer-code-title" slideshow={"slide_type": "slide"}
# ## The whole method


# %% id="readable" slideshow={"slide_type": "-"} tags=["show-code"]
def my_transfer(model, content, style, layers, content_layer, alpha, steps):
    goal = maps(model, content, content_layer)
    grams = {layer: gram(maps(model, style, layer)) for layer in layers}
    search = ck.parameterizations.fourier(start=content)
    painting = search(1, content.shape[-1], None, model.device)
    lbfgs = torch.optim.LBFGS(painting.parameters, lr=0.5, max_iter=1, history_size=10)

    def closure():
        lbfgs.zero_grad()
        x = painting.images()
        with ck.capture(model, [*layers, content_layer]) as acts:
            model(x)
        loss = alpha * relative(acts[content_layer], goal) + variation(x).sum()
        loss = loss + sum(relative(gram(acts[k]), g) for k, g in grams.items()) / len(layers)
        loss.backward()
        return loss

    for _ in range(steps):
        lbfgs.step(closure)
    return painting.images().detach().cpu()


# %% id="same"
mine = my_transfer(lite, cat, strokes, style, "block5", alpha=0.04, steps=4)
ours = ck.style_transfer(lite, cat, strokes, steps=4).images
print("my_transfer and ck.style_transfer agree:", bool((mine - ours).abs().mean() < 1e-3))

# %% [markdown] id="gallery-title" slideshow={"slide_type": "slide"}
# ## Three pictures, three styles
#
# EfficientNet-Lite0, 40 steps each. **Predict first.** The dahlia has petals. What will the mosaic do with them?

# %% id="gallery" slideshow={"slide_type": "-"} tags=["gallery"]
pairs = {"chelsea": "strokes", "flower": "mosaic", "china": "swirls"}
painted = {}
for name, kind in pairs.items():
    photo = ck.load_image(name, size=168)
    painted[name] = ck.style_transfer(lite, photo, ck.style_image(kind, 192), steps=40).images
ck.show_images(enlarge(painted.values()), [f"{name} + {kind}" for name, kind in pairs.items()], columns=3)

# %% [markdown] id="photographs-text" slideshow={"slide_type": "skip"}
# A style need not be a painting. Photographs with much texture serve as well: stained tissue under the microscope, the back of an eye, gravel.

# %% id="photographs" slideshow={"slide_type": "skip"}
face, samples = ck.load_image("astronaut", size=96), ("immunohistochemistry", "retina", "gravel")
as_photographs = [ck.style_transfer(lite, face, ck.load_image(name, size=192), steps=25).images for name in samples]
ck.show_images(enlarge([face, *as_photographs]), ["astronaut", "tissue", "retina", "gravel"], columns=4)

# %% [markdown] id="explorer-text" slideshow={"slide_type": "skip"}
# ## Your turn: your picture, your style
#
# `ck.explore_style` works with 128 pixels, so that you need not wait. For a poster: `ck.style_transfer(lite, ck.load_image("mine.jpg", size=512),
# ck.load_image("painting.jpg", size=512))`, about a minute on a laptop.

# %% id="explorer" slideshow={"slide_type": "skip"}
ck.explore_style(lite)

# %% [markdown] id="grid-title" slideshow={"slide_type": "slide"}
# ## Depth and α/β: the grid of the paper
#
# Down: style up to *block1*, *3*, *5*, *8*. To the right: more and more content.
#
# **Predict first.** In which corner is the cat hardest to find?

# %% id="grid" slideshow={"slide_type": "-"}
alphas = [0.01, 0.03, 0.1, 0.3, 1.0]
tiny, swirls = ck.load_image("chelsea", size=80), ck.style_image("swirls", 160)
rows = []
for i in range(len(style)):
    row = ck.style_transfer(
        lite, tiny, swirls, layers=style[: i + 1], content_weight=alphas, start="noise", optimizer="adam", steps=30
    )
    rows.append(torch.cat(list(row.images), dim=2)[None])
ck.show_images(enlarge([torch.cat(rows, dim=2)]), ["α = 0.01, 0.03, 0.1, 0.3, 1"], columns=1)

# %% [markdown] id="grid-read" slideshow={"slide_type": "skip"}
# With *block1* alone the style is patches of colour with a soft grain. Deeper layers make lines, and the lines get longer and bend into swirls. To the right the cat comes through, and in the
# lower rows she needs a larger α: deep layers have much to say about her, too. All twenty begin with noise, five in a batch.

# %% [markdown] id="content-text" slideshow={"slide_type": "skip"}
# **Which layer for the content?** Search a picture with the same maps (lab 09), and see what each layer insists on. A low layer insists on every hair: no room for
# strokes. A high one keeps the eyes in their places and gives the brush its freedom.

# %% id="content" slideshow={"slide_type": "skip"}
insisted = {layer: ck.invert(lite, small, layer, steps=30).images for layer in ("block1", "block5", "block11")}
ck.show_images(enlarge(insisted.values()), list(insisted), columns=4)

# %% [markdown] id="optimiser-title" slideshow={"slide_type": "slide"}
# ## How to search: pixels or frequencies, Adam or L-BFGS?
#
# The paper walks among *pixels*, by L-BFGS, which learns the curvature from its last ten steps. Four ways, 30 steps each, one forward and one backward pass a step.
#
# **Predict first.** Which choice matters more?

# %% id="optimiser" slideshow={"slide_type": "-"}
losses, found = {}, {}
for among, parameterization in {"pixels": "pixels", "frequencies": "fourier"}.items():
    for optimizer in ("adam", "lbfgs"):
        way = {"parameterization": parameterization, "optimizer": optimizer}
        race = ck.style_transfer(lite, small, strokes, steps=30, **way)
        losses[f"{among}, {optimizer}"] = -race.values[:, 0]
        found[among, optimizer] = race.images
ck.show_lines(range(1, 31), losses, xlabel="step", ylabel="loss without TV", log=True)

# %% id="optimiser-claim"
last = {name: values[-1].item() for name, values in losses.items()}
for optimizer in ("adam", "lbfgs"):
    better = last[f"frequencies, {optimizer}"] < 0.95 * last[f"pixels, {optimizer}"]
    print(f"{optimizer} comes lower among frequencies than among pixels:", better)

# %% [markdown] id="optimiser-read" slideshow={"slide_type": "skip"}
# Large forms and flat colours are slow waves. Among pixels, a slow wave needs thousands of pixels to agree; among frequencies it is one number. So the search among
# pixels first makes grain. The minima are the same; what we reach in a few steps is not. Adam starts faster; with 45 steps L-BFGS has caught up, and its
# pictures are calmer. But without a line search it can overshoot: where it does, `ck.style_transfer` warns, and `optimizer="adam"` is the way out.

# %% id="found" slideshow={"slide_type": "skip"}
ck.show_images(
    enlarge([found["pixels", "adam"], found["frequencies", "lbfgs"]]),
    ["pixels, Adam", "frequencies, L-BFGS"],
    columns=4,
)

# %% [markdown] id="starts-title" slideshow={"slide_type": "slide"}
# ## Where to begin?
#
# The same goal (α = 0.3) from three starts, 40 steps each. **Predict first.** Will they end as the same picture?

# %% id="starts" slideshow={"slide_type": "-"}
noise = 0.5 + 0.02 * torch.randn(small.shape, generator=torch.Generator().manual_seed(0))
begin = torch.cat([small, ck.load_image(strokes, size=96), noise])
three = ck.style_transfer(lite, small, strokes, start=begin, content_weight=0.3, optimizer="adam", steps=40).images
ck.show_images(enlarge([three]), ["from the content", "from the style", "from noise"], columns=4)

# %% [markdown] id="starts-read" slideshow={"slide_type": "skip"}
# There are many minima, and a search finds one near its start. From the content you get the cleanest picture in the fewest steps, and always the same one. From
# noise each seed gives another picture.

# %% [markdown] id="mix-title" slideshow={"slide_type": "slide"}
# ## Two styles at once · your own colours
#
# Two style losses, 1 : 1. And a transfer of *luminance* alone: the style is made grey, and in the end each pixel gets back its chrominance (Gatys et al. 2017).
#
# **Predict first.** Half strokes, half woodcut: side by side, or in one line?

# %% id="mix" slideshow={"slide_type": "-"}
both = [strokes, ck.style_image("woodcut", 192)]
flower = ck.load_image("flower", size=112)
mixed = ck.style_transfer(lite, flower, both, style_weights=[1, 1], steps=30).images
plain = ck.style_transfer(lite, flower, swirls, steps=30).images
kept = ck.style_transfer(lite, flower, swirls, colour="content", steps=30).images
ck.show_images(enlarge([mixed, plain, kept]), ["strokes + woodcut", "swirls", "swirls, colours kept"], columns=4)


# %% id="colour-claim"
def chrominance(x):
    grey = (x * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
    return x - grey


print("the chrominance is the photograph's:", torch.allclose(chrominance(kept), chrominance(flower), atol=1e-4))

# %% [markdown] id="network-title" slideshow={"slide_type": "slide"}
# ## Which network?
#
# The same content, style and steps. The number is the Gram distance to the style in a *third* network, EfficientNet-Lite2, that painted none of them.
#
# **Predict first.** Can a network with *random* weights do it?


# %% id="random-vgg"
def random_vgg(seed=0):
    """VGG-19 up to relu4_1, never trained: orthogonal filters, each layer's output as large as its input."""
    from torchvision.models.vgg import cfgs, make_layers

    torch.manual_seed(seed)
    features = make_layers(cfgs["E"])[:21]
    for part in features:
        if isinstance(part, torch.nn.Conv2d):
            torch.nn.init.orthogonal_(part.weight, gain=2**0.5)
            torch.nn.init.zeros_(part.bias)
    return ck.Model(features, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))


# relu1_1, relu2_1, relu3_1, relu4_1
vgg_options = {"layers": ["1", "6", "11", "20"], "content_layer": "11", "optimizer": "adam"}

# %% id="network" slideshow={"slide_type": "-"}
painters = {
    "Lite0": (lite, {}),
    "Lite0, smoothed": (lite, {"smooth": 20.0}),
    "CourseNet": (coursenet, {}),
    "VGG-19, random": (random_vgg(), vgg_options),
}
if ck.is_available("vgg19"):
    painters["VGG-19, trained"] = (ck.load_model("vgg19"), {"optimizer": "adam"})
judge = ck.load_model("efficientnet_lite2")
by_network = {
    name: ck.style_transfer(net, small, strokes, steps=25, **options).images
    for name, (net, options) in painters.items()
}
distance = {name: ck.gram_distance(judge, x, strokes).item() for name, x in by_network.items()}
ck.show_images(enlarge(by_network.values()), [f"{name}: {distance[name]:.2f}" for name in by_network], columns=4)

# %% id="network-claim"
photo = ck.gram_distance(judge, small, strokes).item()
print(
    "each painter brings the cat nearer to the style, for a network that took no part:", max(distance.values()) < photo
)

# %% [markdown] id="network-read" slideshow={"slide_type": "skip"}
# **The course's choice is Lite0**: it comes nearest to the style, for us and for Lite2 (which is its sister, so a biased judge: the eye decides). CourseNet takes over the
# areas of blue and yellow, and few fine lines. The *random* VGG moves colours and grain, and no stroke: its filters never saw one, yet they tell edges from areas (Ustyuzhaninov et al. 2016; He
# et al. 2016). The trained VGG-19, the paper's own, joins the figure where its weights are installed.
#
# **Smoothing.** In networks with residual connections a few huge activations can rule the Gram matrix. Wang et al. (2021) put a softmax over the activations first, which helps ResNet a
# lot. Lite0 has residual connections, too, but its blocks end without ReLU in few channels, and the smoothed picture is no better.

# %% [markdown] id="doodle-title" slideshow={"slide_type": "slide"}
# ## Neural doodle: a map becomes a landscape
#
# One Gram matrix **for each region**: $G_r = \sum_p m_r(p)\, a_p a_p^\top / \sum_p m_r(p)$, with the region's mask $m_r$.
# **Predict first.** Where will the brush strokes of the water go?

# %% id="doodle" slideshow={"slide_type": "-"}
painting, labels = ck.painted_landscape(128)
height, width = labels.shape
y, x = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1.5, width), indexing="ij")
new_map = torch.zeros(height, width, dtype=torch.long)  # 0: sky
peaks = 0.30 * torch.exp(-(((x - 0.95) / 0.25) ** 2)) + 0.14 * torch.exp(-(((x - 0.3) / 0.2) ** 2))
new_map[y > 0.45 - peaks] = 1  # mountains
new_map[y > 0.47] = 2  # meadow
new_map[((x - 0.6) / 0.6) ** 2 + ((y - 0.72) / 0.14) ** 2 < 1] = 3  # a lake
for at, top in ((0.17, 0.36), (1.18, 0.30), (1.36, 0.36)):
    new_map[((x - at) / 0.10) ** 2 + ((y - top - 0.18) / 0.18) ** 2 < 1] = 4  # trees
landscape = ck.neural_doodle(lite, painting, labels, new_map, steps=50).images
colours = torch.tensor([[0.6, 0.8, 0.95], [0.5, 0.4, 0.7], [0.9, 0.8, 0.3], [0.1, 0.4, 0.6], [0.05, 0.3, 0.1]])
ck.show_images(
    [painting, colours[labels].permute(2, 0, 1)[None], landscape, colours[new_map].permute(2, 0, 1)[None]],
    ["the painting", "its map", "the new painting", "our map"],
    columns=2,
)

# %% [markdown] id="doodle-read" slideshow={"slide_type": "skip"}
# Champandard (2016) matched patches, and told them apart by their regions. Ulyanov's *fast neural doodle* of the same year takes Gram matrices by region, as we do: it is
# faster, and a region has one texture all over. The masks are shrunk to the size of each layer's map. The search begins with the mean colour of each region.

# %% [markdown] id="explorer-doodle-text" slideshow={"slide_type": "skip"}
# ## Your turn: paint a map
#
# Choose a region, paint with the mouse, press *paint*.

# %% id="explorer-doodle" slideshow={"slide_type": "skip"}
ck.explore_doodle(lite)

# %% [markdown] id="wrong-title" slideshow={"slide_type": "slide"}
# ## What goes wrong
#
# Four mistakes, each of them in somebody's code. **Predict first.** Which is the worst?


# %% id="wrong" slideshow={"slide_type": "-"}
def without_reshape(sample, steps):
    """`a @ a.transpose(2, 3)` runs, and gives (C, H, H) instead of (C, C)."""

    def rows_by_rows(a):
        return a @ a.transpose(2, 3) / a.shape[3]

    goals = {layer: rows_by_rows(maps(lite, sample, layer)) for layer in style}

    def read(acts, logits):
        return -sum((rows_by_rows(acts[k]) - g).pow(2).sum((1, 2, 3)) / g.pow(2).sum() for k, g in goals.items())

    return ck.render(
        lite,
        ck.objectives.Objective(read, frozenset(style)),
        size=sample.shape[-1],
        parameterization=ck.parameterizations.fourier(),
        transforms=[],
        rate=0.1,
        steps=steps,
        progress=False,
    ).images


wrong = {
    "tower, no reshape": without_reshape(ck.load_image("china", size=96), steps=40),
    "block14 alone": ck.style_transfer(lite, small, strokes, layers=["block14"], steps=30).images,
    "style of 48 px": ck.style_transfer(lite, small, ck.load_image(strokes, size=48), steps=30).images,
    "no content": ck.style_transfer(lite, small, strokes, content_weight=0, start="noise", steps=30).images,
}
ck.show_images(enlarge(wrong.values()), list(wrong), columns=4)


# %% id="clamp"
def search(lr, steps):
    """Pixels by L-BFGS, with the clamp inside the closure, as in many tutorials."""
    sample = mosaic[..., :64, :64]
    goal = gram(maps(coursenet, sample, "relu1"))
    x = torch.rand(sample.shape, generator=torch.Generator().manual_seed(0)).requires_grad_()
    lbfgs = torch.optim.LBFGS([x], lr=lr, max_iter=5)

    def closure():
        x.data.clamp_(0, 1)
        lbfgs.zero_grad()
        with ck.capture(coursenet, ["relu1"]) as acts:
            coursenet(x)
        loss = relative(gram(acts["relu1"]), goal)
        loss.backward()
        return loss

    for _ in range(steps):
        lbfgs.step(closure)
    return x.detach()


left = search(lr=0.5, steps=6)
print("the picture has values outside [0, 1]:", bool(((left < 0) | (left > 1)).any()))

# %% [markdown] id="wrong-read" slideshow={"slide_type": "skip"}
# - **No reshape.** `a @ a.transpose(2, 3)` runs without an error, and compares *rows of the map* instead of channels. So it remembers heights (it is dark
#   below, where the trees are), and what comes out are streaks, no texture.
# - **A wrong layer.** *block14* sees objects. It paints no stroke.
# - **The style's size.** Shrunk to 48 pixels, its strokes have become grain, and only blotches of colour arrive.
# - **No content.** With α = 0 nothing asks for a cat. The result is a new texture.
# - **The clamp inside the closure.** L-BFGS moves the picture once more after the last call, and nobody clamps that. It also takes gradients at points that it did not choose. In our trials its
#   loss was no worse for it; a sigmoid (as in `ck.parameterizations.fourier`) needs no clamp at all.
# - **Full steps.** L-BFGS without a line search can overshoot and never come back. We take half of its step.

# %% [markdown] id="score-title" slideshow={"slide_type": "slide"}
# ## Score it: is it the same texture?
#
# The judge is Lite2 again. **Floor**: another crop of the same mosaic. **Ceiling**: other textures.
#
# **Predict first.** How many layers must agree until the judge is closer to the floor than to the ceiling?

# %% id="score" slideshow={"slide_type": "-"}
second = ck.style_image("mosaic", 256)[..., 140:252, 20:132]
others = torch.cat([ck.load_image(name, size=256)[..., :112, :112] for name in ("gravel", "brick", "grass")])
apart = [ck.gram_distance(judge, x, mosaic).item() for x in textures.values()]
floor = ck.gram_distance(judge, second, mosaic).item()
ceiling = ck.gram_distance(judge, others, mosaic).mean().item()
ck.show_lines(
    range(1, 6),
    {"our texture": apart, "floor: another crop": [floor] * 5, "ceiling: other textures": [ceiling] * 5},
    xlabel="up to layer",
    ylabel="Gram distance in Lite2",
    ticks=depths,
)

# %% id="score-claim"
print("block3 brings it below half of the ceiling:", apart[1] < ceiling / 2)
print("with block1 alone it is farther than with any more layers:", apart[0] > 1.1 * max(apart[1:]))
print("and never as near as the second crop (more than twice as far):", min(apart) > 2 * floor)

# %% [markdown] id="score-read" slideshow={"slide_type": "skip"}
# Two layers do most of it. More layers ask for more in the same ninety steps, so the curve does not fall further. And a true mosaic is still nearer than any of ours: the floor is not reached.

# %% [markdown] id="swap-text" slideshow={"slide_type": "skip"}
# ## Swap the network
#
# CourseNet has 7 × 7 filters, and no shortcuts. The same function, the same α.

# %% id="swap" slideshow={"slide_type": "skip"}
other, stones = ck.load_image("coffee", size=112), ck.style_image("mosaic", 192)
ck.show_images(
    enlarge([ck.style_transfer(net, other, stones, steps=30).images for net in (lite, coursenet)]),
    ["EfficientNet-Lite0", "CourseNet"],
    columns=4,
)

# %% [markdown] id="exercises-title" slideshow={"slide_type": "slide"}
# ## Exercises
#
# | | what you do | difficulty | minutes |
# |---|---|---|---|
# | 11.1 | the Gram matrix | ★ | 6 |
# | 11.2 | the style of several layers | ★★ | 10 |
# | 11.3 | total variation without a loop | ★ | 8 |
# | 11.4 | L-BFGS with the clamp in its place | ★★ | 10 |
# | 11.5 | keep the colours | ★★ | 12 |
# | 11.6 | one Gram matrix for each region | ★★★ | 15 |
#
# Each check says ✓, or which mistake it has recognised.

# %% [markdown] id="e1-card"
# ### Exercise 11.1 · The Gram matrix
# *★ · 6 minutes.* `a` holds maps (N, C, H, W). Return their Gram matrices (N, C, C), divided by $HW$.
# **You will probably** multiply `a` by its transpose without the reshape. It runs, and gives (N, C, H, H).


# %% id="e1-starter"
def my_gram(a):
    return ...


# %% id="e1-solution" jupyter={"source_hidden": true} tags=["solution"]
def my_gram(a):
    places = a.shape[2] * a.shape[3]
    return torch.einsum("nchw,ndhw->ncd", a, a) / places


# %% id="e1-check"
ck.check("11.1", my_gram)

# %% [markdown] id="e2-card"
# ### Exercise 11.2 · The style of several layers
# *★★ · 10 minutes.* `image` and `style` are pictures, of different sizes perhaps. Return, as one number, the mean over `layers` of
# $\lVert G_l(x) - G_l(a) \rVert^2 / \lVert G_l(a) \rVert^2$, $x$ the image and $a$ the style. Use `ck.objectives.gram` and `ck.capture`.
# **You will probably** divide by the wrong Gram matrix, or take only the last layer.


# %% id="e2-starter"
def style_distance(model, image, style, layers):
    return ...


# %% id="e2-solution" jupyter={"source_hidden": true} tags=["solution"]
def style_distance(model, image, style, layers):
    found = []
    for picture in (image, style):
        with ck.capture(model, layers) as seen, torch.no_grad():
            model(picture)
        found.append([ck.objectives.gram(seen[name]) for name in layers])
    ratios = [(g - goal).square().sum() / goal.square().sum() for g, goal in zip(*found, strict=True)]
    return torch.stack(ratios).mean()


# %% id="e2-check"
ck.check("11.2", style_distance)

# %% [markdown] id="e3-card"
# ### Exercise 11.3 · Total variation without a loop
# *★ · 8 minutes.* This loop is right, and takes a minute for a photograph. Write it without a loop: for `x` (N, C, H, W) return (N,).
#
# ```python
# for i in range(H - 1):
#     for j in range(W - 1):
#         total += (x[:, :, i + 1, j] - x[:, :, i, j]).pow(2).sum(1) + (x[:, :, i, j + 1] - x[:, :, i, j]).pow(2).sum(1)
# ```
#
# **You will probably** count the last row and the last column, which the loop leaves out.


# %% id="e3-starter"
def variation(x):
    return ...


# %% id="e3-solution" jupyter={"source_hidden": true} tags=["solution"]
def variation(x):
    corner = x[:, :, :-1, :-1]
    below, beside = x[:, :, 1:, :-1] - corner, x[:, :, :-1, 1:] - corner
    return (below.square() + beside.square()).sum((1, 2, 3))


# %% id="e3-check"
ck.check("11.3", variation)

# %% [markdown] id="e4-card"
# ### Exercise 11.4 · The clamp in its place
# *★★ · 10 minutes.* Minimise `loss(x)` from a copy of `start`: `steps` steps of `torch.optim.LBFGS([x], max_iter=5)`, and after **each** step bring the values back into
# $[0, 1]$. Return the picture, and a list with one loss for each *step*: what `step(closure)` returns.
# **You will probably** count closures: each step calls it five times. Or clamp inside it: then nobody clamps after the last step.


# %% id="e4-starter"
def paint(loss, start, steps):
    return ...


# %% id="e4-solution" jupyter={"source_hidden": true} tags=["solution"]
def paint(loss, start, steps):
    picture = start.detach().clone().requires_grad_(True)
    optimizer = torch.optim.LBFGS([picture], max_iter=5)
    history = []

    def look():
        optimizer.zero_grad()
        value = loss(picture)
        value.backward()
        return value

    for _ in range(steps):
        history.append(optimizer.step(look).item())
        with torch.no_grad():
            picture.clamp_(min=0, max=1)
    return picture.detach(), history


# %% id="e4-check"
ck.check("11.4", paint)

# %% [markdown] id="e5-card"
# ### Exercise 11.5 · Keep the colours
# *★★ · 12 minutes.* Return a picture with the luminance $Y = 0.299 R + 0.587 G + 0.114 B$ of `painted` and the chrominance (the colour minus $Y$) of `photo`. Clip to
# $[0, 1]$ at the end.
# **You will probably** swap the two pictures, or take the plain mean of the channels.


# %% id="e5-starter"
def keep_colours(painted, photo):
    return ...


# %% id="e5-solution" jupyter={"source_hidden": true} tags=["solution"]
def keep_colours(painted, photo):
    share = painted.new_tensor([0.299, 0.587, 0.114])[None, :, None, None]
    difference = ((painted - photo) * share).sum(1, keepdim=True)
    return (photo + difference).clamp(0, 1)


# %% id="e5-check"
ck.check("11.5", keep_colours)

# %% [markdown] id="e6-card"
# ### Exercise 11.6 · One Gram matrix for each region
# *★★★ · 15 minutes.* `a` holds maps (C, H, W), `masks` (R, H, W) are 1 inside a region and 0 outside. Return (R, C, C):
# $\sum_p m_r(p)\, a_p a_p^\top / \sum_p m_r(p)$.
# **You will probably** divide by $HW$ instead of the size of the region: then small regions count too little.


# %% id="e6-starter"
def region_grams(a, masks):
    return ...


# %% id="e6-solution" jupyter={"source_hidden": true} tags=["solution"]
def region_grams(a, masks):
    inside = torch.einsum("rhw,chw,dhw->rcd", masks, a, a)
    return inside / masks.sum((1, 2))[:, None, None]


# %% id="e6-check"
ck.check("11.6", region_grams)

# %% [markdown] id="recap" slideshow={"slide_type": "slide"}
# ## Recap
#
# - A Gram matrix says which channels are active together, and forgets where: a texture, and no subject.
# - Style transfer asks for the Gram matrices of one picture and the maps of another. α, the layers and the start decide what you see.
# - A third network measures what the eye believes; regions of their own turn a map into a painting.

# %% [markdown] id="quiz" slideshow={"slide_type": "slide"}
# ## Quiz
#
# 1. You mirror the style image. What changes in a Gram matrix of the *pixels*? And of a deep layer?
# <details><summary>Answer</summary>Of the pixels nothing, for mirroring only moves places. Of a layer something: its filters see left and right, so another channel may answer.</details>
#
# 2. Style and content images have different sizes. Is that a problem?
# <details><summary>Answer</summary>No. A Gram matrix is C × C for every size, and divided by the number of places. But the size of the style image decides how large the strokes are.</details>
#
# 3. Why search among frequencies, if the minima are the same?
# <details><summary>Answer</summary>Because we take few steps. A large area of one colour is one slow wave, but thousands of pixels, which must all agree.</details>
#
# 4. Your result has the right colours and grain, and no stroke. What do you change first?
# <details><summary>Answer</summary>Add deeper layers to the style: a stroke must fit into a receptive field. Or make the style image smaller, so that its strokes fit.</details>

# %% [markdown] id="reading" slideshow={"slide_type": "slide"}
# ## Further reading
#
# - L. Gatys, A. Ecker, M. Bethge. *Texture synthesis using convolutional neural networks.* NeurIPS 2015. *Image style transfer using convolutional neural networks.* CVPR 2016.
# - L. Gatys et al. *Controlling perceptual factors in neural style transfer.* CVPR 2017.
# - I. Ustyuzhaninov et al. *Texture synthesis using shallow convolutional networks with random filters.* 2016. K. He, Y. Wang, J. Hopcroft. *A powerful generative model using random weights for the deep image representation.* NeurIPS 2016.
# - P. Wang, Y. Li, N. Vasconcelos. *Rethinking and improving the robustness of image style transfer.* CVPR 2021.
# - A. Champandard. *Semantic style transfer and turning two-bit doodles into fine artworks.* 2016.
#
# **Next:** lab 12 trains a network that paints a style in one pass.
