"""Where everything lives. The apps above this one are named by string only."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from agency.health import healthz, readyz

urlpatterns = [
    path("", include("agency.pages_urls")),
    path("admin/", admin.site.urls),
    path("portal/", include("subscriptions.portal.urls")),
    path("hours/", include("advisors.urls")),
    path("account/", include("allauth.urls")),
    path("api/v1/", include("subscriptions.api_urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("stripe/", include("subscriptions.urls")),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
]
