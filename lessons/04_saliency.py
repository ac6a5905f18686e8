# %% [markdown] id="title" slideshow={"slide_type": "slide"}
# # 04 · Saliency
# ### One backward pass. Which pixels would change the answer?
#
# After this lab you will be able to
#
# - write saliency, SmoothGrad and integrated gradients in a few lines each,
# - say why the gradient of the probability is another map than that of the logit,
# - recognise saturation, and measure how complete a map is,
# - test whether a map says more than an edge detector.

# %% [markdown] id="contract" slideshow={"slide_type": "skip"}
# **First do** lab 03: there we covered parts of the picture and asked the network again, 169 times. Here we ask once.
#
# **Run time** about 40 s on two CPU cores; a few seconds on a GPU. **Memory** below 1.5 GB.
#
# **How to read a lab.** Before each figure there is a *predict first* line. Write your guess on paper. A wrong guess
# that you wrote down teaches you more than a right one that you only thought.

# %% id="install" jupyter={"source_hidden": true} slideshow={"slide_type": "skip"}
from importlib.util import find_spec

if find_spec("coursekit") is None:  # on Colab, Kaggle, or in another environment than the course's own
    print("coursekit is missing here: copy coursekit-*.whl beside this notebook (README.md says how to make it),")
    print("run  %pip install coursekit-*.whl  in a cell, and restart the kernel.")

# %% id="setup"
import cv2
import torch
import torch.nn.functional as F

import coursekit as ck

ck.setup(seed=0)
model = ck.load_model("efficientnet_lite0")
image = ck.load_image("coffee", size=224)
espresso = model.labels.index("espresso")

# %% [markdown] id="question" slideshow={"slide_type": "slide"}
# ## The question
#
# Change one pixel by a tiny amount. How much does the score of *espresso* change? Ask this of all 50,176 pixels at once.
#
# **Predict first.** Where are the pixels that count most: in the coffee, on the edge of the cup, or on the spoon?

# %% id="first-look" slideshow={"slide_type": "-"}
ck.show_predictions(image, ck.predict(model, image))

# %% [markdown] id="idea" slideshow={"slide_type": "slide"}
# ## The idea
#
# Near the picture $x$ the score (the logit) $S_c$ of class $c$ is almost a linear function. Its slope says what matters:
#
# $$S_c(x + \delta) \;\approx\; S_c(x) + \sum_{p,k} \delta_{pk}\, \frac{\partial S_c}{\partial x_{pk}}
# \qquad\qquad M(p) \;=\; \max_{k}\, \left| \frac{\partial S_c}{\partial x_{pk}} \right|$$
#
# - $p$ is a pixel, $k$ one of its three colours. $M$ is the **saliency map**: one number for each pixel, never negative.
# - One forward and one backward pass give all slopes. Occlusion needed 169 forward passes.
#
# Simonyan, Vedaldi & Zisserman, *Deep inside convolutional networks*, ICLR workshop 2014, section 3.

# %% [markdown] id="code-title" slideshow={"slide_type": "slide"}
# ## The whole method


# %% id="readable" slideshow={"slide_type": "-"} tags=["show-code"]
def my_gradient(model, image, target):
    x = image.clone().requires_grad_()  # a copy that remembers what is computed from it
    score = model(x)[0, target]  # the logit, before the softmax
    (gradient,) = torch.autograd.grad(score, x)
    return gradient


def magnitude(gradient):
    return gradient.abs().amax(dim=1, keepdim=True)  # the strongest of the three colours


# %% id="same" slideshow={"slide_type": "-"}
mine = magnitude(my_gradient(model, image, espresso))
heat = ck.saliency(model, image, espresso)
assert (mine - heat).norm() < 0.02 * heat.norm()  # not to the bit: a ReLU whose input is 0 up to rounding may open
print("my saliency and ck.saliency give the same map")

# %% [markdown] id="map-title" slideshow={"slide_type": "slide"}
# ## Espresso, pixel by pixel

# %% id="map" slideshow={"slide_type": "-"}
ck.show_maps(image, {"saliency of espresso": heat}, unit="logits per unit of intensity", clip=99.5)

# %% [markdown] id="map-read" slideshow={"slide_type": "skip"}
# The brightest grains lie inside the cup: on the white wall and on the coffee. Fainter ones lie on the front of the cup,
# around the handle, and on the saucer. The map is grainy. That is no fault of the drawing: neighbouring pixels really have
# very different slopes. We come back to this.
#
# The unit: a slope of 0.4 means that the logit changes by 0.004 when the pixel's value in [0, 1] changes by 0.01.

# %% [markdown] id="channels-title" slideshow={"slide_type": "slide"}
# ## Three colours, one number
#
# **Predict first.** Largest magnitude, mean magnitude, or magnitude of the mean: does the choice change the map?

# %% id="channels" slideshow={"slide_type": "-"}
gradient = ck.input_gradient(model, image, espresso)
reductions = {
    "max |g|": magnitude(gradient),
    "mean |g|": gradient.abs().mean(1, keepdim=True),
    "|mean g|": gradient.mean(1, keepdim=True).abs(),
}
ck.show_maps(image, reductions, unit="relative", relative=True, pool=2, clip=99.5)

