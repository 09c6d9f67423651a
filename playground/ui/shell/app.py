"""The frame of every page: navigation, the device in the sidebar, and the display of errors."""

from __future__ import annotations

import streamlit as st

from playground.environment import PACKAGE, ROOT
from playground.messages import t
from playground.server.services import services
from playground.ui.shared.errors import shown_kindly
from playground.ui.shared.visitor import use_language
from playground.ui.shell.device import device_in_sidebar

use_language()

SIDEBAR = 268  # pixels
PAGES = ROOT / "pages"

st.set_page_config(page_title=t("PyTorch playground"), page_icon=PACKAGE / "ui" / "shell" / "icon.png", layout="wide", initial_sidebar_state=SIDEBAR)

home = st.Page(PAGES / "home.py", title=t("Home"), icon=":material/home:", default=True)
page = st.navigation(
    [
        home,
        st.Page(PAGES / "tensors.py", title=t("Tensors"), icon=":material/grid_on:", url_path="tensors"),
        st.Page(PAGES / "autograd.py", title=t("Autograd"), icon=":material/account_tree:", url_path="autograd"),
        st.Page(PAGES / "network.py", title=t("Network"), icon=":material/layers:", url_path="network"),
        st.Page(PAGES / "train.py", title=t("Train"), icon=":material/show_chart:", url_path="train"),
        st.Page(PAGES / "evaluate.py", title=t("Evaluate"), icon=":material/fact_check:", url_path="evaluate"),
        st.Page(PAGES / "compare.py", title=t("Compare"), icon=":material/compare_arrows:", url_path="compare"),
        st.Page(PAGES / "draw.py", title=t("Draw"), icon=":material/draw:", url_path="draw"),
    ]
)

device_in_sidebar()
with shown_kindly():
    if page is not home and not services().warm.is_set():  # the other pages import torch; Home is there before
        with st.spinner(t("Loading PyTorch…")):
            services().warm.wait()
    if fault := services().fault:
        raise fault
    page.run()
