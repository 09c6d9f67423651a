"""The glossary in Streamlit's widgets."""

from __future__ import annotations

from playground import glossary as terms
from playground.messages import t


def glossary(*names: str) -> str:
    """Return the meaning of terms, for the `help` of a widget: `help=glossary("stride")`.

    Raises:
        UnknownName: a term is not in the glossary.
    """
    found = [terms.term(name) for name in names]
    return "\n\n".join(f"**{t(term.name)}**: {t(term.meaning)}" for term in found)  # no text: both parts are translated