# %% id="channels-claim" slideshow={"slide_type": "-"}
colours = (gradient.sum(1).abs().sum() / gradient.abs().sum()).item()
neighbours = (F.avg_pool2d(gradient, 8).abs().sum() * 64 / gradient.abs().sum()).item()
print("of the magnitude, more than 70 % survives when we add up the three colours:", colours > 0.7)
print("but less than 30 % survives when we add up 8 x 8 neighbours:", neighbours < 0.3)

# %% [markdown] id="channels-read" slideshow={"slide_type": "skip"}
# The three colours of a pixel mostly pull the same way, so the choice matters little. *Neighbouring pixels* do not: one is
# red, the next is blue, and their sum is almost nothing. That is why we draw magnitudes. It is also a warning: a large
# slope at one pixel says little about the patch around it.

# %% [markdown] id="logit-title" slideshow={"slide_type": "slide"}
# ## Of the logit, or of the probability?
#
# $$\frac{\partial p_c}{\partial x} \;=\; p_c \left( \frac{\partial S_c}{\partial x} - \sum_k p_k\, \frac{\partial S_k}{\partial x} \right)$$
#
# All other classes mix in, and the gradient fades when the network is sure. **Predict first.** How much at $p_c = 0.95$?

# %% id="logit" slideshow={"slide_type": "-"}
sure, ratio, cosine = {}, {}, {}
for name in ("rocket", "flower", "china", "chelsea", "grace_hopper", "motorcycle", "coffee"):
    photograph = ck.load_image(name, size=224)
    with torch.no_grad():
        probability, best = model(photograph).softmax(1).max(1)
    of_logit = ck.input_gradient(model, photograph, best)
    of_probability = ck.input_gradient(model, photograph, lambda logits, c=best: logits.softmax(1)[:, c].flatten())
    sure[name] = probability.item()
    ratio[name] = (of_probability.norm() / of_logit.norm()).item()
    cosine[name] = F.cosine_similarity(of_probability.flatten(), of_logit.flatten(), dim=0).item()
order = sorted(sure, key=sure.get)
ck.show_lines(
    [sure[name] for name in order],
    {
        "measured on seven photographs": [ratio[name] for name in order],
        "p (1 − p): if only S moved": [sure[name] * (1 - sure[name]) for name in order],
    },
    xlabel="probability of the best class",
    ylabel="length of ∂p/∂x ÷ length of ∂S/∂x",
)

# %% id="logit-claim"
print("on espresso the gradient of the probability is more than 15 times shorter:", ratio["coffee"] < 1 / 15)
print("on the other six it is 3 to 10 times shorter:", all(0.1 < ratio[name] < 0.33 for name in order[:-1]))
print("on the cat it also points elsewhere, with a cosine below 0.85:", cosine["chelsea"] < 0.85)

# %% [markdown] id="logit-read" slideshow={"slide_type": "skip"}
# Two different questions. The logit asks: *what makes this class stronger?* The probability asks: *what makes it win?*
# The cat shows it: *Egyptian cat* and *tiger cat* are almost equally probable there. A pixel that speaks for both of them
# has a large slope of the logit, but hardly moves the probability.
#
# And where the network is sure, the probability cannot rise: its slope goes to 0 everywhere, whatever the network looks
# at. So this course takes the logit. When you read a map elsewhere, ask which one it is.

# %% [markdown] id="toy-title" slideshow={"slide_type": "slide"}
# ## What goes wrong 1 · saturation
#
# $f(x) = 1 - \max(0,\, 1 - x)$ rises from 0 to 1, then stays. We stand at $x = 2$.
#
# **Predict first.** Without the input, $f$ would be 0. What does the gradient say about its importance?

# %% id="toy" slideshow={"slide_type": "-"}
xs = torch.linspace(0, 2.5, 501)
f = 1 - F.relu(1 - xs)
ck.show_lines(xs, {"f(x)": f, "its gradient": (xs < 1).float()}, xlabel="x", ylabel="value")

# %% [markdown] id="toy-read" slideshow={"slide_type": "skip"}
# The gradient at $x = 2$ is exactly 0: a little more or a little less changes nothing. But take the input away and
# everything is lost. *Sensitive to* and *caused by* are two different things (the example is from Sundararajan, Taly & Yan 2017).

# %% [markdown] id="path-title" slideshow={"slide_type": "slide"}
# ## The real network saturates too
#
# We brighten the cat from black: $\alpha\,x$, with $\alpha$ from 0 to 1.
# **Predict first.** Draw the score of *Egyptian cat*.

# %% id="path" slideshow={"slide_type": "-"}
cat = ck.load_image("chelsea", size=224)
egyptian = model.labels.index("Egyptian cat")
alphas = torch.linspace(0, 1, 41)
with torch.no_grad():
    path = torch.cat([model(part)[:, egyptian].cpu() for part in (alphas.view(-1, 1, 1, 1) * cat).split(8)])
ck.show_lines(alphas, {"Egyptian cat": path}, xlabel="α, from black to the picture", ylabel="logit")

# %% id="path-claim" slideshow={"slide_type": "-"}
total, slope = path[-1] - path[0], ck.input_x_gradient(model, cat, egyptian).sum()
print("a twentieth of the brightness brings more than 80 % of the score:", bool(path[2] - path[0] > 0.8 * total))
print(
    "black costs more than 8 logits, the slope at the picture promises less than 2:",
    bool(total > 8 and slope.abs() < 2),
)

