"""Django Packages seen from Python: the v4 client, its records, and an embedded copy of the v4 API."""
