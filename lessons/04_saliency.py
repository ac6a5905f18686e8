# %% [markdown] id="title" slideshow={"slide_type": "slide"}
# # 04 · Saliency
# ### One backward pass. Which pixels would change the answer?
#
# After this lab you will be able to
#
# - write saliency, SmoothGrad and integrated gradients in a few lines each,
# - say what noise does to a gradient, and what the average of noisy gradients keeps,
# - recognise saturation, derive completeness, and measure how complete a map is,
# - score a map against chance, the centre of the picture and an edge detector.

# %% [markdown] id="contract" slideshow={"slide_type": "skip"}
# **First do** lab 03: there we covered parts of the picture and asked the network again, 121 times. Here we ask once.
#
# **Run time** about 85 s on one CPU core; a few seconds on a GPU. **Memory** below 1.5 GB. **Words** are explained in the [glossary](../docs/glossary.md).
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
image = ck.load_image("camera", size=224)
tripod = model.labels.index("tripod")

# %% [markdown] id="question" slideshow={"slide_type": "slide"}
# ## Where would a tiny change of the picture matter most?
#
# The network says *tripod*. Change one pixel by a tiny amount: how much does the score of *tripod* change? Ask this of
# all 50,176 pixels at once.
#
# **Predict first.** Where are the pixels that count most: on the legs of the tripod, on the camera, on the man, or on
# the grass?

# %% id="first-look" slideshow={"slide_type": "-"}
ck.show_predictions(image, ck.predict(model, image))

# %% [markdown] id="idea" slideshow={"slide_type": "slide"}
# ## The slope of the score, one number for a pixel
#
# Near the picture $x$ the score (the logit) $S_c$ of class $c$ is almost a linear function. Its slope says what matters:
#
# $$S_c(x + \delta) \;\approx\; S_c(x) + \sum_{p,k} \delta_{pk}\, \frac{\partial S_c}{\partial x_{pk}}
# \qquad\qquad M(p) \;=\; \max_{k}\, \left| \frac{\partial S_c}{\partial x_{pk}} \right|$$
#
# - $p$ is a pixel, $k$ one of its three colours. $M$ is the **saliency map**: one number for each pixel, never negative.
# - One forward and one backward pass give all slopes. Occlusion needed 121 forward passes.
#
# Simonyan, Vedaldi & Zisserman, *Deep inside convolutional networks*, ICLR workshop 2014, section 3.

# %% [markdown] id="code-title" slideshow={"slide_type": "slide"}
# ## One backward pass gives the slopes of all pixels


# %% id="readable" slideshow={"slide_type": "-"} tags=["show-code"]
def my_gradient(model, image, target):
    x = image.clone().requires_grad_()  # a copy that remembers what is computed from it
    score = model(x)[0, target]  # the logit, before the softmax
    (gradient,) = torch.autograd.grad(score, x)
    return gradient


def magnitude(gradient):
    return gradient.abs().amax(dim=1, keepdim=True)  # the strongest of the three colours


# %% id="same" slideshow={"slide_type": "skip"}
mine = magnitude(my_gradient(model, image, tripod))
heat = ck.saliency(model, image, tripod)
assert (mine - heat).norm() < 0.02 * heat.norm()  # not to the bit: a ReLU whose input is 0 up to rounding may open
print("my saliency and ck.saliency give the same map")

# %% [markdown] id="map-title" slideshow={"slide_type": "slide"}
# ## The slopes are steepest at the camera and the hands

# %% id="map" slideshow={"slide_type": "-"}
ck.show_maps(image, {"saliency of tripod": heat}, unit="logits per unit of intensity", clip=99.5)

# %% [markdown] id="map-read" slideshow={"slide_type": "notes"}
# On the camera, the hands and the sleeve below them, and on the background at the right of the camera. There the slopes are twice as steep as on
# average; around the legs of the tripod they are not even average. A second, fainter cloud lies on the coat at the lower left.
#
# The unit: a slope of 0.4 means that the logit changes by 0.004 when the pixel's value in [0, 1] changes by 0.01.

# %% [markdown] id="cover-title" slideshow={"slide_type": "slide"}
# ## Steep is not important: the dark legs make the tripod
#
# **Predict first.** We cover the bright part of the map, and then the legs, which are dark in it, with the mean colour as in lab 03.
# Which of the two costs *tripod* more?

# %% id="cover" slideshow={"slide_type": "fragment"}
boxes = {"steep part": (50, 145, 85, 180), "legs": (150, 224, 95, 185)}  # rows and columns, from and to
covered = [image]
for top, bottom, left, right in boxes.values():
    covered.append(image.clone())
    covered[-1][:, :, top:bottom, left:right] = model.mean.cpu()
with torch.no_grad():
    of_tripod = model(torch.cat(covered)).softmax(1)[:, tripod].tolist()
names = ["the photograph", *(f"{name} covered" for name in boxes)]
ck.show_images(
    torch.cat(covered), [f"{name}: tripod {p:.2f}" for name, p in zip(names, of_tripod, strict=True)], columns=3
)

# %% id="cover-claim" slideshow={"slide_type": "skip"}
for (name, (top, bottom, left, right)), p in zip(boxes.items(), of_tripod[1:], strict=True):
    steepness = heat[..., top:bottom, left:right].mean() / heat.mean()
    area = (bottom - top) * (right - left) / 224**2
    ck.claim(
        f"{name}: mean slope over that of the picture",
        steepness,
        **({"below": 1} if name == "legs" else {"above": 1.5}),
    )
    ck.claim(
        f"{name}: probability of tripod when it is covered", p, **({"below": 0.4} if name == "legs" else {"above": 0.8})
    )
    print(f"{name}: {area:.0%} of the picture")
behind = ck.occlusion_grid(model, image, tripod, window=64, stride=16).score[0]  # the logit behind each window
slope = F.avg_pool2d(heat, 64, 16)[0, 0]
both = torch.stack([slope.flatten(), -behind.flatten()])
ck.claim("correlation of mean slope and drop in logit over 121 windows", torch.corrcoef(both)[0, 1], below=0.4)

# %% [markdown] id="cover-read" slideshow={"slide_type": "notes"}
# The legs, by far, although their rectangle is the smaller one. The map is not wrong: it answers its own question, what a *tiny* change would do. It does not say
# what the answer is made of. The last line above asks for all places: over 121 windows the mean slope under the window says little about what
# covering it costs. *Saturation*, below, is one reason.

# %% [markdown] id="grain-title" slideshow={"slide_type": "skip"}
# ## Why is it grainy?
#
# **Predict first.** Look at the slopes themselves, with their signs, in a square of 32 × 32 pixels in an espresso, where the
# photograph itself is smooth. Are neighbours alike?

# %% id="grain" slideshow={"slide_type": "skip"}
cup = ck.load_image("coffee", size=224)
gradient = ck.input_gradient(model, cup, model.labels.index("espresso"))
square = (..., slice(24, 56), slice(84, 116))
ck.show_maps(cup[square], {"slopes of espresso": gradient[square]}, unit="logits / intensity, sum of 3 colours")

# %% id="grain-claim" slideshow={"slide_type": "skip"}
colours = gradient.sum(1).abs().sum() / gradient.abs().sum()
neighbours = F.avg_pool2d(gradient, 8).abs().sum() * 64 / gradient.abs().sum()
ck.claim("share of the magnitude that is left when the three colours are added up", colours, above=0.6)
ck.claim("and when 8 × 8 neighbours are added up", neighbours, below=0.3)

# %% [markdown] id="grain-read" slideshow={"slide_type": "skip"}
# Hardly: red and blue change from one pixel to the next. That is no fault of the
# drawing. It comes from the network: its convolutions with stride 2 treat every second pixel in another way. So in the sum over a patch
# most of the slopes cancel, and a large slope at one pixel says little about the patch around it. That is why one draws magnitudes, here
# and in the papers, and why their unit is a slope and not a share of the score.

# %% [markdown] id="logit-title" slideshow={"slide_type": "slide"}
# ## Of the logit, or of the probability?
#
# $$\frac{\partial p_c}{\partial x} \;=\; p_c \left( \frac{\partial S_c}{\partial x} - \sum_k p_k\, \frac{\partial S_k}{\partial x} \right)$$

