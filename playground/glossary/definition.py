"""A term of the glossary."""

from __future__ import annotations

from dataclasses import dataclass

from playground.messages import Message


@dataclass(frozen=True)
class Term:
    """A term of PyTorch or of the playground."""

    name: Message
    """In English also what scripts and pages call it by."""
    meaning: Message
    """One or two sentences, `MOST_WORDS` words at most."""
    chinese: str
    """The term in Chinese, for translators."""
    see: str = ""
    """The page that shows it: an address as `autograd?view=Descent`, or a page with one of its examples as `tensors:view`; empty for none."""


MOST_WORDS = 40
