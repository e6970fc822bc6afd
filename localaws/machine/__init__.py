"""Ask the machine for processes, ports, folders, zips and loopback connections."""
