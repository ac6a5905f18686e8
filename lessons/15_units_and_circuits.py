# %% [markdown] id="title" slideshow={"slide_type": "slide"}
# # 15 · Units and circuits
# ### From a single neuron to a verdict
#
# After this lab you will be able to
#
# - measure what a unit is tuned to, draw it around the circle, and test it on photographs,
# - read weights as excitation and inhibition by place, and prove a circuit by cutting it,
# - draw what a whole layer sees, by its channels and by groups of them,
# - say why many units mean several things at once, and what a filter loss and a shortcut change.

# %% [markdown] id="contract" slideshow={"slide_type": "skip"}
# **First do** labs 01 and 07. Lab 13 helps.
#
# **Run time** about 60 s on one CPU core. **Memory** below 2 GB.

# %% id="install" jupyter={"source_hidden": true} slideshow={"slide_type": "skip"}
from importlib.util import find_spec

if find_spec("coursekit") is None:  # on Colab, Kaggle, or in another environment than the course's own
    print("coursekit is missing here: copy coursekit-*.whl beside this notebook (README.md says how to make it),")
    print("run  %pip install coursekit-*.whl  in a cell, and restart the kernel.")

# %% id="setup"
from collections import OrderedDict
from contextlib import ExitStack

import torch
import torch.nn.functional as F
from torch import nn

import coursekit as ck

ck.setup(seed=0)
model = ck.load_model("efficientnet_lite0")
coursenet = ck.load_model("coursenet")
o = ck.objectives
objects = list(ck.cutouts("core"))[:72]
scenes = ck.scenes(72, objects=objects, seed=3, background="photograph", size=128)

# %% [markdown] id="question" slideshow={"slide_type": "slide"}
# ## The question
#
# Lab 03 asked *where* a network looks, lab 07 *what* a unit wants to see. Now: **how does it work?** Which unit stands for what, and how are units made from units?
#
# Four kinds of evidence, and none is enough alone:
#
# | evidence | asks |
# |---|---|
# | tuning | how does the answer change, when we turn one knob of a stimulus? |
# | pictures | what would the unit like best? |
# | data | what excites it in real pictures? |
# | **cutting** | what is lost without it? |
#
# **Predict first.** A unit in the third layer answers to a small arc like ∩. Does it answer to ∪?

# %% [markdown] id="code-title" slideshow={"slide_type": "slide"}
# ## Tuning, as in physiology
#
# Show arcs of every direction and curvature, and read the peak in the middle of the map (Cammarata et al. 2020; Hubel & Wiesel 1959).


# %% id="readable" slideshow={"slide_type": "-"} tags=["show-code"]
def my_tuning(model, layer, channel, angles, radius):
    answers = []
    for angle in angles:
        arc = ck.stimuli.curve(model.input_size, radius, angle, width=4, length=48)
        shown = torch.cat([arc, 1 - arc])  # dark on light, and light on dark
        ground = torch.stack([torch.ones_like(arc[0]), torch.zeros_like(arc[0])])
        with ck.capture(model, [layer]) as maps, torch.no_grad():
            model(torch.cat([shown, ground]))
        peak = maps[layer][:, channel, 6:11, 6:11].amax((1, 2))  # the middle of 16 × 16
        answers.append((peak[:2] - peak[2:]).clamp(min=0).max())  # above the empty ground
    return torch.stack(answers).cpu()


# %% id="same"
curves = ck.curve_tuning(coursenet, "relu3")
some = curves.angles[::4].tolist()
torch.testing.assert_close(my_tuning(coursenet, "relu3", 57, some, 12), curves.responses[57, 1, ::4])
print("my_tuning and ck.curve_tuning agree")

# %% [markdown] id="arcs-title" slideshow={"slide_type": "slide"}
# ## Arc detectors
#
# The angle says where the arc is hollow: 270° is ∩, 90° is ∪. Four units of CourseNet, third layer. **Predict first.** What does a straight line's curve look like?

# %% id="arcs" slideshow={"slide_type": "-"}
arcs = [57, 147, 63, 90]
ck.show_polar(
    {
        f"relu3, {k}": {f"radius {r}": curves.responses[k, row] for row, r in ((1, 12), (3, 48))}
        | {"straight": curves.responses[k, 4]}
        for k in arcs
    }
)

# %% id="arcs-claim"
cap, cup = curves.responses[57, 1, 11:14], curves.responses[57, 1, 3:6]
print("unit 57 answers more than five times as much to ∩ as to ∪:", bool(cap.min() > 5 * cup.max()))
line = curves.responses[57, 4]
print("to straight lines it answers the same after half a turn:", torch.allclose(line[:8], line[8:], atol=1e-4))

# %% [markdown] id="arcs-read" slideshow={"slide_type": "skip"}
# Among thin lines, unit 57 is an arc detector of one direction, though a straight horizontal line excites it as well. Unit 147 answers five times as strongly in all, and only prefers ∩. Few of the 192 units are
# so clear: the next cell counts them. The paper found ten in one layer of InceptionV1, which share all directions among them; ours leave gaps.

# %% id="arcs-count"
clear = (curves.selectivity() > 0.3) & (curves.by_angle().amax(1) > 1)
print("arc detectors among 192 units, by a selectivity above 0.3: fewer than 12:", int(clear.sum()) < 12)

# %% [markdown] id="curvature-title" slideshow={"slide_type": "skip"}
# ## And the curvature?
#
# The same four, each in its own best direction.

# %% id="curvature"
ck.show_lines(
    range(5),
    {f"relu3, {k}": curves.responses[k].amax(1) / curves.responses[k].max() for k in arcs},
    xlabel="radius of the arc in pixels",
    ylabel="answer, part of its largest",
    ticks=["6", "12", "24", "48", "straight"],
)

# %% [markdown] id="ideal-title" slideshow={"slide_type": "slide"}
# ## What would they like best, and what do they find?
#
# Left, the painted stimulus of the neuron in the middle (lab 07), before the ReLU. Then the five patches that excite it most in 72 scenes.

# %% id="ideal" slideshow={"slide_type": "-"}
pair = [57, 147]
ideal = ck.render(coursenet, o.neuron("conv3", pair), size=64, steps=48, progress=False).images[..., 14:58, 14:58]
found = {k: ck.top_patches(coursenet, scenes.images, "relu3", k, k=5) for k in pair}
ck.show_images(
    [picture for i, k in enumerate(pair) for picture in (ideal[i : i + 1], found[k].patches)],
    [title for k in pair for title in (f"{k}: painted", *["patch"] * 5)],
    columns=6,
)

