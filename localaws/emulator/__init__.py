"""Stand before MiniStack: guard the port, check its requests, and put our own services in."""
