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
# **Run time** about 15 s on two CPU cores, plus a second for each explorer. **Memory** below 1 GB.
#
# **How to run it.** Click on a cell and press Shift + Enter: the cell runs, and the next one is chosen. Start at the top
# and leave no cell out.

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

# %% [markdown] id="labs-where" slideshow={"slide_type": "slide"}
# ## The labs: where and what
#
# | | lab | its question | |
# |---|---|---|---|
# | 00 | Start here | What does a network answer, and how sure is it? | ✓ |
# | 01 | Weights | What did the first layer learn? | ✓ |
# | 02 | Embeddings | Which pictures are alike for the network? | ✓ |
# | 03 | Occlusion | What is lost when a part is covered? | ✓ |
# | 04 | Saliency | Which pixels would change the answer? | ✓ |
# | 05 | Guided backpropagation | Why are the sharpest maps not the truest? | ✓ |
# | 06 | Class activation maps | Where is the evidence for this class? | ✓ |
# | 07 | Activation maximization | What does a neuron like best? | ✓ |
# | 08 | Fooling images | How little must change to change the answer? | ✓ |

# %% [markdown] id="labs-how" slideshow={"slide_type": "subslide"}
# ## The labs: make, and check
#
# | | lab | its question | |
# |---|---|---|---|
# | 09 | Inversion | What does a layer still know about the picture? | ✓ |
# | 10 | DeepDream | What if a layer sees more of what it sees? | ✓ |
# | 11 | Style transfer | What is style, in numbers? | ✓ |
# | 12 | Fast style transfer | Can one network do it in one pass? | ✓ |
# | 13 | TCAV | Does "striped" matter for "zebra"? | ✓ |
# | 14 | Sanity checks | Does the map change when the network is destroyed? | ✓ |
# | 15 | Units and circuits | How do neurons work together? | ✓ |
# | 16 | Detective | Can you find the cheat of a network? | ✓ |

# %% [markdown] id="how" slideshow={"slide_type": "slide"}
# ## How a lab works
#
# 1. **Predict first.** Write down your guess, on paper. Then run the cell.
# 2. **The method** in a few lines. An `assert` says that it equals the one in `coursekit`, which we call `ck`.
# 3. **The figure** on a real photograph, and an **explorer** with sliders.
# 4. **What goes wrong.** Each method has a case that misleads you.
# 5. **The score**, one line that is either `True` or not. Then another network.
# 6. **Exercises** that check themselves, and a **quiz**.

# %% [markdown] id="how-more" slideshow={"slide_type": "skip"}
# You may change every cell; your copy is your own. Change a number, guess what will happen, run the cell. The labs build on
# each other only where it says *first do lab N*.

# %% [markdown] id="doctor-title" slideshow={"slide_type": "skip"}
# ## Is this machine ready?
#
# The *doctor* looks at the packages, the machine, the networks and the pictures. A line with ✓ is good. A line with `!`
# works, and says how to make it better. A line with ✗ must be mended first, and says how.

# %% id="doctor" tags=["nbval-ignore-output"]
ck.doctor()

# %% [markdown] id="first-title" slideshow={"slide_type": "slide"}
# ## Your first prediction
#
# The network is EfficientNet-Lite0. It has learnt 1000 **classes**, the things it has a name for, from 1.2 million
# photographs of ImageNet. **Predict first.** Which names will it give to this picture, and how sure will it be?

# %% id="first" slideshow={"slide_type": "-"}
model = ck.load_model("efficientnet_lite0")
coffee = ck.load_image("coffee", size=224)
ck.show_predictions(coffee, ck.predict(model, coffee))

# %% [markdown] id="first-read" slideshow={"slide_type": "skip"}
# *Espresso*, with a probability of .94. These are the **five best** of the 1000 classes; people call it the *top 5*.

# %% [markdown] id="unsure-title" slideshow={"slide_type": "slide"}
# ## Sure that it is a cat, unsure which
#
# **Predict first.** ImageNet has five classes of house cats. Will one of them win clearly?

# %% id="unsure" slideshow={"slide_type": "-"}
cat = ck.load_image("chelsea", size=224)
ck.show_predictions(cat, ck.predict(model, cat))

# %% id="unsure-claim" slideshow={"slide_type": "-"}
house_cats = ["tabby", "tiger cat", "Persian cat", "Siamese cat", "Egyptian cat"]
every_class = dict(ck.predict(model, cat, top=1000)[0])
print("the best cat has less than 50 %:", max(every_class.values()) < 0.5)
print("the five house cats together have more than 80 %:", sum(every_class[name] for name in house_cats) > 0.8)