# %% [markdown] id="ideal-read" slideshow={"slide_type": "skip"}
# 147 wants a dome over stripes: an arch, as its tuning said. The picture of 57 is a surprise: a dark bowl on light, **round downwards**, where its tuning said ∩. One of the two must mislead. Its patches decide little: most lie at the upper border of
# the picture, where the grey outside makes an edge. So we ask again, with another stimulus.

# %% [markdown] id="edges-title" slideshow={"slide_type": "slide"}
# ## What goes wrong 1 · a line is not an edge
#
# Arcs are thin lines. Show unit 57 the **edges** of discs, each with its border in the middle. **Predict first.** Which of the four does it like best?

# %% id="edges" slideshow={"slide_type": "-"}
black, white, radius = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), 24 / 128


def disc(colour, background, y):
    return ck.stimuli.shape("circle", colour, radius, position=(0.5, y), size=128, background=background)[0]


discs = {
    "∪ dark over light": disc(black, white, 0.5 - radius),
    "∩ dark over light": disc(white, black, 0.5 + radius),
    "∪ light over dark": disc(white, black, 0.5 - radius),
    "∩ light over dark": disc(black, white, 0.5 + radius),
}
answer = ck.activations(coursenet, torch.cat(list(discs.values())), ["relu3"], reduce="maps")["relu3"]
said = answer[:, 57, 6:11, 6:11].amax((1, 2)).tolist()
ck.show_images(
    list(discs.values()), [f"{name}: {value:.1f}" for name, value in zip(discs, said, strict=True)], columns=4
)

# %% id="edges-claim"
print("dark over light excites it more than three times as much as light over dark:", min(said[:2]) > 3 * max(said[2:]))
print("and with edges ∪ is not weaker than ∩:", said[0] > said[1])

# %% [markdown] id="edges-read" slideshow={"slide_type": "skip"}
# For **edges**, unit 57 asks for *dark over light* and takes either curvature; the painted picture was right. For **thin lines** it asks for ∩; the tuning was right, too. "An arc detector" is true of the stimuli that we tried first, and no more than that. What follows
# explains its behaviour on lines.

# %% [markdown] id="bars-title" slideshow={"slide_type": "slide"}
# ## Does the laboratory agree with the world?
#
# Second layer: 128 units. Each has a preferred orientation by **gratings**. In the 9 **patches of photographs** that excite it most, what is the orientation of the edges (by gradients)?
#
# **Predict first.** If tuning were an artefact of gratings, the two would differ by 45° in the median.

# %% id="bars-measure"
bars = ck.orientation_tuning(coursenet, "relu2")
preferred, selectivity = bars.preferred(), bars.selectivity()
acts = ck.activations(coursenet, scenes.images, ["relu2"], reduce="maps")
one = ck.top_patches(coursenet, scenes.images[:2], "relu2", 0, k=1)
side, first = one.boxes[0][2], one.boxes[0][0] - 4 * int(one.positions[0, 0])  # receptive field, step 4
framed = F.pad(scenes.images, (side,) * 4, value=0.5)


def main_orientation(k):
    value, place = acts["relu2"][:, k].flatten(1).max(1)
    patches = []
    for i in value.topk(9).indices:
        top, left = (side + first + 4 * int(p) for p in divmod(int(place[i]), 32))
        patches.append(framed[i, :, top : top + side, left : left + side])
    angle, clear = ck.gradient_orientation(torch.stack(patches))
    mean = (clear * torch.exp(2j * torch.deg2rad(angle))).sum()  # twice the angle: 179° is near 1°
    return torch.rad2deg(mean.angle()) / 2 % 180


tuned = (selectivity > 0.5).nonzero()[:, 0].tolist()
world = torch.stack([main_orientation(k) for k in tuned])
error = ck.angle_between(preferred[tuned], world)

# %% id="bars" slideshow={"slide_type": "-"}
degrees = list(range(0, 91, 5))
ck.show_lines(
    degrees,
    {
        f"{len(tuned)} selective units": [(error <= d).float().mean().item() for d in degrees],
        "chance": [d / 90 for d in degrees],
    },
    xlabel="difference between gratings and photographs, degrees",
    ylabel="part of the units",
)

# %% id="bars-claim"
print("more than half of the 128 units are selective:", len(tuned) > 64)
print("their median difference is below 12°, by chance 45°:", error.median().item() < 12)
print("more than 70 % lie within 22.5°, by chance 25 %:", (error < 22.5).float().mean().item() > 0.7)

# %% [markdown] id="layers-text" slideshow={"slide_type": "slide"}
# ## What goes wrong 2 · our stimuli do not reach high layers
#
# The same gratings at all five layers. **Predict first.** Are units of layer 5 more selective, or less?

# %% id="layers" slideshow={"slide_type": "-"}
names = [f"relu{i}" for i in range(1, 6)]
tunings = {name: ck.orientation_tuning(coursenet, name, wavelengths=(8, 16)) for name in names}
share = {
    "selective, of those that answer": [],
    "no answer to any grating": [],
}
for tuning in tunings.values():
    silent = tuning.by_angle().amax(1) == 0
    share["no answer to any grating"].append(silent.float().mean().item())
    share["selective, of those that answer"].append((tuning.selectivity()[~silent] > 0.5).float().mean().item())
ck.show_lines(range(5), share, ticks=names, xlabel="layer", ylabel="part of the units")

# %% id="layers-claim"
print("at relu4 and relu5 more than 40 % are silent:", min(share["no answer to any grating"][3:]) > 0.4)
print("at relu1 to relu3 less than 5 %:", max(share["no answer to any grating"][:3]) < 0.05)

# %% [markdown] id="layers-read" slideshow={"slide_type": "skip"}
# High units look *more* selective, and it means less: half of them are silent, and what a few answer to grey bars has nothing to do with their work. A stimulus made by rule can only find what its maker thought
# of. Higher up, let the data speak, or the network itself.

# %% [markdown] id="semantic-title" slideshow={"slide_type": "slide"}
# ## A semantic dictionary
#
# At each place a layer holds a list of numbers. Replace the numbers by **pictures**: which channels are strongest here, and what do they want to see? (Olah et al. 2018)

# %% id="semantic" slideshow={"slide_type": "-"}
layer = "block13"
cat = ck.load_image("chelsea", size=224)
cat_maps = ck.activations(model, cat, [layer], reduce="maps")[layer][0]  # (192, 7, 7)
groups = ck.neuron_groups(cat_maps[None], count=4)
places = [divmod(int(m.flatten().argmax()), 7) for m in groups.maps[0]]  # where each group is strongest
words = {place: cat_maps[:, place[0], place[1]].topk(3) for place in places}
often = torch.bincount(cat_maps.argmax(0).flatten(), minlength=192).topk(12).indices.tolist()
channels = sorted({k for word in words.values() for k in word.indices.tolist()} | set(often))
painted = ck.render(model, o.channel(layer, channels), size=80, steps=36, progress=False).images
pictures = dict(zip(channels, painted, strict=True))


