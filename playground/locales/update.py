"""Collect the texts to translate, and compile the translations: `make messages`. Needs Babel, which the playground itself does not.

`playground.pot` has the texts of Python and of the networks in `models/`, `scripts.pot` those of the components' scripts and html. A language
has a `.po` file of each, in which translators write, and what is made of it: `playground.mo` for gettext, `scripts.json` for browsers.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from playground import environment
from playground.environment import PACKAGE

LOCALES = Path(__file__).parent
KEYWORDS = {"msg": None, "t": None, "nmsg": (1, 2)}
COMPONENTS = PACKAGE / "ui" / "components"
TEMPLATE = r'\s*("(?:[^"\\\n]|\\.)*")\s*'
CALLS = re.compile(rf"\b(?:t\({TEMPLATE}|plural\({TEMPLATE},{TEMPLATE})[,)]")
"""The calls in scripts. Babel's reader of JavaScript misses those inside a template literal; eslint sees to it that templates are in double quotes."""
PLACES = ("title", "aria-label", "placeholder", "alt", "label", "text")
"""Attributes of html that people read, as in shared/text.js; the last two belong to the elements of shared/controls.js."""
PYTHON, SCRIPTS = "playground", "scripts"
CHANGING = tuple(f'"{field}' for field in ("POT-Creation-Date", "PO-Revision-Date", "Generated-By", "Last-Translator", "Language-Team"))
"""Lines of a catalogue that say who wrote it and when, which its history says, too."""

Texts = Iterator[str | tuple[str, ...]]


def extracted(domain: str) -> Catalog:
    """Return the texts of a domain with the files that they are in, by file and line."""
    template = Catalog(project="PyTorch playground", charset="utf-8", header_comment=f"# The texts of the {domain} to translate; see CONTRIBUTING.md.")
    for file, text in _texts_of_python() if domain == PYTHON else _texts_of_components():
        template.add(text, locations=[(file, 0)])
    return template


def _texts_of_python() -> Iterator[tuple[str, str | tuple[str, ...]]]:
    for file, _line, text, _comments, _context in extract_from_dir(PACKAGE, [("**.py", "python")], keywords=KEYWORDS, options_map={}):
        yield f"playground/{file}", text
    for network in sorted(environment.models_folder().glob("*.json")):
        document = json.loads(network.read_text(encoding="utf-8"))
        yield from ((f"models/{network.name}", document[field]) for field in ("title", "summary") if document.get(field))


def _texts_of_components() -> Iterator[tuple[str, str | tuple[str, ...]]]:
    for file in sorted(COMPONENTS.rglob("*")):
        read = READERS.get(file.suffix)
        if read and "vendor" not in file.parts:
            for text in read(file.read_text(encoding="utf-8")):
                yield file.relative_to(PACKAGE.parent).as_posix(), text


def texts_of_script(script: str) -> Texts:
    """Yield the templates in a script; those of `plural` as pairs."""
    for text, one, many in CALLS.findall(script):
        yield json.loads(text) if text else (json.loads(one), json.loads(many))


def texts_of_html(html: str) -> Texts:
    """Yield what people read in the html of a component, with single spaces."""
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, _tag: str, attributes: list[tuple[str, str | None]]) -> None:
            found.extend(value for name, value in attributes if name in PLACES and value)

        def handle_data(self, data: str) -> None:
            found.append(data)

    Reader().feed(html)
    texts = (" ".join(each.split()) for each in found)
    return (text for text in texts if any(letter.isalpha() for letter in text))


READERS = {".js": texts_of_script, ".html": texts_of_html}


def written(catalogue: Catalog) -> str:
    """Return a catalogue as a .pot or .po file has it: sorted by text, without what changes from one day to the next."""
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=0, sort_output=True, include_lineno=False, ignore_obsolete=True)
    return "".join(line for line in buffer.getvalue().decode().splitlines(keepends=True) if not line.startswith(CHANGING))


def compiled(folder: Path) -> dict[str, bytes]:
    """Return the files made of a language's translations, by name."""
    python, scripts = (read_po(io.StringIO((folder / f"{domain}.po").read_text(encoding="utf-8"))) for domain in (PYTHON, SCRIPTS))
    python.creation_date = python.revision_date = datetime.fromtimestamp(0, UTC)  # else the file would differ each minute
    buffer = io.BytesIO()
    write_mo(buffer, python)
    translated = [message for message in scripts if message.id and message.string and all(message.string)]
    texts = {message.id if isinstance(message.id, str) else message.id[0]: message.string for message in translated}
    return {f"{PYTHON}.mo": buffer.getvalue(), f"{SCRIPTS}.json": (json.dumps(texts, ensure_ascii=False, indent=0) + "\n").encode()}


def main() -> None:
    templates = {domain: extracted(domain) for domain in (PYTHON, SCRIPTS)}
    for domain, template in templates.items():
        (LOCALES / f"{domain}.pot").write_text(written(template), encoding="utf-8")
    for folder in (path.parent for path in sorted(LOCALES.glob(f"*/{PYTHON}.po"))):
        for domain, template in templates.items():
            file = folder / f"{domain}.po"
            catalogue = read_po(io.StringIO(file.read_text(encoding="utf-8")), locale=folder.name)
            catalogue.update(template, no_fuzzy_matching=True)
            file.write_text(written(catalogue), encoding="utf-8")
        for name, content in compiled(folder).items():
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
