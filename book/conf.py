"""Configure Sphinx for the book; `book/pages.py` copies this file beside the pages."""

project = "Real-time anomaly detection on movie reviews"
html_title = "Flink anomaly lab"
author = ""  # else the foot of every page says that none is set
language = "en"
extensions = ["myst_nb"]

nb_execution_mode = "off"  # the notebooks bring the outputs of their run
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # the default would fetch two scripts from the network
nb_merge_streams = True
myst_heading_anchors = 4
suppress_warnings = ["mystnb.unknown_mime_type"]  # what a cell leaves for the runner beside its text

html_theme = "sphinx_book_theme"
html_theme_options = {"home_page_in_toc": True, "use_download_button": False, "navbar_persistent": []}
html_static_path = ["static"]
html_css_files = ["book.css"]
html_show_sourcelink = False
html_copy_source = False
html_show_search_summary = False  # it would fetch every page found, which a page opened as a file may not
html_show_copyright = False
