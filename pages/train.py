"""Train: choose data, a network and settings; watch it learn."""

from playground.ui import train

train.heading()
settings, result = train.layout()
with settings:
    train.choose_and_start()
with result:
    train.watch()
