"""How OpenAPI describes API keys and ID tokens.

drf-spectacular finds it by its class, once the module is imported.
"""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its own hook is untyped
    """``Authorization: Bearer …``."""

    target_class = "tenants.authentication.BearerAuthentication"
    name = "Bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Describe it."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key of one of the operator's API clients, or a Cognito ID token of a person. "
            "Staff of several operators name one in the header Holdfast-Operator.",
        }
