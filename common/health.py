"""``GET /health``: this process answers.

It asks nothing that can hang: a restart would mend no database.
"""

from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from common.times import rfc3339


def live(request: HttpRequest) -> JsonResponse:
    """Answer that the process is up."""
    return JsonResponse({"status": "ok", "timestamp": rfc3339(timezone.now())})