def around(row, column):
    top, left = (min(max(32 * p + 16 - 40, 0), 224 - 80) for p in (row, column))
    return cat[..., top : top + 80, left : left + 80]


entries = [[around(*place), *(pictures[k][None] for k in word.indices.tolist())] for place, word in words.items()]
ck.show_images(
    [picture for entry in entries for picture in entry],
    [title for word in words.values() for title in ("here", *(f"{k}: {v:.1f}" for v, k in zip(*word, strict=True)))],
    columns=8,
)

# %% [markdown] id="grid-title" slideshow={"slide_type": "slide"}
# ## The whole layer on one picture
#
# Each of 7 × 7 places shows the picture of its strongest channel, the fainter the weaker it is.

# %% id="grid" slideshow={"slide_type": "-"}
ck.show_images([cat, ck.activation_grid(cat_maps, pictures)], ["the image", "what block13 sees"], columns=2)

# %% [markdown] id="groups-title" slideshow={"slide_type": "slide"}
# ## Neuron groups
#
# 192 channels are too many to read. Non-negative matrix factorisation writes the activations as a few **groups** that add up: $A \approx M D$, with $M, D \ge 0$. Rows of $A$ are places.

# %% id="groups" slideshow={"slide_type": "-"}
colours = torch.tensor([[0.0, 0.45, 0.7], [0.9, 0.6, 0.0], [0.0, 0.62, 0.45], [0.8, 0.47, 0.65]])
directions = o.Objective(
    lambda acts, logits: (acts[layer].flatten(2).mean(2) * groups.directions.to(model.device)).sum(1),
    frozenset([layer]),
    count=4,
)
wanted = ck.render(model, directions, size=80, steps=40, progress=False).images
frames = colours[:, :, None, None].expand(-1, -1, 92, 92).clone()
frames[..., 6:-6, 6:-6] = wanted
ck.show_images(
    [ck.colour_groups(groups.maps[0], cat, colours), *frames.split(1)],
    ["where", *(f"group {i + 1}" for i in range(4))],
    columns=5,
)

# %% id="groups-claim"
print("four groups explain more than 60 % of the squared activations:", groups.explained > 0.6)

# %% [markdown] id="groups-read" slideshow={"slide_type": "skip"}
# block13 has no ReLU at its end, so it has negative activations; NMF cannot hold them, and they count as 0 here. The number of groups is our choice. With more groups each is purer and there is more to
# read: compare with 8.

# %% [markdown] id="circuit-title" slideshow={"slide_type": "slide"}
# ## A circuit: how is the arc detector made?
#
# Unit 57 of conv3 reads 128 units of relu2 through kernels of 3 × 3. We know the orientation tuning $t_i(\theta)$ of each input. So add the kernels up, each weighted by how much its input likes $\theta$:
#
# $$ V(\theta, y, x) = \sum_i W_{57,i}(y, x) \; t_i(\theta) $$
#
# **Red** excites, **blue** inhibits. **Predict first.** ∩ has a horizontal top and steep sides. What should vertical bars do?

# %% id="circuit" slideshow={"slide_type": "-"}
tuning = bars.by_angle() / bars.by_angle().amax(1, keepdim=True).clamp(min=1e-6)
W = coursenet.layer("conv3").weight.detach().cpu()
V = torch.einsum("ihw,ia->ahw", W[57], tuning)[::2]
gratings = [ck.stimuli.grating(32, 10, angle) for angle in bars.angles[::2].tolist()]
ck.show_circuit(
    V, [f"{angle:.0f}°" for angle in bars.angles[::2].tolist()], pictures=gratings, unit="excites · inhibits"
)

# %% [markdown] id="circuit-read" slideshow={"slide_type": "skip"}
# **The description.** Horizontal bars excite, in the middle and below it. Vertical bars inhibit everywhere, most in the middle row and at the sides, least in the lowest. So the unit says: *something horizontal here, and nothing upright beside or above it*.
# Both ∩ and ∪ have a horizontal piece where they are thickest. If our reading is right, the direction of the arc is decided by **inhibition**.
#
# Three predictions, made before we cut:
#
# 1. Cut the inhibitory inputs tuned to vertical bars: ∩ stays, and the silent ∪ begins to speak.
# 2. Cut as many random inputs: nothing of that kind.
# 3. Cut the excitatory inputs tuned to horizontal bars: ∩ loses much of its answer.

# %% id="circuit-claim"
upright = V[3]  # bars of 90°
print("upright bars inhibit at least 1.5 times as much in the two upper rows as in the lowest:", end=" ")
print(upright[:2].mean().item() < 1.5 * upright[2].mean().item() < 0)
print("lying bars excite in the middle of the lowest row:", V[0, 2, 1].item() > 0.1)

# %% id="circuit-cut"
sums = W[57].sum((1, 2))


def inputs_near(angle, sign):
    near = (ck.angle_between(preferred, torch.tensor(float(angle))) < 25) & (selectivity > 0.4) & (sign * sums > 0)
    return near.nonzero()[:, 0].tolist()


def answers(inputs):
    with ck.cut_weights(coursenet, "conv3", 57, inputs):
        return ck.curve_tuning(coursenet, "relu3", radii=(12,)).responses[57, 0]


vertical, horizontal = inputs_near(90, -1), inputs_near(0, +1)
lots = torch.Generator().manual_seed(0)
random_cuts = torch.stack([answers(torch.randperm(128, generator=lots)[: len(vertical)].tolist()) for _ in range(5)])
intact = answers([])
no_inhibition, no_excitation = answers(vertical), answers(horizontal)

# %% [markdown] id="cut-title" slideshow={"slide_type": "slide"}
# ## Predict, cut, measure
#
# Only connections into unit 57 are cut. Left: the inhibition from vertical bars. Middle: as many inputs, drawn at random (mean of 5 draws). Right: the excitation from horizontal bars.

# %% id="cut" slideshow={"slide_type": "-"}
ck.show_polar(
    {
        f"{len(vertical)} vertical inhibitors": {"intact": intact, "cut": no_inhibition},
        f"{len(vertical)} random inputs": {"intact": intact, "cut": random_cuts.mean(0)},
        f"{len(horizontal)} horizontal exciters": {"intact": intact, "cut": no_excitation},
    },
    columns=3,
)

