"""The same questions asked of raw messages in PostgreSQL, as an inbox's own report page asks them.

The rival is given what salwa has to find out: which messages are one conversation, who wrote them, and repeats removed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from ingestion.duckdb_files import attach

FOLDER = Path(__file__).parent
CARDS = ("figures", "daily_volume", "response_by_hour", "peak_hours", "agent_summary")


def card_sql(name: str) -> str:
    """The rival's SQL of a card; takes from_at and until_at."""
    text = (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
    return text.replace("(@turns)", (FOLDER / "turns.sql").read_text(encoding="utf-8"))


def fill(connection: Any, warehouse: Path, folder: Path) -> int:
    """Make the inbox's table of what the warehouse knows; returns the number of messages.

    Args:
        connection: of psycopg, to an empty database, in autocommit.
        folder: where a file may stand for a while.
    """
    exported = folder / "messages.csv"
    with duckdb.connect(":memory:") as reading:
        reading.execute("set TimeZone = 'UTC'")
        attach(reading, warehouse, "warehouse", read_only=True)
        reading.execute(
            f"""
            copy (
                with agents as (select agent_id, row_number() over (order by agent_name) as number from warehouse.facts.dim_agents),
                named as (
                    select
                        *,
                        dense_rank() over (order by conversation_id) as conversation,
                        dense_rank() over (order by customer_id) as customer,
                        row_number() over (order by sent_at, conversation_id, message_order) as number
                    from warehouse.facts.fct_messages
                    where is_counted and conversation_id is not null
                )
                select
                    named.number,
                    1 as account_id,
                    right(named.channel, 2) as inbox_id,
                    named.conversation,
                    case when author_type = 'customer' then 0 else 1 end as message_type,
                    repeat('a question about an order ', 1 + cast(coalesce(text_length, 40) // 26 as integer)) as content,
                    cast(sent_at as timestamp) as created_at,
                    cast(sent_at as timestamp) as updated_at,
                    false as private,
                    0 as status,
                    'wamid.' || message_id as source_id,
                    0 as content_type,
                    '{{}}' as content_attributes,
                    case author_type when 'customer' then 'Contact' when 'automation' then 'AgentBot' else 'User' end as sender_type,
                    case author_type when 'customer' then customer when 'agent' then coalesce(agents.number, 0) end as sender_id,
                    '{{}}' as additional_attributes
                from named
                left join agents
                    on named.agent_id = agents.agent_id
                order by named.number
            ) to '{exported}' (format csv, header false)
            """
        )
    connection.execute((FOLDER / "tables.sql").read_text(encoding="utf-8"))
    with connection.cursor() as cursor, exported.open("rb") as lines, cursor.copy("copy messages from stdin (format csv)") as copied:
        while block := lines.read(1 << 20):
            copied.write(block)
    exported.unlink()
    for statement in (FOLDER / "indexes.sql").read_text(encoding="utf-8").split(";"):
        if statement.strip():
            connection.execute(statement)
    return connection.execute("select count(*) from messages").fetchone()[0]
