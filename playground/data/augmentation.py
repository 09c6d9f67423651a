"""Settings of data augmentation, the random changes of training images; importable without torch."""

from __future__ import annotations

from dataclasses import dataclass

from playground import settings
from playground.settings import setting


@dataclass(frozen=True)
class Augmentation:
    """How strongly training images are augmented; the default leaves them unchanged."""

    shift: int = setting(
        0, "whole", "Random shift", "Training images are shifted by a random number of pixels, up to this many in each direction.", unit="pixels",
        high=14, name_template="shift {value}", name_off="no shift",
    )  # fmt: skip
    flip: bool = setting(
        False, "switch", "Random flip", "Every second training image is mirrored left to right.",
        name_template="flip", name_off="no flip", fits=lambda dataset, _network: dataset.flips,
    )  # fmt: skip
    rotation: float = setting(
        0.0, "number", "Random rotation", "Training images are rotated by a random angle, up to this much in each direction.", unit="degrees",
        high=180, name_template="rotation {value}°", name_off="no rotation",
    )  # fmt: skip
    scale: float = setting(
        0.0, "number", "Random scale", "Training images are made larger or smaller by up to this share: 0.1 means 90 % to 110 %.",
        high=0.9, step=0.05, name_template="scale {value}", name_off="no scale",
    )  # fmt: skip
    stroke: float = setting(
        0.0, "number", "Random stroke", "Chance that lines are made thicker or thinner by up to a pixel; for drawings, light on dark.",
        high=1.0, step=0.05, name_template="stroke {value}", name_off="no stroke", fits=lambda dataset, _network: dataset.kind == "digits",
    )  # fmt: skip
    noise: float = setting(
        0.0, "number", "Random noise", "Standard deviation of noise added to each pixel, where pixels go from 0 to 1.",
        high=1.0, step=0.01, name_template="noise {value}", name_off="no noise",
    )  # fmt: skip

    def problems(self) -> list[str]:
        """What is out of range, a sentence each."""
        return [f"Augmentation: {problem}" for problem in settings.problems(self)]
