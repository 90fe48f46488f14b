from tests.support.databases import cluster, database, originals, shared_database  # noqa: F401