# %% [markdown] id="path-read" slideshow={"slide_type": "skip"}
# A cat at a twentieth of its brightness is nearly black for us, but the network already knows it. After that the
# curve is flat. The gradient at the full picture lives on the flat part. It says how to make the cat a little more
# Egyptian. It does not say what made it a cat.

# %% [markdown] id="smooth-title" slideshow={"slide_type": "slide"}
# ## SmoothGrad: ask the neighbours too
#
# The slope jumps from one picture to the next, almost equal one. Average it over noisy copies,
# $\varepsilon_i \sim \mathcal{N}(0, \sigma^2)$:
#
# $$\hat G \;=\; \frac{1}{n} \sum_{i=1}^{n} \frac{\partial S_c(x + \varepsilon_i)}{\partial x}$$
#
# Smilkov et al., *SmoothGrad: removing noise by adding noise*, 2017.


# %% id="smooth-readable" slideshow={"slide_type": "-"} tags=["show-code"]
def my_smoothgrad(model, image, target, samples, sigma, seed=0):
    generator = torch.Generator().manual_seed(seed)
    spread = sigma * (image.max() - image.min())  # σ is a part of the picture's own range
    total = torch.zeros_like(image)
    for _ in range(samples):
        noise = torch.randn(image.shape, generator=generator)
        total += my_gradient(model, image + spread * noise, target)
    return total / samples


# %% id="smooth-same"
mine = my_smoothgrad(model, image, espresso, samples=3, sigma=0.15)
theirs = ck.smoothgrad(model, image, espresso, samples=3, sigma=0.15)
assert (mine - theirs).norm() < 0.02 * theirs.norm()
print("my_smoothgrad and ck.smoothgrad give the same map")

# %% [markdown] id="samples-title" slideshow={"slide_type": "slide"}
# ## Experiment 1 · how many samples?
#
# **Predict first.** The plain gradient lights up both masts. What will the average do to them?

# %% id="samples" slideshow={"slide_type": "-"}
rocket = ck.load_image("rocket", size=224)
missile = model.labels.index("missile")
plain = ck.input_gradient(model, rocket, missile)
smooth = {n: ck.smoothgrad(model, rocket, missile, samples=n) for n in (4, 16, 48)}
ck.show_maps(
    rocket,
    {"plain": magnitude(plain)} | {f"{n} samples": magnitude(g) for n, g in smooth.items()},
    unit="relative",
    relative=True,
    pool=2,
    clip=99.5,
    columns=5,
)

# %% id="samples-claim" slideshow={"slide_type": "-"}
lengths = [plain.norm().item()] + [g.norm().item() for g in smooth.values()]
print("4 samples leave less than a third of the gradient's length:", lengths[1] < lengths[0] / 3)
print("48 samples leave less than a tenth:", lengths[-1] < lengths[0] / 10)

# %% [markdown] id="samples-read" slideshow={"slide_type": "skip"}
# The masts fade, the rocket stays, and with it the lamps below.
#
# The average of 48 gradients is less than a tenth as long as the plain one. So nine tenths of the plain gradient had nothing to
# do with what nearby pictures have in common. The maps are drawn on their own scales; otherwise the last would be black.

# %% [markdown] id="sigma-title" slideshow={"slide_type": "slide"}
# ## Experiment 2 · how much noise?
#
# **Predict first.** Which map will be wrong, and not only grainy: σ = 0.02, 0.15, 0.3 or 0.6 of the range?

# %% id="sigma" slideshow={"slide_type": "-"}
noisy = {
    s: smooth[16] if s == 0.15 else ck.smoothgrad(model, rocket, missile, samples=16, sigma=s)
    for s in (0.02, 0.15, 0.3, 0.6)
}
ck.show_maps(
    None, {f"σ = {s}": magnitude(g) for s, g in noisy.items()}, unit="relative", relative=True, pool=2, clip=99.5
)

# %% [markdown] id="sigma-read" slideshow={"slide_type": "skip"}
# Too little noise leaves the grains. Too much noise, and we explain another picture: at σ = 0.6 there is hardly a rocket
# left to see. The paper finds 0.1 to 0.2 best. That range was chosen by eye: a map that *looks* better is not
# yet a map that *is* better. Lab 14 will test it.

# %% [markdown] id="ig-title" slideshow={"slide_type": "slide"}
# ## Integrated gradients: add up the whole way
#
# If one point lies on the flat part, walk from a baseline $x'$ to $x$ and collect the slopes on the way:
#
# $$A(p,k) = (x - x')_{pk} \int_0^1 \frac{\partial S_c\big(x' + \alpha\,(x - x')\big)}{\partial x_{pk}}\, d\alpha$$
#
# Sundararajan, Taly & Yan, *Axiomatic attribution for deep networks*, ICML 2017, equation 1.


# %% id="ig-readable" slideshow={"slide_type": "-"} tags=["show-code"]
def my_integrated_gradients(model, image, target, baseline, steps):
    total = torch.zeros_like(image)
    for step in range(steps):
        alpha = (step + 0.5) / steps  # the midpoint of each of the equal parts of the way
        total += my_gradient(model, baseline + alpha * (image - baseline), target)
    return (image - baseline) * total / steps


