"""How one value of a layer's output was computed, down to the last multiplication.

    write_out(layer, inputs, (channel, row, column))

The calculation lists every term of a sum with its value and its weight; a block of several layers has their calculations as children.
"""

from playground.inference.arithmetic.calculation import Calculation, CalculationJson, Step, Term, as_json
from playground.inference.arithmetic.writers import WRITERS, write_out

__all__ = ["WRITERS", "Calculation", "CalculationJson", "Step", "Term", "as_json", "write_out"]
