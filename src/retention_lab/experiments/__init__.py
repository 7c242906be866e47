"""Randomized tests: how many customers, for how long, and what came of it; knows no notebook."""
