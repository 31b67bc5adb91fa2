"""Configuration: settings, URLs, WSGI, and the embedded database."""
