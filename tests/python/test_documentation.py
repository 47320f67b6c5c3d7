"""README and the documentation show what the repository has: stored numbers in tables, files behind links."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = sorted(page for page in (ROOT / "docs").rglob("*.md") if page.parent.name != "api")  # api/ is for Sphinx alone
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "bench" / "README.md",
    ROOT / "bench" / "paper" / "README.md",
    *DOCS,
]
LINK = re.compile(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"")


@pytest.mark.slow
def test_tables_are_those_of_the_stored_numbers() -> None:
    pytest.importorskip("torch")  # leaders by name
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "_tables"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\nwrite them with: python docs/_tables"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files(page: Path) -> None:
    for match in LINK.finditer(page.read_text("utf-8")):
        target = (match[1] or match[2]).partition("#")[0]
        assert target.startswith("https://") or not target or (page.parent / target).exists(), target


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and MyST make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_headings(page: Path) -> None:
    for target, heading in re.findall(r"\]\(([^)\s#:]*)#([^)\s]+)\)", page.read_text("utf-8")):
        there = page.parent / target if target else page
        if there.suffix == ".md":
            assert heading in anchors(there), f"{target}#{heading}"


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_github_shows_a_page_whole(page: Path) -> None:
    """Sphinx alone knows roles and included files, and gives links without a text that of their target."""
    text = re.sub(r"^```\{toctree\}\n.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    alone = re.findall(r"^```\{\w[^\n]*|\{[\w:]+\}`[^`]*`|\[\]\([^)]*\)", text, re.MULTILINE)
    assert not alone or page.name == "changelog.md", alone
