"""Layers, losses, optimizers and schedulers as values of a script. PyTorch's own objects stay inside: a script reaches what the tables here name.

Sources: https://docs.pytorch.org/docs/stable/nn.html, https://docs.pytorch.org/docs/stable/optim.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.func import functional_call
from torch.optim import lr_scheduler

from playground.messages import msg
from playground.tensors.language import allowed, datasets
from playground.tensors.language.calls import Entry
from playground.tensors.language.errors import BoundsExceeded, NoAttribute, OperationFailed, Refused
from playground.tensors.language.functions import Iteration, Own, WithMethods
from playground.tensors.language.held import Held, mapped
from playground.tensors.language.memory import key_of

LAYERS = """
    Linear Bilinear Identity Flatten Unflatten Sequential ModuleList ModuleDict
    Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d Fold Unfold
    MaxPool1d MaxPool2d MaxPool3d AvgPool1d AvgPool2d AvgPool3d LPPool2d AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d
    AdaptiveMaxPool2d ZeroPad2d ConstantPad2d ReflectionPad2d ReplicationPad2d Upsample UpsamplingNearest2d UpsamplingBilinear2d PixelShuffle PixelUnshuffle
    ReLU ReLU6 LeakyReLU PReLU RReLU ELU SELU CELU GELU SiLU Mish Sigmoid Tanh Hardtanh Hardsigmoid Hardswish Hardshrink Softplus Softsign Softshrink
    Tanhshrink Threshold GLU LogSigmoid Softmin Softmax Softmax2d LogSoftmax
    Dropout Dropout1d Dropout2d Dropout3d AlphaDropout BatchNorm1d BatchNorm2d BatchNorm3d LayerNorm GroupNorm RMSNorm LocalResponseNorm
    InstanceNorm1d InstanceNorm2d InstanceNorm3d
    Embedding RNN LSTM GRU RNNCell LSTMCell GRUCell MultiheadAttention TransformerEncoderLayer TransformerEncoder TransformerDecoderLayer
    CosineSimilarity PairwiseDistance MSELoss L1Loss SmoothL1Loss HuberLoss CrossEntropyLoss NLLLoss BCELoss BCEWithLogitsLoss KLDivLoss PoissonNLLLoss
    GaussianNLLLoss HingeEmbeddingLoss CosineEmbeddingLoss MarginRankingLoss MultiMarginLoss MultiLabelMarginLoss SoftMarginLoss TripletMarginLoss CTCLoss
"""
OPTIMIZERS = "SGD ASGD Adam AdamW NAdam RAdam Adamax Adagrad Adadelta RMSprop Rprop LBFGS"
SCHEDULERS = """
    StepLR MultiStepLR ExponentialLR CosineAnnealingLR LinearLR ConstantLR PolynomialLR OneCycleLR CyclicLR CosineAnnealingWarmRestarts
    ReduceLROnPlateau LambdaLR MultiplicativeLR
