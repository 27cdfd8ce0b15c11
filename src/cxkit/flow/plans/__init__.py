"""The journey as designed beside the journeys that happened."""
