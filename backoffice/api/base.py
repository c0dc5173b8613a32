"""What every API view shares: tokens, the envelope, errors, pages, money (spec 3.1)."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from rest_framework import exceptions, serializers, status
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from structlog.contextvars import get_contextvars

from backoffice.accounts import roles, stepup, tokens
from backoffice.accounts.models import User
from backoffice.api import refusals
from backoffice.core import errors
from backoffice.core.money import api_amount
from backoffice.creators import queries as creators

log = structlog.get_logger(__name__)


class ByMatrix(BasePermission):
    """Asks the matrix whether the caller may do this to the view's ``resource``; what it does not name is refused.

    A method that the view does not have is answered 405 to whoever may do anything there.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        actor = actor_for(view, request.method or "")
        if actor == roles.VISITOR:
            return True
        if actor is None or not (request.user and request.user.is_authenticated):
            return False
        if actor == roles.CREATOR:
            view.creator = creators.for_user(request.user)
            if view.creator is None:
                raise exceptions.PermissionDenied(_("This is for creators."), code="not_a_creator")
        return True


def actor_for(view: Any, method: str) -> str | None:
    """The least actor who may call this view by this method; None when nobody may."""
    resource = view.resource
    if method in roles.API_VERBS and hasattr(view, method.lower()):
        return roles.api_actor(resource, roles.API_VERBS[method])
    return next((actor for actor in roles.ACTORS if roles.API.get(resource, {}).get(actor)), None)


class WholeSerializer(serializers.Serializer[Any]):
    """A part of a body that comes whole or not at all, in a PATCH too: the framework lets its fields be left out."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        missing = [
            name for name, field in self.fields.items() if field.required and not field.read_only and name not in attrs
        ]
        if missing:
            raise serializers.ValidationError({name: _("This field is required.") for name in missing})
        return attrs


class MoneySerializer(WholeSerializer):
    """An amount: a decimal string with the currency's decimals, and the ISO 4217 code."""

    amount = serializers.CharField()
    currency = serializers.CharField()


def money(minor: int | None, currency: str) -> dict[str, str] | None:
    """Minor units as the API shows money; None stays None."""
    return None if minor is None else {"amount": api_amount(minor, currency), "currency": currency}


def envelope(data: Any, *, metadata: Mapping[str, Any] | None = None, message: str = "") -> dict[str, Any]:
    """The success envelope (G-003)."""
    body: dict[str, Any] = {
        "success": True,
        "data": data,
        "metadata": {"localization": {"language": get_language() or "en"}, **(metadata or {})},
    }
    if message:
        body["message"] = message
    return body


def ok(data: Any, **more: Any) -> Response:
    """200 with data."""
    return Response(envelope(data, **more))


def created(data: Any, **more: Any) -> Response:
    """201 with the new thing."""
    return Response(envelope(data, **more), status=status.HTTP_201_CREATED)


def accepted(data: Any, **more: Any) -> Response:
    """202: taken, done later."""
    return Response(envelope(data, **more), status=status.HTTP_202_ACCEPTED)


def no_content() -> Response:
    """204 without a body."""
    return Response(status=status.HTTP_204_NO_CONTENT)


class Pagination:
    """Pages by number (G-006): ``page`` from 1, ``page_size`` 20, at most 100."""

    default_size = 20
    max_size = 100

    @classmethod
    def read(cls, request: Request) -> tuple[int, int]:
        """Page and size of the request; Invalid names the parameter."""
        numbers = []
        for name, default, most in (("page", 1, 100_000), ("page_size", cls.default_size, cls.max_size)):
            text = request.query_params.get(name, str(default))
            # Digits only of a length that fits: other scripts' digits and thousands of them are no numbers here.
            if not (text.isascii() and text.isdigit() and len(text) < 10) or not 1 <= int(text) <= most:
                raise errors.Invalid(_("A number from 1 to %(most)s is needed.") % {"most": most}, field=name)
            numbers.append(int(text))
        return numbers[0], numbers[1]


class TooLarge(errors.Invalid):
    """The body of the request is over the limit."""

    default_code = "request_too_large"
    http_status = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE


class Renderer(JSONRenderer):
    """JSON; half a character that somebody sent is quoted back as its escape, since UTF-8 has no form for it."""

    def render(self, data: Any, *args: Any, **options: Any) -> Any:
        try:
            return super().render(data, *args, **options)
        except UnicodeEncodeError:
            self.ensure_ascii = True  # type: ignore[misc]  # read per instance
            return super().render(data, *args, **options)


