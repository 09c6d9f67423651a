"""Write `documents.d.ts` of each component: the JSON that Python makes, declared for its scripts. `make declarations`

A document is a `TypedDict` beside the function that makes it, so that mypy checks the one and tsc the other. A text after a field says what it is.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal, Never, NotRequired, TypeVar, Union, get_args, get_origin, get_type_hints, is_typeddict

COMPONENTS = Path(__file__).parent
FILE = "documents.d.ts"
DOCUMENTS: dict[str, tuple[str, ...]] = {
    "shared": (
        "playground.inference.network_picture:NetworkPicture",
        "playground.inference.attribution:AttributionJson",
        "playground.inference.arithmetic:CalculationJson",
        "playground.server.routes.drawing:NetworkLayers",
        "playground.server.routes.drawing:Activations",
        "playground.server.routes.drawing:WrittenValue",
        "playground.tensors.language.figures:FigurePlots",
    ),
    "home_stage": (
        "playground.ui.components.home_stage:HomeData",
        "playground.inference.recording:Recording",
        "playground.server.routes.home:FollowedRun",
    ),
    "network_builder": (
        "playground.ui.components.network_builder:BuilderData",
        "playground.network.analysis:LayerKind",
        "playground.network.analysis:NetworkAnalysis",
        "playground.server.routes.networks:FittingNetwork",
        "playground.pasted.task_types:ReadNetwork",
        "playground.inference.batch_outputs:BatchOutputs",
        "playground.inference.batch_outputs:BatchValue",
    ),
    "autograd_lab": (
        "playground.ui.components.autograd_lab:LabData",
        "playground.autograd.sandbox_tasks:AutogradRun",
        "playground.tensors.xray.report:Tile",
        "playground.autograd.sandbox_tasks:LossCurve",
        "playground.autograd.gradient_check:GradientCheck",
    ),
    "descent_race": (
        "playground.ui.components.descent_race:RaceData",
        "playground.autograd.descent:Descent",
    ),
    "drawing_pad": (
        "playground.ui.components.drawing_pad:DrawingData",
        "playground.ui.components.drawing_pad:PictureData",
        "playground.server.routes.drawing:Predictions",
        "playground.server.routes.fine_tuning:OwnDrawings",
        "playground.server.routes.fine_tuning:StartedRun",
        "playground.server.routes.runs:LiveRun",
        "playground.inference.fine_tuning:Comparison",
    ),
    "evaluation_lab": (
        "playground.ui.components.evaluation_lab:LabData",
        "playground.inference.evaluation:Summary",
        "playground.server.routes.evaluation:PicturePage",
        "playground.server.routes.evaluation:Evidence",
        "playground.inference.projection:Points",
    ),
    "module_graph": ("playground.autograd.module_graph:ModuleGraph",),
    "notebook": (
        "playground.ui.components.notebook:NotebookData",
        "playground.tensors.notebook.process:Progress",
        "playground.tensors.notebook.process:Answer",
    ),
    "tensor_lab": (
        "playground.ui.components.tensor_lab:LabData",
        "playground.tensors.xray.report:Report",
        "playground.tensors.exercises.grading:GradedReport",
        "playground.server.routes.reference:ReferenceEntry",
    ),
    "training_monitor": (
        "playground.ui.components.training_monitor:MonitorData",
        "playground.server.routes.runs:LiveRun",
        "playground.server.routes.runs:Judgement",
        "playground.server.routes.runs:Moment",
        "playground.server.routes.runs:Inside",
        "playground.runs.views.inside:Gallery",
        "playground.runs.views.inside:Histograms",
        "playground.training.instruments.closeup:RecordedStep",
        "playground.server.routes.runs:StartedRun",
    ),
    "run_comparison": (
        "playground.ui.components.run_comparison:ComparisonData",
        "playground.server.routes.comparison:RunsAnswer",
        "playground.server.routes.comparison:CurvesAnswer",
    ),
}
"""For each component its data and the responses that its scripts request, as `module:TypedDict`; what these contain follows."""
SIMPLE = {int: "number", float: "number", str: "string", bool: "boolean", type(None): "null", Any: "unknown", object: "unknown", Never: "never"}
ARRAYS = (list, tuple)


class Declarations:
    """The declarations of some documents and of everything that they contain, in the order in which they are met."""

    def __init__(self) -> None:
        self._written: dict[str, tuple[type, str]] = {}

    def add(self, document: type) -> str:
        """Declare a document unless it is declared already, and return its name.

        Raises:
            ValueError: two documents of the same name.
        """
        name = document.__name__
        if name not in self._written:
            self._written[name] = (document, "")  # it may contain itself
            self._written[name] = (document, self._interface(document))
        elif self._written[name][0] is not document:
            raise ValueError(f"two documents are called {name}")
        return name

    def text(self) -> str:
        """Return the file."""
        return "\n".join(["// Written by `make declarations`; see playground/ui/components/declarations.py.\n", *(text for _, text in self._written.values())])

    def _interface(self, document: type) -> str:
        notes = _notes(document)
        about = "" if document.__doc__ == dict.__doc__ else document.__doc__ or ""
        name = document.__name__ + self._arguments(getattr(document, "__parameters__", ()))
        lines = [_comment(f"{about} `{document.__module__}`", ""), f"export interface {name} {{"]
        for name, hint in get_type_hints(document, include_extras=True).items():
            wrapped = get_origin(hint) is NotRequired
            optional = wrapped or name in vars(document)["__optional_keys__"]
            if name in notes:
                lines.append(_comment(notes[name], "  "))
            lines.append(f"  {name}{'?' * optional}: {self._type(get_args(hint)[0] if wrapped else hint)}")
        return "\n".join([*lines, "}", ""])

    def _arguments(self, parts: tuple[Any, ...]) -> str:
        return f"<{', '.join(self._type(part) for part in parts)}>" if parts else ""

    def _type(self, hint: Any) -> str:
        if is_typeddict(hint):
            return self.add(hint)
        if isinstance(hint, TypeVar):
            return hint.__name__
        if hint in SIMPLE:
            return SIMPLE[hint]
        origin, parts = get_origin(hint), get_args(hint)
        if is_typeddict(origin):
            return self.add(origin) + self._arguments(parts)
        if origin is Literal:
            return " | ".join(f'"{part}"' if isinstance(part, str) else str(part).lower() for part in parts)
        if origin in (Union, types.UnionType):
            return " | ".join(dict.fromkeys(self._type(part) for part in parts))
        if origin is dict:
            return f"Record<{self._type(parts[0])}, {self._type(parts[1])}>"
        if origin is tuple and parts[-1] is not ...:
            return f"[{', '.join(self._type(part) for part in parts)}]"
        if origin in ARRAYS:
            element = self._type(parts[0])
            return f"({element})[]" if "|" in element else f"{element}[]"
        raise ValueError(f"there is no TypeScript for {hint}")


def declared(component: str) -> str:
    """Return the declarations of a component's documents."""
    declarations = Declarations()
    for name in DOCUMENTS[component]:
        module, document = name.split(":")
        declarations.add(getattr(import_module(module), document))
    return declarations.text()


def _notes(document: type) -> dict[str, str]:
    """Return the text after each field."""
    try:
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(document))).body
    except OSError:
        return {}  # made by a call, as a field such as `from` needs
    assert isinstance(definition, ast.ClassDef)
    notes: dict[str, str] = {}
    for name in definition.bases:
        name = name.value if isinstance(name, ast.Subscript) else name
        base = attrgetter(ast.unparse(name))(import_module(document.__module__))  # before Python 3.12 a TypedDict does not know its bases
        if is_typeddict(base):
            notes |= _notes(base)
    for field, note in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(note, ast.Expr) and isinstance(note.value, ast.Constant):
            notes[field.target.id] = inspect.cleandoc(str(note.value.value))
    return notes


def _comment(text: str, indent: str) -> str:
    return f"{indent}/** {' '.join(text.split())} */"


def main() -> None:
    for component in DOCUMENTS:
        (COMPONENTS / component / FILE).write_text(declared(component), encoding="utf-8")


if __name__ == "__main__":
    main()
