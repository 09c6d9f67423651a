"""What the learner changed while the run was training, and what it did to the loss."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from playground.messages import joined, msg
from playground.runs.coach import remedies
from playground.runs.coach.finding import Finding, Remedy, Undo
from playground.runs.coach.record import Record
from playground.runs.coach.remedies import Remedies
from playground.runs.columns import Array
from playground.training.events import LearningRate, OptimizerChanged
from playground.training.optimizers import OPTIMIZER_TITLES

EFFECT_STEPS = 100
"""Steps after a change within which a rising loss is its effect."""
WINDOW, BEFORE, MIN_BEFORE = 10, 20, 5
"""Steps over which the loss is averaged after a change, and before it; with fewer than the last before it, no effect is measured."""
RISE_FACTOR = 2.0
"""Loss after a change, divided by the loss before it, from which it has risen."""
MIN_RISE = 0.05
"""Smallest rise, as a share of the loss at chance level: below it the predictions hardly change, as after 0.001 has become 0.003."""
MIN_SIGMAS = 4.0
"""Rise of the mean logarithm of the loss, in its standard errors, below which it may be chance: batches differ."""
RECOVERED_FACTOR = 1.25
"""Loss, divided by that before the change, from which it has recovered."""
CAUSED = ("rate-too-high", "dead-relus")
"""Faults that large steps cause within `EFFECT_STEPS`."""


@dataclass(frozen=True)
class OwnChange:
    """A change of the learning rate, the optimizer or both; changes that follow each other within `WINDOW` steps are one."""

    first: int
    """Step before which nothing was changed yet."""
    step: int
    """Step after which all of it was changed."""
    rates: tuple[float, float]
    """Learning rate before and after it."""
    optimizers: tuple[str, str]
    """Name of the optimizer before and after it."""

    @property
    def text(self) -> str:
        """Say what the learner changed, as a title."""
        (old, new), (before, after) = self.rates, (OPTIMIZER_TITLES.get(name, name) for name in self.optimizers)
        if old == new:
            return msg("You changed the optimizer from {before} to {after} at step {step:,}", before=before, after=after, step=self.step)
        if before != after:
            return msg(
                "You changed the learning rate from {old:g} to {new:g} and the optimizer from {before} to {after} at step {step:,}",
                old=old,
                new=new,
                before=before,
                after=after,
                step=self.step,
            )
        if old < new:
            return msg("You raised the learning rate from {old:g} to {new:g} at step {step:,}", old=old, new=new, step=self.step)
        return msg("You lowered the learning rate from {old:g} to {new:g} at step {step:,}", old=old, new=new, step=self.step)


def own_changes(record: Record) -> list[OwnChange]:
    """Return what the learner changed, in order; without changes that were taken back at once."""
    changes: list[OwnChange] = []
    rate, optimizer = _settings_at_first(record)
    for event in record.changes:
        before = (rate, optimizer)
        match event:
            case LearningRate():
                rate = event.learning_rate
            case OptimizerChanged():
                optimizer = event.optimizer
        last = changes[-1] if changes else None
        if last and event.step - last.step < WINDOW:
            changes[-1] = replace(last, step=event.step, rates=(last.rates[0], rate), optimizers=(last.optimizers[0], optimizer))
        else:
            changes.append(OwnChange(event.step, event.step, (before[0], rate), (before[1], optimizer)))
    return [change for change in changes if change.rates[0] != change.rates[1] or change.optimizers[0] != change.optimizers[1]]


def _settings_at_first(record: Record) -> tuple[float, str]:
    """Return the learning rate and the optimizer before all changes: of a fork, those of the run that it continues."""
    rates = [event.before for event in record.changes if isinstance(event, LearningRate) and event.before]
    optimizers = [event.before for event in record.changes if isinstance(event, OptimizerChanged) and event.before]
    return (*rates, record.config.learning_rate)[0], (*optimizers, record.config.optimizer)[0]


def own_change(record: Record) -> Finding | None:
    """Report a change after which the loss at least doubled, or became non-finite, and has not recovered."""
    changes = own_changes(record)
    ends = [change.first for change in changes[1:]]
    for change, end in reversed(list(zip(changes, [*ends, math.inf], strict=False))):
        if effect := _effect(record, change, end):
            break
    else:
        return None
    undo = _undo(record, change)
    return Finding(
        "own-change",
        change.text,
        joined([effect.evidence, msg("It is set back, but the loss has not recovered.")]) if _is_set_back(record, change) else effect.evidence,
        msg("The step before it worked. What changed is the size or the direction of the steps: they now lead away from the minimum."),
        _advice(record, undo),
        "problem" if undo or record.is_over else "hint",
        effect.step,
        -1,
        _remedies(record, change),
        undo=undo,
        mark=effect.mark,
    )


def led_by_cause(record: Record, finding: Finding) -> Finding:
    """Return a finding that names the learner's own change first, if that is its cause; else the finding itself."""
    changes = own_changes(record)
    if finding.name == "rate-too-low":
        causes = [change for change in changes[-1:] if change.rates[1] < change.rates[0]]
    else:
        is_caused = finding.name in CAUSED
        causes = [
            change for change in changes if is_caused and change.first < finding.step <= change.step + EFFECT_STEPS and change.rates[0] <= change.rates[1]
        ]
    if not causes:
        return finding
    cause = causes[-1]
    is_settling = _is_set_back(record, cause) and not record.is_over
    evidence = joined(
        [msg("{title}.", title=finding.title), finding.evidence, *([msg("It is set back: watch whether the loss recovers.")] if is_settling else [])]
    )
    proposed = {remedy.id: remedy for remedy in (*finding.remedies, *_remedies(record, cause))}
    return replace(
        finding,
        title=cause.text,
        evidence=evidence,
        severity="hint" if is_settling else finding.severity,
        remedies=tuple(proposed.values()),
        undo=_undo(record, cause),
        mark=finding.title,
    )