# %% id="ig-same"
mine = my_integrated_gradients(model, image, espresso, torch.zeros_like(image), steps=4)
theirs = ck.integrated_gradients(model, image, espresso, steps=4, baseline="black")
assert (mine - theirs).norm() < 0.02 * theirs.norm()
print("my_integrated_gradients and ck.integrated_gradients give the same map")

# %% [markdown] id="gap-title" slideshow={"slide_type": "slide"}
# ## Is the sum complete?
#
# **Completeness:** with endless steps $\sum_{p,k} A(p,k) = S_c(x) - S_c(x')$. What is missing is the gap.
#
# **Predict first.** Are 27 steps enough for a gap below half a logit?

# %% id="gap" slideshow={"slide_type": "-"}
counts = [3, 9, 27, 81]
walks = [ck.integrated_gradients(model, rocket, missile, steps=n, baseline="black") for n in counts]
gaps = [ck.completeness_gap(model, rocket, walk, missile, baseline="black").abs().item() for walk in walks]
ck.show_lines(counts, {"rocket, from black": gaps}, xlabel="steps", ylabel="|gap| (logits)")

# %% id="gap-claim" slideshow={"slide_type": "skip"}
print("3 steps miss by more than 5 logits, which is most of the score:", gaps[0] > 5)
print("27 steps still miss by more than 0.5, 81 steps by less than 0.4:", gaps[2] > 0.5 and gaps[3] < 0.4)
walk = ck.integrated_gradients(model, cat, egyptian, steps=50, baseline="black")
missed = ck.completeness_gap(model, cat, walk, egyptian, baseline="black").abs().item()
print("on the cat 50 steps, the usual number, miss by more than 1.5:", missed > 1.5)

# %% [markdown] id="gap-read" slideshow={"slide_type": "skip"}
# The reason is the curve of the cat above: nearly all of the score comes early on the way. A coarse walk steps
# over it, or lands on a huge slope by luck. With 27 equal steps only one or two fall into the first twentieth. On other pictures it
# is worse, as the cat shows. So **always print the gap beside the map**; a map
# that is not complete has lost its one guarantee.

# %% [markdown] id="ig-map-title" slideshow={"slide_type": "subslide"}
# ### Three methods, one rocket

# %% id="ig-map" slideshow={"slide_type": "-"} tags=["gallery"]
ck.show_maps(
    rocket,
    {"saliency": magnitude(plain), "SmoothGrad": magnitude(smooth[48]), "integrated gradients": magnitude(walks[-1])},
    unit="relative",
    relative=True,
    pool=2,
    clip=99.5,
)

# %% [markdown] id="ig-map-read" slideshow={"slide_type": "skip"}
# All three find the upper part of the rocket, and all three give something to the masts beside it, SmoothGrad the least. Their units differ:
# saliency and SmoothGrad are slopes, integrated gradients are shares of the score, in logits.

# %% [markdown] id="baseline-title" slideshow={"slide_type": "slide"}
# ## What goes wrong 2 · the baseline is blind to its own colour
#
# **Predict first.** *Military uniform*: the jacket is black. What will the jacket get from a black baseline?

# %% id="baseline" slideshow={"slide_type": "-"}
portrait = ck.load_image("grace_hopper", size=224)
uniform = model.labels.index("military uniform")
starts = {
    start: ck.integrated_gradients(model, portrait, uniform, steps=16, baseline=start)
    for start in ("black", "white", "mean", "blur")
}
ck.show_maps(
    portrait,
    {f"from {start}": magnitude(a) for start, a in starts.items()},
    unit="relative",
    relative=True,
    pool=2,
    clip=99.5,
    columns=5,
)

# %% id="baseline-claim" slideshow={"slide_type": "-"}
jacket = portrait.amax(1, keepdim=True) < 0.2  # the nearly black pixels: the jacket and the cap's brim
shares = {start: (a.abs().sum(1, keepdim=True)[jacket].sum() / a.abs().sum()).item() for start, a in starts.items()}
print("from black, the dark pixels get less than a quarter of the map:", shares["black"] < 0.25)
print("from white, they get more than half:", shares["white"] > 0.55)

# %% [markdown] id="baseline-read" slideshow={"slide_type": "skip"}
# The factor $(x - x')$ is 0 where the picture has the baseline's own colour. A black jacket can never matter when "nothing" is
# black. From white it takes half of everything. Neither map is wrong; they answer different questions:
# "instead of black" and "instead of white". There is no neutral nothing (Sturmfels, Lundberg & Lee, *Visualizing the impact
# of feature attribution baselines*, Distill 2020). Name the baseline with each map.

# %% [markdown] id="explorer-title"
# ### Your turn
#
# Choose the class and the method. Which class moves the map most? For SmoothGrad and integrated gradients, how many
# samples or steps do you need until it no longer changes?

# %% id="explorer"
ck.explore_saliency(model, rocket)

# %% [markdown] id="edge-title" slideshow={"slide_type": "slide"}
# ## What goes wrong 3 · or is it only an edge detector?
#
# The Sobel filter knows nothing of networks or classes. **Predict first.** Which map is most like it?


