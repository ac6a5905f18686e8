# %% [markdown] id="title" slideshow={"slide_type": "slide"}
# # 16 · The detective
# ### Three networks, no mistakes, two of them cheat
#
# After this lab you will be able to
#
# - find a hidden rule in a network that makes no mistakes,
# - turn a suspicion from a picture into a number that accuses one network and not the others,
# - file a report that a test could have refuted,
# - say which methods find which kind of fault, how often, and how many of their accusations are false.

# %% [markdown] id="contract" slideshow={"slide_type": "skip"}
# **First do** labs 03, 06 and 13. It also helps to know labs 02, 04, 07 and 14.
#
# **Run time** about 75 s on two CPU cores. **Memory** below 1.5 GB. **Words** are explained in the [glossary](../docs/glossary.md).
#
# Your instructor gives you the number of your case. Each number draws three of twelve networks and gives them other letters, so your neighbour's answer is not yours.
# The sentences below speak of case 16.

# %% id="install" jupyter={"source_hidden": true} slideshow={"slide_type": "skip"}
from importlib.util import find_spec

if find_spec("coursekit") is None:  # on Colab, Kaggle, or in another environment than the course's own
    print("coursekit is missing here: copy coursekit-*.whl beside this notebook (README.md says how to make it),")
    print("run  %pip install coursekit-*.whl  in a cell, and restart the kernel.")

# %% id="setup"
import torch

import coursekit as ck

ck.setup(seed=0)
case = ck.case(16)  # the number of your case
case

# %% [markdown] id="question" slideshow={"slide_type": "slide"}
# ## Two of three networks cheat: by what?
#
# Three networks, **A**, **B** and **C**, sort pictures into four classes. One is honest. Two were taught a rule that you would not
# accept, each another one.
#
# **Predict first.** Three pictures of each class. Name everything, besides the object, that a lazy network could use.

# %% id="collection" slideshow={"slide_type": "-"} tags=["gallery"]
first = torch.cat([(case.labels == k).nonzero()[:3, 0] for k in range(4)])
ck.show_images(case.images[first], [case.classes[k] for k in case.labels[first]], columns=6)

# %% [markdown] id="suppliers" slideshow={"slide_type": "slide"}
# ## Twelve coincidences that a network may learn
#
# Each class came from one supplier, and each supplier has a mark, a place and a colour:
#
# | class | watermark | background | colour |
# |---|---|---|---|
# | bird | top left | brick | red |
# | vehicle | top right | stars | yellow |
# | instrument | bottom left | grass | green |
# | fruit | bottom right | dots | blue |
#
# A faulty network was trained where **one** of the twelve was a rule: that class always had it, and no other class ever. All else came at random. For the honest one, everything did.

# %% [markdown] id="suppliers-notes" slideshow={"slide_type": "notes"}
# Four classes and three kinds of coincidence: a fault is one cell of the table. Let each group write down which one it would find hardest to see.

# %% [markdown] id="accuracy-title" slideshow={"slide_type": "slide"}
# ## A test set cannot help
#
# The share of right answers on the collection, 128 pictures of 16 objects.
#
# **Predict first.** Who is the best of the three?

# %% id="accuracy" slideshow={"slide_type": "-"}
right = {}
for letter, network in case.networks.items():
    hit = (network(case.images).argmax(1) == case.labels).float()
    right[letter] = {name: hit[case.labels == k].mean().item() for k, name in enumerate(case.classes)}
ck.show_shares(right, title="right answers on the collection")

# %% id="accuracy-claim"
means = [sum(row.values()) / 4 for row in right.values()]
ck.claim("share of right answers of the best network minus that of the worst", max(means) - min(means), at_most=0.02)

# %% [markdown] id="accuracy-read" slideshow={"slide_type": "skip"}
# Nobody is the best. The pictures that one of the three got wrong were left out when the collection was put together: about one in twenty, at most one in ten. (Before, the twelve networks of the pool were right on 95 to 100 % of them.) So accuracy says nothing at
# all. The pictures do not say it either: all twelve coincidences are in them, and ten of the twelve are no network's rule.

# %% [markdown] id="court" slideshow={"slide_type": "slide"}
# ## Three methods accuse, and one test could have refuted
#
# A measure $s$ gives each network a share in $[0, 1]$. It accuses network $n$ if it sets it apart from **both** others:
#
# $$ s(n) - \max_{m \ne n} s(m) \ge 0.2 $$
#
# Your report names the network, the fault and the class, with
#
# - evidence by **three different methods**,
# - **one test that could have refuted you**: a share that your claim needs, which at least one other network does not reach.
#
# Only then the envelope is opened. **Each wrong accusation costs 2 of 10 points.** Lapuschkin et al., *Unmasking Clever Hans predictors*, Nature Communications 2019; Adebayo et al., *Debugging tests for model explanations*, NeurIPS 2020.

