"""Errors of PyTorch, NumPy and Python that one sentence explains, whatever the operands are."""

from __future__ import annotations

import re

from playground.messages import msg

SENTENCES: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"expected target dtype to be Long|expected scalar type Long but found Float"),
        msg("Targets of `F.cross_entropy` are class numbers, of dtype int64: use `target.long()`."),
    ),
    (
        re.compile(r"0D or 1D target tensor expected"),
        msg("Targets of `F.cross_entropy` are one class number for each row, of shape (N,): use `target.squeeze(1)`."),
    ),
    (re.compile(r"Expected input batch_size"), msg("There must be as many targets as rows of predictions.")),
    (re.compile(r"Target -?\d+ is out of bounds"), msg("A target is the number of a class, from 0 to the number of columns − 1.")),
    (
        re.compile(r"all elements of (?:input|target) should be between 0 and 1"),
        msg("`F.binary_cross_entropy` takes probabilities: use `torch.sigmoid(…)` first, or `F.binary_cross_entropy_with_logits`."),
    ),
    (re.compile(r"one_hot is only applicable to index tensor"), msg("`F.one_hot` takes class numbers, of dtype int64: use `.long()`.")),
    (
        re.compile(r"Expected [23]D \(unbatched\) or [34]D \(batched\) input"),
        msg("A convolution takes (channels, height, width) or (N, channels, height, width): add the missing dimensions with `.unsqueeze(0)`."),
    ),
    (
        re.compile(r"expected input\[.*\] to have (\d+) channels"),
        msg("The second size of a convolution’s weight, times `groups`, is the number of channels of its input."),
    ),
    (re.compile(r"A tensor has no `\.astype`"), msg("NumPy’s `.astype` is `.to` in PyTorch: `x.to(torch.float32)`.")),
    (
        re.compile(r"A NoneType has no|unsupported operand type\(s\) for .*NoneType|'NoneType' object is not"),
        msg("The value is None. `.grad` is None until `backward()` has run, and so is what a function without `return` returns."),
    ),
    (
        re.compile(r"only change requires_grad flags of leaf variables"),
        msg("The tensor was computed from another one that requires gradients. `.detach()` returns it without its history."),
    ),
    (re.compile(r"A view was created in no_grad mode"), msg("The view was made within `torch.no_grad()`: change it there as well, or make it outside.")),
    (
        re.compile(r"Mismatch in shape: grad_output"),
        msg("The argument of `backward` has a gradient for each element: it must have the shape of the tensor."),
    ),
    (
        re.compile(r"more than one element of the written-to tensor refers to a single memory location"),
        msg("The tensor was expanded, so several of its elements are one place in memory. Use `.clone()` before you change it."),
    ),
    (
        re.compile(r"strides? in the given numpy array is negative|negative strides"),
        msg("PyTorch has no negative strides: use `.copy()` on the array first."),
    ),
    (re.compile(r"step must be greater than zero"), msg("PyTorch has no negative steps: use `x.flip(0)`.")),
    (re.compile(r"Integers to negative integer powers"), msg("The result would not be whole: use `.float()` first.")),
    (re.compile(r"bitwise_xor|bitwise_and|bitwise_or"), msg("`^`, `&` and `|` combine bits of whole numbers; a power is `**`.")),
    (
        re.compile(r"Concatenation operation is not implemented for NumPy arrays"),
        msg("NumPy cannot add a tensor to an array: use `torch.from_numpy(…)` on the array first."),
    ),
    (
        re.compile(r"only integer tensors of a single element can be converted to an index"),
        msg("The index of a list is one whole number. `torch.max(x, 1)` returns a pair, values and places: use `_, places = …`, then `places[i]`."),
    ),
    (re.compile(r"unsupported format string passed to Tensor"), msg("Formats such as `.2f` are for numbers: use `.item()` on a tensor with one element.")),
    (
        re.compile(r"shape mismatch: value tensor of shape"),
        msg("A mask selects as many elements as it has True: the assigned tensor must have as many, or one."),
    ),
    (re.compile(r"Expected a floating point or complex tensor as input"), msg("This needs decimal numbers: use `.float()` first.")),
    (
        re.compile(r"Found no NVIDIA driver|not compiled with CUDA|CUDA-capable device"),
        msg("This computer has no GPU that PyTorch can use. `.to(device)` works everywhere: `device` is already defined."),
    ),
    (
        re.compile(r"Subtraction, the `-` operator, with a bool tensor|Subtraction, the `-` operator, with two bool"),
        msg("Booleans cannot be subtracted: use `~mask` for the opposite, or `.int()` first."),
    ),
    (
        re.compile(r"modified by an inplace operation"),
        msg("`backward` needs a value that was changed in place meanwhile: compute a new tensor instead, `y = y + 1` instead of `y += 1`."),
    ),
    (
        re.compile(r"unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location"),
        msg("The tensor is read and written at the same time, in another order: use `.clone()` on the operand."),
    ),
    (re.compile(r"singular|not invertible"), msg("The matrix has no inverse: its rows depend on each other.")),
    (
        re.compile(r"appears to not have been used in the graph"),
        msg("The loss does not depend on this tensor, so it has no gradient: pass `allow_unused=True`, or leave it out."),
    ),
    (
        re.compile(r"invalid character '[（）［］｛｝，：；＝＋－＊／＜＞！“”‘’。、]'|invalid non-printable character"),
        msg("This sign is a full-width one, from a Chinese keyboard: Python needs the plain one."),
    ),
    (
        re.compile(r"unexpected indent|unindent does not match|expected an indented block"),
        msg("Lines of one block begin at the same column. Indentation is easily lost when code is copied."),
    ),
)
"""Patterns of messages, and what to do; the first match counts."""


def sentence(message: str) -> str:
    """Return the explanation of an error by its message; empty if there is none."""
    return next((text for pattern, text in SENTENCES if pattern.search(message)), "")
