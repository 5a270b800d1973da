"""Runs the HTTP server under the app: its event loop, its protocols and its open connections."""
