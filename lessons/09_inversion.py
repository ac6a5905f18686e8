# %% [markdown] id="title" slideshow={"slide_type": "slide"}
# # 09 · Inversion
# ### How much of the picture is left in a code?
#
# After this lab you will be able to
#
# - turn the code of any layer back into a picture, by search and by a trained decoder,
# - say what total variation, its weight λ and its exponent β do to the result,
# - measure what a layer keeps: the code's error, the layout, the colour, the class,
# - tell what a reconstruction shows of the code from what the prior has painted.

# %% [markdown] id="contract" slideshow={"slide_type": "skip"}
# **First do** labs 00 and 04. It helps to know lab 01 (CourseNet) and lab 08 (fooling images).
#
# **Run time** about 60 s on two CPU cores. **Memory** below 1 GB.

# %% id="install" jupyter={"source_hidden": true} slideshow={"slide_type": "skip"}
from importlib.util import find_spec

if find_spec("coursekit") is None:  # on Colab, Kaggle, or in another environment than the course's own
    print("coursekit is missing here: copy coursekit-*.whl beside this notebook (README.md says how to make it),")
    print("run  %pip install coursekit-*.whl  in a cell, and restart the kernel.")

# %% id="setup"
import time

import torch
import torch.nn.functional as F

import coursekit as ck

ck.setup(seed=0)
coursenet = ck.load_model("coursenet")
cat = ck.load_image("chelsea", size=128)

# %% [markdown] id="question" slideshow={"slide_type": "slide"}
# ## The question
#
# At *fc6* CourseNet has turned 49,152 numbers, the picture, into a **code** of 512 numbers. What is still in them? The cat? Her eyes? Their
# places? The colour of her fur?
#
# **Predict first.** Somebody gives you the code, and the network. Which layer is the last whose code lets you paint the
# cat so that a friend knows her again?


# %% id="look" slideshow={"slide_type": "-"}
def code(model, images, layer):
    with ck.capture(model, [layer]) as acts, torch.no_grad():
        model(images)
    return acts[layer].cpu()


print("numbers of the picture:", cat.numel())
for layer in ("relu1", "pool5", "relu6", "fc8"):
    print(f"numbers of the code at {layer}: {code(coursenet, cat, layer).numel()}")
# %% [markdown] id="idea" slideshow={"slide_type": "slide"}
# ## The idea
#
# Let $\Phi$ be the network up to the layer, and $\Phi_0 = \Phi(x_0)$ the code. Search a picture with the same code that also looks like a picture:
#
# $$ x^* = \arg\min_x \; \frac{\lVert \Phi(x) - \Phi_0 \rVert^2}{\lVert \Phi_0 \rVert^2} \;+\; \lambda_\alpha \mathcal R_\alpha(x) \;+\; \lambda\, \mathcal R_{V^\beta}(x) $$
#
# - $\mathcal R_\alpha(x) = \frac{1}{HW} \sum |2x - 1|^\alpha$ with $\alpha = 6$: no value far from grey without need.
# - $\mathcal R_{V^\beta}(x) = \frac{1}{HW} \sum (\Delta_v^2 + \Delta_h^2)^{\beta/2}$: the **total variation**, neighbours should agree.
#
# Many pictures share one code. The first term asks for all of them, the other two choose.
#
# Mahendran & Vedaldi, *Understanding deep image representations by inverting them*, CVPR 2015.

# %% [markdown] id="code-title" slideshow={"slide_type": "slide"}
# ## The whole search


# %% id="prior"
def prior(x, weight, beta):
    down, right = x[..., 1:, :-1] - x[..., :-1, :-1], x[..., :-1, 1:] - x[..., :-1, :-1]
    variation = (down**2 + right**2 + 1e-8).pow(beta / 2).sum()  # the small number: a root of 0 has no derivative
    return (weight * variation + 0.01 * (2 * x - 1).abs().pow(6).sum()) / x[0, 0].numel()


# %% id="readable" slideshow={"slide_type": "-"} tags=["show-code"]
def my_inversion(model, layer, image, weight=3.0, beta=2.0, steps=80):
    goal, start = code(model, image, layer).to(model.device), torch.Generator().manual_seed(0)
    painting = ck.parameterizations.fourier()(1, image.shape[-1], start, model.device)
    adam = torch.optim.Adam(painting.parameters, lr=0.05)
    for _ in range(steps):
        x = painting.images()
        with ck.capture(model, [layer]) as acts:
            model(x)
        loss = (acts[layer] - goal).pow(2).sum() / goal.pow(2).sum() + prior(x, weight, beta)
        adam.zero_grad()
        loss.backward()
        adam.step()
    return painting.images().detach().cpu()


# %% id="same"
mine = my_inversion(coursenet, "relu3", cat, steps=5)
torch.testing.assert_close(mine, ck.invert(coursenet, cat, "relu3", steps=5).images, atol=1e-3, rtol=0)
print("my_inversion and ck.invert give the same picture")

