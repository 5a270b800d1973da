"""What the commands of ``server.py`` show to whoever runs them."""
