"""`POST /api/v1/webhooks/stripe`: believes, stores, answers; a job applies the event later (U-039, S-127)."""

import structlog
from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from backoffice.core import clock
from backoffice.finance.services import events
from integrations.stripe import webhooks

log = structlog.get_logger(__name__)

PROVIDER = "stripe"
OWN_ACCOUNT = ""


@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> JsonResponse:
    """200 once the event is stored, now or before; 400, leaving no row, when it is not Stripe's.

    The signature is the only credential: no session, no token, no CSRF. Events of connected accounts are
    taken when STRIPE_CONNECT_WEBHOOK is set.
    """
    try:
        event = webhooks.verify(
            request.body,
            request.headers.get("Stripe-Signature", ""),
            settings.STRIPE_WEBHOOK_SECRET,
            now=int(clock.now().timestamp()),
            livemode=settings.STRIPE_LIVEMODE,
            account=None if settings.STRIPE_CONNECT_WEBHOOK else OWN_ACCOUNT,
        )
    except webhooks.BadSignature as refusal:
        log.warning("webhook_refused", provider=PROVIDER, reason=refusal.reason)
        return JsonResponse({"received": False, "reason": refusal.reason}, status=400)
    events.receive(provider=PROVIDER, event_id=event.id, type=event.type, payload=event.payload, account=event.account)
    return JsonResponse({"received": True})


urlpatterns = [path("webhooks/stripe", receive, name="api_webhook_stripe")]
