"""A language for tests: every text stays readable, but shows whether it can be translated and whether it has room to be longer."""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path

from babel.messages.pofile import read_po, write_po

from playground.locales.update import PYTHON, SCRIPTS, compiled
from playground.messages import locales

PSEUDO = "eo"
"""The code of a real language that the playground has no translation of, so that browsers and Babel accept it."""
ACCENTS = str.maketrans("aceginorsuyzACEGINORSUYZ", "áčéğíñóřšúýžÁČÉĞÍÑÓŘŠÚÝŽ")
LONGER = 1.4
KEPT = re.compile(r"\[\[[^\]]*\]\]|\{[^}]*\}|`[^`]*`|\]\([^)]*\)|:[\w/-]+:|:[\w-]+\[|<[^>]+>|https?://\S+")
"""What a translation keeps: terms of the glossary, gaps, code, addresses, Streamlit's icons and colours, tags."""


def pseudo(text: str) -> str:
    """Return a text with accents and 40 % more letters, between marks: `[!! Ťéxť ~~ !!]`."""
    kept = [_with_term(part) if part.startswith("[[") else part for part in KEPT.findall(text)]
    parts = [part.translate(ACCENTS) for part in KEPT.split(text)]
    accented = "".join(part + whole for part, whole in zip(parts, [*kept, ""], strict=True))
    return f"[!! {accented}{' ~' * round((LONGER - 1) * len(text) / 2)} !!]"


def _with_term(marked: str) -> str:
    """Return a marked term with accents: `[[stride]]` becomes `[[[!! šťřídé !!]|stride]]`."""
    shown, _, name = marked[2:-2].partition("|")
    return f"[[[!! {shown.translate(ACCENTS)} !!]|{name or shown}]]"


def make_pseudo_language(folder: Path) -> None:
    """Write the catalogues of the language into `folder`, beside those of the playground, for `PLAYGROUND_LOCALES`."""
    shutil.copytree(locales(), folder)
    target = folder / PSEUDO
    target.mkdir(parents=True)
    for domain in (PYTHON, SCRIPTS):
        catalogue = read_po(io.StringIO((locales() / f"{domain}.pot").read_text(encoding="utf-8")), locale=PSEUDO)
        for message in catalogue:
            if message.id:
                message.string = pseudo(message.id) if isinstance(message.id, str) else tuple(pseudo(each) for each in message.id)
        catalogue.fuzzy = False
        with (target / f"{domain}.po").open("wb") as file:
            write_po(file, catalogue)
    for name, content in compiled(target).items():
        (target / name).write_bytes(content)
