"""The state of the pages: every session key and every part of the address that holds a choice or a result, in one table.

A page reads and writes what stands here, by name, and links to another page with `open_page`. Buttons, figures and components are
no state: their keys are theirs alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, NoReturn, NotRequired, TypedDict, TypeVar, cast

import streamlit as st

from playground.environment import ROOT

Page = Literal["home", "tensors", "autograd", "network", "train", "evaluate", "compare", "draw"]
Place = Literal["session", "address", "both"]
"""The session; the address, as text; or the session, with the address kept alike: by Streamlit (``bind="query-params"``), or for a choice
with translated titles by `pages/autograd/address.py`."""
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class State(Generic[T]):
    """One thing that a page remembers."""

    page: str
    """The page that shows it; several pages are separated by spaces, empty for all."""
    key: str
    """Its session key, or its name in the address."""
    default: T
    """What it is before the learner chooses."""
    meaning: str
    place: Place = "session"

    def read(self) -> T:
        return cast(T, self._store().get(self.key, self.default))

    def write(self, value: T) -> None:
        self._store()[self.key] = value

    def forget(self) -> None:
        """Let it be its default again."""
        self._store().pop(self.key, None)

    @property
    def is_set(self) -> bool:
        return self.key in self._store()

    def _store(self) -> Any:
        return st.query_params if self.place == "address" else st.session_state


@dataclass(frozen=True, eq=False)
class Family(Generic[T]):
    """States of one kind: one for each data set, network, run or whatever the gaps ``{}`` in their key name."""

    page: str
    pattern: str
    default: T
    meaning: str
    place: Place = "session"

    def of(self, *names: object) -> State[T]:
        return State(self.page, self.pattern.format(*names), self.default, self.meaning, self.place)


class Command(TypedDict):
    """What the editor of a script shall do once."""

    id: int
    """0 before the first command."""
    kind: NotRequired[Literal["open", "append"]]
    """Whether the text replaces the script or follows it; both run it."""
    text: NotRequired[str]


DEVICE = State("", "device", "best", "The device that computes.")
OWN_NETWORK: State[Mapping[str, object] | None] = State("", "own-network", None, "The network built on the Network page, as `NetworkSpec.to_dict` writes it.")
SHOWN_PAGE = State("", "shown-page", "", "The page that is shown, as in its address; empty for Home.")
PLANNED_VISIT: State[tuple[Page, dict[str, str]] | None] = State("", "planned-visit", None, "The page to open at the next run of the script.")

SCRIPT_SOURCE = Family("tensors autograd network", "{}-source", "", "The script that was run last on a page.")
SCRIPT_LOADED = Family("tensors autograd network", "{}-loaded", "", "The packed script of the address that the page has taken over.")
SCRIPT_FAULT = Family("tensors autograd network", "{}-link-fault", "", "Why the script is in no link.")
SCRIPT = Family("tensors autograd network", "{}", "", "The packed script, `network` for a stack of layers.", "address")

TENSORS_MODE = State("tensors", "tensors-mode", "Explore", "Exploring, a notebook, or exercises.")
NOTEBOOK: State[list[dict[str, str]] | None] = State("tensors", "notebook-cells", None, "The cells of the notebook.")
NOTEBOOK_OPENED = State("tensors", "notebook-opened", 0, "How many notebooks were opened by a link.")
NOTEBOOK_LOADED = State("tensors", "notebook-loaded", "", "The packed notebook of the address that the page has taken over.")
NOTEBOOK_LINK = State("tensors", "notebook", "", "A packed notebook.", "address")
TENSORS_EXAMPLE: State[str | None] = State("tensors", "tensors-example", None, "The example opened last.")
TENSORS_EXERCISE = State("tensors", "tensors-exercise", "", "The exercise that is shown.")
TENSORS_CREATE: Family[Any] = Family("tensors", "create-{}", None, "A field of the form that creates a tensor.")
TENSORS_RACE: State[dict[str, Any] | None] = State("tensors", "tensors-race", None, "The measured race of two devices.")
TENSORS_SEARCH = State("tensors", "tensors-search", "", "What is searched for in the reference.")
TENSORS_REFERENCE = State("tensors", "tensors-reference", False, "Whether the reference is open.")
TENSOR_COMMAND: State[Command] = State("tensors", "tensor-lab-command", {"id": 0}, "What the editor shall do once.")
TENSOR_SCORE: State[list[int]] = State("tensors", "tensor-lab-score", [0, 0], "Predictions of shapes: right ones, all.")

VIEW = State("autograd", "view", "Graph", "The graph of a script, its pitfalls, the graph of a network, or optimizers on a surface.", "both")
AUTOGRAD_EXAMPLE: State[str | None] = State("autograd", "autograd-example", None, "The example opened last.")
GRABBED: State[dict[str, dict[str, float]]] = State("autograd", "autograd-grabbed", {}, "Numbers changed by hand: by tensor, cell and value.")
NUMBERS = State("autograd", "numbers", "{}", "The same as JSON.", "address")
AUTOGRAD_COMMAND: State[Command] = State("autograd", "autograd-lab-command", {"id": 0}, "What the editor shall do once.")
PITFALL = State("autograd", "pitfall", "zero_grad", "The pitfall that is shown.", "both")
PITFALL_VERSION = Family("autograd", "pitfall-version-{}", "wrong", "The version of the script that is shown of a pitfall.")
FLOW_NETWORK = State("autograd", "flow-network", "stack", "The network whose gradients are shown.", "both")
FLOW_DEPTH = State("autograd", "flow-depth", 12, "Linear layers of the stack.", "both")
FLOW_WIDTH = State("autograd", "flow-width", 64, "Features of each.", "both")
FLOW_NORM = State("autograd", "flow-norm", False, "Batch norm behind each.", "both")
FLOW_ACTIVATION = Family("autograd", "flow-activation-{}", "", "The activation; one for the stack (`True`), one for other networks.")
FLOW_INITIALISATION = State("autograd", "flow-initialisation", "default", "Weight initialisation.", "both")
FLOW_BATCH = State("autograd", "flow-batch", 32, "Images in the batch.", "both")
FLOW_SEED = State("autograd", "flow-seed", 0, "Seed of weights and batch.", "both")
RACE: State[dict[str, Any]] = State("autograd", "race", {}, "The settings of the race downhill, and their version.")
RACE_SURFACE = State("autograd", "descent-surface", "", "Its surface.", "address")
RACE_EXPRESSION = State("autograd", "descent-own", "", "The learner's own surface.", "address")
RACE_RATE = State("autograd", "descent-rate", "", "Its learning rate.", "address")
RACE_MOMENTUM = State("autograd", "descent-momentum", "", "Momentum of SGD with momentum and Nesterov.", "address")
RACE_START = State("autograd", "descent-start", "", "Where it starts: x and y, with a comma.", "address")
RACE_STEPS = State("autograd", "descent-steps", "", "How many steps it has.", "address")
RACE_VIEW = State("autograd", "descent-view", "", "Whether it is seen from above or in three dimensions.", "address")
RACE_NAMES = State("autograd", "descent-optimizers", "", "The optimizers that race, with commas.", "address")

NETWORK_DATASET = State("network", "network-dataset", "mnist-5k", "The data set that the network is built for; empty for none.")

DATASET = State("train", "dataset", "mnist-5k", "The data set to train on.")
NETWORK = Family("train", "network-{}", "", "The network to train on a data set.")
SETTING: Family[Any] = Family("train", "{}-{}-{}", None, "A setting, for a data set and a network; a pair of numbers has two, `-1` and `-2`.")
WITH_OWN_DIGITS = State("train", "own-digits", False, "Whether to train on the learner's own drawings, too.")
RUN = State("train", "run", "", "The run that is shown.", "address")
WATCHED_RUN = State("train", "watched-run", "", "The run shown last.")
OPENED_RUN: State[tuple[str, str, float]] = State(
    "train", "opened-run", ("", "", 0.0), "The run opened last, that of the address before, and when (`time.monotonic`)."
)
TRAINING_SCRIPT = State("train", "training-script", "", "A training script that was pasted.")
READ_SCRIPT: State[dict[str, Any] | None] = State("train", "read-script", None, "What was read of it, as `playground.pasted.task_types.ReadTraining`.")
SETTING_UP = State("train", "setting-up", False, "Whether the settings of a new run are open.")
TRAIN_TABS = State("train", "train-tabs", "Network", "The open tab beneath the curves.")
EXPORT_STEP = Family("train", "keep-step-{}", 0, "The checkpoint of a run to export.")

MODEL = State("evaluate", "model", "", "The network to evaluate: a run or a trained network, perhaps with `@` and a step.", "address")
EVALUATE_NETWORK = Family("evaluate", "evaluate-network-{}", "", "The network selected, for each network that the address named.")
EVALUATE_STEP = Family("evaluate", "evaluate-step-{}", 0, "The checkpoint of a run; 0 for the latest.")
EVALUATE_ONLY_STEP = State("evaluate", "evaluate-only-step", 0, "The same where there is no choice.")
EVALUATE_DATASET = Family("evaluate", "evaluate-data-{}", "", "The data set whose test images a network is evaluated on.")

RUNS = State("compare", "runs", "", "The runs to compare, separated by commas.", "address")
RACE_STARTED: State[tuple[str, ...]] = State("compare", "race-started", (), "The runs of the race started last.")
RACE_DATASET = State("compare", "race-dataset", "", "The data set of a new race.")
RACE_NETWORK = Family("compare", "race-network-{}", "", "Its network, for a data set.")
RACE_EPOCHS = Family("compare", "race-epochs-{}", 0.0, "Its epochs, for a data set.")
RACE_SEED = State("compare", "race-seed", 0, "Its seed.")
RACE_KIND = State("compare", "race-kind", "optimizer", "The setting that differs.")
RACE_OPTIMIZERS: State[tuple[str, ...]] = State("compare", "race-optimizers", (), "The optimizers that race.")
RACE_SUITED = State("compare", "race-suited", False, "Whether each has its own learning rate.")
RACE_OPTIMIZER = Family("compare", "race-optimizer-{}", "", "The optimizer of a race of learning rates or batch sizes, for a data set.")
RACE_RATES = State("compare", "race-rates", "", "The learning rates that race.")
RACE_BATCHES = State("compare", "race-batches", "", "The batch sizes that race.")

DRAW_MODEL = State("draw", "draw-model", "", "The network that classifies.")
DRAW_SECOND_MODEL = State("draw", "draw-second-model", "", "The network to compare with; empty for none.")
DRAWING: State[Mapping[str, Any] | None] = State("draw", "drawing", None, "The strokes on the canvas.")

TABLE: Mapping[str, State[Any] | Family[Any]] = {name: each for name, each in globals().items() if isinstance(each, (State, Family))}
Choices = Mapping[State[Any], Any]


def open_page(page: Page, choices: Choices | None = None) -> NoReturn:
    """Open another page with some of its state chosen."""
    _switch(page, _written(choices or {}))


def plan_visit(page: Page, choices: Choices | None = None) -> None:
    """As `open_page`, from a callback, which cannot leave its page: `follow_plan` does so when the script runs."""
    PLANNED_VISIT.write((page, _written(choices or {})))


def follow_plan() -> None:
    """Open the page that a callback has planned to open."""
    planned = PLANNED_VISIT.read()
    if planned:
        PLANNED_VISIT.forget()
        _switch(*planned)


def _written(choices: Choices) -> dict[str, str]:
    """Write what the session holds; return what the address shall hold."""
    for state, value in choices.items():
        if state.place != "address":
            state.write(value)
    return {state.key: str(value) for state, value in choices.items() if state.place == "address"}


def _switch(page: Page, address: dict[str, str]) -> NoReturn:
    st.switch_page(ROOT / "pages" / f"{page}.py", query_params=address)
