"""The learning-rate schedules that a learner may choose, as data that needs no PyTorch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from playground.errors import UnknownName
from playground.messages import msg

WARM_UP = 0.1
"""Share of a one-cycle run in which the learning rate rises: short, so that a good result appears soon."""
WARM_UP_FROM = 0.25
"""Share of the peak learning rate at the start of a one-cycle run."""
STEP_AT, STEP_BY = (0.6, 0.85), 0.1
"""Shares of the run after which the `step` schedule lowers the learning rate, and the factor."""
_SCHEDULERS = "torch.optim.lr_scheduler"


@dataclass(frozen=True)
class ScheduleType:
    """A learning-rate schedule."""

    name: str
    """In configurations and on the command line."""
    title: str
    summary: str
    factor: Callable[[float], float]
    """Returns the share of the peak learning rate after a share of the run, both from 0 to 1."""
    code: str = ""
    """Code of the same scheduler of PyTorch, stepped after every batch; `{peak}` is the learning rate, `{total}` the number of steps. Empty: none."""
    source: str = "https://docs.pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"


def _one_cycle(progress: float) -> float:
    if progress < WARM_UP:
        return WARM_UP_FROM + (1 - WARM_UP_FROM) * progress / WARM_UP
    return (1 - progress) / (1 - WARM_UP)


SCHEDULES: tuple[ScheduleType, ...] = (
    ScheduleType("constant", msg("Constant"), msg("The learning rate stays as it is."), lambda _progress: 1.0),
    ScheduleType(
        "one-cycle", msg("One cycle"), msg("It rises for a tenth of the run, then falls to zero."), _one_cycle,
        f'scheduler = {_SCHEDULERS}.OneCycleLR(optimizer, max_lr={{peak}}, anneal_strategy="linear", pct_start={WARM_UP}, '
        f"div_factor={1 / WARM_UP_FROM:g}, cycle_momentum=False, total_steps={{total}})",  # no text: code
        "https://arxiv.org/abs/1708.07120",
    ),
    ScheduleType(
        "cosine", msg("Cosine"), msg("It falls to zero along a cosine: slowly, quickly, slowly."), lambda progress: 0.5 * (1 + math.cos(math.pi * progress)),
        f"scheduler = {_SCHEDULERS}.CosineAnnealingLR(optimizer, T_max={{total}})", "https://arxiv.org/abs/1608.03983",
    ),
    ScheduleType(
        "step", msg("Steps"), msg("It is divided by ten after 60 % and after 85 % of the run."),
        lambda progress: STEP_BY ** sum(progress >= at for at in STEP_AT),
        f"milestones = [int(share * {{total}}) for share in {STEP_AT}]\n"
        f"scheduler = {_SCHEDULERS}.MultiStepLR(optimizer, milestones, gamma={STEP_BY})",  # no text: code
    ),
)  # fmt: skip

_BY_NAME = {kind.name: kind for kind in SCHEDULES}
SCHEDULE_TITLES: Mapping[str, str] = {kind.name: kind.title for kind in SCHEDULES}


def schedule_type(name: str) -> ScheduleType:
    """Return the schedule called `name`.

    Raises:
        UnknownName: there is no such schedule.
    """
    if name not in _BY_NAME:
        raise UnknownName(msg("schedule"), name, _BY_NAME)
    return _BY_NAME[name]
