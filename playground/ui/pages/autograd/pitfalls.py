"""The pitfalls view: the learner's own script, a common mistake in it and its correction, one at a time, with what PyTorch does with each."""

from __future__ import annotations

import html
from typing import Any

import streamlit as st

from playground.autograd.examples import EXAMPLES
from playground.autograd.task_names import PITFALL
from playground.errors import PlaygroundError
from playground.messages import language, msg, t
from playground.server.services import services
from playground.tensors.sandbox import processor_seconds
from playground.ui import state
from playground.ui.components.autograd_lab import open_script
from playground.ui.pages.autograd.address import choose
from playground.ui.pages.autograd.graph import GRAPH, SCRIPT, script
from playground.ui.shared.device import chosen_device
from playground.ui.shared.errors import show
from playground.ui.shared.glossary import glossary

SUITED = "paths"
"""The example that can show every pitfall."""
TITLES = {
    "zero_grad": msg("Forget zero_grad"), "backward_twice": msg("Backward twice"), "retain_graph": msg("… with retain_graph"),
    "in_place": msg("Change a saved tensor in place"), "detach": msg("Detach within the graph"), "no_grad": msg("Compute under no_grad"),
    "non_leaf": msg("A non-leaf’s .grad"), "integer": msg("Integers with requires_grad"), "non_scalar": msg("Backward from a non-scalar"),
}  # fmt: skip
"""Titles of the pitfalls in `playground.autograd.pitfalls`, by name."""


def pitfalls() -> None:
    """Show the choice of pitfalls; below it one version of the script, which a switch exchanges, and what PyTorch does with it."""
    SCRIPT.load()
    chosen = choose(st.pills, t("Pitfall"), state.PITFALL, TITLES, required=True, label_visibility="collapsed")
    try:
        answer = _answered(script(), chosen, chosen_device(), language.get())
    except PlaygroundError as error:
        show(error)
        with st.container(horizontal=True):
            st.button(t("Show my script"), key="pitfall-mine", on_click=_look)
            st.button(
                t("Use an example"),
                key="pitfall-example",
                on_click=SCRIPT.keep,
                args=(EXAMPLES[SUITED].source,),
                help=t("An example that can show every pitfall."),
            )
        return
    versions = {"original": answer["original"], "wrong": answer["wrong"], **{f"right-{place}": version for place, version in enumerate(answer["right"])}}
    marks = {"original": "", "wrong": "✕ "}
    titles = {kind: marks.get(kind, "✓ ") + version["title"] for kind, version in versions.items()}
    left, right = st.columns([3, 2], gap="large")
    with left:
        shown = state.PITFALL_VERSION.of(chosen)
        kind = st.segmented_control(
            t("Version"), list(titles), format_func=titles.__getitem__, default=shown.default, key=shown.key, required=True, label_visibility="collapsed"
        )
        st.html(_marked(versions[kind], kind))
        if kind != "original":
            st.button(t("Show the graph"), key="pitfall-open", on_click=_open, args=(versions[kind]["source"],))
    with right:
        st.markdown(f"{answer['meaning']}\n\n**{answer['rule']}**", help=glossary("gradient", "backward pass", "saved tensor"))
        _outcome(versions[kind], answer["original"] if kind != "original" else None)


@st.cache_data(max_entries=200, show_spinner=False)
def _answered(source: str, pitfall: str, device: str, wanted: str) -> dict[str, Any]:  # noqa: ARG001 (a part of the key: the answer is in the reader's language)
    seconds = processor_seconds(3)  # each version is a run of its own
    return services().sandbox.run(PITFALL, {"source": source, "pitfall": pitfall, "device": device}, seconds)


def _outcome(version: dict[str, Any], mine: dict[str, Any] | None) -> None:
    """Show what PyTorch does with a version of the script."""
    with st.container(border=True):
        st.markdown(t("**What PyTorch does**"))
        if version["error"]:
            st.error(version["pytorch_error"] or version["error"]["message"])
        for text in version["warnings"]:
            st.warning(text)
        if version["output"]:
            st.code(version["output"].rstrip("\n"), language=None)
        _gradients(version, mine)


def _marked(version: dict[str, Any], kind: str) -> str:
    """Return the script as HTML, changed lines highlighted, removed lines struck through."""
    changed, removed = set(version["changed"]), [f"<del>{html.escape(line)}</del>" for line in version["removed"]]
    lines = [
        f"<{tag}>{html.escape(line) or ' '}</{tag}>"
        for number, line in enumerate(version["source"].rstrip("\n").split("\n"), 1)
        for tag in [_tag(number in changed)]
    ]
    return f'<pre class="version {kind.partition("-")[0]}">{"".join([*lines, *removed])}</pre>{_STYLE}'  # no text: HTML


def _tag(changed: bool) -> str:
    return "mark" if changed else "span"


_STYLE = """<style>
.version {
  font-family: "Source Code Pro", monospace; font-size: .9375rem; line-height: 1.55; margin: 0; padding: .8rem 0; overflow-x: auto;
  border-radius: .75rem; background: color-mix(in srgb, currentColor 5%, transparent);
}
.version > * {
  display: block; width: max-content; min-width: 100%; box-sizing: border-box; white-space: pre; color: inherit; background: none;
  padding: 0 1rem; border-left: 4px solid transparent;
}
.version mark { background: rgb(10 122 85 / .2); border-color: rgb(10 122 85); }
.version.wrong mark { background: rgb(179 38 30 / .2); border-color: rgb(179 38 30); }
.version del { opacity: .75; }
</style>"""  # no text: CSS


def _gradients(version: dict[str, Any], mine: dict[str, Any] | None) -> None:
    """Show the gradient of each leaf, highlighted where it differs from that of the learner's script."""
    rows = []
    for name, gradient in version["gradients"].items():
        differs = mine is not None and gradient != mine["gradients"].get(name)
        text = "None" if gradient is None else _short(gradient)
        rows.append(f"`{name}.grad` = :orange-background[`{text}`]" if differs else f"`{name}.grad` = `{text}`")
    if rows:
        st.markdown("  \n".join(rows))


def _short(value: Any) -> str:
    """Format a nested list with four significant digits."""
    if isinstance(value, list):
        shown = ", ".join(_short(part) for part in value[:6])
        return f"[{shown}, …]" if len(value) > 6 else f"[{shown}]"
    return (f"{value:.4g}" if isinstance(value, float) else str(value)).replace("-", "−")


def _open(source: str) -> None:
    state.VIEW.write(GRAPH)
    SCRIPT.keep(source)
    open_script(source)


def _look() -> None:
    state.VIEW.write(GRAPH)
