"""The layer catalogue: every kind of layer that a network can contain, as data.

Names, parameters and defaults are those of `torch.nn` (https://docs.pytorch.org/docs/stable/nn.html);
a test compares each entry with the signature of its class.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from playground.errors import UnknownName
from playground.messages import msg
from playground.network.types import LayerType, Param

ANY = (1, 2, 3)
VECTOR, TOKENS, IMAGE = (1,), (2,), (3,)

BIAS = Param("bias", "bool", True, msg("Learn a number that is added to each output."), term="bias")
INPLACE = (("inplace", False),)


class Settings(TypedDict, total=False):
    """The parameters of a layer that shapes, costs and hints are computed from; each kind of layer has some of them."""

    bias: bool
    kernel_size: int
    stride: int
    padding: int
    dilation: int
    padding_mode: str
    output_size: int
    patch_size: int
    nhead: int
    dim_feedforward: int


def _size(name: str, default: int, help: str, low: int = 1, high: int = 4096, term: str = "") -> Param:
    return Param(name, "int", default, help, low, high, term=term)


KERNEL = _size("kernel_size", 3, msg("Height and width of the window, in pixels."), high=31, term="kernel size")
STRIDE = _size("stride", 1, msg("Pixels the window moves at a time; 2 halves the size."), high=16, term="stride")
PADDING = _size("padding", 0, msg("Pixels added on every side; with kernel_size 3, padding 1 keeps the size."), low=0, high=16, term="padding")
DILATION = _size("dilation", 1, msg("Distance between the window's cells, in pixels; 1 leaves no gap."), high=8, term="dilation")
POOL_KERNEL = _size("kernel_size", 2, msg("Height and width of the window, in pixels."), high=31, term="kernel size")
POOL_STRIDE = _size("stride", 2, msg("Pixels the window moves at a time; 2 halves the size."), high=16, term="stride")
DROP = Param("p", "float", 0.5, msg("The share of values set to zero during training."), 0.0, 0.95, term="dropout")

GROUP_TITLES: Mapping[str, str] = {
    "Linear": msg("Linear"),
    "Convolution": msg("Convolution"),
    "Pooling": msg("Pooling"),
    "Activation": msg("Activation"),
    "Normalisation": msg("Normalisation"),
    "Regularisation": msg("Regularisation"),
    "Shape": msg("Shape"),
    "Block": msg("Block"),
}
"""The groups of layers with their titles."""

LAYERS: tuple[LayerType, ...] = (
    LayerType(
        "Linear", msg("Linear"), "Linear", msg("Every output is a weighted sum of all inputs."), "torch.nn.Linear", (1, 2),
        (_size("out_features", 128, msg("How many outputs, each with weights of its own."), term="unit"), BIAS), (("in_features", "features"),), attribute="fc",
        term="linear layer",
    ),
    LayerType(
        "Conv2d", msg("Convolution"), "Convolution", msg("Small filters slide over the image and mark where their pattern is."), "torch.nn.Conv2d", IMAGE,
        (
            _size("out_channels", 16, msg("How many [[filters|filter]]: each of them makes one [[feature map]]."), high=1024, term="channel"),
            KERNEL, STRIDE, PADDING, DILATION,
            Param(
                "padding_mode", "choice", "zeros", msg("What the padding is filled with: zeros, or pixels of the image."),
                choices=("zeros", "reflect", "replicate", "circular"),
            ),
            BIAS,
        ),
        (("in_channels", "channels"),), attribute="conv", term="convolution",
    ),
    LayerType(
        "MaxPool2d", msg("Max pooling"), "Pooling", msg("Keeps the largest value of each window."), "torch.nn.MaxPool2d", IMAGE,
        (POOL_KERNEL, POOL_STRIDE, PADDING, DILATION), functional="F.max_pool2d({x}, {kernel_size})", attribute="pool", term="max pooling",
    ),
    LayerType(
        "AvgPool2d", msg("Average pooling"), "Pooling", msg("Keeps the mean of each window."), "torch.nn.AvgPool2d", IMAGE,
        (POOL_KERNEL, POOL_STRIDE, PADDING), functional="F.avg_pool2d({x}, {kernel_size})", attribute="pool", term="average pooling",
    ),
    LayerType(
        "AdaptiveAvgPool2d", msg("Adaptive average pooling"), "Pooling", msg("Averages inputs of any size to a fixed size."),
        "torch.nn.AdaptiveAvgPool2d", IMAGE,
        (_size("output_size", 1, msg("Height and width of the output, in pixels."), high=64),), functional="F.adaptive_avg_pool2d({x}, {output_size})",
        term="average pooling",
    ),
    LayerType(
        "ReLU", "ReLU", "Activation", msg("Negative values become zero: max(0, x)."), "torch.nn.ReLU", ANY, fixed=INPLACE, functional="F.relu({x})",
        term="ReLU",
    ),
    LayerType(
        "LeakyReLU", msg("Leaky ReLU"), "Activation", msg("Like ReLU, but negative values keep a small slope."), "torch.nn.LeakyReLU", ANY,
        (Param("negative_slope", "float", 0.01, msg("Slope for negative values."), 0.0, 1.0),), fixed=INPLACE, functional="F.leaky_relu({x})",
    ),
    LayerType(
        "GELU", "GELU", "Activation", msg("A smooth ReLU: x times the share of a normal distribution below x."), "torch.nn.GELU", ANY,
        functional="F.gelu({x})",
    ),
    LayerType("SiLU", "SiLU", "Activation", msg("A smooth ReLU: x times sigmoid(x)."), "torch.nn.SiLU", ANY, fixed=INPLACE, functional="F.silu({x})"),
    LayerType(
        "ELU", "ELU", "Activation", msg("Like ReLU, but negative values bend smoothly towards −alpha."), "torch.nn.ELU", ANY,
        (Param("alpha", "float", 1.0, msg("Where negative values end up."), 0.0, 10.0),), fixed=INPLACE, functional="F.elu({x})",
    ),
    LayerType(
        "SELU", "SELU", "Activation", msg("An ELU, scaled so that activations keep mean 0 and variance 1."), "torch.nn.SELU", ANY, fixed=INPLACE,
        functional="F.selu({x})",
    ),
    LayerType("ReLU6", "ReLU6", "Activation", msg("ReLU that ends at 6: min(max(0, x), 6)."), "torch.nn.ReLU6", ANY, fixed=INPLACE, functional="F.relu6({x})"),
    LayerType(
        "Hardswish", "Hardswish", "Activation", msg("SiLU made of straight pieces: cheap on phones."), "torch.nn.Hardswish", ANY, fixed=INPLACE,
        functional="F.hardswish({x})",
    ),
    LayerType("Mish", "Mish", "Activation", msg("A smooth ReLU: x times tanh(softplus(x))."), "torch.nn.Mish", ANY, fixed=INPLACE, functional="F.mish({x})"),
    LayerType("Sigmoid", "Sigmoid", "Activation", msg("Squeezes every value between 0 and 1."), "torch.nn.Sigmoid", ANY, functional="torch.sigmoid({x})"),
    LayerType("Tanh", "Tanh", "Activation", msg("Squeezes every value between −1 and 1."), "torch.nn.Tanh", ANY, functional="torch.tanh({x})"),
    LayerType(
        "Softmax", "Softmax", "Activation", msg("Turns logits into probabilities. The cross-entropy loss already does this."), "torch.nn.Softmax", (1, 2),
        fixed=(("dim", -1),), functional="F.softmax({x}, dim=-1)", term="softmax",
    ),
    LayerType(
        "BatchNorm1d", msg("Batch norm (vectors)"), "Normalisation", msg("Brings each feature to mean 0 and variance 1 over the batch."),
        "torch.nn.BatchNorm1d", VECTOR, inferred=(("num_features", "channels"),), attribute="norm", term="batch normalisation",
    ),
    LayerType(
        "BatchNorm2d", msg("Batch norm (images)"), "Normalisation", msg("Brings each channel to mean 0 and variance 1 over the batch."),
        "torch.nn.BatchNorm2d", IMAGE, inferred=(("num_features", "channels"),), attribute="norm", term="batch normalisation",
    ),
    LayerType(
        "LayerNorm", msg("Layer norm"), "Normalisation", msg("Brings each sample's features to mean 0 and variance 1."), "torch.nn.LayerNorm", ANY,
        inferred=(("normalized_shape", "normalized_shape"),), attribute="norm", term="normalisation",
    ),
    LayerType(
        "Dropout", msg("Dropout"), "Regularisation", msg("Sets random values to zero during training, so that no single one is relied on."),
        "torch.nn.Dropout", ANY, (DROP,), fixed=INPLACE, attribute="drop", term="dropout",
    ),
    LayerType(
        "Dropout2d", msg("Dropout (channels)"), "Regularisation", msg("Sets whole feature maps to zero during training."), "torch.nn.Dropout2d", IMAGE,
        (DROP,), fixed=INPLACE, attribute="drop", term="dropout",
    ),
    LayerType(
        "Flatten", "Flatten", "Shape", msg("Reshapes the values of each sample to a vector."), "torch.nn.Flatten", ANY,
        functional="torch.flatten({x}, 1)", term="flatten",
    ),
    LayerType(
        "ResidualBlock", msg("Residual block"), "Block", msg("Two convolutions and a shortcut connection that adds the input to their output."),
        "playground.network.blocks.ResidualBlock", IMAGE,
        (_size("out_channels", 32, msg("How many feature maps the output has."), high=1024, term="channel"), STRIDE), (("in_channels", "channels"),),
        attribute="block", term="shortcut connection",
    ),
    LayerType(
        "PatchEmbedding", msg("Patch embedding"), "Block", msg("Cuts the image into squares and makes each a token."),
        "playground.network.blocks.PatchEmbedding", IMAGE,
        (
            _size("embed_dim", 64, msg("How many features a token has."), high=1024, term="features"),
            _size("patch_size", 4, msg("Side of a square, in pixels."), high=32),
        ),
        (("in_channels", "channels"), ("image_size", "image_size")), attribute="embed", term="token",
    ),
    LayerType(
        "TransformerEncoderLayer", msg("Transformer encoder layer"), "Block",
        msg("Self-attention over all tokens, then a feed-forward network for each token."), "torch.nn.TransformerEncoderLayer", TOKENS,
        (
            _size("nhead", 4, msg("How many attention heads; each gets an equal share of the features."), high=64, term="self-attention"),
            _size("dim_feedforward", 128, msg("Width of the hidden layer of the feed-forward network.")),
            Param("dropout", "float", 0.1, msg("The share of values set to zero during training."), 0.0, 0.95, term="dropout"),
        ),
        (("d_model", "features"),), (("activation", "gelu"), ("batch_first", True), ("norm_first", True)), attribute="encoder",
        term="self-attention",
    ),
    LayerType(
        "TokenMean", msg("Mean over tokens"), "Shape", msg("Averages all tokens into one vector."), "playground.network.blocks.TokenMean", TOKENS,
        functional="{x}.mean(dim=1)", term="token",
    ),
)  # fmt: skip

ACTIVATIONS = {layer.name: layer.title for layer in LAYERS if layer.group == "Activation" and layer.ranks == ANY}
"""The activations of single values, which can take one another's place, with their titles; Softmax computes each value from all of a row."""
DROPOUTS = tuple(layer.name for layer in LAYERS if layer.group == "Regularisation")
NORMALISATIONS = tuple(layer.name for layer in LAYERS if layer.group == "Normalisation")

_BY_NAME = {layer.name: layer for layer in LAYERS}


def layer_type(name: str) -> LayerType:
    """Return the layer kind called `name`.

    Raises:
        UnknownName: the catalogue has none of that name.
    """
    if name not in _BY_NAME:
        raise UnknownName(msg("layer"), name, _BY_NAME)
    return _BY_NAME[name]
