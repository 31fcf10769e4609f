from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django.utils.translation import gettext_lazy as _


class AgencyConfig(AppConfig):
    name = "agency"
    verbose_name = _("People and organisations")

    def ready(self) -> None:
        from allauth.mfa.models import Authenticator
        from django.contrib.auth.signals import user_logged_in
        from django_q.signals import post_execute_in_worker

        from agency import accounts, checks, schema  # noqa: F401  registers the checks
        from agency.tasks import accept_invitations, keep_places_only

        post_execute_in_worker.connect(keep_places_only)
        user_logged_in.connect(accept_invitations)
        Authenticator.record_usage = accounts.note_no_time
        Authenticator.save = accounts.save_by_the_day


class StaffAdminConfig(admin.AdminConfig):
    default = False  # the app `agency` has its own configuration above
    default_site = "subscriptions.admin_site.StaffSite"
