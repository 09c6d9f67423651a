"""The frame of every page: navigation, the choice of device, and the display of errors.

A folder of its own, because Streamlit treats a folder `pages` beside the script that it runs as a list of pages.
"""
