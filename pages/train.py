"""Train: choose a data set, a network and settings, and watch the training."""

from playground.ui.pages.train import page as train

train.heading()
settings, result = train.layout()
with settings:
    train.choose_and_start()
with result:
    train.watch()
