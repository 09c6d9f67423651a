"""`python -m playground`, and the command `pytorch-playground` of an installed playground."""

import os

from playground import environment
from playground.cli import main


def run() -> None:
    os.environ.update(environment.training_environment())  # before any command imports torch
    main()


if __name__ == "__main__":
    run()
