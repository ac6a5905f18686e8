# %% [markdown] id="title" slideshow={"slide_type": "slide"}
# # 01 · Weights and activations
# ### What is the network made of, and what does it do with a picture?
#
# After this lab you will be able to
#
# - show the filters of a first layer, and say what they look for,
# - tell a healthy filter from a dead, a double and a noisy one, with numbers,
# - explain why the weights of the second layer say little,
# - show what every channel makes of a picture, and measure how sparse it is.

# %% [markdown] id="contract" slideshow={"slide_type": "skip"}
# **First do** lab 00.
#
# **Run time** about 40 s on two CPU cores. **Memory** below 1.5 GB.
#
# **The network.** This lab uses **CourseNet**, which we trained for this course: five convolutions with ReLU and max-pooling, and
# three fully connected layers, as in AlexNet (2012). Its teacher was EfficientNet-Lite0. It knows less than its teacher,
# but it is built to be looked at.

# %% id="install" jupyter={"source_hidden": true} slideshow={"slide_type": "skip"}
from importlib.util import find_spec

if find_spec("coursekit") is None:  # on Colab, Kaggle, or in another environment than the course's own
    print("coursekit is missing here: copy coursekit-*.whl beside this notebook (README.md says how to make it),")
    print("run  %pip install coursekit-*.whl  in a cell, and restart the kernel.")

# %% id="setup"
import torch
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import PCA, FastICA

import coursekit as ck

ck.setup(seed=0)
model = ck.load_model("coursenet")
weights = model.layer("conv1").weight  # (filters, colours, height, width)
print("first layer:", tuple(weights.shape))

# %% [markdown] id="question" slideshow={"slide_type": "slide"}
# ## The question
#
# Nobody told the network what to look for. It started from random numbers and learned from pictures.
#
# The first layer sees the picture itself: each of its 64 filters has 7 × 7 pixels and three colours. So we can **show
# each filter as a small picture**.
#
# **Predict first.** What will you see: dots, edges, eyes, noise? In colour or in grey?

# %% [markdown] id="idea" slideshow={"slide_type": "slide"}
# ## The idea
#
# At the place $(i, j)$ the filter $w_k$ answers with a dot product of itself and the piece of picture under it:
#
# $$ a_k(i, j) = \max\Big(0,\; b_k + \sum_{c,u,v} w_k(c, u, v) \; x(c,\, i s + u,\, j s + v) \Big) $$
#
# Among all patches of the same length, this is largest for the patch that **looks like $w_k$**. So the filter is a picture
# of what it likes best. To see it, bring its weights to the range of a picture:
#
# $$ \text{picture}_k = \frac{w_k - \min w_k}{\max w_k - \min w_k} \cdot 255 $$

# %% [markdown] id="code-title" slideshow={"slide_type": "slide"}
# ## The whole method


# %% id="readable" slideshow={"slide_type": "-"} tags=["show-code"]
def my_pictures(weights):
    pictures = []
    for w in weights:
        low, high = w.min(), w.max()
        pictures.append((w - low) / (high - low))
    return torch.stack(pictures)  # in [0, 1]; times 255 for a screen


# %% id="same"
assert torch.allclose(my_pictures(weights.cpu()), ck.filter_pictures(weights))
print("my_pictures and ck.filter_pictures give the same images")

# %% [markdown] id="filters-title" slideshow={"slide_type": "slide"}
# ## 64 filters of CourseNet

# %% id="filters" slideshow={"slide_type": "-"} tags=["gallery"]
ck.show_images(ck.mosaic(ck.filter_pictures(weights), columns=16, zoom=6, gap=4), columns=1)

# %% [markdown] id="filters-read" slideshow={"slide_type": "skip"}
# Some filters are stripes, fine or broad, in many directions, with little colour. Some are steps: light to dark, orange to
# blue, pink to green. And many are patches of a single colour, without any edge. Cells in the visual cortex of cats and monkeys
# answer to oriented bars in the same way (Hubel & Wiesel 1962, 1968).
#
# What the picture does **not** show: the bias $b_k$ is left out, and each filter is scaled on its own. A grey that is the
# same in two filters need not be the same number.

# %% [markdown] id="random-title" slideshow={"slide_type": "slide"}
# ## Is that learned?
#
# **Predict first.** Which of these three never saw a label, and which never saw a picture?

