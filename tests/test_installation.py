"""Versions of torch and torchvision that do not match are reported before either is imported."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError

import pytest

from playground import installation
from playground.errors import InstallationError

PIN = ["numpy", "torch==2.9.0", "pillow!=8.3.*,>=5.3.0", 'scipy; extra == "scipy"']


def replace_versions(monkeypatch: pytest.MonkeyPatch, torch: str | None, vision: str | None, requirements: list[str] | None) -> None:
    def version(name: str) -> str:
        installed = {"torch": torch, "torchvision": vision}[name]
        if installed is None:
            raise PackageNotFoundError(name)
        return installed

    monkeypatch.setattr(installation, "version", version)
    monkeypatch.setattr(installation, "requires", lambda _: requirements)


def test_the_installed_versions_match() -> None:
    installation.check()


@pytest.mark.parametrize(
    ("torch", "vision", "requirements"),
    [
        pytest.param("2.9.0", "0.24.0", PIN, id="plain"),
        pytest.param("2.9.0+cpu", "0.24.0+cpu", PIN, id="both-cpu"),
        pytest.param("2.9.0+cu130", "0.24.0+cu130", PIN, id="both-cuda"),
        pytest.param("2.9.0+cu130", "0.24.0", PIN, id="local-version-of-torch"),
        pytest.param("2.9.0", "0.24.0", ["torch (==2.9.0)"], id="old-metadata"),
        pytest.param("2.9.0", "0.24.0", ["torch==2.9.0+cu130"], id="local-version-required"),
        pytest.param("2.9.1", "0.24.0", ["torch (>=2.9.0)"], id="at-least"),
        pytest.param("2.9.0", "0.24.0", ["numpy"], id="torch-not-mentioned"),
        pytest.param("2.9.0", "0.24.0", None, id="no-metadata"),
        pytest.param("2.9.0", "0.24.0", ["torchaudio==1.0", "torch==2.9.0"], id="another-package-first"),
    ],
)
def test_matching_versions_are_accepted(torch: str, vision: str, requirements: list[str] | None, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_versions(monkeypatch, torch, vision, requirements)
    installation.check()


@pytest.mark.parametrize(
    ("torch", "vision", "requirements"),
    [
        pytest.param("2.8.0", "0.24.0", PIN, id="older"),
        pytest.param("2.9.1", "0.24.0", PIN, id="newer"),
        pytest.param("2.8.0+cu126", "0.24.0+cu126", PIN, id="local-versions"),
        pytest.param("2.8.0", "0.24.0", ["torch (==2.9.0)"], id="old-metadata"),
        pytest.param("2.8.0", "0.24.0", ["numpy", "torch (>=2.9.0)"], id="below-the-least"),
        pytest.param("2.8.0", "0.24.0", ["torch>=2.9.0"], id="below-the-least-new-metadata"),
    ],
)
def test_mismatching_versions_are_refused(torch: str, vision: str, requirements: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    replace_versions(monkeypatch, torch, vision, requirements)
    with pytest.raises(InstallationError) as caught:
        installation.check()
    for fact in (torch, vision, "2.9.0", "pip install"):
        assert fact in str(caught.value)


def test_a_cpu_torch_with_a_cuda_torchvision_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    replace_versions(monkeypatch, "2.9.0+cpu", "0.24.0+cu130", PIN)
    with pytest.raises(InstallationError, match=r"torch 2\.9\.0\+cpu has no GPU support.*pip install"):
        installation.check()


@pytest.mark.parametrize(("torch", "vision", "missing"), [(None, "0.24.0", "torch"), ("2.9.0", None, "torchvision"), (None, None, "torch")])
def test_a_missing_package_is_named(torch: str | None, vision: str | None, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_versions(monkeypatch, torch, vision, PIN)
    with pytest.raises(InstallationError, match=rf"The package {missing} is not installed\. Run: pip install"):
        installation.check()


def test_the_import_error_of_a_mismatched_pair_is_explained() -> None:
    explained = installation.explain(RuntimeError("operator torchvision::nms does not exist"))
    assert isinstance(explained, InstallationError) and "pip install" in str(explained)


@pytest.mark.parametrize("error", [RuntimeError("out of memory"), ImportError("No module named 'torch'"), ValueError()], ids=repr)
def test_any_other_error_is_not_changed(error: Exception) -> None:
    assert installation.explain(error) is None