# %% [markdown] id="unsure-read" slideshow={"slide_type": "skip"}
# No single class passes one half. But the network does not doubt that this is a cat: it only does not know which. So
# look at the second and third class too, before you call an answer weak. The names of the classes are part of the question.

# %% [markdown] id="wrong-title" slideshow={"slide_type": "slide"}
# ## Wrong, and it could not be right
#
# **Predict first.** An astronaut in her orange suit. What will the network say?

# %% id="wrong" slideshow={"slide_type": "-"}
astronaut = ck.load_image("astronaut", size=224)
ck.show_predictions(astronaut, ck.predict(model, astronaut))

# %% id="wrong-claim" slideshow={"slide_type": "-"}
words = ["person", "woman", "face", "astronaut", "space suit", "groom", "ballplayer", "scuba diver"]
print("people among the 1000 classes:", [word for word in words if word in model.labels])

# %% [markdown] id="wrong-read" slideshow={"slide_type": "skip"}
# A *bobsled*! Look at her with the network's words: there is no *person*, no *face*, no *astronaut*. Three classes are
# people: a *groom*, a *ballplayer* and a *scuba diver*. Who wears a bright suit and a shining helmet in such photographs?
# People in a bobsled, in a go-kart and in football. The answer is wrong, but it is the answer of somebody who looked.

# %% [markdown] id="logit-title" slideshow={"slide_type": "slide"}
# ## From logits to probabilities
#
# The network ends in 1000 plain numbers $s_1 \dots s_{1000}$, one for each class. They are called **logits**. A logit may be
# negative, and it may be 12. *Softmax* makes probabilities of them, all positive, with the sum 1:
#
# $$ p_c \;=\; \frac{e^{s_c}}{\sum_{k=1}^{1000} e^{s_k}} $$
#
# - One more in the logit: $e \approx 2.7$ times as probable, compared with the others.
# - Adding the same number to all logits changes nothing.
#
# Bridle, *Probabilistic interpretation of feedforward classification network outputs*, 1990.

# %% [markdown] id="code-title" slideshow={"slide_type": "slide"}
# ## The whole method


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
first, second = mine[0][1], mine[1][1]
print("espresso is more than 30 times as probable as the next class:", first > 30 * second)
print("all 1000 probabilities add up to 1:", abs(sum(p for label, p in my_predict(model, coffee, top=1000)) - 1) < 1e-4)

# %% [markdown] id="ratio-read" slideshow={"slide_type": "skip"}
# The logit of espresso is ahead by about 4, and $e^4 \approx 55$. So a small step in the logit is a big step in the
# probability. Most labs work with logits: they say how much evidence there is for *one* class, while a probability also
# falls when *another* class gets stronger.

# %% [markdown] id="tensor-title" slideshow={"slide_type": "slide"}
# ## What an image is: a tensor
#
# A **tensor** is a block of numbers. An image is a tensor of shape (1, 3, height, width): one picture, three **channels**
# (red, green, blue), rows, columns. All values lie between 0 (dark) and 1 (bright).
# **Predict first.** In which channel is the red saucer dark?

# %% id="tensor" slideshow={"slide_type": "-"}
print("shape:", tuple(coffee.shape), "· from 0 to 1:", 0 <= coffee.min().item() <= coffee.max().item() <= 1)
ck.show_images([coffee, coffee[:, 0:1], coffee[:, 1:2], coffee[:, 2:3]], ["image", "red", "green", "blue"])

# %% [markdown] id="tensor-read" slideshow={"slide_type": "skip"}
# The white cup is bright in all three channels. The red saucer is bright in the first one only. Two habits will save you hours:
#
# - **Rows first.** `image[:, :, 10, 200]` is row 10 from the top and column 200 from the left. Not x, y.
# - **Channels before rows.** Many programs store height, width, channels. PyTorch wants channels, height, width.

# %% id="index"
pixel = coffee[0, :, 150, 40]  # on the saucer: row 150, column 40
print("one pixel is three numbers:", tuple(pixel.shape))
print("on the saucer red is more than twice as bright as blue:", bool(pixel[0] > 2 * pixel[2]))

# %% [markdown] id="crop-title" slideshow={"slide_type": "skip"}
# ### Crop and size
#
# `ck.load_image(name)` keeps the photograph's own size. With `size=224` it scales the picture until the shorter side has 224
# pixels, and cuts the longer one at both ends. What was there is gone: the network never sees it.

