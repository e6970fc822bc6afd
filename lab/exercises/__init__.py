"""Describe the exercises, run what a student wrote for them, and make the student edition."""
