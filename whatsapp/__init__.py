"""Meta's vocabulary that two or more rooms share: pure, without I/O and without settings."""
