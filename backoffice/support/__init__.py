"""Support: tickets with their clocks, the conversation, reply templates and the customer's rating."""