# %% id="edge-code"
def sobel(image):
    grey = F.pad(image.mean(1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    across = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]]) / 4
    slopes = F.conv2d(grey, torch.stack([across, across.T])[:, None])
    return slopes.norm(dim=1, keepdim=True)


def rank_correlation(a, b):
    ranks = torch.stack([a.flatten().argsort().argsort(), b.flatten().argsort().argsort()])
    return torch.corrcoef(ranks.double())[0, 1].item()


# %% id="edge" slideshow={"slide_type": "-"}
flower = ck.load_image("flower", size=224)
flower_maps = {
    "saliency": ck.saliency(model, flower),
    "SmoothGrad": magnitude(ck.smoothgrad(model, flower, samples=16)),
    "integrated gr.": magnitude(ck.integrated_gradients(model, flower, steps=16)),
    "edges": sobel(flower),
}
ck.show_maps(flower, flower_maps, unit="relative", relative=True, pool=2, clip=99.5, columns=5)

# %% id="edge-claim" slideshow={"slide_type": "-"}
mask = flower[:, :1] - flower[:, 2:] > 0.15  # much more red than blue: the petals
edges = flower_maps["edges"]
smooth_ones = [flower_maps["SmoothGrad"], flower_maps["integrated gr."]]
whole = [rank_correlation(heat, edges) for heat in smooth_ones]
inside = [rank_correlation(heat[mask], edges[mask]) for heat in smooth_ones]
print("rank correlation with the edges, whole picture: SmoothGrad and IG above 0.35:", min(whole) > 0.35)
print("on the petals alone: both below 0.15:", max(inside) < 0.15)
print(
    "saliency is high where there are no edges (below -0.1):", rank_correlation(flower_maps["saliency"], edges) < -0.1
)

# %% [markdown] id="edge-read" slideshow={"slide_type": "skip"}
# On the whole picture the two better-looking maps go with the edges, because the flower is sharp and its background
# is not. So the picture alone cannot tell you that they come from a network. On the petals alone nothing of this is left:
# they find the flower, but they do not draw it. The edge detector draws every petal.
#
# The rule: a map that shows clear outlines could have been made without any network. The test that can really tell is to
# change the network and see whether the map changes (Adebayo et al. 2018). That is lab 14.

# %% [markdown] id="grabcut-title" slideshow={"slide_type": "slide"}
# ## From a map to a mask
#
# Simonyan et al. (section 3.2) cut objects out with no mask ever given in training. Seeds: the top 5 % of the map is
# object, the lowest 30 % is background. GrabCut (Rother et al. 2004) decides the rest by colour.
# **Predict first.** Which seeds will cut out the tower, plain or smooth?


# %% id="grabcut-code"
def seeds_of(heat):
    heat = F.avg_pool2d(F.avg_pool2d(heat, 9, 1, 4), 9, 1, 4)[0, 0]  # smooth away the grains
    seeds = torch.full(heat.shape, cv2.GC_PR_FGD, dtype=torch.uint8)  # in doubt: probably object
    seeds[heat < heat.quantile(0.30)] = cv2.GC_BGD
    seeds[heat > heat.quantile(0.95)] = cv2.GC_FGD
    return seeds


def grabcut(image, seeds):
    cv2.setRNGSeed(0)
    picture = (image[0].permute(1, 2, 0) * 255).byte().numpy()
    mask, colours = seeds.numpy().copy(), [torch.zeros(1, 65, dtype=torch.float64).numpy() for _ in range(2)]
    cv2.grabCut(picture, mask, None, *colours, 5, cv2.GC_INIT_WITH_MASK)
    return torch.from_numpy((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD))


def draw_seeds(image, seeds):
    orange, blue = torch.tensor([1.0, 0.65, 0.0]).view(1, 3, 1, 1), torch.tensor([0.0, 0.35, 0.8]).view(1, 3, 1, 1)
    faint = 0.6 * image.mean(1, keepdim=True).expand(1, 3, -1, -1) + 0.4
    return torch.where(seeds == cv2.GC_FGD, orange, torch.where(seeds == cv2.GC_BGD, blue, faint))


# %% id="grabcut" slideshow={"slide_type": "-"}
tower = ck.load_image("china", size=224)
tower_maps = {"plain": ck.saliency(model, tower), "smooth": magnitude(ck.smoothgrad(model, tower, samples=16))}
panels, titles = [], []
for name, heat in tower_maps.items():
    seeds = seeds_of(heat)
    panels += [draw_seeds(tower, seeds), tower * (0.15 + 0.85 * grabcut(tower, seeds))]
    titles += [f"{name}: seeds", f"{name}: cut out"]
ck.show_images(panels, titles)

# %% [markdown] id="grabcut-read" slideshow={"slide_type": "skip"}
# Orange is *object for sure*, blue *background for sure*. The plain gradient is strongest in the sky beside the roof, so
# GrabCut cuts out the sky and the lake. The smooth map finds the tower, with a scrap of the lake. No label, box or mask of a tower was ever given: only
# the word *palace* for a whole picture.

# %% [markdown] id="iou-text" slideshow={"slide_type": "skip"}
# How good is it? On the dahlia the colour gives us the true mask, `mask` above. The overlap (*intersection over union*) is 1 for equal
# masks. And on the cat, which fills the picture?

