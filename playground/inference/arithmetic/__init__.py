"""How one number in the output of one layer came about, down to the last multiplication.

    write_out(layer, given, (channel, row, column))

Every term of a sum is there, each with its value and its weight; a block that is made of other layers has theirs as children.
"""

from playground.inference.arithmetic.record import Step, Term, Written, as_json
from playground.inference.arithmetic.writing import WRITERS, write_out

__all__ = ["WRITERS", "Step", "Term", "Written", "as_json", "write_out"]
