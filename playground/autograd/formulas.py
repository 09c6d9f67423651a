"""Formulas of the operations that tutorials use: what each computes, and the gradient that it passes to each input.

`a`, `b` are the inputs in their order, `y` the result, `g` the upstream gradient.
Source: https://docs.pytorch.org/docs/stable/torch.html; the derivatives are those of
https://github.com/pytorch/pytorch/blob/main/tools/autograd/derivatives.yaml
"""

from __future__ import annotations

import re

from playground.messages import msg

FORMULAS = {
    "Add": ("y = a + b", ("g", "g")),
    "Sub": ("y = a − b", ("g", "−g")),
    "Rsub": ("y = b − a", ("−g", "g")),
    "Mul": ("y = a · b", ("g · b", "g · a")),
    "Div": ("y = a / b", ("g / b", "−g · a / b²")),
    "Neg": ("y = −a", ("−g",)),
    "Reciprocal": ("y = 1 / a", ("−g / a²",)),
    "Pow": ("y = aⁿ", ("g · n · aⁿ⁻¹", "g · y · log a")),
    "Sqrt": ("y = √a", ("g / (2 · y)",)),
    "Rsqrt": ("y = 1 / √a", ("−g · y³ / 2",)),
    "Exp": ("y = exp a", ("g · y",)),
    "Log": ("y = log a", ("g / a",)),
    "Sin": ("y = sin a", ("g · cos a",)),
    "Cos": ("y = cos a", ("−g · sin a",)),
    "Tan": ("y = tan a", ("g · (1 + y²)",)),
    "Tanh": ("y = tanh a", ("g · (1 − y²)",)),
    "Sigmoid": ("y = 1 / (1 + exp(−a))", ("g · y · (1 − y)",)),
    "Relu": ("y = max(a, 0)", (msg("g where a > 0, else 0"),)),
    "LeakyRelu": (msg("y = a where a > 0, else slope · a"), (msg("g where a > 0, else slope · g"),)),
    "Abs": ("y = |a|", ("g · sign a",)),
    "Clamp": (msg("y = a, held between two bounds"), (msg("g between the bounds, else 0"),)),
    "Sum": ("y = Σ a", (msg("g at every cell that was summed"),)),
    "Mean": ("y = Σ a / n", (msg("g / n at every cell"),)),
    "Prod": ("y = Π a", ("g · y / a",)),
    "Max": (msg("y = the largest of a"), (msg("g at the largest, 0 elsewhere"),)),
    "Min": (msg("y = the smallest of a"), (msg("g at the smallest, 0 elsewhere"),)),
    "Amax": (msg("y = the largest of a"), (msg("g shared among the largest, 0 elsewhere"),)),
    "Amin": (msg("y = the smallest of a"), (msg("g shared among the smallest, 0 elsewhere"),)),
    "Var": ("y = Σ (a − mean)² / (n − 1)", ("g · 2 (a − mean) / (n − 1)",)),
    "Std": ("y = √var a", ("g · (a − mean) / (y · (n − 1))",)),
    "Norm": ("y = √Σ a²", ("g · a / y",)),
    "LinalgVectorNorm": ("y = √Σ a²", ("g · a / y",)),
    "Mm": ("y = a @ b", ("g @ bᵀ", "aᵀ @ g")),
    "Mv": ("y = a @ b", ("g ⊗ b", "aᵀ @ g")),
    "Dot": ("y = Σ a · b", ("g · b", "g · a")),
    "Bmm": (msg("y = a @ b, matrix by matrix"), ("g @ bᵀ", "aᵀ @ g")),
    "Addmm": ("y = a + b @ c", ("g", "g @ cᵀ", "bᵀ @ g")),
    "T": ("y = aᵀ", ("gᵀ",)),
    "Transpose": (msg("y = a with two dimensions exchanged"), (msg("g with them exchanged back"),)),
    "Permute": (msg("y = a with its dimensions in another order"), (msg("g with them put back"),)),
    "View": (msg("y = a in another shape"), (msg("g in a’s shape"),)),
    "UnsafeView": (msg("y = a in another shape"), (msg("g in a’s shape"),)),
    "ReshapeAlias": (msg("y = a in another shape"), (msg("g in a’s shape"),)),
    "Squeeze": (msg("y = a without dimensions of size 1"), (msg("g in a’s shape"),)),
    "Unsqueeze": (msg("y = a with a dimension of size 1 more"), (msg("g in a’s shape"),)),
    "Expand": (msg("y = a, stretched"), (msg("Σ g over the stretched dimensions"),)),
    "Repeat": (msg("y = a, repeated"), (msg("Σ g over the copies"),)),
    "Clone": ("y = a", ("g",)),
    "ToCopy": (msg("y = a in another dtype or on another device"), (msg("g, brought back"),)),
    "Select": (msg("y = one slice of a"), (msg("g in its place, 0 elsewhere"),)),
    "Slice": (msg("y = a part of a"), (msg("g in its place, 0 elsewhere"),)),
    "Index": (msg("y = cells picked from a"), (msg("g where they were picked, 0 elsewhere"),)),
    "Gather": (msg("y = cells picked from a"), (msg("g where they were picked, 0 elsewhere"),)),
    "Cat": (msg("y = the inputs, glued together"), (msg("each input’s part of g"),)),
    "Stack": (msg("y = the inputs, one behind another"), (msg("each input’s part of g"),)),
    "Where": (msg("y = a where the condition holds, else b"), (msg("g where it holds"), msg("g where it does not"))),
    "Softmax": ("y = exp a / Σ exp a", ("y · (g − Σ g · y)",)),
    "LogSoftmax": ("y = a − log Σ exp a", ("g − exp(y) · Σ g",)),
    "NllLoss": (msg("y = −mean of a at the labels"), (msg("−g / n at the labels, 0 elsewhere"),)),
    "MseLoss": (msg("y = mean of (a − b)²"), ("g · 2 (a − b) / n", "−g · 2 (a − b) / n")),
    "BinaryCrossEntropy": (msg("y = −mean of (b · log a + (1 − b) · log(1 − a))"), ("g · (a − b) / (a (1 − a) n)",)),
    "Convolution": (
        msg("y = a, with the kernel b slid over it"),
        (msg("g, with the turned kernel slid over it"), msg("a, with g slid over it")),
    ),
    "AccumulateGrad": (msg("a leaf: its gradient is added to .grad"), ()),
}
"""By PyTorch's name of the node without `Backward` and its number: the operation, and for each input the gradient passed to it."""


def title(node_name: str) -> str:
    """Return PyTorch's name of a node without the namespace: `MulBackward0`, `AccumulateGrad`."""
    return node_name.rsplit("::", 1)[-1]


def formula(node_name: str) -> tuple[str, tuple[str, ...]]:
    """Return the formulas of the operation and its gradients; empty if `FORMULAS` lacks them."""
    return FORMULAS.get(re.sub(r"Backward\d*$", "", title(node_name)), ("", ()))
