"""How the documentation is built: `pip install '.[docs]' && sphinx-build -W --keep-going -b html docs build/docs`."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

import paymaster  # noqa: E402

project = "paymaster"
author = project_copyright = "the paymaster contributors"
version = release = paymaster.__version__
html_title = f"paymaster {release}"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "mathml", "short_names", "source_links"]
exclude_patterns = ["_ext", "_tables"]
nitpicky = False
highlight_language = "none"
default_role = "code"

myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "ignore-module-all": True}  # __all__ is sorted; the source is in order
autodoc_type_aliases = {name: name for name in ("ArrayLike", "Observation", "Step")}
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 100
python_use_unqualified_type_names = True
add_module_names = False
toc_object_entries_show_parents = "hide"
napoleon_numpy_docstring = False
napoleon_use_ivar = True

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["paymaster.css"]
html_math_renderer = "mathml"
html_show_sourcelink = False


def _not_a_list(lines: list[str]) -> None:
    """Docstrings explain an argument by its letter, as in "num_envs: B."; that would begin a list A., B., C."""
    lines[:] = [re.sub(r"^(\s*(?:\w+: )?[A-Z])\.$", r"\1", line) for line in lines]


def _aliases(*signature: Any) -> tuple[str | None, ...]:
    """Write aliases of types inside other types by their name alone."""
    return tuple(text and re.sub(r"TypeAliasForwardRef\('(\w+)'\)", r"\1", text) for text in signature[-2:])


def setup(app: Any) -> None:
    """Before napoleon (500) reads the docstrings, whose lines are the handler's last argument."""
    app.connect("autodoc-process-signature", _aliases)
    app.connect("autodoc-process-docstring", lambda *arguments: _not_a_list(arguments[-1]), priority=400)