# %% id="iou"
found = {name: grabcut(flower, seeds_of(flower_maps[name])) for name in ("saliency", "SmoothGrad")}
iou = {name: ((m & mask[0, 0]).sum() / (m | mask[0, 0]).sum()).item() for name, m in found.items()}
print("overlap with the true mask above 0.85 from SmoothGrad:", iou["SmoothGrad"] > 0.85)
print("and below 0.3 from the plain gradient:", iou["saliency"] < 0.3)
cat_smooth = magnitude(ck.smoothgrad(model, cat, samples=16))
pictures = [(flower, found["saliency"]), (flower, found["SmoothGrad"]), (cat, grabcut(cat, seeds_of(cat_smooth)))]
ck.show_images(
    [picture * (0.15 + 0.85 * m) for picture, m in pictures], ["dahlia, plain", "dahlia, SmoothGrad", "cat, SmoothGrad"]
)

# %% [markdown] id="iou-read" slideshow={"slide_type": "skip"}
# The dahlia comes out whole, because its colour is all its own. The cat does not: 30 % of the pixels *must* be
# background, but nearly all pixels are cat. A rule with fixed quantiles knows how large the object is before it has looked.

# %% [markdown] id="neuron-title" slideshow={"slide_type": "slide"}
# ## Any neuron can be the score
#
# Follow one neuron of four layers, all above the same eye. **Predict first.** How wide is each map?

# %% id="neuron" slideshow={"slide_type": "-"}
spots = {
    "block2": (18, 18),
    "block4": (9, 9),
    "block6": (4, 4),
    "block9": (4, 4),
}  # the same place on each layer's grid
with ck.capture(model, list(spots)) as maps, torch.no_grad():
    model(cat)
neurons = {}
for layer, (row, column) in spots.items():
    channel = maps[layer][0, :, row, column].argmax().item()  # the most active channel there
    neurons[layer] = ck.saliency(model, cat, ck.unit(layer, channel, position=(row, column)))
ck.show_maps(cat, neurons, unit="relative", relative=True, overlay=True, columns=5)

# %% id="neuron-claim" slideshow={"slide_type": "-"}
seen = neurons["block4"][0, 0].nonzero()
height, width = (seen.amax(0) - seen.amin(0) + 1).tolist()
assert height <= 35 and width <= 35
print("block4 has a receptive field of 35 x 35; outside it the gradient is exactly 0:", max(height, width) <= 35)

# %% [markdown] id="neuron-read" slideshow={"slide_type": "skip"}
# The theory says 11, 35, 83 and 211 pixels (see `model.layers`). The maps keep to these limits, and in the deeper layers they are
# much smaller: the outer parts of the field hardly count (Luo et al., *Understanding the effective receptive field*, NIPS 2016).
# The whole-image labels of the last layers grow from such spots.

# %% [markdown] id="score-title" slideshow={"slide_type": "slide"}
# ## Score it: does the map lie on the object?
#
# The dahlia's mask again, as in lab 03: which share of the map's energy lies on the flower? A map that knows nothing
# would get the flower's share of the area. **Predict first.** Put the five in order.

# %% id="score" slideshow={"slide_type": "-"} tags=["nbval-ignore-output"]
energies = flower_maps | {"occlusion": ck.occlusion(model, flower, window=48, stride=24).clamp(min=0)}
on_flower = {name: (heat[mask].sum() / heat.sum()).item() for name, heat in energies.items()}
area = mask.float().mean().item()
for name, share in sorted((on_flower | {"(area)": area}).items(), key=lambda item: -item[1]):
    print(f"{name:16}{share:5.0%}  {'█' * round(40 * share)}")

# %% id="score-claim" slideshow={"slide_type": "-"}
better = all(on_flower[name] > 1.4 * area for name in ("SmoothGrad", "integrated gr.", "occlusion"))
print("SmoothGrad, integrated gradients and occlusion: more than 1.4 times the area:", better)
print("the plain gradient: no better than the area:", on_flower["saliency"] < area + 0.02)
print("the edge detector beats SmoothGrad by more than 0.05:", on_flower["edges"] > on_flower["SmoothGrad"] + 0.05)

# %% [markdown] id="score-read" slideshow={"slide_type": "skip"}
# A sobering table. Slopes at one point say nothing about where this flower is. And the edge detector, which does not
# know the network, does better than SmoothGrad, because this background is out of focus. So one picture and one score
# are not enough: a good test needs objects whose background has edges too.

# %% [markdown] id="scenes-title" slideshow={"slide_type": "skip"}
# ### The same question with exact masks
#
# `ck.scenes` lays cut-out objects on photographs that have edges of their own, so we know every pixel of the object.
# Three scores: the energy in the mask, the **pointing game** (does the maximum lie on the object? Zhang et al. 2016), and the
# overlap of GrabCut's cut-out with the true mask. **Predict first.** Does the edge detector win again?

# %% id="scenes" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
scenes = ck.scenes(8, objects=list(ck.cutouts("core")), background="photograph", seed=0)
smooth = [
    ck.smoothgrad(model, x, c, samples=16) for x, c in zip(scenes.images.split(1), scenes.targets.tolist(), strict=True)
]
scene_maps = {
    "saliency": ck.saliency(model, scenes.images, scenes.targets),
    "SmoothGrad": magnitude(torch.cat(smooth)),
    "edges": ck.edge_map(model, scenes.images),
}


