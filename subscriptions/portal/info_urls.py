"""The page for employees: an address that tells nothing but its random part."""

from django.urls import path

from subscriptions.portal import info

urlpatterns = [
    path("<slug:token>/", info.show, {"language": "nl"}, name="info"),
    path("<slug:token>/en/", info.show, {"language": "en"}, name="info_in_english"),
]
