"""Write the document of settings, optimizers and schedules: `python -m playground.training.reference > docs/settings.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from playground.settings import Setting
from playground.training.config import SETTINGS, TrainConfig
from playground.training.optimizers import OPTIMIZERS
from playground.training.schedules import SCHEDULES


def settings_reference() -> str:
    """Return Markdown tables of all settings of a run, from the same declarations as the form and the command line."""
    return "\n".join(
        [
            "# Settings of a run",
            "",
            "Made by `python -m playground.training.reference > docs/settings.md` from `playground/training/config.py`, `optimizers.py` and `schedules.py`.",
            "",
            *_table(("Setting", "On the command line", "Values", "Default", "What it does"), map(_setting_row, SETTINGS)),
            "",
            "## Optimizers",
            "",
            *_table(
                ("Optimizer", "Name", "Class", "Settings used besides the learning rate", "Usual learning rate without momentum", "What it does", "Source"),
                (
                    (kind.title, kind.name, f"`{kind.target}`", ", ".join(kind.uses) or "none", f"{kind.usual_learning_rate:g}", kind.summary, kind.source)
                    for kind in OPTIMIZERS
                ),
            ),
            "",
            "## Schedules",
            "",
            *_table(("Schedule", "Name", "What it does", "Source"), ((kind.title, kind.name, kind.summary, kind.source) for kind in SCHEDULES)),
            "",
        ]
    )


def _setting_row(setting: Setting) -> tuple[str, ...]:
    unit = f", {setting.unit}" if setting.unit else ""
    return f"{setting.title}{unit}", f"`{setting.option}`", setting.allowed(), setting.text(TrainConfig()), setting.help


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ("---",) * len(head), *rows)]


if __name__ == "__main__":
    sys.stdout.write(settings_reference())
