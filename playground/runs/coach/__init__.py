"""The coach: finds faults in a run's record, explains them, and offers runs that would do better; of a healthy run, it proposes something to try.

    advice(Record.of(History(run).follow()))

Nothing here needs PyTorch: a detector is a pure function of a record.
"""

from playground.runs.coach.experiments import experiments
from playground.runs.coach.finding import Finding, Remedy, as_json
from playground.runs.coach.judging import advice, detected, findings
from playground.runs.coach.record import Record

__all__ = ["Finding", "Record", "Remedy", "advice", "as_json", "detected", "experiments", "findings"]
