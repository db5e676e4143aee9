"""What all of Frontdesk stands on: the domain, the protocol, the ports and their adapters."""
