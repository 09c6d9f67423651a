"""Train: watch a run, and set up the next one."""

from playground.ui.pages.train import page as train

train.show()
