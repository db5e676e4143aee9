"""The domain: SupportCase, desks, policy. Pure: standard library and pydantic, no I/O, no clock."""
