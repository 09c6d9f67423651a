"""The glossary: one table for the cards in components, the help of Streamlit's widgets, and `docs/glossary.md`."""

from __future__ import annotations

from typing import TypedDict

from playground.autograd import examples as autograd
from playground.errors import UnknownName
from playground.glossary.definition import Term
from playground.glossary.terms import TERMS
from playground.messages import msg
from playground.tensors import examples as tensors
from playground.tensors.link import pack

BY_NAME = {str(term.name): term for term in TERMS}
_SCRIPTS = {
    "tensors": {example.name: example.source for example in tensors.EXAMPLES},
    "autograd": {name: example.source for name, example in autograd.EXAMPLES.items()},
}
"""The examples of each page that shows scripts."""


class ShownTerm(TypedDict):
    """A term as a card shows it."""

    title: str
    meaning: str
    see: str
    """Address of the page that shows it; empty for none."""


def term(name: str) -> Term:
    """Return the term called `name` in English.

    Raises:
        UnknownName: it is not in the glossary.
    """
    if name not in BY_NAME:
        raise UnknownName(msg("term"), name, BY_NAME)
    return BY_NAME[name]


def address(shown: Term) -> str:
    """Return the address of the page that shows a term, with the script of its example; empty for none."""
    page, colon, example = shown.see.partition(":")
    return f"{page}?script={pack(_SCRIPTS[page][example])}" if colon else page


def cards() -> dict[str, ShownTerm]:
    """Return every term by its English name, as a card shows it."""
    return {name: {"title": each.name, "meaning": each.meaning, "see": address(each)} for name, each in BY_NAME.items()}
