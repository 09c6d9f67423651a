"""(stand-in by the owner until the coach is written: the routes in playground/ui/run_api.py import these names; `remedied(run, remedy, owner) -> Run` makes the
proposed run with branching.fork or run.create; please provide it, too)"""

from typing import Any


class Record:
    @classmethod
    def of(cls, history: Any) -> Any:
        return None


def findings(record: Any) -> Any:
    return ()


def as_json(found: Any) -> list[Any]:
    return []


def remedied(run: Any, remedy: Any, owner: str) -> Any:
    raise NotImplementedError
