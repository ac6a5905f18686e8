# %% [markdown] id="title" slideshow={"slide_type": "slide"}
# # 08 · Fooling images
# ### How little must change to change the answer?
#
# After this lab you will be able to
#
# - change a picture so that you see nothing and the network sees something else,
# - explain with one line of algebra why that is so easy,
# - make pictures of nothing that a network is sure of, with and without gradients,
# - measure whether an attack survives another network, another view, and a JPEG file.

# %% [markdown] id="contract" slideshow={"slide_type": "skip"}
# **First do** labs 03 and 04.
#
# **Run time** about 45 s on two CPU cores. **Memory** below 1.5 GB.

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
cat = ck.load_image("chelsea", size=224)
ostrich = model.labels.index("ostrich")
start = model(cat).argmax(1).item()
print("the network says:", model.labels[start])

# %% [markdown] id="question" slideshow={"slide_type": "slide"}
# ## The question
#
# Lab 04 asked: which pixels would change the answer? Now we change them.
#
# Each value of the picture may move by at most $\varepsilon$ = 2/255: two steps of the 255 that a screen can show.
#
# **Predict first.** Can that make an ostrich out of this cat? How sure will the network be?

# %% id="cat" slideshow={"slide_type": "-"}
ck.show_predictions(cat, ck.predict(model, cat))

# %% [markdown] id="idea" slideshow={"slide_type": "slide"}
# ## The idea
#
# Let $L(x, c)$ be the cross-entropy of the class $c$ that we want. Take a small step *down* its gradient in every value, and
# never leave the box of $\pm\varepsilon$ around the picture $x_0$:
#
# $$ x \leftarrow \operatorname{clip}_{\,x_0 \pm \varepsilon,\; [0, 1]} \big( x - \alpha \, \operatorname{sign} \nabla_x L(x, c) \big) $$
#
# With one step, $\alpha = \varepsilon$, this is the **fast gradient sign method** (Goodfellow et al. 2015); with many, the iterated one
# (Kurakin et al. 2017). The weights of the network stay as they are. We train the *picture*.

# %% [markdown] id="code-title" slideshow={"slide_type": "slide"}
# ## The whole method


# %% id="readable" slideshow={"slide_type": "-"} tags=["show-code"]
def my_attack(model, image, target, epsilon=2 / 255, step=0.5 / 255, steps=10):
    low, high = (image - epsilon).clamp(min=0), (image + epsilon).clamp(max=1)
    x = image.clone()
    for _ in range(steps):
        x.requires_grad_()
        loss = F.cross_entropy(model(x), torch.tensor([target]))
        (gradient,) = torch.autograd.grad(loss, x)
        x = (x.detach() - step * gradient.sign()).clamp(low, high)
    return x


# %% id="same"
if model.device.type == "cpu":
    torch.testing.assert_close(my_attack(model, cat, ostrich), ck.iterated_gradient_sign(model, cat, ostrich))
    print("my_attack and ck.iterated_gradient_sign give the same picture")

# %% [markdown] id="attack-title" slideshow={"slide_type": "slide"}
# ## An ostrich

# %% id="attack" slideshow={"slide_type": "-"} tags=["gallery"]
fooled = ck.iterated_gradient_sign(model, cat, ostrich).cpu()
change = fooled - cat
before, after = (ck.predict(model, x, top=1)[0][0] for x in (cat, fooled))
ck.show_images(
    [cat, 0.5 + change, 0.5 + 10 * change, fooled],
    [f"{before[0]} {before[1]:.0%}", "the change", "the change × 10", f"{after[0]} {after[1]:.0%}"],
    columns=4,
)

# %% id="attack-claim"
print("no value moved by more than 2/255:", bool(change.abs().max() <= 2 / 255 + 1e-6))
print("the network is more than 99 % sure of an ostrich:", after[0] == "ostrich" and after[1] > 0.99)

# %% [markdown] id="attack-read" slideshow={"slide_type": "skip"}
# The change is there and cannot be seen. Ten times as strong it is a fine pattern with traces of the cat's outline, and no
# trace of an ostrich. The picture of what the network *needs* (lab 07) and the picture of what *fools* it are not the same.

