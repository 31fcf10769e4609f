"""Addresses of the API, version 1."""

from rest_framework.routers import SimpleRouter

from agency.api import OrganisationViewSet
from subscriptions.api import InvoiceViewSet, StatementViewSet
from workshops.api import SessionViewSet

app_name = "api"

router = SimpleRouter(use_regex_path=False)
router.register("organisations", OrganisationViewSet)
router.register("statements", StatementViewSet)
router.register("invoices", InvoiceViewSet)
router.register("sessions", SessionViewSet)

urlpatterns = router.urls
