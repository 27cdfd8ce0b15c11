"""Touchpoints, journeys, goals, and the door through which tables come in."""
