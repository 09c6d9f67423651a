"""Training scripts, read as the settings of a run, and mistakes that are planted into one."""

from __future__ import annotations

import pytest

from playground.pasted.errors import CodeError
from playground.pasted.training import read_training
from playground.training.config import TrainConfig

from .scripts import SCRIPT


def changed(*pairs: tuple[str, str]) -> str:
    """The script after changes."""
    text = SCRIPT
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def line_of(text: str, line: int | None) -> str:
    return text.split("\n")[line - 1] if line else ""


def test_a_script_becomes_the_settings_of_a_run_with_the_lines_that_say_them() -> None:
    reading = read_training(SCRIPT)
    assert reading.config == TrainConfig(
        "fashion-mnist", optimizer="sgd", learning_rate=0.05, batch_size=100, schedule="cosine", epochs=3, momentum=0.8, weight_decay=1e-4,
        clip_grad_norm=2.0, label_smoothing=0.1, seed=7,
    )  # fmt: skip
    assert reading.network is not None and reading.problem == ""
    assert [layer.type for layer in reading.network.spec.layers] == ["Conv2d", "ReLU", "MaxPool2d", "Flatten", "Dropout", "Linear"]
    assert reading.mistakes == () and reading.notes == ()
    lines = {each.name: line_of(SCRIPT, each.line).strip() for each in reading.taken}
    optimizer, loop = "optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.8, weight_decay=1e-4)", "for images, labels in train_loader:"
    assert lines == {
        "dataset": loop, "network": "model = Net().to(device)", "optimizer": optimizer, "learning_rate": optimizer, "momentum": optimizer,
        "weight_decay": optimizer, "batch_size": loop, "epochs": "for epoch in range(3):",
        "schedule": "scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=3)", "label_smoothing": "loss = criterion(output, labels)",
        "clip_grad_norm": "", "seed": "torch.manual_seed(7)",
    }  # fmt: skip


LOSS, CALL, OUT = "nn.CrossEntropyLoss(label_smoothing=0.1)", "criterion(output, labels)", "return self.out(self.drop(x.flatten(1)))"
ZERO, BACKWARD, STEP = "        optimizer.zero_grad()\n", "        loss.backward()\n", "        optimizer.step()\n"
SIGMOID = "criterion(torch.sigmoid(output), F.one_hot(labels, 10).float())"
MISTAKES: list[tuple[str, list[tuple[str, str]], str, str]] = [
    ("no zero_grad", [(ZERO, "")], "loss.backward()", "The gradients of the batch before are added"),
    ("reset too early", [(ZERO, ""), (BACKWARD, BACKWARD + ZERO)], "optimizer.zero_grad()", "reset between"),
    ("no step", [(STEP, "")], "loss.backward()", "The optimizer never takes a step"),
    ("no backward", [(BACKWARD, "")], "optimizer.step()", "There is no backward pass before the step"),
    ("swapped", [(CALL, "criterion(labels, output)")], "criterion(labels", "the labels first"),
    ("softmax", [(OUT, "return F.softmax(self.out(self.drop(x.flatten(1))), dim=1)")], "F.softmax", "softmax stands before cross-entropy"),
    ("a layer", [(OUT, "return nn.Softmax(1)(self.out(x.flatten(1)))")], "nn.Softmax", "Softmax stands before cross-entropy"),
    ("logarithms", [(LOSS, "nn.NLLLoss()")], "criterion(", "takes logarithms of probabilities"),
    ("one-hot", [(CALL, "criterion(output, F.one_hot(labels, 10).float())")], "criterion(", "one-hot vectors"),
    ("decimals", [(CALL, "criterion(output, labels.float())")], "criterion(", "The labels are decimals"),
    ("squares", [(LOSS, "nn.MSELoss()"), (CALL, "criterion(output.argmax(1) * 1.0, labels)")], "criterion(", "these labels are classes"),
    ("spread", [(LOSS, "nn.MSELoss()"), (CALL, "criterion(output[:, :1], labels.float())")], "criterion(", "each value is compared"),
    ("BCE", [(LOSS, "nn.BCELoss()"), (CALL, "criterion(output, F.one_hot(labels, 10).float())")], "criterion(", "Use `nn.BCEWithLogitsLoss()`"),
    ("sigmoid", [(LOSS, "nn.BCEWithLogitsLoss()"), (CALL, SIGMOID)], "torch.sigmoid", "A sigmoid stands before"),
    ("no train()", [("    model.train()\n", "")], "output = model(images)", "The network trains in `eval()`"),
    ("no eval()", [("    model.eval()\n", "")], "argmax", "evaluated in training mode"),
    ("no no_grad", [("    with torch.no_grad():\n", "    if True:\n")], "argmax", "The evaluation records gradients"),
    ("test data", [("DataLoader(train_data, batch_size=100", "DataLoader(test_data, batch_size=100")], "output = model(images)", "trains on the test images"),
    ("no shuffle", [(", shuffle=True", "")], "in train_loader", "come in the same order"),
    ("another network", [("scheduler = optim", "model = Net()\nscheduler = optim")], "optim.SGD", "the parameters of another network"),
    ("large steps", [("lr=0.05", "lr=50")], "optim.SGD", "far above what is usual for SGD"),
    ("schedule first", [("    model.train()\n", "    model.train()\n    scheduler.step()\n")], "scheduler.step()", "The schedule steps before the optimizer"),
    (
        "schedule a batch", [("CosineAnnealingLR(optimizer, T_max=3)", "StepLR(optimizer, 1)"), (STEP, STEP + STEP.replace("optimizer", "scheduler"))],
        "scheduler.step()", "StepLR steps after every batch",
    ),
    ("sum of losses", [("running_loss += loss.item()", "running_loss += loss")], "running_loss += loss", "The losses are added up as tensors"),
    ("images stay", [("        images, labels = images.to(device), labels.to(device)\n", ""), ("model(images.to(device))", "model(images)")],
     "output = model(images)", "the images are not"),
    ("network stays", [("Net().to(device)", "Net()")], "images.to(device)", "the network is not"),
    ("values for classes", [("model(images.to(device)).argmax(1)", "torch.max(model(images.to(device)), 1)[0]")], "correct +=", "not the classes that have"),
    ("accuracy", [("correct / len(test_data)", "correct / len(test_loader)")], "correct / len(test_loader)", "divided by the number of batches"),
    ("brackets", [(ZERO, "        optimizer.zero_grad\n")], "optimizer.zero_grad", "`optimizer.zero_grad` names a method"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "code", "message"), [each[1:] for each in MISTAKES], ids=[each[0] for each in MISTAKES])
