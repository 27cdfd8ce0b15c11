"""The next step of a journey, and how well it is predicted."""
