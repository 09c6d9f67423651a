"""Texts for people. A `Message` is an English text that remembers how it was made, so that it can be translated where it is shown.

English is the key of every translation, as gettext does it: `msg("There is no {what} called “{name}”.", what=…, name=…)` *is*
the English sentence, and errors, records, caches and the results of other processes carry it. Pages, responses and the command line
call `t` or `translated`, which know the reader's language.
"""

from __future__ import annotations

import gettext
import os
import re
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any, TypeGuard, TypeVar

ENGLISH = "en"
DOMAIN = "playground"

language: ContextVar[str] = ContextVar("language", default=ENGLISH)
"""The language of whoever reads what this thread or task answers: a folder in `locales/`, or `ENGLISH`."""

GAPS = re.compile(r"\{[A-Za-z_]\w*(:[<>]?\d{0,2},?(\.\d{1,2})?[efg%]?)?\}")
"""The gaps of a template that `from_plain` accepts: names with harmless formats, without attributes, indices and huge widths."""
MAX_GAPS = 50
"""Maximum number of gaps in a template that `from_plain` accepts."""
MAX_TEXT = 10_000
"""Maximum characters of a template and of a value that `from_plain` accepts."""
MAX_DEPTH = 20
"""Maximum depth of messages in messages that `from_plain` makes."""
MAX_NUMBER = 1e300
"""Largest absolute value of a number among the values that `from_plain` accepts."""

T = TypeVar("T")


class Message(str):
    """An English text with the template and the values that it was made from.

    Args:
        template: the text, with a gap ``{name}`` for each value.
        many: the template for any other number than one; empty if the text depends on no number.
        number: what chooses between the two.
        values: what fills the gaps; without any, the template is the text. A message among them is translated, too.
    """

    template: str
    many: str
    number: int
    values: Mapping[str, object]

    def __new__(cls, template: str, many: str, number: int, values: Mapping[str, object]) -> Message:
        message = super().__new__(cls, _filled(template if number == 1 or not many else many, values))
        message.template, message.many, message.number, message.values = template, many, number, values
        return message

    def __reduce__(self) -> tuple[Any, ...]:
        return Message, (self.template, self.many, self.number, dict(self.values))

    def filled(self, **values: object) -> Message:
        """Return the same text with these values in its gaps: for a template that stands in a table."""
        return Message(self.template, self.many, self.number, values)

    def into(self, wanted: str) -> str:
        """Return the text in another language; in English where there is no translation, or one that does not take the values of a recorded message."""
        if not self:
            return ""  # gettext has the header of the catalogue there
        catalogue = _catalogue(locales() / wanted / f"{DOMAIN}.mo")
        template = catalogue.ngettext(self.template, self.many, self.number) if self.many else catalogue.gettext(self.template)
        try:
            return _filled(template, {name: translated(value, wanted) for name, value in self.values.items()})
        except (ValueError, LookupError):
            return str(self)


class _Capitalised(Message):
    """A text with a capital first letter in every language."""

    def __new__(cls, text: str) -> _Capitalised:
        message: _Capitalised = str.__new__(cls, _capitalise(text))
        message.template, message.many, message.number, message.values = "{text}", "", 1, {"text": text}
        return message

    def __reduce__(self) -> tuple[Any, ...]:
        return _Capitalised, (self.values["text"],)

    def into(self, wanted: str) -> str:
        return _capitalise(super().into(wanted))


def msg(template: str, **values: object) -> Message:
    """Return a text that is translated where it is shown. The template is written out, never computed: so it is found for translation.

    Args:
        template: one or more whole sentences, or a title, with a gap ``{name}`` for each value.
    """
    return Message(template, "", 1, values)


def nmsg(one: str, many: str, n: int, **values: object) -> Message:
    """Return a text that depends on a number, ``{n}``.

    Args:
        one: the template for the number one.
        many: the template for other numbers.
    """
    return Message(one, many, n, {"n": n, **values})


def joined(parts: Iterable[str], separator: str = " ") -> Message:
    """Return sentences that stand one after another, each of which is translated by itself."""
    values = {f"part{place}": part for place, part in enumerate(parts)}
    return Message(separator.join(f"{{{name}}}" for name in values), "", 1, values)


def capitalised(text: str) -> Message:
    """Return a text as a title, with a capital first letter in every language: for a name that is put together from parts of a sentence."""
    return _Capitalised(text)


