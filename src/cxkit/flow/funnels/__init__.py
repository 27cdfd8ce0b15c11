"""Funnels: how far journeys get through steps, under any policy."""
