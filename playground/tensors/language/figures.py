"""What a script plots: a part of matplotlib's pyplot, kept as data for the page, which draws it.

Source: https://matplotlib.org/stable/api/pyplot_summary.html
"""

from __future__ import annotations

import base64
import io
import math
import re
from collections.abc import Callable, Iterator
from typing import Any, Literal, TypedDict

import numpy as np
from PIL import Image

from playground.messages import msg
from playground.tensors.language.datasets import Picture, as_array
from playground.tensors.language.errors import BoundsExceeded, OperationFailed, Refused
from playground.tensors.language.functions import WithMethods

PYPLOT = "matplotlib.pyplot"
MOST_FIGURES, MOST_AXES, MOST_MARKS = 10, 36, 20
"""Figures of a script, axes of a figure, and marks of axes, at most."""
MOST_POINTS, LARGEST_SIDE = 2_000, 128
"""Points of a line, and cells along a side of an image, at most: of more, evenly spaced ones are kept."""
_IGNORED = """
    legend grid tight_layout axis xticks yticks xlim ylim colorbar ion ioff close pause draw savefig suptitle text annotate fill_between subplots_adjust
    set_xticks set_yticks set_xlim set_ylim set_axis_off set_aspect set_size_inches set_figsize tick_params margins
"""
"""Functions that only change how a figure looks."""
_FORMAT = re.compile(r"[a-zA-Z0-9]?[.,ov^<>s*+xDd]?(--|-\.|-|:)?[a-z]?")
_POINTS = re.compile(r"[.,ov^<>s*+xDd]")


MarkKind = Literal["line", "points", "bars", "cells", "picture"]


class Mark(TypedDict):
    """A line, points, bars, the cells of a matrix, or a picture."""

    kind: MarkKind
    x: list[float | str | None]
    """Empty for a horizontal line through the whole plot."""
    y: list[float | None]
    """Empty for a vertical line through the whole plot, for cells and for a picture."""
    rows: list[list[float | None]]
    """Of cells."""
    label: str
    dashed: bool
    grey: bool
    """Whether cells go from black to white."""
    source: str
    """Of a picture, a data URL."""


_NOTHING: Mark = {"kind": "line", "x": [], "y": [], "rows": [], "label": "", "dashed": False, "grey": False, "source": ""}


class Plot(TypedDict):
    """One coordinate system."""

    title: str
    across: str
    upward: str
    """The names of the axes."""
    logarithmic: list[str]
    """Which of the axes are, `x` and `y`."""
    marks: list[Mark]


class FigurePlots(TypedDict):
    """Plots side by side."""

    columns: int
    plots: list[Plot]


class Drawn(WithMethods):
    """A figure, its axes, or a grid of axes."""

    def method(self, name: str) -> Callable[..., Any]:
        if name in _IGNORED.split():
            return lambda *_args, **_kwargs: None
        found: Callable[..., Any] | None = self.methods().get(name)
        if found is None:
            raise Refused(msg("`{name}` is not available for plots in scripts.", name=name))
        return found

    def methods(self) -> dict[str, Callable[..., Any]]:
        return {}


