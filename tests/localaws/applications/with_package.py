"""Main file at the zip's root, its own package by pyFiles, a data file by pyArchives read in the Python worker.

In the shape of jackmuskopf/pyflink-aws-kinesis-quickstart, with the two run options of the developer guide.
"""

from own_package.tables import environment_with_tables
from own_package.words import spelled
from pyflink.table.expressions import col

tables = environment_with_tables()
tables.from_path("numbers").select(spelled(col("n")).alias("word")).execute_insert("words")
