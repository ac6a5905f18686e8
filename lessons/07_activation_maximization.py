# %% [markdown] id="title" slideshow={"slide_type": "slide"}
# # 07 · Activation maximization
# ### Which picture would a neuron like best?
#
# After this lab you will be able to
#
# - write gradient ascent on a picture in six lines, and name the four mistakes that everybody makes,
# - say what each of a dozen tricks forbids, from weak to strong,
# - tell a neuron, a channel, a layer, a logit and a probability apart by their pictures,
# - use painted pictures together with real ones to find out what a channel is for.

# %% [markdown] id="contract" slideshow={"slide_type": "skip"}
# **First do** lab 04. It also helps to know lab 03.
#
# **Run time** about 90 s on two CPU cores. **Memory** below 2 GB.
#
# The pictures differ a little from processor to processor: an optimisation of a hundred steps makes much of a last digit.
# The classes that we paint were chosen, because they come out well at this size. Try others.

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
judge = ck.load_model("efficientnet_lite1")
o, p, r, t = ck.objectives, ck.parameterizations, ck.regularizers, ck.transforms


def classes(*names):
    return [model.labels.index(name) for name in names]


def paint(objective, **options):
    return ck.render(model, objective, **({"size": 112, "steps": 40, "progress": False} | options)).images


def sure(network, images, targets):
    with torch.no_grad():
        return network(images).softmax(1)[range(len(images)), targets].cpu()


# %% [markdown] id="question" slideshow={"slide_type": "slide"}
# ## The question
#
# Labs 03 to 06 took a picture and asked which part matters. Now there is no picture. We ask the network itself:
#
# **What do you think a flamingo looks like?**
#
# Start with a grey picture. Change it, a little at a time, so that the score of *flamingo* grows.
#
# **Predict first.** Will we see a flamingo? One, or many? Write down what you expect.

# %% [markdown] id="idea" slideshow={"slide_type": "slide"}
# ## The idea
#
# $$ x^* = \arg\max_x \; S_c(x) - \lambda \, \lVert x - \tfrac12 \rVert^2 $$
#
# $S_c$ is the **logit** of class $c$, $\tfrac12$ is grey. The network stays as it is; the *picture* is what we train:
#
# $$ x \leftarrow x + \eta \, \frac{g}{\operatorname{mean}|g|}, \qquad g = \nabla_x \big( S_c(x) - \lambda \lVert x - \tfrac12 \rVert^2 \big) $$
#
# Erhan et al. 2009 did this for small networks; Simonyan, Vedaldi & Zisserman 2014 (section 2) for ImageNet, from a zero
# picture and with this L2 penalty.

# %% [markdown] id="code-title" slideshow={"slide_type": "slide"}
# ## The whole method


# %% id="readable" slideshow={"slide_type": "-"} tags=["show-code"]
def my_class_model(model, target, x, steps, weight, rate):
    for _ in range(steps):
        x = x.detach().requires_grad_()
        value = model(x)[0, target] - weight * (x - 0.5).pow(2).sum()
        (g,) = torch.autograd.grad(value, x)  # a fresh gradient each time: nothing adds up
        x = x.detach() + rate * g / g.abs().mean()  # plus: we climb
        x = x.clamp(0, 1)  # after the step, never inside the score
    return x


# %% id="same"
(flamingo,) = classes("flamingo")
simple = {"transforms": [], "optimizer": "ascent", "rate": 0.01}
flower = ck.load_image("flower", size=96)  # from grey, rounding alone would soon part the two
mine = my_class_model(model, flamingo, flower, steps=2, weight=0.2, rate=0.01)
ours = paint(flamingo, size=96, steps=2, parameterization=p.pixels(flower), regularizers=[r.l2(0.2)], **simple)
torch.testing.assert_close(mine, ours, atol=1e-3, rtol=0)
print("my_class_model and ck.render give the same picture")
simple["parameterization"] = p.pixels("grey")

# %% [markdown] id="model-title" slideshow={"slide_type": "slide"}
# ## Four class models

# %% id="model" slideshow={"slide_type": "-"}
names = ["flamingo", "goldfish", "strawberry", "volcano"]
plain = paint(classes(*names), regularizers=[r.l2(0.2)], **simple)
ck.show_images(plain, names, columns=4)

# %% id="model-claim"
own, other = sure(model, plain, classes(*names)), sure(judge, plain, classes(*names))
ck.claim("pictures of four of which the network is more than .99 sure", int((own > 0.99).sum()), at_least=3)
ck.claim("another network's middle probability of the same classes", other.median(), below=0.1)

