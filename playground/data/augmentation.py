"""Settings of data augmentation, the random changes of training images; importable without torch."""

from __future__ import annotations

from dataclasses import dataclass

from playground import settings
from playground.messages import msg
from playground.settings import setting

NO_CLASS = -1
"""The label of an image that belongs to no class."""


@dataclass(frozen=True)
class Augmentation:
    """How strongly training images are augmented; the default leaves them unchanged."""

    shift: int = setting(
        0, "whole", msg("Random shift"), msg("Training images are shifted by a random number of pixels, up to this many in each direction."),
        unit=msg("pixels"), high=14, name_template=msg("shift {value}"), name_off=msg("no shift"),
    )  # fmt: skip
    flip: bool = setting(
        False, "switch", msg("Random flip"), msg("Every second training image is mirrored left to right."),
        name_template=msg("flip"), name_off=msg("no flip"), fits=lambda dataset, _network: dataset.flips,
    )  # fmt: skip
    rotation: float = setting(
        0.0, "number", msg("Random rotation"), msg("Training images are rotated by a random angle, up to this much in each direction."),
        unit=msg("degrees"), high=180, name_template=msg("rotation {value}°"), name_off=msg("no rotation"),
    )  # fmt: skip
    scale: float = setting(
        0.0, "number", msg("Random scale"), msg("Training images are made larger or smaller by up to this share: 0.1 means 90 % to 110 %."),
        high=0.9, step=0.05, name_template=msg("scale {value}"), name_off=msg("no scale"),
    )  # fmt: skip
    stroke: float = setting(
        0.0, "number", msg("Random stroke"), msg("Chance that lines are made thicker or thinner by up to a pixel; for drawings, light on dark."),
        high=1.0, step=0.05, name_template=msg("stroke {value}"), name_off=msg("no stroke"), fits=lambda dataset, _network: dataset.kind == "digits",
    )  # fmt: skip
    noise: float = setting(
        0.0, "number", msg("Random noise"), msg("Standard deviation of noise added to each pixel, where pixels go from 0 to 1."),
        high=1.0, step=0.01, name_template=msg("noise {value}"), name_off=msg("no noise"),
    )  # fmt: skip
    styles: float = setting(
        0.0, "number", msg("Other handwriting"),
        msg("Share of a batch that is replaced by digits in other styles: slashed zeros, ones with long flags, sevens with a bar, hooked nines."),
        high=0.5, step=0.05, name_template=msg("other handwriting {value}"), name_off=msg("no other handwriting"),
        fits=lambda dataset, _network: dataset.kind == "digits",
    )  # fmt: skip
    scribbles: float = setting(
        0.0, "number", msg("Scribbles"),
        msg("Share of a batch that is replaced by letters and scribbles. They belong to no class: the network learns to give each class the same probability."),
        high=0.5, step=0.05, name_template=msg("scribbles {value}"), name_off=msg("no scribbles"), fits=lambda dataset, _network: dataset.kind == "digits",
    )  # fmt: skip

    @property
    def draws(self) -> bool:
        """Whether drawn images are mixed into the batches."""
        return bool(self.styles or self.scribbles)

    def problems(self) -> list[str]:
        """What is out of range, a sentence each."""
        return [msg("Augmentation: {problem}", problem=problem) for problem in settings.problems(self)]
