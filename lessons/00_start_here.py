# %% [markdown] id="title" slideshow={"slide_type": "slide"}
# # 00 · Start here
# ### Ask a real network about real pictures, and learn to doubt the answer.
#
# After this lab you will be able to
#
# - say whether your machine is ready, and what to send when you ask for help,
# - read a prediction: logit, probability, the five best classes,
# - say what an image is for a network, and look at what its layers make of it,
# - name two cases in which a sure answer means nothing.

# %% [markdown] id="contract" slideshow={"slide_type": "skip"}
# **First do** nothing: this is the first lab. You need some Python; you need not know any PyTorch.
#
# **Run time** about 15 s on two CPU cores, plus a second for each explorer. **Memory** below 1 GB. **Words** are explained in the [glossary](../docs/glossary.md).
#
# **How to run it.** Click on a cell and press Shift + Enter: the cell runs, and the next one is chosen. Start at the top
# and leave no cell out. A line with ✓ is a claim: what was measured, its number, and the threshold in brackets.

# %% id="install" jupyter={"source_hidden": true} slideshow={"slide_type": "skip"}
from importlib.util import find_spec

if find_spec("coursekit") is None:  # on Colab, Kaggle, or in another environment than the course's own
    print("coursekit is missing here: copy coursekit-*.whl beside this notebook (README.md says how to make it),")
    print("run  %pip install coursekit-*.whl  in a cell, and restart the kernel.")

# %% id="setup"
import torch

import coursekit as ck

ck.setup(seed=0)

# %% [markdown] id="question" slideshow={"slide_type": "slide"}
# ## Which pictures can you believe?
#
# There are a hundred ways to draw what a network "sees". Many of the pictures are beautiful, and some of them are wrong.
# This course shows you how to make them, and how to find out which of them to trust. It makes two promises:
#
# 1. **The algorithm is visible.** Each method stands in its lab as 5 to 20 lines of PyTorch that you can change. The next
#    cell shows that the tested version in `coursekit` gives the same numbers.
# 2. **Numbers before looks.** A method is scored against a truth that we know. It is not judged by its beauty.

# %% [markdown] id="why" slideshow={"slide_type": "slide"}
# ## Why look, and what there is to see
#
# To understand a network. To find its errors and cheats. To know when to believe it. To build a better one. To learn from it.
#
# | to look at | the question | labs |
# |---|---|---|
# | parameters | What did the filters learn? Which work together? | 01, 15 |
# | activations | What does a layer make of a picture? What if a part is covered? | 00, 03 |
# | their distributions | How often is a unit active, how strongly, for what? | 01, 15 |
# | derivatives | Which pixels would change the answer? Where is the evidence? | 04, 05, 06 |
# | preferred inputs | What does a unit like best? | 07, 10 |
# | feature spaces | What is alike, what is kept, which direction has a meaning? | 02, 09, 11 to 13 |
# | adversarial inputs | How little must change to change the answer? | 08 |
# | these pictures | Which of them can you believe? | 14, 16 |

# %% [markdown] id="labs-where" slideshow={"slide_type": "skip"}
# ## The labs: where and what
#
# | | lab | its question | first do |
# |---|---|---|---|
# | 00 | Start here | What does a network answer, and how sure is it? | |
# | 01 | Weights | What did the first layer learn? | 00 |
# | 02 | Embeddings | Which pictures are alike for the network? | 01 |
# | 03 | Occlusion | What is lost when a part is covered? | 00 |
# | 04 | Saliency | Which pixels would change the answer? | 03 |
# | 05 | Guided backpropagation | Why are the sharpest maps not the truest? | 04 |
# | 06 | Class activation maps | Where is the evidence for this class? | 04, 05 |
# | 07 | Activation maximization | What does a neuron like best? | 04 |
# | 08 | Fooling images | How little must change to change the answer? | 03, 04, 06 |

# %% [markdown] id="labs-how" slideshow={"slide_type": "skip"}
# ## The labs: make, and check
#
# | | lab | its question | first do |
# |---|---|---|---|
# | 09 | Inversion | What does a layer still know about the picture? | 00, 04 |
# | 10 | DeepDream | What if a layer sees more of what it sees? | 04 |
# | 11 | Style transfer | What is style, in numbers? | 09 |
# | 12 | Fast style transfer | Can one network do it in one pass? | 11 |
# | 13 | TCAV | Does "striped" matter for "zebra"? | 02, 04 |
# | 14 | Sanity checks | Does the map change when the network is destroyed? | 04 to 06 |
# | 15 | Units and circuits | How do neurons work together? | 01, 07 |
# | 16 | Detective | Can you find the cheat of a network? | 03, 06, 13 |

# %% [markdown] id="labs-paths" slideshow={"slide_type": "slide"}
# ## What needs what: the whole course, or six labs
#
# **The whole course** goes in the order of the numbers. **The short path**, the thick arrows, asks where a network looks, and whether a map can be believed. Then go where the arrows lead.

# %% id="labs-paths-figure" slideshow={"slide_type": "-"}
ck.show_images(ck.load_image(ck.feature_gallery("paths")))

# %% [markdown] id="labs-paths-read" slideshow={"slide_type": "notes"}
# An arrow says: *first do*. The whole course begins inside, with filters and codes, goes on to maps and pictures, and ends with tests. The short path is
# 00 → 03 → 04 → 05 → 06 → 14. For pictures, 07 and 10 need no more than 04. For lab 16, the detective, do 01, 02 and 13 after the short path.

