"""Addresses of the hours page. None names an organisation: addresses end up in histories."""

from django.urls import path

from advisors import views

app_name = "hours"

urlpatterns = [
    path("", views.start, name="start"),
    path("<str:month>/", views.show_month, name="month"),
    path("<str:month>/submit/", views.submit_month, name="submit"),
    path("<str:month>/take-back/", views.take_back_month, name="take_back"),
]