# %% [markdown] id="same-read" slideshow={"slide_type": "skip"}
# Two things differ from the paper, and neither is in the formula. It walks among *pixels*, we among *frequencies* (lab 07: the same minima, on a calmer
# way). And it takes thousands of small steps with momentum, we 80 of Adam. For deep layers `ck.invert` can also roll the picture by a pixel or
# two before each look (`jitter`), as in the authors' second paper of 2016.

# %% [markdown] id="layers-title" slideshow={"slide_type": "slide"}
# ## From the first layer to the logits
#
# **Predict first.** What goes first: the details, the colours, or the places of things?

# %% id="layers" slideshow={"slide_type": "-"} tags=["gallery"]
priors = {"relu1": (1, 0), "relu2": (3, 0), "relu4": (5, 0)}  # layer -> λ and jitter
priors |= {layer: (3, 2) for layer in ("pool5", "relu6", "relu7", "fc8")}


def invert(image, layer, **options):
    weight, jitter = priors[layer]
    return ck.invert(coursenet, image, layer, weight=weight, jitter=jitter, **options).images


inverted = {layer: invert(cat, layer) for layer in priors}
ck.show_images([cat, *inverted.values()], ["the picture", *inverted], columns=4)

# %% [markdown] id="layers-read" slideshow={"slide_type": "skip"}
# Up to *relu4* the code is nearly a photograph. At *pool5* (a map of 4 × 4 places) parts are left, at about their places. The codes of the fully
# connected layers give strokes of fur and dark spots in many places: they say *what*, and hardly *where*. λ differs from layer to layer, as in the paper. The
# deep layers also get jitter, for they do not care about a pixel more or less.

# %% [markdown] id="remade-title" slideshow={"slide_type": "slide"}
# ## A simpler form
#
# **Predict first.** What of the cup will the logits keep?

# %% id="remade" slideshow={"slide_type": "-"}
chosen, judged = ("chelsea", "coffee", "flower", "rocket"), ("relu2", "pool5", "relu6", "fc8")
pictures = {name: ck.load_image(name, size=128) for name in chosen}
remade = {("chelsea", layer): inverted[layer] for layer in judged}
remade |= {(name, layer): invert(pictures[name], layer, steps=60) for name in chosen[1:] for layer in judged}
ck.show_images([remade["coffee", layer] for layer in judged], judged, columns=4)

# %% [markdown] id="remade-read" slideshow={"slide_type": "skip"}
# At *pool5* the cup stands on its saucer. At *relu6* there is a rim, and coffee in it, but the cup has lost its form. At the logits there are pieces of rims, here and there.

# %% [markdown] id="error-title" slideshow={"slide_type": "slide"}
# ## The error, by layer
#
# How near is near? The paper divides by the mean distance $N_\Phi$ of the codes of two *different* pictures:
# $\lVert \Phi(x^*) - \Phi_0 \rVert / N_\Phi$. So 0 is the same code, and 1 is as far as another picture. We do the same with pixels.
#
# **Predict first.** Both lines start low. Where do they part?

# %% id="error" slideshow={"slide_type": "-"}
names = ("chelsea", "astronaut", "coffee", "rocket", "motorcycle", "china", "flower", "grace_hopper")
photos = torch.cat([ck.load_image(name, size=128) for name in names])
apart = torch.pdist(photos.flatten(1)).mean()
errors = {layer: ck.inversion_error(coursenet, x, layer, cat, others=photos).item() for layer, x in inverted.items()}
pixels = {layer: ((x - cat).norm() / apart).item() for layer, x in inverted.items()}
ck.show_lines(
    range(len(errors)),
    {"error of the code": list(errors.values()), "error of the pixels": list(pixels.values())},
    xlabel="layer",
    ylabel="distance (1: another picture)",
    ticks=list(errors),
)

# %% id="error-claim"
print("at every layer the code comes nearer than a third of the way to another picture:", max(errors.values()) < 1 / 3)
print("the pixels of relu1 are more than three times nearer than those of fc8:", 3 * pixels["relu1"] < pixels["fc8"])

# %% [markdown] id="error-read" slideshow={"slide_type": "skip"}
# The search succeeds everywhere: the code is right. Yet the pixels are not. That is no failure of the search. The deep code *forgets*, and a
# picture of hers and the jumble are the same to it.

# %% [markdown] id="starts-title" slideshow={"slide_type": "slide"}
# ## Four starts, one code
#
# Four searches in the code of *relu6*, from four kinds of noise. **Predict first.** How alike will they be?

# %% id="starts" slideshow={"slide_type": "-"}
four = invert(cat, "relu6", n=4)
ck.show_images(four, [f"start {i}" for i in range(1, 5)], columns=4)