# %% [markdown] id="how" slideshow={"slide_type": "slide"}
# ## How a lab works
#
# 1. **Predict first.** Write down your guess, on paper. Then run the cell.
# 2. **The method** in a few lines. An `assert` says that it equals the one in `coursekit`, which we call `ck`.
# 3. **The figure** on a real photograph, and an **explorer** with sliders.
# 4. **What goes wrong.** Each method has a case that misleads you.
# 5. **The score.** A claim prints its number beside a threshold, and ✓ or ✗. Then another network.
# 6. **Exercises** that check themselves, and a **quiz**.

# %% [markdown] id="how-more" slideshow={"slide_type": "skip"}
# You may change every cell; your copy is your own. Change a number, guess what will happen, run the cell. The labs build on
# each other only where it says *first do lab N*.

# %% [markdown] id="doctor-title" slideshow={"slide_type": "skip"}
# ## Is this machine ready?
#
# The *doctor* looks at the packages, the machine, the networks and the pictures. A line with ✓ is good. A line with `!`
# works, and says how to make it better. A line with ✗ must be repaired first, and says how.

# %% id="doctor" tags=["nbval-ignore-output"]
ck.doctor()

# %% [markdown] id="first-title" slideshow={"slide_type": "slide"}
# ## What does it see, and how sure is it?
#
# The network is EfficientNet-Lite0. It has learnt 1000 **classes**, the things it has a name for, from 1.2 million
# photographs of ImageNet. **Predict first.** Which names will it give to this picture, and how sure will it be?

# %% id="first" slideshow={"slide_type": "fragment"}
model = ck.load_model("efficientnet_lite0")
coffee = ck.load_image("coffee", size=224)
ck.show_predictions(coffee, ck.predict(model, coffee))

# %% [markdown] id="first-read" slideshow={"slide_type": "notes"}
# *Espresso*, with a probability of 0.94. These are the **five best** of the 1000 classes; people call it the *top 5*.

# %% [markdown] id="unsure-title" slideshow={"slide_type": "slide"}
# ## Sure that it is a cat, unsure which
#
# **Predict first.** ImageNet has five classes of house cats. Will one of them win clearly?

# %% id="unsure" slideshow={"slide_type": "fragment"}
cat = ck.load_image("chelsea", size=224)
ck.show_predictions(cat, ck.predict(model, cat))

# %% id="unsure-claim" slideshow={"slide_type": "fragment"}
house_cats = ["tabby", "tiger cat", "Persian cat", "Siamese cat", "Egyptian cat"]
every_class = dict(ck.predict(model, cat, top=1000)[0])
ck.claim("probability of the best class", max(every_class.values()), below=0.5)
ck.claim("probability of the five house cats together", sum(every_class[name] for name in house_cats), above=0.8)
on_coffee = dict(ck.predict(model, coffee, top=1000)[0])
ck.claim("control: the same five on the coffee", sum(on_coffee[name] for name in house_cats), below=0.01, digits=1)

# %% [markdown] id="unsure-read" slideshow={"slide_type": "notes"}
# No: the best class has less than one half. But the network does not doubt that this is a cat; it only does not know which. So
# look at the second and third class too, before you call an answer weak. The names of the classes are part of the question.

# %% [markdown] id="wrong-title" slideshow={"slide_type": "slide"}
# ## Wrong, and it could not be right
#
# **Predict first.** An astronaut in her orange suit. What will the network say?

# %% id="wrong" slideshow={"slide_type": "fragment"}
astronaut = ck.load_image("astronaut", size=224)
ck.show_predictions(astronaut, ck.predict(model, astronaut))

# %% id="wrong-claim" slideshow={"slide_type": "fragment"}
words = ["person", "woman", "face", "astronaut", "space suit", "groom", "ballplayer", "scuba diver"]
print("people among the 1000 classes:", [word for word in words if word in model.labels])


# %% id="helmet-claim"
def covered(top, left):  # a rectangle of 79 × 104 pixels in the mean colour of the picture
    image = astronaut.clone()
    image[:, :, top : top + 79, left : left + 104] = astronaut.mean((2, 3), keepdim=True)
    return dict(ck.predict(model, image, top=1000)[0])


seen, no_helmet = dict(ck.predict(model, astronaut, top=1000)[0]), covered(145, 120)
others = [covered(0, 0), covered(0, 120), covered(145, 0)]  # the three other corners
ck.claim("football helmet", seen["football helmet"], above=0.1)
ck.claim("football helmet, her helmet covered", no_helmet["football helmet"], below=0.02, digits=1)
ck.claim(
    "control: another corner covered, the lowest of three",
    min(x["football helmet"] for x in others),
    above=0.06,
    digits=1,
)
ck.claim("bobsled, her helmet covered", no_helmet["bobsled"], below=0.15, digits=1)
ck.claim("bobsled, the corner with the flag covered instead", others[0]["bobsled"], below=0.15, digits=1)

