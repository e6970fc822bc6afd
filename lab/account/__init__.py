"""List, secure, price and delete what the lab made in an account."""