# %% [markdown] id="model-read" slideshow={"slide_type": "skip"}
# The network is sure, and we see hardly anything; another network seldom finds the class. There is no error. The set of pictures that give a large logit is huge, and
# nearly all of them are noise: fine patterns that add up in the first layers. Ascent finds the nearest one. To see something, we must say what
# a picture *is*. Everything that follows is about this.

# %% [markdown] id="probability-title" slideshow={"slide_type": "skip"}
# ## Logit or probability?
#
# Why $S_c$, and not the probability $P_c = e^{S_c} / \sum_k e^{S_k}$? The probability also grows when the *other* logits shrink.
#
# **Predict first.** Which of the two objectives will make the logit of its own class larger?

# %% id="probability"
pair = classes("flamingo", "goldfish")
by_probability = paint(o.probability(pair), regularizers=[r.l2(0.2)], **simple)
with torch.no_grad():
    logits = torch.stack([model(plain[:2]), model(by_probability)]).cpu()
own = logits[:, range(2), pair]
rest = logits.clone()
rest[:, range(2), pair] = -torch.inf
print("asking for the logit gives the larger logit:", bool((own[0] > own[1]).all()))
print(
    "asking for the probability keeps the strongest other class lower:", bool((rest[1].amax(1) < rest[0].amax(1)).all())
)

# %% [markdown] id="probability-read"
# Simonyan et al. saw the same: a probability can be made large by making the others small, and once it is near 1, its gradient is near 0.
# So the logit it is.

# %% [markdown] id="four-title" slideshow={"slide_type": "slide"}
# ## Four repairs, weak to strong
#
# After each step, Yosinski et al. (2015, section 3) **shrink** the picture to grey, **blur** it, or make pixels grey that have a
# **small norm** or a **small contribution**. Two repairs in a row, each weak to strong.

# %% id="four" slideshow={"slide_type": "-"}
repairs = {
    "shrink": (r.decay, (0.01, 0.03, 0.1)),
    "blur": (lambda sigma: r.blur(sigma, every=4), (0.5, 0.8, 1.2)),
    "small norm": (r.clip_norm, (0.2, 0.6, 0.9)),
    "contribution": (r.clip_contribution, (0.2, 0.6, 0.9)),
}
repaired = {
    f"{name} {value:g}": paint(flamingo, size=96, steps=20, regularizers=[make(value)], **simple)
    for name, (make, values) in repairs.items()
    for value in values
}
ck.show_images(list(repaired.values()), list(repaired), columns=6)

# %% [markdown] id="four-read" slideshow={"slide_type": "skip"}
# Each repair forbids one thing. *Shrink* forbids large values everywhere. *Blur* forbids fast waves, the
# home of the noise. *Clip norm* and *clip contribution* forbid a busy background. Yosinski et al. found the best pictures with a mixture of
# all four, by trying hundreds of settings.

# %% [markdown] id="strip-title" slideshow={"slide_type": "slide"}
# ## 1, 32, 128, 256, 2048 steps
#
# The strip was made ahead, with `make gallery`. It uses waves and shaking, which come next.
#
# **Predict first.** When does the flamingo appear? Does it get better for ever?

# %% id="strip" slideshow={"slide_type": "-"}
ck.show_images(ck.load_image(ck.feature_gallery("steps")), columns=1)

# %% [markdown] id="strip-read" slideshow={"slide_type": "skip"}
# The forms are there after 32 steps and clear after 128. From 256 to 2048 the forms stay, and the contrast grows: what was light becomes white, what was dark
# becomes black. More steps do not make up for a better prior, so we stop early.

# %% [markdown] id="fourier-title" slideshow={"slide_type": "slide"}
# ## Paint with waves
#
# Write the picture as a sum of waves, $u = \mathcal{F}^{-1}(z_f / f^{\alpha})$, and optimise $z$. The set of pictures is the same; a *step* is another one.
# Colours are mixed as in photographs (Olah et al. 2017).
#
# **Predict first.** Same network, same classes, same number of steps. Which of the four will you recognise?

# %% id="fourier" slideshow={"slide_type": "-"}
duo = ["goldfish", "strawberry"]
wide = [t.pad(16), t.jitter(16), t.warp(degrees=15, scale=(0.7, 1.2)), t.jitter(8)]  # for all four; see the next slide
waves = {
    "pixels": paint(classes(*duo), parameterization=p.pixels(), rate=0.02, steps=48, transforms=wide),
    "waves, colours apart": paint(
        classes("goldfish"), parameterization=p.fourier(decorrelate=False), rate=0.1, transforms=wide
    ),
    "waves 1/f": paint(classes("goldfish"), parameterization=p.fourier(), rate=0.05, transforms=wide),
    "waves 1/f^1.5": paint(classes(*duo), parameterization=p.fourier(decay=1.5), rate=0.1, transforms=wide),
}
ck.show_images([row[:1] for row in waves.values()], list(waves), columns=4)