# %% [markdown] id="linear-title" slideshow={"slide_type": "slide"}
# ## Why is it so easy? Many tiny steps add up
#
# One value moves the score by at most $\varepsilon |g_i|$. All of them together:
#
# $$ S(x_0 + \varepsilon \operatorname{sign} g) - S(x_0) \;\approx\; \varepsilon \sum_i |g_i| = \varepsilon \, \lVert g \rVert_1 $$
#
# The picture has 150,528 values. Each change is tiny, and the sum is not.
#
# **Predict first.** We walk along $\operatorname{sign} g$, from $-4/255$ to $4/255$. Straight lines or wild curves?

# %% id="linear" slideshow={"slide_type": "-"}
x = cat.clone().requires_grad_()
with torch.enable_grad():
    logits = model(x.to(model.device))
    score = logits[0, ostrich] - logits[0, start]
    g = torch.autograd.grad(score, x)[0]
steps = torch.arange(-8, 9) / 2 / 255
with torch.no_grad():
    walk = torch.cat([model((cat + e * g.sign()).clamp(0, 1)) for e in steps]).cpu()
promise = [(score.item() + e * g.abs().sum()).item() for e in steps]
ck.show_lines(
    steps * 255,
    {"ostrich": walk[:, ostrich], model.labels[start]: walk[:, start]},
    xlabel="ε in steps of 1/255, along the sign of the gradient",
    ylabel="logit",
)

# %% id="linear-claim"
lead = walk[:, ostrich] - walk[:, start]
start_at = len(steps) // 2
kept = {k: ((lead[start_at + k] - lead[start_at]) / (promise[start_at + k] - promise[start_at])).item() for k in (1, 8)}
print(
    "with 1/255 the ostrich comes more than 3 logits nearer to the cat:",
    (lead[start_at + 2] - lead[start_at]).item() > 3,
)
print("half a step of 1/255 brings a quarter to two thirds of what the slope promises:", 0.25 < kept[1] < 0.67)
print("four steps bring less than a tenth:", kept[8] < 0.1)

# %% [markdown] id="linear-read" slideshow={"slide_type": "skip"}
# Goodfellow's explanation holds: no strange pocket of a curved space is needed, only many values. One grey level in each of them is worth
# several logits. But the lines are short. This network bends within one grey level: after four of them less than a tenth of the promise
# has come. That is why one long step often fails to reach its target, and why ten small ones do: the gradient turns as we go.

# %% [markdown] id="smallest-title" slideshow={"slide_type": "slide"}
# ## The smallest change
#
# Szegedy et al. (2014) asked for the smallest change $r$ with L-BFGS inside the box of pictures:
#
# $$ \min_r \; \lambda \, \tfrac12 \overline{r^2} + L(x_0 + r, c), \qquad x_0 + r \in [0, 1] $$
#
# **Predict first.** Which is smaller in the root mean square: this one or the sign method's?

# %% id="smallest" slideshow={"slide_type": "-"}
least, size = ck.smallest_change(model, cat, ostrich, weight=3e4, steps=25)
sign_size = change.pow(2).mean().sqrt().item()
name, sure = ck.predict(model, least, top=1)[0][0]
print("still an ostrich:", name == "ostrich", "| less than half the size of the sign method's:", size < sign_size / 2)
ck.show_images(
    [0.5 + 20 * (least.cpu() - cat), 0.5 + 20 * change],
    [f"L-BFGS: rms {255 * size:.2f}/255 × 20", f"sign: rms {255 * sign_size:.2f}/255 × 20"],
    columns=2,
)

# %% [markdown] id="nonsense-title" slideshow={"slide_type": "slide"}
# ## Sure of nothing
#
# Start from noise and climb the logit of a class, with no rule about what a picture should look like (Nguyen et al. 2015).
#
# **Predict first.** Will you be able to name the four?

# %% id="nonsense" slideshow={"slide_type": "-"}
wanted = ["zebra", "teapot", "school bus", "volcano"]
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
).images
sure = [ck.predict(model, x[None], top=1)[0][0] for x in made]
ck.show_images(list(made.split(1)), [f"{name} {p:.1%}" for name, p in sure], columns=4)

# %% id="nonsense-claim"
print("at least 99 % sure of all four:", all(n == w and p >= 0.99 for (n, p), w in zip(sure, wanted, strict=True)))

# %% [markdown] id="evolve-title" slideshow={"slide_type": "subslide"}
# ### … and without any gradient
#
# Sixteen pictures, each made of a few coloured waves. Keep the better half, copy it with small mistakes, repeat.

