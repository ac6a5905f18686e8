"""coursekit: the helper package of the course *Seeing inside convolutional networks*.

`import coursekit as ck`, then use `ck.` names only. A module is imported when one of its names is first used,
so the import itself costs little more than torch.
"""

from importlib import import_module

from coursekit import _torchvision
from coursekit.errors import (
    CoursekitError,
    DataUnavailable,
    ImageError,
    OptionError,
    TargetError,
    UnknownExercise,
    UnknownLayer,
    UnknownModel,
    UnsupportedActivation,
    UnsupportedNetwork,
    WeightsUnavailable,
)

__version__ = "0.1.0"

_torchvision.cure()

_MODULE_OF = {
    name: module
    for module, names in {
        "coursekit.images": "load_image save_image photographs",
        "coursekit.composition": "load_scene scenes cutouts Scene Scenes",
        "coursekit.filters": (
            "filter_pictures filter_health frequency_response main_pattern fit_gabor natural_patches mosaic Gabor"
        ),
        "coursekit.history": "training_history coursenet_at",
        "coursekit.models": "setup load_model random_model is_available Model predict",
        "coursekit.probe": "capture unit relu_rule",
        "coursekit.attribution.gradients": (
            "input_gradient input_x_gradient saliency smoothgrad integrated_gradients completeness_gap"
        ),
        "coursekit.attribution.backward_rules": "guided_backprop deconvnet",
        "coursekit.attribution.cam": "cam grad_cam guided_grad_cam",
        "coursekit.attribution.fullgrad": "fullgrad",
        "coursekit.attribution.occlusion": "occlusion occlusion_grid OcclusionGrid",
        "coursekit.embedding": "embed neighbours precision_at_k project trustworthiness grid_layout",
        "coursekit.patches": "top_patches TopPatches",
        "coursekit.tour": "grand_tour Tour",
        "coursekit.points": "show_points",
        "coursekit.hover": "explore_points",
        "coursekit.dissection": "dissect concept_scenes Dissection Concepts",
        "coursekit.concepts": "activations activation_gradients cav Cav tcav_score sort_by_concept",
        "coursekit.tcav": "tcav_test TcavTest holm",
        "coursekit.pictures": "concept_pictures concept_folder",
        "coursekit.public": "public_folder",
        "coursekit.scoring": (
            "importance pointing_game mask_energy best_iou ranking_auc deletion_curve insertion_curve"
        ),
        "coursekit.baselines": "random_map edge_map centre_map",
        "coursekit.comparison": "scoreboard Scoreboard bootstrap_interval",
        "coursekit.methods": "eleven stored_scoreboard",
        "coursekit.similarity": "map_similarity rank_correlation structural_similarity hog_correlation",
        "coursekit.randomisation": "randomised randomisable",
        "coursekit.sanity": "randomisation_test data_randomisation_test",
        "coursekit.sanity_result": "RandomisationTest",
        "coursekit.matrix": "show_matrix",
        "coursekit.explore_sanity": "explore_randomisation",
        "coursekit.card": "report_card stored_sanity ReportCard",
        "coursekit.explore_maps": "explore_cam",
        "coursekit.plotting": "show_images show_maps show_grid show_predictions signal_pictures",
        "coursekit.charts": "show_lines show_dots",
        "coursekit.explore": (
            "explore_prediction explore_occlusion explore_saliency explore_activations explore_training"
        ),
        "coursekit.explore_rules": "explore_backward",
        "coursekit.synthesis.render": "render Rendering",
        "coursekit.synthesis.fooling": "gradient_sign iterated_gradient_sign smallest_change evolve",
        "coursekit.synthesis.dream": "dream guide zoom save_animation",
        "coursekit.synthesis.style": "style_layers style_transfer",
        "coursekit.synthesis.textures": "synthesise_texture texture_parameters gram_distance",
        "coursekit.synthesis.doodle": "neural_doodle",
        "coursekit.generators": "load_decoder load_generator shape_parameters",
        "coursekit.feedforward": (
            "load_transformer fast_style load_texture_network fast_texture sample_diversity load_superresolution"
        ),
        "coursekit.explore_fast": "explore_fast_style",
        "coursekit.descriptors": "descriptor",
        "coursekit.styles": "style_image painted_landscape",
        "coursekit.synthesis.inversion": "invert inversion_error",
        "coursekit.explore_codes": "explore_inversion",
        "coursekit.explore_styles": "explore_style explore_doodle",
        "coursekit.explore_tcav": "explore_concepts",
        "coursekit.synthesis.multifaceted": "facets Facets",
        "coursekit.explore_channels": "explore_features feature_gallery",
        "coursekit.explore_synthesis": "explore_dream explore_fooling live_picture",
        "coursekit.tuning": "orientation_tuning curve_tuning gradient_orientation angle_between Tuning",
        "coursekit.circuits": "effective_weights cut ablate peaks",
        "coursekit.semantic": "neuron_groups activation_grid colour_groups Groups",
        "coursekit.unit_charts": "show_polar show_circuit show_parts",
        "coursekit.parts": "part_scenes part_places part_spread cutout_picture PartScenes",
        "coursekit.nets.parted": "filter_loss part_templates",
        "coursekit.explore_units": "explore_unit",
        "coursekit.detective": "case Case flips",
        "coursekit.court": "verdict Verdict Report Evidence Refutation",
        "coursekit.casebook": "show_shares stored_cases explore_case",
        "coursekit.checks": "check",
        "coursekit.checkup": "doctor",
    }.items()
    for name in names.split()
}

# Modules of several small functions: ck.stimuli.grating(…), ck.objectives.channel(…)
_MODULES = {
    "catch": "coursekit.catch",
    "objectives": "coursekit.synthesis.objectives",
    "parameterizations": "coursekit.synthesis.parameterizations",
    "regularizers": "coursekit.synthesis.regularizers",
    "stimuli": "coursekit.stimuli",
    "transforms": "coursekit.synthesis.transforms",
}

__all__ = [
    "CoursekitError",
    "DataUnavailable",
    "ImageError",
    "OptionError",
    "TargetError",
    "UnknownExercise",
    "UnknownLayer",
    "UnknownModel",
    "UnsupportedActivation",
    "UnsupportedNetwork",
    "WeightsUnavailable",
    *_MODULES,
    *_MODULE_OF,
]


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return import_module(_MODULES[name])
    if name not in _MODULE_OF:
        raise AttributeError(f"coursekit has no {name!r}; see dir(coursekit) for what it has")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value  # the next look-up is a plain one
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
