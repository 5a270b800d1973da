"""GraphQL over HTTP: the endpoint, the execution behind it, and the page for people."""
