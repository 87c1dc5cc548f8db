"""An inbox's export, by the tables of the documented format, as typed tables."""

from ingestion.loading import LandedSource

INBOX = LandedSource(
    name="inbox",
    steps=("rows", "findings"),
    tables=("messages", "conversations", "status_events", "tag_events", "read_events"),
)
