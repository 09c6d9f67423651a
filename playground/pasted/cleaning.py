"""Text that was copied with code and is not code: the file of a notebook, prompts, fences, line numbers, commands of a notebook, signs of a Chinese keyboard.

Every line keeps its place, so that errors name the line that was pasted.
"""

from __future__ import annotations

import ast
import json
import re
import textwrap
import warnings

from playground.messages import msg
from playground.pasted.errors import CodeError

_SIGNS = {
    "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "（": "(", "）": ")", "【": "[", "】": "]", "｛": "{", "｝": "}", "，": ",", "：": ":", "；": ";",
    "＝": "=", "＋": "+", "－": "-", "＊": "*", "／": "/", "＜": "<", "＞": ">", "＃": "#", "\u3000": "  ", "\u200b": "",
}  # fmt: skip
"""Signs that Python does not know, by those that it does."""
_PROMPT = re.compile(r"^\s*(?:>>>|\.\.\.)(?: |$)")
_OF_IPYTHON = re.compile(r"^(In|Out) ?\[[\d ]*\]: ?")
_COMMANDS = (
    (re.compile(r"^(\s*)[%!](?=[A-Za-z]).*$"), r"\1pass"),
    (re.compile(r"^(\s*[A-Za-z_]\w*\s*=\s*)[%!][A-Za-z].*$"), r"\1None"),
    (re.compile(r"^(\s*)[\w.]+\?{1,2}\s*$"), r"\1pass"),
    (re.compile(r"^(\s*)print\s+(?![=(]).*$"), r"\1pass"),
)
"""Lines for a notebook or a shell, and `print` without brackets of Python 2, with what stands in their place."""
_PRINTED = re.compile(r"^\w+\(\n\s+\(\w+\): \w+\(", re.MULTILINE)
"""What `print(net)` shows."""


def cleaned(text: str) -> str:
    """Return the code in a text; one that is code already comes back as it is.

    Raises:
        CodeError: it is what PyTorch printed.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")
    if text.lstrip().startswith("{") and (cells := _of_notebook(text)) is not None:
        text = cells
    if _is_python(text):
        return text
    for clean in (_without_fences, _without_prompts, _without_numbers, _without_commands, _with_known_signs, textwrap.dedent):
        text = clean(text)
    if not _is_python(text) and _PRINTED.search(text):
        message = msg("This is what `print(net)` shows, not the code of the network.")
        raise CodeError(message, msg("Paste the class itself, with its __init__ and forward."), 1)
    return text


def _is_python(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    except (RecursionError, MemoryError):
        return True  # the interpreter says that it is nested too deeply
    return True


def _of_notebook(text: str) -> str | None:
    """Return the code of a notebook's file; None for another text."""
    try:
        cells = json.loads(text)["cells"]
        codes = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return "\n\n".join(code.rstrip() for code in codes if code.strip()) + "\n"


def _without_fences(text: str) -> str:
    lines = text.split("\n")
    fences = [place for place, line in enumerate(lines) if line.lstrip().startswith("```")]
    if not fences:
        return text
    opened = 0
    for place, line in enumerate(lines):
        is_fence = line.lstrip().startswith("```")
        opened += is_fence
        if is_fence or (len(fences) > 1 and opened % 2 == 0):
            lines[place] = ""
    return "\n".join(lines)


def _without_prompts(text: str) -> str:
    lines = text.split("\n")
    if any(line.lstrip().startswith(">>> ") for line in lines):
        return "\n".join(_PROMPT.sub("", line) if _PROMPT.match(line) else "" for line in lines)
    if not any(_OF_IPYTHON.match(line) for line in lines):
        return text
    is_output = False
    for place, line in enumerate(lines):
        if prompt := _OF_IPYTHON.match(line):
            is_output = prompt[1] == "Out"
        lines[place] = "" if is_output else re.sub(r"^ {3,}\.\.\.: ?", "", _OF_IPYTHON.sub("", line))
    return "\n".join(lines)


def _without_numbers(text: str) -> str:
    """Take away a number before each line, where they count up."""
    lines = text.split("\n")
    found = [re.match(r"^\s*(\d+)(?:[.:|]|(?=\s)|$)", line) for line in lines if line.strip()]
    numbers = [int(each[1]) if each else None for each in found]
    if len(numbers) < 3 or numbers[0] is None or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        return text
    return textwrap.dedent("\n".join(re.sub(r"^\s*\d+[.:|]?", "", line) for line in lines))


def _without_commands(text: str) -> str:
    lines = text.split("\n")
    for place in range(len(lines)):
        for pattern, instead in _COMMANDS:
            lines[place] = pattern.sub(instead, lines[place])
    return "\n".join(lines)


def _with_known_signs(text: str) -> str:
    return "".join(_SIGNS.get(sign, sign) for sign in text)