def listed(items: Iterable[str]) -> str:
    """Return “a, b and c”."""
    *before, last = items
    if not before:
        return last
    first, *rest = before
    for item in rest:
        first = msg("{first}, {second}", first=first, second=item)
    return msg("{some} and {last}", some=first, last=last)


def t(text: str, **values: object) -> str:
    """Return a text in the reader's language: a message that exists, or the one made of a template as `msg` does."""
    return translated(text if isinstance(text, Message) else msg(text, **values))


def translated(value: T, wanted: str | None = None) -> T:
    """Return a value with every message in it translated: in lists, tuples and dictionaries, whose keys stay as they are.

    Args:
        wanted: the language; by default the reader's.
    """
    wanted = wanted or language.get()
    return value if wanted == ENGLISH else _translated(value, wanted)


def as_plain(text: str) -> str | dict[str, Any]:
    """Return a text as JSON-ready data, from which `from_plain` makes it again; a message with its English text, for whoever cannot."""
    if not isinstance(text, Message):
        return text
    values = {name: _plain_value(value) for name, value in text.values.items()}
    return {"text": str(text), "template": text.template, "many": text.many, "number": int(text.number), "values": values}


def from_plain(document: object, depth: int = MAX_DEPTH) -> str:
    """Read a text written by `as_plain`.

    The data may come from an imported archive. So a template is only filled if its gaps are `GAPS` and it gives the English text of the same record;
    otherwise that text is returned, and is not translated.

    Raises:
        ValueError: there is no text.
    """
    if isinstance(document, str):
        return document
    if not isinstance(document, dict) or not isinstance(text := document.get("text"), str):
        raise ValueError("there is no text")
    template, many, number, values = (document.get(name) for name in ("template", "many", "number", "values"))
    if not (_is_harmless(template) and _is_harmless(many) and type(number) is int and isinstance(values, dict) and depth):
        return text
    try:
        message = Message(template, many, number, {name: _value_of_plain(value, depth - 1) for name, value in values.items()})
    except (ValueError, LookupError):
        return text
    return message if message == text else text


def languages() -> list[str]:
    """List the languages that the playground speaks, English first."""
    return [ENGLISH, *sorted(folder.name for folder in locales().iterdir() if (folder / f"{DOMAIN}.mo").is_file())]


def preferred(wishes: str) -> str | None:
    """Return the first language of a list that the playground speaks; None if there is none.

    Args:
        wishes: as a browser sends them (``zh-CN,zh;q=0.9,en;q=0.8``), or as the variable `LANGUAGE` has them (``zh_CN:en``).
    """
    spoken = languages()
    names = (wish.split(";")[0].strip().replace("_", "-").split(".")[0].lower() for wish in wishes.replace(":", ",").split(","))
    return next((found for name in names for found in (name, name.split("-")[0]) if found in spoken), None)


def language_of_environment() -> str:
    """Return the language that the environment asks for, by the variables and in the order of gettext."""
    wishes = (os.environ.get(name, "") for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"))
    return next((found for wish in wishes if wish and (found := preferred(wish))), ENGLISH)


def locales() -> Path:
    """Return the folder with a folder a language: `PLAYGROUND_LOCALES`, else the one that comes with the playground."""
    return Path(os.environ.get("PLAYGROUND_LOCALES") or Path(__file__).parent / "locales")


@cache
def _catalogue(compiled: Path) -> gettext.NullTranslations:
    with compiled.open("rb") as file:
        return gettext.GNUTranslations(file)


def _translated(value: Any, wanted: str) -> Any:
    if isinstance(value, Message):
        return value.into(wanted)
    if isinstance(value, dict):
        return {key: _translated(part, wanted) for key, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_translated(part, wanted) for part in value)
    return value


def _capitalise(text: str) -> str:
    return text[:1].upper() + text[1:]


def _filled(template: str, values: Mapping[str, object]) -> str:
    return template.format(**values) if values else template


def _plain_value(value: object) -> object:
    if isinstance(value, str):
        return as_plain(value)
    return value if isinstance(value, (int, float)) and abs(value) <= MAX_NUMBER else str(value)


def _value_of_plain(value: object, depth: int) -> object:
    if isinstance(value, (int, float)) and abs(value) <= MAX_NUMBER:
        return value
    text = from_plain(value, depth)
    if len(text) > MAX_TEXT:
        raise ValueError("the text is too long")
    return text


def _is_harmless(template: object) -> TypeGuard[str]:
    if not isinstance(template, str) or len(template) > MAX_TEXT:
        return False
    bare, gaps = GAPS.subn("", template)
    return gaps <= MAX_GAPS and not re.search(r"[{}]", bare)
