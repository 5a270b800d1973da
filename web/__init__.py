"""Speaks HTTP and WebSocket: the GraphQL endpoint, what caches are told, pages for people and for operators."""
