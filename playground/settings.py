"""Settings as data: the form, the command line, names of runs, comparisons, checks and documents follow from one entry.

A setting is a field of a frozen dataclass, declared with `setting`:

    weight_decay: float = setting(0.0, "number", msg("Weight decay"), msg("How strongly weights are pulled to zero."), high=10)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any, Literal

from playground.messages import Message, msg

Kind = Literal["number", "whole", "switch", "choice", "name", "pair"]
"""What a setting's values are: numbers, whole numbers, true or false, one of `choices`, a name, or two numbers."""
ABOVE = "above"
ALLOWED: Mapping[str, Message] = {
    "switch": msg("true or false"),
    "name": msg("a name"),
    "choice": msg("one of {choices}"),
    "whole": msg("a whole number from {low:g} to {high:,.15g}"),
    "number": msg("a number from {low:g} to {high:,.15g}"),
    "pair": msg("two numbers from {low:g} to {high:,.15g}"),
    ABOVE: msg("a number above {low:g} and at most {high:,.15g}"),
}
"""Which values a setting may have, by its kind; `ABOVE` for numbers that must be above `low`."""


@dataclass(frozen=True)
class Setting:
    """One setting as a learner reads it, and what its values may be."""

    default: Any
    kind: Kind
    title: str
    """Label of its control and heading of its column."""
    help: str
    """What it does, in a sentence."""
    name: str = ""
    """In the configuration; `augment.shift` is the field `shift` of `augment`."""
    unit: str = ""
    low: float = 0.0
    """Smallest value (numbers only)."""
    high: float = 0.0
    """Largest value (numbers only)."""
    above: bool = False
    """Whether values must be above `low` instead of at least `low` (kind `number` only)."""
    step: float = 1.0
    """By how much its control changes it."""
    choices: Mapping[str, str] = field(default_factory=dict)
    """The values of a choice with their titles."""
    name_template: Message | None = None
    """How the name of a run mentions it: `{value}` is its value, `{title}` that of a choice. None: it is not mentioned."""
    name_off: str = ""
    """How the name of a run mentions that it is off or 0."""
    applies_to: Callable[[Any], bool] = lambda _config: True
    """Whether it has an effect beside a configuration's other settings."""
    fits: Callable[[Any, Any], bool] = lambda _dataset, _network: True
    """Whether it makes sense for a data set (`DatasetInfo`) and a network (`NetworkSpec`)."""
    is_basic: bool = False
    """Whether the form shows it without opening more settings."""

    @property
    def option(self) -> str:
        """Its option on the command line."""
        return f"--{self.name.rpartition('.')[2].replace('_', '-')}"

    def value(self, config: Any) -> Any:
        """Its value in a configuration."""
        for name in self.name.split("."):
            config = getattr(config, name)
        return config

    def text(self, config: Any) -> str:
        """Its value as a person writes it."""
        value = self.value(config)
        return self.choices.get(value, value) if isinstance(value, str) else _written(value)

    def mention(self, config: Any) -> str:
        """The setting with its value as a part of a run's name."""
        value = self.value(config)
        if not value and self.name_off:
            return self.name_off
        return self.name_template.filled(value=value if isinstance(value, str) else _written(value), title=self.text(config)) if self.name_template else ""

    def problem(self, value: Any) -> str:
        """Why `value` cannot be used, in a sentence; empty if it can."""
        if self._is_allowed(value):
            return ""
        return msg("{title} must be {allowed}, not {value}.", title=self.title, allowed=self.allowed(), value=repr(value))

    def allowed(self) -> str:
        """Which values it may have."""
        return ALLOWED[ABOVE if self.above else self.kind].filled(low=self.low, high=self.high, choices=", ".join(self.choices))

    def _is_allowed(self, value: Any) -> bool:
        match self.kind:
            case "switch":
                return isinstance(value, bool)
            case "name":
                return isinstance(value, str) and value != ""
            case "choice":
                return isinstance(value, str) and value in self.choices
            case "pair":
                return isinstance(value, tuple) and len(value) == 2 and all(self._is_in_range(part) for part in value)
            case _:
                return self._is_in_range(value, whole=self.kind == "whole")

    def _is_in_range(self, value: Any, *, whole: bool = False) -> bool:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or (whole and not isinstance(value, int)):
            return False
        return (self.low < value if self.above else self.low <= value) and value <= self.high


def setting(default: Any, kind: Kind, title: str, help: str, **more: Any) -> Any:
    """A dataclass field that is a setting; `more` are further fields of `Setting`."""
    return field(default=default, metadata={"setting": Setting(default, kind, title, help, **more)})


def settings_of(kind: type[Any], prefix: str = "") -> tuple[Setting, ...]:
    """The settings that a dataclass declares, in their order; a field that is a dataclass of settings itself has its own in its place."""
    found: list[Setting] = []
    for item in fields(kind):
        if "setting" in item.metadata:
            found.append(replace(item.metadata["setting"], name=f"{prefix}{item.name}"))
        elif item.default_factory is not MISSING:
            found += settings_of(type(item.default_factory()), f"{prefix}{item.name}.")
    return tuple(found)


def problems(config: Any) -> list[str]:
    """What is wrong with the values of a dataclass of settings, a sentence each."""
    checked = [item.metadata["setting"].problem(getattr(config, item.name)) for item in fields(config) if "setting" in item.metadata]
    return [problem for problem in checked if problem]


def _written(value: Any) -> str:
    """A value without a title: `0.0005`, `1e-5`, `yes`, `0.9, 0.999`."""
    if isinstance(value, bool):
        return msg("yes") if value else msg("no")
    if isinstance(value, tuple):
        return ", ".join(map(_written, value))
    return f"{value:g}".replace("e-0", "e-").replace("e+0", "e") if isinstance(value, (int, float)) else str(value)
