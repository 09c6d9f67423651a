"""Check that the installed torch and torchvision match."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from playground.errors import InstallationError
from playground.messages import msg

MEND = msg("Install them as a pair: pip install --upgrade --force-reinstall torch torchvision")


def check() -> None:
    """Check that torch and torchvision are a matching pair, without importing either.

    A torchvision that was built for another torch fails at import with “operator torchvision::nms does
    not exist”, which tells a learner nothing.

    Raises:
        InstallationError: one is missing, or they do not match.
    """
    try:
        torch, vision = version("torch"), version("torchvision")
    except PackageNotFoundError as error:
        raise InstallationError(msg("The package {name} is not installed.", name=error.name), msg("Run: pip install -r requirements.txt")) from None
    needs = [Requirement(line) for line in requires("torchvision") or []]
    wanted = next((str(need.specifier) for need in needs if need.name == "torch"), "")
    public = SpecifierSet(re.sub(r"\+[\w.]+", "", wanted))  # “+cu130” names a build of the same version
    if not public.contains(torch, prereleases=True):
        message = msg("torchvision {vision} needs torch {wanted}, but torch {torch} is installed.", vision=vision, wanted=wanted, torch=torch)
        raise InstallationError(message, MEND)
    if "+cpu" in torch and "+cpu" not in vision:
        message = msg("torch {torch} has no GPU support, but torchvision {vision} was built for a torch that has.", torch=torch, vision=vision)
        raise InstallationError(message, MEND)


def explain(error: Exception) -> InstallationError | None:
    """Return the explanation of an import error that a mismatched pair causes; None for any other error."""
    if "torchvision::nms does not exist" in str(error):  # no text: what torch says
        return InstallationError(msg("torch and torchvision do not match: torchvision was built for another torch."), MEND)
    return None