# %% [markdown] id="wrong-read" slideshow={"slide_type": "notes"}
# A *bobsled*! Look at her with the network's words: there is no *person*, no *face*, no *astronaut*. Three classes are
# people: a *groom*, a *ballplayer* and a *scuba diver*. Who wears a bright suit and a shining helmet in such photographs?
# People in a bobsled, in a go-kart and in football. That is a story, so we test it: cover the helmet, and *football helmet* is gone, while
# three other corners of the same size leave most of it. So far the story holds: the answer is wrong, but it is the answer of somebody who looked. For *bobsled* it does not:
# it loses one half without the helmet, and as much without the corner of the flag. Lab 03 makes a method of this test.

# %% [markdown] id="logit-title" slideshow={"slide_type": "slide"}
# ## Softmax makes probabilities of logits
#
# The network ends in 1000 plain numbers $s_1 \dots s_{1000}$, one for each class. They are called **logits**. A logit may be
# negative, and it may be 12. *Softmax* makes probabilities of them, all positive, with the sum 1:
#
# $$ p_c \;=\; \frac{e^{s_c}}{\sum_{k=1}^{1000} e^{s_k}} $$
#
# - A logit that is larger by 1 makes its class $e \approx 2.7$ times as probable, compared with each of the others.
# - Adding the same number to all logits changes nothing.
#
# Bridle, *Probabilistic interpretation of feedforward classification network outputs*, 1990.

# %% [markdown] id="code-title" slideshow={"slide_type": "slide"}
# ## Six lines turn logits into the five best classes


# %% id="readable" slideshow={"slide_type": "-"} tags=["show-code"]
def my_predict(model, image, top=5):
    with torch.no_grad():  # we only look: nothing is to be learnt here
        logits = model(image)[0].cpu()  # the first picture of the batch: 1000 numbers
    powers = torch.exp(logits - logits.max())  # minus the largest: else e^s can become infinite
    probabilities = powers / powers.sum()
    values, classes = probabilities.topk(top)
    return [(model.labels[c], p) for c, p in zip(classes.tolist(), values.tolist(), strict=True)]


# %% id="same"
mine, theirs = my_predict(model, coffee), ck.predict(model, coffee)[0]
assert [label for label, p in mine] == [label for label, p in theirs]
assert torch.allclose(torch.tensor([p for label, p in mine]), torch.tensor([p for label, p in theirs]), atol=1e-5)
print("my_predict and ck.predict give the same five classes and probabilities")

# %% id="table" slideshow={"slide_type": "-"} tags=["nbval-ignore-output"]
with torch.no_grad():
    logits = model(coffee)[0].cpu()
print("class        logit   probability")
for label, p in mine:
    print(f"{label:12} {logits[model.labels.index(label)]:5.1f}   {p:.4f}")

# %% id="ratio" slideshow={"slide_type": "skip"}
(espresso, first), (cup, second) = mine[:2]
lead = logits[model.labels.index(espresso)] - logits[model.labels.index(cup)]
ck.claim(f"{espresso}'s logit is ahead of {cup}'s by", lead, above=3.5, digits=1)
ck.claim(f"{espresso} is so many times as probable as {cup}", first / second, above=30, digits=1)
ck.claim("e to the power of that lead, divided by this ratio", lead.exp() / (first / second), above=0.999, below=1.001)
total = sum(p for label, p in my_predict(model, coffee, top=1000))
ck.claim("sum of all 1000 probabilities", total, above=0.9999, below=1.0001)

# %% [markdown] id="ratio-read" slideshow={"slide_type": "skip"}
# So a small step in the logit is a big step in the probability: a lead of 4 makes a class $e^4 \approx 55$ times as probable. Most labs work with
# logits: they say how much evidence there is for *one* class, while a probability also
# falls when *another* class gets stronger.

# %% [markdown] id="tensor-title" slideshow={"slide_type": "slide"}
# ## What an image is: a tensor
#
# A **tensor** is a block of numbers. An image is a tensor of shape (1, 3, height, width): one picture, three **channels**
# (red, green, blue), rows, columns. All values lie between 0 (dark) and 1 (bright).
# **Predict first.** Cup, coffee, saucer: what is bright in all three channels? What is bright in red alone?

# %% id="tensor" slideshow={"slide_type": "fragment"}
low, high = coffee.min().item(), coffee.max().item()
print("shape:", tuple(coffee.shape), f"· smallest {low:.1f} · largest {high:.1f}")
lamps = torch.eye(3)[:, :, None, None]  # red, green and blue light: each lets one channel pass
ck.show_images([coffee, *(coffee * lamp for lamp in lamps)], ["photograph", "red alone", "green alone", "blue alone"])

# %% [markdown] id="tensor-read" slideshow={"slide_type": "notes"}
# Only the rim of the cup, and the glints on the spoon, are bright in all three channels: white is red, green and blue together. The saucer and the outside of the cup
# have light in red alone. The coffee is bright in red, weaker in green, and dark in blue. Two habits will save you hours:
#
# - **Rows first.** `image[:, :, 10, 200]` is row 10 from the top and column 200 from the left. Not x, y.
# - **Channels before rows.** Many programs store height, width, channels. PyTorch wants channels, height, width.

# %% id="index"
places = {"rim": (107, 86), "coffee": (85, 100), "saucer": (120, 200)}  # row, column
for place, (row, column) in places.items():
    print(f"{place:7}", [round(value, 1) for value in coffee[0, :, row, column].tolist()])
