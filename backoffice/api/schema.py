"""Tells the schema generator how our tokens are sent."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Bearer JWT."""

    target_class = "backoffice.api.authentication.TokenAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


def ours(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """The endpoints of this API; Wagtail's editor has some of its own that nobody else shall build on."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/api/v1/")]
