"""Who comes back, who stays active, and how long things last."""
