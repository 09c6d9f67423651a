"""The unit tests of the components' scripts, which Node.js runs: the files `*.test.js` beside this one."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from playground.environment import PACKAGE, ROOT

NATIVE = re.compile(r"""<(?:select|details)\b|type=["']?range|element\("(?:select|details)"\)|type: "range\"""")
COMPONENTS = PACKAGE / "ui" / "components"
C8 = ROOT / "node_modules" / ".bin" / "c8"


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed: the scripts of the components were not tested")
def test_the_scripts_pass_their_unit_tests() -> None:
    files = sorted(Path(__file__).parent.glob("*.test.js"))
    coverage = [C8] if C8.exists() else []  # it fails where less than 90 % of the lines of a module without a page are covered; package.json names them
    done = subprocess.run([*coverage, "node", "--test", *files], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    count = sum(file.read_text(encoding="utf-8").count("\ntest(") for file in files)
    results = dict(re.findall(r"^# (pass|skipped) (\d+)$", done.stdout, re.MULTILINE))
    assert int(results["pass"]) + int(results["skipped"]) == count, "a test of an ESLint rule is skipped where ESLint is not installed"


def test_no_control_looks_as_the_browser_draws_it() -> None:
    files = [file for pattern in ("*.js", "*.html") for file in COMPONENTS.rglob(pattern) if "vendor" not in file.parts]
    assert len(files) > 50
    assert [file.name for file in files if NATIVE.search(file.read_text(encoding="utf-8"))] == [], "use the elements of shared/controls.js"
