"""Texts for readers use the words of the field: pages, messages, models and documents."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator

import pytest

from playground.environment import ROOT

BETTER = {
    r"anew": "again",
    r"as one (would )?writes? it( by hand)?": "“as a class”, “the same in PyTorch”",
    r"beside it": "compare with, next to",
    r"bring (it|them|runs|weights) back": "import",
    r"came about": "how it was computed",
    r"commit yourself": "make a guess first",
    r"everyone’s": "shared",
    r"here stands": "say where to click and what appears",
    r"(it|network|model) (only|just) guesses": "accuracy is at chance level",
    r"learn(s|t|ing)? (\w+ )?by heart": "overfit, memorise",
    r"learnt from": "trained on",
    r"meant for": "data set",
    r"memory of adam’s( two)? averages": "decay rates of Adam’s running averages",
    r"nobody": "say who: “no process trains this run”",
    r"one batch through it": "run one batch",
    r"rightly": "correctly, correctly classified",
    r"silent units?": "dead units",
    r"spoke (for|against)": "evidence for, evidence against",
    r"surer than": "overconfident",
    r"take(n|s)? (it|them|a run|the run) with (you|one)": "download, export",
    r"taken (wrongly|for)": "misclassified, predicted as",
    r"the way (in|around)": "preprocessing, shortcut connection",
    r"told": "shown, described, reported",
    r"too large to be (one|a number)": "non-finite value (inf or nan)",
    r"tried on": "evaluated on",
    r"weights start(?= as| from|$)": "weight initialisation",
    r"what (it|they|one) (comes?|came|has come|have come) (to|about)": "result",
    r"what (comes?|came) in": "input",
    r"worked out": "computed",
    r"wrongly": "incorrectly, misclassified",
}
"""Banned phrases, matched as whole words without regard to case, and what to write instead."""
BANNED = {re.compile(rf"(?<![\w.-])(?:{phrase})(?![\w-])", re.IGNORECASE): better for phrase, better in BETTER.items()}
ALLOWED: set[tuple[str, str]] = set()
"""Exceptions, as the file and the text that it may keep."""

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "models").rglob("*.md")])
SCRIPTS = [path for path in sorted((ROOT / "playground").rglob("*.js")) if "vendor" not in path.parts]
PAGES = sorted((ROOT / "playground").rglob("*.html"))
SOURCES = sorted([*(ROOT / "playground").rglob("*.py"), *(ROOT / "pages").rglob("*.py")])
MODELS = sorted((ROOT / "models").glob("*.json"))

Texts = Iterator[tuple[int, str]]
"""Lines, counted from 1, and the texts that stand there."""


def python_texts(source: str) -> Texts:
    """Yield the string literals that contain a space, without docstrings."""
    tree = ast.parse(source)
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value and id(node) not in documentation:
            yield node.lineno, node.value


SCRIPT_TOKEN = re.compile(
    r"""(?P<skip>//[^\n]*|/\*.*?\*/)"""
    r"""|(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
    r"""|(?P<pattern>(?<=[(,=:!&|?;\[])[ ]?/(?![/*])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/)"""
    r"""|(?P<mark>[`{}])""",
    re.DOTALL,
)
TEMPLATE_TEXT = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*", re.DOTALL)


def script_texts(source: str) -> Texts:
    """Yield the string literals of a script that a reader may see and the texts of its templates, without comments and regular expressions."""
    at, inside = 0, ""  # the templates and braces around a place, the innermost last
    while at < len(source):
        if inside.endswith("`"):
            match = TEMPLATE_TEXT.match(source, at)
            assert match
            yield source.count("\n", 0, at) + 1, match.group()
            ends = source[match.end()] == "`"
            inside, at = (inside[:-1], match.end() + 1) if ends else (inside + "{", match.end() + 2)
            continue
        match = SCRIPT_TOKEN.search(source, at)
        if match is None:
            return
        at = match.end()
        if match["text"] and (" " in match["text"] or match["text"][1].isupper()):
            yield source.count("\n", 0, match.start()) + 1, match["text"][1:-1]
        elif match["mark"] == "}":
            inside = inside[:-1]
        elif match["mark"]:
            inside += match["mark"]


PAGE_TEXT = re.compile(r">([^<]+)<|\b(?:aria-label|title|placeholder|alt|label|text)=\"([^\"]*)\"")


def page_texts(source: str) -> Texts:
    """Yield the texts of a page, and the attributes that are shown or read aloud."""
    for match in PAGE_TEXT.finditer(source):
        yield source.count("\n", 0, match.start()) + 1, match[1] or match[2]


def document_texts(source: str) -> Texts:
    """Yield the lines of a document, without code."""
    fenced = False
    for number, line in enumerate(source.splitlines(), 1):
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield number, re.sub(r"`[^`]*`", "", line)


def model_texts(source: str) -> Texts:
    """Yield what a model file says of its network."""
    document = json.loads(source)
    for key in ("title", "summary"):
        text = document.get(key, "")
        yield next(number for number, line in enumerate(source.splitlines(), 1) if f'"{key}"' in line), text


KINDS = {
    "python": (SOURCES, python_texts),
    "script": (SCRIPTS, script_texts),
    "page": (PAGES, page_texts),
    "document": (DOCUMENTS, document_texts),
    "model": (MODELS, model_texts),
}


COMMAND_LINE = ROOT / "playground" / "cli"
"""Prints percentages as Python does, because a terminal may lack the narrow no-break space."""


def python_percentages(source: str) -> Iterator[int]:
    """Yield the lines of a Python source that write a percentage themselves."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FormattedValue) and node.format_spec and ast.unparse(node.format_spec).rstrip("'\"").endswith("%"):
            yield node.lineno


def script_percentages(source: str) -> Iterator[int]:
    """Yield the lines of a script that write a percentage themselves."""
    for line, text in script_texts(source):
        if re.match(r" %(?!\{)|%$", text):
            yield line


def complaints(name: str, texts: Texts) -> Iterator[str]:
    for line, text in texts:
        for phrase, better in BANNED.items():
            for match in phrase.finditer(text):
                if (name, match.group()) not in ALLOWED:
                    yield f"{name}:{line}: “{match.group()}” in “{' '.join(text.split())[:100]}”. Better: {better}"


@pytest.mark.parametrize("kind", KINDS)
def test_texts_use_the_words_of_the_field(kind: str) -> None:
    files, texts = KINDS[kind]
    assert files
    assert not [line for path in files for line in complaints(path.relative_to(ROOT).as_posix(), texts(path.read_text(encoding="utf-8")))]


def test_percentages_are_formatted_in_one_place() -> None:
    """With a narrow no-break space: by `playground.typography.percent` and by `percent` of numbers.js."""
    offenders = [
        f"{path.relative_to(ROOT).as_posix()}:{line}"
        for files, lines in ((SOURCES, python_percentages), (SCRIPTS, script_percentages))
        for path in files
        if COMMAND_LINE not in path.parents
        for line in lines(path.read_text(encoding="utf-8"))
    ]
    assert not offenders


def test_a_percentage_formatted_elsewhere_is_reported() -> None:
    assert list(python_percentages('first = 1\nshow(f"{share:.1%} of all")')) == [2]
    assert list(script_percentages("const a = 1\nconst b = `${(100 * share).toFixed(1)} %`\nbox.style.width = `${share}%, 1px`")) == [2]


@pytest.mark.parametrize(
    ("texts", "source", "line"),
    [
        (python_texts, '"""Nobody is told."""\nshow(f"Named rightly: {count}")', 2),
        (script_texts, '// nobody\nconst shown = /told/\nbox.append(`All ${right ? `were read rightly` : ""} now`)', 3),
        (page_texts, '<p class="told">Fine</p>\n<button title="Take it with you">Save</button>', 2),
        (document_texts, "A `told` name.\n```\nnobody\n```\nIt was learnt from ten images.", 5),
        (model_texts, '{\n"title": "Small CNN",\n"summary": "Meant for digits."}', 3),
    ],
    ids=list(KINDS),
)
def test_a_banned_word_is_reported_with_its_line_and_a_better_one(texts: object, source: str, line: int) -> None:
    reports = list(complaints("file", texts(source)))  # type: ignore[operator]
    assert reports
    assert {complaint.split(":")[1] for complaint in reports} == {str(line)}
    assert all("Better: " in complaint for complaint in reports)