# %% id="starts-claim"
def likeness(x):
    """Return the smallest and the largest correlation of two different pictures."""
    pairs = torch.corrcoef(x.mean(1).flatten(1))[~torch.eye(len(x), dtype=torch.bool)]
    return pairs.min().item(), pairs.max().item()


coarse = F.avg_pool2d(four, 16)
fine = four - F.interpolate(F.avg_pool2d(four, 4), scale_factor=4)
errors_of_four = ck.inversion_error(coursenet, four, "relu6", cat, others=photos)
print("all four codes are near the cat's, a quarter of the way at most:", bool(errors_of_four.max() < 0.25))
print("any two agree where it is dark and where it is bright (correlation above 0.35):", likeness(coarse)[0] > 0.35)
print("and no two agree in the details (below 0.15):", likeness(fine)[1] < 0.15)

# %% [markdown] id="starts-read" slideshow={"slide_type": "skip"}
# What the four have in common is in the code. What differs, the code does not know. This is how to read an inversion: never one alone.

# %% [markdown] id="lambda-title" slideshow={"slide_type": "slide"}
# ## Experiment 1 · λ
#
# The code of *pool5*, searched among pixels as in the paper. **Predict first.** What does the search do when nothing holds it back?

# %% id="lambda" slideshow={"slide_type": "-"}
among_pixels = ck.parameterizations.pixels()
tried = [
    ck.invert(coursenet, cat, "pool5", weight=w, jitter=2, parameterization=among_pixels, steps=60).images
    for w in (0, 10, 1000)
]
ck.show_images([cat, *tried], ["the picture", "λ = 0", "λ = 10", "λ = 1000"], columns=4)

# %% [markdown] id="lambda-read" slideshow={"slide_type": "skip"}
# Without λ the search writes into fine grain, which the network reads and we do not. With too much the picture is a fog, and the code is
# missed. In between lies the range in which the code decides about the parts, and the prior about the grain.

# %% [markdown] id="beta-title" slideshow={"slide_type": "slide"}
# ## Experiment 2 · β
#
# The cat's eye, from the code of *relu2*. **Predict first.** A jump of 1, or ten jumps of 0.1: which is cheaper for β = 1, and which for β = 2?

# %% id="beta" slideshow={"slide_type": "-"}
eyes = {}
for beta, weight in ((1, 0.1), (2, 10), (3, 100)):
    eyes[f"β = {beta}"] = ck.render(
        coursenet,
        ck.objectives.match(coursenet, cat, "relu2"),
        size=128,
        parameterization=among_pixels,
        transforms=[],
        regularizers=[ck.regularizers.total_variation(weight, beta)],
        optimizer="lbfgs",
        steps=60,
        progress=False,
    ).images[:, :, 30:90, 10:70]
ck.show_images([cat[:, :, 30:90, 10:70], *eyes.values()], ["the picture", *eyes], columns=4)


# %% id="beta-claim"
def peak(x):
    """Return how much the largest jumps between neighbours (the top 1 %) exceed the mean one."""
    jumps = x.diff(dim=3).abs().flatten()
    return (jumps.quantile(0.99) / jumps.mean()).item()


peaks = {name: peak(x) for name, x in eyes.items()}
print("with β = 1 the largest jumps stand out most:", peaks["β = 1"] > peaks["β = 2"] > peaks["β = 3"])

# %% [markdown] id="beta-read" slideshow={"slide_type": "skip"}
# With β = 1 one jump of 1 costs as much as ten of 0.1. So the search makes flat patches, and puts what the code asks for into few pixels: *spikes*. With
# β = 2 the one jump costs ten times as much as the ten small ones, and everything becomes soft.

# %% [markdown] id="wrong-title" slideshow={"slide_type": "slide"}
# ## What goes wrong 1 · the code is right, and there is no picture
#
# The code of the last layer, the logits, without total variation.
#
# **Predict first.** What will CourseNet say of it? And another network?

# %% id="wrong" slideshow={"slide_type": "-"}
nothing = ck.invert(coursenet, cat, "fc8", weight=0, parameterization=among_pixels).images
lite = ck.load_model("efficientnet_lite0")


def top(model, images):
    x = F.interpolate(images, size=(model.input_size,) * 2, mode="bilinear", antialias=True)
    return [best[0][0] for best in ck.predict(model, x.clamp(0, 1), top=1)]


ck.show_predictions(torch.cat([cat, nothing]), ck.predict(coursenet, torch.cat([cat, nothing]), top=3))

# %% id="wrong-claim"
wrong = ck.inversion_error(coursenet, nothing, "fc8", cat, others=photos).item()
print("its logits are the cat's, to a quarter of the way to another picture:", wrong < 1 / 4)
print("CourseNet says the same of both:", top(coursenet, cat) == top(coursenet, nothing))
print("EfficientNet-Lite0 says the same of both:", top(lite, cat) == top(lite, nothing))

