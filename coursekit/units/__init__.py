"""What is one channel for?

Filters, top patches, tuning, dissection and circuits of single channels.
`ck.filter_pictures(weights)` shows what a first layer looks for; deeper layers begin with `ck.top_patches`.
"""

PUBLIC = {  # file -> the names of it that `ck.` has
    "circuits": "effective_weights matched_controls",
    "dissection": "dissect concept_scenes Dissection Concepts",
    "filters": ("filter_pictures filter_health frequency_response main_pattern fit_gabor natural_patches mosaic Gabor"),
    "groups": "neuron_groups activation_grid colour_groups Groups",
    "parts": "part_scenes part_places part_spread cutout_picture PartScenes",
    "patches": "top_patches TopPatches",
    "tuning": "orientation_tuning curve_tuning gradient_orientation angle_between Tuning",
}
