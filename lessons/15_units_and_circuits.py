# %% [markdown] id="title" slideshow={"slide_type": "slide"}
# # 15 · Units and circuits
# ### From a single neuron to a verdict
#
# After this lab you will be able to
#
# - measure what a unit is tuned to, and say for which stimuli,
# - read weights by place, and test a cut against matched controls,
# - draw what a whole layer sees, place by place,
# - name channels by their overlap with concepts, and say what chance would reach,
# - learn a sparse dictionary, and measure whether its features are purer.

# %% [markdown] id="contract" slideshow={"slide_type": "skip"}
# **First do** labs 01 and 07. Lab 13 helps.
#
# **Run time** about 70 s on one CPU core. **Memory** below 3 GB. **Words** are explained in the [glossary](../docs/glossary.md).

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
# ## How does it work, unit by unit?
#
# Lab 03 asked *where* a network looks, lab 07 *what* a unit wants to see. Now: **how does it work?** Which unit stands for what, and how are units made from units?
#
# Four kinds of evidence, and none is enough alone:
#
# | evidence | asks |
# |---|---|
# | tuning | how does the answer change, when we change one property of a stimulus? |
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


# %% id="same" slideshow={"slide_type": "skip"}
curves = ck.curve_tuning(coursenet, "relu3")
some = curves.angles[::4].tolist()
torch.testing.assert_close(my_tuning(coursenet, "relu3", 57, some, 12), curves.responses[57, 1, ::4])
print("my_tuning and ck.curve_tuning agree")

# %% [markdown] id="arcs-title" slideshow={"slide_type": "slide"}
# ## An arc detector, for small arcs
#
# The angle says to which side the arc is open: 270° is ∩, 90° is ∪. Four units of CourseNet's third layer, each on its own scale; the title gives the
# largest answer. **Predict first.** What does the curve of a straight line look like?

# %% id="arcs" slideshow={"slide_type": "fragment"}
arcs = [57, 147, 63, 90]
ck.show_polar(
    {
        f"unit {k}, up to {curves.responses[k].max():.1f}": {
            "radius 12 pixels": curves.responses[k, 1],
            "radius 24 pixels": curves.responses[k, 2],
            "straight line": curves.responses[k, 4],
        }
        for k in arcs
    }
)

# %% id="arcs-claim" slideshow={"slide_type": "skip"}
cap, cup = slice(11, 14), slice(3, 6)  # ∩ and ∪: three directions each
for row, size in enumerate(("6", "12", "24", "48", "straight")):
    of_cap, of_cup = (curves.responses[57, row, side].mean().item() for side in (cap, cup))
    print(f"unit 57, radius {size:>8}: ∩ {of_cap:.2f}, ∪ {of_cup:.2f}")
ck.claim("∩ over ∪ at radius 12", curves.responses[57, 1, cap].mean() / curves.responses[57, 1, cup].mean(), above=5)
ck.claim("∩ over ∪ at radius 24", curves.responses[57, 2, cap].mean() / curves.responses[57, 2, cup].mean(), below=1.5)

# %% [markdown] id="arcs-read" slideshow={"slide_type": "notes"}
# A straight line has two equal lobes: after half a turn it is the same line. At radius 12 unit 57 answers to ∩ and not to ∪. At radius 24 the second
# lobe is there: 1.85 against 1.57. So unit 57 is a detector of horizontal lines, and only a *tight* ∪ silences it. "An arc detector" holds for radius 6 and 12.
# Unit 147 answers almost three times as strongly, and only prefers ∩.


# %% id="arcs-count" slideshow={"slide_type": "skip"}
def arc_detectors(tuning):
    """Units with a selectivity above 0.3 that answer more than the median unit of their layer."""
    answers = tuning.by_angle().amax(1)
    return ((tuning.selectivity() > 0.3) & (answers > answers.median())).nonzero()[:, 0].tolist()


untrained = [len(arc_detectors(ck.curve_tuning(ck.random_model("coursenet", seed=s), "relu3"))) for s in range(3)]
detectors, largest = arc_detectors(curves), curves.by_angle().amax(1)
print("arc detectors by this rule:", *detectors)
print(
    f"unit 57: selectivity {curves.selectivity()[57]:.2f}, answer {largest[57]:.1f}; median unit {largest.median():.1f}"
)
ck.claim("arc detectors among the 192 units", len(detectors), at_least=1, at_most=10)
ck.claim("the same in three networks with random weights, at most", max(untrained), at_most=0)

# %% [markdown] id="arcs-count-read" slideshow={"slide_type": "skip"}
# Few units are so clear. Unit 57 is by far the most selective, 0.71, but it is not among the three: to arcs it answers less than the median unit, 2.5 against 4.5. What it likes more comes below. The condition on the answer
# matters: by selectivity alone, a random network has 13 or 14 arc detectors and the trained one 7, because a unit that hardly answers to anything can be selective by accident. The paper found ten curve detectors in one layer of InceptionV1, which share all directions among them; ours leave gaps.

# %% [markdown] id="ideal-title" slideshow={"slide_type": "skip"}
# ## The picture and the tuning curve disagree
#
# Left, the painted stimulus of the neuron in the middle of the map (lab 07), before the ReLU. Then the five patches that excite the unit most, in the 72 scenes.
# Patches that reach over the border of the scene are left out.

# %% id="ideal" slideshow={"slide_type": "skip"}
pair = [57, 147]
ideal = ck.render(coursenet, o.neuron("conv3", pair), size=64, steps=48, progress=False).images[..., 14:58, 14:58]
pictures, titles = [], []
for i, k in enumerate(pair):
    top = ck.top_patches(coursenet, scenes.images, "relu3", k, k=40)
    inside = (~top.cut).nonzero()[:5, 0].tolist()
    pictures += [ideal[i : i + 1], *(top.patches[j : j + 1] for j in inside)]
    names = [scenes.objects[int(top.images[j])].replace("_", " ") for j in inside]
    titles += [f"unit {k}, painted", *(f"{n} {top.values[j]:.1f}" for n, j in zip(names, inside, strict=True))]
ck.show_images(pictures, titles, columns=6)

# %% [markdown] id="ideal-read" slideshow={"slide_type": "skip"}
# 147 wants a dome over stripes: an arch, as its tuning said. The picture of 57 is a surprise: a dark bowl on light, **round downwards**, where its tuning said ∩.
# In its patches something dark lies over something lighter, and the border bends either way: they do not decide. One of the two seems to mislead, so we ask with another stimulus.

# %% [markdown] id="edges-title" slideshow={"slide_type": "slide"}
# ## What goes wrong · a line is not an edge
#
# Arcs are thin lines. Show unit 57 the **edges** of discs. The orange frame is what the neuron in the middle can see. **Predict first.** Which of the four does it like best?