# %% [markdown] id="wrong-read" slideshow={"slide_type": "skip"}
# A small error of the code is not a good inversion. This is lab 08 once more: a fooling image *is* an inversion without a prior. The error
# tells how good the search was, never how good the picture is.

# %% [markdown] id="hog-title" slideshow={"slide_type": "slide"}
# ## Older codes by the same loop: HOG and SIFT
#
# Before networks, codes were written by hand: histograms of the directions of edges, in cells of 8 pixels (HOG: Dalal & Triggs 2005; SIFT: Lowe
# 2004). As layers in torch they have gradients, so the same search inverts them.
#
# **Predict first.** What do they keep that *pool5* does not? What do they lose?

# %% id="hog" slideshow={"slide_type": "-"}
by_hand = {"HOG": "hog", "dense SIFT": "sift"}
by_hand_found = {
    name: ck.invert(ck.descriptor(kind), cat, kind, weight=1).images.mean(1, keepdim=True)
    for name, kind in by_hand.items()
}
ck.show_images(list(by_hand_found.values()), list(by_hand_found), columns=2)

# %% [markdown] id="hog-read" slideshow={"slide_type": "skip"}
# The lines are all there, each in its place: these codes have 16 × 16 places. The colour is gone, and for HOG also which side of an edge is the bright
# one. No learning, no forgetting: what a cell throws away is thrown away everywhere.

# %% [markdown] id="decoder" slideshow={"slide_type": "slide"}
# ## The other way: learn to invert
#
# Dosovitskiy & Brox (2016) train a second network, the **decoder** $f$, on many pictures:
#
# $$ \min_f \; \mathbb E \, \lVert x - f(\Phi(x)) \rVert^2 $$
#
# - The search finds **one** picture with this code. The decoder gives the **mean of all pictures** with this code: $f(c) = \mathbb E[x \mid \Phi(x) = c]$.
# - A mean is blurred wherever the code leaves a choice: **pixel loss**.
# - **Feature loss** adds two judges: CourseNet, who compares what it *sees* in both pictures, and a critic, who tells decoded pictures from photographs.
# - Training takes hours. After it, a picture costs one forward pass.

# %% [markdown] id="decoded-title" slideshow={"slide_type": "slide"}
# ## Four decoders
#
# They were trained with the flower among their pictures, and without the motorcycle.
#
# **Predict first.** Which row will be better? Which column will be sharpest?

# %% id="decoded" slideshow={"slide_type": "-"} tags=["gallery"]
flower, motorcycle = (ck.load_image(name, size=128) for name in ("flower", "motorcycle"))
both = torch.cat([flower, motorcycle])
decoded = {
    f"{name}, {loss} loss": ck.load_decoder(name, loss)(code(coursenet, both, layer))
    for name, layer in (("conv5", "pool5"), ("fc6", "relu6"))
    for loss in ("pixel", "feature")
}
ck.show_images(
    [picture[i : i + 1] for i in range(2) for picture in (both, *decoded.values())],
    ["the picture", *decoded] * 2,
    columns=5,
)

# %% [markdown] id="decoded-read" slideshow={"slide_type": "skip"}
# The colours, and roughly where they are, come back even from *fc6*, where the search gives a jumble: a bright flower on dark green; red in the middle, a pale floor
# below. So they **were** in the code: the search only had no reason to prefer them. The decoder has one: it has seen thousands of pictures, and knows what goes
# with what. From *conv5* the forms come back, too: that code has 16 places.

# %% [markdown] id="against-title" slideshow={"slide_type": "slide"}
# ## Search against decoder, in numbers
#
# The motorcycle from the code of *fc6*.
#
# **Predict first.** Who wins in the error of the pixels, in the error of the code, and in time?

# %% id="against" slideshow={"slide_type": "-"}
began = time.process_time()
by_search = invert(motorcycle, "relu6", steps=60)
search_time = time.process_time() - began
from_fc6, its_code = ck.load_decoder("fc6", "feature"), code(coursenet, motorcycle, "relu6")
began = time.process_time()
for _ in range(10):
    by_decoder = from_fc6(its_code)
decoder_time = (time.process_time() - began) / 10
rivals = torch.cat([by_search, by_decoder])
pixel_error = (rivals - motorcycle).flatten(1).norm(dim=1)
code_error = ck.inversion_error(coursenet, rivals, "relu6", motorcycle, others=photos)
print("the decoder is nearer in pixels:", bool(pixel_error[1] < pixel_error[0]))
print("the search is nearer in the code:", bool(code_error[0] < code_error[1]))
print("60 steps of search cost more than 50 times as much as the decoder:", search_time > 50 * decoder_time)