rim, drink, saucer = (coffee[0, :, row, column] for row, column in places.values())
ck.claim("darkest channel of the rim", rim.min(), above=0.7, digits=1)
ck.claim("saucer: red, divided by the brighter one of green and blue", saucer[0] / saucer[1:].max(), above=2, digits=1)

# %% [markdown] id="crop-title" slideshow={"slide_type": "skip"}
# ### Crop and size
#
# `ck.load_image(name)` keeps the photograph's own size. With `size=224` it scales the picture until the shorter side has 224
# pixels, and cuts the longer one at both ends. What was there is gone: the network never sees it.

# %% id="crop"
whole = ck.load_image("motorcycle")
square = ck.load_image("motorcycle", size=224)
print("the whole photograph:", tuple(whole.shape), "· what the network gets:", tuple(square.shape))
height, width = whole.shape[2:]
kept = (0, (width - height) // 2, height, height)  # top, left, height, width
ck.show_images([whole, square], ["whole, and what is kept", "for the network: 224 × 224"], columns=2, boxes=[kept])

# %% [markdown] id="layers-title" slideshow={"slide_type": "slide"}
# ## What a network is: a row of layers
#
# Each **layer** takes a tensor and makes a new one. Its numbers are called **activations**: they are high where the layer
# has found what it looks for. Towards the end there are fewer places, more channels, and each number sees more of the picture.
#
# | layer | its output | one number sees |
# |---|---|---|
# | `conv1` | 32 channels of 112 × 112 | 3 × 3 pixels |
# | `block5` | 40 channels of 28 × 28 | 67 × 67 pixels |
# | `relu2` | 1280 channels of 7 × 7 | the whole image |
# | `fc` | 1000 logits | the whole image |

# %% id="layers"
print(model.layers)

# %% [markdown] id="layers-read" slideshow={"slide_type": "skip"}
# The **receptive field** of a number is the part of the picture that it can see. The names are the course's own: `conv` is a
# convolution (a small filter that slides over the picture), `relu` sets negative numbers to 0 (in this network it also has a ceiling, see below), a `block` is a group of
# layers, `avgpool` takes the mean over all places, and `fc` ("fully connected") turns 1280 means into 1000 logits.

# %% [markdown] id="early-title" slideshow={"slide_type": "slide"}
# ## Look inside: what can an early layer find?
#
# `ck.capture` keeps what a layer computes. Here are three of the 32 channels of `conv1`, the first convolution: 15, 21 and 20, each as a picture, an
# *activation map*. White is 0; red is positive, blue is negative.
# **Predict first.** What can a filter of 3 × 3 pixels find?

# %% id="early" slideshow={"slide_type": "fragment"}
tower = ck.load_image("china", size=427)[:, :, 60:284, 20:244]  # a part of the photograph: 224 × 224 pixels
with ck.capture(model, ["conv1", "relu1"]) as maps, torch.no_grad():
    model(tower)
early, after = maps["conv1"].cpu(), maps["relu1"].cpu()
names = {"vertical edges (15)": 15, "horizontal edges (21)": 21, "green – red (20)": 20}
ck.show_maps(
    tower,
    {name: early[:, channel : channel + 1] for name, channel in names.items()},
    unit="share of the map's largest",
    relative=True,
)

# %% id="early-claim"
step = torch.zeros(1, 3, 32, 32)
step[..., 16:] = 1  # black on the left, white on the right: one vertical edge
found = []
for edge in (step, step.transpose(2, 3)):  # the second has one horizontal edge
    with ck.capture(model, ["conv1"]) as maps, torch.no_grad():
        model(edge)
    found.append(maps["conv1"].cpu()[0, :, 2:-2, 2:-2].abs().amax((1, 2)))  # without the border
vertical, horizontal = found
ck.claim("channel 15: vertical edge against horizontal edge", vertical[15] / horizontal[15], above=20, digits=1)
ck.claim("channel 21: horizontal edge against vertical edge", horizontal[21] / vertical[21], above=20, digits=1)
filters = dict(model.module.named_parameters())["conv_stem.weight"].cpu()  # (32, 3, 3, 3): channel, colour, row, column
red, green, blue = (filters[20].sum((1, 2)) / filters[20].abs().sum()).tolist()
ck.claim("channel 20: weight of green", green, above=0.2)
ck.claim("channel 20: weight of red", red, below=-0.2)
ck.claim("channel 20: weight of blue, without its sign", abs(blue), below=0.02, digits=1)

# %% [markdown] id="early-read" slideshow={"slide_type": "notes"}
# Edges and colours: that is all a window of 3 × 3 pixels can hold. Channel 15 finds the pillars and the ridges of the tiles, channel 21 the
# eaves; both are 0 on plain sky. Channel 20 is blue on the orange roof and the red wall, and red on the green frames. The thin lines at the right and the lower border are edges
# too: beyond the picture the network sees zeros.
#
# The names are ours, not the network's. For these three a test pattern and the weights bear them out. A name given after
# one look is only a guess; later labs test such guesses.

# %% [markdown] id="relu-title" slideshow={"slide_type": "slide"}
# ## After the convolution: a floor at 0, a ceiling at 6
#
# A *batch normalisation* first multiplies each channel by one number $a$ and adds another, $b$. Then `relu1` cuts: $\mathrm{ReLU6}(x) = \min(\max(x, 0), 6)$.
#
# **ReLU** cuts at 0; this network cuts at 6 as well, for processors that count with few bits (Sandler et al. 2018).
# **Predict first.** Channel 21 has $b \approx 2.8$. Which value has plain sky?

# %% id="relu" slideshow={"slide_type": "fragment"}
titles = ["channel 21 of conv1: signed", "the same in relu1: from 0 to 6"]
ck.show_maps(
    tower,
    dict(zip(titles, [early[:, 21:22], after[:, 21:22]], strict=True)),
    unit=["output of conv1", "activation"],
    shared=False,
)

# %% id="relu-claim"
norm = model.module.bn1
a = (norm.weight / (norm.running_var + norm.eps).sqrt()).detach().cpu()[:, None, None]
b = norm.bias.detach().cpu()[:, None, None] - a * norm.running_mean.cpu()[:, None, None]
assert torch.allclose((a * early + b).clamp(0, 6), after, atol=1e-4)
print("relu1 is min(max(a x + b, 0), 6) of conv1")
ck.claim("b of channel 21", b[21], above=2.5, below=3.5)
ck.claim("share of channel 21 at the ceiling", (after[:, 21] == 6).float().mean(), above=0.1)
ck.claim("share of all 32 channels at the ceiling", (after == 6).float().mean(), below=0.1, digits=1)
ck.claim("share of all 32 channels at the floor", (after == 0).float().mean(), above=0.2)

# %% [markdown] id="relu-read" slideshow={"slide_type": "notes"}
# Plain sky has about 2.8, in the middle between floor and ceiling: "no edge" is not 0 here. An edge from dark to bright and one from
# bright to dark go to opposite ends, black and cream. What is cut is lost for the next layer. So two places that are both 6 need not be equally strong.

# %% [markdown] id="late-title" slideshow={"slide_type": "slide"}
# ## Look inside a late layer: edges, too?
#
# `relu2` has 1280 channels with only 7 × 7 places. These three speak strongly for *espresso*.
# **Predict first.** Will they look like edges, too?

# %% id="late" slideshow={"slide_type": "fragment"}
with ck.capture(model, ["relu2"]) as maps, torch.no_grad():
    model(coffee)
late = maps["relu2"].cpu()
espresso = model.labels.index("espresso")
weight, bias = model.head.weight[espresso].detach().cpu(), model.head.bias[espresso].detach().cpu()
evidence = weight * late[0].mean((1, 2))  # one number for each channel
below_ceiling = (late[0] == 6).float().mean((1, 2)) < 1 / 8  # of maps that are 6 at many places one sees little
strongest = torch.where(below_ceiling, evidence, 0).topk(3).indices.tolist()
ck.show_maps(
    coffee,
    {f"channel {channel} of relu2": late[:, channel : channel + 1] for channel in strongest},
    unit="activation",
    overlay=True,
)

# %% id="late-claim"
assert torch.allclose(evidence.sum() + bias, logits[espresso], atol=1e-3)
print("the logit of espresso is the sum of the evidence of 1280 channels, plus one constant")
ck.claim("share of the evidence that these three hold", evidence[strongest].sum() / evidence.sum(), below=0.1, digits=1)

# %% [markdown] id="late-read" slideshow={"slide_type": "notes"}
# No edges any more, but regions: the handle, the spoon and the near side of the saucer in one map, the coffee within the cup in two. The darkest
# squares are at the ceiling of 6. The logit is nothing but a weighted sum of the means of
# such maps, plus a constant, and three maps of 1280 are a small part of it. Lab 06 turns the whole sum into a picture.

# %% [markdown] id="explorer-title" slideshow={"slide_type": "slide"}
# ## Your turn: your own picture
#
# Choose a photograph, or upload one. Take something on your desk. Where does the network fail?

# %% id="explorer" slideshow={"slide_type": "-"}
ck.explore_prediction(model, "motorcycle")

# %% [markdown] id="explorer-read" slideshow={"slide_type": "skip"}
# Your picture stays on the machine that runs this notebook. On GitHub and on slides you see only this still figure: open the lab in
# JupyterLab for the buttons. To use your file in code, write `ck.load_image("my_cat.jpg", size=224)`.

# %% [markdown] id="size-title" slideshow={"slide_type": "slide"}
# ## What goes wrong 1 · the size
#
# **Predict first.** The network learnt from pictures of 224 × 224 pixels. We give it the same cup, smaller and larger. A
# larger picture shows more details. Will it be more sure?


# %% id="size" slideshow={"slide_type": "fragment"}
def probability(image, label="espresso"):
    return dict(ck.predict(model, image, top=1000)[0])[label]


sizes = [96, 112, 128, 144, 160, 192, 224, 256, 288, 320, 352, 384, 448]
cups = {size: ck.load_image("coffee", size=size) for size in sizes}
pots = [probability(cup, "coffeepot") + probability(cup, "teapot") for cup in cups.values()]
ck.show_lines(
    sizes,
    {"espresso": [probability(cup) for cup in cups.values()], "coffeepot or teapot": pots},
    xlabel="height and width of the picture (px)",
    ylabel="probability",
    marks={"trained at 224 px": 224},
)

# %% id="size-claim"
ck.claim("espresso at 224 pixels", probability(cups[224]), above=0.9)
ck.claim("espresso at 448 pixels", probability(cups[448]), below=0.15, digits=1)
ck.claim(
    "espresso at 160 pixels, minus that at 224", probability(cups[160]) - probability(cups[224]), above=0.02, digits=1
)
ck.claim("coffeepot or teapot at 96 pixels", pots[0], above=0.8)
photographs = ["coffee", "motorcycle", "chelsea", "rocket", "china", "astronaut"]
small, usual, large = [], [], []
for name in photographs:
    label = ck.predict(model, ck.load_image(name, size=224))[0][0][0]
    for size, answers in zip((160, 224, 448), (small, usual, large), strict=True):
        answers.append(probability(ck.load_image(name, size=size), label))
fall = sum(now < before for now, before in zip(large, usual, strict=True))
rise = sum(now > before for now, before in zip(small, usual, strict=True))
ck.claim("of six photographs, those less sure of their class at 448 than at 224", fall, at_least=6)
ck.claim("of six photographs, those more sure at 160 than at 224", rise, at_least=2, at_most=4)

# %% [markdown] id="size-read" slideshow={"slide_type": "notes"}
# No: from 224 pixels on the network gets less and less sure. At 160 it is a little surer than at the size of its training, and at 96 it is sure of
# something else: *coffeepot* or *teapot*. All six photographs that we tried have less of their class at 448; at 160 three have more and three have less. So the size of the training
# is a good first choice, and not always the best (Touvron et al. 2019).

# %% [markdown] id="giant-title" slideshow={"slide_type": "slide"}
# ## Why less sure? Test the nice story
#
# A story: "at 448 pixels the network sees a *giant cup*, and it has learnt cups of the usual size".
# **Predict first.** If that were so, what would it say to a piece of the giant cup, 224 pixels wide? And to the usual cup on a large grey picture?

# %% id="giant" slideshow={"slide_type": "fragment"} tags=["gallery"]
giant = cups[448]
piece = giant[:, :, 112:336, 112:336]
canvas = torch.full_like(giant, 0.5)
canvas[:, :, 112:336, 112:336] = cups[224]
trials = {"giant cup, 448 px": giant, "middle, 224 px": piece, "on grey, 448 px": canvas}
titles = [f"{name}: espresso {probability(image):.2f}" for name, image in trials.items()]
ck.show_images(list(trials.values()), titles, columns=3)


# %% id="giant-claim"
def espresso_of(maps):  # the last layer, on the mean over the places that are given
    return (maps.mean((2, 3)) @ model.head.weight.detach().cpu().T + model.head.bias.detach().cpu()).softmax(1)[
        0, espresso
    ]


ck.claim("a piece of the giant cup, 224 px: espresso", probability(piece), above=0.7, digits=1)
ck.claim("the usual cup on grey, 448 px: espresso", probability(canvas), below=0.1, digits=1)
with ck.capture(model, ["relu2"]) as maps, torch.no_grad():
    model(torch.cat([canvas, giant]))
on_canvas, on_giant = maps["relu2"].cpu()[:1], maps["relu2"].cpu()[1:]
ck.claim("usual cup on grey, mean over all 14 × 14 places", espresso_of(on_canvas), below=0.1, digits=1)
ck.claim(
    "usual cup on grey, mean over the 7 × 7 places of the cup",
    espresso_of(on_canvas[..., 3:10, 3:10]),
    above=0.8,
    digits=1,
)
ck.claim(
    "control: mean over the 7 × 7 places of the last corner", espresso_of(on_canvas[..., 7:, 7:]), below=0.1, digits=1
)
best_part = max(espresso_of(on_giant[..., i : i + 7, j : j + 7]) for i in range(8) for j in range(8))
ck.claim("giant cup, mean over the best 7 × 7 places", best_part, above=0.3, below=0.8, digits=1)

# %% [markdown] id="giant-read" slideshow={"slide_type": "notes"}
# The story is wrong twice. The piece shows the cup as large as before, and is *espresso* again. The usual cup on a large picture is
# not. What counts is how many places the last layer averages: 14 × 14 instead of 7 × 7. Taken over the places of the cup alone, the mean gives back the
# old answer. For the giant cup this explains a part: its best 7 × 7 places give about 0.6, not 0.94.
#
# A story that sounds right is not a test. And a surprising answer is often a mistake in the preparation of the picture: `ck.load_image` prepares all of them
# in the same way; `model.input_size` says which size the network was trained with.

# %% [markdown] id="always-title" slideshow={"slide_type": "slide"}
# ## What goes wrong 2 · it always answers
#
# **Predict first.** Galaxies seen by the Hubble telescope, and pure noise. What are they?
#
# The probabilities add up to 1, whatever the picture is. There is no "none of these".

# %% id="always" slideshow={"slide_type": "fragment"}
noise = [torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(seed)) for seed in range(8)]
galaxies = ck.load_image("hubble", size=224)
odd = torch.cat([galaxies, noise[0]])
ck.show_predictions(odd, ck.predict(model, odd, top=3))