# %% id="crop"
whole = ck.load_image("motorcycle")
square = ck.load_image("motorcycle", size=224)
print("the whole photograph:", tuple(whole.shape), "· what the network gets:", tuple(square.shape))
ck.show_images([whole, square], ["whole photograph", "size=224"], columns=2)

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
# convolution (a small filter that slides over the picture), `relu` sets negative numbers to 0, a `block` is a group of
# layers, `avgpool` takes the mean over all places, and `fc` ("fully connected") turns 1280 means into 1000 logits.

# %% [markdown] id="early-title" slideshow={"slide_type": "slide"}
# ## Look inside: an early layer
#
# `ck.capture` keeps what a layer computes. Here are three of the 32 channels of `relu1`, each as a picture: an *activation map*.
# **Predict first.** What can a filter of 3 × 3 pixels find?

# %% id="early" slideshow={"slide_type": "-"}
tower = ck.load_image("china", size=224)
with ck.capture(model, ["relu1"]) as maps, torch.no_grad():
    model(tower)
early = maps["relu1"].cpu()
names = {15: "upright edges", 21: "level edges", 20: "greener than red"}
ck.show_maps(
    tower, {f"{channel}: {name}": early[:, channel : channel + 1] for channel, name in names.items()}, unit="activation"
)

# %% id="early-claim"
filters = dict(model.module.named_parameters())["conv_stem.weight"].cpu()  # (32, 3, 3, 3): channel, colour, row, column
red, green, blue = filters[20].sum((1, 2)) / filters[20].abs().sum()
print("channel 20 adds green, subtracts red and hardly uses blue:", bool(green > 0.2 > -0.2 > red and abs(blue) < 0.02))

# %% [markdown] id="early-read" slideshow={"slide_type": "skip"}
# Edges and colours: that is all a window of 3 × 3 pixels can hold. The edge channels have a middle value on plain sky, and go up and
# down at an edge. The names above are ours, not the network's. For channel 20 we
# can prove the name: its filter adds up green and subtracts red. Giving a name after one look is a guess;
# later labs test such guesses.

# %% [markdown] id="late-title" slideshow={"slide_type": "slide"}
# ## Look inside: a late layer
#
# `relu2` has 1280 channels with only 7 × 7 places. These three speak most for *espresso*.
# **Predict first.** Will they look like edges, too?

# %% id="late" slideshow={"slide_type": "-"}
with ck.capture(model, ["relu2"]) as maps, torch.no_grad():
    model(coffee)
late = maps["relu2"].cpu()
espresso = model.labels.index("espresso")
weight, bias = model.head.weight[espresso].cpu(), model.head.bias[espresso].cpu()
evidence = weight * late[0].mean((1, 2))  # one number for each channel
strongest = evidence.topk(3).indices.tolist()
ck.show_maps(coffee, {f"channel {channel}": late[:, channel : channel + 1] for channel in strongest}, unit="activation")

# %% id="late-claim"
assert torch.allclose(evidence.sum() + bias, logits[espresso], atol=1e-3)
print("the logit of espresso is the sum of the evidence of 1280 channels, plus one constant")

# %% [markdown] id="late-read" slideshow={"slide_type": "skip"}
# No edges any more: broad regions, where something like a cup or a saucer is. The logit is nothing but a weighted sum of the means of
# such maps. Lab 06 turns this sum into a picture.

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
# **Predict first.** The network learnt from pictures of 224 × 224 pixels. We give it the same cup, larger and larger. A
# larger picture shows more details. Will it be more sure?

# %% id="size" slideshow={"slide_type": "-"}
sizes = [96, 128, 160, 192, 224, 256, 288, 320, 384, 448]
sure = {size: dict(ck.predict(model, ck.load_image("coffee", size=size), top=1000)[0])["espresso"] for size in sizes}
ck.show_lines(
    sizes,
    {"espresso": list(sure.values())},
    xlabel="height and width of the picture (pixels)",
    ylabel="probability of espresso",
)

# %% id="size-claim"
print("more than 90 % at 224 pixels, less than 15 % at 448:", sure[224] > 0.9 and sure[448] < 0.15)

# %% [markdown] id="size-read" slideshow={"slide_type": "skip"}
# At 96 pixels too little is left of the cup. At 448 it is the same cup, and we see more of it. But in the eyes of the network it is now a giant cup, and its filters have learnt
# cups of the usual size (a likely reason; we have not tested it). So give a network the size that it was trained with: `model.input_size`. A surprising answer
# is often a mistake in the preparation of the picture. That is why `ck` always prepares it in the same way.

