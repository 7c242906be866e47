"""Worked examples with known answers, kept beside the repository."""
