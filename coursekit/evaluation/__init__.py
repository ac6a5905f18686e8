"""How good is the answer?

Scores against ground truth that we own, and sanity checks. `ck.mask_energy(maps, scenes.masks)` scores maps against
masks, and `ck.scoreboard` all methods on all scenes.
"""

PUBLIC = {  # file -> the names of it that `ck.` has
    "deletion": "deletion_curve insertion_curve",
    "localisation": "pointing_game mask_energy best_iou ranking_auc",
    "randomisation": "randomised randomisable",
    "report_card": "report_card stored_sanity ReportCard",
    "sanity": "randomisation_test data_randomisation_test RandomisationTest",
    "scoreboard": "scoreboard Scoreboard stored_scoreboard",
    "similarity": "map_similarity rank_correlation structural_similarity hog_correlation",
}
