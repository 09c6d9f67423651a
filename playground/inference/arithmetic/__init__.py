"""How one number in the output of one layer came about, down to the last multiplication.

    write_out(layer, given, (channel, row, column))

Every term of a sum is there, each with its value and its weight; a block that is made of other layers has theirs as children.
"""

from playground.inference.arithmetic.calculation import Calculation, Step, Term, as_json
from playground.inference.arithmetic.writing import WRITERS, write_out

__all__ = ["WRITERS", "Calculation", "Step", "Term", "as_json", "write_out"]
