-- Every conversation with a customer's message has a first turn that begins with it.
select conversations.conversation_id
from {{ ref('fct_conversations') }} as conversations
left join {{ ref('fct_turns') }} as turns
    on conversations.conversation_id = turns.conversation_id and turns.is_first
where
    not conversations.is_outbound_only
    and turns.started_at is distinct from conversations.first_customer_message_at
