# %% [markdown] id="title" slideshow={"slide_type": "slide"}
# # 09 · Inversion
# ### How much of the picture is left in a code?
#
# After this lab you will be able to
#
# - turn the code of any layer back into a picture, by search and by a trained decoder,
# - say what total variation, its weight λ and its exponent β do to the result,
# - measure what a layer keeps: the code's error, the layout, the colour, the class,
# - tell what a reconstruction shows of the code from what the prior has painted,
# - say what a network that was trained against attacks keeps in its code.

# %% [markdown] id="contract" slideshow={"slide_type": "skip"}
# **First do** labs 00 and 04. It helps to know labs 01 (CourseNet), 07 (frequencies) and 08 (fooling images).
#
# **Run time** about 85 s on one CPU core. **Memory** below 1.5 GB. **Words** are explained in the [glossary](../docs/glossary.md).

# %% id="install" jupyter={"source_hidden": true} slideshow={"slide_type": "skip"}
from importlib.util import find_spec

if find_spec("coursekit") is None:  # on Colab, Kaggle, or in another environment than the course's own
    print("coursekit is missing here: copy coursekit-*.whl beside this notebook (README.md says how to make it),")
    print("run  %pip install coursekit-*.whl  in a cell, and restart the kernel.")

# %% id="setup"
import colorsys

import torch
import torch.nn.functional as F

import coursekit as ck

ck.setup(seed=0)
lite, twin = ck.load_model("efficientnet_lite0"), ck.load_model("efficientnet_lite0_robust")
coursenet, judge = ck.load_model("coursenet"), ck.load_model("efficientnet_lite1")
cat = ck.load_image("chelsea", size=224)

# %% [markdown] id="question" slideshow={"slide_type": "slide"}
# ## What does a layer still know of the picture?
#
# At *block16* EfficientNet-Lite0 has turned 150,528 numbers, the picture, into a **code** of $320 \times 7 \times 7$ numbers. At the end it has 1,000 logits. What is still in them? The cat? Her eyes? Their
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
for layer in ("block5", "block11", "block16", "fc"):
    print(f"numbers of the code at {layer}: {code(lite, cat, layer).numel()}")

# %% [markdown] id="question-say" slideshow={"slide_type": "notes"}
# Let everybody write a layer down. The code of block16 has about a tenth of the picture's numbers. Fewer numbers alone do not say what is lost: the search will show it.

# %% [markdown] id="idea" slideshow={"slide_type": "slide"}
# ## Search for a picture with the same code
#
# Let $\Phi$ be the network up to the layer, and $\Phi_0 = \Phi(x_0)$ the code. Find a picture with the same code that also looks like a picture:
#
# $$ x^* = \arg\min_x \; \frac{\lVert \Phi(x) - \Phi_0 \rVert^2}{\lVert \Phi_0 \rVert^2} \;+\; \lambda_\alpha \mathcal R_\alpha(x) \;+\; \lambda\, \mathcal R_{V^\beta}(x) $$
#
# - $\mathcal R_\alpha(x) = \frac{1}{HW} \sum |2x - 1|^\alpha$ with $\alpha = 6$: no value far from grey without need.
# - $\mathcal R_{V^\beta}(x) = \frac{1}{HW} \sum (\Delta_v^2 + \Delta_h^2)^{\beta/2}$: the **total variation**, neighbours should agree.
#
# Many pictures share one code. The first term asks for all of them, the other two choose.
#
# Mahendran & Vedaldi, *Understanding deep image representations by inverting them*, CVPR 2015.

# %% [markdown] id="idea-say" slideshow={"slide_type": "notes"}
# Ask why the first term is not enough. A late layer forgets so much that many pictures share its code, and most of them do not look like pictures.

# %% [markdown] id="code-title" slideshow={"slide_type": "slide"}
# ## The search: Adam on the difference of two codes


# %% id="prior"
def prior(x, weight, beta):
    down, right = x[..., 1:, :-1] - x[..., :-1, :-1], x[..., :-1, 1:] - x[..., :-1, :-1]
    variation = (down**2 + right**2 + 1e-8).pow(beta / 2).sum()  # the small number: a root of 0 has no derivative
    return (weight * variation + 0.01 * (2 * x - 1).abs().pow(6).sum()) / x[0, 0].numel()


# %% id="readable" slideshow={"slide_type": "-"} tags=["show-code"]
def my_inversion(model, layer, image, weight=1.0, beta=2.0, steps=80):
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
small = ck.load_image("chelsea", size=128)
mine = my_inversion(coursenet, "relu3", small, steps=2)  # Adam soon makes much of a last digit
torch.testing.assert_close(mine, ck.invert(coursenet, small, "relu3", weight=1, steps=2).images, atol=5e-3, rtol=0)
print("my_inversion and ck.invert give the same picture")

# %% [markdown] id="same-read" slideshow={"slide_type": "skip"}
# Two things differ from the paper, and neither is in the formula. It searches among *pixels*, we among *frequencies* (lab 07: the same minima, reached by a calmer
# path). And it takes thousands of small steps with momentum, we some 40 of Adam. From here on slow waves move a little more than fast ones (`decay=1.25`), and for deep layers `ck.invert` rolls the picture by a pixel or
# two before each look (`jitter`), as in the authors' second paper of 2016.

# %% [markdown] id="layers-title" slideshow={"slide_type": "slide"}
# ## From the first blocks to the logits
#
# Below each picture stands its error. The code's error is the distance of the codes as a part of the code's length: 0 is the same code. The pixels' error is that of the pictures.
#
# **Predict first.** What goes first: the details, the colours, or the places of things?

# %% id="layers" slideshow={"slide_type": "fragment"} tags=["gallery"]
smooth = ck.parameterizations.fourier(decay=1.25)
priors = {"block5": (1, 0), "block11": (1, 2), "block16": (0.3, 2), "fc": (0.3, 4)}  # layer -> λ and jitter


