"""How training images are changed at random: the settings, known without torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Augmentation:
    """How much training images are changed; the default changes nothing."""

    shift: int = 0
    """Moved by up to this many pixels each way."""
    flip: bool = False
    """Mirrored left to right, every second one."""
    rotation: float = 0.0
    """Turned by up to this many degrees each way."""
    scale: float = 0.0
    """Made larger or smaller by up to this share: 0.1 means 90 % to 110 %."""
    stroke: float = 0.0
    """Chance that lines are made thicker or thinner by up to a pixel; for drawings, light on dark."""
    noise: float = 0.0
    """Standard deviation of noise added to each pixel, where pixels go from 0 to 1."""

    def problems(self, size: int = 28) -> list[str]:
        """Everything that is out of range, in plain sentences."""
        limits = {"shift": size // 2, "rotation": 180, "scale": 0.9, "stroke": 1.0, "noise": 1.0}
        problems = []
        for name, high in limits.items():
            value = getattr(self, name)
            whole = name == "shift"
            if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or not 0 <= value <= high:
                kind = "a whole number" if whole else "a number"
                problems.append(f"Augmentation: {name} must be {kind} from 0 to {high:g}, not {value!r}.")
        flip: object = self.flip  # from a file it may be anything
        if not isinstance(flip, bool):
            problems.append(f"Augmentation: flip must be true or false, not {flip!r}.")
        return problems
