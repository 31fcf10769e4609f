"""The pages that belong to nobody in particular."""

from django.urls import path

from agency import views

urlpatterns = [
    path("", views.start, name="start"),
    path("language/", views.set_language, name="set_language"),
]
