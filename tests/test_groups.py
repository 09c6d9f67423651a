"""How tests are distributed to the worker processes of pytest-xdist."""

from __future__ import annotations

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="one process runs all tests")
def test_the_tests_of_a_module_are_a_group(request: pytest.FixtureRequest) -> None:
    """pytest-xdist reads a test's group from its identifier; without it every fixture of a module is set up by every worker."""
    assert request.node.nodeid.endswith("@tests/test_groups.py")
