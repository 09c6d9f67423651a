"""Loss surfaces of two parameters as plain data, so that a page can show them before PyTorch is imported.

The usual test functions: https://en.wikipedia.org/wiki/Test_functions_for_optimization
"""

from __future__ import annotations

from dataclasses import dataclass

from playground.messages import msg

OPTIMIZER_NAMES = ("SGD", "SGD with momentum", "Nesterov", "RMSprop", "Adam", "AdamW")  # no text: names of optimizers


@dataclass(frozen=True)
class Surface:
    """A loss of two parameters."""

    title: str
    expression: str
    """The loss in `x` and `y`, as in a script."""
    x: tuple[float, float]
    y: tuple[float, float]
    """Limits of the drawn part along each axis."""
    start: tuple[float, float]
    learning_rate: float
    """A learning rate at which the optimizers descend visibly."""
    steps: tuple[int, ...] = (50, 100, 200, 500, 1000)
    """How many the optimizers can take."""
    usual_steps: int = 200


SURFACES = {
    "valley": Surface(msg("Narrow valley"), "x**2 / 20 + 5 * y**2", (-5.0, 5.0), (-2.0, 2.0), (-4.5, 1.5), 0.1),
    "rosenbrock": Surface(msg("Rosenbrock’s banana"), "(1 - x)**2 + 100 * (y - x**2)**2", (-2.0, 2.0), (-1.0, 3.0), (-1.5, 2.5), 0.001),
    "saddle": Surface(msg("Saddle"), "x**2 - y**2 + y**4 / 4", (-2.0, 2.0), (-2.0, 2.0), (1.8, 0.01), 0.05),
    "minima": Surface(msg("Many minima"), "(x**2 + y - 11)**2 + (x + y**2 - 7)**2", (-5.0, 5.0), (-5.0, 5.0), (-0.5, -0.5), 0.01),
}

OWN = "own"
"""The name of the learner's own surface."""
OWN_SURFACE = Surface(msg("Your own expression"), "torch.sin(2 * x) + x**2 / 4 + y**2", (-3.0, 3.0), (-3.0, 3.0), (2.5, 2.0), 0.1, (25, 50, 100), 100)
"""Where the learner's own expression is drawn, with fewer steps, because the interpreter evaluates it; the expression is only its first."""
