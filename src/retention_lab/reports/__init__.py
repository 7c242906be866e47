"""Suites, typed parameters, runs, the HTML page and its publishing; knows no statistics."""
