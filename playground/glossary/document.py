"""Write the document of all terms: `python -m playground.glossary.document > docs/glossary.md`."""

from __future__ import annotations

import sys

from playground.glossary.terms import TERMS


def document() -> str:
    """Return the Markdown document."""
    return "\n".join(
        [
            "# Glossary",
            "",
            "The terms of the playground, as in PyTorch's documentation. One term has one meaning, and one meaning has one term. A new term goes first into",
            "`playground/glossary/terms.py`, from which `python -m playground.glossary.document > docs/glossary.md` makes this table.",
            "",
            "| Term | Meaning | Chinese |",
            "|---|---|---|",
            *(f"| {term.name} | {term.meaning} | {term.chinese} |" for term in TERMS),
            "",
        ]
    )


if __name__ == "__main__":
    sys.stdout.write(document())