# %% [markdown] id="against-read" slideshow={"slide_type": "skip"}
# Each wins at what it minimises: the search at the code, the decoder at the pixels. The paper says that a decoder is about a thousand times faster: their
# search took thousands of steps, ours takes 60. So count in steps: one step of search costs as much as a few decoded pictures.

# %% [markdown] id="hog-decoded-title" slideshow={"slide_type": "skip"}
# ## HOG and SIFT through a decoder
#
# HOG holds no colour at all. **Predict first.** Which colour will the decoder give the flower, and which the motorcycle?

# %% id="hog-decoded" slideshow={"slide_type": "skip"}
old = {name: ck.load_decoder(kind)(code(ck.descriptor(kind), both, kind)) for name, kind in by_hand.items()}
ck.show_images(
    [picture[i : i + 1] for i in range(2) for picture in (both, *old.values())], ["the picture", *old] * 2, columns=6
)

# %% [markdown] id="hog-decoded-read" slideshow={"slide_type": "skip"}
# The lines come from the code. The colours do not, for they are not in it: from SIFT the orange flower comes out grey-green. The decoder paints the
# colours that such lines had in its training. It paints what it expects.

# %% [markdown] id="expects-title" slideshow={"slide_type": "slide"}
# ## What goes wrong 2 · a decoder paints what it expects
#
# Three codes of *fc6*: of white noise, of a page of text, and of **no picture at all** (each of the 512 numbers taken from the code of another photograph).
#
# **Predict first.** Which of the three decoded pictures will tell you that something is wrong?

# %% id="expects" slideshow={"slide_type": "-"}
generator = torch.Generator().manual_seed(1)
noise, page = torch.rand(cat.shape, generator=generator), ck.load_image("page", size=128)
real = code(coursenet, photos, "relu6")
shuffled = real.gather(0, torch.randint(len(photos), (1, 512), generator=generator))
noise_decoded, page_decoded = (from_fc6(code(coursenet, x, "relu6")) for x in (noise, page))
ck.show_images(
    [noise, noise_decoded, page, page_decoded, from_fc6(shuffled)],
    ["noise", "decoded", "a page", "decoded", "no picture, decoded"],
    columns=5,
)


# %% id="expects-claim"
def lost(x):
    """Return the mean squared error of the decoded pictures as a part of each picture's variance."""
    made = from_fc6(code(coursenet, x, "relu6"))
    return ((made - x).pow(2).flatten(1).mean(1) / x.flatten(2).var(2).mean(1)).mean().item()


def grain(x):
    return x.diff(dim=3).abs().mean().item()


unseen = ("toucan", "violin", "lemon", "bear")
unseen = torch.cat([motorcycle, *(ck.load_scene(name, seed=1, size=128).image for name in unseen)])
print("the noise is decoded to something three times smoother:", grain(noise) > 3 * grain(noise_decoded))
print("photographs of its training lose less than unseen pictures:", lost(photos[[0, 2, 3, 5, 6]]) < lost(unseen))
print("and unseen ones lose more than one flat colour would, each picture's mean:", lost(unseen) > 1)

# %% [markdown] id="expects-read" slideshow={"slide_type": "skip"}
# The decoder has no way to say "I have never seen such a code". The code of no picture becomes a scene at dusk. So judge a decoder on
# pictures that it was not trained on, and check its result: run the network on it, and compare the codes. (Worse than a flat colour? Its texture is
# invented, and an invented edge at the wrong place costs more squared error than no edge.)

# %% [markdown] id="between-title" slideshow={"slide_type": "slide"}
# ## Between two pictures
#
# On the left we mix the pixels. Then the codes of *fc6*, and decode: $f\big((1 - t)\, c_1 + t\, c_2\big)$.
#
# **Predict first.** What is halfway between the two codes?

# %% id="between" slideshow={"slide_type": "-"}
shares = (0, 0.25, 0.5, 0.75, 1)
ends = code(coursenet, both, "relu6")
double = (flower + motorcycle) / 2
ck.show_images(
    [double, *(from_fc6((1 - t) * ends[:1] + t * ends[1:]) for t in shares)],
    ["pixels, t = 0.5", *(f"codes, t = {t}" for t in shares)],
    columns=6,
)

# %% id="between-claim"
middle = code(coursenet, double, "relu6")
gap = (middle - ends.mean(0, keepdim=True)).norm() / (ends[0] - ends[1]).norm()
print("the code of the mixed pixels is far from the mixed code (a fifth of the whole way or more):", bool(gap > 0.2))

# %% [markdown] id="between-read" slideshow={"slide_type": "skip"}
# Mixed pixels are a double exposure, a picture that no camera takes. Halfway between two codes lies no photograph either, but the decoder gives
# one scene, with colours and forms between the two.

