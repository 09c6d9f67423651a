"""The tasks of the Autograd page by name, `module:function`: a page can name them without PyTorch; `playground.tensors.sandbox` runs them."""

from __future__ import annotations

OBSERVE = "playground.autograd.sandbox_tasks:observe"
LOSS_CURVE = "playground.autograd.sandbox_tasks:loss_curve"
CHECK_GRADIENTS = "playground.autograd.sandbox_tasks:check_gradients"
DESCEND = "playground.autograd.sandbox_tasks:descend"
GRADIENT_FLOW = "playground.autograd.gradient_flow:measure_gradient_flow"
PITFALL = "playground.autograd.pitfalls.catalogue:compare"
REHEARSE = "playground.autograd.sandbox_tasks:rehearse"
PREPARE = "playground.autograd.sandbox_tasks:prepare"
