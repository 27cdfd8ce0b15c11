"""Arrays only: codes, offsets, sorting, instants and spans, summaries, results.

Nothing in here knows of customers or channels.
"""