# %% [markdown] id="generator-title" slideshow={"slide_type": "slide"}
# ## A code that we choose ourselves
#
# Dosovitskiy et al. (2017): a network that draws chairs from style, angle, position. Ours draws shapes from 17 numbers, and their **masks**.
#
# **Predict first.** The kind is six numbers, one of them 1. What is half a star and half a circle? And is the mean of 0° and 60° a triangle turned by 30°?

# %% id="generator" slideshow={"slide_type": "-"} tags=["gallery"]
draw, orange = ck.load_generator(), (0.85, 0.3, 0.1)
star, circle, triangle, turned = (
    ck.shape_parameters(kind, orange, radius=0.35, angle=angle)
    for kind, angle in (("star", 0), ("circle", 0), ("triangle", 0), ("triangle", 60))
)
with torch.no_grad():
    kinds = draw(torch.cat([(1 - t) * star + t * circle for t in shares]))
    angles = draw(torch.cat([ck.shape_parameters("triangle", orange, 0.35, angle) for angle in (0, 15, 30, 45)]))
    halfway = draw((triangle + turned) / 2)
ck.show_images(
    [kinds[:, :3], kinds[::2, 3:], angles[:, :3], halfway[:, :3]],
    [f"t = {t}" for t in shares]
    + [f"mask, {t}" for t in shares[::2]]
    + [f"{angle}°" for angle in (0, 15, 30, 45)]
    + ["mean 0°, 60°"],
    columns=8,
)


# %% id="generator-claim"
def overlap(first, second):
    """Return the intersection of two masks over their union."""
    a, b = first > 0.5, second > 0.5
    return ((a & b).sum() / (a | b).sum()).item()


picture, mask = ck.stimuli.shape("star", orange, 0.35)
print("the mask of its star overlaps the drawn one by more than 70 %:", overlap(kinds[:1, 3:], mask) > 0.7)
print("its colours are off by less than a tenth of the range:", bool((kinds[:1, :3] - picture).abs().mean() < 0.1))
true_masks = [ck.stimuli.shape("triangle", orange, 0.35, angle)[1] for angle in (0, 15, 30, 45)]
turns = [overlap(made[None, 3:], true) for made, true in zip(angles, true_masks, strict=True)]
print("each angle that we ask for gives the turned triangle, more than 75 %:", min(turns) > 0.75)
print("the mean of two rows does not:", overlap(halfway[:, 3:], true_masks[2]) < min(turns))

# %% [markdown] id="generator-read" slideshow={"slide_type": "skip"}
# Halfway from the star to the circle the generator draws a pentagon, a shape that it was never shown. Angles it has learnt, too: ask for 30° and it turns
# the triangle. But *mix* the rows of 0° and 60°, and you get a round blob. The angle is written as a sine and a cosine (of three times
# the angle, since a triangle turned by 120° is the same): a circle, on which the two are opposite points. The mean of the two is the circle's centre, no angle at
# all, and the generator draws what all angles have in common. A straight line through a code is only right where the code is straight.

# %% [markdown] id="arithmetic-title" slideshow={"slide_type": "slide"}
# ## Arithmetic with features
#
# Take the hidden code of 512 numbers (*relu_fc2*): red star − red circle + blue circle = ?
#
# **Predict first.** In the 17 parameters this sum is right by their very definition. Why need it not be right in the hidden code?

# %% id="arithmetic" slideshow={"slide_type": "-"}
red, blue = (0.85, 0.2, 0.2), (0.15, 0.3, 0.85)
terms = {
    "red star": ck.shape_parameters("star", red, radius=0.35),
    "− red circle": ck.shape_parameters("circle", red, radius=0.35),
    "+ blue circle": ck.shape_parameters("circle", blue, radius=0.35),
}
cut = list(dict(draw.named_children())).index("relu_fc2") + 1
mix, paint = draw[:cut], draw[cut:]
a, b, c = (mix(p) for p in terms.values())
results = {"= hidden code": paint(a - b + c), "a true blue star": draw(ck.shape_parameters("star", blue, radius=0.35))}
ck.show_images([x[:, :3] for x in (*map(draw, terms.values()), *results.values())], [*terms, *results], columns=5)

# %% id="arithmetic-claim"
sum_of_parameters = terms["red star"] - terms["− red circle"] + terms["+ blue circle"]
print(
    "in the parameters the sum is the blue star's row:",
    torch.allclose(sum_of_parameters, ck.shape_parameters("star", blue, radius=0.35)),
)
made, true = (x[:, 3:] for x in results.values())
print("the mask of the hidden sum overlaps the true star's by more than half:", overlap(made, true) > 0.5)

# %% [markdown] id="explorer-title" slideshow={"slide_type": "skip"}
# ## Your turn: choose layer, λ and β
#
# Change the seed, too: what stays is in the code. Or upload a picture of your own.

# %% id="explorer" slideshow={"slide_type": "skip"}
ck.explore_inversion(coursenet, "relu2", photograph="coffee")

