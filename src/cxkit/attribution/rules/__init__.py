"""Rules: each shares a conversion among the touches of its own path."""