# %% [markdown] id="always-title" slideshow={"slide_type": "slide"}
# ## What goes wrong 2 · it always answers
#
# **Predict first.** The surface of the moon, and pure noise. What are they?
#
# The probabilities add up to 1, whatever the picture is. There is no "none of these".

# %% id="always" slideshow={"slide_type": "-"}
noise = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
odd = torch.cat([ck.load_image("moon", size=224), noise])
ck.show_predictions(odd, ck.predict(model, odd, top=3))

# %% id="always-claim"
print([answer[0][0] for answer in ck.predict(model, odd)])
by_chance = 1 / len(model.labels)
print("both are more than 100 times above chance:", all(a[0][1] > 100 * by_chance for a in ck.predict(model, odd)))

# %% [markdown] id="always-read" slideshow={"slide_type": "skip"}
# *Nematode* (a worm) and *kite* (the bird). Such probabilities are low, but a hundred times above chance. And a high
# probability is no promise either: networks are often surer than they are right (Guo et al. 2017). A probability
# compares 1000 names. It does not ask whether any name fits.

# %% [markdown] id="score-title" slideshow={"slide_type": "slide"}
# ## Score it: how much do the best classes hold?
#
# Sort the 1000 probabilities and add them up from the best one on. **Predict first.** How many classes do you need for one half?

# %% id="score" slideshow={"slide_type": "-"}
pictures = {"coffee": coffee, "cat": cat, "astronaut": astronaut}
held = {
    name: torch.tensor([p for label, p in ck.predict(model, picture, top=1000)[0]]).cumsum(0)
    for name, picture in pictures.items()
}
sure_or_not = bool(held["coffee"][4] > 0.9 and held["astronaut"][4] < 0.6)
print("the five best hold more than 90 % of coffee, less than 60 % of the astronaut:", sure_or_not)
ck.show_lines(
    range(1, 31),
    {name: sums[:30] for name, sums in held.items()},
    xlabel="number of classes, best first",
    ylabel="probability in all",
)

# %% [markdown] id="score-read" slideshow={"slide_type": "skip"}
# Three kinds of curve: *sure* jumps up at once, *unsure among a few* climbs in a few steps, *has no word for it* climbs slowly. This
# number tells more than the best probability alone, and you did not need to like a picture to read it.

# %% [markdown] id="swap-title" slideshow={"slide_type": "slide"}
# ## Swap the network
#
# EfficientNet-Lite2 learnt the same 1000 classes on its own, with pictures of 260 × 260 pixels. **Predict first.** Does it see a bobsled, too?

# %% id="swap" slideshow={"slide_type": "-"}
other = ck.load_model("efficientnet_lite2")
larger = ck.load_image("astronaut", size=other.input_size)
answers = ck.predict(model, astronaut, top=3) + ck.predict(other, larger, top=3)
ck.show_predictions(torch.cat([astronaut, astronaut]), answers)

# %% id="swap-claim"
best = {label for label, p in ck.predict(model, astronaut)[0]}
best_of_other = {label for label, p in ck.predict(other, larger)[0]}
print("among the five best of both:", sorted(best & best_of_other))

# %% [markdown] id="swap-read" slideshow={"slide_type": "skip"}
# Above Lite0, below Lite2. The order changes, but helmet and bobsled stay. Lite2 is less sure, and for a picture
# without a right answer that is better. Two networks that agree may both be wrong: they learnt from the same pictures, with the same 1000 words.

# %% [markdown] id="stuck" slideshow={"slide_type": "slide"}
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
# probabilities, (N, K), without calling a softmax of PyTorch. It must work for a logit of 1000, too.
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
# red, green, blue. Make the tensor that the networks of this course take: (1, 3, height, width), float32, from 0 to 1.
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
# - O. Russakovsky and others. *ImageNet large scale visual recognition challenge.* IJCV 115, 2015. Where the 1000 classes come from.
# - M. Tan, Q. V. Le. *EfficientNet: rethinking model scaling for convolutional neural networks.* ICML 2019.
# - J. S. Bridle. *Probabilistic interpretation of feedforward classification network outputs.* Neurocomputing, Springer 1990. Softmax.
# - C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger. *On calibration of modern neural networks.* ICML 2017. Why .94 is not 94 %.
# - J. Adebayo and others. *Sanity checks for saliency maps.* NeurIPS 2018. Pictures that one should not have believed.
#
# **Next:** lab 03 asks which part of the coffee made it *espresso*. Lab 04 asks with one backward pass.
