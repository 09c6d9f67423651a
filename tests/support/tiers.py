"""How often what only repeats is repeated: a fifth of it in the quick tier, all of it in the full one."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

QUICK, FULL = "quick", "full"
_EXAMPLES = {QUICK: 20, FULL: 100}
_MACHINE_DEPENDENT = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)
"""Checks that fail on a slow machine, and one that forbids the folders every test has."""


def register_profiles() -> None:
    """Register Hypothesis's profiles: no test has a deadline, and the quick tier draws the same examples each time."""
    for name, count in _EXAMPLES.items():
        settings.register_profile(name, max_examples=count, derandomize=name == QUICK, deadline=None, suppress_health_check=_MACHINE_DEPENDENT, print_blob=True)


def is_quick() -> bool:
    """Whether the profile in force is the quick tier's."""
    return settings.get_current_profile_name() == QUICK


def repetitions(full: int) -> int:
    """Scale the full tier's count to the profile in force.

    Args:
        full: examples, programs, moments or whatever else is repeated, in the full tier.
    """
    count: int = settings().max_examples
    return max(1, full * count // _EXAMPLES[FULL])
