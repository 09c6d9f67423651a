"""The script of a page, in the session and in the address."""

from __future__ import annotations

import streamlit as st

from playground.errors import PlaygroundError
from playground.messages import t
from playground.tensors import link
from playground.ui import state
from playground.ui.shared.errors import shown_kindly


class Script:
    """A page's script, kept in the session and in the address.

    Args:
        page: identifies the page.
        address: the parameter of the address that holds the packed script.
    """

    def __init__(self, page: str, address: str = "script") -> None:
        self._source, self._loaded, self._fault = state.SCRIPT_SOURCE.of(page), state.SCRIPT_LOADED.of(page), state.SCRIPT_FAULT.of(page)
        self._address = state.SCRIPT.of(address)

    def source(self, otherwise: str) -> str:
        """Return the script that was run last or came in the address, else `otherwise`."""
        return self._source.read() if self._source.is_set else otherwise

    def load(self) -> None:
        """Load the script in the address, once."""
        packed = self._address.read()
        if not packed or self._loaded.read() == packed:
            return
        self._loaded.write(packed)
        with shown_kindly():
            self._source.write(link.unpack(packed))

    def keep(self, source: str) -> None:
        """Keep a script that was run, and put it into the address."""
        self._source.write(source)
        try:
            packed = link.pack(source)
        except PlaygroundError as error:
            self._fault.write(error.text)
            self._address.forget()
            return
        self._fault.forget()
        self._loaded.write(packed)
        self._address.write(packed)

    def show_limit(self) -> None:
        """Show a note if the script is too long for a link."""
        if fault := self._fault.read():
            st.caption(t(fault))
