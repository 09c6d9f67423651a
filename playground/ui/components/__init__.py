"""Browser components: one folder each, with its Python interface, html, css and js."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

PARTS = Path(__file__).parent / "parts"
"""Scripts and styles that several components share; the scripts are served at /parts/."""
MOUNTING = (Path(__file__).parent / "mounting.js").read_text(encoding="utf-8")
"""Mounts the view of every component and removes it."""


def register(folder: Path, *, isolated: bool = True, styles: tuple[str, ...] = ()) -> ComponentRenderer:
    """Register the component whose html, css and js lie in `folder`.

    Args:
        folder: its last part names the component and its files.
        isolated: whether it is rendered in a shadow root, which no style enters or leaves.
        styles: names of the style sheets in parts/ that it uses.
    """
    shared = [(PARTS / f"{name}.css").read_text(encoding="utf-8") for name in styles]
    html, css, js = ((folder / f"{folder.name}{ending}").read_text(encoding="utf-8") for ending in (".html", ".css", ".js"))
    return st.components.v2.component(f"playground_{folder.name}", html=html, css="\n".join([*shared, css]), js=MOUNTING + js, isolate_styles=isolated)
