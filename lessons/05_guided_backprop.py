# %% [markdown] id="title" slideshow={"slide_type": "slide"}
# # 05 · Guided backpropagation
# ### Three rules for one ReLU, and pictures that are almost too beautiful
#
# After this lab you will be able to
#
# - run a network backwards by hand: transposed filters, rectified signals, switches,
# - write gradient, deconvnet and guided backpropagation as three rules for one ReLU,
# - show what excites a channel, and what of the picture its answer rests on,
# - say why guided backpropagation is sharp, and measure how little it knows about the class.

# %% [markdown] id="contract" slideshow={"slide_type": "skip"}
# **First do** lab 04: this lab bends the gradient that you met there. Lab 01 introduces CourseNet.
#
# **Run time** about 60 s on two CPU cores; a few seconds on a GPU. **Memory** about 2 GB.
#
# **How to read a lab.** Before each figure there is a *predict first* line. Write your guess on paper. A wrong guess
# that you wrote down teaches you more than a right one that you only thought.

# %% id="install" jupyter={"source_hidden": true} slideshow={"slide_type": "skip"}
from importlib.util import find_spec

if find_spec("coursekit") is None:  # on Colab, Kaggle, or in another environment than the course's own
    print("coursekit is missing here: copy coursekit-*.whl beside this notebook (README.md says how to make it),")
    print("run  %pip install coursekit-*.whl  in a cell, and restart the kernel.")

# %% id="setup"
import torch
import torch.nn.functional as F
from torch import nn

import coursekit as ck

ck.setup(seed=0)
model = ck.load_model("coursenet")  # max-pooling, as in AlexNet
lite = ck.load_model("efficientnet_lite0")  # no pooling but the last average
cat = ck.load_image("chelsea", size=model.input_size)
egyptian = model.labels.index("Egyptian cat")

# %% [markdown] id="question" slideshow={"slide_type": "slide"}
# ## The question
#
# A and B go back from the same score of the same network, *Egyptian cat*. Only one line of the backward pass differs. C is an edge
# detector, made without any network.
#
# **Predict first.** Which of the three knows something about cats?

# %% id="first-look" slideshow={"slide_type": "-"} tags=["gallery"]
first = [ck.input_gradient(model, cat, egyptian), ck.guided_backprop(model, cat, egyptian)]
edges = ck.edge_map(model, cat)
ck.show_images(
    [cat, *map(ck.signal_pictures, first), 3 * edges], ["image", "A: gradient", "B: guided backprop.", "C: edges"]
)

# %% [markdown] id="question-read" slideshow={"slide_type": "skip"}
# B looks as if the network had drawn the cat. Keep your answer; at the end of the lab you will have measured it.
#
# **How to read these pictures.** They have three colours and a sign. Grey is 0. A bright dot says "brighter here", a dark
# one "darker here", a red one "more red". Each picture is scaled on its own, so compare shapes, not brightness.

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
# Zeiler & Fergus, *Visualizing and understanding convolutional networks*, ECCV 2014, section 2.1. They call it a **deconvnet**.

# %% [markdown] id="forwards-text" slideshow={"slide_type": "skip"}
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
# ## The whole method


# %% id="readable" slideshow={"slide_type": "-"} tags=["show-code"]
def backwards(model, g, way):
    for part, size, switches in reversed(way):
        if isinstance(part, nn.Conv2d):  # transpose the filters
            more = part.stride[0] - 1  # a stride of 2 has rounded the size down
            g = F.conv_transpose2d(g, part.weight, None, part.stride, part.padding, more)
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
print("my deconvnet and ck.deconvnet give the same picture")

# %% [markdown] id="map-title" slideshow={"slide_type": "slide"}
# ## What one neuron answered to
#
# The strongest neuron of the most active channel, in three layers. The box is all that the neuron can see.
#
# **Predict first.** Will the picture fill the box?

# %% id="map" slideshow={"slide_type": "-"}
neurons = {}
for layer in ("relu3", "relu4", "relu5"):
    maps, way = forwards(model, cat, layer)
    neurons[layer] = maps[0].amax((1, 2)).argmax().item()
targets = {layer: ck.unit(layer, k, position="max") for layer, k in neurons.items()}
signals = {layer: ck.deconvnet(model, cat, target) for layer, target in targets.items()}
boxes = [ck.top_patches(model, cat, layer, k, k=1).boxes[0] for layer, k in neurons.items()]
ck.show_images(
    [cat, *map(ck.signal_pictures, signals.values())],
    ["image", *(f"{layer}, channel {k}" for layer, k in neurons.items())],
    boxes=[(0, 0, 0, 0), *boxes],
)

