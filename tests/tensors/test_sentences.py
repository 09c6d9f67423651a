"""Errors that one sentence explains, and names that another page has."""

from __future__ import annotations

import pytest

from playground.tensors.help.explanations import explain
from playground.tensors.help.sentences import SENTENCES
from playground.tensors.language.elsewhere import PLACES
from playground.tensors.language.interpreter import run

MISTAKES = """
F.cross_entropy(torch.zeros(2, 3), torch.tensor([0., 1.]))
F.cross_entropy(torch.zeros(2, 3), torch.tensor([[0], [1]]))
F.cross_entropy(torch.zeros(4, 3), torch.tensor([1, 2]))
F.cross_entropy(torch.zeros(2, 3), torch.tensor([0, 7]))
F.binary_cross_entropy(torch.tensor([1.5, 0.2]), torch.tensor([1., 0.]))
F.one_hot(torch.tensor([0., 1.]))
F.conv2d(torch.rand(28, 28), torch.rand(1, 1, 3, 3))
F.conv2d(torch.rand(1, 3, 8, 8), torch.rand(4, 1, 3, 3))
torch.ones(2).astype(np.float32)
w = torch.ones(2, requires_grad=True) ⏎ w.grad.zero_()
w = torch.ones(2, requires_grad=True) ⏎ g = w.grad + 1
x = torch.ones(2, requires_grad=True) ⏎ y = x * 2 ⏎ y.requires_grad = False
x = torch.ones(3, requires_grad=True) ⏎ with torch.no_grad(): ⏎     v = x[0] ⏎ v += 1
x = torch.tensor([1., 2.], requires_grad=True) ⏎ y = x ** 2 ⏎ y.backward(torch.tensor([1.]))
wide = torch.tensor([[1.], [2.]]).expand(2, 3) ⏎ wide.add_(1)
t = torch.from_numpy(np.array([1., 2., 3.])[::-1])
y = torch.arange(4)[::-1]
d = torch.tensor([2, 3]) ** -1
y = torch.tensor([2., 3.]) ^ 2
a = np.array([[1, 2], [3, 4]]) ⏎ o = a + torch.ones(2, 2)
classes = ('cat', 'dog') ⏎ predicted = torch.max(torch.randn(4, 2), 1) ⏎ c = classes[predicted[0]]
print(f'{torch.tensor([1., 2.]):.2f}')
x = torch.zeros(3) ⏎ x[torch.tensor([True, False, True])] = torch.tensor([1., 2., 3.])
n = torch.tensor([3, 4]).norm()
x = torch.ones(2).cuda()
m = 1 - torch.tensor([True, False])
x = torch.ones(2, requires_grad=True) ⏎ y = x.exp() ⏎ y += 1 ⏎ y.sum().backward()
x = torch.rand(3, 3) ⏎ x += x.T
torch.linalg.inv(torch.zeros(2, 2))
x = torch.ones(2, requires_grad=True) ⏎ z = torch.ones(2, requires_grad=True) ⏎ torch.autograd.grad(x.sum(), z)
x = torch.ones（2）
x = 1 ⏎   y = 2
""".strip().splitlines()


def explained(source: str) -> str:
    execution = run(source.replace(" ⏎ ", "\n"))
    assert execution.error is not None
    return str(explain(execution.error, execution.source).explanation)


@pytest.mark.parametrize("source", MISTAKES)
def test_a_common_mistake_is_explained(source: str) -> None:
    if ".cuda" in source and run(source).error is None:
        pytest.skip("there is a GPU here")
    assert explained(source)


def test_every_sentence_explains_one_of_them() -> None:
    said = {explained(source) for source in MISTAKES if ".cuda" not in source}
    assert [text for _, text in SENTENCES if text not in said and "GPU" not in text] == []


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("from torchvision import models", "torchvision.models"),
        ("import torchvision\ntorchvision.datasets.CIFAR100('data')", "torchvision.datasets"),
        ("train = DataLoader([1])", "DataLoader"),
        ("x = transforms.ToTensor()", "transforms"),
        ("plt.plot([1, 2])", "plt"),
        ("net.zero_grad()", "net"),
        ("for x in train_loader:\n    pass", "train_loader"),
    ],
)
def test_what_another_page_does_is_said(source: str, place: str) -> None:
    error = run(source).error
    assert error is not None
    assert error.hint == PLACES[place]


@pytest.mark.parametrize(
    ("source", "instead"),
    [
        ("x = true", "True"),
        ("x = none", "None"),
        ("x = torch.relux(1)", "torch.relu"),
        ("y = toch.ones(2)", "torch"),
        ("a = pritn(1)", "print"),
        ("a = ones(2)", "torch.ones"),
    ],
)
def test_a_similar_name_is_suggested(source: str, instead: str) -> None:
    error = run(source).error
    assert error is not None
    assert error.instead == instead


@pytest.mark.parametrize("source", ["writer(1)", "labels.sum()", "ax1.plot()", "torch.save(1)", "torch.load(1)", "x = net", "torchvision.models"])
def test_no_name_of_another_kind_is_suggested(source: str) -> None:
    error = run(source).error
    assert error is not None
    assert error.instead == ""


def test_full_width_signs_are_mended_by_one_click() -> None:
    source = "x = torch.tensor（[1，2]）\nprint（“a”）"
    execution = run(source)
    assert execution.error is not None
    (fix,) = explain(execution.error, source).fixes
    mended = source[: fix.start] + fix.text + source[fix.end :]
    assert mended == 'x = torch.tensor([1,2])\nprint("a")'
    assert run(mended).error is None


def test_what_pytorch_printed_is_not_taken_for_code() -> None:
    error = run("tensor([5.5000, 3.0000])").error
    assert error is not None
    assert "what PyTorch printed" in str(error)
