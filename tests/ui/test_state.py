"""The table of the pages' state: every entry is declared, used, and can be passed to a page."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

import pytest
import streamlit as st

from playground.environment import ROOT
from playground.ui import state
from playground.ui.state import TABLE, Family, State

FOLDER = ROOT / "playground" / "ui"
SOURCES = {path.relative_to(FOLDER).as_posix(): path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.py")}
TABLE_SOURCE = SOURCES.pop("state.py")
TREES = {name: ast.parse(source) for name, source in SOURCES.items()}
INPUTS = {
    "selectbox", "multiselect", "radio", "pills", "segmented_control", "slider", "select_slider", "number_input", "text_input", "text_area",
    "checkbox", "toggle",
}  # fmt: skip


def nodes(kind: type[ast.AST]) -> Iterator[tuple[str, Any]]:
    return ((name, node) for name, tree in TREES.items() for node in ast.walk(tree) if isinstance(node, kind))


def inputs() -> Iterator[tuple[str, dict[str, ast.expr]]]:
    """The named arguments of every call that makes an input with a key."""
    for name, call in nodes(ast.Call):
        arguments = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
        if isinstance(call.func, ast.Attribute) and call.func.attr in INPUTS and "key" in arguments:
            yield f"{name}, line {call.lineno}", arguments


def entry(key: ast.expr) -> State[Any] | Family[Any] | None:
    """The entry of the table that an input's key is taken from, where the input names it itself."""
    match = re.match(r"state\.([A-Z_]+)\b", ast.unparse(key))
    return TABLE[match[1]] if match else None


def key_of(each: State[Any] | Family[Any]) -> str:
    return each.key if isinstance(each, State) else each.pattern


def test_only_the_state_module_accesses_session_address_and_page() -> None:
    """The newest value of an element is read from the session under the element's own key."""
    events = {id(node.value.value) for _, node in nodes(ast.Attribute) if isinstance(node.value, ast.Subscript)}
    touched = [
        f"{name}, line {node.lineno}"
        for name, node in nodes(ast.Attribute)
        if ast.unparse(node) in ("st.session_state", "st.query_params", "st.switch_page") and id(node) not in events
    ]
    assert touched == []


def test_every_input_takes_its_key_from_the_table() -> None:
    assert [place for place, arguments in inputs() if isinstance(arguments["key"], (ast.Constant, ast.JoinedStr))] == []


def test_inputs_are_bound_to_the_address_as_the_table_says() -> None:
    states = [(place, entry(arguments["key"]), "bind" in arguments) for place, arguments in inputs()]
    assert sum(bound for _, each, bound in states if each) >= 5
    assert [place for place, each, bound in states if each and (each.place == "both") != bound] == []


def test_entries_are_used_and_have_unique_keys() -> None:
    text = "\n".join([*SOURCES.values(), TABLE_SOURCE.partition("TABLE:")[2]])
    assert [name for name in TABLE if not re.search(rf"\b{name}\b", text)] == []
    keys = [(each.place == "address", key_of(each)) for each in TABLE.values()]
    assert len(set(keys)) == len(keys)
    assert [name for name, each in TABLE.items() if not each.meaning.endswith(".")] == []


@pytest.mark.parametrize("name", TABLE)
def test_a_state_can_be_passed_to_a_page(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    each = TABLE[name]
    chosen = each if isinstance(each, State) else each.of(*["one"] * each.pattern.count("{}"))
    session: dict[str, Any] = {}
    monkeypatch.setattr(st, "session_state", session)
    monkeypatch.setattr(st, "query_params", {})
    monkeypatch.setattr(st, "switch_page", lambda _page, query_params: monkeypatch.setattr(st, "query_params", query_params))
    assert chosen.read() == chosen.default and not chosen.is_set
    state.open_page("train", {chosen: "a value"})
    assert chosen.read() == "a value" and chosen.is_set
    assert (chosen.key in st.query_params) == (chosen.place == "address") != (chosen.key in session)
    chosen.forget()
    assert chosen.read() == chosen.default


def test_a_callback_plans_a_visit_for_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(st, "switch_page", lambda page, query_params: opened.append((page.name, query_params)))
    state.plan_visit("evaluate", {state.MODEL: "a-run"})
    assert opened == []
    state.follow_plan()
    state.follow_plan()
    assert opened == [("evaluate.py", {"model": "a-run"})]
