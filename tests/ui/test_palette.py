"""The colours of the plots that Python draws."""

from __future__ import annotations

import re

from playground.environment import PACKAGE
from playground.ui.shared.palette import TOKENS


def test_the_colours_are_those_of_the_components() -> None:
    styles = (PACKAGE / "ui" / "components" / "shared" / "controls.css").read_text(encoding="utf-8")
    declared = dict(re.findall(r"--([\w-]+): light-dark\((#\w+, #\w+)\)", styles))
    assert {name: ", ".join(colours) for name, colours in TOKENS.items()} == {name: declared[name] for name in TOKENS}
