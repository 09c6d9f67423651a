"""The frame of every page: navigation and the display of errors."""

from __future__ import annotations

import streamlit as st

from playground.environment import PACKAGE, ROOT
from playground.messages import t
from playground.server.services import services
from playground.ui import state
from playground.ui.shared.errors import shown_kindly
from playground.ui.shared.visitor import use_language

use_language()

SHELL = PACKAGE / "ui" / "shell"
PAGES = ROOT / "pages"

home = st.Page(PAGES / "home.py", title=t("Home"), default=True)
page = st.navigation(
    [
        home,
        st.Page(PAGES / "tensors.py", title=t("Tensors"), url_path="tensors"),
        st.Page(PAGES / "autograd.py", title=t("Autograd"), url_path="autograd"),
        st.Page(PAGES / "network.py", title=t("Network"), url_path="network"),
        st.Page(PAGES / "train.py", title=t("Train"), url_path="train"),
        st.Page(PAGES / "evaluate.py", title=t("Evaluate"), url_path="evaluate"),
        st.Page(PAGES / "compare.py", title=t("Compare"), url_path="compare"),
        st.Page(PAGES / "draw.py", title=t("Draw"), url_path="draw"),
    ],
    position="top",
)
state.SHOWN_PAGE.write(page.url_path)
name = t("PyTorch playground")
st.set_page_config(
    page_title=name if page is home else f"{page.title} · {name}",  # no text: both parts are translated
    page_icon=SHELL / "icon.png",
    layout="wide",
    initial_sidebar_state="collapsed",
)
st.logo(SHELL / "icon.png", size="small")

with shown_kindly():
    if page is not home and not services().warm.is_set():  # the other pages import torch; Home is there before
        with st.spinner(t("Loading PyTorch…")):
            services().wait_until_warm()
    if fault := services().fault:
        raise fault
    page.run()
