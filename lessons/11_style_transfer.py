# %% [markdown] id="title" slideshow={"slide_type": "slide"}
# # 11 · Style transfer
# ### What is left of a picture when all places are forgotten?
#
# After this lab you will be able to
#
# - compute a Gram matrix by hand, and say why it keeps texture and forgets place,
# - paint a new texture from noise, and count the numbers that describe it,
# - balance style against content, choose layers, start and optimiser, and paint from a map,
# - ask a network whether it goes by shape or by texture, with counts and controls.

# %% [markdown] id="contract" slideshow={"slide_type": "skip"}
# **First do** lab 09 (match a code by search). Labs 07 and 10 help.
#
# **Run time** about 100 s on one CPU core. **Memory** below 1.5 GB. **Words** are explained in the [glossary](../docs/glossary.md).

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

cat, small = (ck.load_image("chelsea", size=size) for size in (128, 96))
# %% [markdown] id="question" slideshow={"slide_type": "slide"}
# ## Keep what is shown, change how it is painted
#
# Two pictures. Keep **what** the first one shows, and paint it **as** the second one is painted.
#
# **Predict first.** Lab 09 recovered a photograph from the code of one layer. What must a code of *style* keep, and what must it forget?

# %% id="pair" slideshow={"slide_type": "-"}
strokes = ck.style_image("strokes", 192)
ck.show_images(
    [ck.load_image("chelsea", size=192), strokes], ["content: a photograph", "style: brush strokes"], columns=3
)

# %% [markdown] id="styles-text" slideshow={"slide_type": "skip"}
# No painting comes with this course, so its styles are drawn by a program: a few dozen lines of code each, in `coursekit/images/styles.py`. Your own painting goes in
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
alone = torch.stack([row[torch.randperm(len(row))] for row in a.flatten(2)[0]]).view_as(a)
change = round(relative(gram(shuffled), gram(a)).item(), 6)
ck.claim("all places shuffled alike: relative change of G", change, below=1e-5)
ck.claim("each channel shuffled on its own: the same", relative(gram(alone), gram(a)), above=0.01)

# %% [markdown] id="gram-read" slideshow={"slide_type": "notes"}
# Nothing happens to $G$: a sum does not ask for the order of its terms. But shuffle each channel in its own way, and $G$ changes: now other channels meet at a place. So a
# Gram matrix forgets *where*, and keeps *together*.

# %% [markdown] id="mean-text" slideshow={"slide_type": "skip"}
# **Mean, covariance, Gram.** The plain *mean* of each map, $\mu_i$, also forgets place. It knows how much there is of each thing, $C$ numbers. The *covariance*
# $\Sigma$ knows what goes together. The Gram matrix holds both: $G = \Sigma + \mu \mu^\top$.

# %% id="mean"
mean = a.mean((2, 3))
centred = a - mean[:, :, None, None]
both = gram(centred) + mean[:, :, None] * mean[:, None, :]
ck.claim("relative difference of G and Σ + μ μᵀ", round(relative(both, gram(a)).item(), 6), below=1e-5)

# %% [markdown] id="texture-title" slideshow={"slide_type": "slide"}
# ## A texture from noise
#
# Start with noise, and search for a picture with the Gram matrices of a sample. The search walks among frequencies (lab 07).


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
assert (mine - ours).abs().mean() < 1e-3
print("my_texture and ck.synthesise_texture paint the same picture")

# %% [markdown] id="depth-title" slideshow={"slide_type": "slide"}
# ## From which layer on are there stones?
#
# **Predict first.** From which layer on will there be *stones*?

# %% id="depth" slideshow={"slide_type": "fragment"}
textures = {
    layer: ck.synthesise_texture(lite, mosaic, layers=depths[: i + 1], size=112, steps=90).images
    for i, layer in enumerate(depths)
}
counts = [ck.texture_parameters(lite, depths[: i + 1]) for i in range(len(depths))]
ck.show_images(
    [mosaic, *textures.values()],
    ["the sample", *(f"up to {layer}: {n:,} numbers" for layer, n in zip(depths, counts, strict=True))],
    columns=3,
)

# %% [markdown] id="depth-read" slideshow={"slide_type": "skip"}
# *block1* knows which colours lie side by side: clouds. From *block3* on there are stones with joints. More layers ask for more, and ninety steps do not give all of it. Where red and blue stones lie is never the sample's.
#
# Does a Gram matrix know only what fits into the layer's receptive field? Not quite. Neighbouring fields overlap, and their patches must agree, so larger forms can come out as well (Ustyuzhaninov et al. 2016).

