"""Formulas of the operations that tutorials use: what each computes, and the gradient that it passes to each input.

`a`, `b` are the inputs in their order, `y` the result, `g` the upstream gradient.
Source: https://docs.pytorch.org/docs/stable/torch.html; the derivatives are those of
https://github.com/pytorch/pytorch/blob/main/tools/autograd/derivatives.yaml
"""

from __future__ import annotations

import re

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
    "Relu": ("y = max(a, 0)", ("g where a > 0, else 0",)),
    "LeakyRelu": ("y = a where a > 0, else slope · a", ("g where a > 0, else slope · g",)),
    "Abs": ("y = |a|", ("g · sign a",)),
    "Clamp": ("y = a, held between two bounds", ("g between the bounds, else 0",)),
    "Sum": ("y = Σ a", ("g at every cell that was summed",)),
    "Mean": ("y = Σ a / n", ("g / n at every cell",)),
    "Prod": ("y = Π a", ("g · y / a",)),
    "Max": ("y = the largest of a", ("g at the largest, 0 elsewhere",)),
    "Min": ("y = the smallest of a", ("g at the smallest, 0 elsewhere",)),
    "Amax": ("y = the largest of a", ("g shared among the largest, 0 elsewhere",)),
    "Amin": ("y = the smallest of a", ("g shared among the smallest, 0 elsewhere",)),
    "Var": ("y = Σ (a − mean)² / (n − 1)", ("g · 2 (a − mean) / (n − 1)",)),
    "Std": ("y = √var a", ("g · (a − mean) / (y · (n − 1))",)),
    "Norm": ("y = √Σ a²", ("g · a / y",)),
    "LinalgVectorNorm": ("y = √Σ a²", ("g · a / y",)),
    "Mm": ("y = a @ b", ("g @ bᵀ", "aᵀ @ g")),
    "Mv": ("y = a @ b", ("g ⊗ b", "aᵀ @ g")),
    "Dot": ("y = Σ a · b", ("g · b", "g · a")),
    "Bmm": ("y = a @ b, matrix by matrix", ("g @ bᵀ", "aᵀ @ g")),
    "Addmm": ("y = a + b @ c", ("g", "g @ cᵀ", "bᵀ @ g")),
    "T": ("y = aᵀ", ("gᵀ",)),
    "Transpose": ("y = a with two dimensions exchanged", ("g with them exchanged back",)),
    "Permute": ("y = a with its dimensions in another order", ("g with them put back",)),
    "View": ("y = a in another shape", ("g in a’s shape",)),
    "UnsafeView": ("y = a in another shape", ("g in a’s shape",)),
    "ReshapeAlias": ("y = a in another shape", ("g in a’s shape",)),
    "Squeeze": ("y = a without dimensions of size 1", ("g in a’s shape",)),
    "Unsqueeze": ("y = a with a dimension of size 1 more", ("g in a’s shape",)),
    "Expand": ("y = a, stretched", ("Σ g over the stretched dimensions",)),
    "Repeat": ("y = a, repeated", ("Σ g over the copies",)),
    "Clone": ("y = a", ("g",)),
    "ToCopy": ("y = a in another dtype or on another device", ("g, brought back",)),
    "Select": ("y = one slice of a", ("g in its place, 0 elsewhere",)),
    "Slice": ("y = a part of a", ("g in its place, 0 elsewhere",)),
    "Index": ("y = cells picked from a", ("g where they were picked, 0 elsewhere",)),
    "Gather": ("y = cells picked from a", ("g where they were picked, 0 elsewhere",)),
    "Cat": ("y = the inputs, glued together", ("each input’s part of g",)),
    "Stack": ("y = the inputs, one behind another", ("each input’s part of g",)),
    "Where": ("y = a where the condition holds, else b", ("g where it holds", "g where it does not")),
    "Softmax": ("y = exp a / Σ exp a", ("y · (g − Σ g · y)",)),
    "LogSoftmax": ("y = a − log Σ exp a", ("g − exp(y) · Σ g",)),
    "NllLoss": ("y = −mean of a at the labels", ("−g / n at the labels, 0 elsewhere",)),
    "MseLoss": ("y = mean of (a − b)²", ("g · 2 (a − b) / n", "−g · 2 (a − b) / n")),
    "BinaryCrossEntropy": ("y = −mean of (b · log a + (1 − b) · log(1 − a))", ("g · (a − b) / (a (1 − a) n)",)),
    "Convolution": ("y = a, with the kernel b slid over it", ("g, with the turned kernel slid over it", "a, with g slid over it")),
    "AccumulateGrad": ("a leaf: gradients end here", ("g is added to .grad",)),
}
"""By PyTorch's name of the node without `Backward` and its number: the operation, and for each input the gradient passed to it."""


def title(node_name: str) -> str:
    """Return PyTorch's name of a node without the namespace: `MulBackward0`, `AccumulateGrad`."""
    return node_name.rsplit("::", 1)[-1]


def formula(node_name: str) -> tuple[str, tuple[str, ...]]:
    """Return the formulas of the operation and its gradients; empty if `FORMULAS` lacks them."""
    return FORMULAS.get(re.sub(r"Backward\d*$", "", title(node_name)), ("", ()))