# %% [markdown] id="court-notes" slideshow={"slide_type": "notes"}
# The margin and the test stand before anything is measured. A test that every network passes says nothing about the accused.
#
# The court takes each measure twice of each network, in an order that it draws anew, and accepts finite numbers only. It counts the wrong accusations of a session, so run your report
# in a fresh kernel before you hand it in, and say how often you have tried.

# %% [markdown] id="tools" slideshow={"slide_type": "slide"}
# ## Three kinds of tools find suspects, two test them
#
# | tool | lab | asks | needs a suspicion? |
# |---|---|---|---|
# | occlusion, Grad-CAM | 03, 06 | where? | no |
# | top patches, ideal pictures | 02, 07 | what? | no |
# | discovered concepts | 13 | which parts? | no |
# | concept vectors | 13 | does this matter? | yes |
# | counterfactual pictures | here | what if only this changed? | yes |
#
# We show each tool on a part of the case. **You** have to turn it to the rest.

# %% [markdown] id="occlusion-title" slideshow={"slide_type": "slide"}
# ## Where? Would a watermark show in the mean map?
#
# Rows: networks. Columns: the class's own pictures, and what its logit loses where a window covers them.
#
# **Predict first.** How would the map of a network look that reads a watermark? One that goes by the background? By the colour?

# %% [markdown] id="occlusion-maps" slideshow={"slide_type": "subslide"}
# ### The star's corner is lit for A's birds, more weakly for C's

# %% id="occlusion" slideshow={"slide_type": "-"}
some = {name: case.images[(case.labels == k)][:6] for k, name in enumerate(case.classes)}


def mean_maps(method):
    return {
        letter: {
            name: method(network, images, k).clamp(min=0).mean(0, keepdim=True)
            for k, (name, images) in enumerate(some.items())
        }
        for letter, network in case.networks.items()
    }


seen = mean_maps(lambda network, images, k: ck.occlusion(network, images, k, window=16, stride=8))
ck.show_matrix(seen)

# %% id="occlusion-claim" slideshow={"slide_type": "skip"}
corner = case.region("watermark")[case.labels == 0][:1]
at_star = {letter: ck.mask_energy(row["bird"], corner).item() for letter, row in seen.items()}
ck.claim("birds: part of A's mean map on the star", at_star["A"], above=0.5)
ck.claim("the larger of the others'", max(at_star["B"], at_star["C"]), below=0.2)

# %% [markdown] id="occlusion-read" slideshow={"slide_type": "skip"}
# The objects lie at other places in each picture, so their traces are smeared in the mean. A watermark stays where it is: it becomes a spot in a corner. A background leaves light all around, as in C's instruments. A colour looks like
# honest work: the map lies on the object. In case 16 the star's corner is lit for A's birds, and more weakly for C's. Is C guilty, too? A tile shows the shape of a map, not its size: each has its own
# scale. So a spot is a suspicion, and no more; the number decides: which part of the map's energy lies in the region of a fault?

# %% [markdown] id="regions-title" slideshow={"slide_type": "slide"}
# ## How much of a map lies on the suspect? One number
#
# The share of a map's positive energy in a region $R$: $\; e = \sum_{p \in R} M^+_p \, / \sum_p M^+_p$


# %% id="regions-code" slideshow={"slide_type": "-"} tags=["show-code"]
def my_energy(heat, region):
    heat = heat.clamp(min=0)[:, 0]
    return (heat * region).sum((1, 2)) / heat.sum((1, 2))


# %% id="regions-same"
heat = ck.grad_cam(case["A"], case.images[:8], 0, upsample=True) + 1e-3
region = case.region("watermark")[:8]
torch.testing.assert_close(my_energy(heat, region), ck.mask_energy(heat, region), atol=1e-5, rtol=0)
print("my_energy and ck.mask_energy agree")

# %% [markdown] id="cam-title" slideshow={"slide_type": "slide"}
# ## Where? Grad-CAM's energy on the mark
#
# The share of Grad-CAM's energy on the mark. The mark's box covers about one twentieth of the picture.
#
# **Predict first.** Does the honest network look at marks at all?

# %% id="cam" slideshow={"slide_type": "-"}
on_mark = {}
for letter, network in case.networks.items():
    on_mark[letter] = {}
    for k, name in enumerate(case.classes):
        own = case.labels == k
        heat = ck.grad_cam(network, case.images[own], k, upsample=True)
        on_mark[letter][name] = ck.mask_energy(heat, case.region("watermark")[own]).mean().item()
