"""Post-purchase retention: reproducible reports, survival, segments and randomized check-in tests."""

from __future__ import annotations

__version__ = "0.1.0"
