"""Where everything lives. The apps above this one are named by string only."""

from importlib.util import find_spec

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from agency.health import healthz, readyz

urlpatterns = [
    path("admin/", admin.site.urls),
    path("account/", include("allauth.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
]

for _prefix, _module in {
    "": "agency.pages_urls",
    "portal/": "subscriptions.portal.urls",
    "hours/": "advisors.urls",
    "api/v1/": "subscriptions.api_urls",
    "stripe/": "subscriptions.urls",
}.items():
    try:
        if find_spec(_module):
            urlpatterns.append(path(_prefix, include(_module)))
    except ModuleNotFoundError:
        pass
