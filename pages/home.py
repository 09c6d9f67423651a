"""Home: what the playground does, and where to start."""

from playground.ui.pages import home

home.greeting()
home.actions_and_pad()
home.latest_runs()
home.footer()