# %% id="evolve" slideshow={"slide_type": "-"}
grid = torch.stack(torch.meshgrid(torch.linspace(-1, 1, 128), torch.linspace(-1, 1, 128), indexing="ij"))


def waves(genes):
    """Eight coloured waves: each has a frequency, an angle, a phase, three colours and a place."""
    f, angle, phase, r, g, b, y, x = genes.view(len(genes), 8, 8, 1, 1).unbind(2)
    u = grid[0] * torch.sin(3.14 * angle) + grid[1] * torch.cos(3.14 * angle)
    hill = torch.exp(-3 * ((grid[0] - 2 * y + 1) ** 2 + (grid[1] - 2 * x + 1) ** 2))
    wave = torch.cos(40 * f * u + 6.28 * phase) * hill
    return torch.sigmoid(4 * torch.stack([((c - 0.5) * wave).sum(1) for c in (r, g, b)], 1))


evolved, growth = [], {}
for name in ("zebra", "peacock", "bubble"):
    image, growth[name] = ck.evolve(model, model.labels.index(name), waves, genes=64, generations=110, seed=0)
    evolved.append(image.cpu())
ck.show_images(evolved, [f"{name} {values[-1]:.1%}" for name, values in growth.items()], columns=3)

# %% id="evolve-claim"
print("at least 99 % sure of all three:", all(values[-1] >= 0.99 for values in growth.values()))

# %% [markdown] id="evolve-read" slideshow={"slide_type": "skip"}
# We chose classes that waves can resemble: stripes, feathers, round shine. A *teapot* does not come out of waves in a hundred generations.
# The network is sure of the parts (stripes, a colour, a shine), and nobody asks it for the whole.

# %% [markdown] id="transfer-title" slideshow={"slide_type": "slide"}
# ## Does it fool another network?
#
# Eight photographs. Each is led to *ostrich* on EfficientNet-Lite0 with a larger $\varepsilon$ of 8/255, then shown to three networks.
#
# **Predict first.** How many of the eight fool Lite1, which was trained in the same way? How many fool CourseNet?

# %% id="transfer" slideshow={"slide_type": "-"} tags=["nbval-ignore-output"]
names = ["chelsea", "coffee", "rocket", "astronaut", "flower", "china", "motorcycle", "grace_hopper"]
photos = torch.cat([ck.load_image(name, size=224) for name in names])
attacked = ck.iterated_gradient_sign(model, photos, ostrich, epsilon=8 / 255, step=1 / 255, steps=10).cpu()
judges = {name: ck.load_model(name) for name in ("efficientnet_lite1", "coursenet")}


def answers(network, images):
    images = F.interpolate(images, size=(network.input_size,) * 2, mode="bilinear", antialias=True)
    with torch.no_grad():
        return torch.cat([network(x) for x in images.split(4)]).argmax(1).cpu()


counts = {}
for name, network in {"efficientnet_lite0": model, **judges}.items():
    clean, now = answers(network, photos), answers(network, attacked)
    counts[name] = ((now == ostrich).sum().item(), (now != clean).sum().item())
    print(f"{name:20} ostrich: {counts[name][0]} of 8   another answer than before: {counts[name][1]} of 8")

# %% id="transfer-claim"
print("only the attacked network sees ostriches:", [counts[n][0] for n in counts][1:] == [0, 0])
print(
    "Lite1 changes at least three answers, CourseNet at most one:",
    counts["efficientnet_lite1"][1] >= 3 >= 1 >= counts["coursenet"][1],
)

# %% [markdown] id="transfer-read" slideshow={"slide_type": "skip"}
# The target does not travel: no other network sees an ostrich. But the *disturbance* does: Lite1, of the same family, changes most of its
# answers. CourseNet, built otherwise and with half the pixels, changes none. Szegedy et al. found that such pictures transfer between
# networks; with one source network and a target class transfer is weak, and it gets better when the attack is made on several networks
# at once (Liu et al. 2017).

# %% [markdown] id="views-title" slideshow={"slide_type": "slide"}
# ## Does it survive another view?
#
# The same eight pictures, $\varepsilon$ = 2/255, after something harmless: mirrored, shrunk and enlarged, blurred, as a JPEG file.
#
# **Predict first.** Which of these brings the true answer back?

# %% id="views" slideshow={"slide_type": "-"}
import io

from PIL import Image


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


