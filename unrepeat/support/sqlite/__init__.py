"""Django's SQLite backend with one fair lock round every write transaction."""
