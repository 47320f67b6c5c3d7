"""README's and the documentation's Python runs as it stands on the page, block after block, in an empty folder.

Code behind a comment is a file of the repository (`docs/_tables/listings.py`), which has tests of its own.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("torch")

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_BLOCK = re.compile(r"(?<!-->\n)^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = sorted(
    page.relative_to(ROOT).as_posix()
    for page in (ROOT / "README.md", *DOCS.rglob("*.md"))
    if _BLOCK.search(page.read_text("utf-8"))
)


def test_the_pages_that_show_code_are_found():
    pages = (
        "start",
        "own_world",
        "environments",
        "integrations",
        "tutorials/play",
        "tutorials/train",
        "tutorials/followers",
    )
    assert {"README.md", *(f"docs/{page}.md" for page in pages)} <= set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_runs_as_it_stands(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    if page == "docs/integrations.md":
        pytest.importorskip("pettingzoo")
        pytest.importorskip("stable_baselines3")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(DOCS / "examples")  # where docs/own_world.md has its module
    text = (ROOT / page).read_text("utf-8")
    names: dict[str, object] = {"__name__": "__main__"}
    for block in _BLOCK.finditer(text):
        line = text.count("\n", 0, block.start(1))
        # Blank lines in front, so that an error names the page's own line.
        exec(compile("\n" * line + block[1], str(ROOT / page), "exec"), names)