# %% id="cut-claim"
cap, cup = slice(11, 14), slice(3, 6)  # ∩ and ∪, three directions each
kept, gained = no_inhibition[cap].mean() / intact[cap].mean(), no_inhibition[cup].mean()
print("1. ∩ stays within 25 %:", 0.75 < kept.item() < 1.25)
print("   and ∪ rises from below 0.2 to more than half of ∩:", intact[cup].max().item() < 0.2, end=" ")
print(gained.item() > 0.5 * no_inhibition[cap].mean().item())
print(
    "2. random cuts: ∪ stays below a third of ∩:",
    bool(random_cuts.mean(0)[cup].mean() < random_cuts.mean(0)[cap].mean() / 3),
)
print("3. ∩ loses more than a third:", bool(no_excitation[cap].mean() < 0.67 * intact[cap].mean()))

# %% [markdown] id="cut-read" slideshow={"slide_type": "skip"}
# All three came out. (And 28 random inputs took less from ∩ than the 17 exciters did.) The arc detector gets its *direction* from what it forbids. How can vertical bars tell ∩ from ∪? By their **place**: the sides of ∪ stand above its base, in the rows where they are forbidden; the sides of ∩
# hang below its top, in the row that hardly minds. Had random cuts done the same, our description would have been a story.

# %% [markdown] id="effective-title" slideshow={"slide_type": "skip"}
# ## Through a block: expanded weights
#
# EfficientNet-Lite0 has no plain 3 × 3 kernels. Its block is 1×1 (widen) → depthwise 3×3 → 1×1 (narrow). Multiplied out, with the BatchNorms' factors, this is again one kernel for each pair of channels. **Both ReLU6 in between are left
# out**, so it is a guess. How good?


# %% id="effective"
def my_effective(block):
    scale = [norm.weight / (norm.running_var + norm.eps).sqrt() for norm in (block.bn1, block.bn2, block.bn3)]
    widen = block.conv_pw.weight[:, :, 0, 0] * scale[0][:, None]
    place = block.conv_dw.weight[:, 0] * scale[1][:, None, None]
    narrow = block.conv_pwl.weight[:, :, 0, 0] * scale[2][:, None]
    return torch.einsum("om,mhw,mi->oihw", narrow, place, widen)