weak = ck.iterated_gradient_sign(model, photos, ostrich).cpu()
views = {
    "nothing": lambda x: x,
    "8-bit file (PNG)": lambda x: (x * 255).round() / 255,
    "mirrored": lambda x: x.flip(3),
    "JPEG, quality 75": jpeg,
    "70 % and back": smaller,
}
survives = {}
for name, view in views.items():
    now, clean = answers(model, view(weak)), answers(model, view(photos))
    survives[name] = ((now == ostrich).float().mean().item(), (now == clean).float().mean().item())
ck.show_dots(
    {
        title: {name: (share[i],) * 3 for name, share in survives.items()}
        for i, title in enumerate(("still an ostrich", "the answer of the clean picture"))
    }
)

# %% [markdown] id="views-read" slideshow={"slide_type": "skip"}
# The attack is tuned to one exact grid of pixels. A cheap defence follows: ask about several views and take the mean. It is no
# safe defence: who knows of it can attack the mean of the views (Athalye et al. 2018). Exercise 08.4 tries it.

# %% [markdown] id="maps-title" slideshow={"slide_type": "slide"}
# ## Do the maps give it away?
#
# Two maps of the *winning* class, before and after.
#
# **Predict first.** Will one of them look suspicious?

# %% id="maps" slideshow={"slide_type": "-"}
methods = {
    "SmoothGrad": lambda m, x, c: ck.smoothgrad(m, x, c, samples=12).abs(),
    "Grad-CAM": ck.grad_cam,
}
found = {}
for title, image, target in (("cat", cat, start), ("ostrich", fooled, ostrich)):
    for name, method in methods.items():
        heat = method(model, image, target)
        found[f"{name}, {title}"] = F.interpolate(ck.importance(heat)[:, None], size=(224, 224), mode="bilinear").cpu()
ck.show_maps(None, found, unit="relative", relative=True, pool=2, columns=4)

# %% [markdown] id="maps-read" slideshow={"slide_type": "skip"}
# The maps of *ostrich* lie on the cat's face, as calm as those of *cat*. Nothing in them says "attack". A map shows where the
# network looked, and it did look at the face. It does not say whether the answer is right.

# %% [markdown] id="explorer-title" slideshow={"slide_type": "slide"}
# ## Your turn: choose the class and the budget

# %% id="explorer" slideshow={"slide_type": "-"}
ck.explore_fooling(model, cat)

# %% [markdown] id="wrong-title" slideshow={"slide_type": "slide"}
# ## What goes wrong · a budget that nobody checks
#
# An attack without the box is no feat: with a large $\varepsilon$ anybody can change an answer. **Predict first.** From which
# $\varepsilon$ do *you* see it?

# %% id="wrong" slideshow={"slide_type": "-"}
budgets = (2, 8, 32, 96)
loud = [ck.gradient_sign(model, cat, ostrich, epsilon=e / 255).cpu() for e in budgets]
ck.show_images(
    loud,
    [f"ε = {e}/255: {ck.predict(model, x, top=1)[0][0][0]}" for e, x in zip(budgets, loud, strict=True)],
    columns=4,
)

# %% [markdown] id="wrong-read" slideshow={"slide_type": "skip"}
# One long step does not even reach its target: the line bends. Always report $\varepsilon$, the number of steps, whether the
# values stayed in $[0, 1]$, and whether the picture was saved with 8 bits in between.

# %% [markdown] id="score-title" slideshow={"slide_type": "slide"}
# ## Score it: how often, for how much?
#
# 12 scenes of different objects, all led to *ostrich* in six steps. We count only scenes that the network had right.

# %% id="score" slideshow={"slide_type": "-"}
objects = [name for name in ck.cutouts("core") if "ostrich" not in name][:12]
scenes = ck.scenes(12, objects=objects, background="photograph", seed=3)
clean = answers(model, scenes.images)
right = clean == scenes.targets
pictures = scenes.images[right]
budgets = (0.25, 0.5, 1, 2)
rate = {"led to ostrich": [], "no longer right": []}
for e in budgets:
    out = torch.cat(
        [
            ck.iterated_gradient_sign(model, x, ostrich, epsilon=e / 255, step=e / 4 / 255, steps=6).cpu()
            for x in pictures.split(8)
        ]
    )
    now = answers(model, out)
    rate["led to ostrich"].append((now == ostrich).float().mean().item())
    rate["no longer right"].append((now != scenes.targets[right]).float().mean().item())
