"""Our admin site: Django's in its theme, with dashboard and search."""

import time
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.sites import UnfoldAdminSite

from backoffice import dashboard, search, second_factor, set_password
from tenants import scoping


class Site(UnfoldAdminSite):  # type: ignore[misc]  # the theme has no types
    """Where every page of the backoffice is registered."""

    index_template = "backoffice/dashboard.html"
    login_template = "backoffice/login.html"
    index_title = "Dashboard"

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the dashboard."""
        context = {
            **self.each_context(request),
            "title": self.index_title,
            **dashboard.of(request.user),
            **(extra_context or {}),
        }
        request.current_app = self.name
        return TemplateResponse(request, self.index_template, context)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Render a page in the time zone of the person's operator."""
        inner = super().admin_view(view, cacheable)

        @wraps(view)
        def shown(request: HttpRequest, *args: Any, **known: Any) -> Any:
            with timezone.override(scoping.zone_of(request.user)):
                answer = inner(request, *args, **known)
                return answer.render() if isinstance(answer, TemplateResponse) else answer

        return shown

    def get_urls(self) -> list[Any]:
        """Leave out "view on site".

        No row has a page of its own there, and Django fails at what is no key.
        """
        return [found for found in super().get_urls() if getattr(found, "name", "") != "view_on_site"]

    def extra_urls(self) -> list[URLPattern]:
        """Add the pages of nobody's rows."""
        return [
            path("second-factor/", self.admin_view(second_factor.page), name="second_factor"),
            path("set-password/<uidb64>/<token>/", set_password.page, name="set_password"),
        ]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Ask who is there, by a password or at the user pool."""
        url = f"{reverse('cognito_begin')}?{request.GET.urlencode()}" if settings.IDENTITY.has_sign_in else ""
        return super().login(request, {"cognito_url": url} | (extra_context or {}))  # type: ignore[no-any-return]

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Answer a search: pages by name, rows by what identifies them.

        The theme's own remembers answers for minutes; somebody who searches while a guest is on the telephone wants
        what is there now.
        """
        text = request.GET.get("s", "").strip()
        if not text:
            return HttpResponse()
        began = time.monotonic()
        results = search.one_page(search.find(self, request, text))
        context = {
            "results": results,
            "page_counter": 0,
            "page_obj": results.paginator,
            "execution_time": time.monotonic() - began,
            "command_show_history": False,
        }
        return TemplateResponse(
            request, "unfold/helpers/command_results.html", context, headers={"HX-Trigger": "search"}
        )
