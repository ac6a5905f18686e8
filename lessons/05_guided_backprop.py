# %% [markdown] id="title" slideshow={"slide_type": "slide"}
# # 05 · Guided backpropagation
# ### Four ways back, and pictures that are almost too beautiful
#
# After this lab you will be able to
#
# - run a network backwards by hand: filters, rectified signals, switches,
# - write gradient, deconvnet and guided backpropagation as three rules,
# - say why the last is sharp, and measure how little it knows of the class,
# - write layer-wise relevance propagation (LRP), and test it in the same way.

# %% [markdown] id="contract" slideshow={"slide_type": "skip"}
# **First do** lab 04: this lab bends the gradient that you met there. Lab 01 introduces CourseNet.
#
# **Run time** about 90 s on one CPU core; a few seconds on a GPU. **Memory** about 2 GB. **Words** are explained in the [glossary](../docs/glossary.md).
#
# **How to read a lab.** Before each figure there is a *predict first* line. Write your guess on paper. A wrong guess
# that you wrote down teaches you more than a right one that you only thought.

# %% id="install" jupyter={"source_hidden": true} slideshow={"slide_type": "skip"}
from importlib.util import find_spec

if find_spec("coursekit") is None:  # on Colab, Kaggle, or in another environment than the course's own
    print("coursekit is missing here: copy coursekit-*.whl beside this notebook (README.md says how to make it),")
    print("run  %pip install coursekit-*.whl  in a cell, and restart the kernel.")

# %% id="setup"
import copy

import torch
import torch.nn.functional as F
from torch import nn

import coursekit as ck

ck.setup(seed=0)
model = ck.load_model("coursenet")  # max-pooling, as in AlexNet
lite = ck.load_model("efficientnet_lite0")  # no pooling but the last average
cat = ck.load_image("chelsea", size=model.input_size)
egyptian = model.labels.index("Egyptian cat")


def cosines(a, b):
    """The cosine of each map of `a` with the same one of `b`."""
    return F.cosine_similarity(a.flatten(1), b.flatten(1))


# %% [markdown] id="question" slideshow={"slide_type": "slide"}
# ## Which of these pictures knows something about cats?
#
# A and B go back from the same score of the same network, *Egyptian cat*. Only one line of the backward pass differs. C is an edge
# detector, made without any network.
#
# **Predict first.** Which of the three knows something about cats?

# %% id="first-look" slideshow={"slide_type": "-"} tags=["gallery"]
first = [ck.input_gradient(model, cat, egyptian), ck.guided_backprop(model, cat, egyptian)]
edges = ck.edge_map(model, cat)
ck.show_images(
    [cat, *map(ck.signal_pictures, first), 3 * edges],
    ["photograph", "A: gradient", "B: guided backprop.", "C: edges, no network"],
)

# %% [markdown] id="question-read" slideshow={"slide_type": "notes"}
# B looks as if the network had drawn the cat. Keep your answer; in the middle of the lab you will have measured it.
#
# **How to read A and B.** They have three colours and a sign. Grey is 0. A bright dot says "brighter here", a dark
# one "darker here", a red one "more red". Each is scaled on its own, so compare shapes, not brightness.

# %% [markdown] id="idea" slideshow={"slide_type": "slide"}
# ## The idea: a network run backwards
#
# One neuron answered strongly. Send a 1 back from it, and undo each layer on the way:
#
# | on the way up | on the way down |
# |---|---|
# | convolution with filters $w$ | convolution with the same filters, transposed: $w^\top$ |
# | ReLU, $\max(0, z)$ | ReLU once more, on the signal: $\max(0, g)$ |
# | max-pooling keeps the largest value, and **where** it was: the *switch* | unpooling puts the value back at its switch, 0 elsewhere |
#
# What arrives at the pixels is the neuron's **projection**. Zeiler & Fergus, *Visualizing and understanding convolutional networks*, ECCV 2014,
# section 2.1. They call the way down a **deconvnet**.

# %% [markdown] id="forwards-text" slideshow={"slide_type": "skip"}
# Zeiler & Fergus send back the neuron's activation and not 1. That makes the projection stronger or weaker, and changes nothing else.
#
# First the way up. It notes each layer, the size of its input, and the switches. Biases have no part in the way down.


# %% id="forwards"
def forwards(model, image, layer):
    z, way = (image.to(model.device) - model.mean) / model.std, []
    for name, part in model.module.named_children():
        size, switches = z.shape, None
        if isinstance(part, nn.MaxPool2d):
            z, switches = F.max_pool2d(z, part.kernel_size, part.stride, return_indices=True)
        else:
            z = part(z)
        way.append((part, size, switches))
        if name == layer:
            return z, way


# %% [markdown] id="code-title" slideshow={"slide_type": "slide"}
# ## Each layer is undone, from the last to the first


# %% id="readable" slideshow={"slide_type": "-"} tags=["show-code"]
def backwards(model, g, way):
    for part, size, switches in reversed(way):
        if isinstance(part, nn.Conv2d):  # transpose the filters
            odd = part.stride[0] - 1  # 127 and 128 both become 64: say which it was
            g = F.conv_transpose2d(g, part.weight, None, part.stride, part.padding, odd)
        elif isinstance(part, nn.ReLU):  # rectify the signal
            g = F.relu(g)
        elif switches is None:  # an experiment below: spread each value over its window
            g = F.interpolate(g, size[2:]) / part.kernel_size**2
        else:  # unpool: each value goes back to where the maximum was
            g = F.max_unpool2d(g, switches, part.kernel_size, output_size=size)
    return (g / model.std).cpu()


def one_at_the_strongest(maps, channel):
    signal = torch.zeros_like(maps)
    signal[0, channel].view(-1)[maps[0, channel].argmax()] = 1
    return signal


# %% id="same"
maps, way = forwards(model, cat, "relu5")
channel = maps[0].amax((1, 2)).argmax().item()  # the most active channel
mine = backwards(model, one_at_the_strongest(maps, channel), way)
theirs = ck.deconvnet(model, cat, ck.unit("relu5", channel, position="max"))
assert torch.allclose(mine, theirs, atol=1e-4 * theirs.abs().max().item())
print("my deconvnet and ck.deconvnet give the same projection")

# %% [markdown] id="map-title" slideshow={"slide_type": "slide"}
# ## What one neuron answered to
#
# The strongest neuron of the most active channel, in three layers. **Predict first.** Which edges of the patch will the projection leave out?

# %% id="map" slideshow={"slide_type": "-"}
neurons = {}
for layer in ("relu3", "relu4", "relu5"):
    maps, way = forwards(model, cat, layer)
    neurons[layer] = maps[0].amax((1, 2)).argmax().item()
tops = {layer: ck.top_patches(model, cat, layer, k, k=1) for layer, k in neurons.items()}
signals = {layer: ck.deconvnet(model, cat, ck.unit(layer, k, position="max")) for layer, k in neurons.items()}
projections = [tops[layer].crop(ck.signal_pictures(signal)) for layer, signal in signals.items()]
ck.show_images(
    [cat, *(top.patches for top in tops.values()), ck.signal_pictures(signals["relu4"]), *projections],
    [
        "receptive field, relu4",
        *(f"{layer}, channel {k}" for layer, k in neurons.items()),
        "its whole projection",
        *(f"{layer}, projection" for layer in neurons),
    ],
    boxes=[tops["relu4"].boxes[0], *[(0, 0, 0, 0)] * 3, tops["relu4"].boxes[0]],
    squares=False,
)

# %% id="map-claim"
outside = []
for layer, signal in signals.items():
    top, left, height, width = tops[layer].boxes[0]
    rest = signal.clone()
    rest[:, :, max(top, 0) : top + height, max(left, 0) : left + width] = 0
    outside.append(rest.abs().max().item())
ck.claim("largest value of a projection outside its receptive field", max(outside), at_most=0)

# %% [markdown] id="map-read" slideshow={"slide_type": "notes"}
# It leaves out soft shading and most of the fur, and keeps a few strong edges at their right places. Outside the
# receptive field it is exactly 0. You recognise the piece of the cat. It is tempting to say: *this is what the neuron
# has seen*. The next experiment asks where those edges come from.

# %% [markdown] id="switch-title" slideshow={"slide_type": "slide"}
# ## Whose picture is it? Change the switches
#
# The signals stay the **cat's**: above one neuron, below all of relu5. Only the switches change. **Predict first.** With the
# switches of a page of text: a cat or a text?

# %% [markdown] id="switch-text" slideshow={"slide_type": "skip"}
# In the last column there are no switches at all: each value is spread evenly over its window.

# %% id="switch" slideshow={"slide_type": "-"} tags=["gallery"]
maps, way = forwards(model, cat, "relu5")
ways = {"cat switches": way}
for name in ("coffee", "page"):
    ways[f"{name} switches"] = forwards(model, ck.load_image(name, size=model.input_size), "relu5")[1]
ways["no switches"] = [(part, size, None) for part, size, _ in way]
one = [backwards(model, one_at_the_strongest(maps, channel), way) for way in ways.values()]
every = [backwards(model, maps, way) for way in ways.values()]
ck.show_images(
    [*map(ck.signal_pictures, one + every)], [f"{what}, {name}" for what in ("neuron", "relu5") for name in ways]
)

