"""What knows HTTP, queues, timers and terminals: translates, and decides nothing."""