# %% [markdown] id="parameters-title" slideshow={"slide_type": "slide"}
# ## How many numbers is a texture?
#
# A Gram matrix is symmetric: $C(C+1)/2$ numbers for each layer. Gatys et al. (2015) counted for VGG-19, and left out what was not needed:
#
# | VGG-19 | numbers |
# |---|---|
# | all convolutions and poolings up to *pool4* | 852,128 |
# | *conv1_1* and *pool1* to *pool4* | 176,640 |
# | the same, 64 principal components of each layer | 10,400 |
# | the same, only the means | 1,024 |
#
# Portilla & Simoncelli (2000), without any network: 710 numbers for a grey picture. **Predict first.** Are the means alone enough for a texture?

# %% id="parameters"
vgg = [64, 64, 128, 256, 512]  # conv1_1, pool1, pool2, pool3, pool4
everything = [64] * 3 + [128] * 3 + [256] * 5 + [512] * 5
for channels, options in (
    (everything, {}),
    (vgg, {}),
    (vgg, {"components": 64}),
    (vgg, {"statistic": "mean"}),
):
    print(f"VGG-19: {ck.texture_parameters(channels, **options):>9,}")
print(f"EfficientNet-Lite0, {', '.join(ck.style_layers(lite))}: {ck.texture_parameters(lite):,}")
print(f"CourseNet, relu1 to relu4: {ck.texture_parameters(coursenet):,}; the pixels of a sample: {mosaic.numel():,}")

# %% [markdown] id="parameters-read" slideshow={"slide_type": "skip"}
# CourseNet's texture has more numbers than the sample has pixels. It is no summary any more, and yet the search gives no copy: many numbers say the same thing twice.

# %% [markdown] id="lost-title" slideshow={"slide_type": "slide"}
# ## The ladder: fewer numbers, less texture
#
# Four rungs for three samples, 200 steps each, painted ahead. The principal components of a layer are the directions in which its maps are largest; we keep their Gram matrix.
#
# **Predict first.** What becomes of rows of coins? Of a tower?

# %% id="lost" slideshow={"slide_type": "fragment"}
rungs = [{"components": 4}, {"statistic": "mean"}, {"components": 16}, {}]
words = ["4 components,", "means,", "16 components,", "Gram matrices,"]
numbers = [ck.texture_parameters(lite, **few) for few in rungs]
columns = ["the sample", *(f"{word}\n{n:,} numbers" for word, n in zip(words, numbers, strict=True))]
ck.show_picture_table(dict(zip(["mosaic", "coins", "tower"], ck.style_tiles("ladder", 128), strict=True)), columns)

# %% id="lost-live" slideshow={"slide_type": "skip"}
few_numbers = [ck.synthesise_texture(lite, mosaic, size=112, steps=60, **few).images for few in rungs[:2]]
ck.show_images([mosaic, *few_numbers, textures["block8"]], [*columns[:3], columns[-1]], columns=4)

# %% [markdown] id="lost-read" slideshow={"slide_type": "skip"}
# A texture is what looks the same everywhere. The mosaic survives all rungs. Forty numbers already give stones, but in the wrong colours. The means alone give stones, too; what they miss is which colours go together: most are orange or brown. From 544 numbers on the colours are there. (One start from noise for each.)
#
# Of the coins, round pieces are left, large and small, and their rows are gone. Of the tower, pieces: roofs, trees and sky, put together anew. No number on this ladder says where. This is why a Gram matrix can serve as *style*: the subject is lost.

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
# ## One loss of three terms, and L-BFGS


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
assert (mine - ours).abs().mean() < 1e-3
print("my_transfer and ck.style_transfer paint the same picture")

# %% [markdown] id="posters-title" slideshow={"slide_type": "slide"}
# ## Six posters by one function
#
# Six posters by the function above, EfficientNet-Lite0, 448 pixels, 120 steps; `tools/posters.py` paints them.

# %% id="posters" slideshow={"slide_type": "-"}
sheet = ck.load_image(ck.feature_gallery("posters"))
six = [sheet[..., top : top + 320, left : left + 320] for top in (0, 328) for left in (0, 328, 656)]
shown = "temple, strokes; cat, mosaic; admiral, woodcut; dahlia, swirls; astronaut, colour field; temple, ink"
ck.show_images(six, shown.split("; "), columns=3)

