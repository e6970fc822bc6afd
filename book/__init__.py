"""Build the lab as a static site: `make book`."""
