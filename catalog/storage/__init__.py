"""Stores the last good catalog on disk, and says which process may crawl."""