# %% [markdown] id="random-text" slideshow={"slide_type": "skip"}
# We compare with three others. *Random*: the same layer before training. *ICA* (independent component analysis, Bell &
# Sejnowski 1997) and *k-means* (Coates & Ng 2012) look at 20,000 patches of photographs without any label. Both get
# patches that are whitened first: without that, slow changes of brightness would be all that they find.

# %% id="random" slideshow={"slide_type": "-"}
patches = ck.natural_patches(20_000, size=7)
flat = patches.flatten(1) - patches.flatten(1).mean(1, keepdim=True)  # brightness itself is of no interest
pca = PCA(64, whiten=True, random_state=0).fit(flat.numpy())
white = pca.transform(flat.numpy())
ica = FastICA(whiten=False, random_state=0, max_iter=200, tol=1e-3).fit(white)
kmeans = MiniBatchKMeans(64, random_state=0, n_init=3).fit(white)
colour = pca.components_ * pca.explained_variance_[:, None] ** 0.5  # from white patches back to pictures
others = {
    "A": ck.training_history()[0]["conv1"],
    "B": torch.tensor(ica.components_ @ colour).float().view(64, 3, 7, 7),
    "C": torch.tensor(kmeans.cluster_centers_ @ colour).float().view(64, 3, 7, 7),
}
ck.show_images(
    [ck.mosaic(ck.filter_pictures(w), columns=8, zoom=6, gap=4) for w in others.values()], list(others), columns=3
)

# %% [markdown] id="random-read" slideshow={"slide_type": "fragment"}
# **A** is random: it saw nothing. **B** is ICA and **C** is k-means: they saw pictures, but no label.
#
# So edges and colours are not a trick of classification. They are what pictures are made of.

# %% [markdown] id="form-title" slideshow={"slide_type": "slide"}
# ## How features form
#
# Four filters, from the random start (left) to the end (right).
#
# **Predict first.** Which come first: colours or edges?

# %% id="form" slideshow={"slide_type": "-"}
moments = ck.training_history()
smooth = ck.filter_health(weights)["roughness"].argsort()[5::16]  # four filters, from smooth to fine
ck.show_images(
    [ck.mosaic(ck.filter_pictures(kept["conv1"])[smooth], columns=1, zoom=6, gap=4) for kept in moments.values()],
    [f"{step:,}" for step in moments],
    columns=len(moments),
)

# %% id="form-claim"
end = list(moments.values())[-1]["conv1"].flatten(1)
at_320 = moments[320]["conv1"].flatten(1)
alike = torch.nn.functional.cosine_similarity(at_320, end)
rank = end.norm(dim=1).argsort(descending=True)
striped, broad = alike[rank[:16]].median().item(), alike[rank[16:]].median().item()
print(
    "after 320 steps the 48 weaker filters are nearer to their final form than the 16 strongest:", broad > striped + 0.1
)
grown = (end.norm(dim=1) / at_320.norm(dim=1))[rank[:16]].median().item()
print("from there on the strongest grow by more than a half:", grown > 1.5)

# %% [markdown] id="form-read" slideshow={"slide_type": "skip"}
# For a hundred steps hardly anything shows. Then broad colours and steps from light to dark settle, because they explain most of any picture. The
# strongest filters, mostly stripes, take longer and keep growing until the end. Zeiler & Fergus (2014) show the same for the layers
# above: lower layers settle in a few passes, upper ones need many.

# %% [markdown] id="form-explorer-title" slideshow={"slide_type": "skip"}
# ### Move through the training

# %% id="form-explorer" slideshow={"slide_type": "skip"}
ck.explore_training()

# %% [markdown] id="health-title" slideshow={"slide_type": "slide"}
# ## A filter's health
#
# | sign | measure | a healthy layer |
# |---|---|---|
# | dead | norm $\lVert w \rVert$ | no filter far below the others |
# | noisy | roughness $\overline{(w_p - w_q)^2}\,/\,\overline{(w - \bar w)^2}$ over neighbours $p, q$ | far below 2, the value of noise |
# | double | largest $\lvert\cos\rvert$ to another filter | below 1: no filter twice |
#
# **Predict first.** How many of the 64 are as rough as noise?

# %% [markdown] id="health-title-two" slideshow={"slide_type": "subslide"}
# ### From noise to filters

