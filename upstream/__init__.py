"""Reaches the REST API v4 of Django Packages: a client, batching, and an embedded copy of the API."""
