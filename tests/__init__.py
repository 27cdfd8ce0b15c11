"""Makes ``tests.shared`` importable as itself, whatever else is installed under that name."""
