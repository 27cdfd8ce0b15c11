"""What comes next after what, how long it takes, and where journeys begin and end."""
