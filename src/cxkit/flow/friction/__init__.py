"""Effort, channel switches, and the moments at which the thread is dropped."""
