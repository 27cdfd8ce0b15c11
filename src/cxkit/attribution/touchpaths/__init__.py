"""Journeys as paths of touches: cut, counted, and as text."""