# %% [markdown] id="fourier-read" slideshow={"slide_type": "skip"}
# In pixels, the steepest way up is a fine pattern: the first layers answer to it at once. In waves that are divided by $f^{\alpha}$, the same effort moves a slow
# wave far and a fast one hardly. With $\alpha = 1$ the amplitudes are those of photographs. We take $\alpha = 1.5$, somewhat smoother than nature, because the steps are few.
#
# Look at the grain in pixels once more, then at the claim below: in one of the two pictures at least, *another network* finds the class, far above chance (.001).
# It depends on the start: in four starts it gave .00 to 1.00. The forms can be there, under noise that disturbs us more than the network.
# So two questions must be kept apart: does a picture transfer to other networks, and can *we* read it?

# %% id="fourier-claim"
answers = sure(judge, waves["pixels"], classes(*duo))
ck.claim("Lite1's probability of the class in the better of two pictures of shaken pixels", answers.max(), above=0.1)

# %% [markdown] id="recipe-text"
# Waves $1/f^{1.5}$, shaken: this is our recipe from here on.

# %% id="recipe"
soft = {"parameterization": p.fourier(decay=1.5), "rate": 0.1, "transforms": wide}

# %% [markdown] id="robust-title" slideshow={"slide_type": "slide"}
# ## Survive a shake
#
# Shift, rotate and scale the picture a little *before each look*: $x^* = \arg\max_x \mathbb{E}_\tau [S(\tau(x))]$. What works only to the pixel does not survive.
#
# **Predict first.** The waves stay. What will the picture lose without the shaking?

# %% id="robust" slideshow={"slide_type": "-"}
still = paint(classes("strawberry"), **(soft | {"transforms": []}))
jitter = paint(classes("strawberry"), **(soft | {"transforms": [t.pad(16), t.jitter(16)]}))
scaled = None  # three sizes, from coarse to fine: each starts from the enlarged result of the one before
for side, steps in ((40, 24), (72, 24), (112, 32)):
    start = None if scaled is None else F.interpolate(scaled, size=(side, side), mode="bilinear")
    options = {"parameterization": p.fourier(decay=1.5, start=start), "transforms": t.robust(side)}
    scaled = paint(classes("strawberry"), size=side, steps=steps, rate=0.1, **options)
ck.show_images(
    [still, jitter, waves["waves 1/f^1.5"][1:], scaled],
    ["as it is", "jitter", "+ rotate, scale", "three sizes"],
    columns=4,
)

# %% [markdown] id="robust-read" slideshow={"slide_type": "skip"}
# Without shaking, colours stay pale and forms lie over one another: each place works for itself. With jitter they come together, and with rotation and scale there are
# the red, dotted skins of berries. *Three sizes* is the multi-scale version: paint a thumbnail, enlarge it, go on. Large forms are laid down first, when they are cheap.

# %% [markdown] id="maco-title" slideshow={"slide_type": "slide"}
# ## Magnitudes of nature, phases of the network
#
# MACO (Fel et al. 2023) keeps the magnitude of each wave as in photographs; only the **phases** are optimised. No wave can get loud. Where the
# network never looked, the picture is made transparent.

# %% id="maco" slideshow={"slide_type": "-"}
natural = {"parameterization": p.maco(), "transforms": [t.crops()], "rate": 0.5}
maco = ck.render(model, classes(*duo), size=112, steps=72, progress=False, **natural)
seen = r.gaussian(maco.attention, 3)
alpha = (seen / seen.flatten(1).quantile(0.95, dim=1)[:, None, None, None]).clamp(0, 1)
clear = alpha * maco.images + (1 - alpha)
ck.show_images(
    [picture for pair in zip(maco.images.split(1), clear.split(1), strict=True) for picture in pair],
    [title for name in duo for title in (name, "where it looked")],
    columns=4,
)

# %% [markdown] id="maco-read" slideshow={"slide_type": "skip"}
# Why one fish in the middle, and not five everywhere? Each look is at a random square of the picture, enlarged. The middle lies in most of
# the squares, so what stands there counts in most of the looks.

# %% [markdown] id="dgn-title" slideshow={"slide_type": "slide"}
# ## Let a second network hold the brush
#
# A decoder was trained to turn CourseNet's code fc6 back into pictures (lab 09). Now optimise the **code** $z$ instead of the picture, kept in the range that
# codes of real pictures have: $z^* = \arg\max_z S_c(D(z))$, $0 \le z \le \mu + 3\sigma$. This is DGN-AM (Nguyen et al. 2016).
#
# **Predict first.** The decoder has learned what pictures look like. What will its strawberry have that the others lack, and what will it lack?

