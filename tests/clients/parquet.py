"""Reads a Parquet file as an analyst does and says what is in it, as one JSON object."""

import json
import sys

try:
    import duckdb
except ImportError:
    sys.exit(0)

path = sys.argv[1]
count, isk, day = duckdb.sql(
    f"SELECT count(*), sum(total_value), CAST(min(killmail_time) AT TIME ZONE 'UTC' AS DATE) FROM '{path}'"
).fetchall()[0]
groups = duckdb.sql(f"SELECT count(DISTINCT row_group_id) FROM parquet_metadata('{path}')").fetchall()[0][0]
print(json.dumps({"rows": count, "isk": isk, "first_day": str(day), "row_groups": groups}))
