"""Reads the filters of clients, and finds the records of a catalog that match them."""
