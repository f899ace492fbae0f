"""From frames to orders: core, wire, runtime, sim, models."""

__version__ = "0.1.0"
"""Version of the program; pyproject.toml says the same, and a test compares them."""
