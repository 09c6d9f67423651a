"""The entry: `streamlit run` finds it and serves the app with its routes."""

from playground.ui.server import app

__all__ = ["app"]
