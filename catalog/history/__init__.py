"""Tells what each new version of the catalog changed."""
