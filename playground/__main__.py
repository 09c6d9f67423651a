"""`python -m playground`"""

import os

from playground import settings
from playground.cli import main

os.environ.update(settings.training_environment())  # before any command imports torch
main()
