"""Generate synthetic movie reviews, from five thousand to five million, and say who was planted in them."""
