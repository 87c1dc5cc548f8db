"""Chatwoot: landed pages and webhooks as typed tables."""

from ingestion.loading import LandedSource

CHATWOOT = LandedSource(name="chatwoot", steps=(), tables=())