# %% id="dgn" slideshow={"slide_type": "-"}
coursenet, decoder = ck.load_model("coursenet"), ck.load_decoder("fc6", "feature")
objects = list(ck.cutouts())
scenes = ck.scenes(64, size=128).images
codes = ck.embed(coursenet, scenes, "relu6")
mean, sd = codes.mean(0), codes.std(0)
brush = {"parameterization": p.code(decoder, mean[None], low=0.0, high=mean + 3 * sd), "rate": 0.1}
quartet = ["goldfish", "strawberry", "zebra", "daisy"]
brushed = [t.pad(8), t.jitter(8)]
learned = paint(classes(*quartet), size=128, steps=64, transforms=brushed, **brush)
ck.show_images(learned, quartet, columns=4)

# %% [markdown] id="dgn-read" slideshow={"slide_type": "skip"}
# Look first at what the prior brings: a background of one colour, one thing in the middle, and no grain. Then at what it costs: the forms are blurred. A generator
# can only paint what it has learned; ours is small, saw few photographs, and blurs real pictures, too (lab 09). The
# one of Nguyen et al. was trained on all of ImageNet. Its pictures look like photographs, which is also the danger: what the generator
# invented cannot be told from what the network asked for.

# %% [markdown] id="spectrum-title" slideshow={"slide_type": "slide"}
# ## From no prior to a strong one
#
# The same class, the same network. What changes is what a picture is *allowed* to be (Olah et al. 2017).

# %% id="spectrum" slideshow={"slide_type": "-"} tags=["gallery"]
pixels = {"parameterization": p.pixels(), "rate": 0.02}
nothing = paint(classes(*duo), transforms=[], **pixels)
prior = {
    "nothing": nothing,
    "L2": plain[1:3],
    "shaken": waves["pixels"],
    "waves, shaken": waves["waves 1/f^1.5"],
    "magnitudes": maco.images,
    "learned": learned[:2],
}
ck.show_images([row[1:] for row in prior.values()], list(prior), columns=6)

# %% [markdown] id="spectrum-read" slideshow={"slide_type": "skip"}
# There is no neutral picture of what a network wants. To the left, the picture shows what excites the network, and we can hardly read it. To the right,
# more and more comes from the prior: the fine cloth behind MACO's fruit is that of our photographs, and the decoder's even ground with
# one form in the middle is that of its training pictures. Say with each such picture how it was made.

# %% [markdown] id="objectives-title" slideshow={"slide_type": "slide"}
# ## What to maximise
#
# One neuron · one channel everywhere · a whole layer ($\tfrac12 \lVert a \rVert^2$: DeepDream, lab 10) · a class.
#
# **Predict first.** What will differ between the neuron and its channel?

# %% id="objectives" slideshow={"slide_type": "-"}
objectives = {
    "neuron": o.neuron("block9", 100),
    "channel": o.channel("block9", 100),
    "layer": o.layer("block9"),
    "class": o.logit(classes("strawberry")),
}
kinds = {name: paint(objective, **soft) for name, objective in objectives.items() if name != "class"}
kinds["class"] = waves["waves 1/f^1.5"][1:]
ck.show_images(list(kinds.values()), list(kinds), columns=4)

# %% [markdown] id="objectives-read" slideshow={"slide_type": "skip"}
# The **neuron** looks at one place. Its picture shows one form in the middle, as large as its receptive field, and the rest stays empty. The
# **channel** is the same neuron at every place: a texture. The **layer** takes what is strong already.

# %% [markdown] id="sides-title" slideshow={"slide_type": "slide"}
# ## Both ends, and what lies between
#
# Channel 56 of block11. Painted to be as **negative** as possible, four real pictures, painted to be as **positive** as possible.
#
# **Predict first.** The strongest of 148 objects is a zebra. Is it a zebra channel?

# %% id="sides" slideshow={"slide_type": "-"}
pictures = torch.cat([ck.load_scene(name, background="grey", seed=0).image for name in objects])
with ck.capture(model, ["block11"]) as acts, torch.no_grad():
    answers = []
    for batch in pictures.split(8):
        model(batch)
        answers.append(acts["block11"][:, 56].mean((1, 2)).cpu())
