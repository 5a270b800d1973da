"""Serves pages for people: the home page, GraphiQL, the documents and the app at /explore."""