# %% id="always-claim"
answers = [answer[0] for answer in ck.predict(model, torch.cat([galaxies, *noise]), top=1)]
print("galaxies:", answers[0][0], "· eight times noise:", *sorted({label for label, p in answers[1:]}))
least = min(p for label, p in answers)
ck.claim("smallest of the nine best probabilities, divided by chance, 1/1000", least * 1000, above=50, digits=1)

# %% [markdown] id="always-read" slideshow={"slide_type": "notes"}
# *Bubble* and *kite* (the bird), the same bird for eight different noises. Such probabilities are low, but about a hundred times above chance. And a high
# probability is no promise either: networks are often surer than they are right (Guo et al. 2017). A probability
# compares 1000 names. It does not ask whether any name fits.

# %% [markdown] id="score-title" slideshow={"slide_type": "slide"}
# ## Score it: how much do the best classes hold?
#
# Sort the 1000 probabilities and add them up from the best one on. **Predict first.** How many classes do you need for one half?

# %% id="score" slideshow={"slide_type": "fragment"}
pictures = {"coffee": coffee, "cat": cat, "astronaut": astronaut}
held = {
    name: torch.tensor([p for label, p in ck.predict(model, picture, top=1000)[0]]).cumsum(0)
    for name, picture in pictures.items()
}
chance = torch.arange(1, 1001) / 1000  # all classes equally probable
ck.show_lines(
    range(1, 31),
    {**{name: sums[:30] for name, sums in held.items()}, "all classes alike": chance[:30]},
    xlabel="number of classes, the best first",
    ylabel="cumulative probability",
    limits=(0, 1.02),
    levels={"one half": 0.5},
)

