"""How do we look inside?

Capture what layers compute, name a target, change the backward pass or the weights for a while. All hooks are here.
`ck.activations(model, images, ["conv5"])` is the one loop over many images, and what other folders build on.
"""

PUBLIC = {  # file -> the names of it that `ck.` has
    "backward": "relu_rule",
    "capture": "capture predict activations embed",
    "cutting": "cut_weights ablate",
    "recording": "",
    "redistribution": "",
    "targets": "unit activation_gradients",
    "windows": "window_reach",
}
