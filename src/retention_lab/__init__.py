"""Post-purchase retention: reproducible reports, survival, segments, randomized check-ins."""

from __future__ import annotations

__version__ = "0.1.0"
