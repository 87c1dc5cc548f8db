"""WhatsApp Cloud API: landed webhooks and Graph answers as typed tables.

documents → changes (entry[] × changes[]) → messages, statuses and other items, each on its own → the tables.
"""

from ingestion.loading import LandedSource

WHATSAPP = LandedSource(
    name="whatsapp",
    steps=("shapes", "changes", "told_messages", "told_statuses", "other_items", "findings"),
    tables=("messages", "statuses", "contacts", "identity_changes", "events", "graph_objects", "graph_points"),
)
