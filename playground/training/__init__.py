"""Training: its settings, the loop that yields events, and what the events are."""
