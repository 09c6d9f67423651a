"""The script of a page, in the session and in the address."""

from __future__ import annotations

import streamlit as st

from playground.errors import PlaygroundError
from playground.tensors import link
from playground.ui.shared.errors import shown_kindly


class Script:
    """A page's script, kept in the session and in the address.

    Args:
        page: identifies the page.
        address: the parameter of the address that holds the packed script.
    """

    def __init__(self, page: str, address: str = "script") -> None:
        self._source, self._loaded, self._fault = f"{page}-source", f"{page}-loaded", f"{page}-link-fault"
        self._address = address

    def source(self, otherwise: str) -> str:
        """Return the script that was run last or came in the address, else `otherwise`."""
        return str(st.session_state.get(self._source, otherwise))

    def load(self) -> None:
        """Load the script in the address, once."""
        packed = st.query_params.get(self._address)
        if not packed or st.session_state.get(self._loaded) == packed:
            return
        st.session_state[self._loaded] = packed
        with shown_kindly():
            st.session_state[self._source] = link.unpack(packed)

    def keep(self, source: str) -> None:
        """Keep a script that was run, and put it into the address."""
        st.session_state[self._source] = source
        try:
            packed = link.pack(source)
        except PlaygroundError as error:
            st.session_state[self._fault] = str(error)
            st.query_params.pop(self._address, None)
            return
        st.session_state.pop(self._fault, None)
        st.session_state[self._loaded] = packed
        st.query_params[self._address] = packed

    def show_limit(self) -> None:
        """Show a note if the script is too long for a link."""
        if fault := st.session_state.get(self._fault):
            st.caption(fault)