"""
WITH_FUNCTIONS = frozenset(("torch.optim.lr_scheduler.LambdaLR", "torch.optim.lr_scheduler.MultiplicativeLR"))
"""Classes that take a function of the script."""
WITH_ACTIVATION = frozenset(("torch.nn.TransformerEncoderLayer", "torch.nn.TransformerDecoderLayer"))
"""Classes that take `F.relu` or `F.gelu`."""
OF_LAYERS = frozenset(("torch.nn.Sequential",))
"""Classes that take layers one by one."""
MADE: Mapping[str, type] = {
    **{f"torch.nn.{name}": getattr(nn, name) for name in LAYERS.split()},
    **{f"torch.optim.{name}": getattr(torch.optim, name) for name in OPTIMIZERS.split()},
    **{f"torch.optim.lr_scheduler.{name}": getattr(lr_scheduler, name) for name in SCHEDULERS.split()},
}
"""Classes of layers, losses, optimizers and schedulers."""
NAMES = MADE.keys() | datasets.NAMES
"""Full names of the classes whose objects scripts can make."""
MAX_MODULES = 200
"""Layers inside each other and beside each other, in one object."""
_PLAIN = (bool, int, float, str, type(None), tuple)
"""Types of the arguments of a layer that it keeps as attributes."""
_SEVERAL = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
"""Modules whose parts are reached by their place, or by their name."""
_MOVES = ("to", "cpu", "cuda")
_CONVERSIONS = (*_MOVES, "float", "double", "half", "train", "eval", "requires_grad_", "zero_grad")


@dataclass(frozen=True)
class Maker(Own):
    """A class of PyTorch that a script can call."""

    name: str
    """Its full name, one of `NAMES`."""

    def __repr__(self) -> str:
        return repr(self.kind)

    @property
    def kind(self) -> type:
        return MADE.get(self.name) or datasets.kind_of(self.name)


@dataclass(frozen=True, eq=False)
class Layer(Own):
    """A layer, a network of several, or a loss."""

    module: nn.Module

    def __repr__(self) -> str:
        return repr(self.module)

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Entry, tuple[Any, ...], dict[str, Any]]:
        """Return the operation that the layer performs: its parameters and buffers are operands as the input is."""
        own = self.tensors()
        count = len(args)

        def perform(*operands: Any, **options: Any) -> Any:
            if all(operand is tensor for operand, (_, tensor) in zip(operands[count:], own, strict=True)):
                return self.module(*operands[:count], **options)
            return functional_call(self.module, {name: operand for operand, (name, _) in zip(operands[count:], own, strict=True)}, operands[:count], options)

        return (
            Entry(f"nn.{type(self.module).__name__}", allowed.NEURAL, perform, key_of(self.module), self.module),
            (*args, *(tensor for _, tensor in own)),
            kwargs,
        )

    def tensors(self) -> list[tuple[str, torch.Tensor]]:
        """Return its parameters and buffers by name."""
        if not self.module._modules:  # as most layers are: quicker
            return [(name, tensor) for table in (self.module._parameters, self.module._buffers) for name, tensor in table.items() if tensor is not None]
        return [*self.module.named_parameters(), *self.module.named_buffers()]


class Stepper(Held):
    """An optimizer or a scheduler."""

    @property
    def is_optimizer(self) -> bool:
        return isinstance(self.inner, torch.optim.Optimizer)

    @property
    def parameters(self) -> list[torch.Tensor]:
        optimizer = getattr(self.inner, "optimizer", self.inner)
        return [parameter for group in optimizer.param_groups for parameter in group.get("params", ())]


def inside(value: Any) -> Any:
    """Replace layers by PyTorch's modules, also inside lists and dictionaries, and iterators by lists."""
    if isinstance(value, Layer):
        return value.module
    if modules := getattr(value, "modules", None) if isinstance(value, Own) else None:  # of an instance of a class of the script
        return modules[0]
    if isinstance(value, Held):
        return value.inner
    return mapped(value, inside)


def outside(value: Any) -> Any:
    """Replace PyTorch's modules by layers, and those of the script's own classes by their instances."""
    return getattr(value, "_script_instance", None) or Layer(value) if isinstance(value, nn.Module) else value


def make(maker: Maker, args: tuple[Any, ...], kwargs: dict[str, Any], reserve: Callable[[int], None]) -> Any:
    """Make an object of one of PyTorch's classes.

    Args:
        reserve: is asked for the bytes of its parameters before they are made.

    Raises:
        BoundsExceeded: it is too large.
    """
    kind = MADE[maker.name]
    args, kwargs = inside(args), inside(kwargs)
    if not issubclass(kind, nn.Module):
        return Stepper(kind(*args, **kwargs))
    if not any(isinstance(part, nn.Module) for part in (*args, *(args[0] if args and isinstance(args[0], list) else ()))):
        with torch.device("meta"):
            planned = kind(*args, **kwargs)
        reserve(sum(tensor.nbytes for tensor in (*planned.parameters(), *planned.buffers())))
    made = kind(*args, **kwargs)
    if max(sum(1 for _ in made.modules()) - 1, len(made._modules)) > MAX_MODULES:  # of several that are one layer PyTorch counts one
        raise BoundsExceeded(msg("A network in a script has at most {limit} layers.", limit=MAX_MODULES), msg("Build large networks on the Network page."))
    return Layer(made)


