"""Example scripts by name, in teaching order."""

from __future__ import annotations

from playground.messages import msg
from playground.tensors.examples import Example

EXAMPLES = {
    example.name: example
    for example in (
        Example(
            "first",
            msg("A first gradient"),
            """x = torch.arange(1., 4, requires_grad=True)
y = x * 2
z = y.mean()
z.backward()
""",  # no text: code
        ),
        Example(
            "paths",
            msg("Paths that meet"),
            """x = torch.ones(2, 2, requires_grad=True)
y = x + 2
z = y * y * 3
out = z.mean()
out.backward()
""",  # no text: code
        ),
        Example(
            "power",
            msg("A power of a power"),
            """# z = (2x³)² = 4x⁶: its gradient is 24x⁵
x = torch.tensor(1., requires_grad=True)
y = 2 * x**3
z = y.pow(2)
z.backward()
""",  # no text: code
        ),
        Example(
            "branch",
            msg("A graph that depends on the values"),
            """x = torch.randn(1, 1)
y = torch.randn(1, 1, requires_grad=True)
if y.item() > 0:
    z = x * y
else:
    z = x / y
z.backward()
""",  # no text: code
        ),
        Example(
            "twice",
            msg("Backward twice"),
            """x = torch.arange(1., 3, requires_grad=True)
for i in range(2):
    loss = (x * x).sum()
    loss.backward()
# x.grad holds the sum of both passes.
# With x.grad.zero_() between them,
# it would hold only that of the last.
""",  # no text: code
        ),
        Example(
            "neuron",
            msg("A neuron"),
            """torch.manual_seed(0)
x = torch.tensor([1., 2., -1.])
target = torch.tensor(0.)
w = torch.randn(3, requires_grad=True)
b = torch.zeros((), requires_grad=True)
p = torch.sigmoid(x @ w + b)
loss = (p - target) ** 2
loss.backward()
""",  # no text: code
        ),
        Example(
            "descent",
            msg("Gradient descent by hand"),
            """torch.manual_seed(0)
x = torch.randn(20, 2)
y = x @ torch.tensor([2., -3.])
w = torch.zeros(2, requires_grad=True)
lr = 0.1
for step in range(20):
    loss = ((x @ w - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= lr * w.grad
        if step < 19:
            w.grad.zero_()
    print(f"step {step}: loss {loss:.4f}")
print(w)
""",  # no text: code
        ),
    )
}
