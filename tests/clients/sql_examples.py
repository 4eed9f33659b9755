"""Runs the examples of docs/sql.md for pandas and DuckDB as they stand there; says what came of them, as one JSON object."""

import json
import pathlib
import re
import sys
import tempfile

try:
    import duckdb
    import duckdb_extension_postgres_scanner
    import pandas  # noqa: F401
    import psycopg  # noqa: F401
    import sqlalchemy  # noqa: F401
except ImportError:
    sys.exit(0)

url, page = sys.argv[1], pathlib.Path(sys.argv[2]).read_text()


def example(title: str) -> str:
    """The first block below a title."""
    _, _, below = page.partition(f"\n## {title}\n")
    return re.search(r"```\w+\n(.*?)```", below, re.DOTALL)[1]


def of_pandas() -> dict:
    names = {"URL": url}
    exec(example("pandas"), names)
    losses = names["losses"]
    return {"columns": list(losses.columns), "losses": int(losses["losses"].sum())}


def without_times(relation: "duckdb.DuckDBPyRelation") -> list:
    """Its rows; Python would want another package for points in time."""
    kinds = zip(relation.columns, relation.types)
    times = [name for name, kind in kinds if "TIME ZONE" in str(kind)]
    return relation.select(duckdb.StarExpression(exclude=times)).fetchall()


def of_duckdb() -> list:
    with tempfile.TemporaryDirectory() as folder:
        database = duckdb.connect(config={"extension_directory": folder})
        # What `INSTALL postgres` would load over the network.
        packaged = pathlib.Path(duckdb_extension_postgres_scanner.__file__).parent
        extension = next(packaged.glob("extensions/*/postgres_scanner.duckdb_extension"))
        database.execute(f"INSTALL '{extension}'")
        answers = []
        for statement in example("DuckDB").replace("'URL'", f"'{url}'").split(";\n"):
            relation = database.sql(statement) if statement else None
            if relation is not None:
                answers.append(without_times(relation))
        database.close()
        return answers


print(json.dumps({"pandas": of_pandas(), "duckdb": of_duckdb()}))
