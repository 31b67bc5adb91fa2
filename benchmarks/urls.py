"""The product's addresses, with the floor and the rival beside them."""

from django.urls import path

from benchmarks import provider
from benchmarks.views import Floor, Textbook
from config import urls
from config.urls import handler400, handler404, handler500

provider.install()

urlpatterns = [
    path("benchmark/floor", Floor.as_view()),
    path("benchmark/textbook", Textbook.as_view()),
    *urls.urlpatterns,
]

__all__ = ["handler400", "handler404", "handler500", "urlpatterns"]