def attribute(value: Layer | Stepper, name: str) -> Any:
    """Return a parameter, a buffer, an inner layer or an argument of a layer; of an optimizer its groups.

    Raises:
        Refused: there is none that scripts can use.
    """
    if isinstance(value, Stepper):
        if name == "param_groups" and hasattr(value.inner, "param_groups"):
            return value.inner.param_groups
        raise _unknown(value.inner, name)
    module = value.module
    for table in (module._parameters, module._buffers, module._modules):
        if name in table:
            return outside(table[name])
    if not name.startswith("_") and name in vars(module) and isinstance(vars(module)[name], _PLAIN):
        return vars(module)[name]
    raise _unknown(module, name)


def set_attribute(value: Any, name: str, new: Any) -> None:
    """Replace a parameter or an inner layer.

    Raises:
        Refused: scripts cannot set this one.
    """
    module = value.module if isinstance(value, Layer) else None
    if module is None or not (name in module._parameters or name in module._modules):
        raise Refused(msg("`.{name}` cannot be set.", name=name))
    setattr(module, name, inside(new))


class Parts(WithMethods):
    """The layers inside a network by their names, as `_modules` has them.

    Args:
        module: the network.
    """

    def __init__(self, module: nn.Module) -> None:
        self.module = module

    @staticmethod
    def of(value: Any) -> Parts:
        """Return those of a layer, or of an instance of a script's class.

        Raises:
            Refused: the value has none.
        """
        inner = inside(value)
        if not isinstance(inner, nn.Module):
            raise Refused(msg("Only a network has `_modules`."))
        return Parts(inner)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self.module._modules))

    def __len__(self) -> int:
        return len(self.module._modules)

    def item(self, name: Any) -> Any:
        return outside(self.module._modules[name])

    def set_item(self, name: Any, layer: Any) -> None:
        """Add a layer under a name, as `add_module` does; a number in quotes is a name here."""
        if not isinstance(name, str) or not (name.isdigit() or _plain_name(name)):
            raise OperationFailed("TypeError: module name should be a string.")  # no text: as PyTorch's message
        self.module.add_module(name, inside(layer))

    def method(self, name: str) -> Callable[..., Any]:
        steps: dict[str, Callable[[], Iterator[Any]]] = {
            "keys": lambda: iter(self),
            "values": lambda: map(outside, list(self.module._modules.values())),
            "items": lambda: ((name, outside(part)) for name, part in list(self.module._modules.items())),
        }
        return (lambda: Iteration("generator", steps[name]())) if name in steps else super().method(name)


def item(value: Layer, index: Any) -> Any:
    """Return the layer at a place of a sequence, or several of them."""
    if not isinstance(value.module, _SEVERAL):
        raise OperationFailed(f"TypeError: '{type(value.module).__name__}' object is not subscriptable")  # no text: Python's message
    return outside(value.module[index])


def set_item(value: Layer, index: Any, new: Any) -> None:
    """Replace the layer at a place of a sequence, or that of a name."""
    if not isinstance(value.module, _SEVERAL):
        raise OperationFailed(f"TypeError: '{type(value.module).__name__}' object does not support item assignment")  # no text: Python's message
    sequence: Any = value.module
    sequence[_plain_name(index) if isinstance(sequence, nn.ModuleDict) else index] = inside(new)


