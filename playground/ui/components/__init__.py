"""Browser components: one folder each, with its Python interface, its html and css, and `view.js` with the modules that it imports."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import streamlit as st

from playground.messages import translated
from playground.server import web
from playground.ui import state

SHARED = Path(__file__).parent / "shared"
"""Modules and style sheets that several components use."""
SCRIPT = """const view = import(new URL("{address}/{name}/view.js", document.baseURI).href)
export default (component) => {{
  const mounted = view.then((module) => module.default(component))
  return () => mounted.then((remove) => remove())
}}
"""  # no text: a script
"""The script of a component that Streamlit gets. It returns at once; what it returns waits for the module."""


def register(folder: Path, *, isolated: bool = True, styles: tuple[str, ...] = ()) -> Callable[..., Any]:
    """Register the component whose `view.html`, `view.css` and `view.js` lie in `folder`; its data is shown in the reader's language.

    Args:
        folder: its last part names the component.
        isolated: whether it is rendered in a shadow root, which no style enters or leaves.
        styles: names of the style sheets in shared/ that it uses beside `controls`.
    """
    sheets = [*(SHARED / f"{name}.css" for name in ("controls", *styles)), folder / "view.css"]
    html, css = _with_parts((folder / "view.html").read_text(encoding="utf-8")), "\n".join(sheet.read_text(encoding="utf-8") for sheet in sheets)
    js = SCRIPT.format(address=web.address(), name=folder.name)
    component = st.components.v2.component(f"playground_{folder.name}", html=html, css=css, js=js, isolate_styles=isolated)

    @wraps(component)
    def show(*, data: Any, **options: Any) -> Any:
        return component(data={"page": state.SHOWN_PAGE.read(), "data": translated(data)}, **options)

    return show


def _with_parts(html: str) -> str:
    """Put parts that several components have, such as shared/xray.html, in the place of comments with their names."""
    return re.sub(r"<!-- (\w+) -->", lambda match: (SHARED / f"{match[1]}.html").read_text(encoding="utf-8"), html)