# %% [markdown] id="gallery-title" slideshow={"slide_type": "slide"}
# ## Three pictures, three styles
#
# Painted now: 256 pixels, 80 steps each. **Predict first.** The dahlia has petals. What will the mosaic do with them?

# %% id="gallery" slideshow={"slide_type": "fragment"} tags=["gallery"]
pairs = {"cat": ("chelsea", "strokes"), "dahlia": ("flower", "mosaic"), "temple": ("china", "swirls")}
contents, examples, results = [], [], []
for photograph, kind in pairs.values():
    contents.append(ck.load_image(photograph, size=256))
    examples.append(ck.style_image(kind, 192))
    results.append(ck.style_transfer(lite, contents[-1], examples[-1], steps=80).images)
ck.show_picture_table({"content": contents, "style": examples, "result": results}, list(pairs))

# %% [markdown] id="gallery-read" slideshow={"slide_type": "notes"}
# The stones follow the petals: content asks for what is light and dark there, and the style fills it with stones. The eyes and the nose of the cat stay in their places, and her fur becomes strokes. The sky of the temple has little content to keep, so there the style is free.

# %% [markdown] id="photographs-text" slideshow={"slide_type": "skip"}
# A style need not be a painting. Photographs with much texture serve as well: stained tissue under the microscope, the back of an eye, gravel.

# %% id="photographs" slideshow={"slide_type": "skip"}
face, samples = ck.load_image("astronaut", size=128), ("immunohistochemistry", "retina", "gravel")
examples = [ck.load_image(name, size=192) for name in samples]
as_photographs = [ck.style_transfer(lite, face, example, steps=40).images for example in examples]
ck.show_picture_table(
    {"style": [torch.ones_like(face), *examples], "result": [face, *as_photographs]},
    ["the content, below", "stained tissue", "the back of an eye", "gravel"],
)

# %% [markdown] id="explorer-text" slideshow={"slide_type": "skip"}
# ## Your turn: your picture, your style
#
# `ck.explore_style` works with 128 pixels, so that you need not wait. For a poster: `ck.style_transfer(lite, ck.load_image("mine.jpg", size=512),
# ck.load_image("painting.jpg", size=512))`, about a minute on a laptop.

# %% id="explorer" slideshow={"slide_type": "skip"}
ck.explore_style(lite)

# %% [markdown] id="grid-title" slideshow={"slide_type": "slide"}
# ## Depth and α/β: the grid of the preprint
#
# Down: style up to *block1*, *3*, *5*, *8*. To the right: more and more content. Figure 3 of L. Gatys, A. Ecker, M. Bethge, *A neural algorithm of artistic style*,
# arXiv:1508.06576, 2015, with our network; all twenty begin with noise and take 80 steps, painted ahead.
#
# **Predict first.** In which corner is the cat hardest to find?

# %% id="grid" slideshow={"slide_type": "fragment"}
alphas = [0.01, 0.03, 0.1, 0.3, 1.0]
cells = ck.style_tiles("grid", 112)
names = [f"up to\n{layer}" for layer in style]
ck.show_picture_table(dict(zip(names, cells, strict=True)), [f"α/β = {a:g}" for a in alphas], xlabel="more content →")

# %% id="grid-live" slideshow={"slide_type": "skip"}
tiny, swirls = ck.load_image("chelsea", size=96), ck.style_image("swirls", 192)
way = {"content_weight": [0.01, 1.0], "start": "noise", "optimizer": "adam", "steps": 40}
corners = {
    name: ck.style_transfer(lite, tiny, swirls, layers=used, **way).images
    for name, used in (("up to\nblock1", style[:1]), ("up to\nblock8", style))
}
ck.show_picture_table(
    {name: [tiny, swirls, *made.split(1)] for name, made in corners.items()},
    ["content", "style", "α/β = 0.01", "α/β = 1"],
)

# %% [markdown] id="grid-read" slideshow={"slide_type": "skip"}
# At the lower left the cat is hardest to find. With *block1* alone the style is patches of colour with a soft grain. Deeper layers make lines, and the lines get longer and bend into swirls. To the right the cat comes through. In the
# lower rows she needs a larger α. The paper's figure has the same two directions. It has five rows, from VGG-19, and ratios of α/β from 1/100,000 to 1/100; the numbers cannot be compared, because we divide each term by its goal. The small table paints the four corners now.

# %% [markdown] id="content-text" slideshow={"slide_type": "skip"}
# **Which layer for the content?** Search for a picture with the same maps (lab 09), and see what each layer insists on. A low layer insists on every hair: no room for
# strokes. A high one keeps the eyes in their places and gives the brush its freedom.