# %% id="map-claim"
inside = []
for signal, (top, left, height, width) in zip(signals.values(), boxes, strict=True):
    rest = signal.clone()
    rest[:, :, max(top, 0) : top + height, max(left, 0) : left + width] = 0
    inside.append(rest.abs().max().item() == 0)
print("outside its receptive field each picture is exactly 0:", all(inside))

# %% [markdown] id="map-read" slideshow={"slide_type": "skip"}
# You recognise the piece of the cat, with its edges in the right places. It is tempting to say: *this is what the neuron
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
ways = {"cat's switches": way}
for name in ("coffee", "page"):
    ways[f"{name}'s switches"] = forwards(model, ck.load_image(name, size=model.input_size), "relu5")[1]
ways["no switches"] = [(part, size, None) for part, size, _ in way]
one = [backwards(model, one_at_the_strongest(maps, channel), way) for way in ways.values()]
every = [backwards(model, maps, way) for way in ways.values()]
ck.show_images([*map(ck.signal_pictures, one + every)], list(ways))

# %% id="switch-claim"
swapped = [F.cosine_similarity(every[0].flatten(), other.flatten(), dim=0).item() for other in every[1:3]]
print("the cat's activations, own switches against those of coffee and page: cosine below 0.3:", max(swapped) < 0.3)

# %% [markdown] id="switch-read" slideshow={"slide_type": "skip"}
# The cat's activations write the page's text; you can read *segmentation*. So the fine lines come from the **switches**, that is from
# the picture itself and not from what the neurons said. What the neurons add is where to look, and which colours and directions to favour: you see that
# without switches, as a blur. (Mahendran & Vedaldi, *Salient deconvolutional networks*, ECCV 2016, found the same in AlexNet and VGG.)

# %% [markdown] id="overlap-title" slideshow={"slide_type": "slide"}
# ## Windows that overlap
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
overwritten = F.max_unpool2d(four, places, 3, 2, output_size=(5, 5))
print("autograd:", added[0, 0, 2, 2].item(), " switches:", overwritten[0, 0, 2, 2].item())
both = [ck.deconvnet(model, cat, targets["relu5"], pooling=pooling) for pooling in ("switches", "autograd")]
print("without overlap, as in CourseNet, both are the same:", torch.allclose(*both))

# %% id="overlap" slideshow={"slide_type": "-"} tags=["nbval-ignore-output"]
trained = ck.is_available("alexnet")
alexnet = ck.load_model("alexnet") if trained else ck.random_model("alexnet", seed=0)
print("AlexNet here:", alexnet.source)
large = ck.load_image("chelsea", size=224)
with ck.capture(alexnet, ["relu1", "relu5"]) as maps, torch.no_grad():
    alexnet(large)
strongest = ck.unit("relu5", maps["relu5"][0].amax((1, 2)).argmax().item(), position="max")
by = {pooling: ck.deconvnet(alexnet, large, strongest, pooling=pooling) for pooling in ("switches", "autograd")}
ck.show_images(
    [large, *map(ck.signal_pictures, [*by.values(), by["autograd"] - by["switches"]])],
    ["image", *by, "their difference"],
)

# %% id="overlap-claim"
_, places = F.max_pool2d(maps["relu1"], 3, 2, return_indices=True)
distinct = sum(len(row.unique()) for row in places.flatten(0, 1).flatten(1))
print("more than a tenth of the windows of pool1 lose their signal to another one:", distinct < 0.9 * places.numel())
cosine = F.cosine_similarity(by["switches"].flatten(), by["autograd"].flatten(), dim=0).item()
print("the two pictures of AlexNet have a cosine below 0.9:", cosine < 0.9)

# %% [markdown] id="overlap-read" slideshow={"slide_type": "skip"}
# If the cell says *random weights*, the trained AlexNet is not on this machine: the picture then means nothing, but the
# difference is real, because it comes from the pooling. Fetch the trained one with `coursekit fetch alexnet`.
#
# Zeiler & Fergus used switches. Many programs call "deconvnet" what autograd gives with another ReLU. On networks with
# overlapping windows that is another picture, so say which one you show: `ck.deconvnet(…, pooling="autograd")`.

# %% [markdown] id="nine-title" slideshow={"slide_type": "slide"}
# ## What excites a channel: layers 1 to 3
#
# **Predict first.** In which layer are all nine pictures of a channel the same?

