"""Hold what every room uses: errors, session, names, paths, tables, pictures, what a cell leaves for the runner."""
