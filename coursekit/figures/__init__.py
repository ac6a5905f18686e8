"""What does the reader see?

One plot style. Scaling for the eye happens here and nowhere else.
`ck.show_maps(image, {"saliency": map}, unit="logit per pixel")` gives a figure with its alt text.
"""

PUBLIC = {  # file -> the names of it that `ck.` has
    "alt": "",
    "charts": "show_lines show_dots show_polar show_circuit",
    "distributions": "show_histograms show_scatter",
    "figure": "",
    "images": "show_images show_predictions show_parts signal_pictures",
    "lettering": "method_colour",
    "maps": "show_matrix show_maps show_grid",
    "scatter": "show_points",
    "tables": "show_shares",
}