def overlap(a, b):
    return ((a & b).sum() / (a | b).sum()).item()


marks = {}
for name, heat in scene_maps.items():
    cut = [grabcut(scenes.images[[i]], seeds_of(heat[[i]])) for i in range(len(scenes))]
    marks[name] = (
        ck.mask_energy(heat, scenes.masks).mean().item(),
        ck.pointing_game(heat, scenes.masks).mean().item(),
        sum(map(overlap, cut, scenes.masks)) / len(scenes),
    )
print(scenes, f"; mean area {scenes.masks.float().mean():.0%}")
print(f"{'':16}energy  hits  overlap of the cut-out")
for name, (energy, hits, cut_out) in marks.items():
    print(f"{name:16}{energy:6.0%}{hits:6.0%}{cut_out:9.2f}")

# %% id="scenes-claim" slideshow={"slide_type": "skip"}
print("now the edge detector has the least energy in the mask:", min(marks, key=lambda name: marks[name][0]) == "edges")
print(
    "and the worst cut-outs, by more than 0.1:",
    marks["edges"][2] + 0.1 < min(marks[m][2] for m in ("saliency", "SmoothGrad")),
)
print(
    "SmoothGrad points at the object more often than the plain gradient:", marks["SmoothGrad"][1] > marks["saliency"][1]
)

# %% [markdown] id="scenes-read" slideshow={"slide_type": "skip"}
# On backgrounds with edges the order turns round: the gradients know something that an edge detector does not. Which of
# the two cut-outs is better, that of the plain or that of the smooth map, eight scenes cannot tell: one object more or less
# would change it. Lab 06 scores all methods on 200 scenes, with intervals.

# %% [markdown] id="swap-title" slideshow={"slide_type": "slide"}
# ## Swap the network
#
# The same lines with EfficientNet-Lite2 at 260 × 260 pixels. Both networks say *palace*.
# **Predict first.** Do two networks agree more in the plain gradient, or in the smooth one?

# %% id="swap" slideshow={"slide_type": "-"}
other = ck.load_model("efficientnet_lite2")
larger = ck.load_image("china", size=other.input_size)
parts = [ck.smoothgrad(other, larger, samples=4, seed=seed) for seed in range(3)]  # in parts: Lite2 needs much memory
other_maps = {"plain": ck.saliency(other, larger), "smooth": magnitude(sum(parts) / 3)}
ck.show_maps(
    tower,
    {f"{name}, Lite{n}": m[name] for name in ("plain", "smooth") for n, m in ((0, tower_maps), (2, other_maps))},
    unit="relative",
    relative=True,
    pool=2,
    clip=99.5,
    columns=5,
)

# %% id="swap-claim" slideshow={"slide_type": "-"}
agree = {
    name: rank_correlation(F.adaptive_avg_pool2d(tower_maps[name], 28), F.adaptive_avg_pool2d(other_maps[name], 28))
    for name in tower_maps
}
print("the smooth maps of the two agree better, by more than 0.1:", agree["smooth"] > agree["plain"] + 0.1)

# %% [markdown] id="swap-read" slideshow={"slide_type": "skip"}
# Much of the plain gradient belongs to one network alone: the bright sky of Lite0 is not in Lite2. What the two have in
# common shows after smoothing: the tower. (Or its edges? You know the doubt by now.)

# %% [markdown] id="exercises-title" slideshow={"slide_type": "slide"}
# ## Exercises
#
# | | what you do | difficulty | minutes |
# |---|---|---|---|
# | 04.1 | the saliency map, without looking back | ★ | 10 |
# | 04.2 | SmoothGrad with given noise | ★★ | 10 |
# | 04.3 | integrated gradients | ★★ | 15 |
# | 04.4 | a completeness gap by hand | ★★ | 5 |
# | 04.5 | the slope of a probability | ★ | 5 |
#
# Each check says ✓, or which mistake it has recognised. Get one wrong on purpose and see.

# %% [markdown] id="e1-card"
# ### Exercise 04.1 · The saliency map
# *★ · 10 minutes.* Return the saliency map $M(p)$ of one image (1, 3, H, W) for one class, as a tensor (H, W).
# **You will probably** forget `requires_grad_()`, or the absolute value.


# %% id="e1-starter"
def saliency_map(model, image, target):
    return ...


# %% id="e1-solution" jupyter={"source_hidden": true} tags=["solution"]
def saliency_map(model, image, target):
    x = image.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(model(x)[0, target], x)
    return gradient.abs().amax(dim=1)[0]


# %% id="e1-check"
ck.check("04.1", saliency_map)

# %% [markdown] id="e2-card"
# ### Exercise 04.2 · SmoothGrad
# *★★ · 10 minutes.* `noise` holds standard normal numbers, (n, 3, H, W), one row for each noisy copy of `image`, (1, 3, H, W).
# `sigma` is a part of the image's own range. Return the mean gradient of the class's logit, (1, 3, H, W), with its sign.
# **You will probably** use `sigma` without the range. You may use `my_gradient` from above.


# %% id="e2-starter"
def smooth_gradient(model, image, target, noise, sigma):
    return ...


