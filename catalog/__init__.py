"""Keeps what is known of Django Packages: the catalog, its indexes, its age and its changes."""
