"""How do we look inside?

Capture what layers compute, name a target, change the backward pass or the weights for a while. All hooks are here.
"""

PUBLIC = {  # file -> the names of it that `ck.` has
    "backward": "relu_rule",
    "capture": "capture predict activations embed",
    "cutting": "cut ablate",
    "targets": "unit activation_gradients",
}
