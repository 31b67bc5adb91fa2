"""What every operation's description in OpenAPI is made of."""

import threading
from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from drf_spectacular.views import SpectacularAPIView

from common.serializers import ErrorEnvelope

KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x21-\x7E]+$"},
    OpenApiParameter.HEADER,
    required=True,
    description="1 to 255 visible ASCII characters, a new one for each operation. The same request with the same key "
    "gets the first answer, byte for byte.",
)

_generating = threading.Lock()


class SchemaView(SpectacularAPIView):
    """Serves the API description, made by one thread at a time.

    drf-spectacular writes to classes while it makes one.
    """

    def dispatch(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Wait for a thread that is making the description."""
        with _generating:
            return super().dispatch(*args, **kwargs)


def error(description: str) -> OpenApiResponse:
    """Describe an answer that refuses."""
    return OpenApiResponse(ErrorEnvelope, description=description)


COMMON: dict[int, OpenApiResponse] = {
    401: error("`invalid_token`: no API key, or one that is not valid."),
    403: error("`insufficient_scope`: the key may not do this."),
    429: error("`rate_limited`: too many requests; `Retry-After` says when to come again."),
    503: error("`unavailable`: nothing was changed; `Retry-After` says when to come again."),
}
NOT_FOUND = {404: error("`not_found`: there is no such object for this caller.")}
KEYED: dict[int, OpenApiResponse] = {
    400: error("`idempotency_key_missing`, `idempotency_key_invalid`, `malformed_json`."),
    **COMMON,
    413: error("`too_large`: the body is larger than 1 MiB."),
    415: error("`unsupported_media_type`: the body must be JSON."),
}
