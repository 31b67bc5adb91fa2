"""How OpenAPI describes the API key. drf-spectacular finds it by its class, once the module is imported."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its own hook is untyped
    """``Authorization: Bearer hf_…``."""

    target_class = "tenants.authentication.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Describe it."""
        return {"type": "http", "scheme": "bearer", "description": "An API key of one of the operator's API clients."}