def delete_item(value: Layer, index: Any) -> None:
    """Take the layer at a place out of a sequence."""
    if not isinstance(value.module, _SEVERAL):
        raise OperationFailed(f"TypeError: '{type(value.module).__name__}' object doesn't support item deletion")  # no text: Python's message
    del value.module[index]


def parts(value: Layer) -> Iterator[Layer]:
    """Yield the layers of a sequence; of a dictionary the names."""
    if not isinstance(value.module, _SEVERAL):
        raise OperationFailed(f"TypeError: '{type(value.module).__name__}' object is not iterable")  # no text: Python's message
    return map(outside, value.module)


def method(value: Layer | Stepper, name: str) -> Callable[..., Any]:
    """Return a method of a layer, an optimizer or a scheduler.

    Raises:
        Refused: there is none that scripts can call.
    """
    if isinstance(value, Stepper):
        if name in ("zero_grad", "step", "state_dict", "get_last_lr") and hasattr(value.inner, name):
            return lambda *args, **kwargs: getattr(value.inner, name)(*args, **kwargs)
        raise _unknown(value.inner, name)
    module = value.module
    if name in _MOVES and any(parameter.is_meta for parameter in module.parameters()):
        return lambda *_args, **_kwargs: outside(module)  # a network without values stays where it is
    if name in _CONVERSIONS:
        return lambda *args, **kwargs: outside(getattr(module, name)(*args, **kwargs))
    methods: dict[str, Callable[..., Any]] = {
        "parameters": lambda: Iteration("generator", module.parameters()),
        "named_parameters": lambda: Iteration("generator", module.named_parameters()),
        "buffers": lambda: Iteration("generator", module.buffers()),
        "children": lambda: Iteration("generator", map(outside, module.children())),
        "named_children": lambda: Iteration("generator", ((key, outside(child)) for key, child in module.named_children())),
        "modules": lambda: Iteration("generator", map(outside, module.modules())),
        "state_dict": lambda: dict(module.state_dict()),
        "named_modules": lambda: Iteration("generator", ((key, outside(part)) for key, part in module.named_modules())),
        "named_buffers": lambda: Iteration("generator", module.named_buffers()),
        "load_state_dict": module.load_state_dict,
        "register_buffer": lambda name, tensor, persistent=True: module.register_buffer(_plain_name(name), tensor, bool(persistent)),
        "register_parameter": lambda name, tensor: module.register_parameter(_plain_name(name), tensor),
        "add_module": lambda name, layer: module.add_module(_plain_name(name), layer),
    }
    if isinstance(module, (nn.Sequential, nn.ModuleList)):
        methods["append"] = lambda layer: outside(module.append(inside(layer)))
        methods["extend"] = lambda layers: outside(module.extend(inside(layers)))
        methods["pop"] = lambda place: outside(module.pop(place))
        methods["insert"] = lambda place, layer: outside(module.insert(place, inside(layer)))
    if isinstance(module, nn.ModuleDict):
        methods |= {
            "keys": lambda: Iteration("generator", iter(module.keys())),
            "values": lambda: Iteration("generator", map(outside, module.values())),
            "items": lambda: Iteration("generator", ((key, outside(part)) for key, part in module.items())),
        }
    if name not in methods:
        raise _unknown(module, name)
    return methods[name]


def _plain_name(name: Any) -> str:
    """Return a name that a script may give to a part of a module."""
    if not isinstance(name, str) or not name.isidentifier() or name.startswith("_") or hasattr(nn.Module, name):
        raise OperationFailed(f"KeyError: 'attribute {str(name)[:40]!r} cannot be used'")  # no text: as PyTorch's messages
    return name


def _unknown(value: Any, name: str) -> Refused:
    kind = type(value).__name__
    message = msg("`{type}` has no `.{name}` that scripts can use.", type=kind, name=name)
    return Refused(message) if hasattr(value, name) else NoAttribute(message, text=f"'{kind}' object has no attribute '{name}'")  # no text: Python's message
