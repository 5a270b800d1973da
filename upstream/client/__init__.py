"""Asks the REST API v4: one request with its limits, retries and checks at a time."""