def invert(model, image, layer, steps=40, **options):
    weight, jitter = priors.get(layer, (3, 2))
    options = {"weight": weight, "jitter": jitter, "parameterization": smooth} | options
    return ck.invert(model, image, layer, steps=steps, **options).images


inverted = {layer: invert(lite, cat, layer) for layer in priors}
errors = {layer: ck.inversion_error(lite, x, layer, cat).item() for layer, x in inverted.items()}
pixels = {layer: ((x - cat).norm() / cat.norm()).item() for layer, x in inverted.items()}
titles = [f"{layer}: code {errors[layer]:.1f}, pixels {pixels[layer]:.1f}" for layer in inverted]
ck.show_images([cat, *inverted.values()], ["the picture", *titles], columns=5)

# %% [markdown] id="layers-read" slideshow={"slide_type": "notes"}
# From *block5* the cat is nearly a photograph, only the colours are off: blue on the nose. From *block11* the eyes, the nose and the fur are in their places, and most of the colour has gone. From *block16*, a map of 7 × 7 places, fur is left, and lines as of eyes and a muzzle, but no face that you would know. The logits give hints of fur.
#
# So colour goes first, then the places, and what stays says *what* and hardly *where*. λ differs from layer to layer, as in the paper. The deep layers also get jitter, for they hardly react to a shift by a pixel or two.

# %% [markdown] id="photographs-title" slideshow={"slide_type": "slide"}
# ## Four more pictures, painted with more steps
#
# **Predict first.** Will the cup stand on its saucer at *block16*? What of the motorcycle do the logits keep?

# %% [markdown] id="photographs-text" slideshow={"slide_type": "skip"}
# The same layers, 80 to 150 steps (`tools/inversion_gallery.py`).

# %% id="photographs" slideshow={"slide_type": "-"}
names = ("chelsea", "coffee", "motorcycle", "china", "flower")
photos = torch.cat([ck.load_image(name, size=160) for name in names])


def tiles(name, columns):
    """Cut a stored sheet: (rows, columns, 3, side, side)."""
    sheet = ck.load_image(ck.feature_gallery(name))[0]
    side = sheet.shape[2] // columns
    return sheet.unfold(1, side, side).unfold(2, side, side).permute(1, 2, 0, 3, 4)


plate = tiles("inversion", columns=4)
rows = [torch.cat([photos[i : i + 1], plate[i]]) for i in range(1, 5)]
ck.show_images(torch.cat(rows), ["the picture", *priors] * 2 + 10 * [""], columns=10)

# %% id="errors-claim" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
ck.claim("the cat, error of the pixels, block5", pixels["block5"], below=0.4)
ck.claim("error of the code, block16", errors["block16"], below=0.8)
ck.claim(
    "error of the code of another photograph there",
    ck.inversion_error(lite, ck.load_image("coffee", size=224), "block16", cat),
    above=1,
)

# %% [markdown] id="photographs-read" slideshow={"slide_type": "skip"}
# At *block11* each object is whole, with a part of its colours. At *block16* the tower has its roofs, one above the other; the flower has petals; of the cup a rim is left, tilted, without a saucer to stand on, and the motorcycle is a heap of round parts. From the logits you could still tell the flower by its petals, and perhaps the tower by the corner of a roof. The cup and the motorcycle are gone.
#
# A small error is no matter of course: at *block16* the code of the cat's inversion is about half its length away. The code of another photograph is farther away than the whole length.

# %% [markdown] id="starts-title" slideshow={"slide_type": "slide"}
# ## Four starts, one code
#
# Above, four searches in the code of *block5*, below in that of *block16*; each begins with other noise. **Predict first.** In which row will they agree?

# %% id="starts" slideshow={"slide_type": "fragment"}
cat_160 = ck.load_image("chelsea", size=160)
four = {layer: invert(lite, cat_160, layer, n=4) for layer in ("block5", "block16")}
ck.show_images(
    torch.cat(list(four.values())), [f"{layer}, start {i}" for layer in four for i in (1, 2, 3, 4)], columns=4
)


