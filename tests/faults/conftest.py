from tests.support.databases import cluster, database  # noqa: F401