# %% [markdown] id="score-title" slideshow={"slide_type": "slide"}
# ## Score it: layout, colour, class
#
# Four pictures, four layers. **Layout**: the correlation of the grey pictures at 8 × 8. **Colour**: the same of what is left without the grey.
#
# **Predict first.** Which is lost first? And up to which layer does *another* network still see the same class?


# %% id="score" slideshow={"slide_type": "-"}
def kept(made, picture):
    small = F.adaptive_avg_pool2d(torch.cat([picture, made]), 8)
    grey = small.mean(1, keepdim=True)
    return [torch.corrcoef(values.flatten(1))[0, 1].item() for values in (grey, small - grey)]


scores = torch.tensor([[kept(remade[name, layer], pictures[name]) for layer in judged] for name in chosen])
layout, colour = scores.mean(0).T.tolist()
ck.show_lines(
    range(len(judged)),
    {"layout": layout, "colour": colour},
    xlabel="layer",
    ylabel="correlation with the picture",
    ticks=judged,
)

# %% id="score-claim"
same = {}
for name, judge in (("CourseNet", coursenet), ("EfficientNet-Lite0", lite)):
    truth = {picture: top(judge, x) for picture, x in pictures.items()}
    same[name] = {layer: sum(top(judge, remade[n, layer]) == truth[n] for n in chosen) for layer in judged}
print("at relu2 both are kept (above 0.9):", min(layout[0], colour[0]) > 0.9)
print("at relu6 more of the colour is left than of the layout:", colour[2] > layout[2] + 0.1)
print("CourseNet sees the picture's class in at least 15 of 16 inversions:", sum(same["CourseNet"].values()) >= 15)
print(
    "EfficientNet-Lite0 in one of the 12 from pool5 on, at most:",
    sum(list(same["EfficientNet-Lite0"].values())[1:]) <= 1,
)

# %% [markdown] id="score-read" slideshow={"slide_type": "skip"}
# For CourseNet each inversion of its own code is what the picture was: that is what the search made sure of. The other network is the honest
# judge, and it sees corals and jugs. So the strokes are CourseNet's words, and not a picture's. (Four pictures are few. But the order, layout before colour before class, is
# easy to see in the pictures above.)

# %% [markdown] id="swap-title" slideshow={"slide_type": "slide"}
# ## Swap the network
#
# EfficientNet-Lite0: 16 blocks, no pooling, trained on a million photographs. The same function.

# %% id="swap" slideshow={"slide_type": "-"}
swapped = {
    layer: ck.invert(lite, cat, layer, weight=w, steps=60).images
    for layer, w in {"block3": 1, "block8": 1, "block13": 3, "fc": 3}.items()
}
ck.show_images(list(swapped.values()), list(swapped), columns=4)

# %% [markdown] id="exercises-title" slideshow={"slide_type": "slide"}
# ## Exercises
#
# | | what you do | difficulty | minutes |
# |---|---|---|---|
# | 09.1 | the error of a code | ★ | 5 |
# | 09.2 | total variation | ★★ | 10 |
# | 09.3 | search with L-BFGS | ★★ | 12 |
# | 09.4 | between two codes | ★★ | 10 |
# | 09.5 | the unit of the error | ★ | 8 |
#
# Each check says ✓, or which mistake it has recognised.

# %% [markdown] id="e1-card"
# ### Exercise 09.1 · The error of a code
# *★ · 5 minutes.* `a` holds codes (N, C, H, W), `goal` one code (1, C, H, W). Return $\lVert a - a_0 \rVert^2 / \lVert a_0 \rVert^2$, one number for each image.
# **You will probably** forget the denominator, or add up the whole batch.


# %% id="e1-starter"
def code_loss(a, goal):
    return ...


# %% id="e1-solution" jupyter={"source_hidden": true} tags=["solution"]
def code_loss(a, goal):
    difference = (a - goal).flatten(1)
    return difference.square().sum(1) / goal.square().sum()


# %% id="e1-check"
ck.check("09.1", code_loss)

# %% [markdown] id="e2-card"
# ### Exercise 09.2 · Total variation
# *★★ · 10 minutes.* For images `x` (N, C, H, W) return $\frac{1}{HW} \sum (\Delta_v^2 + \Delta_h^2)^{\beta/2}$, one number for each image, summed over all channels
# and over all pixels that have a neighbour below **and** one to the right.
# **You will probably** look along one direction only.


# %% id="e2-starter"
def total_variation(x, beta):
    return ...


# %% id="e2-solution" jupyter={"source_hidden": true} tags=["solution"]
def total_variation(x, beta):
    below, beside = x.diff(dim=2)[..., :-1], x.diff(dim=3)[..., :-1, :]
    length = torch.hypot(below, beside)
    return (length**beta).sum((1, 2, 3)) / (x.shape[2] * x.shape[3])


