"""The product's addresses, with the floor and the rival beside them."""

from django.urls import path

from benchmarks.provider import NullProvider
from benchmarks.views import Floor, Textbook
from config import urls
from config.urls import handler400, handler404, handler500
from payments.providers import registry

registry._MAKERS["stripe"] = NullProvider.from_settings

urlpatterns = [
    path("benchmark/floor", Floor.as_view()),
    path("benchmark/textbook", Textbook.as_view()),
    *urls.urlpatterns,
]

__all__ = ["handler400", "handler404", "handler500", "urlpatterns"]
