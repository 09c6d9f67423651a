"""What the pages with a script share: the script in the session and in the address."""

from __future__ import annotations

import streamlit as st

from playground.errors import PlaygroundError
from playground.tensors import link
from playground.ui.shared.errors import shown_kindly


class Script:
    """A page's script: kept while one visits other pages, and in the address.

    Args:
        page: tells the pages apart.
        address: the part of the address that holds the script, packed.
    """

    def __init__(self, page: str, address: str = "script") -> None:
        self._source, self._loaded, self._fault = f"{page}-source", f"{page}-loaded", f"{page}-link-fault"
        self._address = address

    def source(self, otherwise: str) -> str:
        """The script as it was run last, or as the address has it."""
        return str(st.session_state.get(self._source, otherwise))

    def load(self) -> None:
        """Take the script that came in the address, once."""
        packed = st.query_params.get(self._address)
        if not packed or st.session_state.get(self._loaded) == packed:
            return
        st.session_state[self._loaded] = packed
        with shown_kindly():
            st.session_state[self._source] = link.unpack(packed)

    def keep(self, source: str) -> None:
        """A script was run: remember it, and put it into the address."""
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
        """Say it where the script is too long for a link."""
        if fault := st.session_state.get(self._fault):
            st.caption(fault)