# %% id="content" slideshow={"slide_type": "skip"}
insisted = {layer: ck.invert(lite, small, layer, steps=30).images for layer in ("block1", "block5", "block11")}
ck.show_images(
    [small, *insisted.values()], ["the photograph", *(f"from the maps of {layer}" for layer in insisted)], columns=4
)

# %% [markdown] id="optimiser-title" slideshow={"slide_type": "slide"}
# ## How to search: pixels or frequencies, Adam or L-BFGS?
#
# The paper walks among *pixels*, by L-BFGS, which learns the curvature from its last ten steps. Four ways with the same work: 80 forward and backward passes each.
# We count passes and not seconds, which depend on the machine.
#
# **Predict first.** Which choice matters more?

# %% id="optimiser" slideshow={"slide_type": "fragment"}
ways, losses = {}, {}
for among, parameterization in {"pixels": "pixels", "frequencies": "fourier"}.items():
    for optimizer, name in {"adam": "Adam", "lbfgs": "L-BFGS"}.items():
        way = {"parameterization": parameterization, "optimizer": optimizer}
        made = ck.style_transfer(lite, small, strokes, steps=80, **way)
        ways[among, name], losses[f"{among}, {name}"] = made.images, -made.values[:, 0]
ck.show_picture_table(
    {
        "Adam": [small, ways["pixels", "Adam"], ways["frequencies", "Adam"]],
        "L-BFGS": [ck.load_image(strokes, size=96), ways["pixels", "L-BFGS"], ways["frequencies", "L-BFGS"]],
    },
    ["content, and style below", "among pixels", "among frequencies"],
)

# %% id="race" slideshow={"slide_type": "skip"}
ck.show_lines(range(1, 81), losses, xlabel="passes", ylabel="loss without TV", log=True)

# %% id="optimiser-claim"
last = {name: values[-1].item() for name, values in losses.items()}
for optimizer in ("Adam", "L-BFGS"):
    ratio = last[f"frequencies, {optimizer}"] / last[f"pixels, {optimizer}"]
    ck.claim(f"{optimizer}: loss among frequencies over loss among pixels", ratio, below=0.8)
ratio = last["frequencies, L-BFGS"] / last["frequencies, Adam"]
ck.claim("among frequencies: loss of L-BFGS over loss of Adam", ratio, above=0.8, below=1.25)

# %% [markdown] id="optimiser-read" slideshow={"slide_type": "notes"}
# Among pixels the search first makes grain, and the cat keeps her own colours. Among frequencies whole areas turn blue and yellow at once: a large area is thousands of pixels which must agree, but a few slow waves.
# For this pair the optimiser matters less.
#
# One pair is a story. Five pairs, 112 pixels, loss after 80 passes (`tools/style_gallery.py race`):
#
# | | pixels, Adam | pixels, L-BFGS | frequencies, Adam | frequencies, L-BFGS |
# |---|---|---|---|---|
# | cat, strokes | 0.121 | 0.139 | 0.066 | **0.065** |
# | dahlia, mosaic | **0.057** | 0.133 | 0.066 | 0.063 |
# | temple, swirls | 0.081 | 0.092 | 0.082 | **0.078** |
# | astronaut, woodcut | **0.114** | 0.174 | 0.118 | 0.141 |
# | cup, colour field | **0.128** | 0.413 | 0.140 | 0.248 |
#
# - **By L-BFGS** frequencies win in five of five. **By Adam** they win once clearly, and lose narrowly in the other four, by 1 to 16 %.
# - L-BFGS among pixels, the paper's way, is the last in five of five. The paper takes many more steps.
# - A low loss of the painter is not all. In a third network, Lite2, the style is nearest with frequencies in four of five (the exception is the dahlia, by 0.01), and with L-BFGS
#   nearer than with Adam in five of five, by 1 to 7 %.
#
# So the default is *frequencies, L-BFGS*. With few steps, or where `ck.style_transfer` warns that L-BFGS overshot (it has no line search here), take `optimizer="adam"`.

# %% [markdown] id="starts-title" slideshow={"slide_type": "slide"}
# ## Where to begin?
#
# The same goal (α = 0.3) from three starts: after 40 steps, painted now, and after 300, painted ahead. **Predict first.** Will they end as the same picture?

