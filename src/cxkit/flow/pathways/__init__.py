"""Whole paths: the same, alike, costly, in clusters, and what they hold."""