# %% id="switch-claim"
page = forwards(model, ck.load_image("page", size=model.input_size), "relu5")
of_page = backwards(model, page[0], page[1])  # the page's activations with the page's switches
cats, _, mixed, _ = every
ck.claim("cat's activations, page's switches: cosine with all from the page", cosines(mixed, of_page).item(), above=0.5)
ck.claim("size of the cosine with all from the cat", abs(cosines(mixed, cats).item()), below=0.2, digits=1)

# %% [markdown] id="switch-read" slideshow={"slide_type": "notes"}
# A text: you can read *segmentation*, written by the cat's activations. So the fine lines come from the **switches**, that is from
# the photograph itself and not from what the neurons said. What the neurons add is where to look, and which colours and directions to favour: you see that
# without switches, as a blur. (Mahendran & Vedaldi, *Salient deconvolutional networks*, ECCV 2016, found the same in AlexNet and VGG.)

# %% [markdown] id="overlap-title" slideshow={"slide_type": "slide"}
# ## Windows that overlap: add up, or overwrite?
#
# AlexNet pools 3 × 3 windows with stride 2. Here one value is the largest of all four windows, and they send back 1, 2, 3 and 4.
#
# **Predict first.** What arrives at that value: by autograd, and by switches?

# %% [markdown] id="overlap-answer" slideshow={"slide_type": "fragment"}
# **Autograd adds:** $1 + 2 + 3 + 4 = 10$, because a change of the value changes all four outputs. **Switches overwrite:** unpooling writes one
# window after the other, and the last one stays: $4$.

# %% id="overlap-toy"
peak = torch.zeros(1, 1, 5, 5)
peak[..., 2, 2] = 1
_, places = F.max_pool2d(peak, 3, 2, return_indices=True)
four = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
(added,) = torch.autograd.grad(F.max_pool2d(peak.requires_grad_(), 3, 2), peak, four)
overwritten = torch.zeros(25)
for place, value in zip(places.flatten(), four.flatten(), strict=True):
    overwritten[place] = value  # one window after the other
print("autograd:", added[0, 0, 2, 2].item(), " switches:", overwritten[12].item())

# %% [markdown] id="overlap-text" slideshow={"slide_type": "skip"}
# `F.max_unpool2d` does not promise an order: with two threads it gave 2 more often than 4. So here, and in `ck.deconvnet`, the windows come one after the other.
#
# On a real network: we give CourseNet AlexNet's windows, 3 × 3 instead of 2 × 2, and keep its weights. It was not trained with them, and
# still says *palace* to the temple.

# %% id="overlap" slideshow={"slide_type": "-"}
overlapping = copy.deepcopy(model)
for part in overlapping.module:
    if isinstance(part, nn.MaxPool2d):
        part.kernel_size, part.padding = 3, 1
temple = ck.load_image("china", size=model.input_size)
palace = model.labels.index("palace")
both = {name: ck.deconvnet(overlapping, temple, palace, pooling=name) for name in ("switches", "autograd")}
switched, added = (found / found.norm() for found in both.values())  # of equal length, to compare their forms
row = torch.cat([switched, added, added - switched], 3)
ck.show_images(
    [temple, *ck.signal_pictures(row).chunk(3, 3)],  # one scale for the three
    ["photograph", "deconvnet by switches", "deconvnet by autograd", "autograd − switches"],
)

# %% id="overlap-claim"
print("with overlapping windows:", ", ".join(f"{k} {p:.2f}" for k, p in ck.predict(overlapping, temple, top=2)[0]))
with ck.capture(overlapping, ["relu1"]) as maps, torch.no_grad():
    overlapping(temple)
_, places = F.max_pool2d(maps["relu1"], 3, 2, 1, return_indices=True)
distinct = sum(len(row.unique()) for row in places.flatten(0, 1).flatten(1))
ck.claim(
    "share of the windows of pool1 that lose their signal to another one", 1 - distinct / places.numel(), above=0.1
)
ck.claim(
    "length of autograd's map over that of the switches'", both["autograd"].norm() / both["switches"].norm(), above=2
)
ck.claim("cosine of the two deconvnets where windows overlap", cosines(*both.values()).item(), below=0.95)
apart = [ck.deconvnet(model, temple, palace, pooling=name) for name in both]
ck.claim("and where they do not, as in CourseNet itself", cosines(*apart).item(), above=0.9999)

# %% [markdown] id="overlap-read" slideshow={"slide_type": "notes"}
# Ten and four. In CourseNet with such windows a fifth of the first pooling's signals lose their place to another one. Autograd's map
# is four times as strong, since it adds them up. Drawn with equal length, the two show the same temple, but autograd stresses other lines, those where several
# windows share a maximum. Without overlap there is no difference at all.
#
# Zeiler & Fergus used switches. Many programs call "deconvnet" what autograd gives with another ReLU. On networks with
# overlapping windows that is another map, so say which one you show: `ck.deconvnet(…, pooling="autograd")`.

# %% [markdown] id="nine-title" slideshow={"slide_type": "slide"}
# ## What excites a channel: layers 1 to 3
#
# **Predict first.** In which layer are all nine projections of a channel the same?

# %% [markdown] id="nine-text" slideshow={"slide_type": "skip"}
# Left for each channel the nine patches with the strongest answers, no object twice, and beside them the projections of
# their neurons. Both are cut to the receptive field, as in figure 2 of Zeiler & Fergus.

# %% id="pool"
names = list(ck.cutouts("labelled"))
scenes = ck.scenes(2 * len(names), objects=names, seed=1, size=model.input_size, background="photograph")
photographs = torch.cat([ck.load_image(name, size=model.input_size) for name in ck.photographs()])
pool = torch.cat([scenes.images, photographs])
shown = [*scenes.objects, *ck.photographs()]  # what each picture of the pool shows
print(scenes, "and", len(photographs), "photographs")


# each channel's largest activation on each picture of the pool: layer -> (pictures, channels)
answers = ck.activations(model, pool, [f"relu{n}" for n in range(1, 6)], reduce="max")


# %% id="nine-code"
def best_pictures(layer, channel, k):
    """The k pictures of the pool with the strongest answers, no object twice."""
    best = {}
    for i in answers[layer][:, channel].argsort(descending=True).tolist():
        best.setdefault(shown[i], i)
    return pool[list(best.values())[:k]]


def patches_and_projections(layer, channel, pictures, method=ck.deconvnet):
    """Each picture's strongest patch, and the projection of its neuron: two tensors (k, 3, h, w)."""
    top = ck.top_patches(model, pictures, layer, channel, k=len(pictures))
    signals = method(model, pictures[top.images], ck.unit(layer, channel, position="max"))
    return top.patches, top.crop(ck.signal_pictures(signals))


def show_best(chosen, k=9, method=ck.deconvnet, word="their projections", columns=4):
    panels, titles = [], []
    for layer, channel in chosen:
        for tiles in patches_and_projections(layer, channel, best_pictures(layer, channel, k), method):
            tiles = F.interpolate(tiles, (96, 96), mode="bilinear" if tiles.shape[-1] > 16 else "nearest")
            panels.append(ck.mosaic(tiles, columns=int(k**0.5), gap=4))
        titles += [f"channel {channel} of {layer}", word]
    return ck.show_images(panels, titles, columns=columns, squares=False)


# %% [markdown] id="nine-choice" slideshow={"slide_type": "skip"}
# Which channels to show? By a rule, so that we cannot pick the pretty ones. Layer 1: the two filters with the strongest contrast of light
# and dark. Above: the two whose projections agree most, among the 16 whose nine best answers stand out most from their mean answer. *Agree*
# is the mean cosine of all pairs of the nine, each made as coarse as 8 × 8 cells.


# %% id="nine-choose"
def agreement(tiles):
    coarse = F.normalize(F.adaptive_avg_pool2d(tiles - 0.5, 8).flatten(1), dim=1)
    return ((coarse @ coarse.T).sum().item() - len(tiles)) / (len(tiles) * (len(tiles) - 1))


grey = model.layer("conv1").weight.detach().mean(1).flatten(1).std(1)
chosen, tested = {"relu1": grey.topk(2).indices.tolist()}, {}
random_pictures = pool[torch.randperm(len(pool), generator=torch.Generator().manual_seed(0))[:9]]
for layer in ("relu2", "relu3", "relu4", "relu5"):
    peaks, usual = answers[layer].topk(9, 0).values.mean(0), answers[layer].mean(0)
    sixteen = (peaks / usual.clamp(min=0.1 * usual.mean())).topk(16).indices.tolist()
    found = {c: patches_and_projections(layer, c, best_pictures(layer, c, 9)) for c in sixteen}
    tested[layer] = {c: agreement(projected) for c, (_, projected) in found.items()}
    chosen[layer] = sorted(sixteen, key=lambda c: -tested[layer][c])[:2]
    if layer in ("relu4", "relu5"):
        colours = [patches - patches.mean((2, 3), keepdim=True) + 0.5 for patches, _ in found.values()]
        other = [patches_and_projections(layer, c, random_pictures)[1] for c in sixteen]
        mixed = [torch.stack([projected[i] for _, projected in list(found.values())[:9]]) for i in range(9)]
        tested[f"{layer}, patches"] = dict(enumerate(map(agreement, colours)))
        tested[f"{layer}, arbitrary pictures"] = dict(enumerate(map(agreement, other)))
        tested[f"{layer}, nine channels"] = dict(enumerate(map(agreement, mixed)))

