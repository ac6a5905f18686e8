"""What would it like to see?

Images made by a network: objectives, parameterisations, transforms, regularisers, and one loop, `render`.
`ck.render(model, ck.unit("conv5", 3))` shows what a channel wants; inversion goes through the same loop.
"""

PUBLIC = {  # file -> the names of it that `ck.` has
    "doodle": "neural_doodle",
    "dream": "dream dream_zoom",
    "facets": "facets Facets",
    "fast": "fast_style fast_texture sample_diversity",
    "fooling": "gradient_sign iterated_gradient_sign smallest_change evolve",
    "inversion": "invert inversion_error",
    "objectives": "",
    "parameterizations": "",
    "regularizers": "",
    "render": "render Rendering",
    "style": "style_layers style_transfer",
    "style_search": "",
    "textures": "synthesise_texture texture_parameters gram_distance",
    "transforms": "",
}
MODULES = "objectives parameterizations regularizers transforms"  # files of several small functions: ck.objectives.…
