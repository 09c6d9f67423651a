"""Names of tutorials that scripts do not have, each with the page of the playground that does it."""

from __future__ import annotations

from playground.messages import msg

_DATA = msg("Data sets and batches are on the Train page.")
_NETWORKS = msg("Layers and networks are on the Network page.")
_IMPORTED = {
    "plt": "matplotlib.pyplot", "torchvision": "torchvision", "datasets": "torchvision.datasets", "transforms": "torchvision.transforms",
    **{name: f"torch.utils.data.{name}" for name in ("DataLoader", "Dataset", "TensorDataset", "random_split", "Subset")},
}  # fmt: skip
PLACES = {
    **{name: msg("Import it first: it is `{full}`.", full=full) for name, full in _IMPORTED.items()},
    "torchvision.models": msg("Scripts have no networks that are trained already. The Network page has usual ones to begin with."),
    "torchvision.datasets": msg("Scripts have MNIST, FashionMNIST, KMNIST and CIFAR10."),
    "dataloader": _DATA, "train_loader": _DATA, "test_loader": _DATA, "trainloader": _DATA, "testloader": _DATA,
    **dict.fromkeys(("keras", "tensorflow"), msg("This is Keras, and the playground runs PyTorch: what is `Dense(3)` there is `nn.Linear(…, 3)` here.")),
    "net": _NETWORKS, "model": _NETWORKS, "nnn": msg("Did you mean `nn`?"),
}  # fmt: skip
"""Names, and the beginnings of dotted ones."""


def place_of(name: str) -> str:
    """Return a sentence on where the playground does what a name stands for; empty if none does."""
    words = name.split(".")
    return next((PLACES[part] for end in range(len(words), 0, -1) if (part := ".".join(words[:end])) in PLACES), "")