# %% [markdown] id="logit-predict" slideshow={"slide_type": "skip"}
# All other classes mix in, and the gradient fades when the network is sure. **Predict first.** How much at $p_c = 0.95$?

# %% id="logit" slideshow={"slide_type": "fragment"}
sure, ratio, cosine, said = [], [], [], []
for name in ("rocket", "flower", "china", "chelsea", "grace_hopper", "motorcycle", "coffee", "camera"):
    photograph = ck.load_image(name, size=224)
    with torch.no_grad():
        probability, best = model(photograph).softmax(1).max(1)
    of_logit = ck.input_gradient(model, photograph, best)
    of_probability = ck.input_gradient(model, photograph, lambda logits, c=best: logits.softmax(1)[:, c].flatten())
    sure.append(probability.item())
    ratio.append((of_probability.norm() / of_logit.norm()).item())
    cosine.append(F.cosine_similarity(of_probability.flatten(), of_logit.flatten(), dim=0).item())
    raised = name in ("flower", "coffee")  # where two names would cover each other
    said.append(model.labels[best] + "\n" * raised)
curve = torch.linspace(0.15, 1, 60)
ck.show_scatter(
    {"eight photographs, by their best class": (sure, ratio)},
    names=said,
    curves={"p (1 − p): if only S moved": (curve, curve * (1 - curve))},
    xlabel="probability p of the best class",
    ylabel="length of ∂p/∂x ÷ length of ∂S/∂x",
)

# %% id="logit-claim" slideshow={"slide_type": "skip"}
unsure = [r for r, p in zip(ratio, sure, strict=True) if p < 0.9]
ck.claim("largest ratio where p > 0.9 (two photographs)", max(ratio[-2:]), below=0.1)
ck.claim("smallest ratio where p < 0.9 (six photographs)", min(unsure), above=0.1)
ck.claim("cosine of the two gradients on the cat", cosine[said.index("Egyptian cat")], below=0.85)

# %% [markdown] id="logit-read" slideshow={"slide_type": "notes"}
# About twenty times shorter. Two different questions. The logit asks: *what makes this class stronger?* The probability
# asks: *what makes it win?* Where the network is sure, the probability cannot rise: its slope goes to 0 everywhere, whatever the network looks
# at.
#
# The cat lies clearly below the curve: *Egyptian cat* and *tiger cat* are almost equally probable there. A pixel that speaks
# for both of them has a large slope of the logit, but hardly moves the probability. So this course takes the logit. When you read a map
# elsewhere, ask which one it is.
#
# The formula is the chain rule on $p_c = e^{S_c} / \sum_k e^{S_k}$, since $\log p_c = S_c - \log \sum_k e^{S_k}$.

# %% [markdown] id="toy-title" slideshow={"slide_type": "slide"}
# ## What goes wrong 1 · saturation
#
# $f(x) = 1 - \max(0,\, 1 - x)$ rises from 0 to 1, then stays. We stand at $x = 2$.
#
# **Predict first.** Without the input, $f$ would be 0. What does the gradient say about its importance?

# %% id="toy" slideshow={"slide_type": "fragment"}
xs = torch.linspace(-0.1, 2.5, 521)
f = 1 - F.relu(1 - xs)
ck.show_lines(
    xs,
    {"f(x)": f, "its gradient": (xs < 1).float()},
    marks={"nothing: x' = 0": 0, "we stand here: x = 2": 2},
    xlabel="x",
    ylabel="f(x), and its slope",
)

# %% [markdown] id="toy-read" slideshow={"slide_type": "notes"}
# The gradient at $x = 2$ is exactly 0: a little more or a little less changes nothing. But take the input away and
# everything is lost. *Sensitive to* and *caused by* are two different things (the example is from Sundararajan, Taly & Yan 2017).

# %% [markdown] id="path-title" slideshow={"slide_type": "slide"}
# ## The real network saturates too
#
# We brighten the cat from black: $\alpha\,x$, with $\alpha$ from 0.002 to 1. **Predict first.** At which brightness does the network
# know the *Egyptian cat*?

# %% id="path" slideshow={"slide_type": "fragment"}
cat = ck.load_image("chelsea", size=224)
egyptian = model.labels.index("Egyptian cat")


def logit(images, target):
    with torch.no_grad():
        return torch.cat([model(part)[:, target].cpu() for part in images.split(8)])


alphas = torch.logspace(-2.7, 0, 28)
path = logit(alphas.view(-1, 1, 1, 1) * cat, egyptian)
at_black = logit(torch.zeros_like(cat), egyptian).item()
ck.show_lines(
    alphas,
    {"Egyptian cat": path},
    levels={"black": at_black},
    logx=True,
    xlabel="brightness α (0 is black, 1 the photograph)",
    ylabel="logit of Egyptian cat",
)

# %% id="thumbnails" slideshow={"slide_type": "skip"}
shown = torch.tensor([0.01, 0.03, 0.05, 0.2, 1.0])
pictures = shown.view(-1, 1, 1, 1) * cat
ck.show_images(
    pictures,
    [f"α = {a:g}\nlogit {s:.1f}" for a, s in zip(shown.tolist(), logit(pictures, egyptian).tolist(), strict=True)],
    columns=5,
)

# %% id="path-claim" slideshow={"slide_type": "skip"}
total = path[-1] - at_black
early = (logit(0.05 * cat, egyptian) - at_black) / total
ck.claim("share of the score that the first twentieth of the brightness brings", early, above=0.8)
linear = ck.input_x_gradient(model, cat, egyptian).sum()
ck.claim("logits that black costs", total, above=5)
ck.claim("what the slope at the photograph promises, as a share of that", linear.abs() / total, below=0.25)

# %% [markdown] id="path-read" slideshow={"slide_type": "notes"}
# At a twentieth. There the photograph is nearly black for us, and the network has almost all of its score. After that the
# curve is flat. The gradient at the full picture lives on the flat part: it says how to make the cat a little more
# Egyptian. It does not say what made it a cat.
#
# **Gradient × input**, $x \odot \partial S_c / \partial x$, is the shortest way to ask what the picture is *made of*: if $S_c$ were linear, its
# sum would be what black costs (Shrikumar et al. 2016). The last line above says how far it is from that.

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
def noisy_gradients(model, image, target, samples, sigma=0.15, seed=0):
    generator = torch.Generator().manual_seed(seed)
    spread = sigma * (image.max() - image.min())  # σ is a part of the picture's own range
    noise = torch.randn(samples, *image.shape, generator=generator)
    return torch.cat([my_gradient(model, image + spread * one, target) for one in noise])


# %% id="smooth-same" slideshow={"slide_type": "skip"}
mine = noisy_gradients(model, image, tripod, samples=3).mean(0, keepdim=True)
theirs = ck.smoothgrad(model, image, tripod, samples=3, sigma=0.15)
assert (mine - theirs).norm() < 0.02 * theirs.norm()
print("the mean of noisy_gradients and ck.smoothgrad give the same map")

# %% [markdown] id="noisy-title" slideshow={"slide_type": "slide"}
# ### How many noisy copies reach the tower?

# %% [markdown] id="noisy-predict" slideshow={"slide_type": "skip"}
# **Predict first.** *Palace*: the plain gradient lies in the sky beside the roof. How many noisy copies does it take
# to move the map to the tower?

# %% id="noisy" slideshow={"slide_type": "fragment"}
tower = ck.load_image("china", size=224)
palace = model.labels.index("palace")
plain = ck.input_gradient(model, tower, palace)
noisy = noisy_gradients(model, tower, palace, samples=32)
smooth = noisy.mean(0, keepdim=True)
sizes = noisy.abs().mean(0, keepdim=True)
panels = {
    "plain gradient": plain,
    "one noisy copy": noisy[:1],
    "SmoothGrad: mean of 32": smooth,
    "mean of 32 magnitudes": sizes,
}
ck.show_maps(
    tower,
    {title: magnitude(g) for title, g in panels.items()},
    unit="99.5 percentile = 1",
    relative=True,
    pool=4,
    clip=99.5,
    columns=5,
)


# %% id="noisy-claim" slideshow={"slide_type": "skip"}
def cosines(one, other):
    return F.normalize(one.flatten(1)) @ F.normalize(other.flatten(1)).T


def pooled_correlation(one, other):
    both = [F.avg_pool2d(magnitude(g), 8).flatten() for g in (one, other)]
    return torch.corrcoef(torch.stack(both))[0, 1].item()


