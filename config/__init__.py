"""What the apps are put together with: settings, URLs, WSGI, and the embedded database."""