print(f"{int(right.sum())} scenes of as many objects")
ck.show_lines(budgets, rate, xlabel="ε in steps of 1/255", ylabel="share of scenes")

# %% id="score-claim"
print("with 2/255 more than 95 % of the scenes become ostriches:", rate["led to ostrich"][-1] > 0.95)

# %% [markdown] id="swap-title" slideshow={"slide_type": "slide"}
# ## Swap the network
#
# The same on CourseNet: no skip connections, no batch normalisation, ReLU and max-pooling, 128 pixels.

# %% id="swap" slideshow={"slide_type": "-"}
net = judges["coursenet"]
small = F.interpolate(pictures, size=(128, 128), mode="bilinear", antialias=True)
known = answers(net, small) == scenes.targets[right]
share = {}
for e in (2, 8):
    led = ck.iterated_gradient_sign(net, small[known], ostrich, epsilon=e / 255, step=e / 4 / 255, steps=10).cpu()
    share[e] = (answers(net, led) == ostrich).float().mean().item()
print("with 2/255 fewer than half of the scenes that it knows become ostriches:", share[2] < 0.5)
print("with 8/255 more than half:", share[8] > 0.5)

# %% [markdown] id="swap-read" slideshow={"slide_type": "skip"}
# It is not a fault of one network: every network that was trained in the usual way can be led like this. But the budget differs. CourseNet
# needs about four times as much. Its pictures have a third of the values, and its first filters are smooth (lab 01), so that fine grain
# adds up to less; this experiment cannot tell which of the two matters more. Training on such pictures (Madry et al. 2018) helps
# further, and costs many times the training.

# %% [markdown] id="exercises-title" slideshow={"slide_type": "slide"}
# ## Exercises
#
# | | what you do | difficulty | minutes |
# |---|---|---|---|
# | 08.1 | one step of the sign method | ★ | 8 |
# | 08.2 | stay in the box | ★ | 5 |
# | 08.3 | how far can a linear score move? | ★★ | 8 |
# | 08.4 | ask several views | ★★ | 12 |
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

# %% [markdown] id="recap" slideshow={"slide_type": "slide"}
# ## Recap
#
# - A change that nobody sees leads a network to any class, because many tiny steps add up: $\varepsilon \lVert g \rVert_1$.
# - A network can be sure of pictures that show nothing. Confidence is no proof that something is there.
# - The attack is tuned to one network and one grid of pixels; heat maps do not give it away.

# %% [markdown] id="quiz" slideshow={"slide_type": "slide"}
# ## Quiz
#
# 1. Why does the sign method use the sign and not the gradient itself?
# <details><summary>Answer</summary>Because the box allows every value the same ±ε. The best point of a linear score in that box is a corner: each value at its limit, in the direction of the sign.</details>
#
# 2. The network is 99.9 % sure of a teapot. What do you know about the picture?
# <details><summary>Answer</summary>That it lies in the part of the space which the network calls teapot. Whether it looks like one, you do not know.</details>
#
# 3. Would a picture with twice as many pixels on each side be harder to attack?
# <details><summary>Answer</summary>No, rather easier for the same ε: four times as many values add up, unless the gradient of each falls as much.</details>
#
# 4. A map of the wrong answer lies exactly on the object. Does that prove that the answer was right?
# <details><summary>Answer</summary>No. It proves at most that the network used the object's pixels. The attacked pixels lie there, too.</details>

# %% [markdown] id="reading" slideshow={"slide_type": "slide"}
# ## Further reading
#
# - C. Szegedy et al. *Intriguing properties of neural networks.* ICLR 2014. Section 4.
# - I. Goodfellow, J. Shlens, C. Szegedy. *Explaining and harnessing adversarial examples.* ICLR 2015.
# - A. Nguyen, J. Yosinski, J. Clune. *Deep neural networks are easily fooled.* CVPR 2015.
# - A. Kurakin, I. Goodfellow, S. Bengio. *Adversarial examples in the physical world.* ICLR workshop 2017.
# - Y. Liu, X. Chen, C. Liu, D. Song. *Delving into transferable adversarial examples and black-box attacks.* ICLR 2017.
# - A. Madry et al. *Towards deep learning models resistant to adversarial attacks.* ICLR 2018.
# - A. Athalye, N. Carlini, D. Wagner. *Obfuscated gradients give a false sense of security.* ICML 2018.
#
# **Next:** lab 09 turns a layer's numbers back into a picture.