# %% id="health" slideshow={"slide_type": "-"}
health = ck.filter_health(weights)
start = ck.filter_health(moments[0]["conv1"])
rough = {step: ck.filter_health(kept["conv1"])["roughness"].median().item() for step, kept in moments.items()}
print("noise has a roughness of about 2:", abs(start["roughness"].median().item() - 2) < 0.1)
print("after training the median is below half of that:", health["roughness"].median().item() < 1)
ck.show_lines(
    range(len(rough)),
    {"median of the 64 filters": list(rough.values()), "noise": [2.0] * len(rough)},
    xlabel="moment (see the rows above)",
    ylabel="roughness",
)

# %% [markdown] id="health-worst-title" slideshow={"slide_type": "skip"}
# ### The best and the worst

# %% id="health-worst" slideshow={"slide_type": "skip"}
order = health["roughness"].argsort()
weak, double = health["norm"].argsort(), health["similarity"].argsort(descending=True)
groups = {"smoothest": order[:8], "roughest": order[-8:], "weakest": weak[:8], "most alike to another": double[:8]}
ck.show_images(
    [ck.mosaic(ck.filter_pictures(weights)[chosen.cpu()], columns=8, zoom=6, gap=4) for chosen in groups.values()],
    list(groups),
    columns=2,
)

# %% [markdown] id="health-read" slideshow={"slide_type": "skip"}
# Rough is not always bad: a fine grating of two pixels *is* rough, and still it has a clear structure. A filter that is
# rough **and** weak is one that never found a task. Many such filters mean: train longer, use fewer filters, or a higher
# weight decay. In AlexNet the two halves of the network, trained on two cards, even shared the work: one grey, one colour.

# %% [markdown] id="frequency-title" slideshow={"slide_type": "slide"}
# ## The same filters as a spectrum
#
# How strongly does a filter answer a grating, for each frequency and direction? That is its Fourier transform.

# %% [markdown] id="frequency-text" slideshow={"slide_type": "skip"}
# Frequency 0 is in the centre: a bright centre means that the filter also answers to plain brightness. Two spots beside
# the centre mean stripes; the line through them gives their direction. We also fit a **Gabor function**, a wave under a
# Gaussian hill, to the grey pattern of each filter. Its angle and wavelength describe the filter in two numbers.

# %% id="frequency" slideshow={"slide_type": "-"}
patterns, colours, kept = ck.main_pattern(weights)
strong = [k for k in health["norm"].argsort(descending=True).tolist() if kept[k] > 0.7]  # of nearly one colour
gabors = {k: ck.fit_gabor(patterns[k, 0]) for k in strong}


def turn(a, b):
    return abs((a - b + 90) % 180 - 90)  # between two angles of bars; 0 and 180 degrees are the same


best = []  # the strongest striped filters, each in a direction of its own
for k in strong:
    if gabors[k].wavelength < 12 and all(turn(gabors[k].angle, gabors[j].angle) >= 10 for j in best):
        best.append(k)
best = best[:6]
spectrum = ck.frequency_response(weights)[best]
tiles = spectrum / spectrum.amax((1, 2, 3), True)
ck.show_images(
    [
        *[ck.mosaic(ck.filter_pictures(weights)[[k]], zoom=9) for k in best],
        *[tile[None].expand(1, 3, -1, -1) for tile in tiles],
    ],
    [f"{gabors[k].angle:.0f}°, {gabors[k].wavelength:.1f} px" for k in best],
    columns=len(best),
)

# %% id="frequency-claim"
good = sum(gabor.fit > 0.6 for gabor in gabors.values())
print("a Gabor explains most of more than 80 % of the filters of one colour:", good > 0.8 * len(gabors))

# %% [markdown] id="other-title" slideshow={"slide_type": "slide"}
# ## Other networks
#
# EfficientNet-Lite0 has 32 filters of 3 × 3 pixels. **Predict first.** What can you see in nine pixels?

# %% id="other" slideshow={"slide_type": "-"} tags=["nbval-ignore-output"]
lite = ck.load_model("efficientnet_lite0")
shown = {
    "EfficientNet-Lite0, 3 × 3": ck.mosaic(ck.filter_pictures(lite.layer("conv1").weight), columns=11, zoom=14, gap=4)
}
for name in ("alexnet", "resnet18", "resnet101", "densenet121"):
    if ck.is_available(name):
        first = ck.load_model(name).layer("conv1").weight
        shown[f"{name}, {first.shape[2]} × {first.shape[3]}"] = ck.mosaic(
            ck.filter_pictures(first), columns=8, zoom=5, gap=4
        )
    else:
        print(f"{name}: not on this machine; coursekit fetch {name}")
