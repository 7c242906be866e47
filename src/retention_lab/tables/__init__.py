"""Canonical tables: contracts, mapping of sources, quality, snapshot, simulator with known truth."""
