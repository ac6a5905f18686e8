"""What is looked into?

The networks, by name or one's own; their weights, layers and receptive fields.
`ck.load_model("coursenet")` is a trained `Model`, which takes images in [0, 1] and knows its layers by friendly names.
"""

PUBLIC = {  # file -> the names of it that `ck.` has
    "descriptors": "descriptor",
    "device": "setup",
    "history": "training_history coursenet_at",
    "layers": "",
    "loading": "load_model random_model is_available",
    "model": "Model",
    "nets.blocks": "",
    "nets.captioned": "",
    "nets.coursenet": "",
    "nets.decoder": "",
    "nets.generator": "",
    "nets.parted": "filter_loss part_templates",
    "nets.patternnet": "",
    "nets.style": "",
    "nets.superresolution": "",
    "nets.texture": "",
    "nets.trust": "",
    "nets.twin": "",
    "painters": (
        "load_decoder load_generator shape_parameters load_style_network load_texture_network load_superresolution"
    ),
    "fast": "",
    "receptive": "",
    "weights": "",
}
