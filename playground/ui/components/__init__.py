"""Browser components: one folder each, with its Python face and its html, css and js."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

PARTS = Path(__file__).parent / "parts"
"""Scripts and styles that several components share; the scripts are served at /parts/."""
MOUNTING = (Path(__file__).parent / "mounting.js").read_text(encoding="utf-8")
"""How every component's view comes into its place on the page and leaves it."""


def register(folder: Path, *, isolated: bool = True, styles: tuple[str, ...] = ()) -> ComponentRenderer:
    """Register the component whose html, css and js lie in `folder`.

    Args:
        folder: its last part names the component and its files.
        isolated: whether it lives in a shadow root, where no style leaks in or out.
        styles: names of style sheets in parts/ that it shares with others.
    """
    shared = [(PARTS / f"{name}.css").read_text(encoding="utf-8") for name in styles]
    html, css, js = ((folder / f"{folder.name}{ending}").read_text(encoding="utf-8") for ending in (".html", ".css", ".js"))
    return st.components.v2.component(f"playground_{folder.name}", html=html, css="\n".join([*shared, css]), js=MOUNTING + js, isolate_styles=isolated)
