"""The terminal: one module a verb, one row a verb in ``verbs``. Speaks to the HTTP API only."""