# %% id="nine-low" slideshow={"slide_type": "fragment"}
show_best(
    [(layer, c) for c in (0, 1) for layer, c in [(n, chosen[n][c]) for n in ("relu1", "relu2", "relu3")]], columns=6
)

# %% [markdown] id="nine-low-read" slideshow={"slide_type": "notes"}
# In layer 1 all nine are the same: there is no switch and no other ReLU on the way, so the deconvnet gives the **filter itself**, whatever
# the patch. From layer 2 on the projections differ, because the switches of each patch differ.
#
# In layer 1 you see stripes, upright and level; in layer 2 red over green, and a dark diagonal bar; in layer 3 short edges, level or tilted. Look at the patches of
# channel 67, too: several show the same rim of one background. "No object twice" does not keep a background from coming twice.

# %% id="nine-claim"
k = chosen["relu1"][0]
inner = ck.deconvnet(model, cat, ck.unit("relu1", k, position=(30, 30)))[0, :, 57:64, 57:64]
filter_itself = model.layer("conv1").weight[k].detach().cpu() / model.std[0].cpu()
ck.claim("layer 1, projection against filter: largest difference", (inner - filter_itself).abs().max(), below=1e-5)

# %% [markdown] id="nine-high-title" slideshow={"slide_type": "subslide"}
# ### Layers 4 and 5: one kind of thing in nine patches?
#
# **Predict first.** Will the nine patches of a channel show one kind of thing? And its projections?

# %% id="nine-high" slideshow={"slide_type": "-"} tags=["gallery"]
show_best([(layer, c) for layer in ("relu4", "relu5") for c in chosen[layer]])

# %% id="nine-high-claim"
for layer in ("relu4", "relu5"):
    medians = {name: torch.tensor(list(tested[name].values())).median().item() for name in tested if layer in name}
    own, patches, arbitrary, nine = medians.values()
    print(f"{layer}, agreement, median of 16 channels: own best pictures {own:.2f}, arbitrary pictures {arbitrary:.2f}")
    ck.claim("nine projections of one channel above those of nine channels", own - nine, above=0.1)
    ck.claim("nine projections of one channel above its nine patches", own - patches, above=0.1)

# %% [markdown] id="nine-high-read" slideshow={"slide_type": "notes"}
# The patches show many kinds of things, and the projections of one channel are more alike than they. Channel
# 175 of relu4 puts a red bar into the middle of a strawberry, a car and a fire engine. Channel 231 of relu5 draws the line of a belly: mantis, crane, pig,
# horse, camel.
#
# Whose doing is that? The printed control says: the channel's. Nine *arbitrary* pictures give projections of this channel
# that agree nearly as well, and the projections of nine channels do not. So what a row shares is what the weights of
# the channel ask for, and what differs inside a row, the fine lines, is each patch's own: its switches.
#
# The pool is small and holds few kinds of things, so "what excites it most" means *most among these pictures*.

# %% [markdown] id="training-title" slideshow={"slide_type": "slide"}
# ## Features through training: which layer looks finished first?
#
# The projection of a channel's strongest answer; one row for each channel, one column for each moment.
#
# **Predict first.** Which layer looks finished first?

# %% id="training" slideshow={"slide_type": "fragment"}
history = ck.training_history()
steps = [step for step, kept in history.items() if "conv5" in kept]
moments = {step: ck.coursenet_at(step) for step in steps[:-1]} | {steps[-1]: model}
layers = ["relu2", "relu5"]
winners = {layer: [] for layer in layers}  # which picture is each channel's strongest, by moment
rows = {layer: [] for layer in layers}
for network in moments.values():
    now = ck.activations(network, pool, layers, reduce="max") if network is not model else answers
    for layer in layers:
        winners[layer].append(now[layer].argmax(0))
        for feature in list(tested[layer])[3:6]:
            best = pool[winners[layer][-1][feature], None]
            there = ck.unit(layer, feature, position="max")
            patch = ck.top_patches(network, best, layer, feature, k=1)
            rows[layer].append(patch.crop(ck.signal_pictures(ck.deconvnet(network, best, there)))[0])
strips = []
for layer in layers:
    by_channel = torch.stack(rows[layer]).unflatten(0, (len(moments), 3)).transpose(0, 1).flatten(0, 1)
    strips.append(ck.mosaic(F.interpolate(by_channel, (96, 96), mode="bilinear"), columns=len(moments), gap=4))
after = ", ".join(f"{step:,}" for step in steps)
ck.show_images(strips, [f"{layer} after {after} steps" for layer in layers], columns=2, squares=False)

# %% id="training-claim" slideshow={"slide_type": "skip"}
late, end = (history[step] for step in steps[-2:])
near = {name: cosines(late[name][None], end[name][None]).item() for name in end}
print(f"weights after {steps[-2]:,} steps, cosine with the end:", ", ".join(f"{n} {c:.2f}" for n, c in near.items()))
ck.claim("conv1 nearer to its end than conv5, by", near["conv1"] - near["conv5"], above=0.05)
same = {layer: (best[-1] == best[-2]).float().mean().item() for layer, best in winners.items()}
ck.claim("relu5, last two columns: share of channels that keep their strongest picture", same["relu5"], below=0.5)
ck.claim("relu2: the same share, larger by", same["relu2"] - same["relu5"], above=0.05)

# %% [markdown] id="training-read" slideshow={"slide_type": "notes"}
# Layer 2. Two of its three channels have their colours and directions after 320 steps; the first one turns until the end. The last two columns differ little. Zeiler & Fergus
# found the same (figure 4), and the weights say it too. The rows of relu5 still change: from the third column to the fourth four
# of five of its channels get another strongest picture, and of layer 2 a little more than half: a small change of the weights makes another picture the strongest.
#
# Look at the first column of relu5: a ball on bricks, bricks, a football, drawn by a network that has learned almost nothing.
# You know who draws it: the switches.

# %% [markdown] id="rules-title" slideshow={"slide_type": "slide"}
# ## Three rules for one ReLU
#
# $z$ is the input of the ReLU, $g$ the signal from above. $[z > 0]$ asks: *was the ReLU on?* $[g > 0]$ asks: *is the signal positive?*
# Each is 1 or 0.
#
# $$\text{gradient: } g\,[z > 0] \qquad \text{deconvnet: } g\,[g > 0] \qquad \text{guided: } g\,[z > 0]\,[g > 0]$$
#
# $$z = \begin{pmatrix} 1 & -1 & 5 \\ 2 & -5 & -7 \\ -3 & 2 & 4 \end{pmatrix} \qquad
# g = \begin{pmatrix} -2 & 3 & -1 \\ 6 & -3 & 1 \\ 2 & -1 & 3 \end{pmatrix}$$
#
# **Predict first.** Write down the three results. (Springenberg et al., *Striving for simplicity*, ICLR workshop 2015, fig. 1.)

# %% [markdown] id="rules-answer" slideshow={"slide_type": "fragment"}
# $$\text{gradient} \begin{pmatrix} -2 & 0 & -1 \\ 6 & 0 & 0 \\ 0 & -1 & 3 \end{pmatrix} \quad
# \text{deconvnet} \begin{pmatrix} 0 & 3 & 0 \\ 6 & 0 & 1 \\ 2 & 0 & 3 \end{pmatrix} \quad
# \text{guided} \begin{pmatrix} 0 & 0 & 0 \\ 6 & 0 & 0 \\ 0 & 0 & 3 \end{pmatrix}$$

# %% [markdown] id="rule-code-title" slideshow={"slide_type": "skip"}
# ## The three rules in code


# %% id="rule-readable" slideshow={"slide_type": "skip"} tags=["show-code"]
class Rule(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, rule):
        ctx.rule = rule
        ctx.save_for_backward(z)
        return z.clamp(min=0)

    @staticmethod
    def backward(ctx, g):
        (z,) = ctx.saved_tensors
        masks = {"gradient": z > 0, "deconvnet": g > 0, "guided": (z > 0) & (g > 0)}
        return g * masks[ctx.rule], None


def my_map(model, image, target, rule):
    x = image.clone().requires_grad_()
    h = (x.to(model.device) - model.mean) / model.std
    for part in model.module:
        h = Rule.apply(h, rule) if isinstance(part, nn.ReLU) else part(h)
    return torch.autograd.grad(h[0, target], x)[0]


# %% id="rule-same"
z = torch.tensor([[1.0, -1, 5], [2, -5, -7], [-3, 2, 4]], requires_grad=True)
g = torch.tensor([[-2.0, 3, -1], [6, -3, 1], [2, -1, 3]])
rules = {"gradient": ck.input_gradient, "deconvnet": ck.deconvnet, "guided": ck.guided_backprop}
for rule, method in rules.items():
    with ck.relu_rule(relu := nn.ReLU(), rule):
        output = relu(z)
    assert torch.equal(torch.autograd.grad(output, z, g)[0], torch.autograd.grad(Rule.apply(z, rule), z, g)[0])
    theirs = method(model, cat, egyptian)
    assert torch.allclose(my_map(model, cat, egyptian, rule), theirs, atol=1e-4 * theirs.abs().max().item())
    print(f"{rule}: the same nine numbers, and the same map of the cat")

