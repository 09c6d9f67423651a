"""The function reference: every allowed name with its signature and summary, from the docstrings of PyTorch and NumPy."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import torch

from playground.tensors.language import allowed, calls

MAX_SUMMARY = 160
"""Characters of a summary, at most."""
_SIGNATURE = re.compile(r"[\w.]+\(.*\)(?: ->.*)?$")


@dataclass(frozen=True)
class Help:
    """One entry of the reference."""

    name: str
    """As in a script: `torch.arange`, `F.relu`, `np.add`, `.view`."""
    group: str
    signature: str
    """The first line of the docstring; empty if that is not a signature."""
    summary: str
    """The docstring's first sentence."""


def entries() -> list[Help]:
    """Return an entry for every function and method of the allow-list, in its order."""
    result = []
    for full, entry in calls.functions().items():
        result.append(_help(full.replace("torch.nn.functional", "F"), entry.group, calls.resolve(full)))
    for kind, owner in (("Tensor", torch.Tensor), ("ndarray", np.ndarray)):
        for name, entry in calls.methods()[kind].items():
            prefix = "." if kind == "Tensor" else "array."
            result.append(_help(f"{prefix}{name}", entry.group, getattr(owner, name)))
    result += [Help(name, "Python", "", "") for name in allowed.BUILTINS.split()]
    return result


def _help(name: str, group: str, thing: object) -> Help:
    text = (getattr(thing, "__doc__", None) or "").strip()
    lines = [line.strip() for line in text.splitlines()]
    signature = lines[0] if lines and _SIGNATURE.match(lines[0]) else ""
    rest = [line for line in lines if not _SIGNATURE.match(line)]
    paragraph = " ".join(_first_paragraph(rest))
    if not paragraph.strip(" .") or paragraph.startswith("See :func:"):
        paragraph = _function_paragraph(name)
    return Help(name, group, _plain(signature.split(" -> ")[0]), _sentence(_plain(paragraph)))


def _function_paragraph(method: str) -> str:
    """Return the first paragraph of the function of the same name, to which a method's docstring often only points."""
    function = calls.functions().get(f"torch.{method.strip('.').rstrip('_')}")
    if not method.startswith(".") or function is None:
        return ""
    lines = [line.strip() for line in (calls.resolve(function.name).__doc__ or "").strip().splitlines()]
    return " ".join(_first_paragraph([line for line in lines if not _SIGNATURE.match(line)]))


def _first_paragraph(lines: list[str]) -> list[str]:
    """Return the lines of the first paragraph before any section or directive."""
    paragraph: list[str] = []
    for line in lines:
        if line.startswith((".. ", "Args:", "Parameters", "Arguments:", "Returns:", ">>>")):
            break
        if line:
            paragraph.append(line)
        elif paragraph:
            break
    return paragraph


def _plain(text: str) -> str:
    """Remove the markup of reStructuredText."""
    text = re.sub(r":math:`[^`]*\\[^`]*`", "…", text)  # formulas that need LaTeX
    text = text.replace(":attr:", "").replace(":math:", "").replace("\\*", "*").replace("\\ ", " ")
    text = re.sub(r":\w+:`~?([^`<]*?)(?:\s*<[^>]*>)?`", lambda match: match[1].replace("torch.", "") if match[1] else "", text)
    return re.sub(r"\\text\{([^}]*)\}|\\(?=[a-z])", r"\1", text).replace("``", "").replace("`", "").strip()


def _sentence(text: str) -> str:
    """Return the first sentence, shortened to `MAX_SUMMARY` characters."""
    if not any(letter.isalpha() for letter in text):
        return ""
    first = re.split(r"(?<=[a-z\)\]])\.\s", text, maxsplit=1)[0].rstrip(".")
    shortened = first if len(first) <= MAX_SUMMARY else f"{first[: MAX_SUMMARY - 1].rsplit(' ', 1)[0]}…"
    return f"{shortened}." if shortened and not shortened.endswith("…") else shortened