among = cosines(noisy, noisy)[~torch.eye(32, dtype=torch.bool)]
print("On the tower, with their signs:")
ck.claim(
    "length of a noisy gradient, over that of the plain one",
    noisy.flatten(1).norm(dim=1).mean() / plain.norm(),
    below=0.5,
)
ck.claim("mean cosine of noisy and plain gradient", cosines(noisy, plain).mean().abs(), below=0.05)
ck.claim("mean cosine of two noisy gradients", among.mean(), above=0.005, below=0.05)
ck.claim("cosine of SmoothGrad and plain gradient", cosines(smooth, plain).abs(), below=0.1)
print("Magnitudes, means over 8 × 8 pixels:")
ck.claim("correlation of one noisy gradient with the plain one", pooled_correlation(noisy[:1], plain), below=0.3)
ck.claim("correlation of one noisy gradient with another one", pooled_correlation(noisy[:1], noisy[1:2]), above=0.5)
ck.claim("correlation of SmoothGrad with the mean of magnitudes", pooled_correlation(smooth, sizes), above=0.9)

# %% [markdown] id="noisy-read" slideshow={"slide_type": "notes"}
# One. A single noisy copy puts its slopes on the tower already, and another one does the same (correlation 0.70). Yet with their signs they have nothing to
# do with the plain gradient (cosine 0.004), and next to nothing with each other (0.023). They are also less than a third as long: noise makes the
# network flatter.
#
# So SmoothGrad is not the plain gradient without its noise. It is the gradient of *other pictures*: noisy ones, on which the
# network is less steep. And what the average leaves to be seen is mostly *where* their slopes are large: the
# mean of the magnitudes, which averages no sign away, draws the same picture.

# %% [markdown] id="others-text" slideshow={"slide_type": "skip"}
# Is the tower a special case? The same numbers for three more photographs and another noise.

# %% id="others" slideshow={"slide_type": "skip"}
others = {"camera": "tripod", "coffee": "espresso", "rocket": "missile"}
steep, alike = [], []
for name, label in others.items():
    photograph, target = ck.load_image(name, size=224), model.labels.index(label)
    own = ck.input_gradient(model, photograph, target)
    copies = noisy_gradients(model, photograph, target, samples=8, seed=1)
    alike.append(cosines(copies, own).mean().abs().item())
    steep.append((copies.flatten(1).norm(dim=1).mean() / own.norm()).item())
ck.claim("largest mean cosine of noisy and plain gradient, three photographs", max(alike), below=0.05)
ck.claim("largest length of a noisy gradient, over that of the plain one", max(steep), below=0.6)

# %% [markdown] id="samples-title" slideshow={"slide_type": "skip"}
# ## Experiment 1 · how many samples until only the signal is left?
#
# The mean of $n$ vectors that have nothing in common is as long as one of them, divided by $\sqrt n$.
# **Predict first.** How far above this line does SmoothGrad end with 32 samples?

