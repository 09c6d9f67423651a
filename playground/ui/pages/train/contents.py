"""What a run is made of: the layers of its network, images of its data set, and its code."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from playground.data.builtin import MNIST_5K_FILE
from playground.data.catalogue import DatasetInfo
from playground.data.load import load
from playground.data.previews import class_rows
from playground.messages import nmsg, t
from playground.network.spec import NetworkSpec
from playground.network.trace import trace
from playground.runs.run import Run
from playground.training.source import training_source
from playground.ui.shared.datasets import is_usable


def show_layers(spec: NetworkSpec, *, settings_shown: bool = True) -> None:
    """Show every layer with its output shape and parameters, and where there is room its settings."""
    steps = trace(spec)
    layer, settings, shape, parameters = t("Layer"), t("Settings"), t("Output shape"), t("Parameters")
    st.dataframe(
        pd.DataFrame(
            {
                layer: [step.layer.type for step in steps],
                settings: [", ".join(f"{name} {value}" for name, value in step.layer.params.items()) for step in steps],
                shape: [str(step.out_shape) for step in steps],
                parameters: [step.parameters for step in steps],
            }
        ),
        hide_index=True,
        height="content",
        column_order=[layer, settings, shape, parameters] if settings_shown else [layer, shape, parameters],
        column_config={settings: st.column_config.TextColumn(width="medium"), parameters: st.column_config.NumberColumn(format="localized")},
    )
    total = sum(step.parameters for step in steps)
    st.caption(t(nmsg("{n:,} parameter", "{n:,} parameters", total)))


def show_data(info: DatasetInfo) -> None:
    """Show a few images of each class."""
    if not is_usable(info):
        st.caption(t("{dataset} has not been downloaded yet.", dataset=info.title))
        return
    sizes = {"train": info.train_size, "test": info.test_size}
    st.markdown(t("**{dataset}**: {train:,} training images, {test:,} test images.", dataset=info.title, **sizes))
    for name, row in class_rows(load(info.name)):
        label, pictures = st.columns([1, 8], vertical_alignment="center")
        label.markdown(f"**{t(name)}**")
        pictures.image(row, width="stretch", alt=t("Images of class {class_name}", class_name=t(name)))


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