# %% id="starts" slideshow={"slide_type": "fragment"}
canvas = ck.load_image("chelsea", size=112)
noise = 0.5 + 0.02 * torch.randn(canvas.shape, generator=torch.Generator().manual_seed(0))
begin = torch.cat([canvas, ck.load_image(strokes, size=112), noise])
way = {"content_weight": 0.3, "optimizer": "adam"}
three = ck.style_transfer(lite, canvas, strokes, start=begin, steps=40, **way).images
long = ck.style_tiles("starts", 112)[0]
ck.show_picture_table(
    {"the start": begin.split(1), "40 steps": three.split(1), "300 steps": long},
    ["from the content", "from the style", "from noise"],
)


# %% id="starts-claim"
def to_the_content(images):
    """How far the maps of the content layer are from the photograph's, for each start."""
    goal = maps(lite, canvas, "block5")
    return torch.stack([relative(maps(lite, x, "block5"), goal) for x in images])


short_way, long_way = to_the_content(three.split(1)), to_the_content(long)
first = short_way[2] / short_way[0]
ck.claim("after 40 steps, distance to the content's maps: from noise over from content", first, above=1.4)
ck.claim("after 300 steps", long_way[2] / long_way[0], below=1.4)
differ = (long[2] - long[0]).square().mean().sqrt()
ck.claim("and the two pictures differ by (RMS of values in [0, 1])", differ, above=0.15)

# %% [markdown] id="starts-read" slideshow={"slide_type": "notes"}
# After 40 steps the start decides: from noise only the eyes of the cat are plain. After 300 steps all three show the cat, about as near to the content as each other (within a third), and to the style (within a tenth). Gatys et al. (2016) say that the start has little effect on the outcome; for the two losses we find much the same, with one start of each kind. But the *pictures* differ: what neither loss asks
# for, such as which side is blue, stays as the start had it. From the content you get a good picture in the fewest steps, and always the same. From noise each seed gives another one.

# %% [markdown] id="mix-title" slideshow={"slide_type": "slide"}
# ## Two styles at once · your own colours
#
# Two style losses, 1 : 1. And a transfer of *luminance* alone: the style is made grey, and in the end each pixel gets back its chrominance (Gatys et al. 2017).
#
# **Predict first.** Half strokes, half woodcut: side by side, or in one line?

# %% id="mix" slideshow={"slide_type": "fragment"}
woodcut, swirls = ck.style_image("woodcut", 192), ck.style_image("swirls", 192)
flower = ck.load_image("flower", size=112)
mixed = ck.style_transfer(lite, flower, [strokes, woodcut], style_weights=[1, 1], steps=40).images
plain = ck.style_transfer(lite, flower, swirls, steps=40).images
kept = ck.style_transfer(lite, flower, swirls, colour="content", steps=40).images
ck.show_images(
    [strokes, woodcut, flower, mixed, swirls, flower, plain, kept],
    ["style 1", "style 2", "content", "both styles, 1 : 1", "style", "content", "with its colours", "colours kept"],
    columns=4,
)

# %% [markdown] id="mix-read" slideshow={"slide_type": "notes"}
# In one line: every stroke has something of both, dark lines and blue and yellow, for one set of Gram matrices is asked to be near to both. With the colours kept, the swirls are there as light and dark, and the dahlia is orange again.


