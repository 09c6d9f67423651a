"""What a run is made of: the layers of its network, images of its data set, and its code."""

from __future__ import annotations

import base64
import html
import io

import pandas as pd
import streamlit as st
from PIL import Image

from playground.data.builtin import MNIST_5K_FILE
from playground.data.catalogue import DatasetInfo
from playground.data.load import load
from playground.data.previews import Picture, class_rows
from playground.messages import nmsg, t
from playground.network.spec import NetworkSpec
from playground.network.trace import trace
from playground.runs.run import Run
from playground.runs.views.inside import layer_titles
from playground.training.source import training_source
from playground.ui.shared.datasets import is_usable


def show_outline(spec: NetworkSpec) -> None:
    """Show the kinds of all layers in a line, and the number of parameters."""
    st.caption(" → ".join(layer_titles(spec)))
    _show_parameters(spec)


def show_layers(spec: NetworkSpec) -> None:
    """Show every layer with its output shape and parameters."""
    steps = trace(spec)
    settings, parameters = t("Settings"), t("Parameters")
    st.dataframe(
        pd.DataFrame(
            {
                t("Layer"): [step.layer.type for step in steps],
                settings: [", ".join(f"{name} {value}" for name, value in step.layer.params.items()) for step in steps],
                t("Output shape"): [str(step.out_shape) for step in steps],
                parameters: [step.parameters for step in steps],
            }
        ),
        hide_index=True,
        height="content",
        column_config={settings: st.column_config.TextColumn(width="medium"), parameters: st.column_config.NumberColumn(format="localized")},
    )
    _show_parameters(spec)


def _show_parameters(spec: NetworkSpec) -> None:
    total = sum(step.parameters for step in trace(spec))
    st.caption(t(nmsg("{n:,} parameter", "{n:,} parameters", total)))


def show_data(info: DatasetInfo) -> None:
    """Show a few images of each class."""
    if not is_usable(info):
        st.caption(t("{dataset} has not been downloaded yet.", dataset=info.title))
        return
    sizes = {"train": info.train_size, "test": info.test_size}
    st.markdown(t("**{dataset}**: {train:,} training images, {test:,} test images.", dataset=info.title, **sizes))
    rows = "".join(_row(t(name), picture) for name, picture in class_rows(load(info.name)))
    grid = "display: grid; grid-template-columns: max-content minmax(0, 60rem); gap: .75rem 1rem; align-items: center"  # no text: CSS
    st.html(f'<div style="{grid}">{rows}</div>')  # no text: its parts are


def _row(name: str, picture: Picture) -> str:
    """Return the name of a class with its images as HTML, which takes its room before the images are there."""
    content = io.BytesIO()
    Image.fromarray(picture).save(content, "PNG")
    source = f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"
    text, (height, width) = html.escape(t("Images of class {class_name}", class_name=name), quote=True), picture.shape[:2]
    image = f'<img src="{source}" alt="{text}" width="{width}" height="{height}" style="width: 100%; height: auto; border-radius: .5rem">'  # no text: CSS
    return f"<b>{html.escape(name)}</b>{image}"


def show_code(run: Run) -> None:
    st.caption(t("The same training as a PyTorch script. It runs without the playground."))
    if run.own_path.exists() and run.start_path.exists():
        st.caption(t("This run started from trained weights and also trained on your drawings; the script includes neither."))
    elif run.own_path.exists():
        st.caption(t("This run also trained on your drawings; the script does not include them."))
    elif run.start_path.exists():
        st.caption(t("This run started from trained weights; the script does not include them."))
    st.code(training_source(run.network, run.config), language="python")
    if run.config.dataset == "mnist-5k":
        st.caption(t("The script reads the 5,000 digits from the file mnist-5k.npz. Save it in the folder in which you run the script."))
        label, file = t("Download {file}", file="mnist-5k.npz"), "mnist-5k.npz"
        st.download_button(label, MNIST_5K_FILE.read_bytes, file, icon=":material/download:", on_click="ignore", key="download-mnist-5k")
