"""The question of who was hurt, asked of a real local Spark: the same expression, the same values."""

from __future__ import annotations

import shutil

import pytest

from tests.support.requests_story import QUESTION, STORY, told
from unrepeat.investigation.impact import measure
from unrepeat.investigation.telemetry import requests


@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java")
def test_spark_gives_the_same_values_as_duckdb(tmp_path):
    log_file = tmp_path / "access.log"
    log_file.write_text("\n".join(STORY))
    log = requests.nginx_json(requests.duckdb(), [log_file])
    ibis = pytest.importorskip("ibis")
    sql = pytest.importorskip("pyspark.sql")
    session = (
        sql.SparkSession.builder.master("local[1]")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    try:
        schema = "at DOUBLE, method STRING, path STRING, status BIGINT, request_time DOUBLE, session STRING"
        session.read.schema(schema).json(str(log_file)).where(
            "at is not null and status is not null"
        ).createOrReplaceTempView("requests")
        spark = requests.of_table(ibis.pyspark.connect(session), "requests", requests.NGINX_JSON)
        ours, theirs = measure(log, QUESTION), measure(spark, QUESTION)
        assert told(theirs) == told(ours)
        assert theirs.buckets == ours.buckets
    finally:
        session.stop()