# %% id="e2-solution" jupyter={"source_hidden": true} tags=["solution"]
def smooth_gradient(model, image, target, noise, sigma):
    spread = sigma * (image.max() - image.min())
    gradients = [my_gradient(model, image + spread * one, target) for one in noise]
    return sum(gradients) / len(gradients)


# %% id="e2-check"
ck.check("04.2", smooth_gradient)

# %% [markdown] id="e3-card"
# ### Exercise 04.3 · Integrated gradients
# *★★ · 15 minutes.* Return the integrated gradients (1, 3, H, W) from `baseline` to `image`, with `steps` midpoints.
# **You will probably** forget the factor $(x - x')$, or take the left ends of the steps and not their middles.


# %% id="e3-starter"
def integrated(model, image, target, baseline, steps):
    return ...


# %% id="e3-solution" jupyter={"source_hidden": true} tags=["solution"]
def integrated(model, image, target, baseline, steps):
    alphas = [(step + 0.5) / steps for step in range(steps)]
    slopes = sum(my_gradient(model, baseline + alpha * (image - baseline), target) for alpha in alphas)
    return (image - baseline) * slopes / steps


# %% id="e3-check"
ck.check("04.3", integrated)

# %% [markdown] id="e4-card"
# ### Exercise 04.4 · A gap by hand
# *★★ · 5 minutes.* Take $f(x) = 1 - \max(0, 1 - x)$ again, with $x = 3$ and the baseline $x' = 0$. Integrated gradients
# with **4** midpoint steps: what is the completeness gap $A - (f(x) - f(x'))$?
# **You will probably** stop at $A$, or lose the sign.

# %% id="e4-starter"
gap = ...

# %% id="e4-solution" jupyter={"source_hidden": true} tags=["solution"]
gap = 3 * (1 + 0 + 0 + 0) / 4 - 1  # the midpoints are x = 0.375, 1.125, 1.875, 2.625; only the first is on the slope

# %% id="e4-check"
ck.check("04.4", gap)

# %% [markdown] id="e5-card"
# ### Exercise 04.5 · The slope of a probability
# *★ · 5 minutes.* A network has two classes. It gives class 1 the probability 0.9. At one pixel $\partial S_1 / \partial x = 2$
# and $\partial S_2 / \partial x = -1$. What is $\partial p_1 / \partial x$?
# **You will probably** forget that the other class pulls too.

# %% id="e5-starter"
slope_of_probability = ...

# %% id="e5-solution" jupyter={"source_hidden": true} tags=["solution"]
slope_of_probability = 0.9 * (2 - (0.9 * 2 + 0.1 * -1))

# %% id="e5-check"
ck.check("04.5", slope_of_probability)

# %% [markdown] id="recap" slideshow={"slide_type": "slide"}
# ## Recap
#
# - The gradient of the logit says what the score is *sensitive* to here. One backward pass, all pixels, but grainy and often
#   saturated: it need not say what the score is *made of*.
# - SmoothGrad averages nearby pictures, integrated gradients a way from a baseline. Noise, steps and baseline are part of the
#   result: give them with each map, and the completeness gap too.
# - Compare with an edge detector before you believe your eyes.

# %% [markdown] id="quiz" slideshow={"slide_type": "slide"}
# ## Quiz
#
# 1. Why do we take the gradient of the logit and not of the probability?
# <details><summary>Answer</summary>The probability mixes in all other classes, and its gradient fades to 0 when the network is sure, whatever it looks at.</details>
#
# 2. A pixel has the gradient 0. Can it matter?
# <details><summary>Answer</summary>Yes. Where the score is saturated, a small change does nothing, though removing the pixel may change everything.</details>
#
# 3. Integrated gradients from black, and a black dog gets nothing. Why?
# <details><summary>Answer</summary>The factor (x − x′) is 0 where the picture has the baseline's colour. Try another baseline and compare.</details>
#
# 4. Your map shows the outline of the object very clearly. Is that good news?
# <details><summary>Answer</summary>Not by itself: an edge detector shows it as clearly. Ask whether the map changes when the network or the class changes.</details>

# %% [markdown] id="reading" slideshow={"slide_type": "slide"}
# ## Further reading
#
# - K. Simonyan, A. Vedaldi, A. Zisserman. *Deep inside convolutional networks: visualising image classification models and saliency maps.* ICLR workshop 2014.
# - D. Smilkov, N. Thorat, B. Kim, F. Viégas, M. Wattenberg. *SmoothGrad: removing noise by adding noise.* arXiv:1706.03825, 2017.
# - M. Sundararajan, A. Taly, Q. Yan. *Axiomatic attribution for deep networks.* ICML 2017.
# - J. Adebayo, J. Gilmer, M. Muelly, I. Goodfellow, M. Hardt, B. Kim. *Sanity checks for saliency maps.* NeurIPS 2018. See lab 14.
# - P.-J. Kindermans et al. *The (un)reliability of saliency methods.* In *Explainable AI*, Springer 2019.
# - C. Rother, V. Kolmogorov, A. Blake. *GrabCut: interactive foreground extraction using iterated graph cuts.* SIGGRAPH 2004.
#
# **Next:** lab 05 bends the backward pass itself, and gets pictures that are almost too beautiful.
