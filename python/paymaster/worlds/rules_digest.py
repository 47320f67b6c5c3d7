"""A digest of a world's rules, by which a change of its class is noticed."""

from __future__ import annotations

import ast
import hashlib
import inspect
import textwrap

from paymaster.worlds.world import World

__all__ = ["rules_digest"]


def rules_digest(world: type[World]) -> str:
    """Return a digest of the source of a class and of those that it inherits from, up to :class:`.World`.

    Comments, docstrings and line breaks do not count, nor do functions outside of the classes. "" where Python cannot
    find the source, as that of a class typed at a prompt.
    """
    digest = hashlib.sha256()
    for kind in world.__mro__[: world.__mro__.index(World)]:
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
        except (OSError, TypeError, SyntaxError):
            return ""
        digest.update(ast.unparse(_Bare().visit(tree)).encode())
    return digest.hexdigest()[:16]


class _Bare(ast.NodeTransformer):
    """Takes away lines that are nothing but a text, such as docstrings."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        return None if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str) else node
