"""Which lab?

What serves one lab only: the checks of its exercises, its games. Nothing outside imports from here.
"""

PUBLIC = {  # file -> the names of it that `ck.` has
    "autoencoder": "load_autoencoder",
    "blind": "blind_trial BlindTrial Trial wilson",
    "catch": "",
    "checking": "check progress claim",
    "detective.case": "case Case flips",
    "detective.collection": "",
    "detective.court": "verdict Verdict Report Evidence Refutation",
    "detective.network": "",
    "detective.sealing": "",
    "detective.table": "stored_cases explore_case",
    "lab00": "",
    "lab01": "show_gabors explore_learning",
    "lab02": "",
    "lab03": "show_plate PlateRow",
    "lab04": "",
    "lab05": "",
    "lab06": "",
    "lab07": "",
    "lab08": "",
    "lab09": "",
    "lab10": "",
    "lab11": "",
    "lab12": "",
    "lab13": "show_nulls",
    "lab14": "",
    "lab15": "show_arrows",
    "lab16": "",
    "shapes": "explore_generator",
    "sharing": "",
    "style_plates": "show_picture_table style_tiles cue_conflicts shape_scene object_texture",
    "thumbnails": "pin_thumbnails spread",
    "variants": "",
}
MODULES = "catch"  # files of several small functions: ck.catch.…
