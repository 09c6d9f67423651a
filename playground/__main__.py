"""`python -m playground`"""

import os

from playground import environment
from playground.cli import main

os.environ.update(environment.training_environment())  # before any command imports torch
main()
