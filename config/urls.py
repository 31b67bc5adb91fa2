"""Where each address leads."""

from typing import Any

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView

from backoffice import cognito
from common import fallbacks
from common.openapi import SchemaView
from sweeps.probes import PROBES

api: list[Any] = [
    path("schema", SchemaView.as_view(), name="schema"),
    path("docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("redoc", SpectacularRedocView.as_view(url_name="schema", template_name="redoc.html"), name="redoc"),
    path("", include("booking.api.urls")),
    path("", include("payments.api.urls")),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="docs")),
    # The middleware answers them; this is for who asks in another way than by GET.
    *(path(address.lstrip("/"), require_safe(probe)) for address, probe in PROBES.items()),
    path("api/v1/", include(api)),
    path("webhooks/", include("webhooks.api.urls")),
    path("admin/cognito/begin", cognito.begin, name="cognito_begin"),
    path("admin/cognito/callback", cognito.callback, name="cognito_callback"),
    path("admin/", admin.site.urls),
    path("api/<path:path>", fallbacks.unknown),
    path("webhooks/<path:path>", fallbacks.unknown),
]

handler400 = fallbacks.bad_request
handler404 = fallbacks.not_found
handler500 = fallbacks.server_error
