"""Train: choose data, a network and settings; watch it learn."""

from playground.ui.pages.train import page as train

train.heading()
settings, result = train.layout()
with settings:
    train.choose_and_start()
with result:
    train.watch()