# %% id="score-claim"
needed = {name: int((sums < 0.5).sum()) + 1 for name, sums in {**held, "all alike": chance}.items()}
print("classes for one half:", needed)
ck.claim("the five best hold of the coffee", held["coffee"][4], above=0.9)
ck.claim("the five best hold of the astronaut", held["astronaut"][4], below=0.6)
ck.claim("control: the five best of 1000 equal ones", chance[4], below=0.01)

# %% [markdown] id="score-read" slideshow={"slide_type": "notes"}
# One class, two classes, seven classes; 500 if all were equally probable. Three kinds of curve: *sure* starts high, *unsure among a few* climbs in a few
# steps, *has no word for it* climbs slowly. This number tells more than the best probability alone, and you did not need to like a picture to read it.

# %% [markdown] id="swap-title" slideshow={"slide_type": "slide"}
# ## Swap the network: a bobsled, too?
#
# EfficientNet-Lite2 learnt the same 1000 classes on its own, with pictures of 260 × 260 pixels. **Predict first.** Does it see a bobsled, too?

# %% id="swap" slideshow={"slide_type": "fragment"}
other = ck.load_model("efficientnet_lite2")
larger = ck.load_image("astronaut", size=other.input_size)
lite0, lite2 = dict(ck.predict(model, astronaut, top=1000)[0]), dict(ck.predict(other, larger, top=1000)[0])
classes = list(dict.fromkeys([*list(lite0)[:5], *list(lite2)[:5]]))  # the five best of each
ck.show_dots(
    {
        f"EfficientNet-{name}": {label: (answer[label],) * 3 for label in classes}
        for name, answer in [("Lite0", lite0), ("Lite2", lite2)]
    },
    xlabel="probability",
)

