"""Canonical tables: contracts, mapping of sources, quality, snapshots, a simulated shop."""
