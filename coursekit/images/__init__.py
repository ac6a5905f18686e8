"""What is shown?

Photographs, stimuli made by rule, scenes with their true masks, concepts and styles: all that goes into a network.
`ck.load_image("chelsea")` is a tensor (1, 3, H, W) in [0, 1], and so is everything else here.
"""

PUBLIC = {  # file -> the names of it that `ck.` has
    "concepts": "concept_pictures concept_folder",
    "loading": "load_image save_image photographs save_animation",
    "public": "public_folder",
    "scenes": "load_scene scenes cutouts Scene Scenes",
    "stimuli": "",
    "styles": "style_image painted_landscape",
}
MODULES = "stimuli"  # files of several small functions: ck.stimuli.…
