"""What a web server calls."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from config import embedded_postgres

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

if settings.EMBEDDED_POSTGRES_DIR is not None:
    embedded_postgres.ensure_running(settings.EMBEDDED_POSTGRES_DIR)

application = get_wsgi_application()
