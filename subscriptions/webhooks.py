"""Where Stripe reports what happened: verified on the raw body, stored, answered."""

import logging

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from subscriptions import gateway, inbox

logger = logging.getLogger(__name__)


@csrf_exempt
def receive(request: HttpRequest) -> HttpResponse:
    """Store the event; the work waits in the queue, so that Stripe has its answer at once."""
    if not settings.STRIPE_WEBHOOK_SECRET:
        raise Http404
    try:
        event = gateway.read_webhook(request.body, request.META.get("HTTP_STRIPE_SIGNATURE", ""))
    except gateway.ForgedError:
        logger.warning("webhook without a valid signature of the last minutes")
        return HttpResponseBadRequest("The signature does not fit.")
    if event.livemode != gateway.is_live():
        return HttpResponseBadRequest("The event is of the other mode.")
    if event.account:
        logger.warning("webhook of another account")
        return HttpResponseBadRequest("The event is of another account.")
    if event.api_version != settings.STRIPE_API_VERSION:
        logger.warning("webhook of another API version")
    inbox.receive(event, at=timezone.now())
    return HttpResponse(status=200)
