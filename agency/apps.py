from django.apps import AppConfig
from django.contrib.admin import apps as admin


class AgencyConfig(AppConfig):
    name = "agency"

    def ready(self) -> None:
        from agency import checks  # noqa: F401  registers the deployment checks


class StaffAdminConfig(admin.AdminConfig):
    default = False  # the app `agency` has its own configuration above
    default_site = "subscriptions.admin_site.StaffSite"