def test_a_planted_mistake_is_found_in_its_line(changes: list[tuple[str, str]], code: str, message: str) -> None:
    text = changed(*changes)
    found = [(line_of(text, mistake.line), f"{mistake.message} {mistake.hint}") for mistake in read_training(text).mistakes]
    assert [each for each in found if code in each[0] and message in each[1]], found
    assert len(found) == 1 or message in ("The network trains in `eval()`",), found


@pytest.mark.parametrize(
    "changes",
    [
        [("Net().to(device)", "Net()"), ("        images, labels = images.to(device), labels.to(device)\n", ""), ("model(images.to(device))", "model(images)")],
        [
            ("Net().to(device)", "Net().to(torch.float32)"),
            ("images.to(device), labels.to(device)", "images.to(torch.float32), labels"),
            ("(images.to(device))", "(images)"),
        ],
        [(".argmax(1) == labels)", ".max(1)[1] == labels)")],
        [(".argmax(1) == labels).sum().item()", ".argmax(1) == labels).float().mean().item()"), ("correct / len(test_data)", "correct / len(test_loader)")],
        [
            ("running_loss += loss.item()", "running_loss += loss.item() * (labels == labels).sum().item() / 100"),
            ("correct / len(test_data)", "running_loss / len(train_loader)"),
        ],
    ],
    ids=("no device", "a dtype", "max", "means", "losses"),
)
def test_what_looks_like_a_mistake_and_is_none(changes: list[tuple[str, str]]) -> None:
    assert read_training(changed(*changes)).mistakes == ()


def test_losses_that_are_added_before_the_backward_pass_are_no_mistake() -> None:
    reading = read_training(changed(("        loss.backward()\n", "        total = 0.5 + loss\n        total.backward()\n")))
    assert reading.mistakes == ()


def test_a_script_in_functions_is_read() -> None:
    start = SCRIPT.index("for epoch in range(3)")
    body = "".join(f"    {line}\n" for line in SCRIPT[start:].splitlines())
    reading = read_training(SCRIPT[:start] + f"def main(epochs=3):\n{body}\nif __name__ == '__main__':\n    main()\n")
    assert reading.config == read_training(SCRIPT).config and reading.mistakes == ()


def test_what_a_run_cannot_have_is_said() -> None:
    changes = [("nn.CrossEntropyLoss(label_smoothing=0.1)", "nn.MSELoss()"), ("optim.SGD(", "optim.RAdam("), (", momentum=0.8", ""), ("seed(7)", "seed(-7)")]
    reading = read_training(changed(*changes))
    assert [note for note in reading.notes if "RAdam" in note] and [note for note in reading.notes if "MSELoss" in note]
    assert [note for note in reading.notes if "Seed" in note or "seed" in note] and reading.config.optimizer == "adam"
    own = SCRIPT.replace("datasets.FashionMNIST(", "datasets.STL10(").replace("Conv2d(1, 8", "Conv2d(3, 8").replace("8 * 13 * 13", "8 * 15 * 15")
    assert "Shapes" in read_training(own.replace("STL10", "CIFAR100")).notes[0]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("nn.Linear(8 * 13 * 13, 10)", "nn.LSTM(8 * 13 * 13, 10)", "The playground has no layer LSTM."),
        ("8 * 13 * 13", "100", "Linear takes 100 features, but what arrives has 1352."),
    ],
)
def test_of_a_script_with_another_network_the_rest_is_read(old: str, new: str, message: str) -> None:
    reading = read_training(SCRIPT.replace(old, new))
    assert reading.network is None and message in reading.problem
    assert (reading.config.optimizer, reading.config.dataset, reading.config.epochs) == ("sgd", "fashion-mnist", 3)
    assert "network" not in {each.name for each in reading.taken} and "could not be run to its end" in reading.notes[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "There is no training in this code."),
        ("model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))", "There is no training in this code."),
        ("x = (", "Line 1: Python cannot parse this"),
        ("x = 1\n" * 20_000, "the limit is 100,000"),
    ],
)
def test_a_text_that_trains_nothing_is_refused(text: str, message: str) -> None:
    with pytest.raises(CodeError) as caught:
        read_training(text)
    assert message in str(caught.value)
