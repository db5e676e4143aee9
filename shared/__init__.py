"""What every part of Frontdesk stands on: the domain, the protocol, the ports and their adapters."""
