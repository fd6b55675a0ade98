"""Sphinx's configuration: `make docs` builds the pages with every warning an error.

Sphinx with MyST and Furo, because all three are maintained; the theme Material for MkDocs has a successor, Zensical, which is not at 1.0.
"""

from __future__ import annotations

project = "karmada-lab"
author = "The karmada-lab authors"
project_copyright = "The karmada-lab authors, Apache License 2.0"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "requirements.txt"]
html_theme = "furo"
html_title = "karmada-lab"
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
nitpicky = True
suppress_warnings = ["misc.highlighting_failure"]  # transcripts with an ellipsis are no valid console sessions