# %% [markdown] id="real-title" slideshow={"slide_type": "slide"}
# ## With pooling: which two rules look alike?
#
# The class *espresso* in CourseNet, by all three rules.
#
# **Predict first.** Which two of the three will look alike?

# %% id="real" slideshow={"slide_type": "fragment"}
coffee, espresso = ck.load_image("coffee", size=model.input_size), model.labels.index("espresso")
of_class = {rule: method(model, coffee, espresso) for rule, method in rules.items()}
ck.show_images(
    [coffee, *map(ck.signal_pictures, of_class.values())], ["photograph", *(f"{rule}: espresso" for rule in rules)]
)

# %% id="real-claim"
alike = cosines(of_class["deconvnet"], of_class["guided"]).item()
ck.claim("cosine of deconvnet and guided", alike, above=0.5)
for rule in ("deconvnet", "guided"):
    size = abs(cosines(of_class["gradient"], of_class[rule]).item())
    ck.claim(f"size of the cosine of {rule} and gradient", size, below=0.2, digits=1)

# %% [markdown] id="real-read" slideshow={"slide_type": "notes"}
# Deconvnet and guided (cosine 0.80): both draw the rim of the cup and the spoon in fine lines. With max-pooling, the deconvnet knows the photograph through its switches.
# Guided backpropagation knows it twice: through the
# switches and through the forward masks $[z > 0]$, so its background is cleaner. What if there are no switches at all?

# %% [markdown] id="nopool-title" slideshow={"slide_type": "slide"}
# ## Without pooling: which rule fails?
#
# EfficientNet-Lite0 makes its maps smaller by convolutions with stride 2. It has no switches.
#
# **Predict first.** Which of the three rules will fail?

# %% id="nopool" slideshow={"slide_type": "-"} tags=["gallery"]
asked = {
    name: (ck.load_image(name, size=224), lite.labels.index(label))
    for name, label in (("rocket", "missile"), ("motorcycle", "moped"))
}
lite_maps = {rule: [method(lite, *pair) for pair in asked.values()] for rule, method in rules.items()}
panels, titles = [], []
for i, (photograph, target) in enumerate(asked.values()):
    panels += [photograph, *(ck.signal_pictures(found[i]) for found in lite_maps.values())]
    titles += ["photograph", *(f"{rule}: {lite.labels[target]}" for rule in rules)]
ck.show_images(panels, titles)

# %% id="nopool-claim"
ck.claim("cosine of the two deconvnet maps, rocket and motorcycle", cosines(*lite_maps["deconvnet"]).item(), above=0.99)
ck.claim("of the two guided ones", cosines(*lite_maps["guided"]).item(), below=0.3)

# %% [markdown] id="nopool-read" slideshow={"slide_type": "notes"}
# The deconvnet. Without switches **nothing of the photograph** enters its way down: neither $z$ nor a place of a maximum. It paints the
# same pattern for a rocket and a motorcycle. This is the reason why Springenberg et al. added the forward mask. The name says
# it: the way down is *guided* by what the ReLUs saw on the way up.

# %% [markdown] id="crops-title" slideshow={"slide_type": "slide"}
# ## Guided backpropagation, with the corresponding crops
#
# As in figure 3 of Springenberg et al.: the four strongest patches of a channel, and what guided backpropagation makes of them.
#
# **Predict first.** Can you tell the object from the projection alone? Cover the crops with your hand.

# %% id="crops" slideshow={"slide_type": "fragment"}
show_best(
    [(layer, list(tested[layer])[4]) for layer in ("relu3", "relu4", "relu5")], 4, ck.guided_backprop, "guided maps", 6
)

# %% [markdown] id="crops-read" slideshow={"slide_type": "notes"}
# Sometimes: the wheel, the candle flame, the petals. The maps keep outline and colour of the part that counts and drop the rest. They say well *where* in its field an inner neuron
# found *what kind of pattern*. Do not forget who draws the fine lines: switches and masks, so the photograph.

# %% [markdown] id="explorer-title"
# ### Your turn
#
# A neuron by all three rules. Go through the layers and channels. Upload a picture of your own. The box is the receptive field of the strongest neuron, and the three
# maps are cut to it.

# %% id="explorer"
ck.explore_backward(model, photograph="grace_hopper", layer="relu4", channel=neurons["relu4"])

# %% [markdown] id="target-title" slideshow={"slide_type": "slide"}
# ## Ask for another class: does the map change?
#
# A zebra and a broccoli. We ask for *zebra*, for *broccoli*, and for *palace*, which is nowhere. Each row has one scale.
#
# **Predict first.** What will guided backpropagation show for the palace?

# %% id="target" slideshow={"slide_type": "-"} tags=["gallery"]
scene = ck.load_scene(["zebra", "broccoli"], background="gravel", seed=2, size=model.input_size)
classes = scene.targets | {"palace": palace}
panels, titles, changed = [], [], {}
for rule in ("gradient", "guided"):
    changed[rule] = [rules[rule](model, scene.image, t) for t in classes.values()]
    row = [*changed[rule], changed[rule][0] - changed[rule][2]]
    panels += [scene.image, *ck.signal_pictures(torch.cat(row, 3)).chunk(4, 3)]  # one scale for the four
    titles += ["scene", *(f"{rule}: {name}" for name in classes), f"{rule}: zebra − palace"]
ck.show_images(panels, titles, columns=5)


# %% id="target-claim"
def where(maps):
    """How strong a map is, wherever it points: |A| in cells of 8 × 8 pixels, minus its mean."""
    cells = F.avg_pool2d(maps.abs().mean(1, keepdim=True), 8)
    return cells - cells.mean((2, 3), keepdim=True)


for rule, (zebra, _, nowhere) in changed.items():
    print(f"{rule}, zebra against palace: cosine {cosines(zebra, nowhere).item():.2f},", end=" ")
    print(f"correlation of the magnitudes {cosines(where(zebra), where(nowhere)).item():.2f}")
ck.claim("guided: cosine", cosines(changed["guided"][0], changed["guided"][2]).item(), above=0.9)
ck.claim("gradient: size of the cosine", abs(cosines(changed["gradient"][0], changed["gradient"][2]).item()), below=0.4)
places = cosines(where(changed["gradient"][0]), where(changed["gradient"][2])).item()
ck.claim("gradient: correlation of the magnitudes", places, above=0.5)

# %% [markdown] id="target-read" slideshow={"slide_type": "notes"}
# A zebra and a broccoli, again. If you had seen only one of these maps, with the title *zebra*, you
# would have believed that the network told you where the zebra is. Look at the last column: from palace to zebra, all that guided backpropagation changes is that some
# stripes get stronger. (For broccoli its florets do.)
#
# The gradient is a coloured grain, with another colour at each pixel for each class: zebra and palace have a cosine of −0.2. But look *where* the grain is: around zebra and
# broccoli in all three. The magnitudes say so: they correlate by 0.7. One map cannot tell you any of this. A second class can.

# %% [markdown] id="measure-title" slideshow={"slide_type": "subslide"}
# ### Two numbers for "nothing moves"
#
# Two maps of one rule: the same scene for **another class**, or the same question for **another picture**. Compared as they are, sign
# and all (cosine), and by *where* they are strong (correlation of the magnitudes).
#
# **Predict first.** Fresh noise, new for each question: what does it score?

# %% id="measure" slideshow={"slide_type": "fragment"}
objects = list(ck.cutouts("core"))[:64:4]
single = ck.scenes(16, objects=objects, seed=5, size=lite.input_size)
random_classes = torch.randint(1000, (16,), generator=torch.Generator().manual_seed(0))
fresh = torch.Generator().manual_seed(0)
pairs = {
    rule: (m(lite, single.images, single.targets), m(lite, single.images, random_classes)) for rule, m in rules.items()
}
pairs["noise"] = tuple(torch.randn(single.images.shape, generator=fresh) for _ in range(2))
panels = {
    "another class: cosine": {rule: cosines(a, b) for rule, (a, b) in pairs.items()},
    "another class: magnitudes": {rule: cosines(where(a), where(b)) for rule, (a, b) in pairs.items()},
    "another picture: cosine": {rule: cosines(a, a.roll(1, 0)) for rule, (a, _) in pairs.items()},
}
panels = {
    title: {rule: ck.bootstrap_interval(values, single.objects) for rule, values in panel.items()}
    for title, panel in panels.items()
}
ck.show_dots(
    panels,
    xlabel="likeness of two maps (1: the same)",
    interval="95 % interval over 16 objects",
    grey=["noise"],
    limits=(-0.3, 1.05),
)

# %% id="measure-claim"
moved = {title: {rule: interval[0] for rule, interval in panel.items()} for title, panel in panels.items()}
for title, panel in moved.items():
    print(f"{title}: " + ", ".join(f"{rule} {abs(value):.1f}" for rule, value in panel.items()))