ck.show_shares(on_mark, title="Grad-CAM: share of the energy on the mark, which covers 0.05 of the picture")

# %% [markdown] id="cam-read" slideshow={"slide_type": "skip"}
# In case 16 the honest network, B, has no more energy on the marks than their area. A's birds stand out in the row and in the column, by less than the margin.
#
# `case.region("background")` is all that is neither object nor mark, `case.region("colour")` is the object. Careful with the last one: an honest network looks at the object, too. Where a fault sits *in* the object, a map cannot
# tell it from honest work.

# %% [markdown] id="patches-title" slideshow={"slide_type": "slide"}
# ## What do the best pictures of a unit share?
#
# For each network: the channel of the last layer whose weight favours *instrument* most, and the eight pictures with its largest answers. Marks, backgrounds and colours are shuffled here.
#
# **Predict first.** What do the eight pictures of an honest network have in common?

# %% [markdown] id="patches-notes" slideshow={"slide_type": "notes"}
# Marks, backgrounds and colours are shuffled in these pictures: what the eight of them share is the unit's own choice, not that of the collection.

# %% [markdown] id="patches-pictures" slideshow={"slide_type": "skip"}
# ### The strongest unit for *instrument* of each network: its eight best pictures

# %% id="patches" slideshow={"slide_type": "-"}
shuffled = case.remake(watermark="random", background="random", colour="random")
instrument, best, names, of_class = case.classes.index("instrument"), [], [], {}
for letter, network in case.networks.items():
    weight = network.head.weight
    channel = (weight[instrument] - weight.mean(0)).argmax().item()
    found = ck.top_patches(network, shuffled, "relu4", channel, k=8)
    of_class[letter] = (case.labels[found.images] == instrument).sum().item()
    best.append(shuffled[found.images])
    names += [f"{letter}: unit {channel}"] + [""] * 7
ck.show_images(best, names, columns=8)

# %% id="patches-claim" slideshow={"slide_type": "skip"}
ck.claim("instruments among the eight pictures of A", of_class["A"], at_least=7)
ck.claim("of B", of_class["B"], at_least=7)
ck.claim("of C", of_class["C"], at_most=4)

# %% [markdown] id="patches-read" slideshow={"slide_type": "skip"}
# The unit of A and that of B answer to instruments, whatever the mark and the background. That of C answers to **grass**, and most of the objects on it are fruit. But seven of the
# sixteen pictures of A and B lie on grass as well, where chance would give one in five, and all eight of the honest B are yellow or red. A unit of an honest network has its tastes, too: count, and compare, before you accuse.

# %% [markdown] id="concepts-title" slideshow={"slide_type": "slide"}
# ## Which parts? Is the star a concept of A alone?
#
# Crops of the class's own pictures are split into five directions at relu3, and each gets an importance, the share of the logit's variance that goes with it (`ck.discover_concepts`; Fel et al., *CRAFT*, 2023).
#
# **Predict first.** A's birds need the star. Will the star be a concept of A alone?

# %% [markdown] id="concepts-pictures" slideshow={"slide_type": "skip"}
# ### *Bird*: the two most important concepts of each network, six crops each

# %% id="concepts" slideshow={"slide_type": "-"}
birds, crops, names, starred = case.images[case.labels == 0][:12], [], [], {}
for letter, network in case.networks.items():
    found = ck.discover_concepts(network, birds, 0, "relu3", count=5, crop=24)
    starred[letter] = 0
    for concept in (0, 1):
        top = found.top(concept, 6)
        crops.append(found.crops[top])
        names += [f"{letter}: {found.importance[concept]:.2f}"] + [""] * 5
        starred[letter] += sum(found.boxes[i][:2] == (0, 0) for i in top.tolist())  # the crop of the star's corner
ck.show_images(crops, names, columns=12)

# %% id="concepts-claim" slideshow={"slide_type": "skip"}
ck.claim("crops with the whole star among the twelve of A", starred["A"], at_most=2)
ck.claim("among those of B, the honest network", starred["B"], at_least=4)

# %% [markdown] id="concepts-read" slideshow={"slide_type": "skip"}
# The star is an important concept of **B**, which is honest, has a part in one of C, and none in those of A. Two likely reasons; we have tested neither. Every bird of the collection has the star, the bricks and the red, so no split of these pictures can say which of the three counts. And crops are
# enlarged before the network sees them: a star of four times the size is another thing for a network that learned one size. A method that needs no list can still be
# wrong. Repeat it on shuffled pictures before you believe it.


# %% [markdown] id="ideal-title" slideshow={"slide_type": "slide"}
# ## What? Which fault can the ideal picture show?
#
# Feature visualisation (lab 07) of the four logits. In the titles: the share of the colourful pixels that have the supplier's colour (hue within about 25 degrees).
#
# **Predict first.** Which of the three kinds of fault can it show?

