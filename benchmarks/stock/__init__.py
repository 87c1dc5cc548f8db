"""The same job with dagster-dbt's and dagster-dlt's own wrappers, as their manuals have it; a rival, never used."""