answers = torch.cat(answers)
order = answers.argsort()
examples = {
    "minimum": order[0],
    "slightly negative": (answers - 0.2 * answers.min()).abs().argmin(),
    "slightly positive": (answers - 0.2 * answers.max()).abs().argmin(),
    "maximum": order[-1],
}
stripes = o.channel("block11", 56)
ends = [paint(-stripes, **soft), paint(stripes, **soft)]
ck.show_images(
    [ends[0], *(pictures[i : i + 1] for i in examples.values()), ends[1]],
    ["painted: less", *examples, "painted: more"],
    columns=6,
)

# %% [markdown] id="stripes-title" slideshow={"slide_type": "slide"}
# ## Zebra, or stripes? Ask the network
#
# Real pictures alone cannot decide: every zebra has stripes. The painted picture says *stripes, no animal*. So we test it:
# a horse has the form without the stripes, a grating has the stripes without the form.

# %% id="stripes" slideshow={"slide_type": "-"}
tests = {
    "zebra": pictures[objects.index("zebra")][None],
    "horse": pictures[objects.index("horse")][None],
    "zebra, blurred": r.gaussian(pictures[objects.index("zebra")][None], 6),
    "stripes alone": ck.stimuli.grating(224, wavelength=14, angle=60),
}
with ck.capture(model, ["block11"]) as acts, torch.no_grad():
    model(torch.cat(list(tests.values())))
    found = dict(zip(tests, acts["block11"][:, 56].mean((1, 2)).tolist(), strict=True))
form = max(found["horse"], found["zebra, blurred"])
print("the form without stripes gives less than half of the zebra's answer:", form < found["zebra"] / 2)
print("stripes without an animal give more than three times as much:", found["stripes alone"] > 3 * found["zebra"])
ck.show_images(
    list(tests.values()), [f"{name}: {value / found['zebra']:.0%}" for name, value in found.items()], columns=4
)

# %% [markdown] id="head-title" slideshow={"slide_type": "slide"}
# ## A part that is no class
#
# Channel 160 of block13. The box is the place of its strongest neuron. ImageNet has no class *head*, and nobody asked for one.

# %% id="head" slideshow={"slide_type": "-"}
top = ck.top_patches(model, pictures, "block13", 160, k=8)
heads = paint(o.channel("block13", [160, 160]), seed=3, **soft)
cells = [(32 * row, 32 * column, 32, 32) for row, column in top.positions.tolist()]
ck.show_images(
    [*pictures[top.images[::2]].split(1), *heads.split(1)],
    [objects[i].replace("_", " ") for i in top.images[::2].tolist()] + ["painted", "painted again"],
    columns=6,
    boxes=cells[::2],
)

# %% id="head-claim"
known = ck.cutouts()
kinds_of = {known[objects[i]] or objects[i] for i in top.images.tolist()}
print("the eight animals are of at least five different kinds:", len(kinds_of) >= 5)

# %% [markdown] id="head-read" slideshow={"slide_type": "skip"}
# The figure shows every second of the eight. Mammals and birds, from the left and from the right: what they share is that the box lies on the head. To tell a thousand classes apart, it pays to find the
# head first. The network invented the part on its own (Yosinski et al. 2015 found a face detector in the same way; Zhou et al. 2015 object detectors in a network
# that was taught scenes only). And note that both kinds of evidence were needed: the real pictures say *where*, the painted ones say *what*.

# %% [markdown] id="diversity-title" slideshow={"slide_type": "skip"}
# ## One channel, several pictures
#
# A single picture shows one way to excite a channel. Paint several at once and reward it when they *differ*: minus the mean cosine of their Gram matrices.
#
# **Predict first.** Different noise at the start already gives different pictures. Will the term change anything?

# %% id="diversity"
alone = paint(o.channel("block9", 40), n=3, **soft)
apart = paint(o.channel("block9", 40) + 30 * o.diversity("block9"), n=3, **soft)
with ck.capture(model, ["block9"]) as acts, torch.no_grad():
    spread = []
    for three in (alone, apart):
        model(three)
        spread.append(o.diversity("block9").read(acts, None).mean().item())
print("with the term, the three are less alike:", spread[1] > spread[0])
ck.show_images([*alone.split(1), *apart.split(1)], ["alone"] * 3 + ["with diversity"] * 3, columns=6)

# %% [markdown] id="joint-title" slideshow={"slide_type": "slide"}
# ## Two channels at once
#
# Objectives add. From left to right: $1 - w$ times *ropes* (block6, channel 41) plus $w$ times *arches* (block9, channel 40), all five from the same start.
#
# **Predict first.** Half and half: two patterns side by side, or a new one?

