"""`python -m playground`, and the command `pytorch-playground` of an installed playground."""

import os

from playground import environment
from playground.messages import language, language_of_environment


def run() -> None:
    os.environ.update(environment.training_environment())  # before any command imports torch
    language.set(language_of_environment())
    from playground.cli import main  # translates the help of its commands

    main()


if __name__ == "__main__":
    run()