# %% id="colour-claim"
def chrominance(x):
    grey = (x * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
    return x - grey


away = (chrominance(kept) - chrominance(flower)).abs().max()
ck.claim("largest difference of the chrominance from the photograph's", round(away.item(), 4), below=1e-3)

# %% [markdown] id="network-title" slideshow={"slide_type": "skip"}
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

# %% id="network" slideshow={"slide_type": "skip"}
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
photo = ck.gram_distance(judge, small, strokes).item()
ck.show_images(
    [small, ck.load_image(strokes, size=96), *by_network.values()],
    ["content", "style", *(f"{name}, distance {distance[name]:.1f}" for name in by_network)],
    columns=3,
)

# %% id="network-claim"
farthest = max(distance.values()) / photo
ck.claim("distance to the style in Lite2, the worst painter over the photograph", farthest, below=0.98)

# %% [markdown] id="network-read" slideshow={"slide_type": "skip"}
# **Can random weights do it?** In part. The *random* VGG moves colours and grain, and no stroke: its filters never saw one, yet they tell edges from areas (Ustyuzhaninov et al. 2016; He
# et al. 2016). By the number (smaller is nearer) Lite0 is the nearest. But the judge, Lite2, is its sister, and so a biased judge; to the eye CourseNet, with its areas of blue and yellow, is at least as near. The trained VGG-19, the paper's own, joins the figure where its weights are installed.
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

# %% [markdown] id="cue-title" slideshow={"slide_type": "slide"}
# ## Shape or texture?
#
# The shape of one object, painted with the texture of another: a **cue conflict**. R. Geirhos et al., *ImageNet-trained CNNs are biased towards texture*, ICLR 2019, made them by style transfer, as we do. Of the
# decisions for one of the two, people made 96 % for the shape, a ResNet-50 only 22 %.
#
# **Predict first.** What do *our* networks say, the shape or the texture?

# %% id="cues" slideshow={"slide_type": "fragment"}
pairs = ck.cue_conflicts()
painted = torch.cat([tile for row in ck.style_tiles("conflicts", 112) for tile in row])[: len(pairs)]
masks = torch.stack([ck.shape_scene(shape).masks[shape] for shape, _ in pairs])[:, None]
conflicts = torch.where(masks, painted, 0.5)  # the texture inside the shape, and grey around it
some = [1, 9, 13, 21, 30, 36]
ck.show_picture_table(
    {
        "shape": [ck.shape_scene(pairs[i][0]).image for i in some],
        "texture": [ck.object_texture(pairs[i][1]) for i in some],
        "conflict": [conflicts[i] for i in some],
    },
    [f"{pairs[i][0]},\n{pairs[i][1]}".replace("_", " ") for i in some],
)

# %% [markdown] id="cues-read" slideshow={"slide_type": "skip"}
# The objects were chosen by a rule: real photographs, one for each class, filled well enough to cut a texture out of their inside, and named right by **all five** networks below, among the classes of all. That leaves 51. They stand in a ring in random order: each gives its shape
# once and its texture once. So 51 conflicts, painted ahead by Lite0 (α = 0.1, 40 steps of Adam), and cut out along the shape. The six in the figure were picked because the texture shows best in them; the count takes all 51. The next cell paints one of them, now, before it is cut out.

# %% id="cue-live" slideshow={"slide_type": "skip"}
shape, texture = pairs[some[0]]
content, skin = ck.shape_scene(shape).image, ck.object_texture(texture)
now = ck.style_transfer(lite, content, skin, content_weight=0.1, optimizer="adam", steps=40).images
ck.show_images([content, skin, now], [f"shape: {shape}", f"texture: {texture}", "the whole picture"], columns=3)

# %% [markdown] id="cue-code-title" slideshow={"slide_type": "skip"}
# ## A forced choice among 51 classes
#
# The network must name one of the 51. It says the shape, the texture, or neither. The **shape bias** is shape / (shape + texture), as in the paper.

# %% id="cue-code" slideshow={"slide_type": "skip"} tags=["show-code"]
classes = torch.tensor([ck.cutouts("core")[shape] for shape, _ in pairs])


def choice(network, images):
    """Which of the 51 objects the network names, as its place in the ring."""
    said = []
    for batch in images.split(8):
        fitted = torch.nn.functional.interpolate(batch, (network.input_size,) * 2, mode="bilinear", antialias=True)
        with torch.no_grad():
            said.append(network(fitted)[:, classes].argmax(1))
    return torch.cat(said)


def shape_or_texture(chosen):
    shape = torch.arange(len(chosen))
    texture = (shape + 1) % len(chosen)  # the next in the ring
    return int((chosen == shape).sum()), int((chosen == texture).sum())


# %% id="cue-count" tags=["nbval-ignore-output"]
shape_alone = torch.where(masks, torch.zeros_like(conflicts), torch.ones_like(conflicts))  # a black silhouette
texture_alone = torch.cat([ck.object_texture(shape) for shape, _ in pairs])
five = {
    "Lite0": lite,
    "Lite1": ck.load_model("efficientnet_lite1"),
    "Lite2": judge,
    "CourseNet": coursenet,
    "robust Lite0": ck.load_model("efficientnet_lite0_robust"),
}
bias, alone = {}, {"texture alone": {}, "shape alone": {}}
for name, network in five.items():
    by_shape, by_texture = shape_or_texture(choice(network, conflicts))
    n = by_shape + by_texture
    bias[name] = (by_shape / n, *ck.wilson(by_shape, n))
    print(f"{name:>12}, conflicts: shape {by_shape}, texture {by_texture}, neither {len(pairs) - n}")
    for kind, images in {"texture alone": texture_alone, "shape alone": shape_alone}.items():
        right = int((choice(network, images) == torch.arange(len(pairs))).sum())
        alone[kind][name] = (right / len(pairs), *ck.wilson(right, len(pairs)))
        print(f"{name:>12}, {kind}: {right} of {len(pairs)} named")

# %% [markdown] id="cue-answer-title" slideshow={"slide_type": "slide"}
# ## Here the shape wins, but was the texture there?
#
# Left: of the decisions for one of the two, the share for the shape. The controls: how many of the 51 are named from the texture alone, and from the silhouette alone.

# %% id="cue-dots" slideshow={"slide_type": "-"}
ck.show_dots(
    {
        "conflicts: for the shape": bias,
        "texture alone: named": alone["texture alone"],
        "silhouette alone: named": alone["shape alone"],
    },
    limits=(-0.05, 1.05),
    xlabel="share",
    interval="Wilson's 95 % interval over the pictures",
)

# %% id="cue-claim"
ck.claim("conflicts, Lite0: share of the decisions for the shape", bias["Lite0"][0], above=0.7)
ck.claim("its Wilson interval begins at", bias["Lite0"][1], above=0.5)
ck.claim("Lite0 names the texture alone, share (chance 1 of 51)", alone["texture alone"]["Lite0"][0], above=0.6)
ck.claim("CourseNet names the texture alone, share", alone["texture alone"]["CourseNet"][0], below=0.45)

# %% [markdown] id="cue-read" slideshow={"slide_type": "notes"}
# By shape, in every network: of the decisions for one of the two, more than four of five. Is the paper wrong? Look at the painted objects first. The custard apple is still green.
#
# So one more control, for the texture *in the picture*: a square of 36 pixels from the **inside** of each object, without any outline (`tools/style_gallery.py inside`).
#
# | named, of 51 squares | Lite0 | Lite1 | Lite2 | CourseNet | robust Lite0 |
# |---|---|---|---|---|---|
# | before painting: as the object itself | 32 | 32 | 29 | 9 | 23 |
# | painted: as the object itself | 3 | 4 | 5 | 5 | 4 |
# | painted: as the one whose texture it got | 1 | 2 | 1 | 1 | 3 |
#
# The painting wiped out the object's own texture, and did not bring the other one: hardly a network can read it. In Lite2, 44 of the 51 squares are still nearer (Gram distance) to the object's own surface than to the texture that they
# should have. So these pictures are **no fair conflict**, and the left panel is no measure of what the networks prefer. They *can* use a texture: a patch of the unpainted object is enough for most of the 51 in Lite0, Lite1 and Lite2, and
# for a quarter in CourseNet. The silhouette alone is enough for half at most.
#
# What differs from the paper's pictures? Theirs are larger, and theirs are not cut out: here the sharp outline helps the shape. Not cut out, with the background painted as well, Lite0 named 41 of the 51 as neither.
# The robust twin does not stand out from the others: the intervals overlap. n is the number of pictures named as one of the two; the rest were named as something else.
#
# The lesson: a shape bias belongs to a network *and* to a set of pictures. Before you count, ask whether each cue can be read in them.

# %% [markdown] id="wrong-title" slideshow={"slide_type": "slide"}
# ## What goes wrong: four mistakes, and which is the worst?
#
# Four of six mistakes, each of them in somebody's code. **Predict first.** Which is the worst?


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
    "tower as a style, no reshape": without_reshape(ck.load_image("china", size=96), steps=40),
    "style of block14 alone": ck.style_transfer(lite, small, strokes, layers=["block14"], steps=30).images,
    "style image of 48 pixels": ck.style_transfer(lite, small, ck.load_image(strokes, size=48), steps=30).images,
    "no content, α = 0": ck.style_transfer(lite, small, strokes, content_weight=0, start="noise", steps=30).images,
}
ck.show_images(list(wrong.values()), list(wrong), columns=4)


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
ck.claim("values outside [0, 1] in the picture", ((left < 0) | (left > 1)).sum(), at_least=1)

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
ck.claim("with block3: distance over the ceiling", apart[1] / ceiling, below=0.5)
ck.claim("block1 alone over the farthest of the others", apart[0] / max(apart[1:]), above=1.1)
ck.claim("our nearest over the second crop", min(apart) / floor, above=2)

