"""The parts of the Evaluate page."""

from __future__ import annotations

import streamlit as st

from playground.data.catalogue import DATASETS, DatasetInfo, dataset_info
from playground.data.load import is_ready
from playground.errors import PlaygroundError
from playground.inference.models import load_model, pretrained_names
from playground.messages import t
from playground.runs.run import Run
from playground.ui import state
from playground.ui.components.evaluation_lab import evaluation_lab
from playground.ui.shared.errors import show as show_error
from playground.ui.shared.glossary import glossary
from playground.ui.shared.runs import run_title, runs_of_visitor

LATEST = 0
"""The choice of the latest checkpoint of a run."""


def heading_and_choice() -> tuple[str, str] | None:
    """Show the title, and let the learner choose a network, a checkpoint and a data set; return the arguments of `load_evaluation`."""
    runs = {each.run.id: each.run for each in runs_of_visitor() if each.run.checkpoints.steps()}
    names = [*runs, *pretrained_names()]
    with st.container(key="evaluate-choice"):
        heading, network, rest = st.columns([4, 5, 5], vertical_alignment="bottom")
    heading.title(t("Evaluate a network"), anchor=False)
    with network:
        name = _choose_network(names, runs)
    with rest.container(horizontal=True, vertical_alignment="bottom"):
        step = _choose_step(runs.get(name))
        data = st.container()
    try:
        trained_on = dataset_info(runs[name].config.dataset) if name in runs else load_model(name).info
    except PlaygroundError as error:
        show_error(error)
        return None
    with data:
        dataset = _choose_data(name, trained_on)
    if dataset is None:
        _offer_download(trained_on)
        return None
    return (f"{name}@{step}" if step else name), dataset


def show(model: str, dataset: str) -> None:
    evaluation_lab(model, dataset, key="evaluation")
    with st.expander(t("The PyTorch code"), icon=":material/code:"):
        st.code(_CODE, language="python")


_CODE = """\
network.eval()
labels, predictions = [], []
with torch.no_grad():
    for images, targets in test_loader:
        logits = network(images)
        predictions.append(logits.argmax(dim=1))
        labels.append(targets)
labels, predictions = torch.cat(labels), torch.cat(predictions)

accuracy = (predictions == labels).float().mean()

classes = logits.shape[1]
confusion = torch.bincount(labels * classes + predictions, minlength=classes**2).view(classes, classes)  # a row for each label
recall = confusion.diag() / confusion.sum(dim=1)
precision = confusion.diag() / confusion.sum(dim=0)
f1 = 2 * confusion.diag() / (confusion.sum(dim=0) + confusion.sum(dim=1))
"""  # no text: a script


def _choose_network(names: list[str], runs: dict[str, Run]) -> str:
    """Let the learner choose a network, at first that in the address, else the newest run."""
    wanted = state.MODEL.read().split("@")[0]
    network = state.EVALUATE_NETWORK.of(wanted)
    index = names.index(wanted) if wanted in names else 0

    def follow() -> None:
        state.MODEL.write(network.read())

    return str(st.selectbox(t("Network"), names, index, lambda name: _title(name, runs), key=network.key, on_change=follow))


def _title(name: str, runs: dict[str, Run]) -> str:
    return run_title(runs[name]) if name in runs else t("{network} · comes with the playground", network=name)


def _choose_step(run: Run | None) -> int:
    """Let the learner choose a checkpoint, at first the latest."""
    steps = run.checkpoints.steps()[::-1] if run else []
    if len(steps) < 2 or run is None:
        st.selectbox(t("Checkpoint"), [LATEST], format_func=lambda _: t("latest"), disabled=True, key=state.EVALUATE_ONLY_STEP.key, help=glossary("checkpoint"))
        return LATEST
    titles = {LATEST: t("latest"), **{step: t("step {step:,}", step=step) for step in steps}}
    return int(st.selectbox(t("Checkpoint"), list(titles), format_func=titles.__getitem__, key=state.EVALUATE_STEP.of(run.id).key, help=glossary("checkpoint")))


def _choose_data(name: str, trained_on: DatasetInfo) -> str | None:
    """Let the learner choose a data set with the right shape and classes, at first the one the network was trained on; None if none is there."""
    fitting = [info for info in DATASETS if _alike(info, trained_on) and is_ready(info.name)]
    titles = {info.name: t(info.title) for info in sorted(fitting, key=lambda info: info != trained_on)}
    return st.selectbox(
        t("Test set"),
        list(titles),
        format_func=titles.__getitem__,
        key=state.EVALUATE_DATASET.of(name).key,
        help=glossary("test set"),
        placeholder="–",
        disabled=not titles,
    )


def _offer_download(info: DatasetInfo) -> None:
    """Say that there are no images to evaluate the network on, and where to get them."""
    st.warning(t("{dataset} has not been downloaded, so there are no test images. Download it on the Train page.", dataset=t(info.title)))
    if st.button(t("Open Train"), icon=":material/download:", key="evaluate-download"):
        state.open_page("train")


def _alike(info: DatasetInfo, other: DatasetInfo) -> bool:
    return info.input_shape == other.input_shape and info.classes == other.classes
