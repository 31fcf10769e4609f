from django.urls import path

from subscriptions import webhooks

urlpatterns = [path("webhook/", webhooks.receive, name="stripe_webhook")]
