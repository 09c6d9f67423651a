"""The Evaluate component: confusion matrix, scores of each class, images, calibration and features on the test set."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

from playground.ui.components import register

# Plotly writes its styles into the document, so that they must reach into the component.
_component = register(Path(__file__).parent, isolated=False, styles=("stage", "written", "layers"))


class LabData(TypedDict):
    """The `data` of the component."""

    model: str
    dataset: str


def evaluation_lab(model: str, dataset: str, key: str) -> None:
    """Show the evaluation.

    Args:
        model: the network, as `playground.inference.evaluation.load_evaluation` takes it.
        dataset: name of the data set whose test images are used.
        key: identifies the component on its page.
    """
    data: LabData = {"model": model, "dataset": dataset}
    _component(key=key, data=data)
