"""Settings of Django REST framework and drf-spectacular."""

from typing import Any


def rest_framework(*, trusted_proxies: int) -> dict[str, Any]:
    """Return the settings of Django REST framework."""
    return {
        "DEFAULT_AUTHENTICATION_CLASSES": ["tenants.authentication.BearerAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["tenants.authentication.IsApiClient"],
        "DEFAULT_PARSER_CLASSES": ["common.parsers.StrictJSONParser"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_METADATA_CLASS": None,  # what OPTIONS would tell stands in the schema
        "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
        "DEFAULT_PAGINATION_CLASS": "common.pagination.NewestFirst",
        "DEFAULT_THROTTLE_CLASSES": ["tenants.throttling.ApiThrottle"],
        "NUM_PROXIES": trusted_proxies,
        "EXCEPTION_HANDLER": "common.exception_handler.handle",
        "UNAUTHENTICATED_USER": None,
        "COMPACT_JSON": True,
        "TEST_REQUEST_DEFAULT_FORMAT": "json",
    }


SPECTACULAR: dict[str, Any] = {
    "TITLE": "Holdfast",
    "DESCRIPTION": "Places on slots, never sold twice; money, never taken twice.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SERVE_PERMISSIONS": [],
    "SERVE_AUTHENTICATION": [],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "PaymentStatus": "payments.states.PaymentStatus",
        "RefundStatus": "payments.states.RefundStatus",
        "CommandStatus": "payments.states.CommandStatus",
        "CommandKind": "payments.states.CommandKind",
        "AttemptResult": "payments.models.CheckResult",
        "TransactionStatus": "payments.states.TransactionStatus",
        "TransactionKind": "payments.states.TransactionKind",
        "SlotStatus": ["open", "closed", "sold_out"],
    },
    # The scripts come from our own static files, so that the pages work without the internet.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}
