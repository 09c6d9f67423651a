"""Training: settings, the loop, and the events that it yields."""
