"""Chatwoot: landed pages and webhooks as typed tables.

documents → calls (what each body answers) → items (each conversation, message, contact … on its own) → the tables.
A mutable row, such as a conversation, has one row per sighting; dbt takes the newest by the source's own time.
"""

from ingestion.loading import LandedSource

CHATWOOT = LandedSource(
    name="chatwoot",
    steps=("calls", "items", "findings", "changes"),
    tables=(
        "conversations",
        "messages",
        "contacts",
        "contact_inboxes",
        "agents",
        "inboxes",
        "teams",
        "labels",
        "label_changes",
        "status_changes",
        "conversation_labels",
        "read_marks",
        "tombstones",
        "other_objects",
    ),
)
