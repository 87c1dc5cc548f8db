"""WhatsApp Cloud API: landed webhooks and Graph answers as typed tables.

documents → changes (entry[] × changes[]) → items (each message, status, echo … on its own) → the tables.
"""

from ingestion.loading import LandedSource

WHATSAPP = LandedSource(
    name="whatsapp",
    steps=("changes", "items", "findings"),
    tables=("messages", "statuses", "contacts", "identity_changes", "events", "graph_objects", "graph_points"),
)
