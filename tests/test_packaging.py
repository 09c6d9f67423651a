"""The package that `pip install .` builds: its files, metadata and requirements."""

from __future__ import annotations

import re
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import playground
from playground.environment import ROOT

from .support.wheel import build_wheel

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(build_wheel(tmp_path_factory.mktemp("wheel")))


def requirements(file: str) -> set[str]:
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith(("#", "-r"))}


def group(name: str) -> set[str]:
    """The requirements of a dependency group, those of the groups that it includes among them."""
    listed = PROJECT["dependency-groups"][name]
    return {one for entry in listed for one in (group(entry["include-group"]) if isinstance(entry, dict) else {entry})}


def files_under(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts}


def test_the_wheel_contains_the_package_pages_models_and_configuration(wheel: zipfile.ZipFile) -> None:
    beside = {f"{folder}/{path}" for folder in ("pages", "models") for path in files_under(ROOT / folder)} | {"streamlit_app.py", ".streamlit/config.toml"}
    expected = {f"playground/{path}" for path in files_under(ROOT / "playground")} | {f"playground/bundled/{path}" for path in beside}
    packed = {name for name in wheel.namelist() if not name.startswith("pytorch_playground-")}
    assert packed == expected
    assert {"playground/bundled/models/pretrained/mnist-cnn.safetensors", "playground/data/assets/mnist-5k.npz", "playground/bundled/pages/home.py"} <= packed


def test_the_wheel_is_small(wheel: zipfile.ZipFile) -> None:
    assert sum(entry.compress_size for entry in wheel.infolist()) < 3_000_000


def test_the_wheel_has_metadata(wheel: zipfile.ZipFile) -> None:
    (metadata,) = (wheel.read(name).decode() for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    assert f"Version: {playground.__version__}\n" in metadata and "License-Expression: MIT\n" in metadata
    assert {line.removeprefix("Requires-Dist: ") for line in metadata.splitlines() if line.startswith("Requires-Dist")} == set(
        PROJECT["project"]["dependencies"]
    )
    (scripts,) = (wheel.read(name).decode() for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "pytorch-playground = playground.__main__:run" in scripts


def test_the_version_is_defined_once() -> None:
    assert PROJECT["project"]["dynamic"] == ["version"] and "version" not in PROJECT["project"]


def test_requirement_files_repeat_pyproject() -> None:
    assert requirements("requirements.txt") == set(PROJECT["project"]["dependencies"])
    assert requirements("requirements-dev.txt") == group("dev")


def test_the_tested_versions_satisfy_the_requirements() -> None:
    tested = {Requirement(line).name.lower(): Requirement(line).specifier for line in requirements("constraints.txt")}
    for line in {*PROJECT["project"]["dependencies"], *group("dev")}:
        required = Requirement(line)
        (version,) = (pin.version for pin in tested[required.name.lower()])
        assert required.specifier.contains(version), line


def test_the_lock_has_the_tested_versions_each_with_hashes() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.findall(r"^([\w.-]+)==(\S+).*((?:\n    --hash=sha256:[0-9a-f]{64}(?: \\)?)+)", text, re.MULTILINE)
    assert len(entries) == len(re.findall(r"^[^#\s]", text, re.MULTILINE)), "a line has no hash"
    locked = {canonicalize_name(name): version for name, version, _ in entries}
    tested = {canonicalize_name(name): version for name, version in (line.split("==") for line in requirements("constraints.txt"))}
    assert locked.items() <= tested.items()
    assert {canonicalize_name(Requirement(line).name) for line in PROJECT["project"]["dependencies"]} <= locked.keys()


def test_no_file_names_a_machine_or_a_registry() -> None:
    for file in ("requirements.txt", "requirements-dev.txt", "constraints.txt", "requirements.lock"):
        assert re.search(r"https?://|file:|--(extra-)?index-url|--find-links|@ ", (ROOT / file).read_text(encoding="utf-8")) is None, file


def test_the_image_copies_only_existing_files_that_are_not_ignored() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = [source for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE) for source in line.split()[:-1]]
    allowed = [line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")]
    assert sorted(copied) == sorted(allowed)
    assert [source for source in copied if not (ROOT / source).exists()] == []


def test_the_hooks_format_with_the_tested_ruff() -> None:
    (tested,) = (line.removeprefix("ruff==") for line in requirements("constraints.txt") if line.startswith("ruff=="))
    (hook,) = re.findall(r"rev: v(\S+)", (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert hook == tested


def test_every_python_version_of_the_package_is_tested() -> None:
    (matrix,) = re.findall(r"python: \[(.+)\]", (ROOT / ".github" / "workflows" / "check.yml").read_text(encoding="utf-8"))
    named = [line.rpartition(" ")[2] for line in PROJECT["project"]["classifiers"] if line.startswith("Programming Language :: Python :: 3.")]
    assert re.findall(r'"(.+?)"', matrix) == named
