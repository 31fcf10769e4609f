"""Addresses of the portal; all but the start name the organisation that is looked at."""

from django.urls import include, path

from subscriptions.portal import details, for_employees, notices, orders, people, views

app_name = "portal"

of_organisation = [
    path("", views.show_overview, name="overview"),
    path("statements/", views.show_statements, name="statements"),
    path("workbook/<str:month>/", views.download_workbook, name="workbook"),
    path("invoices/", views.show_invoices, name="invoices"),
    path("invoices/<uuid:invoice_id>/", views.show_invoice, name="invoice"),
    path("invoices/<uuid:invoice_id>/einvoice/", views.download_einvoice, name="einvoice"),
    path("orders/", orders.show_orders, name="orders"),
    path("details/", details.show_details, name="details"),
    path("sessions/", views.show_sessions, name="sessions"),
    path("employees/", for_employees.show_employees, name="employees"),
    path("employees/poster/<str:language>/", for_employees.print_poster, name="poster"),
    path("employees/intranet/<str:language>/", for_employees.download_intranet, name="intranet"),
    path("subscription/", views.show_subscription, name="subscription"),
    path("people/notices/", notices.show_notices, name="notices"),
    path("people/", people.show_people, name="people"),
    path("people/<uuid:contact_id>/", people.show_person, name="person"),
    path("people/<uuid:contact_id>/remove/", people.remove_person, name="removal"),
    path("people/<uuid:contact_id>/transfer/", people.hand_over, name="transfer"),
    path(
        "people/invited/<uuid:invitation_id>/withdraw/",
        people.withdraw_invitation,
        name="uninvite",
    ),
    path("what-we-never-record/", views.show_promise, name="promise"),
]

urlpatterns = [
    path("", views.start, name="start"),
    path("<uuid:organisation_id>/", include(of_organisation)),
]
