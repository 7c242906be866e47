"""Intervals for shares, ratios and differences; knows no query engine."""
