"""The glossary: short, complete, in alphabetical order, and the same in cards, in the help of widgets and in docs/glossary.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from playground.environment import ROOT
from playground.errors import UnknownName
from playground.glossary import BY_NAME, TERMS, address, term
from playground.glossary.definition import MOST_WORDS, Term
from playground.glossary.document import document
from playground.tensors.link import unpack
from playground.ui.shared.glossary import glossary

COMPONENTS = ROOT / "playground" / "ui" / "components"
TEXTS = [*(ROOT / "playground" / "tensors" / "exercises").glob("*.py"), ROOT / "playground" / "tensors" / "xray" / "notes.py"]
"""Texts that a component shows with their terms."""
MARKED = re.compile(r"<glossary-term name=\"([^\"]+)\"|\bterm\(\"([^\"]+)\"|\bglossary\(\"([^\"]+)\"(?:, \"([^\"]+)\")?")
"""How a page, a component or its script names a term."""
BRACKETS = re.compile(r"\[\[(?:[A-Za-z][^\[\]|]*\|)?([A-Za-z][\w -]*)\]\](?=.*\")")
"""A term in a text."""
PICTURE = re.compile(r"^  \"?([\w-][\w -]*?)\"?: (?:CALIBRATED|picture\()", re.MULTILINE)


def test_the_document_is_made_from_the_table() -> None:
    assert (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8") == document(), "python -m playground.glossary.document > docs/glossary.md"


def test_terms_are_unique_and_in_alphabetical_order() -> None:
    names = [str(each.name) for each in TERMS]
    assert names == sorted(set(names), key=str.lower)
    assert len({each.meaning for each in TERMS}) == len(TERMS)


@pytest.mark.parametrize("shown", TERMS, ids=lambda each: str(each.name))
def test_a_meaning_is_a_short_sentence(shown: Term) -> None:
    assert len(shown.meaning.split()) <= MOST_WORDS
    assert shown.meaning[0].isupper() or shown.meaning[0] == "`"
    assert shown.meaning.endswith(".")
    assert shown.chinese


@pytest.mark.parametrize("shown", [each for each in TERMS if each.see], ids=lambda each: str(each.name))
def test_a_term_leads_to_a_page_that_exists(shown: Term) -> None:
    link = urlsplit(address(shown))
    assert (ROOT / "pages" / f"{link.path}.py").is_file()
    query = parse_qs(link.query)
    if ":" in shown.see:
        assert unpack(query["script"][0]).strip()
    else:
        assert query.keys() <= {"view", "pitfall"}


def test_many_terms_lead_somewhere() -> None:
    assert sum(bool(each.see) for each in TERMS) >= 60


def test_an_unknown_term_is_refused() -> None:
    assert term("stride") is BY_NAME["stride"]
    with pytest.raises(UnknownName, match="stride"):
        term("strides")


def test_the_help_of_a_widget_names_its_terms() -> None:
    assert glossary("epoch") == "**epoch**: One pass over all training images."
    assert glossary("epoch", "batch").count("\n\n") == 1


def marked() -> Iterator[tuple[str, str]]:
    """Every file that marks terms, and each term that it names."""
    for path in [*(ROOT / "pages").glob("*.py"), *(ROOT / "playground" / "ui").rglob("*.py"), *TEXTS, *COMPONENTS.rglob("*.js"), *COMPONENTS.rglob("*.html")]:
        if "vendor" not in path.parts:
            source, place = path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()
            for names in MARKED.findall(source):
                yield from ((place, name) for name in names if name)
            yield from ((place, name) for name in BRACKETS.findall(source))


def test_marked_terms_are_in_the_glossary() -> None:
    found = list(marked())
    assert found
    assert [(path, name) for path, name in found if name not in BY_NAME] == []


def test_pictures_are_of_terms() -> None:
    names = PICTURE.findall((COMPONENTS / "shared" / "term_pictures.js").read_text(encoding="utf-8"))
    assert len(names) >= 12
    assert set(names) <= BY_NAME.keys()