# %% id="samples" slideshow={"slide_type": "skip"}
counts = [1, 2, 4, 8, 16, 32]
lengths = [noisy.view(32 // n, n, -1).mean(1).norm(dim=1).mean().item() for n in counts]
ck.show_lines(
    counts,
    {"mean of n noisy gradients": lengths},
    levels={"plain gradient": plain.norm().item()},
    slopes={"if they had nothing in common: 1/√n": -0.5},
    log=True,
    logx=True,
    ticks=[str(n) for n in counts],
    xlabel="noisy copies n (palace, σ = 0.15)",
    ylabel="length (logits per unit of intensity)",
)

# %% id="samples-claim" slideshow={"slide_type": "skip"}
ck.claim(
    "length with 32 copies, over that of unrelated vectors", lengths[-1] / (lengths[0] / 32**0.5), above=1.1, below=1.8
)
halves = noisy[:16].mean(0, keepdim=True), noisy[16:].mean(0, keepdim=True)
ck.claim("cosine of two SmoothGrads of 16 copies each", cosines(*halves), above=0.1, below=0.5)
ck.claim("correlation of their magnitudes, 8 × 8 px", pooled_correlation(*halves), above=0.8)

# %% [markdown] id="samples-read" slideshow={"slide_type": "skip"}
# Hardly: 1.3 times as long as 32 vectors that have nothing in common would give. Two SmoothGrads of 16 copies each have a cosine of 0.27. Most
# of each value in the map is still chance, also after 32 samples; *where* the values are large is settled much earlier
# (correlation 0.95). So read a SmoothGrad map as an area, and trust the sign of no pixel in it.
#
# The paper says that the average removes the noise of the plain gradient. On this network it removes the plain gradient
# altogether: the dotted line is fifteen times as high.

# %% [markdown] id="sigma-title" slideshow={"slide_type": "skip"}
# ## Experiment 2 · how much noise?
#
# **Predict first.** A rocket between two masts, *missile*. The plain gradient lights up both masts. What does σ do to them?

# %% id="sigma" slideshow={"slide_type": "skip"}
rocket = ck.load_image("rocket", size=224)
missile = model.labels.index("missile")
widths = {s: ck.smoothgrad(model, rocket, missile, samples=16, sigma=s) for s in (0.02, 0.15, 0.3, 0.6)}
ck.show_maps(
    None,
    {f"σ = {s} of the range": magnitude(g) for s, g in widths.items()},
    unit="99.5 percentile = 1",
    relative=True,
    pool=2,
    clip=99.5,
)


# %% id="sigma-claim" slideshow={"slide_type": "skip"}
def share(gradient, top, bottom, left, right):
    return magnitude(gradient)[..., top:bottom, left:right].sum() / magnitude(gradient).sum()


column = 60, 224, 95, 140  # the rocket, rows and columns from and to; the masts stand to its left and right
masts = (60, 224, 35, 75), (60, 224, 165, 205)
for s, g in widths.items():
    print(
        f"σ = {s}: {share(g, *column):.2f} on the rocket's column, {sum(share(g, *m) for m in masts):.2f} on the masts'"
    )
even = torch.ones_like(rocket)
print(f"their parts of the area: {share(even, *column):.2f} and {sum(share(even, *m) for m in masts):.2f}")
beside = [sum(share(g, *m) for m in masts) / share(g, *column) for g in widths.values()]
ck.claim("masts over rocket, σ = 0.02 over σ = 0.15", beside[0] / beside[1], above=1.2)

# %% [markdown] id="sigma-read" slideshow={"slide_type": "skip"}
# They fade as σ grows. With 0.02 the masts have a third of the map, on a quarter of its area. With 0.15 they have little more than their area's
# part, with 0.3 and 0.6 not even that, while the rocket's column keeps about twice its part or more. With 0.6 only a blurred column is left, in a picture full of
# grain: such noise leaves little to see for the network either. The paper finds
# 0.1 to 0.2 best. As for the tower: σ chooses *which other pictures* are asked.

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


# %% id="ig-same" slideshow={"slide_type": "skip"}
mine = my_integrated_gradients(model, cat, egyptian, torch.zeros_like(cat), steps=4)
theirs = ck.integrated_gradients(model, cat, egyptian, steps=4, baseline="black")
assert (mine - theirs).norm() < 0.02 * theirs.norm()
print("my_integrated_gradients and ck.integrated_gradients give the same map")

# %% [markdown] id="gap-title" slideshow={"slide_type": "slide"}
# ## The map adds up to the score, if the steps are fine
#
# On the way, $h(\alpha) = S_c\big(x' + \alpha (x - x')\big)$. By the chain rule $h'(\alpha) = \sum_{p,k} (x - x')_{pk}\, \partial S_c / \partial x_{pk}$, so
#
# $$\sum_{p,k} A(p,k) \;=\; \int_0^1 h'(\alpha)\, d\alpha \;=\; S_c(x) - S_c(x') \qquad \textbf{(completeness)}$$
#
# What a finite number of steps misses is the **gap**. **Predict first.** Are 27 steps enough for a gap below half a logit?

# %% [markdown] id="gap-figure" slideshow={"slide_type": "subslide"}
# ### With 27 steps almost a logit is missing

# %% id="gap" slideshow={"slide_type": "-"}
counts = [3, 9, 27, 81]
walks = [ck.integrated_gradients(model, rocket, missile, steps=n, baseline="black") for n in counts]
gaps = [ck.completeness_gap(model, rocket, walk, missile, baseline="black").abs().item() for walk in walks]
ck.show_lines(
    counts,
    {"rocket, from black": gaps},
    slopes={"1/n": -1, "1/n²": -2},
    levels={"half a logit": 0.5},
    log=True,
    logx=True,
    ticks=[str(n) for n in counts],
    xlabel="steps n",
    ylabel="|gap| (logits)",
)

# %% id="gap-claim" slideshow={"slide_type": "skip"}
score = logit(rocket, missile) - logit(torch.zeros_like(rocket), missile)
print(f"the score to be shared out: {score.item():.1f} logits")
ck.claim("gap with 3 steps, in logits", gaps[0], above=5)
ck.claim("gap with 27 steps, in logits", gaps[2], above=0.5)
ck.claim("gap with 81 steps, in logits", gaps[3], below=0.4)
walk = ck.integrated_gradients(model, cat, egyptian, steps=50, baseline="black")
missed = ck.completeness_gap(model, cat, walk, egyptian, baseline="black").abs()
ck.claim("gap on the cat with 50 steps, the usual number, in logits", missed, above=1)

# %% [markdown] id="gap-read" slideshow={"slide_type": "notes"}
# No. The reason is the curve of the cat above: nearly all of the score comes early on the way. A coarse walk steps
# over it, or lands on a huge slope by luck. With 27 equal steps only one or two fall into the first twentieth. On other pictures it
# is worse, as the cat shows. So **always print the gap beside the map**; a map that is not complete has lost its one guarantee.

# %% [markdown] id="ig-map-title" slideshow={"slide_type": "slide"}
# ## Three methods, three answers: only one of them has a sign that adds up
#
# **Predict first.** Integrated gradients, added up over 8 × 8 pixels: will the rocket be red all over?


# %% id="ig-map" slideshow={"slide_type": "fragment"} tags=["gallery"]
def per_square(attribution, side=8):
    return F.avg_pool2d(attribution.sum(1, keepdim=True), side) * side**2  # sums, so nothing gets lost


ck.show_maps(
    rocket,
    {
        "saliency": ck.saliency(model, rocket, missile),
        "SmoothGrad": magnitude(widths[0.15]),
        "IG, signed": per_square(walks[-1]),
    },
    unit=["logits / intensity", "logits / intensity", "logits per 8 × 8 px"],
    shared=False,
    clip=99.5,
)

# %% id="ig-map-claim" slideshow={"slide_type": "skip"}
squares = per_square(walks[-1])
red, blue = squares.clamp(min=0).sum(), squares.clamp(max=0).sum()
print(f"red {red:.1f} and blue {blue:.1f} logits, together {red + blue:.1f}; the score is {score.item():.1f}")
ck.claim("blue over red", -blue / red, above=0.7)

# %% [markdown] id="ig-map-read" slideshow={"slide_type": "notes"}
# No: on the upper rocket red and blue squares lie side by side. Together they are the score, 6.6 of 6.5 logits, but as the difference of 91 red and
# 85 blue ones. On three other photographs (cup, cat, cameraman) the blue is 0.91 to 0.92 of the red. Completeness fixes the sum and
# not its parts: one red square is no evidence for *missile*. Where the values are large is steadier: on the upper rocket in all three.
#
# The units differ. Saliency and SmoothGrad are slopes, SmoothGrad's ten times smaller; integrated gradients are logits. All three give something to the
# masts, and SmoothGrad lights the pad as brightly as the rocket.

# %% [markdown] id="baseline-title" slideshow={"slide_type": "slide"}
# ## What goes wrong 2 · the baseline is blind to its own colour
#
# **Predict first.** *Military uniform*: the jacket is black. What will the jacket get from a black baseline?

# %% id="baseline" slideshow={"slide_type": "fragment"}
portrait = ck.load_image("grace_hopper", size=224)
uniform = model.labels.index("military uniform")
starts = {
    start: ck.integrated_gradients(model, portrait, uniform, steps=16, baseline=start)
    for start in ("black", "white", "mean", "blur")
}
ck.show_maps(
    portrait,
    {f"from {start}": magnitude(a) for start, a in starts.items()},
    unit="99.5 percentile = 1",
    relative=True,
    pool=2,
    clip=99.5,
    columns=5,
)

# %% id="baseline-claim" slideshow={"slide_type": "skip"}
jacket = portrait.amax(1, keepdim=True) < 0.2  # the nearly black pixels: the jacket and the cap's brim
shares = {start: a.abs().sum(1, keepdim=True)[jacket].sum() / a.abs().sum() for start, a in starts.items()}
ck.claim("share of the picture that is nearly black", jacket.float().mean(), below=0.5)
ck.claim("its share of the map from black", shares["black"], below=0.25)
ck.claim("its share of the map from white", shares["white"], above=0.5)
for start, a in starts.items():
    gap = ck.completeness_gap(model, portrait, a, uniform, baseline=start).item()
    print(f"from {start}: completeness gap with 16 steps {gap:.1f} logits")

# %% [markdown] id="baseline-read" slideshow={"slide_type": "notes"}
# Little: the nearly black pixels are 40 % of the picture and get 16 % of the map, because the factor $(x - x')$ is 0 where the picture has the baseline's
# own colour. What is quite black can never matter when "nothing" is black. From white these pixels take two thirds of the map. Neither map is wrong; they answer different questions:
# "instead of black" and "instead of white". There is no neutral nothing (Sturmfels, Lundberg & Lee, *Visualizing the impact
# of feature attribution baselines*, Distill 2020). Name the baseline with each map. (And the gap: the printed ones say that 16 steps show where the maps
# are bright, but do not add up to the score.)

# %% [markdown] id="explorer-title" slideshow={"slide_type": "skip"}
# ### Your turn
#
# Choose the class and the method. Which class moves the map most? For SmoothGrad and integrated gradients, how many
# samples or steps do you need until it no longer changes?

# %% id="explorer" slideshow={"slide_type": "skip"}
ck.explore_saliency(model, ck.load_image("motorcycle", size=224))

# %% [markdown] id="plate-title" slideshow={"slide_type": "slide"}
# ### Which column has seen no network?

# %% [markdown] id="plate-predict" slideshow={"slide_type": "skip"}
# **Predict first.** Four photographs, five maps each. One of the five columns knows neither the network nor the class. Which?

# %% id="plate" slideshow={"slide_type": "fragment"}
shown = {"espresso": "coffee", "moped": "motorcycle", "daisy": "flower", "military uniform": "grace_hopper"}
plate, photographs = {}, {}
for label, name in shown.items():
    photographs[label] = photograph = ck.load_image(name, size=224)
    target = model.labels.index(label)
    plate[label] = {
        "saliency": ck.saliency(model, photograph, target),
        "noisy copy": magnitude(noisy_gradients(model, photograph, target, samples=1)),
        "SmoothGrad": magnitude(ck.smoothgrad(model, photograph, target, samples=16)),
        "IG (black)": starts["black"]
        if label == "military uniform"
        else ck.integrated_gradients(model, photograph, target, steps=16),
        "edges": ck.edge_map(None, photograph),
    }
ck.show_matrix(plate, image=photographs, pool=4)

# %% [markdown] id="plate-read" slideshow={"slide_type": "notes"}
# The last one. It draws every contour, of the saucer and of the flag as well.
#
# One noisy copy and SmoothGrad, the mean of 16, are nearly alike in all four rows. With the other maps they agree more seldom than one would like. The cup: saliency and integrated gradients are brightest inside it, SmoothGrad covers cup,
# handle and spoon. The motorcycle: saliency and integrated gradients are brightest on the pale *wall* at the top left, SmoothGrad spreads over the whole
# motorcycle. The dahlia: saliency lies around it, SmoothGrad on it. The portrait: saliency lies on the black jacket, SmoothGrad on cap, face
# and badges, and integrated gradients from black on face, collar and badges.
#
# So a figure of one method on one photograph is an anecdote. Lab 14 tests which of these columns change when the network does.

# %% [markdown] id="edge-title" slideshow={"slide_type": "skip"}
# ## What goes wrong 3 · or is it only an edge detector?
#
# The last column is Sobel's filter. It knows nothing of networks or classes. **Predict first.** Which of saliency, SmoothGrad and integrated gradients
# is most like it on the dahlia: over the whole picture, and on the petals alone?


# %% id="edge-code" slideshow={"slide_type": "skip"}
def sobel(image):
    grey = F.pad(image.mean(1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    across = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]]) / 8
    slopes = F.conv2d(grey, torch.stack([across, across.T])[:, None])
    return slopes.norm(dim=1, keepdim=True)


def rank_correlation(a, b):
    ranks = torch.stack([a.flatten().argsort().argsort(), b.flatten().argsort().argsort()])
    return torch.corrcoef(ranks.double())[0, 1].item()


flower, flower_maps = photographs["daisy"], {name: magnitude(m) for name, m in plate["daisy"].items()}
assert torch.allclose(sobel(flower), flower_maps["edges"], atol=1e-6)
print("my sobel and ck.edge_map give the same map")

# %% id="edge-claim" slideshow={"slide_type": "skip"}
mask = flower[:, :1] - flower[:, 2:] > 0.15  # much more red than blue: the petals
edges = flower_maps["edges"]
for name in ("saliency", "SmoothGrad", "IG (black)"):
    whole, inside = rank_correlation(flower_maps[name], edges), rank_correlation(flower_maps[name][mask], edges[mask])
    print(f"rank correlation with the edges: {name} {whole:.2f}, on the petals alone {inside:.2f}")
smooth_ones = [flower_maps["SmoothGrad"], flower_maps["IG (black)"]]
ck.claim(
    "whole picture, the smaller of SmoothGrad and IG", min(rank_correlation(m, edges) for m in smooth_ones), above=0.3
)
ck.claim(
    "petals alone, the larger of the two", max(rank_correlation(m[mask], edges[mask]) for m in smooth_ones), below=0.2
)

# %% [markdown] id="edge-read" slideshow={"slide_type": "skip"}
# SmoothGrad, and integrated gradients nearly as much (0.55 and 0.51 over the whole picture). The flower is sharp and its background
# is not, so a picture alone cannot tell you that these maps come from a network. On the petals alone nothing of this is left (0.05 and −0.25):
# they find the flower, but they do not draw it. The edge detector draws every petal. Saliency goes against the edges: it is bright
# around the flower. And integrated gradients are brightest on the *second* dahlia, which the border cuts.
#
# The rule: a map that shows clear outlines could have been made without any network. The test that can really tell is to
# change the network and see whether the map changes (Adebayo et al. 2018). That is lab 14.

# %% [markdown] id="classes-title" slideshow={"slide_type": "slide"}
# ## Ask for another class: a fifth of the energy moves
#
# Two objects, one photograph behind them. **Predict first.** We ask for the one, then for the other. How much of the
# map moves from one object to the other: all, half, or little?


# %% id="classes-code" slideshow={"slide_type": "skip"}
def pair_scenes(n, seed):
    names = list(ck.cutouts("core"))
    order = torch.randperm(len(names), generator=torch.Generator().manual_seed(seed))[: 2 * n].view(n, 2).tolist()
    pairs = [[names[i] for i in pair] for pair in order]
    return [ck.load_scene(p, background="photograph", seed=seed + i, size=160) for i, p in enumerate(pairs)]


def share_of_first(heat, scene):
    """Of the energy on the two objects, the share that lies on the first one."""
    first, second = (heat[0, 0][mask].sum() for mask in scene.masks.values())
    return (first / (first + second)).item()


# %% id="classes" slideshow={"slide_type": "fragment"}
duos = pair_scenes(6, seed=0)
methods = {
    "saliency": lambda x, target: ck.input_gradient(model, x, target),
    "SmoothGrad": lambda x, target: ck.smoothgrad(model, x, target, samples=12),
}
asked = {  # for each method and scene, the maps of the two classes
    name: [[magnitude(method(scene.image, target)) for target in scene.targets.values()] for scene in duos]
    for name, method in methods.items()
}
shown = {
    f"{name}: {who.replace('_', ' ')}": asked[name][0][i] for name in methods for i, who in enumerate(duos[0].targets)
}
ck.show_maps(duos[0].image, shown, unit="99.5 percentile = 1", relative=True, pool=2, clip=99.5, columns=5)

# %% id="classes-claim" slideshow={"slide_type": "skip"}
for name, maps in asked.items():
    pairs = zip(maps, duos, strict=True)
    moved = [share_of_first(one, scene) - share_of_first(two, scene) for (one, two), scene in pairs]
    print(f"{name}: share that moves, by scene:", " ".join(f"{m:.2f}" for m in moved))
    ck.claim(
        f"{name}: share that moves, mean of {len(duos)} scenes (edge map: 0)",
        sum(moved) / len(moved),
        above=0.08,
        below=0.5,
    )
other = ck.smoothgrad(model, rocket, model.labels.index("drilling platform"), samples=16)
ck.claim(
    "rocket, SmoothGrad: correlation of missile and drilling platform, 8 × 8 px",
    pooled_correlation(widths[0.15], other),
    above=0.6,
)

# %% [markdown] id="classes-read" slideshow={"slide_type": "notes"}
# Little. Of the energy on the two objects about a fifth changes sides, with saliency as with SmoothGrad. Here SmoothGrad shows it well: its
# brightest spot goes from the fire engine to the ball. Saliency lies on the ball whichever class we ask for.
#
# So the maps do know the class, an edge map would not move at all. But most of each map says where the network is steep for *any* class. On the
# rocket *missile* and *drilling platform* have almost the same SmoothGrad map (0.92). Before you say "this is why it
# said missile", ask for another class and compare. Lab 05 makes this a test.

# %% [markdown] id="grabcut-title" slideshow={"slide_type": "slide"}
# ## From a map to a mask
#
# Simonyan et al. (section 3.2) cut objects out with no mask ever given in training. Seeds: the top 5 % of the map is
# object, the lowest 30 % is background. They used GraphCut; our GrabCut (Rother et al. 2004) decides the rest by colour.
# **Predict first.** Which seeds will cut out the tower, plain or smooth?


# %% id="grabcut-code" slideshow={"slide_type": "skip"}
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


# %% id="grabcut" slideshow={"slide_type": "fragment"}
tower_maps = {"plain": magnitude(plain), "smooth": magnitude(smooth)}
panels, titles = [], []
for name, heat in tower_maps.items():
    seeds = seeds_of(heat)
    panels += [draw_seeds(tower, seeds), tower * (0.15 + 0.85 * grabcut(tower, seeds))]
    titles += [f"{name} map: seeds", f"{name} map: cut out"]
ck.show_images(panels, titles)

# %% [markdown] id="grabcut-read" slideshow={"slide_type": "notes"}
# The smooth ones. Orange is *object for sure*, blue *background for sure*. The plain gradient is strongest in the sky beside the roof, so
# GrabCut cuts out the sky and the lake. The smooth map finds the tower, with a scrap of the lake. No box and no mask of a tower was ever given: only
# the word *palace* for a whole picture.

# %% [markdown] id="iou-text" slideshow={"slide_type": "skip"}
# How good is it? On the dahlia the colour gives us the true mask, `mask` above. The overlap (*intersection over union*) is 1 for equal
# masks. **Predict first.** And on the cat, which fills the picture?


# %% id="iou" slideshow={"slide_type": "skip"}
def overlap(a, b):
    return ((a & b).sum() / (a | b).sum()).item()


found = {name: grabcut(flower, seeds_of(flower_maps[name])) for name in ("saliency", "SmoothGrad")}
found["middle"] = grabcut(flower, seeds_of(ck.centre_map(None, flower)))
cat_cut = grabcut(cat, seeds_of(magnitude(ck.smoothgrad(model, cat, egyptian, samples=16))))
ck.show_images(
    [flower * (0.15 + 0.85 * m) for m in found.values()] + [cat * (0.15 + 0.85 * cat_cut)],
    ["dahlia, saliency", "dahlia, SmoothGrad", "dahlia, middle of the picture", "cat, SmoothGrad"],
)

# %% id="iou-claim" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
iou = {name: overlap(m, mask[0, 0]) for name, m in found.items()}
ck.claim("overlap with the true mask, seeds from SmoothGrad", iou["SmoothGrad"], above=0.85)
ck.claim("from the plain gradient", iou["saliency"], below=0.3)
ck.claim("from the middle of the picture", iou["middle"], above=0.85)

# %% [markdown] id="iou-read" slideshow={"slide_type": "skip"}
# The dahlia comes out whole from SmoothGrad, because its colour is all its own. But so it does from a blob in the middle, which has
# never seen a picture (only the second dahlia is missing). The plain gradient cuts out scraps beside it.
#
# Of the cat only eyes and muzzle are left: 30 % of the pixels *must* be
# background, but nearly all pixels are cat. A rule with fixed quantiles assumes the size of the object, whatever the picture shows.

# %% [markdown] id="neuron-title" slideshow={"slide_type": "slide"}
# ## Any neuron can be the score
#
# Follow one neuron of each of four layers, all above the same eye. In theory they see squares of 11, 35, 83 and 211 pixels (`model.layers`).
# **Predict first.** How much of its square does the deepest neuron really use?

# %% id="neuron" slideshow={"slide_type": "fragment"}
spots = {"block2": (19, 11), "block4": (9, 35), "block6": (4, 83), "block9": (4, 211)}  # row = column, and the field
with ck.capture(model, list(spots)) as maps, torch.no_grad():
    model(cat)
neurons = {}
for layer, (place, _) in spots.items():
    channel = maps[layer][0, :, place, place].argmax().item()  # the most active channel there
    neurons[layer] = ck.saliency(model, cat, ck.unit(layer, channel, position=(place, place)))
away = torch.maximum(*torch.meshgrid(*[(torch.arange(224) - 79).abs()] * 2, indexing="ij"))  # from pixel (79, 79)
rings = sum((away <= field // 2).int() for _, field in spots.values()) % 2 == 1  # outlines the squares
eye = (..., slice(24, 136), slice(24, 136))
ck.show_maps(
    cat[eye],
    {f"{layer}\nfield {spots[layer][1]} px": m[eye] for layer, m in neurons.items()},
    unit="99.8 percentile = 1",
    relative=True,
    overlay=True,
    mask=rings[eye],
    columns=5,
)

# %% id="neuron-claim" slideshow={"slide_type": "skip"}
for layer, (_, field) in spots.items():
    total = neurons[layer].sum()
    half = next(side for side in range(1, 225, 2) if neurons[layer][0, 0][away <= side // 2].sum() >= total / 2)
    print(f"{layer}: a square of {half} of {field} pixels holds half of the map")
    outside = neurons[layer][0, 0][away > field // 2]
    assert outside.numel() == 0 or outside.max() == 0  # outside its receptive field the gradient is exactly 0
ck.claim("block9: side of the square that holds half, over its field", half / field, below=0.4)

# %% [markdown] id="neuron-read" slideshow={"slide_type": "notes"}
# Little of it: in block9 a square of 35 of the 211 pixels holds half of the map (in block2 it is 5 of 11), and the outer parts hardly count. In a
# map of one value the half would need a square of 131 (Luo et al., *Understanding the effective
# receptive field*, NIPS 2016). Outside its square each map is exactly 0.

# %% [markdown] id="score-title" slideshow={"slide_type": "slide"}
# ## Score it: the middle of the picture ranks better than saliency
#
# Twelve cut-out objects on photographs that have edges of their own, so we know every pixel of the object.
# **Predict first.** Who ranks the pixels better: the plain gradient, or a blob in the middle that has seen no picture?


# %% id="score" slideshow={"slide_type": "fragment"}
scenes = ck.scenes(12, objects=list(ck.cutouts("core")), background="photograph", seed=0, size=160)
images, targets, masks = scenes.images, scenes.targets.tolist(), scenes.masks
scene_maps = {
    "saliency": ck.saliency(model, images, targets),
    "one noisy gradient": magnitude(ck.smoothgrad(model, images, targets, samples=1)),
    "smoothgrad": magnitude(ck.smoothgrad(model, images, targets, samples=16)),
    "integrated_gradients": magnitude(ck.integrated_gradients(model, images, targets, steps=16)),
    "edges": ck.edge_map(None, images),
    "middle of the picture": ck.centre_map(None, images),
    "chance": ck.random_map(None, images),
}


def deletion(heat, masks):
    return torch.trapezoid(ck.deletion_curve(model, images, heat, targets, steps=8), dx=1 / 8)


measures = {
    "ranking AUC": ck.ranking_auc,
    "energy in the mask": ck.mask_energy,
    "deletion: area, low is good": deletion,
}
marks = {
    title: {name: ck.bootstrap_interval(measure(heat, masks), scenes.objects) for name, heat in scene_maps.items()}
    for title, measure in measures.items()
}
ck.show_dots(
    marks,
    xlabel="score",
    interval=f"95 % interval over {len(scenes)} objects",
    grey=["edges", "middle of the picture", "chance"],
)

# %% id="score-claim" slideshow={"slide_type": "skip"}
print(f"{scenes}, mean area {masks.float().mean():.2f}")
for title, panel in marks.items():
    print(f"{title}: " + ", ".join(f"{name.replace('_', ' ')} {value:.2f}" for name, (value, _, _) in panel.items()))
auc = {name: value for name, (value, _, _) in marks["ranking AUC"].items()}
ck.claim(
    "ranking AUC: middle of the picture above saliency", auc["middle of the picture"] - auc["saliency"], above=0.02
)
ck.claim("one noisy gradient above saliency", auc["one noisy gradient"] - auc["saliency"], above=0.02)
ck.claim("SmoothGrad above saliency", auc["smoothgrad"] - auc["saliency"], above=0.05)
ck.claim("SmoothGrad above the middle of the picture", auc["smoothgrad"] - auc["middle of the picture"], above=0)
ck.claim("ranking AUC of the edges (chance: 0.5)", auc["edges"], below=0.6)
calm = {
    name: ck.ranking_auc(F.avg_pool2d(scene_maps[name], 8), masks).mean().item() for name in ("saliency", "smoothgrad")
}
ck.claim("ranking AUC of saliency, mean over 8 × 8 px", calm["saliency"], above=0.84)
ck.claim("ranking AUC of SmoothGrad, mean over 8 × 8 px", calm["smoothgrad"], above=0.9)

# %% [markdown] id="score-read" slideshow={"slide_type": "notes"}
# The blob (0.83 against 0.73), and so it does in the twelve scenes of the seeds 1 and 2: objects lie in the middle more often
# than in the corners. Chance is 0.5, and the edge detector hardly better, since these backgrounds have edges too.
#
# - **One noisy gradient** is better than the plain one in all three scores (in *deletion* by less than the bars): the noise helps, before any averaging.
# - **SmoothGrad** is ahead of the middle in the ranking with all three seeds, though by little (one noisy gradient is level with it here). It makes
#   *deletion* fall fastest too.
# - Much of saliency's loss is grain. Averaged over 8 × 8 pixels it scores 0.87, and so passes the middle; SmoothGrad scores 0.96.
# - **Integrated gradients** have the largest share of their energy on the object, with all three seeds.
# - **Deletion** asks for no mask: which map takes the class away with the fewest pixels? The edges are no better than chance there.
#
# Twelve objects are few: read the bars. Lab 06 scores all methods on 200 scenes.

# %% [markdown] id="cuts-text" slideshow={"slide_type": "skip"}
# And the cut-outs? The overlap of GrabCut's cut-out with the true mask, mean over the twelve objects, with the seeds
# from each map. **Predict first.** How good are cut-outs whose seeds come from the middle of the picture?

# %% id="cuts" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
cuts = {}
for name, heat in scene_maps.items():
    found = [grabcut(images[[i]], seeds_of(heat[[i]])) for i in range(len(scenes))]
    cuts[name] = sum(overlap(a, b) for a, b in zip(found, masks, strict=True)) / len(scenes)
    print(f"overlap with the true mask, seeds from {name.replace('_', ' ')}: {cuts[name]:.2f}")

# %% id="cuts-claim" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
ck.claim(
    "overlap, saliency above the middle of the picture",
    cuts["saliency"] - cuts["middle of the picture"],
    above=-0.05,
    below=0.15,
)
ck.claim("overlap, edges", cuts["edges"], below=0.45)

# %% [markdown] id="cuts-read" slideshow={"slide_type": "skip"}
# Almost as good as those of the gradients: on these twelve objects 0.62 against 0.68 (saliency) and 0.66 (SmoothGrad); with the
# seeds 1 and 2 SmoothGrad is ahead by 0.13 and 0.07, saliency by 0.01. Most of the work is GrabCut's. So a beautiful cut-out proves little
# about the map; the edge detector's and chance's are clearly worse.

# %% [markdown] id="pretty-title" slideshow={"slide_type": "slide"}
# ## Is a prettier gradient a truer one?
#
# The **robust twin** is the same network, trained on with pictures that were attacked first (lab 08). A small change no longer turns its answer so
# easily, so its slopes cannot all be grain (Tsipras et al. 2019).

# %% [markdown] id="pretty-predict" slideshow={"slide_type": "skip"}
# **Predict first.** The plain gradient of both networks, one backward pass each, on three photographs that both name alike. Which is easier to
# read? And will the one that is easier to read also score better against the masks?

# %% id="pretty" slideshow={"slide_type": "fragment"}
twin = ck.load_model("efficientnet_lite0_robust")
alike_named = {"espresso": "coffee", "palace": "china", "daisy": "flower"}
sights, columns = {}, {}
for label, name in alike_named.items():
    sights[label] = ck.load_image(name, size=224)
    columns[label] = {
        "plain network": ck.saliency(model, sights[label], model.labels.index(label)),
        "robust twin": ck.saliency(twin, sights[label], model.labels.index(label)),
    }
ck.show_matrix(columns, image=sights, pool=2)


# %% id="pretty-claim" slideshow={"slide_type": "skip"}
def coarse(gradient):
    """The share of the magnitude that is left when 8 × 8 neighbours are added up, signs and all."""
    return (F.avg_pool2d(gradient, 8).abs().sum() * 64 / gradient.abs().sum()).item()


smoother = []
for label, sight in sights.items():
    kept = [coarse(ck.input_gradient(network, sight, model.labels.index(label))) for network in (model, twin)]
    print(f"{label}: left of the magnitude, plain network {kept[0]:.2f}, robust twin {kept[1]:.2f}")
    smoother.append(kept[1] / kept[0])
ck.claim(
    "left of the magnitude when 8 × 8 px are added up, twin over plain network, least of 3", min(smoother), above=1.5
)

# %% [markdown] id="pretty-read" slideshow={"slide_type": "notes"}
# The twin's is coarser: two neighbours agree more often, so that about twice as much of the magnitude is left when 8 × 8 pixels are added up. Easier to
# read? For *palace* and *daisy* yes. The plain map lies in the sky beside the roof and around the dahlia; the twin's lies on the tower and the shore, and on the dahlia, much
# as SmoothGrad's did, in one backward pass. For *espresso* no: there it is the plain map that draws the rim of the cup. Three photographs are an anecdote; the scores follow.
#
# The twin began as the same network and was trained on for a short time, at 128 pixels. Tsipras et al. and Engstrom et al. (2019) trained theirs from the start on far more
# pictures, and their gradients are much clearer.

# %% [markdown] id="truer-title" slideshow={"slide_type": "subslide"}
# ### The twin's gradient ranks the pixels better, as well as the middle of the picture does

# %% [markdown] id="truer-text" slideshow={"slide_type": "skip"}
# Sixteen scenes, one of each object that no network of this course was trained with. Energy and ranking as above. **Deletion needs care:** the curves of two
# networks are curves of two functions, and cannot be laid on each other. So we hold the function and change the order: the plain
# network's pixels are deleted in the order of its own gradient, of the *twin's*, of the edges, of the middle and of chance; and then the same on the twin. Each
# area is divided by the mean probability with which that network begins.
#
# **Predict first.** On the plain network, whose order is the better one: its own, or the twin's?

# %% id="truer" slideshow={"slide_type": "-"}
fresh = ck.scenes(16, objects=list(ck.cutouts("unseen")), background="photograph", seed=0, size=160)
views, asked_for = fresh.images, fresh.targets.tolist()
orders = {
    "plain gradient": ck.saliency(model, views, asked_for),
    "robust twin's gradient": ck.saliency(twin, views, asked_for),
    "edges": ck.edge_map(None, views),
    "middle of the picture": ck.centre_map(None, views),
    "chance": ck.random_map(None, views),
}
scores = {
    "energy in the mask": {name: ck.mask_energy(heat, fresh.masks) for name, heat in orders.items()},
    "ranking AUC": {name: ck.ranking_auc(heat, fresh.masks) for name, heat in orders.items()},
}
for title, network in (("plain network", model), ("robust twin", twin)):
    curves = {name: ck.deletion_curve(network, views, heat, asked_for, steps=8) for name, heat in orders.items()}
    begin = curves["chance"][:, 0].mean()
    scores[f"{title}: deletion"] = {name: torch.trapezoid(curve, dx=1 / 8) / begin for name, curve in curves.items()}
truer = {
    title: {name: ck.bootstrap_interval(value, fresh.objects) for name, value in panel.items()}
    for title, panel in scores.items()
}
ck.show_dots(
    truer,
    interval=f"95 % interval over {len(fresh)} objects",
    grey=["edges", "middle of the picture", "chance"],
    columns=2,
)

# %% id="truer-claim" slideshow={"slide_type": "skip"}
plain_one, twins, _, middle, _ = orders
for title, panel in scores.items():
    for other in (plain_one, middle):
        mean, low, high = ck.bootstrap_interval(panel[twins] - panel[other], fresh.objects)
        print(f"{title}, twin's minus {other}: {mean:+.2f} ({low:+.2f} to {high:+.2f})")
better = {title: (panel[twins] - panel[plain_one]).mean().item() for title, panel in scores.items()}
ck.claim("ranking AUC, twin's minus plain gradient", better["ranking AUC"], above=0.02)
ck.claim("energy in the mask, twin's minus plain gradient", abs(better["energy in the mask"]), below=0.08, digits=1)

# %% [markdown] id="truer-read" slideshow={"slide_type": "notes"}
# The twin's. It depends on the score, so read all of them.
#
# - **Ranking**: better by 0.06, and by 0.06 and 0.07 with the scenes of the seeds 1 and 2; level with the middle of the picture (0.81 each).
# - **Energy**: no difference (0.36 and 0.36; with the seeds 1 and 2 the twin's is larger by less than 0.04). Prettier is not more on the object. Both are above the middle (0.31), the edges (0.20) and chance (0.19).
# - **Deletion** (less is better): the twin's order takes the class from the *plain* network faster than the plain network's own gradient does, by 0.05 (interval
#   0.01 to 0.09). On the twin its own order is ahead by less than the bars. The middle of the picture is as good as either, and the order of chance is not far behind: single grey pixels all over are
#   a kind of noise that disturbs any network.
#
# So: coarser, somewhat truer in rank and in deletion, not in energy. In two of the three scores a blob in the middle does as well. Sixteen objects are few.

# %% [markdown] id="honest-title" slideshow={"slide_type": "skip"}
# ### And the sanity check?
#
# Lab 14's test: draw the weights anew, from the logits down, and ask whether the map changes. Both networks end as the *same* random network.
# **Predict first.** Which map keeps more of itself, the grainy or the pretty one?

# %% id="honest" slideshow={"slide_type": "skip"}
layers = ["fc", "block14", "block8", "conv1"]


def similarity(one, other):
    """Rank correlation of the maps' means over 8 × 8 pixels, for each scene."""
    pairs = zip(F.avg_pool2d(one, 8), F.avg_pool2d(other, 8), strict=True)
    return torch.tensor([rank_correlation(a, b) for a, b in pairs])


kept = {}
for name, network in ((plain_one, model), (twins, twin)):
    kept[name] = [
        ck.bootstrap_interval(similarity(orders[name], ck.saliency(random, views, asked_for)), fresh.objects)
        for _, random in ck.randomised(network, seed=1, layers=layers)
    ]
ck.show_lines(
    range(4),
    {name: [mean for mean, _, _ in row] for name, row in kept.items()},
    bands={name: ([low for _, low, _ in row], [high for _, _, high in row]) for name, row in kept.items()},
    ticks=["fc", "fc to block14", "fc to block8", "all"],
    levels={"nothing in common": 0},
    limits=(-0.1, 1),
    xlabel="layers with re-initialised weights",
    ylabel="rank correlation with the trained map",
)

# %% id="honest-claim" slideshow={"slide_type": "skip"}
for name, row in kept.items():
    print(f"{name}: " + ", ".join(f"{mean:.1f}" for mean, _, _ in row))
    ck.claim(f"{name}: correlation left with all weights drawn anew", row[-1][0], below=0.6, digits=1)
like_edges = {name: similarity(orders[name], orders["edges"]).mean() for name in (plain_one, twins)}
print(f"correlation of the plain gradient with the edges: {like_edges[plain_one]:.1f}")
ck.claim("correlation of the twin's gradient with the edges", like_edges[twins], above=-0.3, below=0.3, digits=1)

# %% [markdown] id="honest-read" slideshow={"slide_type": "skip"}
# The pretty one keeps a little less, and the difference is smaller than the bands: both maps change as the weights go, and at the end 0.4 (plain) and 0.3 (twin) of the
# correlation is left, though nothing that was learnt is left. So both maps depend on what was learnt, and neither on that alone (lab 14 asks what is left). The twin's map is not pretty because it draws contours: its
# correlation with the edges is 0.0 (the plain one's is negative).

# %% [markdown] id="swap-title" slideshow={"slide_type": "skip"}
# ## Swap the network
#
# The same lines with EfficientNet-Lite2 at 260 × 260 pixels. Both networks say *palace*.
# **Predict first.** Do two networks agree more in the plain gradient, or in the smooth one?

# %% id="swap" slideshow={"slide_type": "skip"}
other = ck.load_model("efficientnet_lite2")
larger = ck.load_image("china", size=other.input_size)
parts = [ck.smoothgrad(other, larger, samples=4, seed=seed) for seed in range(3)]  # in parts: Lite2 needs much memory
other_maps = {"plain": ck.saliency(other, larger), "smooth": magnitude(sum(parts) / 3)}

# %% id="swap-claim" slideshow={"slide_type": "skip"}
agree = {
    name: rank_correlation(F.adaptive_avg_pool2d(tower_maps[name], 28), F.adaptive_avg_pool2d(other_maps[name], 28))
    for name in tower_maps
}
ck.claim("rank correlation of the two plain maps, 28 × 28", agree["plain"], above=0.4, below=0.85)
ck.claim("the smooth maps agree better, by", agree["smooth"] - agree["plain"], above=0.1)

# %% [markdown] id="swap-read" slideshow={"slide_type": "skip"}
# In the smooth one. So a part of the plain gradient belongs to one network alone, and what the noisy pictures show is common to the two: the
# tower. (Or its edges? You know the doubt by now.)

# %% [markdown] id="exercises-title" slideshow={"slide_type": "skip"}
# ## Exercises
#
# | | what you do | difficulty | minutes |
# |---|---|---|---|
# | 04.1 | the saliency map, without looking back | ★ | 10 |
# | 04.2 | SmoothGrad with given noise | ★★ | 10 |
# | 04.3 | integrated gradients | ★★ | 15 |
# | 04.4 | a completeness gap by hand | ★★ | 5 |
# | 04.5 | the slope of a probability | ★ | 5 |
# | 04.6 | the saliency of one neuron | ★★ | 10 |
# | 04.7 | seeds for GrabCut | ★★ | 10 |
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

# %% [markdown] id="e6-card"
# ### Exercise 04.6 · The saliency of one neuron
# *★★ · 10 minutes.* The score is now one neuron: layer `layer` (a name), channel `channel`, at `row` and `column` of its map. Return its
# saliency map for one image (1, 3, H, W), as a tensor (H, W). `ck.capture` in a `with` line keeps what the layer gives
# while `model(x)` runs; `maps[layer]` is (1, C, h, w), and torch knows how it was computed.
# **You will probably** take the sum over the map, or mix up row and column.


# %% id="e6-starter"
def neuron_map(model, image, layer, channel, row, column):
    return ...


# %% id="e6-solution" jupyter={"source_hidden": true} tags=["solution"]
def neuron_map(model, image, layer, channel, row, column):
    x = image.clone().requires_grad_()
    with ck.capture(model, [layer]) as maps:
        model(x)
    (gradient,) = torch.autograd.grad(maps[layer][0, channel, row, column], x)
    return gradient.abs().amax(dim=1)[0]


# %% id="e6-check"
ck.check("04.6", neuron_map)

# %% [markdown] id="e7-card"
# ### Exercise 04.7 · Seeds for GrabCut
# *★★ · 10 minutes.* `heat` is a map (H, W), already smooth. Return a tensor (H, W) with OpenCV's four labels: `cv2.GC_FGD` for the top 5 % of the
# pixels, `cv2.GC_BGD` for the lowest 30 %. The lab called all the rest probably object. Do better: `cv2.GC_PR_FGD` above
# the median, `cv2.GC_PR_BGD` below it. Then try it on the cat: does it still lose its ears?
# **You will probably** take parts of the largest value where parts of the pixels are asked for.


# %% id="e7-starter"
def seed_labels(heat):
    return ...


# %% id="e7-solution" jupyter={"source_hidden": true} tags=["solution"]
def seed_labels(heat):
    seeds = torch.full(heat.shape, cv2.GC_PR_BGD, dtype=torch.uint8)
    seeds[heat > heat.median()] = cv2.GC_PR_FGD
    seeds[heat < heat.quantile(0.30)] = cv2.GC_BGD
    seeds[heat > heat.quantile(0.95)] = cv2.GC_FGD
    return seeds


# %% id="e7-check"
ck.check("04.7", seed_labels)

# %% [markdown] id="recap" slideshow={"slide_type": "slide"}
# ## Recap
#
# - The gradient of the logit says what the score is *sensitive* to here. It need not say what the score is *made of*: the
#   legs that make the tripod are dark in its map.
# - SmoothGrad is no plain gradient without noise. One noisy copy already has another gradient, and the mean shows where these are large. Integrated
#   gradients add up to the score, as a small rest of much red and much blue. Noise, steps and baseline are part of the result.
# - Before you believe a map: another class, an edge detector, the middle of the picture.

# %% [markdown] id="quiz" slideshow={"slide_type": "slide"}
# ## Quiz
#
# 1. A pixel has the gradient 0. Can it matter?
# <details><summary>Answer</summary>Yes. Where the score is saturated, a small change does nothing, though removing the pixel may change everything.</details>
#
# 2. Integrated gradients from black, and a black dog gets nothing. Why?
# <details><summary>Answer</summary>The factor (x − x′) is 0 where the picture has the baseline's colour. Try another baseline and compare.</details>
#
# 3. SmoothGrad's map of 32 copies looks clean. Have the signs of its values settled?
# <details><summary>Answer</summary>No. Two halves of 16 copies have a cosine of only 0.27. What has settled is where the values are large.</details>
#
# 4. Your map shows the outline of the object very clearly. Is that good news?
# <details><summary>Answer</summary>Not by itself: an edge detector shows it as clearly. Ask whether the map changes when the network or the class changes.</details>

# %% [markdown] id="reading" slideshow={"slide_type": "skip"}
# ## Further reading
#
# - K. Simonyan, A. Vedaldi, A. Zisserman. *Deep inside convolutional networks: visualising image classification models and saliency maps.* ICLR workshop 2014.
# - D. Smilkov, N. Thorat, B. Kim, F. Viégas, M. Wattenberg. *SmoothGrad: removing noise by adding noise.* arXiv:1706.03825, 2017.
# - A. Shrikumar, P. Greenside, A. Shcherbina, A. Kundaje. *Not just a black box: learning important features through propagating activation differences.* arXiv:1605.01713, 2016. Gradient × input.
# - M. Sundararajan, A. Taly, Q. Yan. *Axiomatic attribution for deep networks.* ICML 2017.
# - J. Adebayo, J. Gilmer, M. Muelly, I. Goodfellow, M. Hardt, B. Kim. *Sanity checks for saliency maps.* NeurIPS 2018. See lab 14.
# - L. Engstrom et al. *Adversarial robustness as a prior for learned representations.* arXiv:1906.00945, 2019.
# - D. Tsipras, S. Santurkar, L. Engstrom, A. Turner, A. Madry. *Robustness may be at odds with accuracy.* ICLR 2019.
# - P.-J. Kindermans et al. *The (un)reliability of saliency methods.* In *Explainable AI*, Springer 2019.
# - C. Rother, V. Kolmogorov, A. Blake. *GrabCut: interactive foreground extraction using iterated graph cuts.* SIGGRAPH 2004.
#
# **Next:** lab 05 bends the backward pass itself, and gets pictures that are almost too beautiful.
