"""What can the reader move?

Figures with controls (ipywidgets); a still picture where there is no browser. `ck.explore_cam(model, image)` is enough
to begin.
"""

PUBLIC = {  # file -> the names of it that `ck.` has
    "attribution": "explore_cam explore_occlusion explore_saliency explore_backward",
    "browser": "",
    "concepts": "explore_concepts",
    "explorer": "",
    "looking": "explore_prediction explore_activations explore_training",
    "points": "explore_points",
    "sanity": "explore_randomisation",
    "style": "explore_fast_style explore_style explore_doodle",
    "synthesis": "explore_inversion explore_features feature_gallery explore_dream explore_fooling",
    "units": "explore_unit",
}
