"""One click per role on the sign-in page of the demo. Anywhere else this address does not exist."""

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from allauth.account.utils import get_next_redirect_url
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.stages import AuthenticateStage
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_POST

from backoffice.accounts import demo


@never_cache
@csrf_protect
@require_POST
def sign_in(request: HttpRequest) -> HttpResponse:
    """Signs in the demo person of ``role``, a role or a second person's key, through allauth's own flow.

    Password and factor are both on record.
    """
    if not settings.DEMO_MODE:
        raise Http404
    user = demo.person(request.POST.get("role", ""))
    if user is None:
        raise Http404
    record_authentication(request, user, method="password", email=user.email)
    post_authentication(request, demo.enrol(user))
    login = Login(user=user, redirect_url=get_next_redirect_url(request) or reverse("desk:work"))
    login.state["stages"] = {AuthenticateStage.key: {"handled": True}}
    return perform_login(request, login)
