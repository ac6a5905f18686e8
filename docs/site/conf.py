"""How Sphinx builds the site from what tools/website.py has laid out; everything it needs lies in this folder."""

project = "Seeing inside convolutional networks"
author = "The coursekit authors"
copyright = "2026, The coursekit authors"

extensions = ["myst_nb"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # the labs were executed already
nb_ipywidgets_js = {}  # a widget needs a kernel; its picture stands in its place
nb_merge_streams = True
mathjax_path = "tex-svg.js"  # the one that lies here, for a reader without a network
suppress_warnings = ["mystnb.unknown_mime_type", "myst.header"]

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["_static"]
html_extra_path = ["extra"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_context = {"default_mode": "auto"}
html_copy_source = False
html_show_sourcelink = False
html_show_search_summary = False  # it would ask a server for the pages
html_theme_options = {
    "use_download_button": False,
    "use_fullscreen_button": False,
    "show_navbar_depth": 1,
    "show_toc_level": 2,
}
