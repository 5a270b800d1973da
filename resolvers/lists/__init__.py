"""Orders lists of records and gives them page by page."""