# %% [markdown] id="score-read" slideshow={"slide_type": "skip"}
# Two layers do most of it. With more layers the curve does not fall further; they ask for more in the same ninety steps. And a true mosaic is still nearer than any of ours: the floor is not reached.

# %% [markdown] id="swap-text" slideshow={"slide_type": "skip"}
# ## Swap the network
#
# CourseNet has 7 × 7 filters, and no shortcuts. The same function, the same α.

# %% id="swap" slideshow={"slide_type": "skip"}
other, stones = ck.load_image("coffee", size=112), ck.style_image("mosaic", 192)
swapped = [ck.style_transfer(net, other, stones, steps=40).images for net in (lite, coursenet)]
ck.show_images([other, stones, *swapped], ["content", "style", "by EfficientNet-Lite0", "by CourseNet"], columns=4)

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
# | 11.7 | how many numbers a texture has | ★ | 5 |
# | 11.8 | the shape bias of a network | ★★ | 10 |
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

# %% [markdown] id="e7-card"
# ### Exercise 11.7 · How many numbers?
# *★ · 5 minutes.* `channels` lists the number of channels $C_l$ of each layer. Of each layer we keep the Gram matrix of at most `components` principal components. Return how many
# numbers that is, for all layers together.
# **You will probably** forget that a small layer has fewer components, or count each pair twice.


