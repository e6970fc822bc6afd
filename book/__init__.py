"""The lab as a static site: `make book`."""