ck.claim("another class, guided: cosine", moved["another class: cosine"]["guided"], above=0.95, digits=3)
ck.claim(
    "another class, gradient: size of the cosine", abs(moved["another class: cosine"]["gradient"]), below=0.2, digits=1
)
ck.claim("another class, gradient: magnitudes", moved["another class: magnitudes"]["gradient"], above=0.6)
ck.claim("another class, noise: magnitudes", abs(moved["another class: magnitudes"]["noise"]), below=0.1, digits=1)
ck.claim("another picture, deconvnet: cosine", moved["another picture: cosine"]["deconvnet"], above=0.95)
of_gradient = where(pairs["gradient"][0])
ck.claim(
    "another picture, gradient: magnitudes", cosines(of_gradient, of_gradient.roll(1, 0)).mean(), below=0.4, digits=1
)

# %% [markdown] id="measure-read" slideshow={"slide_type": "notes"}
# Noise scores 0 everywhere, and explains nothing. So a map of a class *must* change with the class, but a map that changes need not be one: the test
# can only refute. It refutes guided backpropagation, which hardly changes, and the deconvnet, which does not even see the picture.
#
# And the gradient? Its cosine is that of noise, but its magnitudes stay: asked for another class, it changes its signs and hardly its places
# (0.8; for another picture they correlate by 0.2 only). So back to the first
# question, *which one knows about cats?* B's lines would be the same for any class. A changes with the class, in signs that no eye can read. Nobody here
# has shown you where the cat is.

# %% [markdown] id="why-title" slideshow={"slide_type": "slide"}
# ## Why is it sharp, and why the same for all?
#
# On the way down we compare the signals of eight classes, block by block.
#
# **Predict first.** After how many of the 16 blocks do they agree?

# %% id="why" slideshow={"slide_type": "fragment"}
blocks = [layer for layer in lite.layers if layer.startswith("block")]
eight = torch.randint(1000, (8,), generator=torch.Generator().manual_seed(1)).tolist()
agree = {}
for rule in rules:
    x = ck.load_image("flower", size=224).requires_grad_()
    with ck.relu_rule(lite, rule), ck.capture(lite, blocks) as maps:
        logits = lite(x)
    stations = [*reversed(maps.values()), x]
    down = [torch.autograd.grad(logits[0, c], stations, retain_graph=True) for c in eight]
    agree[rule] = []
    for signals in zip(*down, strict=True):
        unit = F.normalize(torch.stack([signal.flatten().cpu() for signal in signals]), dim=1)
        agree[rule].append(((unit @ unit.T).sum().item() - 8) / 56)  # the mean over all pairs of classes
ck.show_lines(
    range(len(stations)),
    agree,
    xlabel="blocks passed on the way down (16: the pixels)",
    ylabel="mean cosine of 8 classes",
    title="Signals on their way down, the flower in EfficientNet-Lite0",
)

# %% id="why-claim"
print("guided, before the first block and after each of six:", ", ".join(f"{c:.2f}" for c in agree["guided"][:7]))
ck.claim("guided: mean cosine of the eight classes after six blocks", agree["guided"][6], above=0.95)
ck.claim("gradient: largest anywhere", max(map(abs, agree["gradient"])), below=0.2)

# %% [markdown] id="why-read" slideshow={"slide_type": "notes"}
# After about five. The class decides the signal at the top only. Each rule with $[g > 0]$ throws the negative parts away,
# again and again, and what is left is pulled towards one common direction. That is *power iteration*. Take the positive matrix with the rows (2, 1) and (1, 2):
#
# - (1, 0) → (2, 1) → (5, 4) → (14, 13)
# - (0, 1) → (1, 2) → (4, 5) → (13, 14)
#
# Two starts at right angles, and after three steps both point to (1, 1), the matrix's first eigenvector: it has forgotten where it started. With signs this need
# not happen: with the rows (1, −1) and (1, 1) the two stay at right angles for ever. A positive way down must converge; the gradient's need not, and the figure says
# that it does not (Sixt, Granz & Landgraf, *When explanations lie*, ICML 2020).
#
# **Sharp.** Positive signals cannot cancel, so every path that was active adds to the map, and the masks $[z > 0]$ and the switches say where
# the photograph has edges. In simple networks with random weights one can prove that this partly restores the input (Nie, Zhang & Patel, ICML 2018). It is sharp for the
# same reason as an edge detector: it describes the photograph.

# %% id="why-toy"
for name, matrix in {"positive": [[2.0, 1], [1, 2]], "with signs": [[1.0, -1], [1, 1]]}.items():
    starts, found = torch.eye(2), []
    for _ in range(4):
        found.append(abs(F.cosine_similarity(starts[:, 0], starts[:, 1], dim=0).item()))
        starts = torch.tensor(matrix) @ starts
    print(f"{name}: cosine of the two signals after 0 to 3 steps:", ", ".join(f"{c:.2f}" for c in found))

# %% [markdown] id="silent-text" slideshow={"slide_type": "skip"}
# ### What goes wrong in silence
#
# Many programs change the backward pass of `nn.ReLU` modules only. On a network with ReLU6, with `F.relu`, or with another activation they find
# nothing to change, and return the **plain gradient** under the name of guided backpropagation. `coursekit` covers ReLU and ReLU6 in each form, and refuses all others:

# %% id="silent"
try:
    ck.guided_backprop(ck.random_model("efficientnet_b0"), asked["rocket"][0])
except ck.UnsupportedActivation as error:
    print(error)

# %% [markdown] id="lrp-title" slideshow={"slide_type": "slide"}
# ## A fourth rule: share, and lose nothing
#
# **Layer-wise relevance propagation** (LRP) hands on a *sum*: neuron $j$ got $R_j$, and its inputs share it by what each gave to
# $z'_j = \sum_i a_i w'_{ij} + b'_j$.
#
# $$R_i = \sum_j \frac{a_i\, w'_{ij}}{z'_j + \varepsilon\,\mathrm{sign}\,z'_j}\; R_j$$
#
# | layer | rule | what counts |
# |---|---|---|
# | linear | ε | $w' = w$ |
# | convolution | γ | $w' = w + \gamma \max(w, 0)$, and $b'$ likewise |
# | pixels | $z^{\mathcal B}$ | $w > 0$: distance from black; $w < 0$: from white |
#
# **Predict first.** $a = (1, 2)$, $w = (3, -1)$, $R_j = 1$, no bias, $\varepsilon = 0$. Shares for $\gamma = 0$ and $1$?

# %% [markdown] id="lrp-answer" slideshow={"slide_type": "fragment"}
# $z = 3 - 2 = 1$: shares $3$ and $-2$. With $\gamma = 1$: $w' = (6, -1)$, $z' = 4$, shares $1.5$ and $-0.5$. The sum is $1$ both times.

# %% [markdown] id="lrp-code-title" slideshow={"slide_type": "slide"}
# ## The method: one share, and whose weights


# %% id="lrp-readable" slideshow={"slide_type": "-"} tags=["show-code"]
def share(run, inputs, R, epsilon=1e-6):
    inputs = [a.detach().clone().requires_grad_() for a in inputs]
    z = run(*inputs)
    z = z + epsilon * torch.where(z < 0, -1.0, 1.0)
    slopes = torch.autograd.grad(z, inputs, (R / z).detach())  # the sum over j is a gradient
    return [a.detach() * slope for a, slope in zip(inputs, slopes, strict=True)]


def hand_down(part, a, R, gamma):
    if isinstance(part, nn.Linear):
        return share(lambda a, b: F.linear(a, part.weight, b), [a, part.bias], R)
    if isinstance(part, nn.Conv2d):
        w, b = (v + gamma * v.clamp(min=0) for v in (part.weight, part.bias))
        return share(lambda a, b: F.conv2d(a, w, b, part.stride, part.padding), [a, b], R)
    return [R] if isinstance(part, nn.ReLU) else share(part, [a], R)  # pooling


# %% [markdown] id="lrp-text" slideshow={"slide_type": "skip"}
# Bach et al., PLoS ONE 2015 (ε); Montavon et al., in *Explainable AI*, 2019, chapter 10 (γ, $z^{\mathcal B}$, and which rule where).
#
# In the code a bias is one more input, which is always 1. What is left is the rule for pixels and the loop. It starts with the logit of the class, and keeps what the biases took. (In CourseNet all inputs of a convolution are at least
# 0, and what is below 0 before a ReLU got no relevance. `ck.relevance` covers the other cases as well, BatchNorm, and shortcuts.)


# %% id="lrp-loop"
def hand_to_pixels(conv, x, R, black, white):
    a = torch.cat([x - black, x - white], 1)  # at least 0, and at most 0
    w = torch.cat([conv.weight.clamp(min=0), conv.weight.clamp(max=0)], 1)
    (R,) = share(lambda a: F.conv2d(a, w, None, conv.stride, conv.padding), [a], R)
    return R[:, :3] + R[:, 3:]


def my_relevance(model, image, target, gamma=0.25):
    way, h = [], (image.to(model.device) - model.mean) / model.std
    with torch.no_grad():
        for name, part in model.module.named_children():
            way.append((name, part, h))
            h = part(h)
    R, to_bias = torch.zeros_like(h), {}
    R[0, target] = h[0, target]
    for name, part, a in reversed(way[1:]):
        R, *taken = hand_down(part, a, R, gamma)
        if taken:
            to_bias[name] = taken[0].sum().item()
    _, conv1, x = way[0]
    return hand_to_pixels(conv1, x, R, (0 - model.mean) / model.std, (1 - model.mean) / model.std).cpu(), to_bias