# %% id="joint" slideshow={"slide_type": "-"}
weight = torch.linspace(0, 1, 5, device=model.device)
one, two = o.channel("block9", 40), o.channel("block6", 41)
mixed = o.Objective(
    lambda acts, logits: weight * one.read(acts, logits) + (1 - weight) * two.read(acts, logits),
    one.layers | two.layers,
    count=5,
)
noise = 0.5 + 0.02 * torch.randn(1, 3, 112, 112, generator=torch.Generator().manual_seed(0))
between = paint(mixed, **(soft | {"parameterization": p.fourier(decay=1.5, start=noise)}))
ck.show_images(between, [f"{w:.0%}" for w in weight.tolist()], columns=5)

# %% [markdown] id="joint-read" slideshow={"slide_type": "skip"}
# The middle is a pattern of its own: rope-like rows whose twists are already arches. A pair of channels can mean something that neither means alone, so a
# channel may not be the right unit to ask about at all. Lab 13 asks about *directions*.

# %% [markdown] id="facets-title" slideshow={"slide_type": "skip"}
# ## A unit with several facets
#
# Nguyen et al. (2016) start from *means of real pictures*. Take the pictures that a unit likes most, project their codes (t-SNE), find groups
# (k-means), average the 15 nearest to each centre, and paint on from there.

# %% id="facets"
scenes = torch.cat([ck.load_scene(name, background="grey", seed=1, size=112).image for name in objects])
faces = ck.facets(model, scenes, ck.unit("block13", 160), count=4, top=60)
painted = paint(
    o.channel("block13", [160] * 4), **(soft | {"parameterization": p.fourier(decay=1.5, start=faces.starts)})
)
ck.show_images(
    [*faces.starts.split(1), *painted.split(1)],
    [f"mean of {len(chosen)}" for chosen in faces.members] + [f"facet {i + 1}" for i in range(4)],
    columns=8,
)

# %% [markdown] id="facets-read" slideshow={"slide_type": "skip"}
# Other starts lead to other pictures of heads. But look at the third. Its mean was made of flowers and fruit, which stand far down
# the list of what the channel likes, and the picture painted from it is a head again. So this is *one* facet with variations. A unit with
# two real facets would keep them apart.
#
# The paper takes ten facets of the 1300 training pictures of a class. We have 148 cut-outs, so our means are rough.

# %% [markdown] id="context-title" slideshow={"slide_type": "slide"}
# ## The dumbbell comes with an arm
#
# Google's first dreams painted a dumbbell always with the arm that lifts it (Mordvintsev et al. 2015). Does a *horse cart* come with its horse?
#
# **Predict first.** And a *shopping cart*? We paint the vehicle and ask another network how it ranks the animal among 1000 classes.

# %% id="context" slideshow={"slide_type": "-"}
carts = ["horse cart", "oxcart", "dogsled", "shopping cart"]
companions = {"horse cart": "sorrel", "oxcart": "ox", "dogsled": "Eskimo dog"}
vehicles = paint(classes(*carts), steps=64, **soft)
with torch.no_grad():
    ranks = judge(vehicles).argsort(1, descending=True).argsort(1).cpu() + 1
rank = {
    cart: {animal: ranks[i, model.labels.index(animal)].item() for animal in companions.values()}
    for i, cart in enumerate(carts)
}
print("the painted oxcart has an ox in it (among the first 30):", rank["oxcart"]["ox"] <= 30)
print("the painted shopping cart has neither an ox, nor a horse, nor a dog:", min(rank["shopping cart"].values()) > 30)
ck.show_images(
    vehicles,
    [f"{cart}: {animal} {rank[cart][animal]}." for cart, animal in companions.items()] + ["shopping cart"],
    columns=4,
)

# %% [markdown] id="context-read" slideshow={"slide_type": "skip"}
# The number is the rank that EfficientNet-Lite1 gives the animal among the 1000 classes of the painted picture. Nobody asked for an animal. In the training pictures
# the two come together, so for the network the ox is *part* of an oxcart. Does it hold for another start? Of six paintings, from five seeds, the ox was among
# the first 21 in all, the dog among the first 46 in all, the horse among the first 26 in four (and not in the one above); the shopping cart had none of the three
# among its first 180. A painted class shows what a network would miss, and what it would not.

# %% [markdown] id="gallery-title" slideshow={"slide_type": "skip"}
# ## The whole network on one sheet
#
# Four channels of each layer, drawn at random, none chosen: lines and colours first, then textures, then parts. This took minutes, so it was made ahead, with
# `make gallery`. The sheet of CourseNet lies beside it, in `gallery/features_coursenet.jpeg`.

# %% id="sheet" tags=["nbval-ignore-output"]
from IPython.display import Image

Image(filename=ck.feature_gallery("efficientnet_lite0"), width=900)

