"""Finds the documents that requests name by an id: trusted ones and registered ones."""
