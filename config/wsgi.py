"""What a web server calls."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from common.text_middleware import without_charset
from config import embedded_postgres

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

if settings.EMBEDDED_POSTGRES_DIR is not None:
    embedded_postgres.ensure_running(settings.EMBEDDED_POSTGRES_DIR)

application = without_charset(get_wsgi_application())
