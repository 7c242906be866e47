"""Buy till you die: how often customers buy, when they stop, and what they are worth."""
