"""Every link of the documents has a target: a file of the repository, and a heading in it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest

from playground.environment import ROOT

FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)|^\[[^\]]+\]:\s*(\S+)|(?:href|src)=\"([^\"]+)\"", re.MULTILINE)
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
ANCHOR = re.compile(r"<a\s+(?:id|name)=\"([^\"]+)\"")


def documents() -> list[Path]:
    """Every Markdown file of the repository that is committed or about to be."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"], cwd=ROOT, capture_output=True, text=True, check=False)
    files = [ROOT / line for line in listed.stdout.splitlines()] if listed.returncode == 0 else ROOT.glob("[!.]**/*.md")
    return sorted(file for file in files if file.exists())


def prose(text: str) -> str:
    """A document without its code, which may look like links and headings."""
    return re.sub(r"`[^`\n]+`", "", FENCE.sub("", text))


def slug(heading: str) -> str:
    """A heading's anchor, as GitHub makes it."""
    words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


def anchors(text: str) -> set[str]:
    """Every anchor of a document; equal headings are numbered."""
    names: set[str] = set(ANCHOR.findall(text))
    for heading in HEADING.findall(FENCE.sub("", text)):
        name, number = slug(heading), 0
        while (f"{name}-{number}" if number else name) in names:
            number += 1
        names.add(f"{name}-{number}" if number else name)
    return names


def broken_links(document: Path) -> list[str]:
    """The relative links of a document whose file or heading is missing."""
    targets = [unquote(next(filter(None, groups))) for groups in LINK.findall(prose(document.read_text(encoding="utf-8")))]
    return [target for target in targets if not re.match(r"[a-z][a-z+.-]*:|//", target) and not leads_somewhere(document, target)]


def leads_somewhere(document: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    file = document.parent / path if path else document
    if not file.exists():
        return False
    return not anchor or file.suffix != ".md" or anchor in anchors(file.read_text(encoding="utf-8"))


def test_every_link_has_a_target() -> None:
    broken_by_document = {str(document.relative_to(ROOT)): broken for document in documents() if (broken := broken_links(document))}
    assert not broken_by_document


def test_there_are_documents() -> None:
    assert ROOT / "README.md" in documents()


@pytest.mark.parametrize(
    ("link", "leads"),
    [
        ("[a](other.md)", True),
        ("[a](other.md#two-words)", True),
        ("[a](other.md#two-words-1)", True),
        ("[a](#here)", True),
        ("![a](missing.png)", False),
        ("[a](other.md#three)", False),
        ("[a](#there)", False),
        ('<img src="missing.png">', False),
        ("[a](https://pytorch.org/#anything)", True),
        ("`[a](missing.md)`", True),
    ],
)
def test_a_broken_link_is_reported(link: str, leads: bool, tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# Two words\n\n## Two *words*\n")
    document = tmp_path / "document.md"
    document.write_text(f"# Here\n\n{link}\n")
    assert (broken_links(document) == []) is leads
