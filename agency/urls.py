"""Where everything lives. The apps above this one are named by string only."""

from allauth.account import views as account
from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from agency.again import go_on
from agency.health import healthz, readyz
from agency.views import change_password, sessions

# Not all of allauth's: nobody changes the own address, to which codes are sent, nor asks for
# an account or a new password; staff register people, and a code by mail signs in.
sign_in = [
    path("login/", account.login, name="account_login"),
    path("login/code/", account.request_login_code, name="account_request_login_code"),
    path("login/code/confirm/", account.confirm_login_code, name="account_confirm_login_code"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/change/", change_password, name="account_change_password"),
    path("go-on/", go_on, name="account_go_on"),
    path("sessions/", sessions, name="account_sessions"),
    path("2fa/", include("allauth.mfa.urls")),
]

urlpatterns = [
    path("", include("agency.pages_urls")),
    path("admin/", admin.site.urls),
    path("portal/", include("subscriptions.portal.urls")),
    path("info/", include("subscriptions.portal.info_urls")),
    path("hours/", include("advisors.urls")),
    path("account/", include(sign_in)),
    path("api/v1/", include("subscriptions.api_urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("stripe/", include("subscriptions.urls")),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
]