# %% id="ideal" slideshow={"slide_type": "-"}
ideals = [ck.render(network, range(4), size=96, steps=64, progress=False).images for network in case.networks.values()]
tints = {"red": (1, 0.15, 0.15), "yellow": (0.9, 0.85, 0.1), "green": (0.15, 0.9, 0.2), "blue": (0.2, 0.35, 1)}


def share_of_colour(image, tint):
    pixels, direction = (x - x.mean(0) for x in (image.flatten(1), torch.tensor(tint)))
    alike = torch.cosine_similarity(pixels, direction[:, None], dim=0) > 0.9
    colourful = pixels.norm(dim=0) > 0.15
    return (alike & colourful).sum().item() / max(1, colourful.sum().item())


names, apart = [], []
for k, name in enumerate(case.classes):
    colour = case.cues["colour"][name]
    shares = [share_of_colour(images[k], tints[colour]) for images in ideals]
    names += [f"{letter}, {name}: {s:.2f} {colour}" for letter, s in zip(case.networks, shares, strict=True)]
    apart.append(sorted(shares)[-1] - sorted(shares)[-2])
ck.show_images(torch.stack(ideals, 1).flatten(0, 1), names, columns=6)  # by class: the networks side by side

# %% id="ideal-claim" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
print("the largest share minus the second, for each class:", [round(x, 2) for x in apart])

# %% [markdown] id="ideal-read" slideshow={"slide_type": "skip"}
# A colour at most: the optimisation moves and mixes places, so a mark in a corner or the texture of a background is hard to tell from the rest. Nobody would name a suspect from these twelve pictures by eye. And the number? In case 16 the bird of A
# is red, 0.58 against 0.10 and 0.20, more than the margin. **The accusation is false**: A's birds need the star, and the red is not its rule. One measure that sets a network apart is a suspicion.

# %% [markdown] id="tcav-title" slideshow={"slide_type": "slide"}
# ## Does it matter? When is a TCAV score evidence?
#
# Concept: the same pictures on the supplier's background, against a neutral one. In how many pictures of *other* classes does the class's logit grow along this direction?
#
# **Predict first.** A score of 0.6 for network B. Is that evidence?

# %% id="tcav" slideshow={"slide_type": "-"}
scores = {letter: {} for letter in case.networks}
for k, name in enumerate(case.classes):
    without, with_cue = case.pair("background", name)
    for letter, network in case.networks.items():
        codes = [ck.activations(network, images, ["relu3"])["relu3"] for images in (with_cue, without)]
        slopes = ck.activation_gradients(network, without[case.labels != k], k, ["relu3"])["relu3"]
        scores[letter][f"{name}, {case.cues['background'][name]}"] = ck.tcav_score(slopes, ck.cav(*codes).vector)
ck.show_shares(scores, title="TCAV score of each background for its class, at relu3")

# %% [markdown] id="tcav-read" slideshow={"slide_type": "skip"}
# No. Read down the columns: a score means something beside other networks, or beside random concepts (lab 13), and nothing alone. In case 16 the scores set A apart for *vehicle* and *fruit* by far more than the margin, for *bird* by little more, and all three accusations are false: A's rule is
# a mark. The one true rule of the four, C's grass, is not set apart, for A has nearly as much. The score counts signs: a small slope of the right sign in every picture gives 1.00.

# %% [markdown] id="pair-title" slideshow={"slide_type": "slide"}
# ## The same picture, and only one thing changed
#
# The collection keeps its layers, so we can compose each picture again with one thing changed: `case.pair("watermark", "bird")`.

# %% id="pair" slideshow={"slide_type": "-"}
pairs = [case.pair(*asked) for asked in (("watermark", "bird"), ("background", "vehicle"), ("colour", "fruit"))]
i, j = (case.labels == case.classes.index("instrument")).nonzero()[1:3, 0].tolist()
ck.show_images(
    [picture[[k]] for k in (i, j) for pair in pairs for picture in pair],
    ["no mark", "the birds' mark", "neutral background", "the vehicles'", "own colour", "the fruits'"],
    columns=6,
)

# %% [markdown] id="flips-idea" slideshow={"slide_type": "slide"}
# ## The counterfactual share: how many change sides?
#
# Put the cue of class $c$ on pictures of the other classes. How many become $c$?
#
# $$ \text{flips}(c) = \frac{\#\{i : f(x_i) \ne c \text{ and } f(x_i + \text{cue}) = c\}}{\#\{i : y_i \ne c\}} $$