# %% id="lrp-same"
toy = nn.Linear(2, 1, bias=False)
toy.weight.data = torch.tensor([[3.0, -1.0]])
for gamma in (0, 1):
    w = toy.weight + gamma * toy.weight.clamp(min=0)
    (shares,) = share(lambda a, w=w: F.linear(a, w), [torch.tensor([[1.0, 2.0]])], torch.ones(1, 1), epsilon=0)
    print(f"the small example, γ = {gamma}:", ", ".join(f"{part:.1f}" for part in shares[0].tolist()))
mine, to_bias = my_relevance(model, coffee, espresso)
theirs = ck.relevance(model, coffee, espresso)
assert torch.allclose(mine, theirs, atol=1e-4 * theirs.abs().max().item())
print("my_relevance and ck.relevance give the same map")

# %% [markdown] id="lrp-sum-text" slideshow={"slide_type": "skip"}
# **Does it add up?** The logit of *espresso* goes to the pixels and to the biases, and nothing is lost. In a copy of CourseNet without biases, all of it reaches the
# pixels.

# %% id="lrp-sum"
logit = model(coffee)[0, espresso].item()
print(f"logit {logit:.2f} = pixels {mine.sum().item():.2f}", end="")
print("".join(f" + {name} {taken:.2f}" for name, taken in to_bias.items()))
lost = abs(mine.sum().item() + sum(to_bias.values()) - logit) / logit
ck.claim("part of the logit that is lost", round(lost, 4), below=1e-3)
without = copy.deepcopy(model)
for part in without.module:
    if hasattr(part, "bias"):
        part.bias.data.zero_()
logit, given = without(coffee)[0, espresso].item(), ck.relevance(without, coffee, espresso).sum().item()
ck.claim(
    "without biases: part of the logit that does not reach the pixels", round(abs(given / logit - 1), 4), below=1e-3
)

# %% [markdown] id="lrp-sum-read" slideshow={"slide_type": "skip"}
# Of 8.2 logits not one whole logit reaches the pixels: the biases take the rest, fc7's alone more than five. Nothing is lost, but do not read the map as the whole
# score. FullGrad in lab 06 draws what the biases contribute to a gradient.

# %% [markdown] id="lrp-map-title" slideshow={"slide_type": "slide"}
# ## Zebra and broccoli, by relevance
#
# The scene that you know, and one scale. Red speaks for the class that we ask for, blue against it.
#
# **Predict first.** Asked for *broccoli*: which colour has the zebra? And asked for *palace*?

# %% id="lrp-map" slideshow={"slide_type": "fragment"} tags=["gallery"]
relevant = {name: ck.relevance(model, scene.image, t).sum(1, keepdim=True) for name, t in classes.items()}
ck.show_maps(
    scene.image,
    {f"relevance for {name}": found for name, found in relevant.items()},
    unit="relevance (logits per pixel)",
    overlay=True,
    clip=99,
)


# %% id="lrp-map-claim"
def net(found, name):
    """What a map gives to one object: the sum of its relevance there, over the sum of its size everywhere."""
    return (found[0, 0][scene.masks[name]].sum() / found.abs().sum()).item()


for name in scene.targets:
    other = next(o for o in scene.targets if o != name)
    ck.claim(f"asked for {name}: net relevance of the {name}", net(relevant[name], name), above=0.1)
    ck.claim(f"asked for {name}: net relevance of the {other}", net(relevant[name], other), below=-0.1)
with torch.no_grad():
    ck.claim("logit of palace", model(scene.image)[0, palace], below=0)

# %% [markdown] id="lrp-map-read" slideshow={"slide_type": "notes"}
# Blue: what speaks for zebra speaks against broccoli, and the other way round. No map of this lab has said that before. But look at the palace,
# which is nowhere: the network gives it a negative logit, and the map still shows a part of the zebra, in red. For a class that is not in the picture, the
# question *where* has no good answer, and LRP gives the places that it knows.
#
# Only the stripes of the zebra's hind part count, not its head, and of the broccoli some florets.

# %% [markdown] id="four-title" slideshow={"slide_type": "slide"}
# ## Another class, and other weights
#
# CourseNet, 16 scenes. The size of the cosine, |cos|: a map with its sign turned is still the same map. The control is the last panel: the same class, a
# little noise on the picture.
#
# **Predict first.** Which panels should be near 0, and which near 1?

# %% id="four" slideshow={"slide_type": "fragment"}
named = rules | {"relevance": lambda m, x, t: ck.relevance(m, x, t).sum(1, keepdim=True)}
small = ck.scenes(16, objects=objects, seed=5, size=model.input_size)
grain = torch.randn(small.images.shape, generator=torch.Generator().manual_seed(3))
noisy = (small.images + 0.02 * grain).clamp(0, 1)
names = {"fc6": "fc6 to fc8 redrawn", "conv1": "all layers redrawn"}
redrawn = {what: [] for what in names.values()}
for seed in (0, 1):
    for layer, network in ck.randomised(model, seed=seed, layers=list(names)):
        redrawn[names[layer]].append(copy.deepcopy(network))
likeness, signed = {}, {}
for rule, method in named.items():
    own = method(model, small.images, small.targets)
    others = {
        "another class": [method(model, small.images, random_classes)],
        **{what: [method(m, small.images, small.targets) for m in nets] for what, nets in redrawn.items()},
        "a little noise": [method(model, noisy, small.targets)],
    }
    signed[rule] = cosines(own, others["another class"][0])
    for title, found in others.items():
        values = torch.stack([cosines(own, other).abs() for other in found]).mean(0)
        likeness.setdefault(title, {})[rule] = ck.bootstrap_interval(values, small.objects)
ck.show_dots(
    likeness,
    xlabel="|cosine| with the map of the trained network and the true class",
    interval="95 % interval over 16 objects",
    columns=4,
    limits=(0, 1.03),
)

# %% id="four-claim"
for title, panel in likeness.items():
    print(f"{title}: " + ", ".join(f"{rule} {value:.2f}" for rule, (value, _, _) in panel.items()))
turned = signed["relevance"]
print(f"relevance, another class, cosine with its sign: from {turned.min():.1f} to {turned.max():.1f}")
first, top, whole, again = likeness.values()
ck.claim("relevance, another class: size of the mean cosine", abs(turned.mean()), below=0.3, digits=1)
ck.claim("relevance, another class: mean |cosine|", first["relevance"][0], above=0.2, below=0.7)
ck.claim("guided, another class: mean |cosine|", first["guided"][0], above=0.85)
ck.claim("relevance, all weights redrawn", whole["relevance"][0], below=0.25)
ck.claim("guided, fc6 to fc8 redrawn", top["guided"][0], above=0.85)
ck.claim("relevance, the same class with a little noise", again["relevance"][0], above=0.85)

# %% [markdown] id="four-read" slideshow={"slide_type": "notes"}
# Near 0 the first three, near 1 the last. Guided backpropagation does not know which class was asked for (0.98), nor whether the three layers that decide the class are
# there at all (0.96). Relevance depends on both (0.50 and 0.28), and a little noise does not disturb it (0.96). The gradient changes most, but the control says
# that it is fragile as well: a little noise moves it, too (0.80).
#
# **Why the size?** With its sign, the mean cosine of relevance is about 0, far below guided. That number alone would mislead you. In single
# scenes the cosine lies between −0.9 and 1: some maps are the *same* map with the sign turned round. A class that is not in the picture has mostly a negative logit, and LRP
# begins with the logit. With other scenes and other random classes the mean size came out between 0.3 and 0.6 on CourseNet, and at 0.6 to 0.8 on EfficientNet-Lite0. So LRP
# depends on the class more than guided backpropagation does, but for an absent class it often gives nearly the same map, or its negative.

# %% [markdown] id="score-title" slideshow={"slide_type": "slide"}
# ## Score it: does the map lie on the object?
#
# EfficientNet-Lite0, 24 scenes of 24 objects with exact masks. Two scores: the share of the map's energy on the object, and how well the map ranks pixels (1 is perfect, ½
# is chance).
#
# **Predict first.** Will guided backpropagation beat the edge detector? Will relevance beat guided?

# %% id="score-board"
two_dozen = list(ck.cutouts("core"))[1:73:3]
alone = ck.scenes(24, objects=two_dozen, seed=6)
board = ck.scoreboard(lite, named, alone, curve_scenes=0, progress=False)

# %% id="score" slideshow={"slide_type": "fragment"}
board.show(["energy in mask", "ranking AUC"])

# %% id="score-claim" slideshow={"slide_type": "skip"}
for measure in ("energy in mask", "ranking AUC"):
    print(f"{measure}: " + ", ".join(f"{name} {board.interval(name, measure)[0]:.2f}" for name in board.rows))
for other in ("gradient", "edges", "centre"):
    ck.claim(f"guided above {other}: AUC, lower end", board.difference("guided", other, "ranking AUC")[1], above=0)
