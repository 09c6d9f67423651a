"""What all tests of autograd begin with."""

from __future__ import annotations

import pytest

from playground.tensors.language import interpreter
from playground.tensors.language.bounds import Bounds


@pytest.fixture(autouse=True, scope="session")
def slow_imports() -> None:
    """PyTorch imports more of itself at the first operations; the seconds of a script are not meant for that."""
    interpreter.run("a = torch.rand(2, 2)\nb = torch.tanh(a @ a) * 2", {}, Bounds(seconds=60))
