"""Browsers in which somebody is signed in."""

from __future__ import annotations

from django.test import Client

from agency.models import User
from tests import factories as make


def as_(role: str) -> Client:
    """Give the browser of the one person with a role."""
    client = Client()
    email = f"{role}@staff.example"
    client.force_login(User.objects.filter(email=email).first() or make.user(role, email=email))
    return client
