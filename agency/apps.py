from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django.utils.translation import gettext_lazy as _


class AgencyConfig(AppConfig):
    name = "agency"
    verbose_name = _("People and organisations")

    def ready(self) -> None:
        from agency import checks, schema  # noqa: F401  registers what `manage.py check` looks at


class StaffAdminConfig(admin.AdminConfig):
    default = False  # the app `agency` has its own configuration above
    default_site = "subscriptions.admin_site.StaffSite"