def _is_set_back(record: Record, change: OwnChange) -> bool:
    return (record.learning_rate, record.optimizer) == (change.rates[0], change.optimizers[0])


class _Effect(NamedTuple):
    """What a change did to the loss."""

    step: int
    """Step at which it shows."""
    evidence: str
    mark: str


def _effect(record: Record, change: OwnChange, end: float) -> _Effect | None:
    """Return the effect of a change; None where the loss did not rise, or has recovered.

    Args:
        record: the run.
        change: what was changed.
        end: step of the next change: what happens later is that one's effect.
    """
    last = min(change.step + EFFECT_STEPS, end)
    diverged = record.diverged
    if diverged is not None and change.first < diverged.step <= last:
        return _Effect(diverged.step, msg("The loss stopped being finite at step {step:,}.", step=diverged.step), msg("not finite"))
    step, loss = record.column("step"), record.column("loss")
    before = loss[step <= change.first][-BEFORE:]
    later, at = loss[step > change.step], step[step > change.step]
    if len(before) < MIN_BEFORE or len(later) < WINDOW:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(later, WINDOW)
    means, ends = windows.mean(axis=1), at[WINDOW - 1 :]
    risen = _has_risen(record, before, windows) & (ends <= last)
    if not risen.any():
        return None
    peak = int(np.argmax(np.where(risen, means, -math.inf)))
    start = float(before.mean())
    if (means[peak:] <= max(RECOVERED_FACTOR * start, start + MIN_RISE * record.chance_loss / 2)).any():
        return None
    factor = _factor(means[peak] / start)
    evidence = msg("The loss rose ×{factor}, from {before:.2g} to {after:.2g}.", factor=factor, before=start, after=means[peak])
    return _Effect(int(ends[int(np.argmax(risen))]), evidence, msg("loss ×{factor}", factor=factor))


def _has_risen(record: Record, before: Array, windows: Array) -> npt.NDArray[np.bool_]:
    """Return for each window of steps, ``(windows, WINDOW)``, whether its loss is higher than before, by more than chance.

    Logarithms are compared, because a loss that grows tenfold at each step has a mean within one standard error of zero.
    """
    old, new = np.log(np.maximum(before, 1e-12)), np.log(np.maximum(windows, 1e-12))
    error = np.sqrt(old.var(ddof=1) / len(old) + new.var(axis=1, ddof=1) / WINDOW)
    rise = new.mean(axis=1) - old.mean()
    mean, start = windows.mean(axis=1), before.mean()
    is_large = (rise >= math.log(RISE_FACTOR)) & (mean >= RISE_FACTOR * start) & (mean - start >= MIN_RISE * record.chance_loss)
    risen: npt.NDArray[np.bool_] = is_large & (rise >= MIN_SIGMAS * error)
    return risen


def _factor(value: float) -> str:
    """Write a factor with two significant digits."""
    return f"{float(f'{value:.2g}'):,g}" if value < 1e5 else f"{value:.0e}"


def _undo(record: Record, change: OwnChange) -> tuple[Undo, ...]:
    """Return the commands that set back what is still changed, while the run takes commands."""
    if record.is_over or record.state not in ("running", "paused"):
        return ()
    rate, optimizer = change.rates[0], change.optimizers[0]
    return (
        *((Undo("learning-rate", rate),) if change.rates[1] != rate != record.learning_rate else ()),
        *((Undo("optimizer", optimizer),) if change.optimizers[1] != optimizer != record.optimizer else ()),
    )


def _advice(record: Record, undo: tuple[Undo, ...]) -> str:
    if record.is_over:
        return msg("Go back to a checkpoint before the change.")
    if undo:
        return msg("Undo it, and see whether the loss falls again; or keep watching what happens.")
    return msg("If the loss does not fall again, go back to a checkpoint before the change.")


def _remedies(record: Record, change: OwnChange) -> Remedies:
    """Propose to continue without the change from the last checkpoint before it, or to train from the start."""
    before: dict[str, object] = {
        **({"learning_rate": change.rates[0]} if change.rates[0] != change.rates[1] else {}),
        **({"optimizer": change.optimizers[0]} if change.optimizers[0] != change.optimizers[1] else {}),
    }
    earlier = [step for step in record.checkpoints if step < change.first]
    if earlier:
        return (Remedy(msg("Go back to step {step:,}, before the change", step=earlier[-1]), before, at=earlier[-1]),)
    return remedies.settings(record, msg("Train again without the change"), **before)
