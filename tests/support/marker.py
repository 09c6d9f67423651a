"""A text in the environment of every process of the tests, which no script may show."""

MARKER = "marker-5f0c2b7e91"
