"""Turns a link of a page to a Python file, [`Name`](../python/paymaster/...), into one to Name in the API reference.

GitHub shows the file; the built pages have a description of it.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.addnodes import download_reference, pending_xref
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform


class _ToReference(SphinxTransform):
    default_priority = 5  # before Sphinx collects the files that are to be downloaded

    def apply(self, **kwargs: Any) -> None:
        for link in list(self.document.findall(download_reference)):
            target, name = str(link["reftarget"]), link.astext()
            if "python/paymaster/" not in target or not name.replace(".", "").isidentifier():
                continue
            reference = pending_xref(
                "", refdomain="py", reftype="obj", reftarget=name, refdoc=self.env.docname, refwarn=False
            )
            reference += nodes.literal(name, name)
            link.replace_self(reference)


def setup(app: Sphinx) -> dict[str, Any]:
    """Adds the transform."""
    app.add_transform(_ToReference)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