# %% id="edges" slideshow={"slide_type": "fragment"}
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
field = top.boxes[inside[0]][2]  # the side of the receptive field
ck.show_images(
    list(discs.values()),
    [f"{name}: {value:.1f}" for name, value in zip(discs, said, strict=True)],
    columns=4,
    boxes=[(64 - field // 2, 64 - field // 2, field, field)] * 4,
)

# %% id="edges-claim" slideshow={"slide_type": "skip"}
ck.claim("least answer to dark over light, over the largest to light over dark", min(said[:2]) / max(said[2:]), above=3)
ck.claim("dark over light, answer to ∪ over answer to ∩", said[0] / said[1], above=1)

# %% [markdown] id="edges-read" slideshow={"slide_type": "notes"}
# For **edges**, unit 57 asks for *dark over light* and takes either curvature, ∪ even more; the painted picture was right. For **thin lines** it asks for ∩; the tuning was right, too. "An arc detector" is true of the stimuli that we tried first, and no more than that.

# %% [markdown] id="bars-title" slideshow={"slide_type": "skip"}
# ## Gratings and photographs agree on orientation
#
# Second layer: 128 units. Each has a preferred orientation by **gratings**. In the 9 **patches of photographs** that excite it most, what is the orientation of the edges (by gradients)?
#
# **Predict first.** If tuning were an artefact of gratings, the two would differ by 45° in the median. What will it be?

# %% id="bars-measure" slideshow={"slide_type": "skip"}
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

# %% id="bars" slideshow={"slide_type": "skip"}
degrees = list(range(0, 91, 5))
ck.show_lines(
    degrees,
    {
        f"{len(tuned)} selective units": [(error <= d).float().mean().item() for d in degrees],
        "chance": [d / 90 for d in degrees],
    },
    xlabel="difference between gratings and photographs at most, degrees",
    ylabel="fraction of the units",
)

# %% id="bars-claim" slideshow={"slide_type": "skip"}
ck.claim("units of 128 with a selectivity above 0.5", len(tuned), above=64)
ck.claim("their median difference in degrees, by chance 45", error.median(), below=12, digits=1)
ck.claim("fraction of them within 22.5°, by chance 0.25", (error < 22.5).float().mean(), above=0.7)

# %% [markdown] id="bars-read" slideshow={"slide_type": "skip"}
# About 6°. Five of six selective units want the same orientation in gratings and in photographs, within 22.5°. For the others the two differ: there a tuning curve alone would mislead.

# %% [markdown] id="layers-text" slideshow={"slide_type": "skip"}
# ## What goes wrong · our stimuli do not reach high layers
#
# The same gratings at all five layers. **Predict first.** Are units of layer 5 more selective than those of layer 2, or less?

# %% id="layers" slideshow={"slide_type": "skip"}
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
ck.show_lines(range(5), share, ticks=names, xlabel="layer", ylabel="fraction of the units", limits=(0, 1))

# %% id="layers-claim" slideshow={"slide_type": "skip"}
for title, values in share.items():
    print(f"{title}: " + ", ".join(f"{name} {value:.2f}" for name, value in zip(names, values, strict=True)))
ck.claim("no answer to any grating: least of relu4 and relu5", min(share["no answer to any grating"][3:]), above=0.4)
ck.claim("no answer to any grating: most of relu1 to relu3", max(share["no answer to any grating"][:3]), below=0.05)

# %% [markdown] id="layers-read" slideshow={"slide_type": "skip"}
# Of the units that answer, about as many are selective at relu5 as at relu2. But the orange line shows that the two must not be compared. At relu4 and relu5 more than half of the units are silent, and what
# the others answer to grey bars has little to do with their work. relu1 has few selective units: these gratings are wide for its small filters, and many of its filters see colour.
# A stimulus made by rule can only find what its maker thought of. Higher up, let the data speak, or the network itself.

# %% [markdown] id="semantic-title" slideshow={"slide_type": "skip"}
# ## A semantic dictionary
#
# At each place a layer holds a list of 192 numbers. Replace the numbers by **pictures**: which channels are strongest here, and what do they want to see? (Olah et al. 2018.) A row is a place of the cat; three channels with their activations.

# %% id="semantic" slideshow={"slide_type": "skip"}
layer = "block13"
cat = ck.load_image("chelsea", size=224)
cat_maps = ck.activations(model, cat, [layer], reduce="maps")[layer][0]  # (192, 7, 7)
groups = ck.neuron_groups(cat_maps[None], count=4)
places = [divmod(int(m.flatten().argmax()), 7) for m in groups.maps[0]][:2]  # where each group is strongest
words = {place: cat_maps[:, place[0], place[1]].topk(3) for place in places}
channels = sorted({k for word in words.values() for k in word.indices.tolist()})
painted = ck.render(model, o.channel(layer, channels), size=96, steps=40, progress=False).images
pictures = dict(zip(channels, painted, strict=True))


def around(row, column):
    top, left = (min(max(32 * p + 16 - 40, 0), 224 - 80) for p in (row, column))
    return cat[..., top : top + 80, left : left + 80]


entries = [[around(*place), *(pictures[k][None] for k in word.indices.tolist())] for place, word in words.items()]
ck.show_images(
    [picture for entry in entries for picture in entry],
    [
        title
        for (row, column), word in words.items()
        for title in (
            f"row {row + 1}, column {column + 1}",
            *(f"channel {k}: {v:.1f}" for v, k in zip(*word, strict=True)),
        )
    ],
    columns=4,
)

# %% [markdown] id="grid-title" slideshow={"slide_type": "slide"}
# ## The whole layer on one picture
#
# At each of the 7 × 7 places the layer holds one activation vector $a_0$. Paint a picture for each of the 49 vectors: maximise $a \cdot a_0 \, \cos(a, a_0)$, and lay the pictures where their vectors were (Carter et al. 2019).
# **Predict first.** Will you find the eyes?

# %% id="grid" slideshow={"slide_type": "fragment"}
vectors = cat_maps.flatten(1).T  # (49, 192)


def towards(acts, logits):
    a, goal = acts[layer].mean((2, 3)), vectors.to(acts[layer])
    return (a * goal).sum(1) / goal.norm(dim=1) * F.cosine_similarity(a, goal).clamp(min=0.1)


tiles = ck.render(model, o.Objective(towards, frozenset([layer]), count=49), size=64, steps=36, progress=False).images
ck.show_images(
    [cat, ck.mosaic(tiles[..., 4:60, 4:60], columns=7, gap=1)],
    ["the photograph", "what block13 holds at 49 places"],
    columns=2,
)

# %% id="grid-claim" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
painted_codes = ck.activations(model, tiles, [layer])[layer].cpu()
cosine = F.cosine_similarity(painted_codes[:, None], vectors[None], dim=2)  # picture i, vector j
nearest = (cosine.argmax(1) == torch.arange(49)).float().mean()
ck.claim("cosine of a picture's activations with its own vector, median", cosine.diagonal().median(), above=0.5)
ck.claim("with the vector of another place, median", cosine[~torch.eye(49, dtype=torch.bool)].median(), below=0.4)
ck.claim("pictures whose own vector is the nearest of 49, by chance 0.02", nearest, above=0.5)

# %% [markdown] id="grid-read" slideshow={"slide_type": "notes"}
# Yes. Pupils lie where the eyes are, a snout with a dark nose where the nose is, pale whiskers below, striped fur on the forehead. By their activations about three of four pictures are nearest to their own vector of the 49. But eyes and snouts also lie where the cat has fur only: a vector says what the layer holds, not what is there.

# %% [markdown] id="groups-title" slideshow={"slide_type": "skip"}
# ## Neuron groups
#
# 192 channels are too many to read. Non-negative matrix factorisation writes the activations as a few **groups** that add up: $A \approx M D$, with $M, D \ge 0$. Rows of $A$ are places.

# %% id="groups" slideshow={"slide_type": "skip"}
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

# %% id="groups-claim" slideshow={"slide_type": "skip"}
ck.claim("fraction of the squared activations that four groups explain", groups.explained, above=0.6)
ck.claim("the same for one group", ck.neuron_groups(cat_maps[None], count=1).explained, below=0.65)

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
# **Predict first.** ∩ has a horizontal top and steep sides. What should vertical bars (90°) do?

# %% id="circuit" slideshow={"slide_type": "fragment"}
tuning = bars.by_angle() / bars.by_angle().amax(1, keepdim=True).clamp(min=1e-6)
W = coursenet.layer("conv3").weight.detach().cpu()
V = torch.einsum("ihw,ia->ahw", W[57], tuning)[::2]
gratings = [ck.stimuli.grating(32, 10, angle) for angle in bars.angles[::2].tolist()]
ck.show_circuit(
    V, [f"{angle:.0f}°" for angle in bars.angles[::2].tolist()], pictures=gratings, unit="← inhibits   excites →"
)

# %% [markdown] id="circuit-read" slideshow={"slide_type": "notes"}
# **The description.** Horizontal bars excite, in the middle and below it (on the left they inhibit; we leave that out). Vertical bars inhibit everywhere, most in the two upper rows. Both ∩ and ∪ have a horizontal piece where they are thickest. But the sides of ∪ stand
# *above* this piece, and the sides of ∩ hang below it. So the direction of the arc would be decided by inhibition: **from vertical bars**, and **by its place**. These are two statements, and each has its own test.

# %% [markdown] id="predictions" slideshow={"slide_type": "slide"}
# ## Four predictions, made before we cut
#
# | | we change | if the description is right | the control |
# |---|---|---|---|
# | 1 | cut the inhibitors tuned to vertical bars | ∩ stays, the silent ∪ begins to answer | as many inputs, drawn from all |
# | 2 | cut *other* inhibitors: as many, as strong | ∪ stays silent | this **is** the control for "vertical" |
# | 3 | cut the exciters tuned to horizontal bars | ∩ loses much of its answer | other exciters: as many, as strong |
# | 4 | turn the inhibitors' kernels upside down | the unit prefers ∪ | turn them left to right |
#
# **Predict first.** Which of the four will come out?

# %% id="circuit-claim" slideshow={"slide_type": "skip"}
upright = V[3]  # bars of 90°
ck.claim("vertical bars, mean weight of the two upper rows", upright[:2].mean(), below=0)
ck.claim("the same over that of the lowest row", upright[:2].mean() / upright[2].mean(), above=1.5)
ck.claim("horizontal bars, weight in the middle of the lowest row", V[0, 2, 1], above=0.1)

# %% id="circuit-cut" slideshow={"slide_type": "skip"}
sums = W[57].sum((1, 2))  # what each input does in total


def inputs_near(angle, sign):
    near = (ck.angle_between(preferred, torch.tensor(float(angle))) < 25) & (selectivity > 0.4) & (sign * sums > 0)
    return near.nonzero()[:, 0].tolist()


def answers(inputs=()):
    """The tuning of unit 57 to arcs of radius 12, without the connections from some inputs."""
    with ck.cut_weights(coursenet, "conv3", 57, list(inputs)):
        return ck.curve_tuning(coursenet, "relu3", radii=(12,)).responses[57, 0]


def turned(axis):
    """The same with the kernels of all inhibitors turned over: 1 upside down, 2 left to right."""
    weight = coursenet.layer("conv3").weight
    before = weight.detach().clone()
    inhibits = (before[57].sum((1, 2)) < 0)[:, None, None]
    with torch.no_grad():
        weight[57] = torch.where(inhibits, before[57].flip(axis), before[57])
        try:
            return answers()
        finally:
            weight.copy_(before)


vertical, horizontal = inputs_near(90, -1), inputs_near(0, +1)
lots = torch.Generator().manual_seed(0)
drawn = torch.stack([torch.randperm(128, generator=lots)[: len(vertical)] for _ in range(20)])
tried = {
    "intact": answers()[None],
    f"1 · {len(vertical)} vertical inhibitors cut": answers(vertical)[None],
    f"{len(vertical)} random inputs": torch.stack([answers(some.tolist()) for some in drawn]),
    f"2 · {len(vertical)} other inhibitors, as strong": torch.stack(
        [answers(some.tolist()) for some in ck.matched_controls(sums, vertical)]
    ),
    f"3 · {len(horizontal)} horizontal exciters cut": answers(horizontal)[None],
    f"{len(horizontal)} other exciters, as strong": torch.stack(
        [answers(some.tolist()) for some in ck.matched_controls(sums, horizontal)]
    ),
    "4 · inhibitors upside down": turned(1)[None],
    "inhibitors left to right": turned(2)[None],
}
to_cap, to_cup = ({name: found[:, side].mean(1) for name, found in tried.items()} for side in (cap, cup))

# %% [markdown] id="cut-title" slideshow={"slide_type": "slide"}
# ## The place of the inhibition decides, not what it is tuned to
#
# Only connections into unit 57 change. Grey: controls, mean and range of 20 draws.

# %% id="cut" slideshow={"slide_type": "-"} tags=["gallery"]
ck.show_dots(
    {
        f"answer to {sign}": {
            name: (values.mean().item(), values.min().item(), values.max().item()) for name, values in side.items()
        }
        for sign, side in (("∩", to_cap), ("∪", to_cup))
    },
    columns=2,
    xlabel="answer of unit 57 to arcs of radius 12",
    interval="range of 20 draws",
    grey=[name for name in tried if " · " not in name or name[0] == "2"],
    line="intact",
)

# %% id="cut-claim" slideshow={"slide_type": "skip"}
intact, first, random_cuts, second, third, exciters, fourth, mirrored = to_cup
ck.claim("1. vertical inhibitors cut: ∪ over ∩", to_cup[first] / to_cap[first], above=0.5)
ck.claim("   random inputs cut, as many: mean ∪", to_cup[random_cuts].mean(), below=0.5)
beyond = (to_cup[second] < to_cup[first]).float().mean()
ck.claim("2. draws of other inhibitors with a smaller ∪, as a fraction", beyond, above=0.05, below=0.95, digits=1)
ck.claim("   smallest ∪ without other inhibitors", to_cup[second].min(), above=0.5)
ck.claim("3. horizontal exciters cut: ∩ over the intact ∩", to_cap[third] / to_cap[intact], below=0.67)
ck.claim("   other exciters cut: smallest ∩", to_cap[exciters].min(), above=1.2)
ck.claim("4. upside down: ∪ minus ∩", to_cup[fourth] - to_cap[fourth], above=0.5)
ck.claim("   left to right: ∪ minus ∩", to_cup[mirrored] - to_cap[mirrored], below=-0.5)

# %% [markdown] id="cut-read" slideshow={"slide_type": "notes"}
# Predictions 1, 3 and 4 came out. **Prediction 2 failed.** Without the vertical inhibitors ∪ is answered with 1.54, and without as many *other* inhibitors of the same strength with 1.4 to 1.7. So it does not matter that they see vertical bars. The usual control, 28 inputs drawn from all,
# would have hidden this: such a draw holds exciters too, and weak inputs. (The 28 strongest inputs of one sign leave only 50 others, so the draws share many members.)
#
# The description that survives: *horizontal bars excite; ∪ is silenced by inhibition, and the place of the inhibition decides the direction*. Turned upside down, the same kernels make a detector of ∪. This is one unit. The same turn does not reverse the other three units of the first figure, so it is no rule.

# %% [markdown] id="effective-title" slideshow={"slide_type": "skip"}
# ## Through a block: expanded weights
#
# EfficientNet-Lite0 has no plain 3 × 3 kernels. Its block is 1×1 (widen) → depthwise 3×3 → 1×1 (narrow). Multiplied out, with the BatchNorms' factors, this is again one kernel for each pair of channels. **Both ReLU6 in between are left
# out**, so it is a guess. How good?


# %% id="effective" slideshow={"slide_type": "skip"}
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
correlations = torch.stack(
    [torch.corrcoef(torch.stack([a, b]))[0, 1] for a, b in zip(branch[0].flatten(1), guess[0].flatten(1), strict=True)]
)
ck.claim("linear guess and true branch, correlation in the median channel", correlations.median(), above=0.2, below=0.9)

# %% [markdown] id="effective-read" slideshow={"slide_type": "skip"}
# In the median channel the correlation is about a third. The two ReLU6 matter, so expanded weights are hints, no description: read them as predictions and test them by cutting. CourseNet's plain kernels, above, need no such guess.

# %% [markdown] id="dissect-code-title" slideshow={"slide_type": "skip"}
# ## Network dissection, whole
#
# Cut each map at its top 2 %, and measure its overlap (IoU) with the masks of 19 concepts (Bau et al. 2017). Only images that show a concept of the same kind count.


# %% id="dissect-code" slideshow={"slide_type": "skip"} tags=["show-code"]
def my_dissect(maps, concepts, share=0.02):  # (N, K, h, w) -> IoU (K, C) and thresholds (K,)
    above = round(share * maps[:, 0].numel())
    thresholds = maps.transpose(0, 1).flatten(1).topk(above + 1).values[:, -1]
    return my_iou(maps, thresholds, concepts), thresholds


def my_iou(maps, thresholds, concepts):
    both = either = 0
    for m, truth, counts in zip(maps.split(8), concepts.masks.split(8), concepts.labelled().split(8), strict=True):
        large = F.interpolate(m, truth.shape[2:], mode="bilinear")
        active, truth = (large > thresholds[:, None, None]).flatten(2).float(), truth.flatten(2).float()
        inside = active @ truth.mT * counts[:, None]
        both = both + inside.sum(0)
        either = either + ((active.sum(2)[:, :, None] + truth.sum(2)[:, None]) * counts[:, None] - inside).sum(0)
    return both / either.clamp(min=1)


# %% id="dissect-same" slideshow={"slide_type": "skip"}
concepts = ck.concept_scenes(160, size=128)
natural = ck.dissect(coursenet, concepts, "relu5")
maps5 = ck.activations(coursenet, concepts.images, ["relu5"], reduce="maps")["relu5"]
mine, thresholds = my_dissect(maps5, concepts)
torch.testing.assert_close(mine, natural.iou, atol=1e-4, rtol=1e-3)
print("my_dissect and ck.dissect agree")

# %% [markdown] id="dissect-title" slideshow={"slide_type": "slide"}
# ## Is a channel special? Turn the axes
#
# Network dissection: cut each map at its top 2 %, and measure its overlap (IoU) with the masks of 19 concepts. The control: **rotate** the layer. 256 random mixtures of the 256 channels hold the same information.
#
# **Predict first.** Will the mixtures match concepts as well as the channels?


# %% id="dissect" slideshow={"slide_type": "fragment"}
def rotated(maps, seed):
    Q, _ = torch.linalg.qr(torch.randn(maps.shape[1], maps.shape[1], generator=torch.Generator().manual_seed(seed)))
    return torch.einsum("nchw,cd->ndhw", maps, Q)


mixed = [my_dissect(rotated(maps5, seed), concepts)[0] for seed in range(5)]
by_rank = torch.stack([iou.amax(1).sort(descending=True).values for iou in (natural.iou, *mixed)])
ck.show_lines(
    range(256),
    {"channels": by_rank[0], "5 rotations, mean and range": by_rank[1:].mean(0)},
    bands={"5 rotations, mean and range": (by_rank[1:].amin(0).tolist(), by_rank[1:].amax(0).tolist())},
    levels={"chance: other images' masks": natural.chance},
    xlabel="channels, best first",
    ylabel="IoU with the best concept",
)

# %% id="dissect-claim" slideshow={"slide_type": "skip"}
with_detector = [len(set(iou.argmax(1)[iou.amax(1) > natural.chance].tolist())) for iou in (natural.iou, *mixed)]
tens = by_rank[:, :10].mean(1)
print("concepts of 19 with a detector: channels", with_detector[0], "· rotations", *with_detector[1:])
ck.claim(
    "concepts with a detector, channels over the best rotation", with_detector[0] / max(with_detector[1:]), above=1
)
ck.claim("IoU of the ten best, channels over the best rotation", tens[0] / tens[1:].max(), above=1)
lasts = by_rank[:, -100:].mean(1)
ck.claim("IoU of the hundred worst, channels over the worst rotation", lasts[0] / lasts[1:].min(), below=1)

# %% [markdown] id="dissect-read" slideshow={"slide_type": "notes"}
# The best channels are better than the best mixtures, and the worst are worse: the axes of a layer with ReLU are *special*, in both directions. How many channels get a name at all hardly differs here (colours are easy: many a mixture
# finds some of them); the number of **different concepts** does. Bau et al. count these, too, and find that a rotation of AlexNet's fifth layer leaves far fewer. Ours is a small network with 19 concepts.

# %% [markdown] id="plate-title" slideshow={"slide_type": "slide"}
# ## Three dissected units: two keep their names

# %% [markdown] id="plate-text" slideshow={"slide_type": "skip"}
# For each kind of concept the surest channel, in its five strongest of 80 **new** scenes, pale where the channel is below its threshold. The names come from other scenes.

# %% id="plate" slideshow={"slide_type": "-"}
kind_of = dict(zip(concepts.names, concepts.kinds, strict=True))
surest = {}
for k, name in natural.names().items():
    surest.setdefault(kind_of[name], (k, name))
new = ck.concept_scenes(80, seed=1, size=128)
units = [k for k, _ in surest.values()]
new_maps = ck.activations(coursenet, new.images, ["relu5"], reduce="maps")["relu5"][:, units]
cuts = natural.thresholds[units]
chosen = [concepts.names.index(name) for _, name in surest.values()]
again = my_iou(new_maps, cuts, new)[range(3), chosen].tolist()
plate, captions = [], []
for i, (k, name) in enumerate(surest.values()):
    strongest = new_maps[:, i].amax((1, 2)).topk(5).indices
    active = F.interpolate(new_maps[strongest, i][:, None], (128, 128), mode="bilinear") > cuts[i]
    plate += torch.where(active, new.images[strongest], 0.75 + 0.25 * new.images[strongest]).split(1)
    captions += [f"unit {k}", name, f"IoU {natural.iou[k, chosen[i]]:.2f}", f"new IoU {again[i]:.2f}", ""]
ck.show_images(plate, captions, columns=5)

# %% id="plate-claim" slideshow={"slide_type": "skip"}
others = ck.Concepts(new.images, new.masks.roll(1, 0), new.names, new.kinds)
wrong = my_iou(new_maps, cuts, others)[range(3), chosen]
for (k, name), value in zip(surest.values(), again, strict=True):
    print(f"unit {k}, {name}: IoU {natural.iou[k, concepts.names.index(name)]:.2f}, on new scenes {value:.2f}")
ck.claim(
    "names of three that hold on new scenes (IoU above chance)", sum(v > natural.chance for v in again), at_least=2
)
ck.claim("largest IoU of the three with the masks of the next scene", wrong.max(), below=0.05)

# %% [markdown] id="plate-read" slideshow={"slide_type": "notes"}
# *black* keeps its overlap, 0.23 and 0.21. *hoofed animal* loses some, 0.22 to 0.15, and the pictures say why: it lights up on a horse and a donkey, and as strongly on an otter, a dog and a fox. "Body of a furry animal" would describe it better. *striped* falls from 0.14 to 0.01: on new
# scenes it marks two wings and other places, and no stripes. It was the best of 256 channels by a few pictures: the best of many is good by luck, too. A name is a hypothesis. Test it on other pictures.

# %% [markdown] id="parted-title" slideshow={"slide_type": "skip"}
# ## Filters that are made to be readable
#
# Zhang, Wu & Zhu (2018) *train* for readable filters: each map $x$ should fit one of $n^2$ **templates** with one peak, or the one that says *not here*.
#
# $$ T_\mu(p) = \max\!\Big(1 - 4\,\tfrac{\lVert p - \mu \rVert_1}{n},\; -1\Big) \qquad \mathcal{L} = -I(X; T), \quad p(x|T) = \frac{e^{\tau \langle x, T \rangle}}{Z_T} $$
#
# The loss is minus the mutual information of maps and templates. Behind the layer, a **mask** $\max(T_\mu, 0)$ keeps what lies near the peak. Our maps are weaker than the paper's, so $\tau$ is 0.15 here and not $0.5/n^2$.


# %% id="parted-code" slideshow={"slide_type": "skip"} tags=["show-code"]
def my_filter_loss(maps, tau):  # (N, K, n, n) -> (K,)
    T = ck.part_templates(maps.shape[2]).flatten(1)
    given = (tau * maps.flatten(2) @ T.T).softmax(0)  # p(x|T), over the N maps
    alone = given.mean(2, keepdim=True)  # p(x): all templates equally frequent
    return -(given * (given / alone).log()).sum(0).mean(1)


# %% id="parted-same" slideshow={"slide_type": "skip"}
fields = torch.rand(16, 3, 6, 6, generator=torch.Generator().manual_seed(0)) * 4
torch.testing.assert_close(my_filter_loss(fields, 0.5), ck.filter_loss(fields, 0.5), atol=1e-5, rtol=1e-4)
print("my_filter_loss and ck.filter_loss agree")

# %% [markdown] id="parted-pair-title" slideshow={"slide_type": "slide"}
# ## Does a filter keep to its part without filter loss?

# %% [markdown] id="parted-pair-text" slideshow={"slide_type": "skip"}
# The same small network, with and without filter loss and mask. Each dot is a filter's peak in a new scene, **in the animal's own frame**. **Predict first.** Where will the peaks lie without filter loss?

# %% id="parted-run" slideshow={"slide_type": "skip"}
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


# %% id="parted" slideshow={"slide_type": "fragment"} tags=["gallery"]
kinds = {"parted": "with filter loss", "unparted": "without"}
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
titles_of = {"parted": "with filter loss", "unparted": "without", "chance": "a random place"}
by_filter = {title: spreads[name].nanmean(1) for name, title in titles_of.items()}
intervals = {
    title: ck.bootstrap_interval(
        values[~values.isnan()].tolist(), [f"{k}" for k in (~values.isnan()).nonzero()[:, 0].tolist()]
    )
    for title, values in by_filter.items()
}
ck.show_dots(
    {"spread of a filter's peaks": intervals},
    xlabel="in sides of the object's box",
    interval="95 % interval over the filters",
    grey=["a random place"],
    limits=(0, 0.45),
)

# %% id="parted-claim" slideshow={"slide_type": "skip"}
with_loss, without = (spreads[name].nanmedian().item() for name in ("parted", "unparted"))
ck.claim("median spread, with filter loss over without", with_loss / without, below=0.8)
ck.claim(
    "median spread without filter loss, over that of a random place", without / spreads["chance"].nanmedian(), below=0.6
)
truth = torch.tensor([animals.index(name) for name in fresh.objects])
for name, kind in kinds.items():
    logits = ck.activations(ck.load_model(name), fresh.images, ["fc5"])["fc5"]
    ck.claim(f"accuracy on 240 new scenes {kind}, chance 0.1", (logits.argmax(1) == truth).float().mean(), above=0.85)

# %% [markdown] id="parted-read" slideshow={"slide_type": "notes"}
# Not at random places: a classifier likes stable parts without any loss. For each animal we drew the filter of *median* spread, no chosen one. With the filter loss the dots lie closer: in the median about 0.10 sides of the box against 0.15; random places would give 0.40 (means: 0.13, 0.18, 0.40). It costs some accuracy: 0.92 against 0.95. Dots beside the
# animal are peaks at its border, or on the background. Both networks were trained on the same ten animals; here they lie at other places, in other sizes, on other backgrounds. Each animal
# is a single cut-out, which makes it easy. The paper counts by many animals of a class.

# %% [markdown] id="category-title" slideshow={"slide_type": "skip"}
# ## Map, template, mask, category
#
# The filter of median spread of two animals, each in one new scene: the map $x$ behind the ReLU; the template at its peak; the map behind the mask. Zhang et al. give each filter a **category**: the class with the largest mean activation.

# %% id="category" slideshow={"slide_type": "skip"}
trained = {name: ck.activations(ck.load_model(name), fresh.images, ["relu4"], reduce="maps")["relu4"] for name in kinds}
templates = ck.part_templates(12)


def category(maps):
    """Each filter's mean activation for the ten animals, as fractions of its sum: (filters, animals)."""
    means = torch.stack([maps[truth == c].mean((0, 2, 3)) for c in range(10)], 1)
    return means / means.sum(1, keepdim=True)


of_class = {name: category(maps) for name, maps in trained.items()}
panels, captions = [], []
for animal in ("flamingo", "husky"):
    k = median_filter("parted", animal)
    scene = max(
        (truth == animals.index(animal)).nonzero()[:, 0].tolist(), key=lambda n: trained["parted"][n, k].max().item()
    )
    x = trained["parted"][scene, k]
    template = templates[int(x.argmax())]
    panels += [fresh.images[scene : scene + 1]]
    panels += [m[None, None] for m in (x / x.max(), (template + 1) / 2, x / x.max() * template.clamp(min=0))]
    best = int(of_class["parted"][k].argmax())
    captions += [animal, f"filter {k}: map", "its template", f"masked; category {animals[best].replace('_', ' ')}"]
ck.show_images(panels, captions, columns=4)

# %% id="category-claim" slideshow={"slide_type": "skip"}
top_share = {name: shares.amax(1).nanmean().item() for name, shares in of_class.items()}
ck.claim(
    "a filter's mean activation that its category gets, with filter loss (equal shares 0.1)",
    top_share["parted"],
    above=0.15,
)
ck.claim("the same, with filter loss minus without", top_share["parted"] - top_share["unparted"], below=0)

# %% [markdown] id="category-read" slideshow={"slide_type": "skip"}
# The mask removes what lies far from the peak. The category is a weaker thing: a filter's own class gets about a fifth of its activation, and *less* with the filter loss than without. So here the loss gives each filter a place, and not a class of its own; the paper reports both.

# %% [markdown] id="poly-title" slideshow={"slide_type": "slide"}
# ## One unit, two meanings? A search with a null
#
# EfficientNet-Lite0, the last layer before the classes: 1280 channels. It is easy to find *one* channel that likes plasters and bears, and to call it **polysemantic**. How many are there, and how many by chance?
#
# - **Output.** The five classes that a channel votes for most: do they hold both animals and things?
# - **Input.** The eight of 112 objects that excite it most: do they fall into **two families**, at least three animals and three things, each family alike?
#
# **Predict first.** Mixed votes: in more channels than by chance, or in fewer?

# %% id="poly-run" slideshow={"slide_type": "skip"}
labelled = ck.cutouts("labelled")
kinds_of_object = list(labelled)
pool = ck.scenes(2 * len(labelled), objects=kinds_of_object, seed=1, background="plain")
seen = ck.activations(model, pool.images, ["block13", "relu2"], reduce="maps")
owner = torch.tensor([kinds_of_object.index(name) for name in pool.objects])
weights = (model.head.weight - model.head.weight.mean(0)).detach().cpu()  # what all classes share moves no probability
classes = torch.tensor(list(labelled.values()))
is_animal = classes < 398
similar = F.normalize(weights[classes], dim=1)
similar = similar @ similar.T  # of two objects: the cosine of their classes' weights


def by_object(values):  # (scenes, channels) -> (objects, channels), the mean over the two scenes of each object
    return torch.stack([values[owner == i].mean(0) for i in range(len(labelled))])


def similarity(first, among):
    """Mean similarity of all pairs among some of each channel's first objects, both (channels, n)."""
    pairs = (among[:, :, None] & among[:, None]) & ~torch.eye(first.shape[1], dtype=torch.bool)
    return (similar[first[:, :, None], first[:, None]] * pairs).sum((1, 2)) / pairs.sum((1, 2)).clamp(min=1)


def two_families(codes):
    """For each channel: how alike the less alike family is among its first eight objects; -1 without two families."""
    first = codes.topk(8, dim=0).indices.T
    animals = is_animal[first]
    both = torch.minimum(similarity(first, animals), similarity(first, ~animals))
    return both.where((animals.sum(1) >= 3) & (animals.sum(1) <= 5), -torch.ones(()))


def mixed_votes(weights):
    animals = (weights.topk(5, dim=0).indices < 398).sum(0)
    return ((animals > 0) & (animals < 5)).float().mean().item()


late = by_object(seen["relu2"].mean((2, 3)))
turns = [torch.linalg.qr(torch.randn(1280, 1280, generator=torch.Generator().manual_seed(s)))[0] for s in range(5)]
lots = torch.Generator().manual_seed(0)
shuffled_weights, shuffled_codes = (
    torch.stack([column[torch.randperm(len(column), generator=lots)] for column in table.T], 1)
    for table in (weights, late)
)
score = two_families(late)
mixed_share = {
    "channels": [mixed_votes(weights)],
    "5 rotations": [mixed_votes(weights @ turn) for turn in turns],
    "shuffled": [mixed_votes(shuffled_weights)],
}
families_share = {
    name: [(two_families(table) > 0.05).float().mean().item() for table in tables]
    for name, tables in {
        "channels": [late],
        "5 rotations": [late @ turn for turn in turns],
        "shuffled": [shuffled_codes],
    }.items()
}

# %% [markdown] id="poly-answer-title" slideshow={"slide_type": "slide"}
# ## Fewer mixed votes than by chance, and a few clear families

# %% id="poly" slideshow={"slide_type": "-"}
ck.show_dots(
    {
        title: {name: (sum(v) / len(v), min(v), max(v)) for name, v in shares.items()}
        for title, shares in {
            "votes: animals and things,\nfraction of the channels": mixed_share,
            "objects: two families,\nfraction of the channels": families_share,
        }.items()
    },
    interval="range of 5 rotations",
    grey=["5 rotations", "shuffled"],
    columns=2,
)

# %% id="poly-claim" slideshow={"slide_type": "skip"}
for title, shares in (("mixed votes", mixed_share), ("two families", families_share)):
    print(title, *(f"· {name} {min(v):.2f} to {max(v):.2f}" for name, v in shares.items()))
ck.claim(
    "mixed votes, channels minus the lowest rotation",
    mixed_share["channels"][0] - min(mixed_share["5 rotations"]),
    below=0,
)
ck.claim("mixed votes, shuffled classes", mixed_share["shuffled"][0], above=0.85)
ck.claim(
    "two families, channels over the mean of the rotations",
    5 * families_share["channels"][0] / sum(families_share["5 rotations"]),
    above=1,
)

# %% [markdown] id="poly-read" slideshow={"slide_type": "notes"}
# **Fewer.** 68 % of the channels have mixed votes. That sounds like many, but by chance (shuffled classes) it would be 92 %, and for the axes of a random rotation it is about 80 %. So channels are *purer* than chance: the number alone would have told the opposite story.
# Two clear families are another matter. They are in about one channel of twenty, by chance in about one of a hundred, and in rotations in somewhat fewer than in the channels. So polysemantic channels exist, and they are the exception here.

# %% [markdown] id="families-title" slideshow={"slide_type": "slide"}
# ## The clearest of 1280: pigs and fruit
#
# The channel with the largest score: its eight strongest objects, with the mean activation in two scenes.

# %% id="families" slideshow={"slide_type": "-"}
clearest = int(score.argmax())
first = late[:, clearest].topk(8).indices.tolist()
ck.show_images(
    [pool.images[int((owner == i).nonzero()[0, 0])][None] for i in first],
    [f"{kinds_of_object[i].replace('_', ' ')} {late[i, clearest]:.1f}" for i in first],
    columns=4,
)

# %% id="families-claim" slideshow={"slide_type": "skip"}
named_votes = ", ".join(model.labels[c].split(",")[0] for c in weights[:, clearest].topk(5).indices)
print(f"channel {clearest} votes for {named_votes}")
ck.claim("mean similarity within its less alike family", score.max(), above=0.15)
ck.claim("mean similarity of any two of the 112 objects", (similar.sum() - 112) / (112 * 111), below=0.02)

# %% [markdown] id="families-read" slideshow={"slide_type": "notes"}
# Boars, pigs, a beaver and a wombat; a lemon, an orange and a pineapple. It is the first of 1280, chosen because it is so clear: with other scenes of the same objects another channel can come first. And what does it *do*? It votes for butterflies and academic gowns: neither pigs nor fruit. A unit has an
# input side and an output side, and both must be read.

# %% [markdown] id="strange-title" slideshow={"slide_type": "skip"}
# ## A bear channel that feeds the garbage truck
#
# block16, channel 233: strong on bears, bison, wombats. **Trace it**: its weights to the classes, through conv2 and the classifier, ReLU6 left out. First of 1000 classes: *garbage truck*.
#
# **Predict first.** Silence 233. What happens to *garbage truck* on pictures of garbage trucks? And on pictures of **bears**? The control is each of the 319 other channels.

# %% id="strange-run" slideshow={"slide_type": "skip"}
tail = model.module
scale = (tail.bn2.weight / (tail.bn2.running_var + tail.bn2.eps).sqrt()).detach().cpu()
E = (weights * scale) @ model.layer("conv2").weight[:, :, 0, 0].detach().cpu()  # (1000 classes, 320 channels)
truck = model.labels.index("garbage truck")
print("first vote of channel 233:", model.labels[int(E[:, 233].argmax())])

views = {
    name: torch.cat([ck.load_scene(name, seed=seed).image for seed in range(6)])
    for name in ("garbage_truck", "brown_bear", "dingo")
}
codes = {name: ck.activations(model, x, ["block16"], reduce="maps")["block16"] for name, x in views.items()}
level = {name: code[:, 233].mean().item() for name, code in codes.items()}
print("mean of channel 233:", ", ".join(f"{name.replace('_', ' ')} {value:.1f}" for name, value in level.items()))


def drops(code, values):
    """How much of the logit of *garbage truck* goes when a channel is set to its value: (scenes, channels)."""
    columns = model.layer("conv2").weight[:, :, 0, 0].T[:, :, None, None]  # what each channel adds, before bn2
    code, values = code.to(model.device), values.to(model.device)
    with torch.no_grad():
        whole = model.layer("conv2")(code)
        full = tail.forward_head(tail.bn2(whole))[:, truck]
        changed = ((code[:, k : k + 1] - values[k]) * columns[k] for k in range(len(values)))
        return torch.stack([full - tail.forward_head(tail.bn2(whole - part))[:, truck] for part in changed], 1).cpu()


with ck.ablate(model, "block16", [233]):  # the same through the whole network
    cut_logits = ck.activations(model, views["brown_bear"], ["fc"])["fc"]
whole = ck.activations(model, views["brown_bear"], ["fc"])["fc"] - cut_logits
usual = torch.cat(list(codes.values())).mean((0, 2, 3))
zeroed, to_mean = ({n: drops(code, v) for n, code in codes.items()} for v in (torch.zeros(320), usual))
torch.testing.assert_close(whole[:, truck], zeroed["brown_bear"][:, 233], atol=1e-3, rtol=0)

# %% id="strange" slideshow={"slide_type": "skip"}
rest = [k for k in range(320) if k != 233]


def span(values):
    return values.mean().item(), values.min().item(), values.max().item()


ck.show_dots(
    {
        f"scenes of a {name.replace('_', ' ')}": {
            "channel 233 set to 0": span(zeroed[name][:, 233]),
            "319 others set to 0": span(zeroed[name][:, rest].mean(0)),
            "channel 233 set to its mean": span(to_mean[name][:, 233]),
            "319 others set to theirs": span(to_mean[name][:, rest].mean(0)),
        }
        for name in ("garbage_truck", "brown_bear")
    },
    xlabel="loss of the logit of garbage truck",
    interval="range of 6 scenes, or of 319 channels",
    grey=["319 others set to 0", "319 others set to theirs"],
    columns=2,
)

# %% id="strange-claim" slideshow={"slide_type": "skip"}
ranks = {
    (name, how): int((lost[name].mean(0) > lost[name][:, 233].mean()).sum()) + 1
    for name in ("garbage_truck", "brown_bear")
    for how, lost in (("0", zeroed), ("its mean", to_mean))
}
for (name, how), rank in ranks.items():
    print(f"{name.replace('_', ' ')}, set to {how}: rank {rank} of 320 channels")
ck.claim(
    "rank of 233 on the brown bear, the worse of both ways",
    max(ranks["brown_bear", h] for h in ("0", "its mean")),
    at_most=3,
)
ck.claim(
    "rank of 233 on the garbage truck, the worse of both ways",
    max(ranks["garbage_truck", h] for h in ("0", "its mean")),
    at_most=10,
)

# %% [markdown] id="strange-read" slideshow={"slide_type": "skip"}
# On the bear, 233 takes more from *garbage truck* than any other of the 320 channels, set to 0 and set to its mean. On the truck itself it is among the first five, no more. So a bear in the picture adds to the logit of *garbage truck*, by 0.2 to 0.3. It does no harm: other channels outweigh it. All of this
# is one bear and one truck, in six scenes each. Perhaps the channel stands for something massive and dark, low on the ground; we have not tested that. (In InceptionV1 a car detector feeds units for dogs: Olah et al. 2020.)
# We chose the channel because its vote is odd; most channels of block16 have a list of votes that no one can name.

# %% [markdown] id="assembled-title" slideshow={"slide_type": "slide"}
# ## An object from its parts? A search
#
# Is a channel excited by high parts of vehicles through the upper rows of its kernels, by low parts through the lower? That is its score. **Predict first.** Turn the input upside down: which channels lose most?

# %% id="assembled-run" slideshow={"slide_type": "skip"}
wheeled = ["sports_car", "pickup", "fire_engine", "garbage_truck", "minibus", "racer"]
searched, tested = (ck.part_scenes(72, wheeled, seed=seed, size=224) for seed in (2, 3))
spots, peak_heights = ck.part_places(model, searched, "block12")
strong = peak_heights >= 0.5 * peak_heights.amax(0)
on_vehicle = ((spots[..., 0] > -0.1) & (spots[..., 0] < 1.1) & strong).sum(0) / strong.sum(0)
usable = ((strong.sum(0) >= 10) & (on_vehicle > 0.5)).nonzero()[:, 0]
part_row = (spots[..., 0] * strong).sum(0) / strong.sum(0)

wide = ck.effective_weights(model.layer("block13")).cpu()  # a guess, see above: to be tested
moment = (wide.sum(3) * (torch.arange(5) - 2)).sum(2)[:, usable]
where = part_row[usable] - part_row[usable].mean()
unit_score = len(where) ** 0.5 / (moment.norm(dim=1) * where.norm())
arrangement = (moment @ where) * unit_score  # about normal with standard deviation 1, if place and weight are unrelated
shuffle = torch.Generator().manual_seed(0)
lots_of_rows = torch.stack([where[torch.randperm(len(where), generator=shuffle)] for _ in range(400)], 1)
best_by_chance = (moment @ lots_of_rows * unit_score[:, None]).amax(0)
assembled = int(arrangement.argmax())

before = ck.activations(model, tested.images, ["block12"], reduce="maps")["block12"]


def branch_answer(maps):
    """What block13 adds to its input, the mean of each channel: (scenes, 192)."""
    maps = maps.to(model.device)
    with torch.no_grad():
        return (model.layer("block13")(maps) - maps).mean((2, 3)).cpu()


upright = branch_answer(before)
loss_by_flip = {
    name: ((upright - branch_answer(before.flip(axis))) / upright.std(0)).mean(0)
    for name, axis in (("upside down", 2), ("left to right", 3))
}

# %% id="assembled" slideshow={"slide_type": "fragment"}
other = [k for k in range(192) if k != assembled]
fall = loss_by_flip["upside down"]
ck.show_scatter(
    {
        "191 other channels": (arrangement[other], fall[other]),
        f"channel {assembled}": (arrangement[[assembled]], fall[[assembled]]),
    },
    xlabel="score of the arrangement, standard deviations",
    ylabel="fall of the answer upside down,\nstandard deviations over scenes",
)

# %% [markdown] id="assembled-inputs-title" slideshow={"slide_type": "skip"}
# Olah et al. (2020) show a car unit: windows excite it through the upper rows of its kernels, wheels through the lower ones. We searched Lite0's block13 for such a unit.
#
# The score of channel $o$ is the correlation, over its inputs $i$, of the mean row $p_i$ where the input peaks (0 the top of the vehicle, 1 the bottom) with the moment $m_{oi} = \sum_{y,x} W_{oi}(y, x)\,(y - 2)$ of the 5 × 5 kernel, in standard deviations. **The null** shuffles the rows among the inputs and takes the best of 192 channels each time. **The test** turns the block's input upside down: all parts are still there. **The control** of the test is a flip from left to right.
#
# Are the inputs parts? The two that add most to the score from the upper half, and from the lower half: the place of a scene where each is strongest, and its kernel.

# %% id="assembled-inputs" slideshow={"slide_type": "skip"}
share_of_score = moment[assembled] * where
ranked = share_of_score.argsort(descending=True).tolist()
upper, lower = ([j for j in ranked if side * where[j] > 0][:2] for side in (-1, 1))
scene_maps = ck.activations(model, searched.images, ["block12"], reduce="maps")["block12"]
patches = []
for i in usable[[*upper, *lower]].tolist():
    best_scene = int(peak_heights[:, i].argmax())
    y, x = (min(max(32 * p + 16 - 40, 0), 144) for p in divmod(int(scene_maps[best_scene, i].argmax()), 7))
    patches.append(searched.images[best_scene, :, y : y + 80, x : x + 80])
ck.show_circuit(
    wide[assembled, usable[[*upper, *lower]]],
    [f"input {i}\nrow {part_row[i]:.1f}" for i in usable[[*upper, *lower]].tolist()],
    pictures=patches,
    unit="← inhibits   excites →",
)

# %% id="assembled-cut" slideshow={"slide_type": "skip"}
placed = usable[ranked[:20]].tolist()  # the inputs that make the score
strength = wide[assembled].abs().sum((1, 2))
usual_input = before.mean((0, 2, 3))


def flip_loss(inputs):
    """What the channel loses upside down, with some inputs set to their means."""
    maps = before.clone()
    maps[:, inputs] = usual_input[inputs][None, :, None, None]
    return (branch_answer(maps) - branch_answer(maps.flip(2)))[:, assembled].mean().item()


by_cut = {
    "intact": [flip_loss([])],
    "20 inputs at their places": [flip_loss(placed)],
    "20 others, as strong": [flip_loss(some.tolist()) for some in ck.matched_controls(strength, placed)],
}

# %% id="assembled-claim" slideshow={"slide_type": "skip"}
ck.claim(
    f"score of channel {assembled}, over what 95 % of the best by chance stay below",
    arrangement[assembled] / best_by_chance.quantile(0.95),
    above=1,
)
upside, mirrored = (loss_by_flip[name] for name in ("upside down", "left to right"))
ck.claim("its answer upside down falls, in standard deviations over scenes", upside[assembled], above=0.2)
ck.claim("its answer left to right falls", mirrored[assembled], below=0.15)
agreement = {name: torch.corrcoef(torch.stack([arrangement, loss]))[0, 1] for name, loss in loss_by_flip.items()}
ck.claim("score and fall upside down, correlation over 192 channels", agreement["upside down"], above=0.25)
ck.claim("score and fall left to right, minus that", agreement["left to right"] - agreement["upside down"], below=-0.05)
for name, values in by_cut.items():
    print(f"loss upside down, {name}: {min(values):.2f} to {max(values):.2f}")
controls_mean = sum(by_cut["20 others, as strong"]) / 20
ck.claim(
    "cut at their places, minus the mean of 20 matched cuts",
    by_cut["20 inputs at their places"][0] - controls_mean,
    below=0,
)
beasts = ck.part_scenes(36, ["zebra", "bison", "horse", "giraffe", "lion_standing", "brown_bear"], seed=3, size=224)
on_beasts = ck.activations(model, beasts.images, ["block12"], reduce="maps")["block12"]
whole_beasts = branch_answer(on_beasts)
beasts_fall = ((whole_beasts - branch_answer(on_beasts.flip(2))) / whole_beasts.std(0)).mean(0)[assembled]
ck.claim("its answer to animals upside down falls, too", beasts_fall, above=0.2)
likes = by_object(seen["block13"].mean((2, 3)))[:, assembled].topk(6).indices.tolist()
print("of 112 objects it likes most:", ", ".join(kinds_of_object[i].replace("_", " ") for i in likes))

# %% [markdown] id="assembled-read" slideshow={"slide_type": "notes"}
# Those with a high score: over the 192 channels score and fall correlate with 0.47. Channel 8 is far out. Its score is 5.6; the best of 192 by chance stays below 3.4 in 95 of 100 draws. It likes fire engines, pickups and garbage trucks. Upside down its answer falls, left to right it does not. Cut the 20 inputs that make the score: the fall shrinks from 0.39 to 0.25, and with 20 others that are as strong it stays at 0.33 to 0.40.
# With ten sets of scenes it is channel 8 nine times, and the score is above chance ten times. The cut lies below all its controls eight times: less sure.
#
# What does **not** stand is *windows above, wheels below*. The inputs that add most are no parts that we could name, some peak beside the vehicle, and animals upside down make channel 8 fall as well. So we found a unit that likes vehicles and reads what lies above what. We did not find a car that is made of windows and wheels.

# %% [markdown] id="toy-title" slideshow={"slide_type": "slide"}
# ## Why? More features than channels
#
# A toy (Elhage et al. 2022): five features, **two** channels: $\hat x = \operatorname{ReLU}(W^\top W x + b)$. Once all features are present at a time, once each is rare (5 %). Each arrow is the direction in which one feature is written.
#
# **Predict first.** How many of the five does each store?

# %% id="toy" slideshow={"slide_type": "fragment"}
draws = torch.Generator().manual_seed(1)
present = torch.tensor([1.0, 0.05])[:, None, None, None]
importance = 0.9 ** torch.arange(5)
weight = (
    0.5 * torch.randn(2, 10, 2, 5, generator=draws)
).requires_grad_()  # two toys, ten starts, 2 channels, 5 features
bias = torch.zeros(2, 10, 1, 5, requires_grad=True)
optimizer = torch.optim.Adam([weight, bias], lr=0.01)
for _ in range(1500):
    x = torch.rand(2, 1, 256, 5, generator=draws) * (torch.rand(2, 1, 256, 5, generator=draws) < present)
    guess = (x @ weight.transpose(2, 3) @ weight + bias).relu()
    loss = (importance * (x - guess) ** 2 / present).mean((2, 3))
    optimizer.zero_grad()
    loss.sum().backward()
    optimizer.step()
stored = weight.detach()
best = loss.argmin(1).tolist()  # of the ten starts
ck.show_arrows(
    {
        "all features present: two are stored": stored[0, best[0]],
        "each feature in 5 % of inputs: a pentagon": stored[1, best[1]],
    }
)

# %% id="toy-claim" slideshow={"slide_type": "skip"}
count = (stored.norm(dim=2) > 0.7).sum(2)  # (2, 10)
ck.claim("features stored (length above 0.7), always present, most of ten starts", int(count[0].max()), at_most=2)
ck.claim("features stored, rare, fewest of ten starts", int(count[1].min()), at_least=5)

# %% [markdown] id="toy-read" slideshow={"slide_type": "notes"}
# Always present: two features are stored, and three are given up. Rare: all five are stored, in ten of ten starts, and the arrows make a pentagon. If features are rare, two of them seldom meet, and a channel can serve several: **superposition**. The arrows point along no axis (nothing in this toy prefers one),
# so each channel takes part in several features. Then a channel is the wrong unit to read, and a direction may be the right one (lab 13). Can we find the directions?

# %% [markdown] id="sparse-title" slideshow={"slide_type": "slide"}
# ## A sparse dictionary: 768 features in 192 channels
#
# If features are rare, then at each place *few* directions add up to the activation $x$. Learn them (Makhzani & Frey 2014; Gorton 2024):
#
# $$ z = \operatorname{TopK}(\operatorname{ReLU}(x E + b)), \qquad \hat x = z D, \qquad \min \lVert x - \hat x \rVert^2 $$


# %% id="sparse-code" slideshow={"slide_type": "-"} tags=["show-code"]
def my_dictionary(x, size, active, steps, seed):  # x: places × channels, mean 0 -> E, b, D
    draws = torch.Generator().manual_seed(seed)
    D = F.normalize(torch.randn(size, x.shape[1], generator=draws), dim=1)
    E, b = D.T.contiguous(), torch.zeros(size)
    adam = torch.optim.Adam([t.requires_grad_() for t in (E, b, D)], lr=2e-3)
    for _ in range(steps):
        batch = x[torch.randint(len(x), (1024,), generator=draws)]
        values, which = (batch @ E + b).relu().topk(active, dim=1)
        z = torch.zeros(len(batch), size).scatter(1, which, values)
        loss = (batch - z @ D).square().sum(1).mean() / x.shape[1]
        adam.zero_grad()
        loss.backward()
        adam.step()
        D.data = F.normalize(D.data, dim=1)
    return E.detach(), b.detach(), D.detach()


# %% id="sparse-run" slideshow={"slide_type": "skip"}
photos = torch.cat([ck.load_image(name, size=224) for name in ck.photographs()])
places = torch.cat(
    [
        ck.activations(model, images, [layer], reduce="maps")[layer]
        for images in (ck.scenes(224, objects=kinds_of_object, seed=11).images, photos)
    ]
)
rows = places.movedim(1, 3).flatten(0, 2)
short = ck.sparse_dictionary(places, 768, steps=3, progress=False)
torch.testing.assert_close(my_dictionary((rows - rows.mean(0)) / rows.std(), 768, 12, 3, 0)[2], short.directions)
print("my_dictionary and ck.sparse_dictionary agree")
dictionary = ck.sparse_dictionary(places, 768, steps=300, progress=False)
starts = [ck.sparse_dictionary(places, 768, steps=0, seed=seed) for seed in range(3)]
ck.claim("fraction of the variance that 12 of 768 features explain", dictionary.explained, above=0.7)
ck.claim("the same for random directions, the best of three", max(s.explained for s in starts), below=0.4)

# %% [markdown] id="pure-title" slideshow={"slide_type": "slide"}
# ## Is a feature purer than a channel?
#
# Two measures, both on scenes that the dictionary has not seen. **Overlap**: for each of 19 concepts the best unit, chosen on 160 scenes, its IoU on 160 others. **Similarity**: how alike are the eight objects that excite the median unit most?
#
# The controls: rotations of the 192 channels, and *untrained* dictionaries of 768 features, for the best of 768 is better than the best of 192 by luck alone. **Predict first.** Which measure will show a difference?

# %% id="pure-run" slideshow={"slide_type": "skip"}
naming, testing = (ck.concept_scenes(160, seed=seed) for seed in (0, 1))
maps_naming, maps_testing = (ck.activations(model, c.images, [layer], reduce="maps")[layer] for c in (naming, testing))
everything = torch.ones(1, 8, dtype=torch.bool)


def judged(code):
    """Best unit of each concept (C,), its IoU on new scenes (C,), similarity and numbers of each unit's first objects."""
    iou, thresholds = my_dissect(code(maps_naming), naming)
    best = iou.argmax(0)
    held = my_iou(code(maps_testing)[:, best], thresholds[best], testing).diagonal()
    peaks = by_object(code(seen[layer]).amax((2, 3)))
    first = peaks.topk(8, dim=0).indices.T
    alike = similarity(first, everything.expand(len(first), -1))
    return best, held, alike.where((peaks > 0).sum(0) >= 8, torch.nan), first  # nan: it answers to fewer than 8 objects


tables = {
    "192 channels": [judged(lambda maps: maps)],
    "3 rotations": [judged(lambda maps, seed=seed: rotated(maps, seed)) for seed in range(3)],
    "3 untrained dictionaries": [judged(start.encode) for start in starts],
    "768 learned features": [judged(dictionary.encode)],
}
held = {name: [table[1].mean().item() for table in several] for name, several in tables.items()}
pure = {name: [table[2].nanmedian().item() for table in several] for name, several in tables.items()}

# %% id="pure" slideshow={"slide_type": "fragment"}
ck.show_dots(
    {
        title: {name: (sum(v) / len(v), min(v), max(v)) for name, v in values.items()}
        for title, values in {
            "IoU of a concept's best unit,\nmean of 19 concepts": held,
            "similarity of the first objects,\nmedian unit": pure,
        }.items()
    },
    interval="range of 3",
    grey=["3 rotations", "3 untrained dictionaries"],
    limits=(0, 0.24),
    columns=2,
)

# %% id="pure-claim" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
ck.claim(
    "best IoU, learned features minus channels", held["768 learned features"][0] - held["192 channels"][0], above=0.03
)
ck.claim(
    "best IoU, learned features minus the best untrained dictionary",
    held["768 learned features"][0] - max(held["3 untrained dictionaries"]),
    above=0.03,
)
ck.claim("best IoU, channels minus the best rotation", held["192 channels"][0] - max(held["3 rotations"]), below=0.03)
ck.claim(
    "similarity of the median unit, features minus channels",
    pure["768 learned features"][0] - pure["192 channels"][0],
    below=0.01,
)

# %% [markdown] id="pure-read" slideshow={"slide_type": "notes"}
# The *best* features are much better: on new scenes their overlap with a concept is about twice that of the best channels, and about one and a half times that of an untrained dictionary of the same size. Here the rotations do no worse than the channels (0.14 against 0.12), other than in CourseNet's relu5: block13 ends without a ReLU, so nothing ties a feature to a channel.
#
# The *typical* feature is no purer than the typical channel: the objects that excite it most are hardly more alike than any eight objects (0.02; any two of the 112 objects: 0.007). So the answer is: some features are, and the average one is not. Ten starts of the dictionary gave 1.7 to 2.2 times the channels, 1.4 to 1.8 times the untrained dictionary, and a similarity of 0.016 to 0.019.

# %% [markdown] id="crops-title" slideshow={"slide_type": "slide"}
# ## What a feature sees, by its crops

# %% [markdown] id="crops-text" slideshow={"slide_type": "skip"}
# Rows 1 and 2: the concept that gains most, by its best channel and by its best feature, chosen on other scenes and shown in the five strongest **new** scenes. Row 3: the feature whose first objects are most alike. Each crop has 96 pixels around the strongest place.


# %% id="crops" slideshow={"slide_type": "-"}
def crops(maps, images, scenes):
    """Cut 96 pixels out of each of some scenes, around the place where a unit's map (N, 7, 7) is strongest."""
    parts = []
    for n in scenes:
        top, left = (min(max(32 * p + 16 - 48, 0), 128) for p in divmod(int(maps[n].argmax()), 7))
        parts.append(images[n : n + 1, :, top : top + 96, left : left + 96])
    return parts


(best_channel, of_channels, *_), (best_feature, of_features, alike, first) = (
    tables[name][0] for name in ("192 channels", "768 learned features")
)
gain = int((of_features - of_channels).argmax())
concept, k, j = naming.names[gain], int(best_channel[gain]), int(best_feature[gain])
purest = int(alike.nan_to_num(-1).argmax())
shown, captions = [], []
for title, value, maps in (
    (f"channel {k}", of_channels[gain], maps_testing[:, k]),
    (f"feature {j}", of_features[gain], dictionary.encode(maps_testing)[:, j]),
):
    shown += crops(maps, testing.images, maps.amax((1, 2)).topk(5).indices.tolist())
    captions += [title, concept, f"IoU {value:.2f}", "", ""]
maps = dictionary.encode(seen[layer])[:, purest]
strongest = [max((owner == i).nonzero()[:, 0].tolist(), key=lambda n: maps[n].max().item()) for i in first[purest][:5]]
shown += crops(maps, pool.images, strongest)
captions += [f"feature {purest}", "most alike", f"similarity {alike[purest]:.2f}", "", ""]
ck.show_images(shown, captions, columns=5)

# %% id="crops-claim" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
by_luck = max(table[2].nan_to_num(-1).max().item() for table in tables["3 untrained dictionaries"])
ck.claim(f"IoU of {concept} on new scenes, feature minus channel", of_features[gain] - of_channels[gain], above=0.1)
ck.claim("similarity of the purest feature minus that of the purest untrained one", alike[purest] - by_luck, below=0.05)

# %% [markdown] id="crops-read" slideshow={"slide_type": "notes"}
# *Dotted* gains most: on new scenes the best channel overlaps with 0.22, the best feature with 0.69. The channel's crops are dots, a ferret and a guitar's head; the feature's are dots, one of them behind an animal's back. Of the 19 concepts all but one or two gain.
#
# Row 3 looks just as good: necks of guitars and a violin. But its number is no evidence. The purest of 768 *untrained* features reaches 0.22 by luck, against 0.23 here. The best of many can be a nice row of pictures by luck.

# %% [markdown] id="residual-title" slideshow={"slide_type": "slide"}
# ## Take a block out
#
# Nine of the sixteen blocks of EfficientNet-Lite0 have a shortcut: $y = x + f(x)$. Remove one: $y = x$. In CourseNet only conv4 keeps the shape (192 → 192); we remove it, too: one of five layers against one of sixteen blocks.
#
# **Predict first.** How many of 24 scenes keep their first class? (Veit et al. 2016)

# %% id="residual-run" slideshow={"slide_type": "skip"}
shortcuts = [name for name in model.layers if getattr(model.layer(name), "has_skip", False)]
scenes24 = ck.scenes(24, objects=objects, seed=1, background="plain")
few = scenes24.images
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

# %% id="residual" slideshow={"slide_type": "fragment"}
ck.show_dots(
    {
        title: {name: ck.bootstrap_interval(values[i], scenes24.objects) for name, values in effects.items()}
        for i, title in enumerate(titles)
    },
    interval="95 % interval over 24 objects",
    limits=(-0.1, 1.1),
)

# %% id="residual-claim" slideshow={"slide_type": "skip"}
kept = {name: sum(values[0]) / 24 for name, values in effects.items()}
ck.claim(
    "first classes kept without one residual block, the worst of nine", min(kept[n] for n in shortcuts), at_least=0.7
)
ck.claim("first classes kept by CourseNet without conv4", kept["CourseNet conv4"], below=0.25)
together = {n: sum(removed(model, few, shortcuts[-n:], intact_lite)[0]) / 24 for n in (3, 6, 9)}
ck.claim("first classes kept without the last three", together[3], at_least=0.65)
ck.claim("first classes kept without all nine, by chance 0.001", together[9], above=0.2, below=0.8)

# %% [markdown] id="residual-read" slideshow={"slide_type": "notes"}
# Nearly all keep it, whichever residual block is missing; almost none in CourseNet. In a plain network each layer can read only what the layer before it writes. With shortcuts all blocks of one resolution write into **one** stream, and each adds a little. Take one
# away and only its addition is missing. Even without all nine the network names about half of the scenes as before: the seven blocks
# that change the resolution do most of the work. Veit et al. call it an ensemble of short paths. So *the* unit of a residual network may not be the block either. The class map is CAM for Lite0, and the sum of relu5
# for CourseNet, which has no global pooling.

# %% [markdown] id="explorer-title" slideshow={"slide_type": "skip"}
# ## Your turn: any unit

# %% id="explorer" slideshow={"slide_type": "skip"}
ck.explore_unit(coursenet, scenes.images[:24], "relu3", 57)

# %% [markdown] id="wrong-two-title" slideshow={"slide_type": "skip"}
# ## What goes wrong · zero is not "nothing"
#
# We silenced channels by writing 0. Behind a ReLU that is what *nothing seen* looks like. block16 has no ReLU: there 0 may be far from the channel's usual value, and writing 0 **adds** something. Use the mean, or say what you did.

# %% id="wrong-two" slideshow={"slide_type": "skip"}
ck.claim(
    "channels of block16 whose mean is more than 0.5 away from 0, as a fraction",
    (usual.abs() > 0.5).float().mean(),
    above=0.33,
)

# %% [markdown] id="score-title" slideshow={"slide_type": "skip"}
# ## Score it: planted detectors
#
# Can we trust our tuning curves? We **plant** twelve filters of known orientation (Gabor patches, 15 × 15), every 15°, and hide them under 30 % noise. **Predict first.** How far off will the measured angle be?

# %% id="score" slideshow={"slide_type": "skip"}
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

# %% id="score-claim" slideshow={"slide_type": "skip"}
off = ck.angle_between(measured.preferred(), planted)
ck.claim("largest error of twelve planted angles in degrees, by chance 45", off.max(), below=4, digits=1)

# %% [markdown] id="swap-title" slideshow={"slide_type": "skip"}
# ## Swap the network
#
# Arcs in EfficientNet-Lite0, block5: is any channel as clear as unit 57? And bars in block3?

# %% id="swap-claim" slideshow={"slide_type": "skip"}
lite = ck.curve_tuning(model, "block5", angles=12, radii=(24, 48), width=5, length=72)
strong = lite.by_angle().amax(1) > lite.by_angle().amax(1).median()
ck.claim(
    "arcs: largest selectivity of 40 channels of block5", (lite.selectivity() * strong).max(), above=0.1, below=0.5
)
ck.claim("arcs: selectivity of unit 57 of CourseNet", curves.selectivity()[57], above=0.5)

# %% id="swap-bars" slideshow={"slide_type": "skip"}
lite_bars = ck.orientation_tuning(model, "block3", wavelengths=(8, 16))
height = lite_bars.by_angle().amax(1)
sharp = (lite_bars.selectivity() * (height > height.median() / 2)).topk(4)  # not those that hardly answer
ck.show_polar({f"block3, channel {k}": {"answer": lite_bars.by_angle()[k]} for k in sharp.indices.tolist()}, turn=180)

# %% id="swap-bars-claim" slideshow={"slide_type": "skip"}
ck.claim("bars: the fourth largest selectivity of 24 channels of block3", sharp.values.min(), above=0.5)

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
# | 15.6 | the words of a place | ★ | 5 |
#
# Each check says ✓, or which mistake it has recognised. Each tries more than one case.

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

# %% [markdown] id="e6-card"
# ### Exercise 15.6 · The words of a place
# *★ · 5 minutes.* A semantic dictionary reads one place of a layer. `maps` are (channels, rows, columns). Return the numbers of the `n` strongest channels at `(row, column)`, the strongest first, and only those above 0.
# **You will probably** return channels that are below 0 there.


# %% id="e6-starter"
def words_of_a_place(maps, row, column, n):
    return ...


# %% id="e6-solution" jupyter={"source_hidden": true} tags=["solution"]
def words_of_a_place(maps, row, column, n):
    values, numbers = maps[:, row, column].topk(n)
    return numbers[values > 0].tolist()


# %% id="e6-check"
ck.check("15.6", words_of_a_place)

# %% [markdown] id="recap" slideshow={"slide_type": "slide"}
# ## Recap
#
# - Tuning, pictures and data say what a unit is for; cutting says whether it matters. The control must match the cut in number, sign and strength. Ours refuted one half of our description: ∪ is silenced by inhibition at the right *place*, and not because it comes from vertical bars.
# - A name for a unit is a hypothesis: test it on other pictures. Count what chance would give before you call a channel pure, or polysemantic.
# - Rare features share channels. A sparse dictionary finds some of their directions: its best features overlap with concepts twice as much as the best channels; its typical feature is no purer than a typical channel.

# %% [markdown] id="quiz" slideshow={"slide_type": "slide"}
# ## Quiz
#
# 1. A unit of layer 5 is silent to all your gratings. Is it dead?
# <details><summary>Answer</summary>No. It may want something that no grating has. Look at its top patches before you say so.</details>
#
# 2. You cut 28 inhibitors that are tuned to vertical bars, and the unit changes; 28 random inputs change little on average. Is it because they see vertical bars?
# <details><summary>Answer</summary>You do not know. Random inputs are weaker, and some of them excite. Cut 28 other inhibitors that are as strong: in this lab they do the same.</details>
#
# 3. 68 % of the channels vote for animals and for things. Are channels polysemantic?
# <details><summary>Answer</summary>The number says nothing without its null. By chance it would be 92 %, so these channels are purer than chance.</details>
#
# 4. The best of 768 learned features is purer than the best of 192 channels. What is the control?
# <details><summary>Answer</summary>768 features that were not learned: the best of many is good by luck, too. And test on other pictures than those on which you chose.</details>

# %% [markdown] id="reading" slideshow={"slide_type": "slide"}
# ## Further reading
#
# - C. Olah et al. *The building blocks of interpretability*, Distill 2018; *Zoom in: an introduction to circuits*, Distill 2020.
# - S. Carter et al. *Exploring neural networks with activation atlases*, Distill 2019.
# - N. Cammarata et al. *Curve detectors*, Distill 2020; *Curve circuits*, Distill 2021.
# - D. Bau et al. *Network dissection: quantifying interpretability of deep visual representations.* CVPR 2017.
# - Q. Zhang, Y. N. Wu, S.-C. Zhu. *Interpretable convolutional neural networks.* CVPR 2018.
# - N. Elhage et al. *Toy models of superposition.* Transformer Circuits Thread, 2022.
# - A. Makhzani, B. Frey. *k-sparse autoencoders.* ICLR 2014. L. Gorton. *The missing curve detectors of InceptionV1.* 2024.
# - A. Veit, M. Wilber, S. Belongie. *Residual networks behave like ensembles of relatively shallow networks.* NeurIPS 2016.
#
# **Next:** lab 16 gives you a network with a secret.
