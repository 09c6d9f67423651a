"""What surrounds every page: its look, the navigation, the choice of device, and the one place that shows errors.

A folder of its own, because Streamlit takes a folder `pages` beside the script that it runs for a list of pages.
"""