# %% id="swap-claim"
both = set(list(lite0)[:5]) & set(list(lite2)[:5])
print("among the five best of both:", sorted(both))
ck.claim(
    "best probability of Lite0, minus that of Lite2", max(lite0.values()) - max(lite2.values()), above=0.05, digits=1
)

# %% [markdown] id="swap-read" slideshow={"slide_type": "notes"}
# Yes, but it is not its first thought. The order changes; *bobsled* and *football helmet* stay among the five best. Lite2 is less sure, and for a picture
# without a right answer that is better. Two networks that agree may both be wrong: they learnt from the same pictures, with the same 1000 words.

# %% [markdown] id="stuck" slideshow={"slide_type": "skip"}
# ## When something is slow, stuck or broken
#
# - **Stuck or strange?** Menu *Kernel → Restart Kernel and Run All Cells*. It cures most things.
# - **Slow?** Close other notebooks: each holds a network in memory. Then take fewer samples, larger strides, smaller pictures.
# - **Asking for help?** Send four things to your instructor, or to the issue tracker of the course:
#   1. the doctor's report (`ck.doctor()`),
#   2. the cell, as text,
#   3. the *whole* error, from its first line to its last,
#   4. what you expected.

# %% [markdown] id="stuck-more" slideshow={"slide_type": "skip"}
# The errors of `ck` are sentences: what was seen, what was expected, what to do. Read the last line first. And search the issue
# tracker before you write: somebody may have had your problem.
#
# A star in the brackets left of a cell, `[*]`, means that a cell still runs. The square button ■ above stops it, and the network is
# left as it was.

# %% [markdown] id="exercises-title" slideshow={"slide_type": "slide"}
# ## Exercises
#
# | | what you do | difficulty | minutes |
# |---|---|---|---|
# | 00.1 | get one wrong on purpose | ★ | 2 |
# | 00.2 | softmax by hand | ★ | 8 |
# | 00.3 | from a camera's array to an image | ★★ | 8 |
# | 00.4 | the names of the best classes | ★ | 5 |
#
# Replace the `...`, run the cell, then run the check below it. It says ✓, or which mistake it has recognised.

# %% [markdown] id="e1-card"
# ### Exercise 00.1 · Get one wrong on purpose
# *★ · 2 minutes.* How many numbers does a picture of 224 × 224 pixels hold, as the tensor that the network gets?
#
# First write `224 * 224`, which is wrong, and run the check. It should say:
#
# > ✗ 00.1 not yet: that is the number of pixels; each of them holds three numbers.
#
# Now do as the hint says. **You will probably** find that easy. The next hints are as useful, so do not fear a ✗.

