"""Building on Spark instead of DuckDB: the cluster that `make spark` starts, and a build through dbt-spark."""