# %% [markdown] id="sheet-read"
# Some tiles stay grey, and the row relu2 does so altogether. Behind a ReLU a channel is silent on a grey picture. Where it is silent everywhere, its gradient is
# zero, and the ascent cannot begin. The same channel *before* its ReLU (conv2) has a gradient wherever it stands. So ask before the ReLU, or start
# from a picture that the channel answers to.

# %% [markdown] id="explorer-title" slideshow={"slide_type": "slide"}
# ## Your turn: any channel of any layer

# %% id="explorer" slideshow={"slide_type": "-"}
ck.explore_features(model, "block11", 33)

# %% [markdown] id="score-title" slideshow={"slide_type": "slide"}
# ## Score it: can another network read it?
#
# A picture that only its own network understands shows tricks. We paint six classes in two ways and ask EfficientNet-Lite1.
#
# **Predict first.** How many of six will it name, for each way?

# %% id="score" slideshow={"slide_type": "-"}
six = ["goldfish", "strawberry", "volcano", "peacock", "jellyfish", "koala"]
ways = {
    "pixels": {"transforms": [], **pixels},
    "waves, shaken": soft,
}
named = {}
for way, options in ways.items():
    images = paint(classes(*six), steps=36, **options)
    with torch.no_grad():
        named[way] = (judge(images).argmax(1).cpu() == torch.tensor(classes(*six))).float().tolist()
ck.show_dots(
    {"part of six classes that Lite1 names": {way: ck.bootstrap_interval(hits, six) for way, hits in named.items()}},
    limits=(-0.05, 1.05),
)

# %% id="score-claim"
hits = {way: sum(values) for way, values in named.items()}
print("waves, shaken: at least four of six are named:", hits["waves, shaken"] >= 4)
print("and more than of the plain pixels:", hits["waves, shaken"] > hits["pixels"])

# %% [markdown] id="score-read" slideshow={"slide_type": "skip"}
# Six classes are few, and they were chosen. Over 50 classes, evenly spaced among the 1000, EfficientNet-Lite2 names 84 % of our
# waves (128 pixels, 128 steps), and 64 % in a mirrored crop (`benchmarks/features.py`).

# %% [markdown] id="swap-title" slideshow={"slide_type": "skip"}
# ## Swap the network
#
# CourseNet, plain and small.

# %% id="swap"
ck.show_images(
    ck.render(
        coursenet, o.channel("conv5", [3, 40, 90, 120, 160, 200]), size=112, steps=32, progress=False, **soft
    ).images,
    [f"conv5, {k}" for k in (3, 40, 90, 120, 160, 200)],
    columns=6,
)

# %% [markdown] id="exercises-title" slideshow={"slide_type": "slide"}
# ## Exercises
#
# | | what you do | difficulty | minutes |
# |---|---|---|---|
# | 07.1 | climb | ★ | 10 |
# | 07.2 | the class model's objective | ★ | 6 |
# | 07.3 | clip small contribution | ★★ | 10 |
# | 07.4 | from waves to a picture | ★★ | 12 |
#
# Each check says ✓, or which mistake it has recognised.

# %% [markdown] id="e1-card"
# ### Exercise 07.1 · Climb
# *★ · 10 minutes.* `score(x)` gives one number. Make `steps` steps of $x \leftarrow x + \text{rate} \cdot g / \operatorname{mean}|g|$ from the picture `x` and keep it in $[0, 1]$ after each
# step. Return the last picture.
# **You will probably** make one of four mistakes: go down, let the gradients add up, clip inside the score, or never clip.


# %% id="e1-starter"
def climb(score, x, steps, rate):
    return ...


# %% id="e1-solution" jupyter={"source_hidden": true} tags=["solution"]
def climb(score, x, steps, rate):
    for _ in range(steps):
        leaf = x.clone().requires_grad_()
        score(leaf).backward()
        x = torch.clamp(x + rate * leaf.grad / leaf.grad.abs().mean(), 0, 1)
    return x


# %% id="e1-check"
ck.check("07.1", climb)

# %% [markdown] id="e2-card"
# ### Exercise 07.2 · The class model's objective
# *★ · 6 minutes.* Return what Simonyan et al. maximise, $S_c(x) - \lambda \lVert x - \tfrac12 \rVert^2$, one value for each image of `x` (N, 3, H, W). `model(x)` gives logits (N, K).
# **You will probably** measure the length from black, or take the mean instead of the sum.


# %% id="e2-starter"
def class_model(model, x, target, weight):
    return ...


# %% id="e2-solution" jupyter={"source_hidden": true} tags=["solution"]
def class_model(model, x, target, weight):
    length = (x - 0.5).flatten(1).norm(dim=1)
    return model(x)[:, target] - weight * length**2


