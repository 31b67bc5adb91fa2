"""The paths of the payments API."""

from django.urls.resolvers import URLPattern

urlpatterns: list[URLPattern] = []