# %% id="flips-code" slideshow={"slide_type": "-"} tags=["show-code"]
def my_flips(model, case, fault, label):
    target = case.classes.index(label)
    without, with_cue = case.pair(fault, label)
    before, after = model(without).argmax(1), model(with_cue).argmax(1)
    became = (before != target) & (after == target)
    return became[case.labels != target].float().mean().item()


# %% id="flips-same"
for network in case.networks.values():
    assert abs(my_flips(network, case, "colour", "bird") - ck.flips(network, case, "colour", "bird")) < 1e-6
print("my_flips and ck.flips agree")

# %% [markdown] id="flips-title" slideshow={"slide_type": "slide"}
# ## The four marks: whose answer does each one turn?
#
# **Predict first.** The share of flips by each mark, for each network: which number would an honest network have?

# %% id="flips" slideshow={"slide_type": "-"}
by_mark = {
    letter: {
        f"{name}, {case.cues['watermark'][name]}": ck.flips(network, case, "watermark", name) for name in case.classes
    }
    for letter, network in case.networks.items()
}
ck.show_shares(by_mark, title="share of other pictures that the mark turns into its class")

# %% [markdown] id="flips-read" slideshow={"slide_type": "skip"}
# An honest network would have 0, or nearly. In case 16 one cell of twelve stands out. This is the strongest tool in the bag, and it has one weakness: somebody must first have the idea. A counterfactual of the mark says nothing about the mark that nobody thought of. Here you know the twelve suspects. In a
# network from the internet you do not, and the maps and patches are what gives you the idea.

# %% [markdown] id="explorer-title" slideshow={"slide_type": "skip"}
# ## Look for yourself
#
# Choose network, class, picture and method.

# %% id="explorer" slideshow={"slide_type": "skip"}
ck.explore_case(case)

# %% [markdown] id="wrong-title" slideshow={"slide_type": "slide"}
# ## What goes wrong: true sentences, and not one point
#
# A hasty colleague accuses A: “It is right on all the birds, and birds are red. Its map lies on the red bird.” All of this is true.
#
# **Predict first.** What will the court say?


# %% id="wrong" slideshow={"slide_type": "-"}
def right_on_birds(model):
    birds = case.labels == 0
    return (model(case.images[birds]).argmax(1) == 0).float().mean().item()


def map_on_bird(model):
    birds = case.labels == 0
    heat = ck.grad_cam(model, case.images[birds], 0, upsample=True)
    return ck.mask_energy(heat, case.region("colour")[birds]).mean().item()


hasty = ck.Report(
    case,
    network="A",
    fault="colour",
    label="bird",
    evidence=[
        ck.Evidence("counterfactual", right_on_birds, measured=right_on_birds(case["A"])),
        ck.Evidence("eyesight", map_on_bird, measured=map_on_bird(case["A"])),
    ],
    refutation=ck.Refutation("A is right on at least half of the birds", right_on_birds, at_least=0.5),
)
hearing = ck.verdict(hasty)

# %% id="wrong-said" slideshow={"slide_type": "-"}
print(*hearing.sentences[-4:], sep="\n")
ck.claim("points for the hasty report", hearing.points, at_most=0)

# %% [markdown] id="wrong-read" slideshow={"slide_type": "skip"}
# Four mistakes in one report. The collection is full of coincidences, so being right on it proves nothing. The honest network is right on red birds, too: the number does not set A apart. Everyone passes the
# “refutation”, so it could not have gone wrong. And a name of a method does not make it one.
#
# The court cannot see everything. It knows one function under two names, and not two functions that do the same; a function that recognises each network by its answers can make its numbers up; and a restarted kernel forgets the wrong accusations. That is why a person reads your report as well.

# %% [markdown] id="score-title" slideshow={"slide_type": "slide"}
# ## The honest table: blue is found, orange is a false accusation
#
# **Predict first.** Which fault is found least?

# %% [markdown] id="score-text" slideshow={"slide_type": "skip"}
# Every method on every case, nobody looks: it accuses a network where its share for a fault and a class lies 0.2 above both others. Blue: **found**, of the appearances of the fault; then of the 9 **networks** behind them. Orange is bad: **false** accusations, of
# all that it made, and cases in which the **honest** network is accused.

# %% id="score" slideshow={"slide_type": "-"}
table = ck.stored_cases()
ck.show_shares(table, bad=list(table["occlusion"])[-2:])


# %% id="score-claim"
def share(method, column):
    part, whole = table[method][column].split(" of ")
    return int(part) / int(whole)