class ApiView(APIView):
    """Base of every view. ``resource`` names its row of the matrix (`accounts.roles.API`); without one it is closed."""

    resource: ClassVar[str] = ""
    permission_classes = (ByMatrix,)
    renderer_classes = (Renderer,)
    creator: Any = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuses what no view has a use for, before any of them reads it."""
        super().initial(request, *args, **kwargs)
        # The framework reads a JSON body from the socket past Django's own limit.
        if int(request.META.get("CONTENT_LENGTH") or 0) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise TooLarge(_("The request is too large."))
        for name, given in request.query_params.lists():
            if any("\x00" in value for value in given):
                raise errors.Invalid(_("A zero byte is no text."), field=name.replace("\x00", ""))

    @property
    def member(self) -> User:
        """The person whose token this is; the matrix lets nobody else this far."""
        return cast(User, self.request.user)

    @property
    def token(self) -> dict[str, Any]:
        """The payload of the token in use."""
        return cast("dict[str, Any]", self.request.auth)

    def demand_fresh_code(self) -> None:
        """Raises Forbidden unless a code was given on this session minutes ago (spec 08)."""
        age = tokens.factor_age(self.token, self.member)
        if age is None or age >= stepup.WITHIN_SECONDS:
            raise errors.Forbidden(_("Give a fresh code of your authenticator app first."), code="mfa_required")

    @property
    def idempotency_key(self) -> str:
        """The caller's key for a request that creates money (G-012); Invalid when it is missing or too long."""
        key = self.request.headers.get("Idempotency-Key", "").strip()
        if not key or len(key) > 100:
            raise errors.Invalid(
                _("The header Idempotency-Key is needed, at most 100 characters."), field="Idempotency-Key"
            )
        return key

    def valid(self, serializer: type[serializers.Serializer[Any]], *, partial: bool = False) -> dict[str, Any]:
        """The request's body, checked by a serializer; unknown fields are ignored (G-013)."""
        checked = serializer(data=self.request.data, partial=partial)
        checked.is_valid(raise_exception=True)
        return dict(checked.validated_data)

    def paginated(
        self,
        queryset: models.QuerySet[Any],
        serializer: type[serializers.BaseSerializer[Any]],
        *,
        context: Mapping[str, Any] | None = None,
    ) -> Response:
        """One page of a queryset, with the page numbers in the metadata."""
        page, size = Pagination.read(self.request)
        total = queryset.count()
        rows = list(queryset[(page - 1) * size : page * size])
        pagination = {
            "page": page,
            "page_size": size,
            "total": total,
            "next": page + 1 if page * size < total else None,
            "previous": page - 1 if page > 1 else None,
        }
        data = serializer(rows, many=True, context={"request": self.request, **(context or {})}).data
        return ok(data, metadata={"pagination": pagination})


STATUS: list[tuple[type[errors.DomainError], int]] = [
    (errors.Invalid, status.HTTP_400_BAD_REQUEST),
    (errors.Forbidden, status.HTTP_403_FORBIDDEN),
    (errors.NotFound, status.HTTP_404_NOT_FOUND),
    (errors.Conflict, status.HTTP_409_CONFLICT),
]


def failure(code: str, message: str, *, http: int, details: Any = None, headers: Any = None) -> Response:
    """The error envelope (G-004)."""
    error: dict[str, Any] = {"code": code, "message": message}
    if details:
        error["details"] = details
    body = {"success": False, "error": error, "request_id": get_contextvars().get("request_id", "")}
    return Response(body, status=http, headers=headers)


def exception_handler(exception: Exception, context: Mapping[str, Any]) -> Response | None:
    """Every refusal in the error envelope, of known tokens also on record; the unexpected is logged and answers 500."""
    response = _answer(exception, context)
    request = context.get("request")
    if request is not None:
        refusals.note(request, status=response.status_code, code=response.data["error"]["code"])
    return response


def _answer(exception: Exception, context: Mapping[str, Any]) -> Response:
    if isinstance(exception, errors.DomainError):
        http = next((code for kind, code in STATUS if isinstance(exception, kind)), status.HTTP_400_BAD_REQUEST)
        http = getattr(exception, "http_status", http)
        details = {exception.field: [str(exception.message)]} if exception.field else None
        wait = getattr(exception, "retry_after", None)
        headers = {"Retry-After": str(wait)} if wait else None
        return failure(exception.code, str(exception.message), http=http, details=details, headers=headers)
    if isinstance(exception, Http404):
        exception = exceptions.NotFound()
    elif isinstance(exception, PermissionDenied):
        exception = exceptions.PermissionDenied()
    if isinstance(exception, exceptions.ValidationError):
        return failure("invalid", _("Some fields are not right."), http=exception.status_code, details=exception.detail)
    if isinstance(exception, exceptions.APIException):
        headers = {}
        challenge, wait = getattr(exception, "auth_header", None), getattr(exception, "wait", None)
        if challenge:
            headers["WWW-Authenticate"] = challenge
        if wait:
            headers["Retry-After"] = str(int(wait))
        code = exception.get_codes()
        return failure(
            code if isinstance(code, str) else "error",
            str(exception.detail),
            http=exception.status_code,
            headers=headers,
        )
    log.exception("api error", view=type(context.get("view")).__name__)
    return failure("server_error", _("Something went wrong on our side."), http=500)
