"""Runs the commands of ``server.py``, one in each file."""
