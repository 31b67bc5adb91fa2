"""The product's addresses, with the floor and the rival beside them."""

from django.urls import path

from config import urls
from config.urls import handler400, handler404, handler500
from tools.benchmarks import provider
from tools.benchmarks.views import Floor, Textbook

provider.install()

urlpatterns = [
    path("benchmark/floor", Floor.as_view()),
    path("benchmark/textbook", Textbook.as_view()),
    *urls.urlpatterns,
]

__all__ = ["handler400", "handler404", "handler500", "urlpatterns"]