ck.claim(
    "relevance above guided: energy, lower end", board.difference("relevance", "guided", "energy in mask")[1], above=0
)
ck.claim("guided above edges: energy, lower end", board.difference("guided", "edges", "energy in mask")[1], above=0)
sized = named["relevance"](lite, alone.images, alone.targets).abs()
ck.claim("relevance, red and blue by size: ranking AUC", ck.ranking_auc(sized, alone.masks).mean(), above=0.9)
ck.claim("deconvnet above chance: energy", board.difference("deconvnet", "chance", "energy in mask")[0], below=0.1)

# %% [markdown] id="score-read" slideshow={"slide_type": "notes"}
# It will: guided backpropagation beats the edge detector, on both scores. Its lines are drawn by the photograph, but
# *which* lines are strong comes from the network, and the network answers to objects more than to their background. "It explains no class" does not mean
# "it knows nothing". The deconvnet on a network without pooling has chance's energy (0.20 against 0.17). It gives the same map for
# each picture, so its ranking (0.63) says only where objects mostly lie; a blob in the middle says it better (0.81).
#
# Relevance puts most energy on the object, 0.77. In the ranking guided is ahead (0.90 against 0.85), but look how the score reads a map: gradients by their size, relevance by its
# red part only, so that all blue pixels are tied at 0. With red and blue by their size, relevance ranks the pixels better than guided (0.95).
#
# But these scenes hold one object each. The score cannot tell *where is the zebra?* from *where is anything?* The next one can.

# %% [markdown] id="two-title" slideshow={"slide_type": "subslide"}
# ### Does it find the object that you asked for?
#
# EfficientNet-Lite0, 16 scenes of two objects, both masks known. Of the map's energy on the two, which share lies on the **left** one? A good map gives nearly 1 when asked for the left one, and
# nearly 0 when asked for the right one.
#
# **Predict first.** Which of the four rules moves most?

# %% id="two" slideshow={"slide_type": "fragment"}
core = list(ck.cutouts("core"))
couples = [(core[i], core[-1 - i]) for i in range(0, 32, 2)]
pairs = [ck.load_scene(couple, seed=seed) for seed, couple in enumerate(couples)]
images = torch.cat([pair.image for pair in pairs])
on_the = {"left": 0, "right": 1}
masks, wanted = (
    {
        side: [getattr(pair, what)[couple[i]] for pair, couple in zip(pairs, couples, strict=True)]
        for side, i in on_the.items()
    }
    for what in ("masks", "targets")
)
masks = {side: torch.stack(found) for side, found in masks.items()}


def share_on_the_left(found):
    energy = {side: (ck.importance(found) * masks[side]).sum((1, 2)) for side in on_the}
    return energy["left"] / (energy["left"] + energy["right"])


shares, alike, by_size = {f"asked for the {side} object": {} for side in on_the}, {}, {}
for name, method in named.items():
    by_side = {side: method(lite, images, wanted[side]) for side in on_the}
    alike[name] = cosines(by_side["left"], by_side["right"]).mean().item()
    for side, found in by_side.items():
        share_of = share_on_the_left(found)
        by_size[name, side] = share_on_the_left(found.abs()).mean().item()
        shares[f"asked for the {side} object"][name] = ck.bootstrap_interval(share_of, [a for a, _ in couples])
for panel in shares.values():
    panel["a map of one value"] = (share_on_the_left(torch.ones(len(pairs), 1, *images.shape[2:])).mean().item(),) * 3
ck.show_dots(
    shares,
    xlabel="share of the energy on the left object",
    interval="95 % interval over 16 left objects",
    grey=["a map of one value"],
    columns=2,
    limits=(0, 1),
)

# %% id="two-claim"
left, right = ({name: value[0] for name, value in panel.items()} for panel in shares.values())
for name in named:
    print(f"{name}: {left[name]:.2f} asked for the left object, {right[name]:.2f} asked for the right one")
ck.claim("guided, left against right: cosine", alike["guided"], above=0.9)
ck.claim("guided: share on the left one, asked for the right", right["guided"], above=0.4)
ck.claim("relevance: share on the left one, asked for the left", left["relevance"], above=0.8)
ck.claim("relevance: the same, asked for the right", right["relevance"], below=0.2)
ck.claim("relevance, red and blue by size: asked for the left", by_size["relevance", "left"], above=0.7)
ck.claim("relevance, red and blue by size: asked for the right", by_size["relevance", "right"], below=0.3)

# %% [markdown] id="two-read" slideshow={"slide_type": "notes"}
# Relevance: it finds the object that you ask for, from 0.92 to 0.08. Of relevance the score takes what speaks *for* the class, the red part. This choice does not make the
# result: with red and blue counted by their size, it is 0.87 and 0.11.
#
# Guided backpropagation hardly moves. Its lines stay; the cosine says so. What the class leaves behind is a **balance**: the lines of the wanted object become a
# little stronger, which you see only beside the other map. The gradient moves as much. The deconvnet does not move at all.
#
# Two answers of this lab belong together: of two classes that are there LRP tells which is where; for a class that is not there it shows the places of those that are.

# %% [markdown] id="swap-title" slideshow={"slide_type": "skip"}
# ## Swap the network
#
# The first score again, on CourseNet, which pools. **Predict first.** Which of the four rules gains most?

# %% id="swap-board" slideshow={"slide_type": "skip"}
pooled = ck.scenes(24, objects=two_dozen, seed=6, size=model.input_size)
other_board = ck.scoreboard(model, named, pooled, curve_scenes=0, progress=False)

# %% id="swap" slideshow={"slide_type": "skip"}
other_board.show(["energy in mask", "ranking AUC"])

# %% id="swap-claim" slideshow={"slide_type": "skip"}
gain = {}
for name in named:
    (one, _, _), (two, _, _) = (b.interval(name, "energy in mask") for b in (board, other_board))
    gain[name] = two - one
    print(f"{name}: energy in mask {one:.2f} on Lite0, {two:.2f} on CourseNet")
ck.claim("deconvnet: energy that it gains by pooling", gain["deconvnet"], above=0.05)
ck.claim("and the most that another rule gains", max(g for n, g in gain.items() if n != "deconvnet"), below=0.05)
ck.claim("relevance on CourseNet: energy in mask", other_board.interval("relevance", "energy in mask")[0], above=0.55)
absent = torch.randint(1000, (24,), generator=torch.Generator().manual_seed(6))
of_absent = ck.mask_energy(named["relevance"](model, pooled.images, absent), pooled.masks).mean()
ck.claim("the same, asked for a class drawn at random", of_absent, above=0.4)
sized = named["relevance"](model, pooled.images, pooled.targets).abs()
by_red = other_board.interval("relevance", "ranking AUC")[0]
ck.claim(
    "relevance, red and blue by size: ranking AUC gains",
    ck.ranking_auc(sized, pooled.masks).mean() - by_red,
    above=0.05,
)
auc = by_red - other_board.interval("centre", "ranking AUC")[0]
ck.claim("relevance above the blob in the middle: ranking AUC", auc, below=0)

# %% [markdown] id="swap-read" slideshow={"slide_type": "skip"}
# The deconvnet: with switches it has the photograph back, and its map finds the object better than on Lite0, though no better than the blob (ranking 0.74 against 0.81). Relevance leads in energy, guided in ranking;
# as a ranking of all pixels the red part of relevance is below the blob in the middle here, because the blue pixels are tied at 0. By size it is level with the blob.
#
# And the control: asked for *any* class, relevance puts nearly as much energy on the object. So this score says that a map is on the object. It cannot say that the map is about the class.

# %% [markdown] id="exercises-title" slideshow={"slide_type": "skip"}
# ## Exercises
#
# | | what you do | difficulty | minutes |
# |---|---|---|---|
# | 05.1 | three rules for one ReLU | ★ | 5 |
# | 05.2 | catch a map before an in-place ReLU | ★★ | 10 |
# | 05.3 | unpool by switches | ★★ | 10 |
# | 05.4 | guided backpropagation with one hook | ★★★ | 20 |
# | 05.5 | two networks, one question | ★★ | 10 |
# | 05.6 | the best nine, no object twice | ★ | 5 |
# | 05.7 | the shares of a linear layer | ★★ | 10 |
# | 05.8 | the γ-rule | ★★ | 10 |
#
# Each check says ✓, or which mistake it has recognised. Get one wrong on purpose and see.

# %% [markdown] id="e1-card"
# ### Exercise 05.1 · Three rules
# *★ · 5 minutes.* `z` went into a ReLU, `g` comes back from above; `rule` is `"gradient"`, `"deconvnet"` or `"guided"`. Return the signal below the ReLU.
# **You will probably** let a signal pass where $z$ is exactly 0, or forget one of the two masks of *guided*.


# %% id="e1-starter"
def back(z, g, rule):
    return ...


# %% id="e1-solution" jupyter={"source_hidden": true} tags=["solution"]
def back(z, g, rule):
    signal = g.clone()
    if rule in ("gradient", "guided"):
        signal[z <= 0] = 0
    if rule in ("deconvnet", "guided"):
        signal[g < 0] = 0
    return signal


# %% id="e1-check"
ck.check("05.1", back)

# %% [markdown] id="e2-card"
# ### Exercise 05.2 · Before the ReLU
# *★★ · 10 minutes.* In this network each ReLU works **in place**: it writes its result over its input. `convolution` is one of its modules, an `nn.Conv2d`. Return what it
# gives for `image`, (1, C, H, W), **before** the ReLU that follows it. Use `register_forward_hook`, and leave the network as you found it, its `inplace` flags too.
# **You will probably** get a map without a single negative number.


