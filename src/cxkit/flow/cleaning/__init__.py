"""Cleaning: a recorded list of steps, each of which says what it touched."""
