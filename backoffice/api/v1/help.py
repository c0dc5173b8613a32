"""Help articles (U-052)."""

from typing import Any

from django.urls import path
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from wagtail.rich_text import expand_db_html

from backoffice.accounts.models import User
from backoffice.api.base import ApiView, ok
from backoffice.core.errors import Invalid
from cms.help import queries
from cms.help.models import HelpArticlePage

LONGEST_QUERY = 200


class HelpArticleOutput(serializers.Serializer[Any]):
    """A published article; `body` is HTML of headings, lists, emphasis and links only."""

    id = serializers.UUIDField(source="translation_key")
    title = serializers.CharField()
    kind = serializers.ChoiceField(HelpArticlePage.Kind.choices)
    topic = serializers.ChoiceField(HelpArticlePage.Topic.choices)
    summary = serializers.CharField()
    body = serializers.SerializerMethodField()
    video_url = serializers.CharField()
    url = serializers.SerializerMethodField()

    def get_body(self, article: HelpArticlePage) -> str:
        return str(expand_db_html(article.body))

    def get_url(self, article: HelpArticlePage) -> str:
        return str(article.get_full_url(self.context["request"]))


class HelpView(ApiView):
    """Searching the knowledge base."""

    resource = "help"

    @extend_schema(
        operation_id="help_list",
        summary="Help articles, best match first",
        parameters=[
            OpenApiParameter("q", str, description="Words to look for; empty lists every article."),
            OpenApiParameter("language", str, enum=User.Language.values, description="Default: the request's."),
        ],
        responses=HelpArticleOutput(many=True),
    )
    def get(self, request: Request) -> Response:
        text = request.query_params.get("q", "")
        if len(text) > LONGEST_QUERY:
            raise Invalid(_("At most %(most)s characters.") % {"most": LONGEST_QUERY}, field="q")
        language = request.query_params.get("language") or (get_language() or "en")[:2]
        if language not in User.Language.values:
            raise Invalid(_("This language is not offered."), field="language")
        articles = queries.articles(language=language, text=text)
        context: dict[str, Any] = {"request": request._request}
        return ok(HelpArticleOutput(articles, many=True, context=context).data)


urlpatterns = [path("help", HelpView.as_view(), name="help")]