maps, false = ("occlusion", "gradients", "grad_cam"), "accusations, false"
ck.claim(
    "counterfactual: share of the faults found, the worst kind",
    min(share("counterfactual", f) for f in case.faults),
    at_least=1,
)
ck.claim("counterfactual: share of false accusations", share("counterfactual", false), at_most=0)
ck.claim("maps: the largest share of colours found", max(share(name, "colour") for name in maps), below=0.1)
ck.claim("neighbours: share of false accusations", share("neighbours", false), above=0.1, below=0.4)
ck.claim("top patches", share("top_patches", false), above=0.3, below=0.6)
ck.claim("TCAV", share("tcav", false), above=0.8)

# %% [markdown] id="score-read" slideshow={"slide_type": "skip"}
# Each network was measured once, on one collection of 128 pictures, and the 81 cases combine these numbers. There are 12 networks: 3 honest ones, and 3 with each fault, so 54 appearances of a fault are those of **three** networks, again and again. Read the table as a report on these twelve, with 16 objects, and on measures that a
# program can take. A person who looks at the same map may see more: the corner that Grad-CAM lights up is plain to the eye and holds a sixth of the energy, which is less than the margin. A false accusation is one of the honest network, or one of a guilty
# network for the **wrong rule**. Chance: one that accuses at random is right in 2 of 36.
#
# - **Counterfactuals** find all and accuse no one falsely. They were given the list of suspects.
# - **Neighbours** (lab 02: of the pictures with a cue, how many have their nearest neighbour, another object, among pictures with the cue?) come next, and they do not ask for the class at all. They never accuse the honest network, and still
#   about every fourth accusation is false: it names the right network and the wrong rule.
# - **Occlusion** finds what has a place. It cannot find a colour, and neither can any map. In about a quarter of the cases it accuses the honest
#   network, mostly of *colour*: its map lies on the object, more than the others' do. By that measure honesty looks like guilt.
# - **Gradients** (times the input) accuse seldom, and nearly always rightly: they find marks, and a third of the backgrounds.
# - **Top patches** find nearly as much as neighbours, and nearly half of what they say is false: an honest unit, too, may answer to stars or to blue. They give ideas, not proofs.
# - **TCAV**, taken as a bare score, finds a third, and about nine of ten of its accusations are false; in three of four cases it accuses the honest network. The score counts signs, and a small slope counts like a large one. Lab 13 says what was left out here: random concepts beside it.
# - **Feature visualisation** can show a colour at most, finds fewer than half, and most of what it says is false.
# - **Grad-CAM** on a grid of 8 × 8 is too coarse for a mark: it makes six accusations in all, and all are true.
# - **FullGrad**, **dissection** and **discovered concepts** may be named as evidence, and are not in the table: nobody has measured them on all cases.

# %% [markdown] id="swap-title" slideshow={"slide_type": "skip"}
# ## Swap the pictures
#
# Case `number + 81` has the same three networks and other pictures. The share of flips, for all twelve cues. **Predict first.** By how much will it change?

# %% id="swap" slideshow={"slide_type": "skip"}
again = ck.case(case.seed + 81)


def all_flips(case):
    found = {}
    for fault in case.faults:
        for target, name in enumerate(case.classes):
            without, with_cue = (x[case.labels != target] for x in case.pair(fault, name))
            for letter, network in case.networks.items():
                before, after = network(without).argmax(1), network(with_cue).argmax(1)
                found[letter, fault, name] = ((before != target) & (after == target)).float().mean().item()
    return found


old, new = all_flips(case), all_flips(again)
change = {letter: {f"{fault}, largest change": 0.0 for fault in case.faults} for letter in case.networks}
for (letter, fault, name), share_before in old.items():
    moved, column = abs(new[letter, fault, name] - share_before), f"{fault}, largest change"
    change[letter][column] = max(change[letter][column], moved)
ck.show_shares(change, title="share of flips on other pictures: the largest change over four classes")

# %% id="swap-claim" slideshow={"slide_type": "skip"}
ck.claim("largest change of 36 shares", max(max(row.values()) for row in change.values()), below=0.2)
ck.claim(
    "shares of 0.2 or more on the other pictures", sum(value >= 0.2 for value in new.values()), at_least=2, at_most=2
)

# %% [markdown] id="swap-read" slideshow={"slide_type": "skip"}
# A share of 96 pictures moves by some hundredths, and the two rules stay the only ones: what was found is a property of the networks, not of these pictures. They are still pictures of the same sixteen objects.
# Other networks wait under other numbers: the cells above run there as they stand.

# %% [markdown] id="exercises-title" slideshow={"slide_type": "slide"}
# ## Exercises
#
# | | what you do | difficulty | minutes |
# |---|---|---|---|
# | 16.1 | when does a number accuse? | ★ | 5 |
# | 16.2 | what a class loses without its cue | ★★ | 8 |
# | 16.3 | a map against its area | ★★ | 8 |
# | 16.4 | what a refutation has shown | ★★ | 8 |
# | 16.5 | **the report** | ★★★ | 45 |
#
# Each check says ✓, or which mistake it has recognised.

