"""Tests that may be looked at more than once: bounds, monitoring, and what to say after a stop."""
