"""Every text for people is a whole template with named values, collected for translation."""

from __future__ import annotations

import ast
import builtins
import io
import json
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from playground.environment import PACKAGE, ROOT
from playground.glossary import BY_NAME
from playground.locales.update import LOCALES, PYTHON, SCRIPTS, compiled, extracted, texts_of_html, texts_of_script, written
from playground.messages import ENGLISH, capitalised, joined, language, language_of_environment, languages, listed, msg, nmsg, preferred, t, translated
from playground.network.catalogue import LAYERS

from .support.pseudo import PSEUDO, make_pseudo_language, pseudo

MARKERS = {"msg", "nmsg", "t", "glossary"}
"""Functions whose texts are collected; those of `glossary` are names of terms, which the glossary has."""
ERRORS = {name for name in dir(builtins) if isinstance(value := getattr(builtins, name), type) and issubclass(value, BaseException)}
"""Errors of Python: for developers, and in English."""
PROSE = re.compile(r"[A-Za-z’]{2,}[,;:]? +[A-Za-z’]{2,}")
NOT_FOR_PEOPLE = {
    "glossary/document.py": "writes docs/glossary.md, which is English",
    "inference/source.py": "writes code",
    "locales/update.py": "a tool of development",
    "network/source.py": "writes code",
    "tensors/language/allowed.py": "names of functions; the titles of its groups are marked",
    "tensors/language/datasets.py": "names of classes; its messages are marked",
    "tensors/language/figures.py": "names of functions and matplotlib's messages; its own are marked",
    "tensors/language/functions.py": "Python's own messages",
    "tensors/language/modules.py": "names of functions",
    "tensors/language/objects.py": "names of classes; its messages are marked",
    "training/reference.py": "writes docs/settings.md, which is English",
    "training/source.py": "writes code",
    "ui/components/declarations.py": "a tool of development",
    "ui/state.py": "says what each state means, for developers",
}
"""Files without a text for people, and why."""
REPLACED_SOON = re.compile(r"network/reading")
WIDGETS = {
    "button", "download_button", "form_submit_button", "checkbox", "toggle", "radio", "selectbox", "multiselect", "slider", "select_slider", "text_input",
    "text_area", "number_input", "date_input", "time_input", "file_uploader", "camera_input", "pills", "segmented_control", "color_picker", "data_editor",
}  # fmt: skip
EXCEPTION = "# no text: "
"""Says at the end of a line why a string in it is nothing that people read: code, a key, a pattern."""


def test_a_message_is_its_english_text() -> None:
    message = msg("There is no {what} called “{name}”.", what="layer", name="{x}")
    assert message == "There is no layer called “{x}”."
    assert json.loads(json.dumps([message])) == [message]
    assert msg("Braces {stay} without values.") == "Braces {stay} without values."


def test_a_text_that_depends_on_a_number() -> None:
    assert [nmsg("{n} run", "{n} runs", n) for n in (0, 1, 2)] == ["0 runs", "1 run", "2 runs"]
    assert [listed("abc"[:n]) for n in (1, 2, 3)] == ["a", "a and b", "a, b and c"]


def test_a_message_survives_another_process(pseudo_language: None) -> None:
    message = pickle.loads(pickle.dumps(msg("Test accuracy")))  # noqa: S301 - its own
    assert message == "Test accuracy"
    assert translated(message) == message.into(PSEUDO) != message


def test_messages_are_translated_where_they_stand(pseudo_language: None) -> None:
    latest = msg("Test accuracy")
    document = {"title": latest, "rows": [1, (latest, "a learner’s text")], "whole": joined([latest, latest])}
    shown = pseudo("Test accuracy")
    assert translated(document) == {"title": shown, "rows": [1, (shown, "a learner’s text")], "whole": f"{shown} {shown}"}
    assert translated(document, ENGLISH) is document
    assert t("") == joined([]).into(PSEUDO) == ""
    assert t("Test accuracy") == t(latest) == shown
    assert translated(msg("Known: {choices}.", choices=latest)) == pseudo("Known: {choices}.").format(choices=shown)


def test_a_name_begins_with_a_capital_letter_in_every_language(pseudo_language: None) -> None:
    name = capitalised(joined([msg("epochs {value}", value=1), msg("no momentum")], ", "))
    assert name == "Epochs 1, no momentum"
    there = pickle.loads(pickle.dumps(name))  # noqa: S301 - its own
    assert translated(there) == translated(name) == pseudo("epochs {value}").format(value=1) + ", " + pseudo("no momentum")
    assert capitalised("") == ""


@pytest.fixture
def pseudo_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    make_pseudo_language(tmp_path / "locales")
    monkeypatch.setenv("PLAYGROUND_LOCALES", str(tmp_path / "locales"))
    token = language.set(PSEUDO)
    yield
    language.reset(token)


def test_the_help_of_the_command_line_is_in_its_language(pseudo_language: None) -> None:
    code = f"""if True:
        from playground.messages import language
        language.set({PSEUDO!r})
        from playground.cli import main
        commands = [main, *(command.load() for command in main.commands.values())]
        print(*(each.help for command in commands for each in (command, *command.params) if getattr(each, "help", None)), sep="\\n")
        """
    texts = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [text for text in texts if not text.startswith("[!!")] == [] and len(texts) > 50


