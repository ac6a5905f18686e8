"""Mutants of right answers that are right, too, each with the reason; see tests/labs/test_mutants.py."""

# The result of these is never below 0, or never above 1, whatever is asked.
NEVER_NEGATIVE = {
    "a probability, a share or a similarity in [0, 1]": (
        "00.2 01.2 01.3 02.1 06.4 06.10 08.4 11.8 12.2 13.3 13.4 15.3 16.2"
    ),
    "a picture in [0, 1]": "03.2 07.1 07.3 07.7 08.1 08.2 08.5 09.3 10.1 11.5",
    "after a ReLU, or a magnitude": "01.4 04.1 04.6 06.3 06.6 07.9 08.3",
    "the number of something, or which one it is": "01.5 01.6 02.6 02.8 02.9 05.6 10.3 11.7 12.5 12.6 13.7 15.6",
    "a distance, a sum of squares, or a power": "02.2 02.3 09.1 09.2 09.5 09.6 11.2 11.3 13.5",
    "an angle in [0, 180), or one of the four labels of GrabCut, which are 0 to 3": "04.7 15.1",
    "the error of pictures in [0, 1] is at most 1, so its PSNR is not negative": "12.3",
}
NEVER_ABOVE_1 = {
    "a probability, a share, a cosine or a correlation": (
        "00.2 01.2 01.3 02.1 02.2 02.6 05.5 06.4 06.10 07.6 08.4 11.8 12.2 13.3 13.4 14.1 14.5 15.3 16.2 16.3"
    ),
    "a picture in [0, 1]": "03.2 07.1 07.3 07.7 08.1 08.2 08.5 09.3 10.1 11.5",
    "an image that a tanh gave": "09.4",
    "the values of a unit vector": "09.7 13.1",
    "a difference of two accuracies": "13.6",
    "differences of neighbours in [0, 1], averaged": "09.2",
    "1 minus a distance": "15.2",
    "far below 1 for the pictures of a tiny network": "11.2",
}
SYMMETRIC = "02.2 11.1 11.6"  # rows and columns are the same

LAST = "the same dimension, counted from the other end"
SQUARED = "the sign goes away in a square, a length or an absolute value"
DEVICE = "the tests run on the CPU"
UNUSED = "a value that the answer does not use"
TIE = "the tolerance decides, or what is to be done with two equal values is left open"
SWAPPED = "a symmetric function"

