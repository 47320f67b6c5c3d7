"""Lets docstrings name what other modules hold by its last name, as the code does that imports it."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode


def _resolve(app: Sphinx, env: BuildEnvironment, node: pending_xref, shown: nodes.Element) -> nodes.Element | None:
    """The one object in the reference whose name ends like the target; None where there is none, or more than one."""
    if node.get("refdomain") != "py":
        return None
    domain = env.domains.python_domain
    name = str(node["reftarget"]).removeprefix("paymaster.")
    for ending in (name, name.rpartition(".")[2]):  # the last name alone where a class is shown under its public path
        found = [match for match in domain.find_obj(env, "", "", ending, node["reftype"], 1) if not match[1].aliased]
        if len(found) == 1:
            full_name, entry = found[0]
            return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, shown, full_name)
    return None


def setup(app: Sphinx) -> dict[str, Any]:
    """Steps in where Sphinx has found nothing."""
    app.connect("missing-reference", _resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
