"""Forgetting a person: whoever was erased stays erased, whatever lands later.

register   who was erased: keyed hashes of their ids, and the random ids that stand in their place
people     from one id to all ids of a person, asked of the warehouse
whatsapp, chatwoot, salla, inbox   what of a source's JSON is about a person, and what of it may stay
lines      deliveries and landing files without those people
"""
