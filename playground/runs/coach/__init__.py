"""The coach: finds faults in a run's record, explains them, and offers runs that would do better.

    findings(Record.of(History(run).follow()))

Nothing here needs PyTorch: a detector is a pure function of a record.
"""

from playground.runs.coach.finding import Finding, Remedy, as_json
from playground.runs.coach.judging import detected, findings
from playground.runs.coach.record import Record

__all__ = ["Finding", "Record", "Remedy", "as_json", "detected", "findings"]