# %% id="e1-starter"
numbers_in_a_picture = ...

# %% id="e1-solution" jupyter={"source_hidden": true} tags=["solution"]
numbers_in_a_picture = 3 * 224 * 224

# %% id="e1-check"
ck.check("00.1", numbers_in_a_picture)

# %% [markdown] id="e2-card"
# ### Exercise 00.2 · Softmax by hand
# *★ · 8 minutes.* Write softmax for a whole batch. `logits` has the shape (N, K): N pictures, K classes. Return the
# probabilities, (N, K). Use `exp` and sums alone: the check would take PyTorch's softmax too, but you would learn nothing. It must work for a logit of 1000.
# **You will probably** add up over the pictures instead of the classes. `keepdim=True` helps you to divide.


# %% id="e2-starter"
def softmax(logits):
    return ...


# %% id="e2-solution" jupyter={"source_hidden": true} tags=["solution"]
def softmax(logits):
    powers = torch.exp(logits - logits.amax(dim=1, keepdim=True))
    return powers / powers.sum(dim=1, keepdim=True)


# %% id="e2-check"
ck.check("00.2", softmax)

# %% [markdown] id="e3-card"
# ### Exercise 00.3 · From a camera's array to an image
# *★★ · 8 minutes.* A camera gives you a NumPy array of shape (height, width, 3), whole numbers from 0 to 255, in the order
# red, green, blue. Make the tensor that the networks of this course take: (1, 3, height, width), float32. 0 stays 0, and 255 becomes 1; a dark picture stays dark.
# `torch.from_numpy(array)` is a good start. **You will probably** use `reshape`, which moves no axis: it only cuts the row of numbers anew.


# %% id="e3-starter"
def to_image(array):
    return ...


# %% id="e3-solution" jupyter={"source_hidden": true} tags=["solution"]
def to_image(array):
    return torch.from_numpy(array).permute(2, 0, 1)[None].float() / 255


# %% id="e3-check"
ck.check("00.3", to_image)

# %% [markdown] id="e4-card"
# ### Exercise 00.4 · The names of the best classes
# *★ · 5 minutes.* `logits` are the K numbers of one picture, `labels` the K names. Return a list of the `top` most probable names, best
# first. You need no softmax: why? **You will probably** sort upwards, as `sort` and `argsort` do.


# %% id="e4-starter"
def best_labels(logits, labels, top):
    return ...


# %% id="e4-solution" jupyter={"source_hidden": true} tags=["solution"]
def best_labels(logits, labels, top):
    return [labels[i] for i in logits.topk(top).indices.tolist()]


# %% id="e4-check"
ck.check("00.4", best_labels)

# %% [markdown] id="recap" slideshow={"slide_type": "slide"}
# ## Recap
#
# - An image is a tensor (1, 3, height, width) from 0 to 1. A network turns it, layer by layer, into 1000 logits; softmax makes them
#   probabilities.
# - A network answers with the words that it has, and it always answers. Read the five best classes, not only the first.
# - Guess first, then look, then count. A ✗ is a hint, and a wrong guess is a good one.

# %% [markdown] id="quiz" slideshow={"slide_type": "slide"}
# ## Quiz
#
# 1. The logits of two classes are 7 and 5. How many times as probable is the first?
# <details><summary>Answer</summary>e² ≈ 7.4 times. Only the difference counts, and the other 998 classes do not matter for this ratio.</details>
#
# 2. The network calls a photograph of a wedding guest *groom*, with 60 %. Has it found out that he is the groom?
# <details><summary>Answer</summary>No. "Groom" is one of the few classes with people in them. It has no word for a guest.</details>
#
# 3. You load a photograph with another program, and all answers are strange. What do you check?
# <details><summary>Answer</summary>The shape (channels first?), the range (0 to 1, not 0 to 255?), the order of the colours and the size.</details>
#
# 4. Two channels of a layer light up on the same cup. Do they look for the same thing?
# <details><summary>Answer</summary>You cannot know from one picture. One may look for handles and the other for round shapes. Try more pictures.</details>

# %% [markdown] id="reading" slideshow={"slide_type": "slide"}
# ## Further reading
#
# - O. Russakovsky and others. *ImageNet large scale visual recognition challenge.* IJCV 115, 2015.
# - M. Tan, Q. V. Le. *EfficientNet: rethinking model scaling for convolutional neural networks.* ICML 2019.
# - M. Sandler and others. *MobileNetV2: inverted residuals and linear bottlenecks.* CVPR 2018. Why a ceiling at 6.
# - J. S. Bridle. *Probabilistic interpretation of feedforward classification network outputs.* Springer 1990.
# - H. Touvron and others. *Fixing the train-test resolution discrepancy.* NeurIPS 2019. The best size for a test.
# - C. Guo and others. *On calibration of modern neural networks.* ICML 2017. Why 0.94 is not 94 %.
# - J. Adebayo and others. *Sanity checks for saliency maps.* NeurIPS 2018.

# %% [markdown] id="next" slideshow={"slide_type": "skip"}
# **Next:** lab 01 on the whole course: what did the first filters learn? Lab 03 on the short path: what is lost when a part is covered?