# %% id="e7-starter"
def count_numbers(channels, components):
    return ...


# %% id="e7-solution" jupyter={"source_hidden": true} tags=["solution"]
def count_numbers(channels, components):
    total = 0
    for c in channels:
        rows = min(c, components)
        total += rows * (rows + 1) // 2
    return total


# %% id="e7-check"
ck.check("11.7", count_numbers)

# %% [markdown] id="e8-card"
# ### Exercise 11.8 · The shape bias
# *★★ · 10 minutes.* `logits` (N, K) are a network's answers to N cue conflicts, `shape` and `texture` (N,) the two classes of each. The network names its largest logit. Return
# the number of pictures named by their shape, divided by those named by their shape or their texture.
# **You will probably** divide by N, or compare the two logits only: the network must choose among all K.


# %% id="e8-starter"
def shape_bias(logits, shape, texture):
    return ...


# %% id="e8-solution" jupyter={"source_hidden": true} tags=["solution"]
def shape_bias(logits, shape, texture):
    named = logits.argmax(1)
    by_shape = (named == shape).sum().item()
    by_texture = (named == texture).sum().item()
    return by_shape / (by_shape + by_texture)


# %% id="e8-check"
ck.check("11.8", shape_bias)

# %% [markdown] id="recap" slideshow={"slide_type": "slide"}
# ## Recap
#
# - A Gram matrix says which channels are active together, and forgets where: a texture, and no subject.
# - Style transfer asks for the Gram matrices of one picture and the maps of another. α, the layers and the start decide what you see.
# - Fewer numbers, less texture: a ladder. Whether a network goes by shape or texture can be counted, if each cue can be read in the pictures: check that first.
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
# 3. Why search among frequencies, if the goals are the same?
# <details><summary>Answer</summary>Because we take few steps. A large area of one colour is one slow wave, but thousands of pixels, which must all agree.</details>
#
# 4. Your result has the right colours and grain, and no stroke. What do you change first?
# <details><summary>Answer</summary>Add deeper layers to the style: a stroke must fit into a receptive field. Or make the style image smaller, so that its strokes fit.</details>

# %% [markdown] id="reading" slideshow={"slide_type": "slide"}
# ## Further reading
#
# - J. Portilla, E. Simoncelli. *A parametric texture model based on joint statistics of complex wavelet coefficients.* IJCV 2000.
# - L. Gatys, A. Ecker, M. Bethge. *Texture synthesis using convolutional neural networks.* NeurIPS 2015. *Image style transfer using convolutional neural networks.* CVPR 2016.
# - L. Gatys, A. Ecker, M. Bethge. *A neural algorithm of artistic style.* arXiv:1508.06576, 2015 (the grid is its figure 3).
# - R. Geirhos et al. *ImageNet-trained CNNs are biased towards texture; increasing shape bias improves accuracy and robustness.* ICLR 2019.
# - L. Gatys et al. *Controlling perceptual factors in neural style transfer.* CVPR 2017.

# %% [markdown] id="reading-more" slideshow={"slide_type": "skip"}
# - I. Ustyuzhaninov et al. *Texture synthesis using shallow convolutional networks with random filters.* 2016. K. He, Y. Wang, J. Hopcroft. *A powerful generative model using random weights for the deep image representation.* NeurIPS 2016.
# - P. Wang, Y. Li, N. Vasconcelos. *Rethinking and improving the robustness of image style transfer.* CVPR 2021.
# - A. Champandard. *Semantic style transfer and turning two-bit doodles into fine artworks.* 2016.
#
# **Next:** lab 12 trains a network that paints a style in one pass.