def test_the_language_follows_the_wishes(pseudo_language: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert languages() == [ENGLISH, PSEUDO, "zh"]
    assert preferred("fr-FR,fr;q=0.9,eo;q=0.8,en;q=0.7") == PSEUDO
    assert preferred("eo_XX.UTF-8") == PSEUDO
    assert preferred("xx") is None
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    assert language_of_environment() == ENGLISH
    monkeypatch.setenv("LANG", "eo_XX.UTF-8")
    assert language_of_environment() == PSEUDO


@pytest.mark.parametrize("domain", [PYTHON, SCRIPTS])
def test_the_template_has_every_text(domain: str) -> None:
    assert (LOCALES / f"{domain}.pot").read_text(encoding="utf-8") == written(extracted(domain)), "run `make messages`"


@pytest.mark.parametrize("folder", sorted(path.parent for path in LOCALES.glob("*/*.mo")), ids=lambda folder: str(folder.name))
def test_translations_are_compiled_and_keep_every_value(folder: Path) -> None:
    assert {name: (folder / name).read_bytes() for name in compiled(folder)} == compiled(folder), "run `make messages`"
    for domain in (PYTHON, SCRIPTS):
        for message in read_po(io.BytesIO((folder / f"{domain}.po").read_bytes())):
            english = message.id if isinstance(message.id, str) else message.id[1]
            for text in [message.string] if isinstance(message.string, str) else message.string:
                assert not text or not message.id or (gaps(text), terms(text)) == (gaps(english), terms(english)), text


def gaps(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)[^}]*\}", text))


def terms(text: str) -> set[str]:
    """The terms of the glossary that a text marks: `[[stride]]`, `[[步幅|stride]]`."""
    return set(re.findall(r"\[\[(?:[^\]|]*\|)?([^\]]+)\]\]", text))


def test_terms_are_those_of_the_glossary() -> None:
    texts = [text for message in extracted(SCRIPTS) if message.id for text in ([message.id] if isinstance(message.id, str) else message.id)]
    of_layers = {each.term for kind in LAYERS for each in (kind, *kind.params) if each.term}
    assert {name for text in texts for name in terms(text)} | of_layers <= BY_NAME.keys()


def test_texts_of_a_script() -> None:
    script = 't("A \\"text\\".", { a }); plural(\n  "{n} run",\n  "{n} runs", n)\n`${t("Inside")}`; format("none"); t("Outer {it}", { it: t("Inner") })'
    assert list(texts_of_script(script)) == ['A "text".', ("{n} run", "{n} runs"), "Inside", "Outer {it}", "Inner"]


def test_texts_of_html() -> None:
    html = '<p title="A title">One\n  sentence <b>123</b></p><input placeholder="A word">'
    assert list(texts_of_html(html)) == ["A title", "One sentence", "A word"]


@pytest.mark.parametrize("file", sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")))
def test_every_text_is_marked(file: str) -> None:
    if file in NOT_FOR_PEOPLE or REPLACED_SOON.match(file):
        return
    found = [f"playground/{file}:{line}: {text}" for line, text in unmarked((PACKAGE / file).read_text(encoding="utf-8"))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("file", sorted(path.relative_to(PACKAGE).as_posix() for path in (PACKAGE / "ui").rglob("*.py")))
def test_every_widget_has_a_key(file: str) -> None:
    """So that it keeps its value when its label is in another language."""
    calls = [node for node in ast.walk(ast.parse((PACKAGE / file).read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    widgets = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr in WIDGETS]
    assert not [ast.unparse(call) for call in widgets if not {"key", None} & {keyword.arg for keyword in call.keywords}]


def test_an_unmarked_text_is_found() -> None:
    source = 'a = "Two words"\nb = f"{a} images"\nc = msg("Two words")\nraise ValueError("two words")\nd = msg(f"Two {a}")\n"""Two words."""\ne = f"{a} {b}"'
    assert list(unmarked(source)) == [(1, "Two words"), (2, "{} images"), (5, "Two {}")]


def unmarked(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of what reads like prose and is not given to a marker as a literal."""
    tree = ast.parse(source)
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKERS | ERRORS:
            literals = [part for part in node.args if isinstance(part, ast.Constant)] if node.func.id in MARKERS else list(ast.walk(node))
            skipped |= {id(part) for part in literals}
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("re.compile", "click.option"):
            skipped |= {id(part) for part in ast.walk(node)}
        elif isinstance(node, ast.keyword) and node.arg == "term":  # a name in the glossary
            skipped.add(id(node.value))
        elif isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in node.values}
    lines = source.splitlines()

    def excepted(node: ast.AST) -> bool:
        return isinstance(node, ast.expr) and any(EXCEPTION in line for line in lines[node.lineno - 1 : node.end_lineno])

    for node in ast.walk(tree):
        text = _text(node)
        if id(node) not in skipped and PROSE.search(text.replace("{}", "xx")) and re.search(r"[A-Za-z]{2}", text) and not excepted(node):
            yield node.lineno, text  # type: ignore[attr-defined]


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