# %% id="e2-check"
ck.check("09.2", total_variation)

# %% [markdown] id="e3-card"
# ### Exercise 09.3 · Search with L-BFGS
# *★★ · 12 minutes.* Minimise `loss(x)` over pictures in $[0, 1]$: begin with a copy of `start`, make `steps` steps of `torch.optim.LBFGS([x], max_iter=5)`, clamp
# after each, and return the picture.
# **You will probably** clamp inside the closure. L-BFGS calls it several times a step and compares the gradients; a point that you moved in between misleads it.


# %% id="e3-starter"
def search(loss, start, steps):
    return ...


# %% id="e3-solution" jupyter={"source_hidden": true} tags=["solution"]
def search(loss, start, steps):
    picture = start.detach().clone().requires_grad_(True)
    optimizer = torch.optim.LBFGS([picture], max_iter=5)

    def look():
        optimizer.zero_grad()
        value = loss(picture)
        value.backward()
        return value

    for _ in range(steps):
        optimizer.step(look)
        with torch.no_grad():
            picture.clamp_(0, 1)
    return picture.detach()


# %% id="e3-check"
ck.check("09.3", search)

# %% [markdown] id="e4-card"
# ### Exercise 09.4 · Between two codes
# *★★ · 10 minutes.* Return what `decode` paints from the code that is a share `t` of the way from the code of `first` to that of `second`. The decoder knows codes
# of the layer `relu6`.
# **You will probably** take the code of `fc6`, before the ReLU.


# %% id="e4-starter"
def between(model, decode, first, second, t):
    return ...


# %% id="e4-solution" jupyter={"source_hidden": true} tags=["solution"]
def between(model, decode, first, second, t):
    with ck.capture(model, ["relu6"]) as maps, torch.no_grad():
        model(torch.cat([first, second]))
    here, there = maps["relu6"].split(1)
    return decode(torch.lerp(here, there, t))


# %% id="e4-check"
ck.check("09.4", between)

# %% [markdown] id="e5-card"
# ### Exercise 09.5 · The unit of the error
# *★ · 8 minutes.* `codes` are the codes (M, K) of M pictures. Return $N_\Phi$, the mean distance between two **different** ones.
# **You will probably** count each code's distance to itself.


# %% id="e5-starter"
def unit_of_error(codes):
    return ...


# %% id="e5-solution" jupyter={"source_hidden": true} tags=["solution"]
def unit_of_error(codes):
    m = len(codes)
    return torch.cdist(codes, codes).sum() / (m * (m - 1))


# %% id="e5-check"
ck.check("09.5", unit_of_error)

# %% [markdown] id="recap" slideshow={"slide_type": "slide"}
# ## Recap
#
# - Many pictures share one code. The match asks for any of them; the prior (α-norm, total variation) or the decoder's training chooses.
# - Early codes are photographs, *pool5* keeps parts and places, the last layers keep what the class needs. Colour and layout are in *fc6* still: a decoder brings them back.
# - A right code is no right picture, and a fine picture is no proof: it may be what the decoder expects.

# %% [markdown] id="quiz" slideshow={"slide_type": "slide"}
# ## Quiz
#
# 1. The error of the code is 0.02 and the picture is noise. Did the search fail?
# <details><summary>Answer</summary>No. Noise can have the cat's code. What is missing is a prior that prefers pictures.</details>
#
# 2. Why do four starts tell more than one?
# <details><summary>Answer</summary>What the four results share is in the code. What differs between them, the code does not know.</details>
#
# 3. Why is the picture of a decoder with pixel loss blurred?
# <details><summary>Answer</summary>It gives the mean of all pictures with that code. Where the code leaves a choice, the mean is blurred.</details>
#
# 4. A decoder paints the cat from HOG in a warm brown. Is colour in HOG?
# <details><summary>Answer</summary>No. HOG is computed from grey values. The decoder paints the colour that such lines had in its training.</details>

# %% [markdown] id="reading" slideshow={"slide_type": "slide"}
# ## Further reading
#
# - A. Mahendran, A. Vedaldi. *Understanding deep image representations by inverting them.* CVPR 2015.
# - A. Dosovitskiy, T. Brox. *Inverting visual representations with convolutional networks.* CVPR 2016.
# - A. Dosovitskiy, T. Brox. *Generating images with perceptual similarity metrics based on deep networks.* NeurIPS 2016.
# - A. Dosovitskiy, J. T. Springenberg, M. Tatarchenko, T. Brox. *Learning to generate chairs, tables and cars with convolutional networks.* TPAMI 2017.
# - N. Dalal, B. Triggs. *Histograms of oriented gradients for human detection.* CVPR 2005. D. G. Lowe. *Distinctive image features from scale-invariant keypoints.* IJCV 2004.
#
# **Next:** lab 10 lets a layer see more of what it sees.
