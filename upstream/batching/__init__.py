"""Joins what many requests want from upstream into the cheapest requests."""
