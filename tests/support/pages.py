"""Pages as Streamlit's AppTest runs them, without a browser."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from playground.environment import ROOT


def new_app() -> AppTest:
    """Return the playground before its first run, as in a new browser tab."""
    return AppTest.from_file(str(ROOT / "playground" / "ui" / "shell" / "app.py"), default_timeout=90)


def switch_page(app: AppTest, page: str) -> AppTest:
    """Switch to the page of this name without running it yet."""
    return app.switch_page(str(ROOT / "pages" / f"{page}.py"))


def open_page(app: AppTest, page: str) -> AppTest:
    """Open a page by its name, as its address does; fail if it raises."""
    if page != "home":
        switch_page(app, page)
    app.run()
    assert not app.exception, app.exception
    return app