# %% id="e2-starter"
def before_relu(model, convolution, image):
    return ...


# %% id="e2-solution" jupyter={"source_hidden": true} tags=["solution"]
def before_relu(model, convolution, image):
    kept = []
    handle = convolution.register_forward_hook(lambda module, inputs, output: kept.append(output.clone()))
    try:
        model(image)
    finally:
        handle.remove()
    return kept[0]


# %% id="e2-check"
ck.check("05.2", before_relu)

# %% [markdown] id="e3-card"
# ### Exercise 05.3 · Unpool
# *★★ · 10 minutes.* `signal` (h, w) comes back to a max-pooling. `places` (h, w) holds for each window the place of its maximum, counted row by row over the whole map, as
# `F.max_pool2d(…, return_indices=True)` gives it. Return the unpooled signal (height, width). Windows may overlap: go row by row; the last window wins.
# **You will probably** add up where windows share a place.


# %% id="e3-starter"
def unpool(signal, places, height, width):
    return ...


# %% id="e3-solution" jupyter={"source_hidden": true} tags=["solution"]
def unpool(signal, places, height, width):
    unpooled = torch.zeros(height, width)
    for row in range(signal.shape[0]):
        for column in range(signal.shape[1]):
            place = places[row, column].item()
            unpooled[place // width, place % width] = signal[row, column]
    return unpooled


# %% id="e3-check"
ck.check("05.3", unpool)

# %% [markdown] id="e4-card"
# ### Exercise 05.4 · Guided backpropagation with one hook
# *★★★ · 20 minutes.* Autograd already does $g \cdot [z > 0]$. So only $[g > 0]$ is missing: `h.register_hook(function)` on the tensor `h` that a ReLU gives lets you change the signal
# that arrives there. `model.module` is a sequence of layers with in-place ReLUs; normalise by `model.mean` and `model.std`. Return the map (1, 3, H, W) for the class `target`.
# **You will probably** rectify the final gradient instead of the signals on the way.


# %% id="e4-starter"
def guided(model, image, target):
    return ...


# %% id="e4-solution" jupyter={"source_hidden": true} tags=["solution"]
def guided(model, image, target):
    pixels = image.clone().requires_grad_()
    h = (pixels - model.mean) / model.std
    for layer in model.module:
        h = layer(h)
        if isinstance(layer, nn.ReLU):
            h.register_hook(lambda arriving: arriving.clamp(min=0))
    h[0, target].backward()
    return pixels.grad


# %% id="e4-check"
ck.check("05.4", guided)

# %% [markdown] id="e5-card"
# ### Exercise 05.5 · Two networks, one question
# *★★ · 10 minutes.* Do two networks draw the same map? Return the cosine between `ck.guided_backprop` of `trained` and of `changed` on `image`, one number, **for the class that `trained` finds most probable**.
# **You will probably** leave the target to each network; then you compare answers to two different questions. Lab 14 needs this.


# %% id="e5-starter"
def agreement(trained, changed, image):
    return ...


# %% id="e5-solution" jupyter={"source_hidden": true} tags=["solution"]
def agreement(trained, changed, image):
    seen = trained(image).argmax().item()
    one, two = (ck.guided_backprop(network, image, seen).flatten() for network in (trained, changed))
    return (one @ two) / (one.norm() * two.norm())


# %% id="e5-check"
ck.check("05.5", agreement)

# %% [markdown] id="e6-card"
# ### Exercise 05.6 · The best nine, no object twice
# *★ · 5 minutes.* `answers` (N,) is what a channel answers to N pictures, `objects` is a list of what each shows. Return the indices of the `k` pictures with the strongest
# answers, strongest first, with no object twice: of each object its strongest picture.
# **You will probably** take the k best first, and throw the double ones away afterwards. Then fewer than k are left.


# %% id="e6-starter"
def best_indices(answers, objects, k):
    return ...


# %% id="e6-solution" jupyter={"source_hidden": true} tags=["solution"]
def best_indices(answers, objects, k):
    best = {}
    for i in answers.argsort(descending=True).tolist():
        best.setdefault(objects[i], i)
    return list(best.values())[:k]


# %% id="e6-check"
ck.check("05.6", best_indices)

# %% [markdown] id="e7-card"
# ### Exercise 05.7 · The shares of a linear layer
# *★★ · 10 minutes.* A linear layer has inputs `a` (n,), weights `w` (m, n) and biases `b` (m,). Its outputs got the relevance `R` (m,). Return what the ε-rule gives to
# the inputs, (n,). A matrix product is enough; no loop, no gradient.
# **You will probably** add ε to a negative z with the wrong sign, which makes the denominator small.


# %% id="e7-starter"
def linear_shares(a, w, b, R, epsilon):
    return ...


# %% id="e7-solution" jupyter={"source_hidden": true} tags=["solution"]
def linear_shares(a, w, b, R, epsilon):
    z = w @ a + b
    return a * (w.T @ (R / (z + epsilon * z.sign())))


# %% id="e7-check"
ck.check("05.7", linear_shares)

# %% [markdown] id="e8-card"
# ### Exercise 05.8 · The γ-rule
# *★★ · 10 minutes.* The same layer by the γ-rule with ε = 0. The inputs are at least 0, and relevance came only to outputs with z > 0. Return the shares of the inputs, (n,).
# **You will probably** forget the biases, or divide by the z of the unchanged weights. Add up the shares and what the biases take: is it the sum of R?


# %% id="e8-starter"
def gamma_shares(a, w, b, R, gamma):
    return ...


# %% id="e8-solution" jupyter={"source_hidden": true} tags=["solution"]
def gamma_shares(a, w, b, R, gamma):
    w, b = w + gamma * w.clamp(min=0), b + gamma * b.clamp(min=0)
    return a * (w.T @ (R / (w @ a + b)))


# %% id="e8-check"
ck.check("05.8", gamma_shares)

# %% [markdown] id="recap" slideshow={"slide_type": "slide"}
# ## Recap
#
# - A deconvnet is the network run backwards: transposed filters, rectified signals, switches. Its fine lines come from the switches, so from the photograph.
# - Gradient, deconvnet and guided backpropagation differ in one line: which signals pass a ReLU, by $[z > 0]$, by $[g > 0]$, or by both. As
#   explanations of a class the last two fail: ask for another class, and (almost) nothing moves.
# - LRP hands on a sum instead of masking it. Of two objects it finds the one that you ask for. For a class that is not in the picture it
#   often turns its sign only: look at the size of the cosine, and at more than one class.

# %% [markdown] id="quiz" slideshow={"slide_type": "skip"}
# ## Quiz
#
# 1. At a ReLU, z = −2 and g = 5. What do the three rules pass on?
# <details><summary>Answer</summary>Gradient 0, deconvnet 5, guided 0.</details>
#
# 2. Why does the deconvnet fail on EfficientNet-Lite0, and guided backpropagation not?
# <details><summary>Answer</summary>Without max-pooling there are no switches, so nothing of the photograph enters the deconvnet's way down. Guided backpropagation has the forward masks z > 0.</details>
#
# 3. A friend shows you a sharp guided map of a dog, titled "why the network said dog". What do you ask for?
# <details><summary>Answer</summary>The same map for another class, and a number for how much they differ. It will probably be the same dog.</details>
#
# 4. A map's cosine with another class's map is 0 on average over 16 pictures. Is it another map?
# <details><summary>Answer</summary>Perhaps not: +0.9 on half of the pictures and −0.9 on the others make 0, too. Look at the size of each cosine, and at the magnitudes. And noise also scores 0.</details>

# %% [markdown] id="reading" slideshow={"slide_type": "skip"}
# ## Further reading
#
# - M. D. Zeiler, R. Fergus. *Visualizing and understanding convolutional networks.* ECCV 2014. Figures 2 and 4.
# - J. T. Springenberg, A. Dosovitskiy, T. Brox, M. Riedmiller. *Striving for simplicity: the all convolutional net.* ICLR workshop 2015. Figures 1 and 3.
# - S. Bach, A. Binder, G. Montavon, F. Klauschen, K.-R. Müller, W. Samek. *On pixel-wise explanations for non-linear classifier decisions by layer-wise relevance propagation.* PLoS ONE 2015.
# - G. Montavon, A. Binder, S. Lapuschkin, W. Samek, K.-R. Müller. *Layer-wise relevance propagation: an overview.* In: Explainable AI, Springer 2019, chapter 10.
# - A. Mahendran, A. Vedaldi. *Salient deconvolutional networks.* ECCV 2016.
# - W. Nie, Y. Zhang, A. Patel. *A theoretical explanation for perplexing behaviors of backpropagation-based visualizations.* ICML 2018.
# - J. Adebayo et al. *Sanity checks for saliency maps.* NeurIPS 2018. Changes the weights instead of the class; see lab 14.
# - L. Sixt, M. Granz, T. Landgraf. *When explanations lie: why many modified BP attributions fail.* ICML 2020.
#
# **Next:** lab 06 stops halfway down, at the last feature maps, and gets maps that change with the class.
