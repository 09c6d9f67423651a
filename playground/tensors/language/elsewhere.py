"""Names of tutorials that scripts do not have, each with the page of the playground that does it."""

from __future__ import annotations

from playground.messages import msg

_DATA = msg("Data sets and batches are on the Train page.")
_SAVED = msg("Scripts keep no files. Weights are saved and loaded on the Train page.")
_PLOTS = msg("The page draws the tensors of a script itself: leave the plot out.")
_NETWORKS = msg("Layers and networks are on the Network page.")
PLACES = {
    "torchvision": _DATA, "datasets": _DATA, "transforms": _DATA, "DataLoader": _DATA, "Dataset": _DATA, "TensorDataset": _DATA, "torch.utils": _DATA,
    "dataloader": _DATA, "train_loader": _DATA, "test_loader": _DATA, "trainloader": _DATA, "testloader": _DATA,
    "torch.save": _SAVED, "torch.load": _SAVED, "plt": _PLOTS, "matplotlib": _PLOTS, "display": _PLOTS, "d2l": _PLOTS,
    "net": _NETWORKS, "model": _NETWORKS, "nnn": msg("Did you mean `nn`?"),
}  # fmt: skip
"""Names, and the beginnings of dotted ones."""


def place_of(name: str) -> str:
    """Return a sentence on where the playground does what a name stands for; empty if none does."""
    words = name.split(".")
    return next((PLACES[part] for end in range(len(words), 0, -1) if (part := ".".join(words[:end])) in PLACES), "")
