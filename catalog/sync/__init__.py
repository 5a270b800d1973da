"""Follows upstream: crawls it, looks for new packages and publishes what changed."""