block = model.layer("block5")
kernels = ck.effective_weights(block)
torch.testing.assert_close(my_effective(block), kernels)
acts5 = ck.activations(model, cat, ["block4", "block5"], reduce="maps")
branch = acts5["block5"] - acts5["block4"]  # without the shortcut
guess = F.conv2d(acts5["block4"], kernels.cpu(), padding=kernels.shape[2] // 2)
alike = torch.stack(
    [torch.corrcoef(torch.stack([a, b]))[0, 1] for a, b in zip(branch[0].flatten(1), guess[0].flatten(1), strict=True)]
)
print(
    "the linear guess and the true branch are correlated, above 0.2 in the median channel:", alike.median().item() > 0.2
)
print("but far from equal, below 0.9:", alike.median().item() < 0.9)

# %% [markdown] id="effective-read" slideshow={"slide_type": "skip"}
# In the median channel the correlation is about a third. The two ReLU6 matter, so expanded weights are hints, no description: read them as predictions and test them by cutting. CourseNet's plain kernels, above, need no such guess.

# %% [markdown] id="dissect-title" slideshow={"slide_type": "slide"}
# ## Is a channel special? Turn the axes
#
# **Network dissection** (Bau et al. 2017): cut each channel's map at its top 2 %, and measure the overlap (IoU) with the masks of 19 concepts. As a control, **rotate** the layer: 256 random mixtures of the 256 channels. All information is still there.
#
# **Predict first.** Will the mixtures match concepts as well as the channels?


# %% id="dissect" slideshow={"slide_type": "-"}
def rotated(seed):
    Q, _ = torch.linalg.qr(torch.randn(256, 256, generator=torch.Generator().manual_seed(seed)))
    turn = nn.Conv2d(256, 256, 1, bias=False, device=coursenet.device).requires_grad_(False)
    turn.weight.copy_(Q[:, :, None, None])
    parts = list(coursenet.module.named_children())
    end = [name for name, _ in parts].index("relu5") + 1
    body = nn.Sequential(OrderedDict([*parts[:end], ("turn", turn)]))
    return ck.Model(body, coursenet.mean.flatten().tolist(), coursenet.std.flatten().tolist())


concepts = ck.concept_scenes(160, size=128)
natural = ck.dissect(coursenet, concepts, "relu5")
turned = [ck.dissect(rotated(seed), concepts, "turn") for seed in (0, 1)]
best = {"channels": natural, "rotation 1": turned[0], "rotation 2": turned[1]}
ck.show_lines(
    range(256),
    {name: found.iou.amax(1).sort(descending=True).values for name, found in best.items()},
    xlabel="channels, best first",
    ylabel="IoU with the best concept",
)

# %% id="dissect-claim"
detectors = {name: len(found.names()) for name, found in best.items()}
named = {name: len(set(found.names().values())) for name, found in best.items()}
print("concepts with a detector of their own, a fifth more than in either rotation:", end=" ")
print(named["channels"] > 1.2 * max(named["rotation 1"], named["rotation 2"]))
tens = [found.iou.amax(1).topk(10).values.mean().item() for found in best.values()]
print("the ten best channels overlap more than the ten best mixtures:", tens[0] > 1.1 * max(tens[1:]))

# %% id="dissect-table" tags=["nbval-ignore-output"]
print("channels with a name: ", detectors)
print("concepts among them:  ", named)
print("ten best, mean IoU:   ", {name: round(value, 3) for name, value in zip(best, tens, strict=True)})

# %% [markdown] id="dissect-read" slideshow={"slide_type": "skip"}
# The best channels are better than the best mixtures, and the worst are worse: trained axes are *special*, in both directions. The number of channels that get a name at all hardly differs here (colours are easy: many a mixture
# finds some of them); the number of **different concepts** does, by half. Bau et al. count these, too, and find that a rotation of AlexNet's fifth layer leaves far fewer. Ours is a small network with 19 concepts.

# %% [markdown] id="parted-title" slideshow={"slide_type": "slide"}
# ## Filters that are made to be readable
#
# Zhang, Wu & Zhu (2018) *train* for readable filters: each map $x$ should fit one of $n^2$ **templates** with one peak, or the one that says *not here*.
#
# $$ T_\mu(p) = \max\!\Big(1 - 4\,\tfrac{\lVert p - \mu \rVert_1}{n},\; -1\Big) \qquad \mathcal{L} = -I(X; T), \quad p(x|T) = \frac{e^{\tau \langle x, T \rangle}}{Z_T} $$
#
# The loss is minus the mutual information of maps and templates. Behind the layer, a **mask** keeps what lies near the peak.


# %% id="parted-code" slideshow={"slide_type": "-"} tags=["show-code"]
def my_filter_loss(maps, tau):  # (N, K, n, n) -> (K,)
    T = ck.part_templates(maps.shape[2]).flatten(1)
    given = (tau * maps.flatten(2) @ T.T).softmax(0)  # p(x|T), over the N maps
    alone = given.mean(2, keepdim=True)  # p(x): all templates equally frequent
    return -(given * (given / alone).log()).sum(0).mean(1)


# %% id="parted-same"
fields = torch.rand(16, 3, 6, 6, generator=torch.Generator().manual_seed(0)) * 4
torch.testing.assert_close(my_filter_loss(fields, 0.5), ck.filter_loss(fields, 0.5), atol=1e-5, rtol=1e-4)
print("my_filter_loss and ck.filter_loss agree")

# %% [markdown] id="parted-pair-title" slideshow={"slide_type": "slide"}
# ## Does a filter keep to its part?
#
# The same small network, with and without filter loss and mask. Each dot is a filter's peak in a new scene, **in the animal's own frame**.

# %% id="parted-run"
animals = ["zebra", "tiger", "hen", "flamingo", "bactrian_camel", "koala", "peacock", "king_penguin", "husky", "bison"]
fresh = ck.part_scenes(240, animals, seed=5)
peaks, spreads = {}, {}
for name in ("parted", "unparted"):
    peaks[name] = ck.part_places(ck.load_model(name), fresh, "relu4")
    spreads[name] = ck.part_spread(*peaks[name], fresh.objects)  # (64 filters, 10 animals)


def median_filter(name, animal):
    values = spreads[name][:, sorted(animals).index(animal)]
    known = (~values.isnan()).nonzero()[:, 0]
    return int(known[values[known].argsort()[len(known) // 2]])


def peaks_on(name, animal):
    k = median_filter(name, animal)
    points, heights = peaks[name][0][:, k], peaks[name][1][:, k]
    mine = torch.tensor([other == animal for other in fresh.objects]) & (heights >= 0.5 * heights.max())
    return points[mine]


# %% id="parted" slideshow={"slide_type": "-"} tags=["gallery"]
kinds = {"parted": "with loss", "unparted": "without"}
ck.show_parts(
    {
        f"{kind}: {animal.replace('_', ' ')}": (ck.cutout_picture(animal), peaks_on(name, animal))
        for name, kind in kinds.items()
        for animal in ("flamingo", "zebra", "peacock", "husky")
    }
)

# %% id="parted-score" slideshow={"slide_type": "skip"}
uniform = torch.rand(len(fresh), 64, 2, generator=torch.Generator().manual_seed(0))
spreads["chance"] = ck.part_spread(uniform, torch.ones(len(fresh), 64), fresh.objects)
rows = {"parted": "with filter loss", "unparted": "without", "chance": "a random place"}
by_filter = {title: spreads[name].nanmean(1) for name, title in rows.items()}
intervals = {
    title: ck.bootstrap_interval(
        values[~values.isnan()].tolist(), [f"{k}" for k in (~values.isnan()).nonzero()[:, 0].tolist()]
    )
    for title, values in by_filter.items()
}
ck.show_dots({"spread (box sides)": intervals}, grey=["a random place"], limits=(0, 0.45))

# %% id="parted-claim"
with_loss, without = (spreads[name].nanmedian().item() for name in ("parted", "unparted"))
print("the median spread is at least a fifth smaller with the filter loss:", with_loss < 0.8 * without)
truth = torch.tensor([animals.index(name) for name in fresh.objects])
right = {
    name: (ck.activations(ck.load_model(name), fresh.images, ["fc5"])["fc5"].argmax(1) == truth).float().mean().item()
    for name in kinds
}
print("both name more than 85 % of the new scenes:", min(right.values()) > 0.85)

# %% [markdown] id="parted-read" slideshow={"slide_type": "skip"}
# Both were trained on the same ten animals; here they lie at other places, in other sizes, on other grounds. For each animal we drew the filter of *median* spread, no chosen one. The filter loss works as promised, and it costs a little accuracy. But look at the row *without*: ordinary filters are far from random. A classifier likes stable parts anyway; here each animal
# is a single cut-out, which makes it easy. The paper counts by many animals of a class.

# %% [markdown] id="poly-title" slideshow={"slide_type": "slide"}
# ## One unit, two meanings
#
# EfficientNet-Lite0, last layer before the classes, channel 1044: the six of 72 objects that excite it most.
#
# **Predict first.** What could they have in common?

# %% id="poly-run"
many = list(dict.fromkeys(["plaster", "bear", "brown_bear", *objects]))[:72]
large = ck.scenes(72, objects=many, seed=1, background="plain")
late = ck.activations(model, large.images, ["relu2"])["relu2"]  # means over the maps
weights = model.head.weight - model.head.weight.mean(0)  # what all classes share moves no probability
strongest = late[:, 1044].topk(6).indices.tolist()
votes = weights[:, 1044].topk(5).indices.tolist()

# %% id="poly" slideshow={"slide_type": "-"}
ck.show_images(
    large.images[strongest], [f"{large.objects[i].replace('_', ' ')} {late[i, 1044]:.1f}" for i in strongest], columns=6
)

# %% id="poly-claim"
top_objects = {large.objects[i] for i in strongest}
print(
    "the plaster and a bear are among the first six:",
    "plaster" in top_objects and bool({"bear", "brown_bear"} & top_objects),
)
print("it votes for:", ", ".join(model.labels[c] for c in votes[:2]))
five = weights.topk(5, dim=0).indices
animal_votes = (five < 398).sum(0)
print("channels whose five first votes hold animals and things, more than half of all:", end=" ")
print(((animal_votes > 0) & (animal_votes < 5)).float().mean().item() > 0.5)

# %% [markdown] id="poly-read" slideshow={"slide_type": "skip"}
# By the scenes alone one would not dare to name it: behind the plaster come a parachute and a bear, far weaker. The **weights** are clearer. Its first vote of 1000 is *Band Aid*, its second *sloth bear*. A unit has an input side and an output side, and both must be read.

# %% [markdown] id="facets-title" slideshow={"slide_type": "skip"}
# ## Its two facets
#
# As in lab 07: sort the pictures by their codes, and start from the mean of each group. We show the channel plasters and bears only.

# %% id="facets"
both = ck.scenes(18, objects=["plaster", "bear", "brown_bear"], seed=2, background="plain").images
faces = ck.facets(model, both, ck.unit("relu2", 1044), count=2, top=14, nearest=3)
starts = F.interpolate(faces.starts, size=(96, 96), mode="bilinear", antialias=True)
two = ck.render(
    model,
    o.channel("conv2", [1044, 1044]),
    size=96,
    steps=48,
    progress=False,
    parameterization=ck.parameterizations.fourier(decay=1.5, start=starts),
).images
ck.show_images(
    [*starts.split(1), *two.split(1)], [*(f"mean of {len(m)}" for m in faces.members), "facet 1", "facet 2"], columns=4
)

# %% [markdown] id="strange-title" slideshow={"slide_type": "slide"}
# ## A bear channel that feeds the garbage truck
#
# block16, channel 233: strong on bears, bison, wombats. **Trace it**: its weights to the classes, through conv2 and the classifier, ReLU6 left out. First of 1000 classes: *garbage truck*.
#
# **Predict first.** Silence 233. What happens to *garbage truck* on pictures of garbage trucks? And on pictures of **bears**?

# %% id="strange-run"
tail = model.module
scale = tail.bn2.weight / (tail.bn2.running_var + tail.bn2.eps).sqrt()
E = (weights * scale) @ model.layer("conv2").weight[:, :, 0, 0]  # (1000 classes, 320 channels)
truck = model.labels.index("garbage truck")
print("first vote of channel 233:", model.labels[int(E[:, 233].argmax())])

views = {
    name: torch.cat([ck.load_scene(name, seed=seed).image for seed in range(6)])
    for name in ("garbage_truck", "brown_bear", "dingo")
}
codes = {name: ck.activations(model, x, ["block16"], reduce="maps")["block16"] for name, x in views.items()}
print("it is as strong on bears as on trucks, within 30 %:", end=" ")
level = {name: code[:, 233].mean().item() for name, code in codes.items()}
print(abs(level["brown_bear"] / level["garbage_truck"] - 1) < 0.3, "· and below zero on a dingo:", level["dingo"] < 0)


def drop(code, k, value=0.0):
    """How much of the logit of *garbage truck* is lost when channel k of block16 is set to a value."""
    silent = code.clone()
    silent[:, k] = value
    with torch.no_grad():
        full, less = (tail.forward_head(tail.bn2(model.layer("conv2")(c.to(model.device)))) for c in (code, silent))
    return (full - less)[:, truck].cpu()


with ck.ablate(model, "block16", [233]):  # the same through the whole network
    cut_logits = ck.activations(model, views["brown_bear"], ["fc"])["fc"]
whole = ck.activations(model, views["brown_bear"], ["fc"])["fc"] - cut_logits
torch.testing.assert_close(whole[:, truck], drop(codes["brown_bear"], 233), atol=1e-3, rtol=0)

# %% id="strange" slideshow={"slide_type": "-"}
others = range(0, 320, 8)
lost = {name: drop(code, 233) for name, code in codes.items()}
to_mean = {name: drop(code, 233, sum(level.values()) / 3) for name, code in codes.items()}
null = {name: torch.stack([drop(code, k).mean() for k in others]) for name, code in codes.items()}
ck.show_dots(
    {
        f"scenes of a {name.replace('_', ' ')}": {
            "channel 233": (lost[name].mean(), lost[name].min(), lost[name].max()),
            "233, set to its mean": (to_mean[name].mean(), to_mean[name].min(), to_mean[name].max()),
            "40 other channels": (null[name].mean(), null[name].min(), null[name].max()),
        }
        for name in ("garbage_truck", "brown_bear")
    },
    grey=["40 other channels"],
)

# %% id="strange-claim"
for name in ("garbage_truck", "brown_bear"):
    beyond = lost[name].mean().item() > 1.1 * null[name].max().item()
    print(f"on a {name.replace('_', ' ')}, 233 takes more from 'garbage truck' than each of 40 others:", beyond)

# %% [markdown] id="strange-read" slideshow={"slide_type": "skip"}
# The bars of 233 run over six scenes, those of the others over 40 channels. Set to its mean over all 18 scenes instead of 0, the channel takes a third less with it, and on trucks one of the 40 takes as much: how large an effect is depends on what you put in its place (see *What goes wrong 3*). So a bear in the picture *speaks for a garbage truck*, by 0.3 of a logit. It does no harm: other channels outvote it, and all six bears are named bears. Our guess:
# the channel stands for something massive and dark, low on the ground. (For the lectures' network it was a car detector that fed dogs.) We
# chose it because its vote is odd; most channels of block16 have a list of votes that no one can name.

# %% [markdown] id="toy-title" slideshow={"slide_type": "slide"}
# ## Why? More features than channels
#
# A toy (Elhage et al. 2022): five features, **two** channels: $\hat x = \operatorname{ReLU}(W^\top W x + b)$. Once all features are present at a time, once each is rare (5 %).
#
# **Predict first.** How many of the five does each store?

# %% id="toy" slideshow={"slide_type": "-"}
draws = torch.Generator().manual_seed(1)
present = torch.tensor([1.0, 0.05])[:, None, None]
importance = 0.9 ** torch.arange(5)
weight = (0.5 * torch.randn(2, 2, 5, generator=draws)).requires_grad_()  # two toys, 2 channels, 5 features
bias = torch.zeros(2, 1, 5, requires_grad=True)
optimizer = torch.optim.Adam([weight, bias], lr=0.01)
for _ in range(1500):
    x = torch.rand(2, 256, 5, generator=draws) * (torch.rand(2, 256, 5, generator=draws) < present)
    guess = (x @ weight.transpose(1, 2) @ weight + bias).relu()
    loss = (importance * (x - guess) ** 2 / present).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
stored = weight.detach()
ck.show_circuit(stored.transpose(1, 2) @ stored, ["always present", "rare"], unit="feature j read out as i")

# %% id="toy-claim"
lengths = stored.norm(dim=1)
print(
    "features stored (length above 0.7), always present:",
    int((lengths[0] > 0.7).sum()),
    "· rare:",
    int((lengths[1] > 0.7).sum()),
)

# %% [markdown] id="toy-read" slideshow={"slide_type": "skip"}
# If features are rare, two of them seldom meet, and a channel can serve several: **superposition**. Plasters and bears are seldom in one picture. A thousand classes and more parts than that must live in 1280 channels, so most channels are
# *polysemantic*. Then a channel is the wrong unit to read, and a direction may be the right one (lab 13).

# %% [markdown] id="residual-title" slideshow={"slide_type": "slide"}
# ## Take a block out
#
# Nine of the sixteen blocks of EfficientNet-Lite0 have a shortcut: $y = x + f(x)$. Remove one: $y = x$. In CourseNet only conv4 keeps the shape (192 → 192); we remove it, too.
#
# **Predict first.** How many of 24 scenes keep their first class? (Veit et al. 2016)

# %% id="residual-run"
shortcuts = [name for name in model.layers if getattr(model.layer(name), "has_skip", False)]
few = large.images[:24]
small = F.interpolate(few, size=(128, 128), mode="bilinear", antialias=True)


def correlation(a, b):
    a, b = (v.flatten(1) - v.flatten(1).mean(1, keepdim=True) for v in (a, b))
    return F.cosine_similarity(a, b).tolist()


def class_map(network, maps, classes):
    """CAM for Lite0; the sum of the last maps for CourseNet, which has no global pooling."""
    return torch.einsum("nkhw,nk->nhw", maps, network.head.weight[classes].cpu()) if network is model else maps.sum(1)


def last_maps(network, images):
    """The maps of the last ReLU before pooling, and the logits."""
    layers = ["relu2", "fc"] if network is model else ["relu5", "fc8"]
    return ck.activations(network, images, layers, reduce="maps").values()


def removed(network, images, names, intact):
    """Compare logits and class maps with the intact network's; the class is the intact one's."""
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(ck.ablate(network, name))
        maps, logits = last_maps(network, images)
    maps_before, before = intact
    best = before.argmax(1)
    heat = [class_map(network, found, best) for found in (maps_before, maps)]
    return (best == logits.argmax(1)).float().tolist(), correlation(before, logits), correlation(*heat)


intact_lite = last_maps(model, few)
effects = {name: removed(model, few, [name], intact_lite) for name in shortcuts}
effects["CourseNet conv4"] = removed(coursenet, small, ["conv4"], last_maps(coursenet, small))
titles = ("first class kept", "logits: correlation", "maps: correlation")

# %% id="residual" slideshow={"slide_type": "-"}
ck.show_dots(
    {
        title: {name: ck.bootstrap_interval(values[i], large.objects[:24]) for name, values in effects.items()}
        for i, title in enumerate(titles)
    },
    limits=(-0.1, 1.1),
)

# %% id="residual-claim"
kept = {name: sum(values[0]) / 24 for name, values in effects.items()}
print(
    "each residual block alone: at least three of four first classes stay:",
    min(kept[name] for name in shortcuts) >= 0.75,
)
print("the plain network without conv4: fewer than one of four:", kept["CourseNet conv4"] < 0.25)
together = {n: sum(removed(model, few, shortcuts[-n:], intact_lite)[0]) / 24 for n in (3, 6, 9)}
print("without the last three: still three of four:", together[3] >= 0.75)
print("without all nine: between a quarter and 80 %:", 0.25 < together[9] < 0.8)

# %% [markdown] id="residual-read" slideshow={"slide_type": "skip"}
# In a plain network each layer speaks a language that only the next one understands. With shortcuts all blocks of one resolution write into **one** stream, and each adds a little. Take one
# away and its addition is missing; the language stays. Even without all nine the network names more than half of the scenes as before: the seven blocks
# that change the resolution do most of the work. Veit et al. call it an ensemble of short paths. So *the* unit of a residual network may not be the block either. The class map is CAM for Lite0, and the sum of relu5
# for CourseNet, which has no global pooling.

# %% [markdown] id="explorer-title" slideshow={"slide_type": "skip"}
# ## Your turn: any unit

# %% id="explorer"
ck.explore_unit(coursenet, scenes.images[:24], "relu3", 57)

# %% [markdown] id="wrong-two-title" slideshow={"slide_type": "skip"}
# ## What goes wrong 3 · zero is not "nothing"
#
# We silenced channels by writing 0. Behind a ReLU that is what *nothing seen* looks like. block16 has no ReLU: there 0 may be far from the channel's usual value, and writing 0 **adds** something. Use the mean, or say what you did.

# %% id="wrong-two"
usual = torch.cat(list(codes.values())).mean((0, 2, 3))
print(
    "channels of block16 whose mean is more than half away from 0: more than a third:",
    (usual.abs() > 0.5).float().mean().item() > 0.33,
)

# %% [markdown] id="score-title" slideshow={"slide_type": "slide"}
# ## Score it: planted detectors
#
# Can we trust our tuning curves? We **plant** twelve filters of known orientation (Gabor patches, 15 × 15), every 15°, and hide them under 30 % noise. **Predict first.** How far off will the measured angle be?

# %% id="score" slideshow={"slide_type": "-"}
planted = torch.arange(12) * 15.0
patches = torch.cat([ck.stimuli.gabor(15, wavelength=7, angle=float(angle)) for angle in planted]) - 0.5
noise = torch.randn(12, 3, 15, 15, generator=torch.Generator().manual_seed(0))
bank = nn.Conv2d(3, 12, 15, padding=7, bias=False).requires_grad_(False)
bank.weight.copy_(patches + 0.3 * patches.std() * noise)
known = ck.Model(nn.Sequential(OrderedDict(bank=bank, relu=nn.ReLU())))
known.input_size = 96
measured = ck.orientation_tuning(known, "relu", angles=24, wavelengths=(6, 8))
ck.show_polar(
    {
        f"planted {angle:.0f}°": {"answer": measured.by_angle()[i]}
        for i, angle in enumerate(planted.tolist())
        if i % 3 == 0
    },
    turn=180,
)

# %% id="score-claim"
off = ck.angle_between(measured.preferred(), planted)
print("all twelve are found within 4°:", off.max().item() < 4)

# %% [markdown] id="swap-title" slideshow={"slide_type": "skip"}
# ## Swap the network
#
# Arcs in EfficientNet-Lite0, block5: some channels lean to one side, none is as clear as unit 57.

# %% id="swap"
lite = ck.curve_tuning(model, "block5", angles=12, radii=(24, 48), width=5, length=72)
strong = lite.by_angle().amax(1) > lite.by_angle().amax(1).median()
ranked = (lite.selectivity() * strong).topk(4).indices.tolist()
ck.show_polar({f"block5, {k}": {"radius 24": lite.responses[k, 0], "radius 48": lite.responses[k, 1]} for k in ranked})

# %% id="swap-claim"
clearest = lite.selectivity()[ranked[0]].item()
print(
    "the most selective of its 40 channels lies between 0.1 and 0.5; unit 57 is above 0.6:",
    0.1 < clearest < 0.5,
    end=" ",
)
print(curves.selectivity()[57].item() > 0.6)

# %% id="swap-bars"
lite_bars = ck.orientation_tuning(model, "block3", wavelengths=(8, 16))
height = lite_bars.by_angle().amax(1)
sharp = (lite_bars.selectivity() * (height > height.median() / 2)).topk(4)  # not those that hardly answer
ck.show_polar({f"block3, {k}": {"answer": lite_bars.by_angle()[k]} for k in sharp.indices.tolist()}, turn=180)

# %% id="swap-bars-claim"
print(
    "bars are another matter: four channels of block3, of 24, are selective above 0.5:", sharp.values.min().item() > 0.5
)

# %% [markdown] id="exercises-title" slideshow={"slide_type": "slide"}
# ## Exercises
#
# | | what you do | difficulty | minutes |
# |---|---|---|---|
# | 15.1 | the preferred orientation | ★★ | 8 |
# | 15.2 | a template | ★ | 6 |
# | 15.3 | into the object's frame | ★★ | 8 |
# | 15.4 | cut a connection | ★ | 5 |
# | 15.5 | multiply a block out | ★★ | 10 |
#
# Each check says ✓, or which mistake it has recognised.

# %% [markdown] id="e1-card"
# ### Exercise 15.1 · The preferred orientation
# *★★ · 8 minutes.* `answers` (A,) are a unit's answers to bars at `angles` (A,) in degrees, 0 to below 180. Return the preferred orientation in $[0, 180)$: double the angles, add the answers up as vectors,
# take the direction of the sum, halve it. **You will probably** forget to double: then bars of 175° and 5° point almost opposite ways.


# %% id="e1-starter"
def preferred_orientation(answers, angles):
    return ...


# %% id="e1-solution" jupyter={"source_hidden": true} tags=["solution"]
def preferred_orientation(answers, angles):
    twice = torch.deg2rad(2 * angles)
    direction = torch.atan2((answers * twice.sin()).sum(), (answers * twice.cos()).sum())
    return torch.rad2deg(direction) / 2 % 180


# %% id="e1-check"
ck.check("15.1", preferred_orientation)

# %% [markdown] id="e2-card"
# ### Exercise 15.2 · A template
# *★ · 6 minutes.* Return the template (n, n) with its peak at `(row, column)`: $\max(1 - 4 \lVert p - \mu \rVert_1 / n, -1)$.
# **You will probably** take the usual distance instead of steps along rows and columns.


# %% id="e2-starter"
def template(n, row, column):
    return ...


# %% id="e2-solution" jupyter={"source_hidden": true} tags=["solution"]
def template(n, row, column):
    line = torch.arange(n)
    steps = (line - row).abs()[:, None] + (line - column).abs()[None]
    return torch.clamp(1 - 4 * steps / n, min=-1)


# %% id="e2-check"
ck.check("15.2", template)

# %% [markdown] id="e3-card"
# ### Exercise 15.3 · Into the object's frame
# *★★ · 8 minutes.* A filter peaks at pixel `(y, x)`. The object's `box` is (top, left, height, width), and it was `mirrored` left to right, or not. Return (row, column) on the object, each from 0 to 1.
# **You will probably** forget the mirror, or turn the wrong axis.


# %% id="e3-starter"
def on_the_object(y, x, box, mirrored):
    return ...


# %% id="e3-solution" jupyter={"source_hidden": true} tags=["solution"]
def on_the_object(y, x, box, mirrored):
    top, left, height, width = box
    row, column = (y - top) / height, (x - left) / width
    return row, 1 - column if mirrored else column


# %% id="e3-check"
ck.check("15.3", on_the_object)

# %% [markdown] id="e4-card"
# ### Exercise 15.4 · Cut a connection
# *★ · 5 minutes.* Return a copy of `weight` (outputs, inputs, 3, 3) in which only the connections from `inputs` (a list) to output `channel` are 0. **You will probably** cut the inputs for all outputs, or change the tensor that you were given.


# %% id="e4-starter"
def without(weight, channel, inputs):
    return ...


# %% id="e4-solution" jupyter={"source_hidden": true} tags=["solution"]
def without(weight, channel, inputs):
    copy = weight.clone()
    copy[channel, inputs] = 0
    return copy


# %% id="e4-check"
ck.check("15.4", without)

# %% [markdown] id="e5-card"
# ### Exercise 15.5 · Multiply a block out
# *★★ · 10 minutes.* `widen` (M, I), `place` (M, k, k) and `narrow` (O, M) are the weights of 1×1, depthwise and 1×1. Return the kernels (O, I, k, k) of the whole, as if there were no ReLU in between.
# **You will probably** lose track of the middle channels: sum over them, once.


# %% id="e5-starter"
def multiply_out(widen, place, narrow):
    return ...


# %% id="e5-solution" jupyter={"source_hidden": true} tags=["solution"]
def multiply_out(widen, place, narrow):
    paths = widen[:, :, None, None] * place[:, None]  # (M, I, k, k)
    return torch.tensordot(narrow, paths, dims=1)


# %% id="e5-check"
ck.check("15.5", multiply_out)

# %% [markdown] id="recap" slideshow={"slide_type": "slide"}
# ## Recap
#
# - Tuning, pictures and data say what a unit is for; cutting says whether it matters. Predict first, and cut at random as well.
# - Weights by place are excitation and inhibition. Our arc detector gets its direction from what it forbids.
# - Channels overlap with concepts more than random mixtures do, and still mean several things: there are more features than channels. A filter loss buys stable parts; shortcuts make single blocks expendable.

# %% [markdown] id="quiz" slideshow={"slide_type": "slide"}
# ## Quiz
#
# 1. A unit of layer 5 is silent to all your gratings. Is it dead?
# <details><summary>Answer</summary>No. It may want something that no grating has. Look at its top patches before you say so.</details>
#
# 2. You cut 28 inputs, and the unit changes. What is missing?
# <details><summary>Answer</summary>The control: 28 inputs drawn at random. Any large cut changes something.</details>
#
# 3. A random rotation keeps all information of a layer. Why do fewer of its axes match concepts?
# <details><summary>Answer</summary>Because the trained axes are special: each ReLU works on one channel, so training lines features up with channels, in part.</details>
#
# 4. A channel votes for plasters and for sloth bears. Is the network broken?
# <details><summary>Answer</summary>No. The two seldom meet, so one channel can serve both, and others tell them apart: superposition.</details>

# %% [markdown] id="reading" slideshow={"slide_type": "slide"}
# ## Further reading
#
# - C. Olah et al. *The building blocks of interpretability*, Distill 2018; *Zoom in: an introduction to circuits*, Distill 2020.
# - N. Cammarata et al. *Curve detectors*, Distill 2020; *Curve circuits*, Distill 2021.
# - D. Bau et al. *Network dissection: quantifying interpretability of deep visual representations.* CVPR 2017.
# - Q. Zhang, Y. N. Wu, S.-C. Zhu. *Interpretable convolutional neural networks.* CVPR 2018.
# - N. Elhage et al. *Toy models of superposition.* Transformer Circuits Thread, 2022.
# - A. Veit, M. Wilber, S. Belongie. *Residual networks behave like ensembles of relatively shallow networks.* NeurIPS 2016.
#
# **Next:** lab 16 gives you a network with a secret.
