"""Survival kernels on collapsed tables; knows no query engine."""