# %% id="e2-check"
ck.check("07.2", class_model)

# %% [markdown] id="e3-card"
# ### Exercise 07.3 · Clip small contribution
# *★★ · 10 minutes.* What would the score lose if a pixel became grey? About $\left| \sum_c (x_c - \tfrac12) \, g_c \right|$, summed over its three colours, with `g` the gradient. Make the
# `part` of the pixels grey for which this is smallest (at or below the quantile). `x` and `g` are (1, 3, H, W).
# **You will probably** forget the absolute value, or clip each colour on its own.


# %% id="e3-starter"
def clip_contribution(x, g, part):
    return ...


# %% id="e3-solution" jupyter={"source_hidden": true} tags=["solution"]
def clip_contribution(x, g, part):
    loss = ((x - 0.5) * g).sum(1, keepdim=True).abs()
    keep = loss > loss.quantile(part)
    return torch.where(keep, x, 0.5)


# %% id="e3-check"
ck.check("07.3", clip_contribution)

# %% [markdown] id="e4-card"
# ### Exercise 07.4 · From waves to a picture
# *★★ · 12 minutes.* `z` holds complex numbers (N, 3, size, size // 2 + 1), as `torch.fft.rfft2` returns them. Return `irfft2` of $z / f^{\alpha}$, with `norm="ortho"`. The frequency is
# $f = \sqrt{f_y^2 + f_x^2}$, with $f_y$ from `fftfreq(size)`, $f_x$ from `rfftfreq(size)`; let it be at least `1 / size`.
# **You will probably** divide by zero: the mean of the picture has $f = 0$.


# %% id="e4-starter"
def from_waves(z, size, alpha):
    return ...


# %% id="e4-solution" jupyter={"source_hidden": true} tags=["solution"]
def from_waves(z, size, alpha):
    fy, fx = torch.fft.fftfreq(size).view(-1, 1), torch.fft.rfftfreq(size).view(1, -1)
    f = (fy**2 + fx**2).sqrt().clamp(min=1 / size)
    return torch.fft.irfft2(z / f**alpha, s=(size, size), norm="ortho")


# %% id="e4-check"
ck.check("07.4", from_waves)

# %% [markdown] id="recap" slideshow={"slide_type": "slide"}
# ## Recap
#
# - Train the picture, not the network: climb a logit, a channel or a neuron, and clip after each step.
# - Without a prior the result is noise that the network loves. Each trick forbids something: loud values, fast waves, patterns that do not survive a shake.
# - A painted picture is a guess about what a unit is for. Test it on real pictures and on pictures that you made for the test.

# %% [markdown] id="quiz" slideshow={"slide_type": "slide"}
# ## Quiz
#
# 1. Why do we climb the logit and not the probability?
# <details><summary>Answer</summary>The probability also grows when the other logits shrink, and its gradient vanishes near 1.</details>
#
# 2. Your picture is grain, and the network is 100 % sure. What is broken?
# <details><summary>Answer</summary>Nothing. Most pictures with a large logit are grain. Add a prior: shake it, paint with waves, or both.</details>
#
# 3. Why may the clipping not stand inside the score?
# <details><summary>Answer</summary>A clipped value has gradient 0. Once outside, a pixel never comes back.</details>
#
# 4. The nine strongest pictures of a channel are baseballs. Is it a baseball channel?
# <details><summary>Answer</summary>Perhaps; or it likes stitches, stripes or white balls. Paint it, and then test each guess with pictures that have the one without the other.</details>

# %% [markdown] id="reading" slideshow={"slide_type": "slide"}
# ## Further reading
#
# - D. Erhan, Y. Bengio, A. Courville, P. Vincent. *Visualizing higher-layer features of a deep network.* Technical report 1341, Montréal 2009.
# - K. Simonyan, A. Vedaldi, A. Zisserman. *Deep inside convolutional networks.* ICLR Workshop 2014.
# - J. Yosinski et al. *Understanding neural networks through deep visualization.* ICML Deep Learning Workshop 2015.
# - A. Nguyen et al. *Multifaceted feature visualization*, ICML Workshop 2016; *Synthesizing the preferred inputs for neurons in neural networks via deep generator networks*, NeurIPS 2016.
# - C. Olah, A. Mordvintsev, L. Schubert. *Feature visualization.* Distill 2017.
# - T. Fel et al. *Unlocking feature visualization for deeper networks with magnitude constrained optimization.* NeurIPS 2023.
#
# **Next:** lab 08 climbs from a real picture, and a tiny change is enough to fool the network.
