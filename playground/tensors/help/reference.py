"""What scripts can use, with signatures and help taken from the docstrings of PyTorch and NumPy themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import torch

from playground.tensors.language import allowed, calls

LONGEST = 160
_SIGNATURE = re.compile(r"[\w.]+\(.*\)(?: ->.*)?$")


@dataclass(frozen=True)
class Help:
    """One name of the reference."""

    name: str
    """As it is typed: `torch.arange`, `F.relu`, `np.add`, `.view`."""
    group: str
    signature: str
    """The first line of the docstring where it is one; else empty."""
    summary: str
    """The docstring's first sentence."""


def entries() -> list[Help]:
    """Every function and method of the allow-list, in its order."""
    found = []
    for full, entry in calls.functions().items():
        found.append(_help(full.replace("torch.nn.functional", "F"), entry.group, calls.resolve(full)))
    for kind, owner in (("Tensor", torch.Tensor), ("ndarray", np.ndarray)):
        for name, entry in calls.methods()[kind].items():
            prefix = "." if kind == "Tensor" else "array."
            found.append(_help(f"{prefix}{name}", entry.group, getattr(owner, name)))
    found += [Help(name, "Python", "", "") for name in allowed.BUILTINS.split()]
    return found


def _help(name: str, group: str, thing: object) -> Help:
    text = (getattr(thing, "__doc__", None) or "").strip()
    lines = [line.strip() for line in text.splitlines()]
    signature = lines[0] if lines and _SIGNATURE.match(lines[0]) else ""
    rest = [line for line in lines if not _SIGNATURE.match(line)]
    paragraph = " ".join(_first_paragraph(rest))
    if not paragraph.strip(" .") or paragraph.startswith("See :func:"):
        paragraph = _of_function(name)
    return Help(name, group, _plain(signature.split(" -> ")[0]), _sentence(_plain(paragraph)))


def _of_function(method: str) -> str:
    """A method's docstring often only points to the function of its name."""
    twin = calls.functions().get(f"torch.{method.strip('.').rstrip('_')}")
    if not method.startswith(".") or twin is None:
        return ""
    lines = [line.strip() for line in (calls.resolve(twin.name).__doc__ or "").strip().splitlines()]
    return " ".join(_first_paragraph([line for line in lines if not _SIGNATURE.match(line)]))


def _first_paragraph(lines: list[str]) -> list[str]:
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
    """Without the marks of reStructuredText."""
    text = re.sub(r":math:`[^`]*\\[^`]*`", "…", text)  # formulas that only LaTeX can show
    text = text.replace(":attr:", "").replace(":math:", "").replace("\\*", "*").replace("\\ ", " ")
    text = re.sub(r":\w+:`~?([^`<]*?)(?:\s*<[^>]*>)?`", lambda found: found[1].replace("torch.", "") if found[1] else "", text)
    return re.sub(r"\\text\{([^}]*)\}|\\(?=[a-z])", r"\1", text).replace("``", "").replace("`", "").strip()


def _sentence(text: str) -> str:
    if not any(letter.isalpha() for letter in text):
        return ""
    first = re.split(r"(?<=[a-z\)\]])\.\s", text, maxsplit=1)[0].rstrip(".")
    shortened = first if len(first) <= LONGEST else f"{first[: LONGEST - 1].rsplit(' ', 1)[0]}…"
    return f"{shortened}." if shortened and not shortened.endswith("…") else shortened
