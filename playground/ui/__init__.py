"""The screen: with `pages/`, the only place that imports streamlit or plotly."""