class Axes(Drawn):
    """One coordinate system."""

    def __init__(self) -> None:
        self.marks: list[Mark] = []
        self.title = self.across = self.upward = ""
        self.logarithmic: list[str] = []

    def report(self) -> Plot:
        return {"title": self.title, "across": self.across, "upward": self.upward, "logarithmic": self.logarithmic, "marks": self.marks}

    def methods(self) -> dict[str, Callable[..., Any]]:
        named = {name: getattr(self, name) for name in ("plot", "scatter", "bar", "hist", "imshow", "axhline", "axvline")}
        return named | {
            "set_title": lambda text, **_: self.name("title", text), "set_xlabel": lambda text, **_: self.name("across", text),
            "set_ylabel": lambda text, **_: self.name("upward", text), "matshow": self.imshow, "stem": self.bar, "step": self.plot,
            "set_xscale": lambda scale, **_: self.scale("x" if scale == "log" else ""),
            "set_yscale": lambda scale, **_: self.scale("y" if scale == "log" else ""),
            "cla": self.clear, "clear": self.clear, "add_point": self.add_point,
            "semilogx": self._scaled("x"), "semilogy": self._scaled("y"), "loglog": self._scaled("xy"),
        }  # fmt: skip

    def name(self, what: str, text: Any) -> None:
        setattr(self, what, str(text)[:200])

    def add_point(self, label: Any, x: Any, y: Any) -> None:
        """Lengthen the line with this label, or begin it; of one that becomes too long, every other point stays. (Not of pyplot: for `tensorboard.script`.)"""
        mark = next((mark for mark in self.marks if mark["label"] == str(label)[:100] and mark["kind"] == "line"), None)
        if mark is None:
            mark = {**_NOTHING, "x": [], "y": [], "label": str(label)[:100]}
            self.add(mark)
        mark["x"] += _plain(_array(x))
        mark["y"] += _plain(_array(y))
        if len(mark["x"]) >= MOST_POINTS:
            mark["x"], mark["y"] = mark["x"][::2], mark["y"][::2]

    def clear(self) -> None:
        self.marks.clear()

    def scale(self, axes: str) -> None:
        """Make axes logarithmic."""
        self.logarithmic += [axis for axis in axes if axis not in self.logarithmic]

    def _scaled(self, axes: str) -> Callable[..., Any]:
        def plot(*args: Any, **style: Any) -> None:
            self.scale(axes)
            self.plot(*args, **style)

        return plot

    def add(self, mark: Mark) -> None:
        if len(self.marks) >= MOST_MARKS:
            raise BoundsExceeded(msg("A plot in a script has at most {limit} lines.", limit=MOST_MARKS))
        self.marks.append(mark)

    def plot(self, *args: Any, label: Any = "", **_style: Any) -> None:
        """Add lines: of values, of pairs, each perhaps with a format such as `'r--'`."""
        rest = list(args)
        while rest:
            x = y = rest.pop(0)
            if rest and not isinstance(rest[0], str):
                y = rest.pop(0)
            heights = _array(y)
            places = _array(x) if x is not y else np.arange(len(heights))
            style = rest.pop(0) if rest and isinstance(rest[0], str) else _style.get("linestyle", _style.get("ls", "")) or ""
            if not _FORMAT.fullmatch(str(style)):
                raise OperationFailed(f"ValueError: {str(style)[:40]!r} is not a valid format string")  # no text: as matplotlib's
            kind: MarkKind = "points" if _POINTS.search(style[:2]) and "-" not in style else "line"
            for column in heights.T if heights.ndim == 2 else [heights]:
                self._pairs(kind, places, column, label, dashed="--" in style or ":" in style)

    def _pairs(self, kind: MarkKind, x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], label: Any, *, dashed: bool = False) -> None:
        x, y = x.reshape(-1), y.reshape(-1)
        if len(x) != len(y):
            shapes = f"{x.shape} and {y.shape}"
            raise OperationFailed(f"ValueError: x and y must have same first dimension, but have shapes {shapes}")  # no text: matplotlib's message
        places = slice(None, None, max(1, math.ceil(len(x) / MOST_POINTS)))
        self.add({**_NOTHING, "kind": kind, "x": _plain(x[places]), "y": _plain(y[places]), "label": str(label)[:100], "dashed": dashed})

    def scatter(self, x: Any, y: Any, *_style: Any, label: Any = "", **_more: Any) -> None:
        self._pairs("points", _array(x), _array(y), label)

    def bar(self, x: Any, height: Any = None, *_style: Any, label: Any = "", **_more: Any) -> None:
        heights = _array(x if height is None else height)
        places = np.arange(len(heights)) if height is None else np.asarray(x) if isinstance(x, (list, tuple, range)) else _array(x)
        self._pairs("bars", places, np.broadcast_to(heights, places.shape), label)

    def hist(self, x: Any, bins: Any = 10, *_style: Any, label: Any = "", **_more: Any) -> None:
        values = _array(x).reshape(-1)
        if isinstance(bins, int) and not 0 < bins <= MOST_POINTS:
            raise BoundsExceeded(msg("A histogram in a script has at most {limit} bars.", limit=MOST_POINTS))
        counts, edges = np.histogram(values, bins if isinstance(bins, int) else _array(bins))
        self._pairs("bars", (edges[:-1] + edges[1:]) / 2, counts, label)

    def axhline(self, y: Any = 0, *_style: Any, label: Any = "", **_more: Any) -> None:
        self.add({**_NOTHING, "y": [float(y)], "label": str(label)[:100]})

    def axvline(self, x: Any = 0, *_style: Any, label: Any = "", **_more: Any) -> None:
        self.add({**_NOTHING, "x": [float(x)], "label": str(label)[:100]})

    def imshow(self, image: Any, cmap: Any = "", **_more: Any) -> None:
        pixels = as_array(image) if isinstance(image, Picture) else _array(image)
        if pixels.ndim == 3 and pixels.shape[2] == 1:
            pixels = pixels[:, :, 0]
        if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (3, 4)) or not pixels.size:
            raise OperationFailed(f"TypeError: Invalid shape {pixels.shape} for image data")  # no text: matplotlib's message
        if pixels.ndim == 2:
            every = max(1, math.ceil(max(pixels.shape) / LARGEST_SIDE))
            rows = [_plain(row) for row in pixels[::every, ::every]]
            self.add({**_NOTHING, "kind": "cells", "rows": rows, "grey": str(cmap).lower().startswith(("gray", "grey")) or isinstance(image, Picture)})
            return
        every = max(1, math.ceil(max(pixels.shape[:2]) / (4 * LARGEST_SIDE)))
        scaled = pixels[::every, ::every, :3] * (255 if pixels.dtype.kind == "f" else 1)
        data = io.BytesIO()
        Image.fromarray(np.clip(np.nan_to_num(scaled), 0, 255).astype(np.uint8)).save(data, "PNG")
        self.add({**_NOTHING, "kind": "picture", "source": "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()})


class Figure(Drawn):
    """Axes side by side."""

    def __init__(self) -> None:
        self.axes: list[Axes] = []
        self.columns = 1

    def methods(self) -> dict[str, Callable[..., Any]]:
        return {"add_subplot": self.add_axes, "add_axes": self.add_axes, "gca": self.current}

    def add_axes(self, *place: Any, **_style: Any) -> Axes:
        if len(place) >= 2 and isinstance(place[1], int):
            self.columns = max(1, min(place[1], MOST_AXES))
        elif place and isinstance(place[0], int) and place[0] > 99:  # `subplot(231)`
            self.columns = max(1, place[0] // 10 % 10)
        if len(self.axes) >= MOST_AXES:
            raise BoundsExceeded(msg("A figure in a script has at most {limit} plots.", limit=MOST_AXES))
        self.axes.append(Axes())
        return self.axes[-1]

    def current(self) -> Axes:
        return self.axes[-1] if self.axes else self.add_axes()


class Grid(Drawn):
    """The axes that `plt.subplots` returns, in rows and columns.

    Args:
        rows: lists of as many axes each.
    """

    def __init__(self, rows: list[list[Axes]]) -> None:
        self.rows = rows
        self.is_flat = len(rows) == 1 or len(rows[0]) == 1

    @property
    def all(self) -> list[Axes]:
        return [axes for row in self.rows for axes in row]

    def methods(self) -> dict[str, Callable[..., Any]]:
        return {name: lambda *_args: self.all for name in ("flatten", "ravel", "reshape", "tolist")}

    def __iter__(self) -> Iterator[Any]:
        return iter(self.all if self.is_flat else [Grid([row]) for row in self.rows])

    def __len__(self) -> int:
        return len(self.all if self.is_flat else self.rows)

    def item(self, index: Any) -> Any:
        """Return the axes at a place, or a row of them."""
        if isinstance(index, tuple) and len(index) == 2:
            return self.rows[index[0]][index[1]]
        found = self.all[index] if self.is_flat else self.rows[index]
        return Grid([found]) if isinstance(found, list) else found


class Figures:
    """The figures of a script, in their order."""

    def __init__(self) -> None:
        self.all: list[Figure] = []
        self._is_shown = True  # then the next plot begins a figure

    def clear(self) -> None:
        """Begin without figures: another script follows."""
        self.all.clear()
        self._is_shown = True

    def functions(self) -> dict[str, Callable[..., Any]]:
        """Return the functions of `pyplot` by their full names."""
        own: dict[str, Callable[..., Any]] = {
            "figure": self.begin,
            "show": self.show,
            "subplot": self.subplot,
            "subplots": self.subplots,
            "gca": lambda: self.axes(),
            "gcf": self.current,
        }
        of_axes = [
            *(name for name in Axes().methods() if not name.startswith(("set_", "add_"))),
            "title",
            "xlabel",
            "ylabel",
            "xscale",
            "yscale",
            *_IGNORED.split(),
        ]
        return {f"{PYPLOT}.{name}": self._of_axes(name) for name in of_axes} | {f"{PYPLOT}.{name}": function for name, function in own.items()}

    def report(self) -> list[FigurePlots]:
        return [{"columns": figure.columns, "plots": [axes.report() for axes in figure.axes]} for figure in self.all if figure.axes]

    def _of_axes(self, name: str) -> Callable[..., Any]:
        method = f"set_{name}" if name in ("title", "xlabel", "ylabel", "xscale", "yscale") else name
        return lambda *args, **kwargs: None if name in _IGNORED.split() else self.axes().method(method)(*args, **kwargs)

    def begin(self, *_args: Any, **_style: Any) -> Figure:
        if len(self.all) >= MOST_FIGURES:
            raise BoundsExceeded(msg("A script has at most {limit} figures.", limit=MOST_FIGURES), msg("Plot after the loop, not in each turn."))
        self.all.append(Figure())
        self._is_shown = False
        return self.all[-1]

    def current(self) -> Figure:
        return self.begin() if self._is_shown else self.all[-1]

    def axes(self) -> Axes:
        return self.current().current()

    def show(self, *_args: Any, **_style: Any) -> None:
        self._is_shown = True

    def subplot(self, *place: Any, **_style: Any) -> Axes:
        return self.current().add_axes(*place)

    def subplots(self, nrows: Any = 1, ncols: Any = 1, **_style: Any) -> tuple[Figure, Any]:
        if not 0 < nrows * ncols <= MOST_AXES:
            raise BoundsExceeded(msg("A figure in a script has at most {limit} plots.", limit=MOST_AXES))
        figure = self.begin()
        rows = [[figure.add_axes() for _ in range(ncols)] for _ in range(nrows)]
        figure.columns = ncols
        return figure, rows[0][0] if nrows * ncols == 1 else Grid(rows)


def _array(value: Any) -> np.ndarray[Any, Any]:
    """Convert numbers as matplotlib does; a tensor that requires gradients is refused as there."""
    array = np.asarray(value.detach().cpu() if getattr(value, "is_cuda", False) else value)
    if array.dtype.kind not in "biuf":
        raise OperationFailed("TypeError: only numbers can be plotted")  # no text: the message is one
    return np.atleast_1d(array)


def _plain(values: np.ndarray[Any, Any]) -> list[Any]:
    """Return plain numbers that JSON has; None for those that are not finite."""
    if values.dtype.kind in "US":
        return [str(value)[:40] for value in values]
    return [float(f"{value:.6g}") if math.isfinite(value) else None for value in values.tolist()]
