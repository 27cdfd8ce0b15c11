"""Markov chains of any order over paths, and removal effects."""