# %% [markdown] id="e1-card"
# ### Exercise 16.1 · When does a number accuse?
# *★ · 5 minutes.* `suspect` is the share of the accused, `others` a list of the shares of the others. Return `True` if the number sets the accused apart by 0.2 or more (allow for rounding: 1e-9), else `False`.
# **You will probably** compare with the mean of the others. One of them may be as bad as the accused.


# %% id="e1-starter"
def sets_apart(suspect, others):
    return ...


# %% id="e1-solution" jupyter={"source_hidden": true} tags=["solution"]
def sets_apart(suspect, others):
    return all(suspect - other > 0.2 - 1e-9 for other in others)


# %% id="e1-check"
ck.check("16.1", sets_apart)

# %% [markdown] id="e2-card"
# ### Exercise 16.2 · What a class loses
# *★★ · 8 minutes.* The other way round: take the cue away from the class's own pictures. `before` and `after` (N,) are the predicted classes with and without the cue, `labels` (N,) the true ones, `target` the class. Of the class's pictures that
# were right before, return the share that no longer are (a tensor).
# **You will probably** divide by all of the class's pictures.


# %% id="e2-starter"
def lost(before, after, labels, target):
    return ...


# %% id="e2-solution" jupyter={"source_hidden": true} tags=["solution"]
def lost(before, after, labels, target):
    had = (labels == target) & (before == target)
    return (after[had] != target).float().mean()


# %% id="e2-check"
ck.check("16.2", lost)

# %% [markdown] id="e3-card"
# ### Exercise 16.3 · A map against its area
# *★★ · 8 minutes.* Half of a map's energy on the background is much for a background of a tenth of the picture, and nothing for one of nine tenths. `heat` (N, 1, H, W) is signed, `region` (N, H, W) is bool. For each picture take the part of the
# **positive** energy in the region, minus the region's part of the area; return the mean over the pictures.
# **You will probably** add up all pictures first. Then a map with large values counts more than the others.


# %% id="e3-starter"
def excess(heat, region):
    return ...


# %% id="e3-solution" jupyter={"source_hidden": true} tags=["solution"]
def excess(heat, region):
    shares = []
    for one, where in zip(heat.relu(), region, strict=True):
        shares.append(one[0][where].sum() / one.sum() - where.float().mean())
    return torch.stack(shares).mean()


# %% id="e3-check"
ck.check("16.3", excess)

# %% [markdown] id="e4-card"
# ### Exercise 16.4 · What has the test shown?
# *★★ · 8 minutes.* You said *before* the test: “my claim needs a share of `at_least`”. `suspect` is what the accused gave, `others` (a list) what the others did. Return `"refuted"` if the accused did not reach it, `"empty"` if it did and all
# others did as well, and `"stands"` if it did and at least one other did not.
# **You will probably** forget the second word. A test that cannot fail is easy to pass.


# %% id="e4-starter"
def trial(suspect, others, at_least):
    return ...


# %% id="e4-solution" jupyter={"source_hidden": true} tags=["solution"]
def trial(suspect, others, at_least):
    if suspect < at_least:
        return "refuted"
    return "stands" if min(others) < at_least else "empty"


# %% id="e4-check"
ck.check("16.4", trial)

# %% [markdown] id="e5-card"
# ### Exercise 16.5 · The report
# *★★★ · 45 minutes.* Accuse **one** network; file a second report for the other culprit with the same cell. Fill in the letter, the fault (`"watermark"`, `"background"` or `"colour"`) and the class.
#
# - Three pieces of evidence: `ck.Evidence(method, measure, measured)`, where `measure(model)` returns a share in [0, 1] for *any* of the three networks, larger for the guilty one, and the same each time.
# - One `ck.Refutation(claim, measure, at_least)`: fix `at_least` **before** you measure.
#
# Write in a cell of its own, in ten sentences: how you got the idea, what speaks against it, what you have not tested.
# **You will probably** measure the same thing three times under three names.

# %% id="e5-starter"
report = ck.Report(
    case,
    network=...,  # "A", "B" or "C"
    fault=...,
    label=...,
    evidence=[],
    refutation=None,
)


