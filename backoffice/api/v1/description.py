"""The API's description: the OpenAPI document and a page to read it (G-011)."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from backoffice.api.base import ByMatrix


class Schema(SpectacularAPIView):  # type: ignore[misc]
    """The OpenAPI document."""

    resource = "description"
    permission_classes = (ByMatrix,)
    http_method_names = ("get", "head")


class Docs(SpectacularSwaggerSplitView):  # type: ignore[misc]
    """The page; its script is a file of its own, so that no inline script has to be allowed."""

    resource = "description"
    permission_classes = (ByMatrix,)
    http_method_names = ("get", "head")


urlpatterns = [
    path("schema/", Schema.as_view(), name="api_schema"),
    path("docs/", Docs.as_view(url_name="api_schema"), name="api_docs"),
]
