"""Functions of Python's and PyTorch's modules that work on values of a script: they call its functions, or keep something for it.

Sources: https://docs.python.org/3/library/itertools.html, https://docs.python.org/3/library/functools.html, https://docs.python.org/3/library/copy.html,
https://docs.python.org/3/library/collections.html, https://docs.pytorch.org/docs/stable/data.html
"""

from __future__ import annotations

import ast
import collections
import copy
import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import nn
from torch.utils.data import random_split

from playground.messages import msg
from playground.tensors.language import allowed, datasets, objects
from playground.tensors.language.bounds import Meter
from playground.tensors.language.calls import Entry, functions
from playground.tensors.language.data_classes import DataClasses
from playground.tensors.language.errors import OperationFailed, Refused
from playground.tensors.language.figures import Figures
from playground.tensors.language.functions import Iteration, Own
from playground.tensors.language.modules import PythonFunction
from playground.tensors.language.of_pytorch import OfPyTorch
from playground.tensors.language.operations import Operations
from playground.tensors.language.shelf import Shelf

NOWHERE = ast.Pass()


class Library:
    """The functions of one script, by their full names.

    Args:
        operations: performs what the functions do with tensors.
        meter: stops the script at its limits.
        of_pytorch: adapts data sets of the script.
        call: calls a function that is an argument.
        figures: keeps what the script plots.
    """

    def __init__(self, operations: Operations, meter: Meter, of_pytorch: OfPyTorch, call: Callable[..., Any], figures: Figures) -> None:
        self._operations, self._meter, self._of_pytorch, self._call = operations, meter, of_pytorch, call
        shelf, of_data = Shelf(meter), DataClasses(operations, call)
        self.functions: Mapping[str, Callable[..., Any]] = {
            "torch.save": shelf.save,
            "torch.load": shelf.load,
            "torch.utils.data.random_split": self._random_split,
            "torch.nn.utils.clip_grad_norm_": self._clip("clip_grad_norm_"),
            "torch.nn.utils.clip_grad_value_": self._clip("clip_grad_value_"),
            "torchvision.utils.make_grid": self._make_grid,
            "torch.typename": lambda value: value.type() if isinstance(value, torch.Tensor) else torch.typename(value),
            "torch.random.manual_seed": self._seed,
            "torch.cuda.manual_seed": lambda _seed: None,
            "torch.cuda.manual_seed_all": lambda _seed: None,
            "torch.set_default_device": self._set_default_device,
            "copy.copy": self._copy,
            "copy.deepcopy": shelf.copied,
            "dataclasses.dataclass": of_data.dataclass,
            "dataclasses.field": of_data.field,
            "functools.partial": self._partial,
            "math.prod": self._product,
            "functools.reduce": self._reduce,
            "collections.OrderedDict": self._dictionary(collections.OrderedDict),
            "collections.Counter": self._dictionary(collections.Counter),
            "collections.defaultdict": self._defaultdict,
            "tqdm.tqdm": lambda iterable, *_args, **_kwargs: iterable,
            "tqdm.trange": lambda *bounds, **_kwargs: range(*bounds),
            "warnings.filterwarnings": lambda *_args, **_kwargs: None,
            "warnings.simplefilter": lambda *_args, **_kwargs: None,
            **{f"itertools.{name}": self._iterator(name) for name in ("chain", "count", "cycle", "islice", "repeat", "zip_longest")},
            **{f"itertools.{name}": self._combined(name) for name in ("product", "permutations", "combinations")},
            "itertools.accumulate": self._accumulate,
            **figures.functions(),
        }

    def _iterate(self, value: Any) -> Iterator[Any]:
        return self._operations.iterate(value, NOWHERE)

    def _collect(self, value: Any) -> list[Any]:
        return self._operations.collect(value, NOWHERE)

    def _counted(self, kind: str, steps: Iterator[Any]) -> Iteration:
        def counted() -> Iterator[Any]:
            for value in steps:
                self._meter.count_statement()
                yield value

        return Iteration(kind, counted())

    def _iterator(self, name: str) -> Callable[..., Iteration]:
        """Return a function of `itertools` that computes only what is asked for."""
        function: Callable[..., Iterator[Any]] = getattr(itertools, name)
        takes_values = name in ("count", "repeat")  # numbers, and a value itself

        def begin(*args: Any, **kwargs: Any) -> Iteration:
            if takes_values:
                return self._counted(name, function(*args, **kwargs))
            first = [self._iterate(each) for each in (args[:1] if name == "islice" else args)]
            return self._counted(name, function(*first, *(args[1:] if name == "islice" else ()), **kwargs))

        return begin

    def _combined(self, name: str) -> Callable[..., Iteration]:
        function: Callable[..., Iterator[Any]] = getattr(itertools, name)

        def begin(*args: Any, **kwargs: Any) -> Iteration:
            return self._counted(name, function(*(self._collect(each) if not isinstance(each, int) else each for each in args), **kwargs))

        return begin

    def _accumulate(self, iterable: Any, function: Any = None, *, initial: Any = None) -> Iteration:
        def steps() -> Iterator[Any]:
            values = self._iterate(iterable)
            total = next(values, None) if initial is None else initial
            yield total
            for value in values:
                total = self._operations.binary("+", total, value, NOWHERE) if function is None else self._call(function, (total, value), {}, NOWHERE)
                yield total

        return self._counted("accumulate", steps())

    def _partial(self, function: Any, *args: Any, **kwargs: Any) -> PythonFunction:
        return PythonFunction("functools.partial", lambda *more, **others: self._call(function, (*args, *more), {**kwargs, **others}, NOWHERE))

    def _reduce(self, function: Any, iterable: Any, *initial: Any) -> Any:
        values = self._iterate(iterable)
        try:
            total = initial[0] if initial else next(values)
        except StopIteration:
            raise OperationFailed("TypeError: reduce() of empty iterable with no initial value") from None  # no text: Python's message
        for value in values:
            total = self._call(function, (total, value), {}, NOWHERE)
        return total

    def _product(self, iterable: Any, *, start: Any = 1) -> Any:
        total = start
        for value in self._iterate(iterable):
            total = self._operations.binary("*", total, value, NOWHERE)
        return total

    def _seed(self, seed: Any) -> Any:
        return self._operations.perform(functions()["torch.manual_seed"], NOWHERE, (seed,))

    def _set_default_device(self, device: Any) -> None:
        if torch.device(device).type != "cpu":
            raise Refused(msg("Scripts make tensors on the CPU, unless `device=` says otherwise."))

    def _copy(self, value: Any) -> Any:
        return copy.copy(value) if isinstance(value, (list, dict, set, torch.Tensor)) else value

    def _dictionary(self, kind: type) -> Callable[..., Any]:
        def begin(values: Any = (), **entries: Any) -> Any:
            made = kind(values if isinstance(values, dict) else self._collect(values), **entries)
            self._meter.check_length(len(made))
            return made

        return begin

    def _defaultdict(self, factory: Any = None, values: Any = (), **entries: Any) -> Any:
        make = factory if factory in (None, int, float, bool, str, list, dict, set, tuple) else lambda: self._call(factory, (), {}, NOWHERE)
        return collections.defaultdict(make, values, **entries)

    def _random_split(self, dataset: Any, lengths: Any, generator: Any = torch.default_generator) -> Any:
        given = self._of_pytorch.given(dataset, NOWHERE)
        if not isinstance(dataset, Own):
            given = self._collect(dataset)
        parts = random_split(objects.inside(given), self._collect(lengths), generator)
        return [datasets.Data(part) for part in parts]

    def _make_grid(self, images: Any, *args: Any, **kwargs: Any) -> Any:
        from torchvision import utils  # takes a second, and most scripts do without

        entry = Entry("torchvision.utils.make_grid", allowed.JOINING, utils.make_grid)
        return self._operations.perform(entry, NOWHERE, (images, *args), kwargs)

    def _clip(self, name: str) -> Callable[..., Any]:
        """Return a function of `nn.utils` that changes the gradients of parameters."""

        def clip(parameters: Any, *args: Any, **kwargs: Any) -> Any:
            several = [parameters] if isinstance(parameters, torch.Tensor) else self._collect(parameters)
            if not all(isinstance(each, torch.Tensor) for each in several):
                raise Refused(msg("`{name}` takes the parameters of a network.", name=name))
            entry = Entry(f"torch.nn.utils.{name}", allowed.AUTOGRAD, getattr(nn.utils, name))
            return self._operations.perform(entry, NOWHERE, (several, *args), kwargs)

        return clip
