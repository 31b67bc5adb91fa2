"""``GET /health``: this process answers. It asks no database, so that a restart is not tried for a database's fault."""

from django.http import HttpRequest, JsonResponse
from django.utils import timezone


def live(request: HttpRequest) -> JsonResponse:
    """Answer that the process is up."""
    return JsonResponse({"status": "ok", "timestamp": timezone.now().isoformat().replace("+00:00", "Z")})
