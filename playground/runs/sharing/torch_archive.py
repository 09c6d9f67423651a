"""Read files of `torch.save` without running code: the result has only numbers, strings, containers and tensors.

Such a file is a zip archive with a pickle, which says how to put the values together, and the bytes of every tensor.
`torch.load(weights_only=True)` runs no code of a learner's file either, but a few bytes of pickle can make it
ask for all the memory of the machine: `bytearray(10**11)` is allowed there. Here the pickle's instructions are read by
`pickletools`, and those that plain data needs are followed.
Source of the format: https://docs.pytorch.org/docs/stable/notes/serialization.html
"""

from __future__ import annotations

import math
import pickletools
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any

import torch

from playground.errors import CheckpointError
from playground.messages import msg
from playground.untrusted import UNREADABLE, damaged, unzipped

PICKLE_LIMIT = 1 << 22
"""Maximum bytes of the pickle in an archive; one tensor takes about 150."""
DIMENSIONS = 8
"""Maximum dimensions of a tensor; the weights of Conv3d have five."""

_DTYPES = {
    "FloatStorage": "float32", "DoubleStorage": "float64", "HalfStorage": "float16", "BFloat16Storage": "bfloat16",
    "LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8", "ByteStorage": "uint8", "BoolStorage": "bool",
}  # fmt: skip
_NAMES = frozenset({
    "collections OrderedDict", "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter",  # no text: names in a pickle
    *(f"torch {name}" for name in _DTYPES),  # no text: names in a pickle
})  # fmt: skip
"""The names that a pickle of plain data and tensors can refer to, in its spelling."""


@dataclass(frozen=True)
class _Name:
    """A name of a function or class in the pickle; it is compared and never imported."""

    text: str


@dataclass(frozen=True)
class _Storage:
    """The elements of one or more tensors, in a file of the archive."""

    key: str
    """Name of the file."""
    dtype: torch.dtype
    numel: int


class _OtherObject(Exception):
    """The pickle asks for something other than plain data."""


def read(file: IO[bytes], name: str, limit: int) -> object:
    """Return the saved value; its tensors are on the CPU, have their saved strides, and share no memory.

    Args:
        file: open for reading.
        name: its name in messages.
        limit: maximum bytes of all its tensors together.

    Raises:
        CheckpointError: it is not such a file, is damaged, too large, or has more than plain data and tensors.
    """
    with unzipped(file, name, limit) as archive:
        folder = _folder(archive, name)
        try:
            if archive.getinfo(f"{folder}data.pkl").file_size > PICKLE_LIMIT or _byte_order(archive, folder) != sys.byteorder:
                raise damaged(name)
            return _Reader(archive, folder, limit).follow(archive.read(f"{folder}data.pkl"))
        except _OtherObject as error:
            requested = "".join(letter for letter in str(error)[:80] if letter.isprintable())
            raise CheckpointError(
                msg("{name} contains more than weights: loading it would call “{requested}”, so it was not opened.", name=name, requested=requested),
                msg("If it was saved with torch.save(model), save model.state_dict() instead."),
            ) from None
        except (*UNREADABLE, TypeError, AttributeError, RecursionError):
            raise damaged(name) from None


def _folder(archive: zipfile.ZipFile, name: str) -> str:
    """Return the prefix of the names of all entries, with its slash."""
    names = archive.namelist()
    pickle = next((entry for entry in names if entry.count("/") == 1 and entry.endswith("/data.pkl")), None)
    if pickle is None:
        raise CheckpointError(msg("{name} is a zip archive, but torch.save did not write it.", name=name), msg("Save model.state_dict() with torch.save."))
    folder = pickle.removesuffix("data.pkl")
    if f"{folder}constants.pkl" in names:
        raise CheckpointError(
            msg("{name} is a TorchScript program, saved with torch.jit.save.", name=name), msg("Save model.state_dict() with torch.save instead.")
        )
    return folder


def _byte_order(archive: zipfile.ZipFile, folder: str) -> str:
    """Return `little` or `big`; the machine's own for files of older PyTorch versions, which do not say it."""
    return archive.read(f"{folder}byteorder").decode() if f"{folder}byteorder" in archive.namelist() else sys.byteorder


