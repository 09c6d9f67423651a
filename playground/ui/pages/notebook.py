"""The notebook on the Tensors page: its cells in the session, and in a link."""

from __future__ import annotations

import json
from typing import cast

from playground.errors import PlaygroundError
from playground.messages import msg, t
from playground.tensors import link
from playground.ui import state
from playground.ui.components.notebook import NotebookCell, are_cells, notebook
from playground.ui.shared.errors import shown_kindly

NOTEBOOK = "Notebook"
"""The mode of the Tensors page."""
POINTS = """\
x = torch.linspace(0, 1, 12)
y = 3 * x + 1 + 0.1 * torch.randn(12)
print(x.shape, y.shape)"""  # no text: code
TRAINING = """\
model = nn.Linear(1, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
losses = []
for step in range(200):
    loss = F.mse_loss(model(x[:, None])[:, 0], y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())"""  # no text: code
RESULT = """\
slope, offset = model.weight.item(), model.bias.item()
print(f'y = {slope:.2f} x + {offset:.2f}')"""  # no text: code


def show_notebook() -> None:
    """Show the notebook of the session, at first the one to begin with."""
    cells = state.NOTEBOOK.read()
    notebook(first_cells() if cells is None else cast(list[NotebookCell], cells), state.NOTEBOOK_OPENED.read(), key="notebook", on_change=_keep)


def load_notebook() -> None:
    """Open the notebook in the address, once."""
    packed = state.NOTEBOOK_LINK.read()
    if not packed or state.NOTEBOOK_LOADED.read() == packed:
        return
    state.NOTEBOOK_LOADED.write(packed)
    with shown_kindly():
        cells = _cells_in(link.unpack(packed))
        if cells is None:
            raise PlaygroundError(msg("The notebook in this link cannot be read."), msg("The address was cut or changed on its way. Ask for the link again."))
        _keep(cells)
        state.NOTEBOOK_OPENED.write(state.NOTEBOOK_OPENED.read() + 1)
        state.TENSORS_MODE.write(NOTEBOOK)


def _cells_in(text: str) -> list[NotebookCell] | None:
    """Return the cells that a text is as JSON; None where it is something else, such as a script."""
    try:
        cells = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return cells if are_cells(cells) else None


def _keep(cells: list[NotebookCell]) -> None:
    state.NOTEBOOK.write([{"kind": each["kind"], "source": each["source"]} for each in cells])


def first_cells() -> list[NotebookCell]:
    """Return the notebook to begin with: a line is fitted to points, and the loss is seen while it falls."""
    return [
        {"kind": "text", "source": t("## A notebook\nCells share their variables: run them from top to bottom with *Run all*, or one with Ctrl+Enter.")},
        {"kind": "code", "source": POINTS},
        {
            "kind": "text",
            "source": t("A line has a slope and an offset. Gradient descent finds both; the list of losses appears as a curve while the loop runs."),
        },
        {"kind": "code", "source": TRAINING},
        {"kind": "code", "source": RESULT},
    ]
