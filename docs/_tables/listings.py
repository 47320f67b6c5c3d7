"""Code that the pages show, taken from the repository's files, so that GitHub shows it as well as the built pages.

A page names it as `PATH` (the whole file), `PATH of NAME` (a Python function or class with its docstring), or
`PATH from "FIRST" to "LAST"`: from the first line that contains FIRST through the next line that contains LAST; with
`before` in place of `to`, without that line. PATH is relative to the repository's root.
"""

from __future__ import annotations

import ast
import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = {".py": "python", ".cpp": "cpp", ".hpp": "cpp", ".txt": "cmake", ".toml": "toml", ".json": "json"}
PLACE = re.compile(
    r'(?P<path>\S+)(?: of (?P<name>\w+)|(?: from "(?P<first>.+?)")?(?: (?P<how>to|before) "(?P<last>.+?)")?)'
)


def listing(place: str) -> str:
    """Return the code at a place as a block of Markdown.

    Raises:
        ValueError: no such file, or nothing in it that the place names.
    """
    match = PLACE.fullmatch(place)
    if match is None or not (ROOT / match["path"]).is_file():
        raise ValueError(f'code: expected PATH, PATH of NAME, or PATH from "FIRST" to "LAST", got {place!r}')
    lines = (ROOT / match["path"]).read_text("utf-8").splitlines()
    if match["name"]:
        begin, end = _object(lines, match["name"])
    else:
        begin = _line_with(lines, match["first"], 0) if match["first"] else 0
        end = _line_with(lines, match["last"], begin) + (match["how"] == "to") if match["last"] else len(lines)
    code = textwrap.dedent("\n".join(lines[begin:end])).strip("\n")
    return f"```{LANGUAGES[Path(match['path']).suffix]}\n{code}\n```"


def _object(lines: list[str], name: str) -> tuple[int, int]:
    """Return the first line of a function or class, decorators included, and the line after its last."""
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name:
            assert node.end_lineno is not None
            return min(part.lineno for part in (node, *node.decorator_list)) - 1, node.end_lineno
    raise ValueError(f"code: expected a function or class, got {name!r}")


def _line_with(lines: list[str], part: str, begin: int) -> int:
    for number in range(begin, len(lines)):
        if part in lines[number]:
            return number
    raise ValueError(f"code: expected a line with {part!r}, got none")
