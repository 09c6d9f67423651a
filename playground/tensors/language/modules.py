"""The modules that a script can import, under any name, and what of them it can use.

Source: https://docs.python.org/3/library/math.html, https://docs.python.org/3/library/random.html, https://docs.python.org/3/library/time.html
"""

from __future__ import annotations

import ast
import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playground.messages import msg
from playground.tensors.language.elsewhere import place_of
from playground.tensors.language.errors import Refused
from playground.tensors.language.functions import Own

_OF_PYTORCH = """
    torch torch.nn torch.nn.functional torch.nn.init torch.nn.utils torch.autograd torch.optim torch.optim.lr_scheduler torch.utils torch.utils.data
    torchvision torchvision.datasets torchvision.transforms torchvision.utils
"""
PYTORCH = {**{name: name for name in _OF_PYTORCH.split()}, "numpy": "np"}
"""PyTorch and NumPy: the module's name, and how `calls.functions` writes it."""
GIVEN = {"torch": "torch", "np": "np", "numpy": "np", "F": "torch.nn.functional", "nn": "torch.nn", "optim": "torch.optim"}
"""Modules that are there without an import."""
IGNORED = frozenset(("__future__", "typing"))
"""Modules whose names mean nothing when a script runs."""
_MATH = """
    pi e tau inf nan sqrt exp log log2 log10 log1p expm1 pow sin cos tan asin acos atan atan2 sinh cosh tanh
    floor ceil trunc fabs fmod gcd lcm hypot degrees radians isnan isinf isfinite isclose copysign erf
"""
_RANDOM = "random seed randint randrange uniform gauss choice shuffle sample"
SCRIPTS: Mapping[str, Path] = {
    **dict.fromkeys(("d2l", "d2l.torch"), Path(__file__).with_name("d2l.script")),
    "argparse": Path(__file__).with_name("argparse.script"),
    **dict.fromkeys(("torch.utils.tensorboard", "tensorboardX"), Path(__file__).with_name("tensorboard.script")),
}
"""Modules that are scripts of the playground's, run by the interpreter like a learner's."""
_ABSENT = """
    os sys pathlib glob json pickle re string shutil logging datetime zipfile tarfile hashlib urllib requests inspect io pandas PIL scipy sklearn
    skimage cv2 imageio seaborn plotly IPython torchsummary torchinfo torchtext torchaudio transformers timm einops gym gymnasium tensorboard
"""
ABSENT = frozenset(_ABSENT.split())
"""Modules that scripts do not have. Importing one does nothing: only what uses it stops the script."""
_IN_LIBRARY = """
    copy dataclasses functools itertools collections tqdm tqdm.auto tqdm.notebook warnings matplotlib matplotlib.pyplot
"""
PYTHON: Mapping[str, Mapping[str, Any]] = {
    "math": {name: getattr(math, name) for name in _MATH.split()},
    "random": {name: getattr(random, name) for name in _RANDOM.split()},
    "time": {name: getattr(time, name) for name in ("time", "perf_counter", "process_time")},
    **{name: {} for name in _IN_LIBRARY.split()},
}
"""Modules of Python, with what they have for scripts; functions of `random` belong to a generator of the script's own, others stand in `library.py`."""


@dataclass(frozen=True)
class Module(Own):
    """A module under any name in a script."""

    name: str
    """As `calls.functions` begins its names, `torch.nn`; of a Python module its own, `math`."""

    def __repr__(self) -> str:
        return f"<module '{self.name}'>"


@dataclass(frozen=True, eq=False)
class Namespace(Own):
    """A module that is itself a script of the playground's."""

    name: str
    names: dict[str, Any] = field(repr=False)

    def read(self, name: str, node: ast.AST) -> Any:
        """Return a value of the module.

        Raises:
            Refused: it has none of that name.
        """
        if name.startswith("_") or name not in self.names:
            raise Refused(msg("`{module}` has no `{name}` in scripts.", module=self.name, name=name), "", node)
        return self.names[name]


@dataclass(frozen=True)
class Absent(Own):
    """A module that scripts do not have, or a part of one, which is imported and perhaps never used."""

    name: str

    def refusal(self, node: ast.AST) -> Refused:
        """Return the error for its use."""
        root = self.name.partition(".")[0]
        return Refused(msg("`{name}` is not available: scripts have no module `{module}`.", name=self.name, module=root), place_of(self.name), node)


@dataclass(frozen=True, eq=False)
class PythonFunction(Own):
    """A function of a Python module, for numbers."""

    name: str
    """With its module: `math.sqrt`."""
    function: Callable[..., Any]

    def __repr__(self) -> str:
        return f"<built-in function {self.name.rsplit('.', 1)[-1]}>"


class PythonModules:
    """The Python modules of one script, whose random numbers are its own."""

    def __init__(self) -> None:
        generator = random.Random()
        self._members = {module: dict(members) for module, members in PYTHON.items()}
        self._members["random"] = {name: getattr(generator, name) for name in PYTHON["random"]}

    def member(self, module: str, name: str) -> Any:
        """Return a value of a module.

        Raises:
            KeyError: scripts have none of that name.
        """
        member = self._members[module][name]
        return PythonFunction(f"{module}.{name}", member) if callable(member) else member

    def names(self, module: str) -> list[str]:
        return list(self._members[module])
