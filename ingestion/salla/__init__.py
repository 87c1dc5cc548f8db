"""Salla: landed pages and webhooks as typed tables."""

from ingestion.loading import LandedSource

SALLA = LandedSource(name="salla", steps=(), tables=())
