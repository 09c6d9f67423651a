"""Browser components: one folder each, with its Python face and its html, css and js."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer


def register(folder: Path, *, isolated: bool = True) -> ComponentRenderer:
    """Register the component whose html, css and js lie in `folder`.

    Args:
        folder: its last part names the component and its files.
        isolated: whether it lives in a shadow root, where no style leaks in or out.
    """
    html, css, js = ((folder / f"{folder.name}{ending}").read_text(encoding="utf-8") for ending in (".html", ".css", ".js"))
    return st.components.v2.component(f"playground_{folder.name}", html=html, css=css, js=js, isolate_styles=isolated)
