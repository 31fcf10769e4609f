"""Workbooks: one for each client, from what was published; one for the controller."""


class NothingToReportError(LookupError):
    """The organisation had no contract yet, nor one that begins the month after."""