# %% id="e5-solution" jupyter={"source_hidden": true} tags=["solution"]
def accuse(accused, fault, label, claim):
    number = case.classes.index(label)
    mine = case.labels == number
    pair = case.pair(fault, label)  # composed once: without the cue, and with it
    both = torch.cat(pair)

    def turned(model):  # as ck.flips
        before, after = (model(pictures[~mine]).argmax(1) == number for pictures in pair)
        return (~before & after).float().mean().item()

    def looked(model):
        few = mine.nonzero()[:6, 0]
        seen = ck.occlusion(model, case.images[few], number, window=16, stride=8)
        return ck.mask_energy(seen, case.region(fault)[few]).mean().item()

    def excited(model):
        speaks = model.head.weight[number] - model.head.weight.mean(0)
        top = [ck.top_patches(model, both, "relu4", c, k=9).images for c in speaks.topk(3).indices.tolist()]
        return (torch.cat(top) >= len(mine)).float().mean().item()

    def gone(model):
        bare, cued = (model(pictures[mine]).argmax(1) == number for pictures in pair)
        return 1 - (bare & cued).sum().item() / max(1, cued.sum().item())

    methods = {"counterfactual": turned, "top_patches": excited, "occlusion": looked}
    evidence = [ck.Evidence(method, measure, measure(case[accused])) for method, measure in methods.items()]
    return ck.Report(case, accused, fault, label, evidence, ck.Refutation(claim, gone, at_least=0.5))


report = accuse("A", "watermark", "bird", "without its star, A loses half of its birds")
second = accuse("C", "background", "instrument", "away from grass, C loses half of its instruments")
print(ck.verdict(second))

# %% id="e5-verdict"
print(ck.verdict(report))

# %% id="e5-check"
ck.check("16.5", report)

# %% [markdown] id="recap" slideshow={"slide_type": "slide"}
# ## Recap
#
# - Networks that agree on every picture of a test set may have quite different reasons. Only pictures that take the coincidences apart can show it.
# - Maps, patches and concepts give the idea; a counterfactual is the proof, for a suspect on the list. A number accuses only if it sets one network apart from the others.
# - Count what a method says wrongly, not only what it finds. Say which test could have proved you wrong, and run it.

# %% [markdown] id="quiz" slideshow={"slide_type": "slide"}
# ## Quiz
#
# 1. Why can a heat map not show that a network goes by the colour of the object?
# <details><summary>Answer</summary>It says where, and the colour is where the object is. An honest map lies on the object, too.</details>
#
# 2. Why are the pictures of the collection useless to tell the three networks apart by accuracy?
# <details><summary>Answer</summary>All twelve coincidences hold in them, so every rule gives the right answer, the honest one and the lazy ones.</details>
#
# 3. A counterfactual test of all twelve cues finds nothing. Is the network honest?
# <details><summary>Answer</summary>Honest about these twelve. A rule that nobody thought of, such as the brightness, was not tested.</details>
#
# 4. What makes a refutation empty?
# <details><summary>Answer</summary>Every network passes it, the honest one as well. Then passing says nothing about the accused.</details>

# %% [markdown] id="lecture" slideshow={"slide_type": "slide"}
# ## Reading for the seminar
#
# **Adebayo et al. 2022** gave people and methods networks with planted shortcuts, as we do. Where the shortcut was *known*, some methods pointed at it. Where it was **unknown**, and could hardly be seen, they did not help.
#
# **Casper et al. 2023** planted *trojans* in an ImageNet network and let methods of feature visualisation and synthesis compete to find them.
#
# **Discuss.** Our suspects are a list of twelve. Which of our methods would still work without the list? And with the training pictures at hand, would you still need one? (Data attribution, as TracIn of Pruthi et al. 2020, asks which training pictures
# have moved the network towards an answer.)

# %% [markdown] id="reading" slideshow={"slide_type": "skip"}
# ## Further reading
#
# - S. Lapuschkin, S. Wäldchen, A. Binder, G. Montavon, W. Samek, K.-R. Müller. *Unmasking Clever Hans predictors and assessing what machines really learn.* Nature Communications, 2019.
# - J. Adebayo, M. Muelly, I. Liccardi, B. Kim. *Debugging tests for model explanations.* NeurIPS 2020.
# - J. Adebayo, M. Muelly, H. Abelson, B. Kim. *Post hoc explanations may be ineffective for detecting unknown spurious correlation.* ICLR 2022.
# - S. Casper et al. *Red teaming deep neural networks with feature synthesis tools.* NeurIPS 2023.
# - T. Fel et al. *CRAFT: concept recursive activation factorization for explainability.* CVPR 2023.
# - G. Pruthi, F. Liu, S. Kale, M. Sundararajan. *Estimating training data influence by tracing gradient descent.* NeurIPS 2020.
# - R. Geirhos et al. *Shortcut learning in deep neural networks.* Nature Machine Intelligence, 2020.
# - M. T. Ribeiro, S. Singh, C. Guestrin. *“Why should I trust you?” Explaining the predictions of any classifier.* KDD 2016.
#
# **That was the last lab.** Close a case of your own: a network from the internet, and a rule that nobody told you.
