"""Sample size, power and smallest detectable effect of a test, before it begins."""
