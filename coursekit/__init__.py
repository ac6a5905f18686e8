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
        "coursekit.images.loading": "load_image save_image photographs",
        "coursekit.images.scenes": "load_scene scenes cutouts Scene Scenes",
        "coursekit.units.filters": (
            "filter_pictures filter_health frequency_response main_pattern fit_gabor natural_patches mosaic Gabor"
        ),
        "coursekit.networks.history": "training_history coursenet_at",
        "coursekit.networks.model": "setup load_model random_model is_available Model predict",
        "coursekit.probe.capture": "capture unit relu_rule",
        "coursekit.attribution.gradients": (
            "input_gradient input_x_gradient saliency smoothgrad integrated_gradients completeness_gap"
        ),
        "coursekit.attribution.backward_rules": "guided_backprop deconvnet",
        "coursekit.attribution.cam": "cam grad_cam guided_grad_cam",
        "coursekit.attribution.fullgrad": "fullgrad",
        "coursekit.attribution.occlusion": "occlusion occlusion_grid OcclusionGrid",
        "coursekit.representations.embedding": "embed neighbours precision_at_k project trustworthiness grid_layout",
        "coursekit.units.patches": "top_patches TopPatches",
        "coursekit.representations.tour": "grand_tour Tour",
        "coursekit.figures.scatter": "show_points",
        "coursekit.explorers.points": "explore_points",
        "coursekit.units.dissection": "dissect concept_scenes Dissection Concepts",
        "coursekit.representations.concepts": "activations activation_gradients cav Cav tcav_score sort_by_concept",
        "coursekit.representations.tcav": "tcav_test TcavTest holm",
        "coursekit.images.concepts": "concept_pictures concept_folder",
        "coursekit.images.public": "public_folder",
        "coursekit.evaluation.localisation": (
            "importance pointing_game mask_energy best_iou ranking_auc deletion_curve insertion_curve"
        ),
        "coursekit.attribution.reference": "random_map edge_map centre_map",
        "coursekit.evaluation.scoreboard": "scoreboard Scoreboard bootstrap_interval",
        "coursekit.attribution.methods": "eleven stored_scoreboard",
        "coursekit.evaluation.similarity": "map_similarity rank_correlation structural_similarity hog_correlation",
        "coursekit.evaluation.randomisation": "randomised randomisable",
        "coursekit.evaluation.sanity": "randomisation_test data_randomisation_test",
        "coursekit.sanity_result": "RandomisationTest",
        "coursekit.matrix": "show_matrix",
        "coursekit.explorers.sanity": "explore_randomisation",
        "coursekit.evaluation.report_card": "report_card stored_sanity ReportCard",
        "coursekit.explorers.attribution": "explore_cam",
        "coursekit.figures.figure": "show_images show_maps show_grid show_predictions signal_pictures",
        "coursekit.figures.charts": "show_lines show_dots",
        "coursekit.explorers.explorer": (
            "explore_prediction explore_occlusion explore_saliency explore_activations explore_training"
        ),
        "coursekit.explore_rules": "explore_backward",
        "coursekit.synthesis.render": "render Rendering",
        "coursekit.synthesis.fooling": "gradient_sign iterated_gradient_sign smallest_change evolve",
        "coursekit.synthesis.dream": "dream guide zoom save_animation",
        "coursekit.synthesis.style": "style_layers style_transfer",
        "coursekit.synthesis.textures": "synthesise_texture texture_parameters gram_distance",
        "coursekit.synthesis.doodle": "neural_doodle",
        "coursekit.networks.painters": "load_decoder load_generator shape_parameters",
        "coursekit.synthesis.fast": (
            "load_transformer fast_style load_texture_network fast_texture sample_diversity load_superresolution"
        ),
        "coursekit.explore_fast": "explore_fast_style",
        "coursekit.networks.descriptors": "descriptor",
        "coursekit.images.styles": "style_image painted_landscape",
        "coursekit.synthesis.inversion": "invert inversion_error",
        "coursekit.explore_codes": "explore_inversion",
        "coursekit.explorers.style": "explore_style explore_doodle",
        "coursekit.explorers.concepts": "explore_concepts",
        "coursekit.synthesis.facets": "facets Facets",
        "coursekit.explorers.synthesis": "explore_features feature_gallery",
        "coursekit.explore_synthesis": "explore_dream explore_fooling live_picture",
        "coursekit.units.tuning": "orientation_tuning curve_tuning gradient_orientation angle_between Tuning",
        "coursekit.units.circuits": "effective_weights cut ablate peaks",
        "coursekit.units.groups": "neuron_groups activation_grid colour_groups Groups",
        "coursekit.unit_charts": "show_polar show_circuit show_parts",
        "coursekit.units.parts": "part_scenes part_places part_spread cutout_picture PartScenes",
        "coursekit.networks.nets.parted": "filter_loss part_templates",
        "coursekit.explorers.units": "explore_unit",
        "coursekit.labs.detective.case": "case Case flips",
        "coursekit.labs.detective.court": "verdict Verdict Report Evidence Refutation",
        "coursekit.labs.detective.table": "show_shares stored_cases explore_case",
        "coursekit.labs.checking": "check",
        "coursekit.machine": "doctor",
    }.items()
    for name in names.split()
}

# Modules of several small functions: ck.stimuli.grating(…), ck.objectives.channel(…)
_MODULES = {
    "catch": "coursekit.labs.catch",
    "objectives": "coursekit.synthesis.objectives",
    "parameterizations": "coursekit.synthesis.parameterizations",
    "regularizers": "coursekit.synthesis.regularizers",
    "stimuli": "coursekit.images.stimuli",
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