ck.show_images(list(shown.values()), list(shown), columns=3)

# %% [markdown] id="other-read" slideshow={"slide_type": "skip"}
# Nine pixels are too few to see a direction: several small layers in a row do the work of one large filter. Networks with
# large first filters (AlexNet 64 × 3 × 11 × 11; ResNet and DenseNet 64 × 3 × 7 × 7) show the same edges and colours as
# CourseNet, although they were built and trained by other people. The statistics of pictures decide, not the design.

# %% [markdown] id="deep-title" slideshow={"slide_type": "slide"}
# ## The second layer: look, and see little
#
# A filter of layer 2 has 64 input channels of 3 × 3 weights. There are no three colours any more, so each channel becomes one
# grey tile.

# %% id="deep" slideshow={"slide_type": "-"}
second = model.layer("conv2").weight
names = [f"filter {k} of conv2" for k in (0, 1, 2)]
ck.show_images(
    [ck.mosaic(ck.filter_pictures(second[k]), columns=8, zoom=8, gap=6) for k in (0, 1, 2)], names, columns=3
)

# %% [markdown] id="deep-read" slideshow={"slide_type": "skip"}
# These weights mix *channels of layer 1*, not colours. A white tile says "much of channel 17 here". What channel 17 is you
# must look up, and its answer was cut at zero in between. So the weights of a deep layer say little about the *picture*.
# The rest of this course is about better questions: which patches excite a channel (below and lab 02), what would excite
# it most (lab 07), and how channels feed each other (lab 15).

# %% [markdown] id="activations-title" slideshow={"slide_type": "slide"}
# ## From weights to activations
#
# What does every channel make of *this* picture?
#
# **Predict first.** Early layers and late layers: which of the two has more zeros?

# %% id="activations" slideshow={"slide_type": "-"}
cat = ck.load_image("chelsea", size=model.input_size)
with ck.capture(model, ["relu1", "relu5"]) as maps, torch.no_grad():
    model(cat)


def tiles(layer, zoom):
    a = maps[layer][0].cpu()
    a = a / a.flatten(1).amax(1).clamp(min=1e-6)[:, None, None]  # each channel on its own scale
    return ck.mosaic(a[:64, None], columns=8, zoom=zoom, gap=2)


ck.show_images(
    [cat, tiles("relu1", 1), tiles("relu5", 8)],
    ["input", "64 channels of relu1", "64 of 256 channels of relu5"],
    columns=3,
)

# %% [markdown] id="sparse-title" slideshow={"slide_type": "subslide"}
# ### Dense early, sparse late

# %% id="sparse" slideshow={"slide_type": "-"}
names = [name for name in model.layers if name.startswith("relu")]
photos = torch.cat([ck.load_image(name, size=model.input_size) for name in ck.photographs()])
with ck.capture(model, names) as maps, torch.no_grad():
    model(photos)
share = [(maps[name] > 0).float().mean().item() for name in names]
print("the last convolution is active in less than half as many places as the first:", share[4] < share[0] / 2)
ck.show_lines(
    range(1, len(names) + 1), {"of 18 photographs": share}, xlabel="layer", ylabel="share of activations above 0"
)

# %% [markdown] id="sparse-read" slideshow={"slide_type": "skip"}
# A unit of layer 1 asks a simple question (is there an edge here?) that pictures answer with yes at many places. A unit of
# layer 5 asks a rare one. Rare answers carry more information when they come. In the two fully connected layers (6 and 7) the share rises
# again: 512 numbers have to tell everything about the picture, so each takes part in many answers.

# %% [markdown] id="unit-title" slideshow={"slide_type": "slide"}
# ## One unit, many objects
#
# The strongest answer of one channel of relu5 to 40 objects, six scenes each.
#
# **Predict first.** Does one unit stand for one object?

# %% id="unit" slideshow={"slide_type": "-"}
objects = list(ck.cutouts("core"))[:40]
scenes = ck.scenes(6 * len(objects), objects=objects, seed=1, size=model.input_size, background="plain")
peaks = []
for batch in scenes.images.split(40):
    with ck.capture(model, ["relu5"]) as maps, torch.no_grad():
        model(batch)
    peaks.append(maps["relu5"].amax((2, 3)).cpu())