EQUIVALENT = {
    "00.2": {"1 -> -1": LAST},
    "01.2": {"1 -> -1": LAST},
    "01.3": {"2 -> -2": LAST},
    "01.4": {
        "-1 -> 1": "filters are square",
        "1 -> 2": "filters are square, so any of their axes gives their size",
        "1 -> -1": LAST,
    },
    "01.5": {"1 -> -1": LAST, "2 -> -2": LAST},
    "01.6": {
        "likeness(moments) >= 0.9 -> likeness(moments) > 0.9": TIE,
        "torch.cosine_similarity(w.flatten(1), end) -> torch.cosine_similarity(end, w.flatten(1))": SWAPPED,
        "1 -> -1": LAST,
    },
    "02.2": {
        "torch.zeros(len(y), len(y)) -> torch.zeros(len(y), len(y))": "both arguments are the same",
        "1 -> 2": "a factor of all entries, which the division by their sum takes away",
        "1 -> -1": "a factor of all entries, which the division by their sum takes away",
        "y[i] - y[j] -> y[j] - y[i]": SQUARED,
    },
    "02.6": {"the result: between its own limits": "yes and no are 1 and 0"},
    "02.8": {"peaks[i] > peaks[best[name]] -> peaks[i] >= peaks[best[name]]": TIE},
    "02.9": {
        "(dots - cells[list(order)]).square().sum() -> (dots - cells[list(order)]).square().mean()": "the same order",
        "dots - cells[list(order)] -> cells[list(order)] - dots": SQUARED,
    },
    "03.2": {"model.mean.cpu() -> model.mean": DEVICE},
    "03.3": {
        "model.mean.cpu() -> model.mean": DEVICE,
        "count.clamp(min=1) -> count": "every pixel is covered",
        "0 -> 1": UNUSED,
        "1 -> 2": UNUSED,
        "1 -> -1": UNUSED,
        "2 -> -2": "images[:, :, a:b] and the two last axes",
        "-2 -> 2": "the two last of four axes",
        "side - window -> side + window": "windows beyond the border cover nothing",
        "side - window -> side": "windows that reach no other pixel count alike",
    },
    "04.7": {
        "1 -> -1": LAST,
        "heat < heat.quantile(low) -> heat <= heat.quantile(low)": TIE,
        "heat > heat.quantile(top) -> heat >= heat.quantile(top)": TIE,
    },
    "05.1": {"g > 0 -> g >= 0": "a signal of 0 is 0, whether it passes or not"},
    "05.5": {
        "1 -> -1": LAST,
        "F.cosine_similarity(a, b, dim=0) -> F.cosine_similarity(b, a, dim=0)": SWAPPED,
    },
    "05.7": {"epsilon * z.sign() -> epsilon / z.sign()": "a sign is its own reciprocal, and no z is exactly 0"},
    "06.8": {"2 -> -2": LAST, "-2 -> 2": LAST},
    "06.9": {
        "first @ x + b1 > 0 -> first @ x + b1 >= 0": "the slope of a ReLU at exactly 0 is left open",
        "second[c] @ (on * (first @ x)) -> on * (first @ x) @ second[c]": SWAPPED,
        "second[c] @ (on * b1) -> on * b1 @ second[c]": SWAPPED,
    },
    "07.2": {"1 -> -1": LAST, "x - 0.5 -> 0.5 - x": SQUARED},
    "07.3": {
        "value(x - 0.5, g) -> value(g, x - 0.5)": SWAPPED,
        "x - 0.5 -> 0.5 - x": SQUARED,
        "(d * g).sum(1, keepdim=True) -> (d * g).mean(1, keepdim=True)": "the same order",
        "True -> False": "one picture: the missing dimension of length 1 comes back",
    },
    "07.4": {
        "join(torch.fft.fftfreq(size)[:, None], torch.fft.rfftfreq(size)[None]) -> "
        "join(torch.fft.rfftfreq(size)[None], torch.fft.fftfreq(size)[:, None])": SWAPPED
    },
    "07.5": {"1 -> -1": LAST, "2 -> -2": LAST},
    "07.6": {"1 -> -1": LAST, "2 -> -2": LAST, "m.transpose(1, 2) -> m.transpose(2, 1)": SWAPPED},
    "07.8": {"2 -> -2": LAST},
    "07.9": {"torch.minimum(z, high(codes)) -> torch.minimum(high(codes), z)": SWAPPED},
    "08.4": {
        "8 -> 9": "a default: the check always gives the shift",
        "8 -> -8": "a default: the check always gives the shift",
        "1 -> -1": LAST,
    },
    "08.5": {"2 -> -2": "the better half, counted from the other end"},
    "09.1": {"1 -> -1": LAST, "a - goal -> goal - a": SQUARED},
    "09.2": {
        "x.shape[2] * x.shape[3] if size is None else size -> x.shape[2] * x.shape[3]": "a default",
        "x[..., 1:, :-1] - x[..., :-1, :-1] -> x[..., :-1, :-1] - x[..., 1:, :-1]": SQUARED,
        "x[..., :-1, 1:] - x[..., :-1, :-1] -> x[..., :-1, :-1] - x[..., :-1, 1:]": SQUARED,
        "2 -> -2": LAST,
        "1 -> -1": LAST,
        "t + 1e-12 -> t - 1e-12": "far below what is compared",
        "t + 1e-12 -> t": "far below what is compared",
        "1e-12 -> -1e-12": "far below what is compared",
    },
    "09.6": {"votes(dx, dy) -> votes(dy, dx)": SWAPPED},
    "09.7": {"w + torch.pi -> w - torch.pi": "a whole turn more or less, which the remainder takes away"},
    "10.2": {"2 -> -2": LAST},
    "10.4": {
        "larger if False and kept.any() else photo + larger -> photo + larger": "the condition never holds",
        "True -> False": "the same at these sizes",
    },
    "10.6": {"1 -> -1": LAST},
    "10.7": {"2 -> -2": LAST},
    "11.1": {"2 -> -2": LAST, "flat.transpose(1, 2) -> flat.transpose(2, 1)": SWAPPED},
    "11.2": {"g - goal -> goal - g": SQUARED},
    "11.3": {"x.diff(dim=3) -> x.diff()": LAST, "1 -> -1": LAST, "2 -> -2": LAST},
    "11.4": {"1 -> 2": "never reached: a clamp to [0, 2] of values that the loss pulls below 1"},
    "11.5": {"1 -> -1": LAST},
    "11.7": {"kept(c, components) -> kept(components, c)": SWAPPED},
    "11.8": {"1 -> -1": LAST},
    "12.1": {"2 -> -2": LAST},
    "12.3": {"2 -> -2": LAST, "made - truth -> truth - made": SQUARED},
    "13.1": {
        "(concept @ w).mean() > (others @ w).mean() -> (concept @ w).mean() >= (others @ w).mean()": TIE,
    },
    "13.4": {
        "min(1.0, 2 * (1 + int(tail(counts))) / (len(others) + 1)) -> "
        "min(2 * (1 + int(tail(counts))) / (len(others) + 1), 1.0)": SWAPPED,
        "1 -> -1": LAST,
        "others >= t - 1e-09 -> others > t - 1e-09": TIE,
        "others <= t + 1e-09 -> others < t + 1e-09": TIE,
    },
    "13.5": {
        "1 -> -1": LAST,
        "a - mixed -> mixed - a": SQUARED,
        "values(a, b) -> values(b, a)": SWAPPED,
    },
    "13.7": {
        "1 -> -1": LAST,
        "full - full.mean() -> full.mean() - full": SQUARED,
        "kept - full -> full - kept": SQUARED,
        "measure(full, kept) >= enough -> measure(full, kept) > enough": TIE,
    },
    "14.1": {"pearson(rank(a), rank(b)) -> pearson(rank(b), rank(a))": SWAPPED, "1 -> -1": LAST},
    "14.3": {"similarity(reference, found) -> similarity(found, reference)": SWAPPED},
    "14.5": {
        "ssim((a / first).numpy(), (b / second).numpy(), data_range=1.0) -> "
        "ssim((b / second).numpy(), (a / first).numpy(), data_range=1.0)": SWAPPED,
        "1.0 -> -1.0": "SSIM squares the range",
    },
    "15.2": {
        "distance(y, x) -> distance(x, y)": SWAPPED,
        "torch.arange(n).float()[:, None] - row -> row - torch.arange(n).float()[:, None]": SQUARED,
        "torch.arange(n).float()[None] - column -> column - torch.arange(n).float()[None]": SQUARED,
    },
    "16.1": {"suspect - of(others) >= 0.2 + slack -> suspect - of(others) > 0.2 + slack": TIE},
    "16.3": {"2 -> -2": LAST},
}
