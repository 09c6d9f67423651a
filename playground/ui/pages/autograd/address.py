"""Choices that stand in the address by their ids; Streamlit's own binding would put titles there, in the language of whoever chose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from streamlit.runtime.scriptrunner import get_script_run_ctx

from playground.messages import translated
from playground.ui.state import State


def choose(widget: Callable[..., Any], label: str, choice: State[str], titles: Mapping[str, str], **options: Any) -> str:
    """Show a widget with the titles, and return the id of the one chosen.

    Args:
        widget: `st.selectbox`, `st.pills` or `st.segmented_control`.
        titles: by the ids of what there is to choose, the default first.
        options: of the widget.
    """
    _keep_in_address(choice, titles)
    return str(widget(label, list(titles), format_func=translated(titles).__getitem__, key=choice.key, persist_state="session", **options))


def _keep_in_address(choice: State[str], titles: Mapping[str, str]) -> None:
    """Take the choice from the address at the first visit and when the browser goes back or forth; else write it there, unless it is the default."""
    address = replace(choice, default="", place="address")
    ids = {**{str(title): name for name, title in titles.items()}, **{name: name for name in titles}}  # older addresses have English titles
    there, default = ids.get(address.read()), next(iter(titles))
    context = get_script_run_ctx()
    if not choice.is_set or choice.read() not in titles or (context is not None and context.is_history_navigation):
        choice.write(there or default)
    elif choice.read() == default:
        address.forget()
    elif choice.read() != there:
        address.write(choice.read())
