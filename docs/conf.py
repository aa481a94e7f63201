"""Sphinx configuration: `sphinx-build -W -n docs .cache/docs/html`. It needs no network."""

from __future__ import annotations

import sys
from pathlib import Path

import jetstow

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "jetstow"
author = "The jetstow authors"
copyright = "The jetstow authors, Apache-2.0"  # noqa: A001 - Sphinx reads it by this name
release = version = jetstow.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "commands", "references"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "_ext", "decisions/README.md"]
nitpicky = True

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
add_module_names = False
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = f"jetstow {release}"
html_static_path = ["_static"]
html_css_files = ["jetstow.css"]
html_show_sourcelink = False
html_copy_source = False
html_show_sphinx = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"
html_theme_options = {
    "navigation_with_keys": True,
    "light_css_variables": {
        "color-brand-primary": "#0b6e75",
        "color-brand-content": "#0b6e75",
        "color-brand-visited": "#0b6e75",
    },
    "dark_css_variables": {
        "color-brand-primary": "#6fd3d8",
        "color-brand-content": "#6fd3d8",
        "color-brand-visited": "#6fd3d8",
    },
}
