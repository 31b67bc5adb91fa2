"""``GET /health``: this process answers. It asks nothing that can hang: a restart would mend no database."""

from django.http import HttpRequest, JsonResponse
from django.utils import timezone


def live(request: HttpRequest) -> JsonResponse:
    """Answer that the process is up."""
    return JsonResponse({"status": "ok", "timestamp": timezone.now().isoformat().replace("+00:00", "Z")})
