"""Speaks HTTP and WebSocket: the GraphQL endpoint, headers for caches, and pages for people and for operators."""