# %% id="starts-claim" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
def blurred(x, side):
    return F.avg_pool2d(x, side, 1, side // 2, count_include_pad=False)


def likeness(x):
    """Return the mean correlation of two different pictures, without grain and without the brightness of large areas."""
    grey = x.mean(1, keepdim=True)
    pairs = torch.corrcoef((blurred(grey, 5) - blurred(grey, 31)).flatten(1))
    return pairs[~torch.eye(len(x), dtype=torch.bool)].mean().item()


alike_5, alike_16 = (likeness(x) for x in four.values())
print(f"mean correlation of six pairs: block5 {alike_5:.2f}, block16 {alike_16:.2f}")
ck.claim("mean correlation of the pairs, block5 less block16", alike_5 - alike_16, above=0.1)

# %% [markdown] id="starts-read" slideshow={"slide_type": "notes"}
# From *block5* four times the same cat, with the same eyes, stripes and nose; but the tint and the brightness of large areas differ from start to start: one eye is blue, then green. From *block16* four different arrangements of fur and dark folds. Without grain, and without the brightness of large areas, two pictures correlate by about 0.4 from *block5* and not at all from *block16*. What the four have in common is in the code. What differs, the code does not know. This is how to read an inversion: never one alone.

# %% [markdown] id="prior-title" slideshow={"slide_type": "slide"}
# ## The prior: λ and β
#
# **Predict first.** What does the search do when nothing holds it back? A jump of 1, or ten jumps of 0.1: which is cheaper for β = 1, and which for β = 2?

# %% [markdown] id="prior-text" slideshow={"slide_type": "skip"}
# Above, CourseNet's *relu4*, searched among pixels as in the paper, with three weights λ of the total variation (β = 2). Below its *relu2* with three exponents β, and for each the λ at which
# the code's error is about 0.15, so that the pictures differ by β alone.

# %% id="prior-figure" slideshow={"slide_type": "fragment"}
among_pixels = ck.parameterizations.pixels()
by_weight = {
    w: ck.invert(coursenet, small, "relu4", weight=w, parameterization=among_pixels, steps=60).images
    for w in (0, 10, 1000)
}
by_exponent = {}
for beta, weight in ((1, 1), (2, 10), (3, 100)):
    by_exponent[beta, weight] = ck.render(
        coursenet,
        ck.objectives.match(coursenet, small, "relu2"),
        size=128,
        parameterization=among_pixels,
        transforms=[],
        regularizers=[ck.regularizers.total_variation(weight, beta)],
        optimizer="lbfgs",
        steps=60,
        progress=False,
    ).images
eye = [x[:, :, 30:90, 10:70] for x in (small, *by_exponent.values())]
ck.show_images(
    [small, *by_weight.values(), *eye],
    ["the picture", *(f"λ = {w}" for w in by_weight), "the eye", *(f"β = {b}, λ = {w}" for b, w in by_exponent)],
    columns=4,
)


# %% id="prior-claim" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
def peak(x):
    """Return how much the largest jumps between neighbours (the top 1 %) exceed the mean one."""
    jumps = x.diff(dim=3).abs().flatten()
    return (jumps.quantile(0.99) / jumps.mean()).item()


near = {w: (x - small).norm().item() / small.norm().item() for w, x in by_weight.items()}
peaks = [peak(x) for x in by_exponent.values()]
for w, x in by_weight.items():
    print(f"λ = {w}: error of the code {ck.inversion_error(coursenet, x, 'relu4', small).item():.2f}")
for (beta, _), x, value in zip(by_exponent, by_exponent.values(), peaks, strict=True):
    missed = ck.inversion_error(coursenet, x, "relu2", small).item()
    print(f"β = {beta}: error of the code {missed:.2f}, largest jumps {value:.0f} times the mean jump")
ck.claim("error of the pixels, λ = 10 over λ = 0", near[10] / near[0], below=0.75)
ck.claim("error of the pixels, λ = 10 over λ = 1000", near[10] / near[1000], below=0.85)
ck.claim("largest jumps over the mean jump, β = 1 over β = 2", peaks[0] / peaks[1], above=1.3)
ck.claim("the same, β = 2 over β = 3", peaks[1] / peaks[2], above=1.1)

# %% [markdown] id="prior-read" slideshow={"slide_type": "notes"}
# Without λ the search writes into a fine grid of grain, which the network reads and we do not. With λ = 1000 the picture is a fog, and the code is
# missed. In between the code decides about the parts, and the prior about the grain.
#
# With β = 1 one jump of 1 costs as much as ten of 0.1. So the search makes flat patches with sharp borders: the largest jumps are some ten times the mean jump. With β = 2 the one jump costs ten times as much as the ten small ones, and with β = 3 a hundred times: the
# borders become soft, the largest jumps are some five and four times the mean. By eye β = 3 hardly differs from β = 2.

# %% [markdown] id="robust-title" slideshow={"slide_type": "slide"}
# ## What goes wrong 1 · the code is right, and there is no picture
#
# **Predict first.** In which pictures will you see the motorcycle?

# %% [markdown] id="robust-text" slideshow={"slide_type": "skip"}
# Now **no prior at all**: only the code of *block16*. The three after each photograph climb among pixels, from plain grey; the two after these among frequencies. The **twin** is EfficientNet-Lite0, trained on against attacks (lab 08).
# Same picture, same layer, same steps. The third, the twin again, was stopped early, when its code is as far from the goal as the plain network's.

# %% id="robust" slideshow={"slide_type": "-"}
ways = ("plain, pixels", "twin, pixels", "twin, stopped early", "plain, Fourier", "twin, Fourier")
bare = tiles("inversion_robust", columns=5)
rows = [torch.cat([photos[i : i + 1], bare[i]]) for i in (1, 2, 3, 4)]
ck.show_images(torch.cat(rows), ["the picture", *ways] * 2 + 12 * [""], columns=12)


# %% id="robust-score" slideshow={"slide_type": "skip"}
def seen_by(model, images):
    x = F.interpolate(images, size=(model.input_size,) * 2, mode="bicubic", antialias=True).clamp(0, 1)
    return ck.activations(model, x, ["avgpool"], reduce="flatten")["avgpool"]


goal = seen_by(judge, photos)
alike = torch.stack([F.cosine_similarity(seen_by(judge, bare[:, k]), goal) for k in range(5)])
chance = F.cosine_similarity(goal[:, None], goal[None], dim=2)[~torch.eye(5, dtype=torch.bool)].mean()
for way, values in zip(ways, alike, strict=True):
    print(f"{way}: {values.mean():.2f}, of single photographs {values.min():.2f} to {values.max():.2f}")
print(f"two different photographs: {chance:.2f}")
plain, robust, early, plain_waves, robust_waves = alike
ck.claim("photographs of 5 where the twin's picture is more alike, pixels", (robust > plain).sum().item(), at_least=5)
ck.claim("with the twin stopped early", (early > plain).sum().item(), at_least=5)
ck.claim("among frequencies", (robust_waves > plain_waves).sum().item(), at_least=5)
ck.claim(
    "mean likeness of the twin stopped early, less that of the plain network", early.mean() - plain.mean(), above=0.1
)

# %% [markdown] id="robust-read" slideshow={"slide_type": "skip"}
# The judge is EfficientNet-Lite1, which took no part: the number is the cosine of its codes (*avgpool*) of the inversion and of the picture. Two different photographs have 0.18. Among pixels the plain network's inversions are no more like their picture than that (0.17); the twin's reach 0.34, and more than the plain network's for each of the five photographs. Among frequencies it is 0.21 and 0.45. Stopping the twin early, at the plain network's error of the code, hardly changes this: so it is not the better search that
# makes the better picture.
#
# Among pixels the plain network's pictures are grain, with a faint shadow of a rim or a roof at best, and their code is nevertheless much nearer than that of another photograph. **A small error of the code is not a good inversion**: this is lab 08 once more, a fooling image *is* an inversion without a prior. The twin must not react to small changes. So grain does not help it, and the search has to draw edges: the rim of the cup, two wheels, a roof, petals.
# Engstrom et al. (2019) found this with a robust ResNet-50: there a code without any prior gives back a photograph. Our twin was trained for less than two hours of one core, on small attacks: so drawings of edges among pixels, and colours that are seldom right among frequencies (the coffee is blue).


# %% id="robust-live" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
def without_prior(model, image, steps=40):  # the small version: change the photograph, the layer, the steps
    goal, grey = ck.objectives.match(model, image, "block16"), ck.parameterizations.pixels("grey")
    how = {"parameterization": grey, "optimizer": "ascent", "rate": 0.005, "transforms": [], "progress": False}
    return ck.render(model, goal, size=image.shape[-1], steps=steps, **how).images


cup = ck.load_image("coffee", size=160)
of_plain, of_twin = (without_prior(model, cup) for model in (lite, twin))
live = F.cosine_similarity(seen_by(judge, torch.cat([of_plain, of_twin])), goal[1:2])
print(f"likeness of the cup, 40 steps at 160 pixels: plain network {live[0]:.2f}, twin {live[1]:.2f}")

# %% [markdown] id="swap-title" slideshow={"slide_type": "slide"}
# ## Swap the network: from which layer on is the cat lost?
#
# CourseNet has max-pooling and fully connected layers: *fc6* keeps 512 numbers, and no places.
#
# **Predict first.** From which layer on is the cat lost?

# %% id="swap" slideshow={"slide_type": "fragment"}
swapped = {
    layer: ck.invert(coursenet, small, layer, weight=w, jitter=j, steps=60).images
    for layer, (w, j) in {"relu2": (3, 0), "relu4": (5, 0), "pool5": (3, 2), "relu6": (3, 2)}.items()
}
ck.show_images([small, *swapped.values()], ["the picture", *swapped], columns=5)

# %% [markdown] id="swap-read" slideshow={"slide_type": "notes"}
# From *relu2* the cat is nearly a photograph, from *relu4* she is soft, and still herself. From *pool5*, a map of 4 × 4 places, fur and some dark and bright parts are left, at about their places. From *relu6*, the 512 numbers of *fc6* after their ReLU, the search gives strokes. Are the places lost, then? The next slides ask a second witness.

# %% [markdown] id="decoder" slideshow={"slide_type": "slide"}
# ## The other way: learn to invert
#
# Dosovitskiy & Brox (2016) train a second network, the **decoder** $f$, on many pictures:
#
# $$ \min_f \; \mathbb E \, \lVert x - f(\Phi(x)) \rVert^2 $$
#
# - The search finds **one** picture with this code. The decoder gives the **mean of all pictures** with this code: $f(c) = \mathbb E[x \mid \Phi(x) = c]$.
# - A mean is blurred wherever the code leaves a choice: **pixel loss**.
# - **Feature loss** adds two judges: CourseNet, who compares what it *sees* in both pictures, and a critic, who tells decoded pictures from photographs: an *adversarial* loss, as in a GAN.
# - Training takes hours. After it, a picture costs one forward pass.

# %% [markdown] id="decoder-say" slideshow={"slide_type": "notes"}
# Ask: two pictures share one code. What will a decoder paint that was trained by squared error? Their mean.

# %% [markdown] id="decoded-title" slideshow={"slide_type": "slide"}
# ## Search beside decoder, the same picture
#
# The code is *pool5* (the decoders call it conv5) or *relu6* (fc6). The decoders were trained on crops of three hundred photographs, the flower among them, the motorcycle not.
#
# **Predict first.** Which row will be better? Who wins in pixels, and who in the code?

# %% id="decoded" slideshow={"slide_type": "fragment"}
flower, motorcycle = (ck.load_image(name, size=128) for name in ("flower", "motorcycle"))
both = torch.cat([flower, motorcycle])
columns = {}
for name, layer in (("conv5", "pool5"), ("fc6", "relu6")):
    found = [ck.invert(coursenet, x[None], layer, weight=3, jitter=2, steps=60).images for x in both]
    columns[f"{layer}, search"] = torch.cat(found)
    for loss in ("pixel", "feature"):
        columns[f"{layer}, decoder, {loss} loss"] = ck.load_decoder(name, loss)(code(coursenet, both, layer))
ck.show_images(
    [picture[i : i + 1] for i in range(2) for picture in (both, *columns.values())],
    ["the picture", *columns] + 7 * [""],
    columns=7,
)

# %% id="decoded-claim" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
from_fc6 = ck.load_decoder("fc6", "feature")
rivals = {name: columns[f"relu6, {name}"] for name in ("search", "decoder, pixel loss", "decoder, feature loss")}
rivals["one flat colour, the mean"] = both.mean((2, 3), keepdim=True).expand_as(both)
in_pixels = {name: (x - both).flatten(1).norm(dim=1) for name, x in rivals.items()}
in_code = {
    name: torch.cat([ck.inversion_error(coursenet, x[i : i + 1], "relu6", both[i : i + 1]) for i in range(2)])
    for name, x in rivals.items()
}
for name, values in in_pixels.items():
    print(f"{name}: distance in pixels {values[0]:.0f} (flower) {values[1]:.0f} (motorcycle),", end=" ")
    print(f"error of the code {in_code[name][0]:.2f} and {in_code[name][1]:.2f}")
ck.claim(
    "distance in pixels, decoder with pixel loss over search, the larger of two pictures",
    (in_pixels["decoder, pixel loss"] / in_pixels["search"]).max(),
    below=1,
)
ck.claim(
    "error of the code, search over that decoder, the larger of two",
    (in_code["search"] / in_code["decoder, pixel loss"]).max(),
    below=0.8,
)

# %% [markdown] id="decoded-read" slideshow={"slide_type": "notes"}
# Each wins at what it minimises: the search at the code, the decoder with pixel loss at the pixels. (Its blur has a code as far away as that of one flat colour; with feature loss the decoder comes about half as far away.) From *relu6* the search gives a wreath of petals, and strokes for the motorcycle. The decoder with feature loss gives colours at about their places: a bright flower on dark green, red in the middle above a pale floor. The flower it may know by heart, the motorcycle it has never seen: so this red **was** in the 512 numbers, and the search had no reason to prefer it. From *pool5* the flower's form comes back, too.
#
# Yet the motorcycle is nothing that you would know again, a red patch over a pale one, and in pixels hardly nearer than one flat colour. Dosovitskiy & Brox (2016) show objects that one recognises from *fc6*; their decoders saw a million photographs and their code has 4,096 numbers. A search takes 60 steps, a decoder one forward pass.

# %% [markdown] id="hog-title" slideshow={"slide_type": "slide"}
# ## Older codes by the same loop: HOG and SIFT
#
# HOG does not tell dark-to-bright from bright-to-dark, SIFT does.
#
# **Predict first.** Which of the two will know what is bright in the picture? And which colour will a decoder give?

# %% [markdown] id="hog-text" slideshow={"slide_type": "skip"}
# Before networks, codes were written by hand: histograms of the directions of edges, in cells of 8 pixels (HOG: Dalal & Triggs 2005; SIFT: Lowe
# 2004). As layers in torch they have gradients, so the same search inverts them.

# %% id="hog" slideshow={"slide_type": "-"}
by_hand = {"HOG": "hog", "dense SIFT": "sift"}
subjects = {"cat": small, "flower": flower, "motorcycle": motorcycle}
from_hand = {}
for name, kind in by_hand.items():
    descriptor, decode = ck.descriptor(kind), ck.load_decoder(kind)
    for who, x in subjects.items():
        from_hand[name, "search", who] = ck.invert(descriptor, x, kind, weight=1, steps=60).images
        from_hand[name, "decoder", who] = decode(code(descriptor, x, kind))
shown = [(name, way) for name in by_hand for way in ("search", "decoder")]
ck.show_images(
    [x for who in ("cat", "flower") for x in (subjects[who], *(from_hand[(*key, who)] for key in shown))],
    ["the picture", *(f"{name}, {way}" for name, way in shown)] + 5 * [""],
    columns=5,
)


# %% id="hog-claim" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
def grey_likeness(x, y):
    return torch.corrcoef(torch.cat([x, y]).mean(1).flatten(1))[0, 1].item()


bright = {name: [grey_likeness(from_hand[name, "search", who], x) for who, x in subjects.items()] for name in by_hand}
matched = {
    (name, way): [
        ck.inversion_error(ck.descriptor(kind), from_hand[name, way, who], kind, x).item()
        for who, x in subjects.items()
    ]
    for name, kind in by_hand.items()
    for way in ("search", "decoder")
}
for name, values in bright.items():
    print(f"{name}, correlation of grey values with the picture:", *(f"{value:.2f}" for value in values))
for (name, way), values in matched.items():
    print(f"{name}, error of the code by {way}:", *(f"{value:.2f}" for value in values))
ck.claim(
    "mean correlation of grey values, SIFT less HOG", (sum(bright["dense SIFT"]) - sum(bright["HOG"])) / 3, above=0.15
)
ratios = [s / d for name in by_hand for s, d in zip(matched[name, "search"], matched[name, "decoder"], strict=True)]
ck.claim("error of the code, search over decoder, largest of six", max(ratios), below=1)

# %% [markdown] id="hog-read" slideshow={"slide_type": "skip"}
# The lines are there, each in its place: these codes have 16 × 16 places. From SIFT the search also finds what is bright and what is dark: its grey values correlate with the picture by about 0.7. From HOG by 0 to 0.4: it draws the line and guesses the side. The loud colours of the search mean nothing. Both codes see grey values alone, so any colour of that brightness has the same code. (No code here knows the absolute brightness; the α-norm keeps it near grey.)
#
# The colours of the decoders come from nowhere in the code. They are the colours that such lines had in the training: the orange flower comes out a greyish yellow-green from SIFT. A hand-made code forgets the same everywhere; a learnt one forgets what its task does not need.

# %% [markdown] id="expects-title" slideshow={"slide_type": "slide"}
# ## What goes wrong 2 · a decoder paints what it expects
#
# Three codes of *fc6*: of white noise, of a page of text, and of **no picture at all** (each of the 512 numbers taken from the code of another photograph).
#
# **Predict first.** Which of the three decoded pictures will tell you that something is wrong?

# %% id="expects" slideshow={"slide_type": "fragment"}
generator = torch.Generator().manual_seed(1)
noise, page = torch.rand(small.shape, generator=generator), ck.load_image("page", size=128)
eight = ("chelsea", "astronaut", "coffee", "rocket", "motorcycle", "china", "flower", "grace_hopper")
eight = torch.cat([ck.load_image(name, size=128) for name in eight])
real = code(coursenet, eight, "relu6")
shuffled = real.gather(0, torch.randint(len(real), (1, 512), generator=generator))
noise_decoded, page_decoded = (from_fc6(code(coursenet, x, "relu6")) for x in (noise, page))
ck.show_images(
    [noise, noise_decoded, page, page_decoded, from_fc6(shuffled)],
    ["white noise", "noise, decoded", "a page", "the page, decoded", "no picture, decoded"],
    columns=5,
)


# %% id="expects-claim" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
def lost(x):
    """Return the mean squared error of the decoded pictures as a part of each picture's variance."""
    made = from_fc6(code(coursenet, x, "relu6"))
    return ((made - x).pow(2).flatten(1).mean(1) / x.flatten(2).var(2).mean(1)).mean().item()


def grain(x):
    return x.diff(dim=3).abs().mean().item()


unseen = ("toucan", "violin", "lemon", "bear")
unseen = torch.cat([motorcycle, *(ck.load_scene(name, seed=1, size=128).image for name in unseen)])
ck.claim("jumps between neighbours, white noise over its decoded picture", grain(noise) / grain(noise_decoded), above=3)
ck.claim(
    "loss in unseen pictures over that in photographs of the training",
    lost(unseen) / lost(eight[[0, 2, 3, 5, 6]]),
    above=1.1,
)
ck.claim("loss in unseen pictures; one flat colour, each picture's mean, loses 1", lost(unseen), above=1)

# %% [markdown] id="expects-read" slideshow={"slide_type": "notes"}
# The decoder has no way to say "I have never seen such a code". Its weave for the noise may warn you, but the code of no picture becomes a scene with light and ground. So judge a decoder on
# pictures that it was not trained on, and check its result: run the network on it, and compare the codes. (Worse than a flat colour? Its texture is
# invented, and an invented edge at the wrong place costs more squared error than no edge.)

# %% [markdown] id="generator-title" slideshow={"slide_type": "slide"}
# ## A code that we choose ourselves
#
# **Predict first.** One property is changed in each strip. Which strip will the generator draw worst?

# %% [markdown] id="generator-text" slideshow={"slide_type": "skip"}
# Dosovitskiy et al. (2017) train a network that draws chairs from style, angle and position. Ours draws shapes, and their **masks**, from 17 numbers: six for the kind (one of them is 1), three for the colour, the radius, sine and cosine of the angle, two for the place, three for the background.
#
# The strips change the place of the centre, the radius (both in % of the width), the angle, the hue, and the grey of the background (100% is white).

# %% id="generator" slideshow={"slide_type": "-"}
draw, orange = ck.load_generator(), (0.85, 0.45, 0.1)
share = torch.linspace(0, 1, 5).tolist()
asked = {
    "place": [{"position": (0.3 + 0.4 * t, 0.5)} for t in share],
    "size": [{"radius": 0.15 + 0.25 * t} for t in share],
    "angle": [{"angle": 72 * t} for t in share],
    "colour": [{"colour": colorsys.hsv_to_rgb(0.7 * t, 0.8, 0.85)} for t in share],
    "background": [{"background": (0.9 - 0.7 * t,) * 3} for t in share],
}
star = {"kind": "star", "colour": orange, "radius": 0.3}
with torch.no_grad():
    drawn = {name: draw(torch.cat([ck.shape_parameters(**star | one) for one in row])) for name, row in asked.items()}
ck.show_images(
    [torch.cat(made[:, :3].split(1), 3) for made in drawn.values()],  # five squares side by side
    [
        "centre at 30, 40, 50, 60, 70 %",
        "radius 15, 21, 28, 34, 40 %",
        "turned by 0, 18, 36, 54, 72°",
        "hue 0, 63, 126, 189, 252°",
        "background 90, 73, 55, 38, 20 %",
    ],
    columns=2,
)


# %% id="generator-claim" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
def overlap(first, second):
    """Return the intersection of two masks over their union."""
    a, b = first > 0.5, second > 0.5
    return ((a & b).sum() / (a | b).sum()).item()


def right(kind):
    """Overlap of the drawn mask with the mask by rule: the least of each row."""
    worst = {}
    for name, row in asked.items():
        options = [star | {"kind": kind} | one for one in row]
        with torch.no_grad():
            masks = draw(torch.cat([ck.shape_parameters(**one) for one in options]))[:, 3:]
        truth = [ck.stimuli.shape(**one)[1] for one in options]
        worst[name] = min(overlap(m[None], t) for m, t in zip(masks, truth, strict=True))
    return worst


by_kind = {kind: right(kind) for kind in ck.stimuli.SHAPES}
for kind, worst in by_kind.items():
    print(kind, *(f"{name} {value:.1f}" for name, value in worst.items()))
ck.claim(
    "overlap with the shape drawn by rule, least of 150",
    min(min(worst.values()) for worst in by_kind.values()),
    above=0.6,
)

# %% [markdown] id="generator-read" slideshow={"slide_type": "skip"}
# All five strips do what was asked, as in figure 7 of the paper (there also stretch, brightness and the view from above). The strip of sizes is worst: of the smallest star, which has lost its points, the mask overlaps that of the star drawn by rule by 0.7 only (1 is the same mask). Circles and rings reach about 0.9 or more in every strip. In the pictures, though not in the masks, coloured shadows stand around the star on grey backgrounds. The first and the last star of the strip *angle* are the same: a star turned by 72° is itself.

# %% [markdown] id="sums-title" slideshow={"slide_type": "skip"}
# ## Three sums with codes
#
# **Predict first.** Row 1: what is half a star and half a circle? Row 2: is the mean of the codes for 0° and 60° a triangle turned by 30°? Row 3: red star − red circle + blue circle, in the hidden code of 512 numbers after the second layer (*relu_fc2*). In the 17 parameters that sum is right by definition. Why need it not be right here?


# %% id="sums" slideshow={"slide_type": "skip"}
def row(kind, colour=orange, angle=0):
    return ck.shape_parameters(kind, colour, 0.35, angle)


red, blue = (0.85, 0.2, 0.2), (0.15, 0.3, 0.85)
turned = torch.cat([row("triangle"), row("triangle", angle=60), row("triangle", angle=30)])
layer = list(dict(draw.named_children())).index("relu_fc2") + 1
hide, paint = draw[:layer], draw[layer:]


def add(kind, other):
    """Red kind − red other + blue other, in the hidden code."""
    return paint(hide(row(kind, red)) - hide(row(other, red)) + hide(row(other, blue)))


with torch.no_grad():
    morph = draw(torch.cat([torch.lerp(row("star"), row("circle"), t) for t in share]))
    at0, at60, at30 = draw(turned).split(1)
    halfway = draw(turned[:2].mean(0, keepdim=True))
    terms = [
        *draw(torch.cat([row("star", red), row("circle", red), row("circle", blue)])).split(1),
        add("star", "circle"),
    ]
    blue_star = draw(row("star", blue))
by_rule = ck.stimuli.shape("triangle", orange, 0.35, 30)
ck.show_images(
    [x[:, :3] for x in (*morph.split(1), at0, at60, halfway, at30, by_rule[0], *terms, blue_star)],
    [f"{1 - t:.0%} star, {t:.0%} circle" for t in share]
    + ["triangle, 0°", "triangle, 60°", "mean of the two codes", "30°, asked for", "30°, drawn by rule"]
    + ["red star", "− red circle", "+ blue circle", "= the sum, drawn", "a blue star, asked for"],
    columns=5,
)

# %% id="sums-claim" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
pairs = [
    ("star", "circle"),
    ("cross", "square"),
    ("triangle", "ring"),
    ("square", "triangle"),
    ("star", "triangle"),
    ("ring", "cross"),
]
with torch.no_grad():
    wanted = [draw(row(kind, blue))[:, 3:] for kind, _ in pairs]
    sums = [overlap(add(*pair)[:, 3:], mask) for pair, mask in zip(pairs, wanted, strict=True)]
    nothing = [overlap(draw(row(other, blue))[:, 3:], mask) for (_, other), mask in zip(pairs, wanted, strict=True)]
ck.claim("overlap of the hidden sum with the wanted shape, least of six pairs", min(sums), above=0.75)
ck.claim("overlap without the difference (the third term alone), largest of six", max(nothing), below=0.7)
ck.claim("overlap with the triangle by rule, 30° asked for", overlap(at30[:, 3:], by_rule[1]), above=0.8)
ck.claim("overlap with it, mean of the two codes", overlap(halfway[:, 3:], by_rule[1]), below=0.75)

# %% [markdown] id="sums-read" slideshow={"slide_type": "skip"}
# Halfway from the star to the circle the generator draws a pentagon, a shape that it was never shown. Ask for 30° and it turns the triangle. But take the mean of the codes of 0° and 60°, and you get a round blob. The angle is written as a sine and a cosine (of three times
# the angle, since a triangle turned by 120° is the same): a circle, on which the two are opposite points. Their mean is the circle's centre, no angle at
# all, and the generator draws what all angles have in common. A straight line through a code is only right where the code is straight.
#
# The third row need not be right, because two ReLUs lie between the parameters and the hidden code: the code of a sum is not the sum of the codes. It is nearly right all the same, and for five other pairs of shapes too. Colour and kind add up nearly independently there.

# %% [markdown] id="explorer-shapes-title" slideshow={"slide_type": "skip"}
# ## Your turn: draw a shape that no one was shown
#
# Move *share* first: half a cross, half a ring. Then push the place and the size to the border of what was trained.

# %% id="explorer-shapes" slideshow={"slide_type": "skip"}
ck.explore_generator("cross", "ring", 0.5)

# %% [markdown] id="explorer-title" slideshow={"slide_type": "skip"}
# ## Your turn: choose layer, λ and β
#
# Change the seed, too: what stays is in the code. Or upload a picture of your own.

# %% id="explorer" slideshow={"slide_type": "skip"}
ck.explore_inversion(coursenet, "relu2", photograph="coffee", size=128, steps=80)

# %% [markdown] id="score-title" slideshow={"slide_type": "slide"}
# ## Score it: layout, colour, class
#
# Five photographs, four layers of EfficientNet-Lite0 (the stored sheet). **Layout**: the correlation of the grey pictures at 8 × 8. **Colour**: the same of what is left without the grey. The other two lines: the same with *another* picture's inversion, as chance.
#
# **Predict first.** Which is lost first? And up to which layer does *another* network, EfficientNet-Lite1, still give the picture's own class?


# %% id="score" slideshow={"slide_type": "fragment"}
def kept(made, picture):
    small = F.adaptive_avg_pool2d(torch.stack([picture, made]), 8)
    grey = small.mean(1, keepdim=True)
    return [torch.corrcoef(values.flatten(1))[0, 1].item() for values in (grey, small - grey)]


own = torch.tensor([[kept(plate[i, k], photos[i]) for k in range(4)] for i in range(5)])
other = torch.tensor(
    [[kept(plate[(i + s) % 5, k], photos[i]) for k in range(4)] for s in range(1, 5) for i in range(5)]
)
ck.show_lines(
    range(4),
    {
        "layout": own[..., 0].mean(0).tolist(),
        "colour": own[..., 1].mean(0).tolist(),
        "layout, another picture": other[..., 0].mean(0).tolist(),
        "colour, another picture": other[..., 1].mean(0).tolist(),
    },
    xlabel="layer",
    ylabel="correlation with the picture",
    ticks=list(priors),
)


# %% id="score-claim" slideshow={"slide_type": "skip"}
def rank(model, made, pictures):
    """Return the place, from 1, that the class of each picture has in what the model says of its inversion."""
    x = F.interpolate(torch.cat([pictures, made]), size=(model.input_size,) * 2, mode="bicubic", antialias=True)
    with torch.no_grad():
        first, second = model(x.clamp(0, 1).to(model.device)).cpu().chunk(2)
    best = first.argmax(1, keepdim=True)
    return (second > second.gather(1, best)).sum(1) + 1


ranks = torch.stack([rank(judge, plate[:, k], photos) for k in range(4)])
for layer, places in zip(priors, ranks.tolist(), strict=True):
    print(f"{layer}: own class among the first five for {sum(place <= 5 for place in places)} of 5 photographs")
layout, colour = own.mean(0).T.tolist()
print(f"layout at block16, of single photographs: {own[:, 2, 0].min():.1f} to {own[:, 2, 0].max():.1f}")
ck.claim("layout at block11, mean of 5", layout[1], above=0.7)
ck.claim("layout at block16, mean of 5", layout[2], below=0.5)
ck.claim("colour at block5, mean of 5", colour[0], above=0.7)
ck.claim("colour at block11 less colour at block5", colour[1] - colour[0], below=-0.1)
ck.claim(
    "photographs of 5 whose own class is among the first five: block5 less fc",
    (ranks[0] <= 5).sum().item() - (ranks[3] <= 5).sum().item(),
    at_least=1,
)

# %% [markdown] id="score-read" slideshow={"slide_type": "notes"}
# Colour goes first: at *block11* the layout is still at 0.81 and the colour at 0.51; at *block16* both are near 0.2, and in the logits near 0, as with another picture. (Five photographs are few: at *block16* the layout runs from about -0.4 to 0.6. Chance is not 0 for the colour of *block5*, but 0.2: most of these pictures are warm in about the same places.)
#
# The judge still has its own class of three photographs at *block5* among its first five, and from the logits that of one, the cat. It loses the cup and the flower even at *block5*, which we take for a photograph: false colours and grain are enough.

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
# | 09.6 | a histogram of directions (HOG, SIFT) | ★★ | 10 |
# | 09.7 | between two angles | ★★ | 10 |
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

# %% [markdown] id="e6-card" slideshow={"slide_type": "skip"}
# ### Exercise 09.6 · A histogram of directions
# *★★ · 10 minutes.* This is one cell of HOG or SIFT. `dx` and `dy` (H, W) hold the slopes of the grey values. The turn is 360° if `signed`, else 180°; it is cut into `bins` equal parts, the first from 0 on. Each pixel adds the **length** of its slope to the part in which its angle, `torch.atan2(dy, dx)` modulo the turn, lies. Return the `bins` sums.
# **You will probably** count the pixels instead of adding their lengths.


# %% id="e6-starter"
def directions(dx, dy, bins, signed):
    return ...


# %% id="e6-solution" jupyter={"source_hidden": true} tags=["solution"]
def directions(dx, dy, bins, signed):
    turn = 2 * torch.pi if signed else torch.pi
    part = (torch.atan2(dy, dx) % turn / turn * bins).long()
    return torch.stack([torch.hypot(dx, dy)[part == k].sum() for k in range(bins)])


# %% id="e6-check"
ck.check("09.6", directions)

# %% [markdown] id="e7-card" slideshow={"slide_type": "skip"}
# ### Exercise 09.7 · Between two angles
# *★★ · 10 minutes.* An angle is written as `(sine, cosine)`, as in the generator's parameters. Return the angle, in the same form, that is a share `t` of the **shorter** way from `first` to `second`. This cures the blob of the second sum.
# **You will probably** mix the angles in degrees and take the long way round from 350° to 10°.


# %% id="e7-starter"
def between_angles(first, second, t):
    return ...


# %% id="e7-solution" jupyter={"source_hidden": true} tags=["solution"]
def between_angles(first, second, t):
    start, end = torch.atan2(*first), torch.atan2(*second)
    way = (end - start + torch.pi) % (2 * torch.pi) - torch.pi
    angle = start + t * way
    return torch.stack([angle.sin(), angle.cos()])


# %% id="e7-check"
ck.check("09.7", between_angles)

# %% [markdown] id="recap" slideshow={"slide_type": "slide"}
# ## Recap
#
# - Many pictures share one code. The match asks for any of them; the prior (α-norm, total variation) or the decoder's training chooses.
# - Early codes are photographs; at *block16* parts are left in about their places, in the logits hardly anything that we see. What four starts share is in the code.
# - A right code is no right picture, and a fine picture is no proof. A network trained against attacks is the exception worth knowing: its code asks for edges that we see, too.

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
# 4. A decoder paints the cat from SIFT in a warm brown. Is colour in SIFT?
# <details><summary>Answer</summary>No. SIFT is computed from grey values. The decoder paints the colour that such lines had in its training.</details>

# %% [markdown] id="reading" slideshow={"slide_type": "slide"}
# ## Further reading
#
# - A. Mahendran, A. Vedaldi. *Understanding deep image representations by inverting them.* CVPR 2015.
# - L. Engstrom, A. Ilyas, S. Santurkar, D. Tsipras, B. Tran, A. Madry. *Adversarial robustness as a prior for learned representations.* arXiv:1906.00945, 2019.
# - A. Dosovitskiy, T. Brox. *Inverting visual representations with convolutional networks.* CVPR 2016.
# - A. Dosovitskiy, T. Brox. *Generating images with perceptual similarity metrics based on deep networks.* NeurIPS 2016.
# - A. Dosovitskiy, J. T. Springenberg, M. Tatarchenko, T. Brox. *Learning to generate chairs, tables and cars with convolutional networks.* TPAMI 2017.
# - N. Dalal, B. Triggs. *Histograms of oriented gradients for human detection.* CVPR 2005. D. G. Lowe. *Distinctive image features from scale-invariant keypoints.* IJCV 2004.
#
# **Next:** lab 10 lets a layer see more of what it sees.
