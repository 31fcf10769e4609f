"""Sessions in the read-only API."""

from __future__ import annotations

from rest_framework import serializers

from agency.api import VisibleViewSet
from workshops.models import Session


class SessionSerializer(serializers.ModelSerializer[Session]):
    offering = serializers.CharField(source="offering.code", read_only=True)
    title_nl = serializers.CharField(source="offering.title_nl", read_only=True)
    title_en = serializers.CharField(source="offering.title_en", read_only=True)
    organisation = serializers.CharField(source="organisation.code", default=None, read_only=True)

    class Meta:
        model = Session
        fields = (
            "id",
            "reference",
            "organisation",
            "offering",
            "title_nl",
            "title_en",
            "starts_at",
            "location",
            "status",
            "group_size",
            "cancelled_on",
        )


class SessionViewSet(VisibleViewSet):
    queryset = Session.objects.select_related("offering", "organisation")
    serializer_class = SessionSerializer
