"""Turns one GraphQL request into its answer, and knows nothing of HTTP."""