# %% [markdown] id="nine-text" slideshow={"slide_type": "skip"}
# For each channel the nine patches with the strongest answers, one from each picture, and beside them what the deconvnet makes of their
# neurons. Both are cut to the receptive field, as in figure 2 of Zeiler & Fergus.

# %% id="pool"
names = list(ck.cutouts("labelled"))
scenes = ck.scenes(2 * len(names), objects=names, seed=1, size=model.input_size, background="photograph")
photographs = torch.cat([ck.load_image(name, size=model.input_size) for name in ck.photographs()])
pool = torch.cat([scenes.images, photographs])
print(scenes, "and", len(photographs), "photographs")


# each channel's largest activation on each picture of the pool: layer -> (pictures, channels)
answers = ck.activations(model, pool, [f"relu{n}" for n in range(1, 6)], reduce="max")
picky = {}  # for each layer the channels whose best nine answers stand out most
for layer, peaks in answers.items():
    usual = peaks.mean(0)
    picky[layer] = (peaks.topk(9, 0).values.mean(0) / usual.clamp(min=0.1 * usual.mean())).argsort(descending=True)


# %% id="nine-code"
def best_patches(layer, channel, k, method=ck.deconvnet):
    """The patches and the pictures of their neurons, each as one mosaic."""
    best = pool[answers[layer][:, channel].topk(k).indices]
    top = ck.top_patches(model, best, layer, channel, k=k)
    pictures = top.crop(ck.signal_pictures(method(model, best[top.images], ck.unit(layer, channel, position="max"))))
    zoom = max(1, 90 // top.patches.shape[-1])
    return [ck.mosaic(tiles, columns=int(k**0.5), zoom=zoom, gap=4) for tiles in (top.patches, pictures)]


def show_best(layers, k, method=ck.deconvnet, channels=slice(0, 3)):
    panels, titles = [], []
    for layer in layers:
        for channel in picky[layer][channels].tolist():
            panels += best_patches(layer, channel, k, method)
            titles += [f"{layer}, {channel}", "pictures"]
    return ck.show_images(panels, titles, columns=6)


# %% id="nine-low" slideshow={"slide_type": "-"}
show_best(["relu1", "relu2", "relu3"], 9)

# %% [markdown] id="nine-low-read" slideshow={"slide_type": "skip"}
# In layer 1 all nine are the same: there is no switch and no other ReLU on the way, so the deconvnet gives the **filter itself**, whatever
# the patch. From layer 2 on the pictures differ, because the switches of each patch differ.

# %% id="nine-claim"
k = picky["relu1"][0].item()
top = ck.top_patches(model, pool[answers["relu1"][:, k].topk(9).indices], "relu1", k, k=9)
inner = ck.deconvnet(model, cat, ck.unit("relu1", k, position=(30, 30)))[0, :, 57:64, 57:64]
filter_itself = model.layer("conv1").weight[k].cpu() / model.std[0].cpu()
print("in layer 1 the picture is the filter:", torch.allclose(inner, filter_itself, atol=1e-5))

# %% [markdown] id="nine-high-title" slideshow={"slide_type": "subslide"}
# ### Layers 4 and 5
#
# **Predict first.** Will the nine patches of one channel show one kind of thing?

# %% id="nine-high" slideshow={"slide_type": "-"} tags=["gallery"]
show_best(["relu4", "relu5"], 9)

# %% [markdown] id="nine-high-read" slideshow={"slide_type": "skip"}
# The patches vary much more than the pictures. That is the good use of this method: nine different things, and the
# pictures say what they share *for this channel*: a colour, a round outline, a stripe. Look for the background in
# the patches; the pictures leave most of it out.
#
# The channels were chosen by a rule: those whose nine best answers stand out most from their mean answer. The
# pool is small and holds few kinds of things, so "what excites it most" means *most among these pictures*.

# %% [markdown] id="training-title" slideshow={"slide_type": "slide"}
# ## Features through training
#
# The deconvnet picture of a channel's strongest answer, early (left) to late (right); one row for each channel.
#
# **Predict first.** Which layer looks finished first?

# %% id="training" slideshow={"slide_type": "-"}
history = ck.training_history()
steps = [step for step, kept in history.items() if "conv5" in kept]
moments = {step: ck.coursenet_at(step) for step in steps[:-1]} | {steps[-1]: model}
layers = ["relu2", "relu3", "relu4", "relu5"]
winners = {layer: [] for layer in layers}  # which picture is each channel's strongest, by moment
rows = {layer: [] for layer in layers}
for network in moments.values():
    now = ck.activations(network, pool, layers, reduce="max") if network is not model else answers
    for layer in layers:
        winners[layer].append(now[layer].argmax(0))
        for feature in picky[layer][3:7].tolist():
            best = pool[winners[layer][-1][feature], None]
            there = ck.unit(layer, feature, position="max")
            patch = ck.top_patches(network, best, layer, feature, k=1)
            rows[layer].append(patch.crop(ck.signal_pictures(ck.deconvnet(network, best, there)))[0])
strips = []
for layer in layers:
    by_channel = torch.stack(rows[layer]).unflatten(0, (len(moments), 4)).transpose(0, 1).flatten(0, 1)
    strips.append(ck.mosaic(by_channel, columns=len(moments), zoom=max(1, 120 // by_channel.shape[-1]), gap=4))
ck.show_images(strips, layers)

# %% id="training-claim" slideshow={"slide_type": "-"}
print("columns: after", ", ".join(f"{step:,}" for step in steps), "steps")
late, end = (history[step] for step in steps[-2:])
near = {name: F.cosine_similarity(late[name].flatten(), end[name].flatten(), dim=0).item() for name in end}
print(
    "before the last column conv1 is nearer to its end than conv5, by more than 0.05:",
    near["conv1"] > near["conv5"] + 0.05,
)
same = {layer: (best[-1] == best[-2]).float().mean().item() for layer, best in winners.items()}
print("between the last two columns most channels of relu5 change their favourite picture:", same["relu5"] < 0.5)

# %% [markdown] id="training-read" slideshow={"slide_type": "skip"}
# The lower layers look finished earlier, as in Zeiler & Fergus's figure 4, and the weights say the same. Upper channels still jump: a small
# change of the weights makes another picture the strongest one, and the row shows something new.
#
# Look at the first column of relu4 and relu5: here and there the outline of a football or of bricks, drawn by a network that has learned almost nothing.
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

# %% [markdown] id="rule-code-title" slideshow={"slide_type": "slide"}
# ## The three rules in code


# %% id="rule-readable" slideshow={"slide_type": "-"} tags=["show-code"]
class Rule(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, rule):
        ctx.rule = rule
        ctx.save_for_backward(z)
        return z.clamp(min=0)

    @staticmethod
    def backward(ctx, g):
        (z,) = ctx.saved_tensors
        masks = {"backprop": z > 0, "deconvnet": g > 0, "guided": (z > 0) & (g > 0)}
        return g * masks[ctx.rule], None


def my_picture(model, image, target, rule):
    x = image.clone().requires_grad_()
    h = (x.to(model.device) - model.mean) / model.std
    for part in model.module:
        h = Rule.apply(h, rule) if isinstance(part, nn.ReLU) else part(h)
    return torch.autograd.grad(h[0, target], x)[0]


# %% id="rule-same"
z = torch.tensor([[1.0, -1, 5], [2, -5, -7], [-3, 2, 4]], requires_grad=True)
g = torch.tensor([[-2.0, 3, -1], [6, -3, 1], [2, -1, 3]])
rules = {"backprop": ck.input_gradient, "deconvnet": ck.deconvnet, "guided": ck.guided_backprop}
for rule, method in rules.items():
    with ck.relu_rule(relu := nn.ReLU(), rule):
        output = relu(z)
    assert torch.equal(torch.autograd.grad(output, z, g)[0], torch.autograd.grad(Rule.apply(z, rule), z, g)[0])
    theirs = method(model, cat, egyptian)
    assert torch.allclose(my_picture(model, cat, egyptian, rule), theirs, atol=1e-4 * theirs.abs().max().item())
    print(f"{rule}: the same nine numbers, and the same picture of the cat")

# %% [markdown] id="real-title" slideshow={"slide_type": "slide"}
# ## The real network, with pooling
#
# The class *Egyptian cat* in CourseNet, by all three rules.
#
# **Predict first.** Which two of the three will look alike?

# %% id="real" slideshow={"slide_type": "-"}
of_class = {rule: method(model, cat, egyptian) for rule, method in rules.items()}
ck.show_images([cat, *map(ck.signal_pictures, of_class.values())], ["image", *rules])

# %% id="real-claim"


def cosine(a, b):
    return F.cosine_similarity(a.flatten(1), b.flatten(1)).mean().item()


print(
    "deconvnet and guided are more alike than either is like the gradient:",
    cosine(of_class["deconvnet"], of_class["guided"])
    > max(cosine(of_class["backprop"], of_class[rule]) for rule in ("deconvnet", "guided")),
)

# %% [markdown] id="real-read" slideshow={"slide_type": "skip"}
# With max-pooling, the deconvnet knows the picture through its switches. Guided backpropagation knows it twice: through the
# switches and through the forward masks $[z > 0]$. What if there are no switches at all?

# %% [markdown] id="nopool-title" slideshow={"slide_type": "slide"}
# ## A network without pooling
#
# EfficientNet-Lite0 makes its maps smaller by convolutions with stride 2. It has no switches.
#
# **Predict first.** Which of the three rules will fail?

# %% id="nopool" slideshow={"slide_type": "-"} tags=["gallery"]
rocket = ck.load_image("rocket", size=224)
asked = {"cat": (large, egyptian), "rocket": (rocket, lite.labels.index("missile"))}
lite_pictures = {f"{rule}: {what}": method(lite, *asked[what]) for rule, method in rules.items() for what in asked}
ck.show_images([*map(ck.signal_pictures, lite_pictures.values())], list(lite_pictures), columns=6)

# %% id="nopool-claim"
cat_and_rocket = {rule: cosine(lite_pictures[f"{rule}: cat"], lite_pictures[f"{rule}: rocket"]) for rule in rules}
print("deconvnet: the cat's and the rocket's pictures have a cosine above 0.99:", cat_and_rocket["deconvnet"] > 0.99)
print("guided: below 0.3:", cat_and_rocket["guided"] < 0.3)

# %% [markdown] id="nopool-read" slideshow={"slide_type": "skip"}
# Without switches **nothing of the picture** enters the deconvnet's way down: neither $z$ nor a place of a maximum. It paints the
# same cloth for a cat and a rocket. This is the reason why Springenberg et al. added the forward mask. The name says
# it: the way down is *guided* by what the ReLUs saw on the way up.

# %% [markdown] id="crops-title" slideshow={"slide_type": "slide"}
# ## Guided backpropagation, with the corresponding crops
#
# As in figure 3 of Springenberg et al.: the four strongest patches of a channel, and what guided backpropagation makes of them.
#
# **Predict first.** Can you tell the object from the picture alone? Cover the crops with your hand.

# %% id="crops" slideshow={"slide_type": "-"}
show_best(["relu3", "relu4", "relu5"], 4, ck.guided_backprop, slice(4, 5))

# %% [markdown] id="crops-read" slideshow={"slide_type": "skip"}
# Sometimes you can: the candle flame, the grasshopper. The pictures keep outline and colour of the part that counts and drop the rest. As a tool to say *where* and *what kind of
# pattern* for an inner neuron, this is hard to beat.

# %% [markdown] id="explorer-title"
# ### Your turn
#
# A neuron that likes the cat's nose, by all three rules. Go through the layers and channels. Upload a picture of your own. The box is the receptive field of the strongest neuron, and the three
# pictures are cut to it.

# %% id="explorer"
ck.explore_backward(model, layer="relu4", channel=neurons["relu4"])

# %% [markdown] id="target-title" slideshow={"slide_type": "slide"}
# ## Now change the class
#
# A zebra and a broccoli. We ask for *zebra*, for *broccoli*, and for *palace*, which is nowhere.
#
# **Predict first.** What will guided backpropagation show for the palace?

# %% id="target" slideshow={"slide_type": "-"} tags=["gallery"]
scene = ck.load_scene(["zebra", "broccoli"], background="plain", seed=1)
classes = scene.targets | {"palace": lite.labels.index("palace")}
panels, titles, changed = [], [], {}
for rule in ("backprop", "guided"):
    changed[rule] = [rules[rule](lite, scene.image, t) for t in classes.values()]
    panels += [scene.image, *map(ck.signal_pictures, changed[rule])]
    titles += [f"{rule}:", *classes]
ck.show_images(panels, titles)

# %% id="target-claim"
print("zebra and palace, guided: cosine above 0.9:", cosine(changed["guided"][0], changed["guided"][2]) > 0.9)
print("zebra and palace, gradient: below 0.3:", abs(cosine(changed["backprop"][0], changed["backprop"][2])) < 0.3)

# %% [markdown] id="target-read" slideshow={"slide_type": "skip"}
# The palace looks like a zebra with a broccoli. If you had seen only one of these pictures, with the title *zebra*, you
# would have believed that the network told you where the zebra is. A look at one picture cannot tell. A second class can.

# %% [markdown] id="measure-title" slideshow={"slide_type": "subslide"}
# ### One number for "nothing moves"
#
# The cosine of two maps of one rule: the same picture for **another class**, and the same question for **another picture**. A map that explains
# the class should score low in both.

# %% id="measure" slideshow={"slide_type": "-"}
sixteen = list(ck.cutouts("core"))[:64:4]
random_classes = torch.randint(1000, (16,), generator=torch.Generator().manual_seed(0))
moved, panels = {}, {}
for name, network in {"Lite0": lite, "CourseNet": model}.items():
    single = ck.scenes(16, objects=sixteen, seed=5, size=network.input_size)
    of_true = {rule: method(network, single.images, single.targets).flatten(1) for rule, method in rules.items()}
    of_other = {rule: method(network, single.images, random_classes).flatten(1) for rule, method in rules.items()}
    for what, others in (
        ("another class", of_other),
        ("another picture", {r: m.roll(1, 0) for r, m in of_true.items()}),
    ):
        panels[f"{name}: {what}"] = {
            rule: ck.bootstrap_interval(F.cosine_similarity(of_true[rule], others[rule]), single.objects)
            for rule in rules
        }
moved = {title: {rule: interval[0] for rule, interval in panel.items()} for title, panel in panels.items()}
ck.show_dots(panels, columns=2, limits=(-0.3, 1.05))

# %% id="measure-claim"
print("Lite0, another class: guided above 0.99:", moved["Lite0: another class"]["guided"] > 0.99)
print("CourseNet, another class: guided above 0.85:", moved["CourseNet: another class"]["guided"] > 0.85)
print(
    "the gradient stays below 0.2 on both:",
    all(abs(moved[f"{n}: another class"]["backprop"]) < 0.2 for n in ("Lite0", "CourseNet")),
)
print("Lite0's deconvnet does not even see the picture:", moved["Lite0: another picture"]["deconvnet"] > 0.99)

# %% [markdown] id="measure-read" slideshow={"slide_type": "skip"}
# Each scene shows one of 16 objects, and the other class is drawn at random. Guided backpropagation depends on the picture, not
# on the class. Back to the first question, *which one knows more about cats?* The noisy gradient: it is the only one of the three that becomes
# another picture when you ask for something else.

# %% [markdown] id="why-title" slideshow={"slide_type": "slide"}
# ## Why is it sharp, and why the same for all?
#
# On the way down we compare the signals of eight classes, block by block.
#
# **Predict first.** After how many of the 16 blocks do they agree?

# %% id="why" slideshow={"slide_type": "-"}
blocks = [layer for layer in lite.layers if layer.startswith("block")]
eight = torch.randint(1000, (8,), generator=torch.Generator().manual_seed(1)).tolist()
agree = {}
for rule in rules:
    x = large.clone().requires_grad_()
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
    xlabel="blocks passed on the way down (16: the picture)",
    ylabel="mean cosine of 8 classes",
)

# %% id="why-claim"
print("guided: after six blocks the eight classes agree to more than 0.98:", agree["guided"][6] > 0.98)
print("the gradient keeps them apart, below 0.1 everywhere:", max(map(abs, agree["backprop"])) < 0.1)

# %% [markdown] id="why-read" slideshow={"slide_type": "skip"}
# **The same for all.** The class decides the signal at the top only. Each rule with $[g > 0]$ throws the negative parts away,
# again and again, and what is left is pulled towards one common direction, as repeated multiplication by a positive matrix forgets its start
# (Sixt, Granz & Landgraf, *When explanations lie*, ICML 2020).
#
# **Sharp.** Positive signals cannot cancel, so every path that was active adds to the picture, and the masks $[z > 0]$ and the switches say where
# the picture has edges. In simple networks one can prove that this restores the input picture (Nie, Zhang & Patel, ICML 2018). It is sharp for the
# same reason as an edge detector: it describes the picture.

# %% [markdown] id="silent-text" slideshow={"slide_type": "skip"}
# ### What goes wrong in silence
#
# Many programs change the backward pass of `nn.ReLU` modules only. On a network with ReLU6, with `F.relu`, or with another activation they find
# nothing to change, and return the **plain gradient** under the name of guided backpropagation. `coursekit` covers ReLU and ReLU6 in each form, and refuses all others:

# %% id="silent"
try:
    ck.guided_backprop(ck.random_model("efficientnet_b0"), large)
except ck.UnsupportedActivation as error:
    print(error)

# %% [markdown] id="score-title" slideshow={"slide_type": "slide"}
# ## Score it: does the map lie on the object?
#
# 24 scenes of 24 objects with exact masks. Two scores: the share of the map's energy on the object, and how well the map ranks pixels (1 is perfect, ½
# is chance).
#
# **Predict first.** Will guided backpropagation beat the edge detector?

# %% id="score-board"
two_dozen = list(ck.cutouts("core"))[1:73:3]
named = {"gradient": ck.input_gradient, "deconvnet": ck.deconvnet, "guided": ck.guided_backprop}
board = ck.scoreboard(lite, named, ck.scenes(24, objects=two_dozen, seed=6), curve_scenes=0)

# %% id="score" slideshow={"slide_type": "-"}
board.show(["energy in mask", "ranking AUC"])

# %% id="score-claim" slideshow={"slide_type": "-"}
better = {other: board.difference("guided", other, "ranking AUC")[1] > 0 for other in ("gradient", "edges", "centre")}
print("guided ranks pixels better than", ", ".join(other for other, is_better in better.items() if is_better))
above = board.difference("deconvnet", "chance", "energy in mask")[0]
print("the deconvnet has less than 0.1 more energy on the object than chance:", above < 0.1)

# %% [markdown] id="score-read" slideshow={"slide_type": "skip"}
# A surprise after all that: guided backpropagation is the best of this table, and it beats the edge detector. Its lines are drawn by the picture, but
# *which* lines are strong comes from the network, and the network answers to objects more than to ground. "It explains no class" does not mean
# "it knows nothing". The deconvnet on a network without pooling stays close to
# chance, and far below a blob in the middle of the picture.
#
# But these scenes hold one object each. The score cannot tell *where is the zebra?* from *where is anything?* The next one can.

# %% [markdown] id="two-title" slideshow={"slide_type": "subslide"}
# ### Does it find the object that you asked for?
#
# 16 scenes of two objects, both masks known. Of the map's energy on the two, which share lies on the **left** one? A good map gives nearly 1 when asked for the left one, and
# nearly 0 when asked for the right one.

# %% id="two" slideshow={"slide_type": "-"}
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
shares, alike = {}, {}
for name, method in named.items():
    by_side = {side: method(lite, images, wanted[side]) for side in on_the}
    alike[name] = cosine(by_side["left"], by_side["right"])
    shares[name] = {}
    for side, asked_map in by_side.items():
        energy = {half: (ck.importance(asked_map) * masks[half]).sum((1, 2)) for half in on_the}
        share = energy["left"] / (energy["left"] + energy["right"])
        shares[name][f"asked for the {side} one"] = ck.bootstrap_interval(share, [a for a, _ in couples])
ck.show_dots(shares, columns=1, limits=(0, 1))

# %% id="two-claim"
moves = {
    name: share["asked for the left one"][0] - share["asked for the right one"][0] for name, share in shares.items()
}
print("guided, left against right: cosine above 0.9:", alike["guided"] > 0.9)
print("but the balance moves by more than 0.1, as with the gradient:", min(moves["guided"], moves["gradient"]) > 0.1)
print(
    "asked for the right object, guided still gives about half to the left one:",
    0.4 < shares["guided"]["asked for the right one"][0] < 0.7,
)

# %% [markdown] id="two-read" slideshow={"slide_type": "skip"}
# The lines stay; the cosine says so. What the class leaves behind is a **balance**: the lines of the wanted object become a little
# stronger, too little to see in a picture that is scaled for the eye. None of the three can tell the two objects apart well. Lab 06 has maps that can.

# %% [markdown] id="swap-title" slideshow={"slide_type": "slide"}
# ## Swap the network
#
# The first score again, on CourseNet, which pools. **Predict first.** Which of the three rules gains most?

# %% id="swap-board"
pooled = ck.scenes(24, objects=two_dozen, seed=6, size=model.input_size)
other_board = ck.scoreboard(model, named, pooled, curve_scenes=0)

# %% id="swap" slideshow={"slide_type": "-"}
other_board.show(["energy in mask", "ranking AUC"])

# %% id="swap-claim" slideshow={"slide_type": "-"}
gain = {name: other_board.interval(name, "ranking AUC")[0] - board.interval(name, "ranking AUC")[0] for name in named}
print("the rule that gains most from pooling:", max(gain, key=gain.get))

# %% [markdown] id="swap-read" slideshow={"slide_type": "skip"}
# With switches the deconvnet has the picture back, and its map finds the object better than on Lite0, though as a ranking of pixels the
# blob in the middle still beats it. Guided backpropagation leads again.

# %% [markdown] id="exercises-title" slideshow={"slide_type": "slide"}
# ## Exercises
#
# | | what you do | difficulty | minutes |
# |---|---|---|---|
# | 05.1 | three rules for one ReLU | ★ | 5 |
# | 05.2 | catch a map before an in-place ReLU | ★★ | 10 |
# | 05.3 | unpool by switches | ★★ | 10 |
# | 05.4 | guided backpropagation with one hook | ★★★ | 20 |
# | 05.5 | two networks, one question | ★★ | 10 |
#
# Each check says ✓, or which mistake it has recognised. Get one wrong on purpose and see.

# %% [markdown] id="e1-card"
# ### Exercise 05.1 · Three rules
# *★ · 5 minutes.* `z` went into a ReLU, `g` comes back from above; `rule` is `"backprop"`, `"deconvnet"` or `"guided"`. Return the signal below the ReLU.
# **You will probably** let a signal pass where $z$ is exactly 0, or forget one of the two masks of *guided*.


# %% id="e1-starter"
def back(z, g, rule):
    return ...


# %% id="e1-solution" jupyter={"source_hidden": true} tags=["solution"]
def back(z, g, rule):
    signal = g.clone()
    if rule in ("backprop", "guided"):
        signal[z <= 0] = 0
    if rule in ("deconvnet", "guided"):
        signal[g < 0] = 0
    return signal


# %% id="e1-check"
ck.check("05.1", back)

# %% [markdown] id="e2-card"
# ### Exercise 05.2 · Before the ReLU
# *★★ · 10 minutes.* In this network each ReLU works **in place**: it writes its result over its input. Return what the layer `convolution` of `model` gives for
# `image`, (1, C, H, W), **before** the ReLU that follows it. Use `register_forward_hook`, and leave the network as you found it.
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
# that arrives there. `model.module` is a sequence of layers with in-place ReLUs; normalise by `model.mean` and `model.std`. Return the picture (1, 3, H, W) for the class `target`.
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
# *★★ · 10 minutes.* Do two networks draw the same picture? Return the cosine between `ck.guided_backprop` of `trained` and of `changed` on `image`, one number, **for the class that `trained` finds most probable**.
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

# %% [markdown] id="recap" slideshow={"slide_type": "slide"}
# ## Recap
#
# - A deconvnet is the network run backwards: transposed filters, rectified signals, switches. Its fine lines come from the switches, so from the picture.
# - Gradient, deconvnet and guided backpropagation differ in one line: which signals pass a ReLU, by $[z > 0]$, by $[g > 0]$, or by both.
# - They show well what excites an inner neuron. As explanations of a class they fail: ask for another class, and (almost) nothing moves.

# %% [markdown] id="quiz" slideshow={"slide_type": "slide"}
# ## Quiz
#
# 1. At a ReLU, z = −2 and g = 5. What do the three rules pass on?
# <details><summary>Answer</summary>Gradient 0, deconvnet 5, guided 0.</details>
#
# 2. Why does the deconvnet fail on EfficientNet-Lite0, and guided backpropagation not?
# <details><summary>Answer</summary>Without max-pooling there are no switches, so nothing of the picture enters the deconvnet's way down. Guided backpropagation has the forward masks z > 0.</details>
#
# 3. A friend shows you a sharp guided picture of a dog, titled "why the network said dog". What do you ask for?
# <details><summary>Answer</summary>The same picture for another class, and a number for how much they differ. It will probably be the same dog.</details>
#
# 4. In AlexNet, switches and autograd give different deconvnet pictures; in CourseNet the same. Why?
# <details><summary>Answer</summary>AlexNet's pooling windows overlap, so several can share a maximum: autograd adds their signals, switches keep the last. CourseNet's windows do not overlap.</details>

# %% [markdown] id="reading" slideshow={"slide_type": "slide"}
# ## Further reading
#
# - M. D. Zeiler, R. Fergus. *Visualizing and understanding convolutional networks.* ECCV 2014. Figures 2 and 4.
# - J. T. Springenberg, A. Dosovitskiy, T. Brox, M. Riedmiller. *Striving for simplicity: the all convolutional net.* ICLR workshop 2015. Figures 1 and 3.
# - A. Mahendran, A. Vedaldi. *Salient deconvolutional networks.* ECCV 2016.
# - W. Nie, Y. Zhang, A. Patel. *A theoretical explanation for perplexing behaviors of backpropagation-based visualizations.* ICML 2018.
# - J. Adebayo et al. *Sanity checks for saliency maps.* NeurIPS 2018. Changes the weights instead of the class; see lab 14.
# - L. Sixt, M. Granz, T. Landgraf. *When explanations lie: why many modified BP attributions fail.* ICML 2020.
#
# **Next:** lab 06 stops halfway down, at the last feature maps, and gets maps that do change with the class.
