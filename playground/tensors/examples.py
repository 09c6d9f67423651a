"""Example scripts in teaching order; each shows one idea."""

from __future__ import annotations

from dataclasses import dataclass

from playground.messages import msg


@dataclass(frozen=True)
class Example:
    """One example script."""

    name: str
    title: str
    source: str


EXAMPLES = (
    Example(
        "first",
        msg("A first look"),
        """# Point at any cell of the picture.
a = torch.tensor([[1., 2., 3.],
                  [4., 5., 6.]])
b = torch.tensor([[1., 0.],
                  [0., 1.],
                  [2., 2.]])
sums = a.sum(dim=1)
c = a @ b
""",  # no text: code
    ),
    Example(
        "create",
        msg("Making tensors"),
        """n = torch.tensor(5)
m = torch.tensor([[1, 2], [3, 4]])
f = torch.tensor([5.5, 3])
z = torch.zeros(5, 3, dtype=torch.long)
steps = torch.arange(1., 5., step=1./3)
torch.manual_seed(0)
r = torch.rand(5, 3)
like = torch.ones_like(r)
u = torch.empty(5, 3)
""",
    ),
    Example(
        "index",
        msg("Picking cells"),
        """matrix = torch.arange(12).view(3, 4)
row = matrix[0]
column = matrix[:, 1]
corner = matrix[1:, 2:]
large = matrix[matrix > 5]
some = matrix[torch.tensor([2, 0])]
""",
    ),
    Example(
        "view",
        msg("One memory, many shapes"),
        """x = torch.arange(12)
y = x.view(3, 4)
z = x.view(-1, 6)
t = y.t()
flat = t.reshape(-1)
y[0, 0] = 100
print(t.is_contiguous())
""",
    ),
    Example(
        "broadcast",
        msg("Broadcasting"),
        """column = torch.tensor([[0.], [10.], [20.]])
row = torch.tensor([1., 2., 3., 4.])
table = column + row
centred = table - table.mean(dim=0)
""",
    ),
    Example(
        "matmul",
        msg("Matrix products"),
        """torch.manual_seed(0)
batch = torch.rand(4, 3)
weight = torch.rand(2, 3)
bias = torch.tensor([1., -1.])
out = batch @ weight.T + bias
dot = weight[0] @ weight[1]
""",
    ),
    Example(
        "reduce",
        msg("Reductions"),
        """torch.manual_seed(0)
logits = torch.randn(4, 3)
total = logits.sum()
mean = logits.mean(dim=0)
best = logits.max(dim=1)[1]
shares = torch.softmax(logits, dim=1)
running = torch.arange(5).cumsum(0)
""",  # no text: code
    ),
    Example(
        "join",
        msg("Joining and repeating"),
        """c = torch.ones(2, 3)
d = torch.zeros(2, 3)
below = torch.cat([c, d])
beside = torch.cat([c, d], dim=1)
stacked = torch.stack([c, d])
i = torch.arange(3)
copied = i.view(-1, 1).repeat(1, 2)
stretched = i.view(-1, 1).expand(3, 2)
""",
    ),
    Example(
        "numpy",
        msg("NumPy and PyTorch share memory"),
        """a = np.ones(5)
b = torch.from_numpy(a)
np.add(a, 1, out=a)
x = torch.ones(5)
y = x.numpy()
x.add_(1)
""",
    ),
    Example(
        "in-place",
        msg("In place, or a new tensor"),
        """x = torch.zeros(2, 3)
first = x[0]
first += 1
copy = x[1].clone()
copy += 5
y = x + 10
""",
    ),
    Example(
        "device",
        msg("Devices"),
        """x = torch.rand(3, 5)
print(x.device, device)
y = x.to(device)
z = torch.ones(3, 5, device=device)
total = y + z
back = total.cpu().numpy()
""",  # no text: code
    ),
    Example(
        "mistake",
        msg("A mistake, explained"),
        """c = torch.rand(2, 3)
d = torch.rand(3, 4)
good = c @ d
wrong = torch.cat([c, d])
""",
    ),
)


def example(name: str) -> Example | None:
    """Return the example of that name; None if there is none."""
    return next((example for example in EXAMPLES if example.name == name), None)