codes = torch.cat(peaks)  # the strongest answer of each channel to each scene
by_object = torch.stack([codes[[o == name for o in scenes.objects]] for name in objects])  # (objects, scenes, channels)
means = by_object.mean(1)
channel = (means.amax(0) / means.mean(0).clamp(min=0.05)).argmax().item()  # the pickiest one
ranking = means[:, channel].argsort(descending=True).tolist()
answers = {objects[i]: by_object[i, :, channel] for i in ranking[:8] + ranking[18:20] + ranking[-2:]}
ck.show_dots(
    {
        f"relu5, channel {channel}": {
            name: (a.mean().item(), a.min().item(), a.max().item()) for name, a in answers.items()
        }
    }
)

# %% [markdown] id="unit-read" slideshow={"slide_type": "skip"}
# We searched for the pickiest of 256 channels, and even this one answers to several objects, strongly in one scene and
# weakly in the next (the line goes from the smallest to the largest of six). Most channels are far less picky. A single
# unit is seldom a detector of one thing; lab 15 returns to this.

# %% [markdown] id="patches-title" slideshow={"slide_type": "subslide"}
# ### What excites it: the nine strongest patches
#
# Each patch is exactly what the strongest neuron of the channel could see, one for each picture.

# %% id="patches" slideshow={"slide_type": "-"}
fields = {layer: model.layers.receptive_field(layer)[0] for layer in ("relu1", "relu2", "relu3", "relu5")}
strongest = {
    layer: ck.top_patches(model, scenes.images[::2], layer, k, k=9).patches
    for layer, k in (("relu1", best[0]), ("relu2", 5), ("relu3", 7), ("relu5", channel))
}
ck.show_images(
    [ck.mosaic(patch, columns=3, zoom=max(1, 60 // patch.shape[-1]), gap=4) for patch in strongest.values()],
    [f"{layer}: {fields[layer]} px" for layer in strongest],
    columns=4,
)

# %% [markdown] id="explorer-title" slideshow={"slide_type": "slide"}
# ## Your turn: every channel, live
#
# Choose a layer and a channel. Upload a picture, or start your camera and hold things into it (Yosinski et al. 2015). The
# box is the receptive field of the strongest position.

# %% id="explorer" slideshow={"slide_type": "-"}
ck.explore_activations(model, layer="relu5")

# %% [markdown] id="wrong-title" slideshow={"slide_type": "slide"}
# ## What goes wrong 1 · the scale hides what is dead
#
# Here a filter of CourseNet is divided by one million. **Predict first.** Can you see it?

# %% id="wrong" slideshow={"slide_type": "-"}
damaged = weights.detach().cpu().clone()
damaged[best[0]] /= 1e6
pair = torch.stack([weights[best[0]].cpu(), damaged[best[0]]])
together = (pair - pair.min()) / (pair.max() - pair.min())
print("to the eye they are equal:", torch.allclose(*ck.filter_pictures(pair), atol=1e-3))
ck.show_images(
    [
        ck.mosaic(ck.filter_pictures(pair), columns=2, zoom=16, gap=8),
        ck.mosaic(together, columns=2, zoom=16, gap=8),
    ],
    ["each on its own scale", "both on one scale"],
    columns=2,
)

# %% [markdown] id="wrong-read" slideshow={"slide_type": "skip"}
# Scaled on its own, the dead filter looks perfect. Whenever you see a wall of beautiful tiles, ask on which scale they
# are. The norm of the filter would have told you.

# %% [markdown] id="wrong-two-title" slideshow={"slide_type": "slide"}
# ## What goes wrong 2 · a tile is not a number
#
# **Predict first.** Two tiles are equally bright. Which of the two channels matters more for the answer?

# %% id="wrong-two" slideshow={"slide_type": "-"}
with ck.capture(model, ["relu5"]) as maps, torch.no_grad():
    model(cat)
peaks = maps["relu5"][0].amax((1, 2)).cpu()
print("the strongest channel is more than twice as active as the median one:", bool(peaks.max() > 2 * peaks.median()))
print("on tiles with their own scale, both are drawn white")

# %% [markdown] id="wrong-two-read" slideshow={"slide_type": "skip"}
# Nobody can say from the tiles. Even the true activation does not decide: what counts is the activation **times the
# weight** by which the next layer takes it. Labs 03 to 06 measure that.

# %% [markdown] id="score-title" slideshow={"slide_type": "slide"}
# ## Score it: does the picture of the weights predict the answer?
#
# We read an angle off the weights of six filters. Now we *ask the network*: gratings of 12 directions, at the wavelength of the
# fit. Does each filter answer most to the angle that we read?

# %% id="score" slideshow={"slide_type": "-"}
angles = list(range(0, 180, 15))
asked = {}
for k in best:
    gratings = torch.cat(
        [
            ck.stimuli.grating(model.input_size, max(2.0, gabors[k].wavelength), angle, phase)
            for angle in angles
            for phase in (0, 90, 180, 270)
        ]
    )
    with ck.capture(model, ["relu1"]) as maps, torch.no_grad():
        model(gratings)
    asked[k] = maps["relu1"][:, k].mean((1, 2)).view(len(angles), 4).mean(1).cpu()
wrong_by = [turn(angles[asked[k].argmax()], gabors[k].angle) for k in best]
print("for at least five of six filters the angle is right to 15 degrees:", sum(w <= 15 for w in wrong_by) >= 5)
ck.show_lines(
    angles,
    {f"read {gabors[k].angle:.0f}°": asked[k] / asked[k].max() for k in best[:3]},
    xlabel="angle of the grating's bars (degrees)",
    ylabel="answer, as a part of its largest",
)

# %% [markdown] id="swap-title" slideshow={"slide_type": "slide"}
# ## Swap the network
#
# Is sparseness a habit of CourseNet? The same line on EfficientNet-Lite0, whose ReLU6 is also cut at 6.

# %% id="swap" slideshow={"slide_type": "-"}
photos_224 = torch.cat([ck.load_image(name, size=224) for name in ck.photographs()[:8]])
relus = [name for name in lite.layers if name.startswith("relu")]
with ck.capture(lite, relus) as maps, torch.no_grad():
    lite(photos_224)
first, last = (((maps[name] > 0).float().mean().item()) for name in (relus[0], relus[-1]))
print("Lite0: the last ReLU is active in less than half as many places as the first:", last < first / 2)

# %% [markdown] id="swap-read" slideshow={"slide_type": "skip"}
# The other network, built and trained by other people, does the same.

# %% [markdown] id="exercises-title" slideshow={"slide_type": "slide"}
# ## Exercises
#
# | | what you do | difficulty | minutes |
# |---|---|---|---|
# | 01.1 | count the parameters of a layer | ★ | 3 |
# | 01.2 | find the double | ★★ | 10 |
# | 01.3 | measure sparseness | ★ | 5 |
# | 01.4 | one activation by hand | ★★ | 15 |
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
# ### Exercise 01.2 · Find the double
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

# %% [markdown] id="recap" slideshow={"slide_type": "slide"}
# ## Recap
#
# - A first-layer filter is a picture of what excites it: edges and colours, in every network and in the brain.
# - Deeper weights mix channels, not colours. Ask what a channel answers to; do not stare at its weights.
# - Tiles are scaled one by one. Norm, roughness and similarity tell what the eye cannot: dead, noisy, double.

# %% [markdown] id="quiz" slideshow={"slide_type": "slide"}
# ## Quiz
#
# 1. Why can we show the weights of layer 1 in colour, but not those of layer 2?
# <details><summary>Answer</summary>Layer 1 has three input channels: red, green, blue. Layer 2 has 64 input channels, and they are answers of layer 1, not colours.</details>
#
# 2. ICA finds edges without any label. What does that tell about the edges in CourseNet?
# <details><summary>Answer</summary>That they follow from the statistics of photographs. They are no proof that the network has understood a task.</details>
#
# 3. A filter looks like a perfect edge. How can it still be useless?
# <details><summary>Answer</summary>Its norm may be nearly zero, another filter may do the same, or the next layer may not use it. The picture shows none of these.</details>
#
# 4. A channel of relu5 is zero for 95 % of the pictures. Is it dead?
# <details><summary>Answer</summary>No, it is sparse. A dead channel is zero for all of them.</details>

# %% [markdown] id="reading" slideshow={"slide_type": "slide"}
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