@dataclass
class _Reader:
    """Follows the instructions of a pickle, which is a program for a stack machine."""

    archive: zipfile.ZipFile
    folder: str
    """Prefix of the names of all entries, with its slash."""
    left: int
    """Bytes that are left for further tensors."""
    stack: list[Any] = field(default_factory=list)
    outer: list[list[Any]] = field(default_factory=list)
    """The stacks that `MARK` set aside, until the items pushed since are collected."""
    memo: dict[int, Any] = field(default_factory=dict)
    bytes_of: dict[str, torch.Tensor] = field(default_factory=dict)
    """(bytes) uint8 of each storage that was read."""

    def follow(self, pickle: bytes) -> object:
        for instruction, argument, _ in pickletools.genops(pickle):
            name = instruction.name
            if name in _VALUES:
                self.push(argument)
            elif name in _MAKERS:
                self.push(_MAKERS[name]())
            elif name in _MOVES:
                _MOVES[name](self, argument)
            elif name not in ("PROTO", "FRAME", "STOP"):
                raise _OtherObject(name)
        return self.stack.pop()

    def push(self, value: object) -> None:
        self.stack.append(value)

    def name(self, text: str) -> None:
        if text not in _NAMES:
            raise _OtherObject(text.replace(" ", "."))
        self.push(_Name(text))

    def mark(self, _: None) -> None:
        self.outer.append(self.stack)
        self.stack = []

    def since_mark(self) -> list[Any]:
        items, self.stack = self.stack, self.outer.pop()
        return items

    def last(self, count: int) -> tuple[Any, ...]:
        items = tuple(self.stack[-count:])
        if len(items) < count:
            raise IndexError("nothing is left on the stack")
        del self.stack[-count:]
        return items

    def set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not dict:
            raise TypeError("items go into a dictionary")
        target.update(zip(items[::2], items[1::2], strict=True))

    def append_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not list:
            raise TypeError("items are appended to a list")
        target.extend(items)

    def keep(self, place: int) -> None:
        self.memo[place] = self.stack[-1]

    def take(self, place: int) -> None:
        self.push(self.memo[place])

    def storage(self, _: None) -> None:
        kind, name, key, _location, numel = self.stack.pop()
        if kind != "storage" or not isinstance(name, _Name):
            raise TypeError("only storages lie outside of the pickle")

        self.push(_Storage(key, getattr(torch, _DTYPES[name.text.removeprefix("torch ")]), numel))

    def call(self, _: None) -> None:
        function, arguments = self.last(2)
        match function, arguments:
            case _Name("collections OrderedDict"), ():  # no text: a name in a pickle
                self.push({})
            case _Name("torch._utils _rebuild_parameter"), (tensor, _, _):
                self.push(tensor)
            case _Name("torch._utils _rebuild_tensor_v2"), (_Storage() as storage, offset, size, stride, *_):
                self.push(self.tensor(storage, offset, size, stride))
            case _:
                raise TypeError("this is called otherwise")

    def build(self, _: None) -> None:
        """Leave out the attributes of an `OrderedDict`, in which a `state_dict` keeps the version of each layer."""
        _attributes = self.stack.pop()
        if type(self.stack[-1]) is not dict:
            raise TypeError("only dictionaries have attributes")

    def tensor(self, storage: _Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> torch.Tensor:
        """Return a copied tensor; count all its elements first, because a view as of `expand` becomes larger when it is copied."""
        if len(size) > DIMENSIONS or any(type(number) is not int for number in (offset, *size, *stride)):
            raise TypeError("sizes are whole numbers")
        self.left -= math.prod(size) * storage.dtype.itemsize
        if self.left < 0:
            raise ValueError("the tensors have more bytes than the file")
        flat = self.storage_bytes(storage).view(storage.dtype)
        return torch.as_strided(flat, size, stride, offset).clone()

    def storage_bytes(self, storage: _Storage) -> torch.Tensor:
        if storage.key not in self.bytes_of:
            content = bytearray(self.archive.read(f"{self.folder}data/{storage.key}"))
            self.bytes_of[storage.key] = torch.frombuffer(content, dtype=torch.uint8) if content else torch.empty(0, dtype=torch.uint8)
        content_bytes = self.bytes_of[storage.key]
        if len(content_bytes) != storage.numel * storage.dtype.itemsize:
            raise ValueError("the file of a storage is of another size")
        return content_bytes


_VALUES = frozenset({"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE"})
_MAKERS: dict[str, Callable[[], object]] = {
    "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False, "EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple,
}  # fmt: skip
_MOVES: dict[str, Callable[[_Reader, Any], None]] = {
    "GLOBAL": _Reader.name,
    "STACK_GLOBAL": lambda reader, _: reader.name(" ".join(reader.last(2))),
    "MARK": _Reader.mark,
    "TUPLE": lambda reader, _: reader.push(tuple(reader.since_mark())),
    "TUPLE1": lambda reader, _: reader.push(reader.last(1)),
    "TUPLE2": lambda reader, _: reader.push(reader.last(2)),
    "TUPLE3": lambda reader, _: reader.push(reader.last(3)),
    "SETITEM": lambda reader, _: reader.set_items([*reader.last(2)]),
    "SETITEMS": lambda reader, _: reader.set_items(reader.since_mark()),
    "APPEND": lambda reader, _: reader.append_items([*reader.last(1)]),
    "APPENDS": lambda reader, _: reader.append_items(reader.since_mark()),
    "BINPUT": _Reader.keep,
    "LONG_BINPUT": _Reader.keep,
    "MEMOIZE": lambda reader, _: reader.keep(len(reader.memo)),
    "BINGET": _Reader.take,
    "LONG_BINGET": _Reader.take,
    "BINPERSID": _Reader.storage,
    "REDUCE": _Reader.call,
    "BUILD": _Reader.build,
}
"""The instructions that `torch.save` uses for plain data, except those that push a value."""
