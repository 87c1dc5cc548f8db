"""`salwa dashboards push`: the dashboard's spec in Metabase, one collection and dashboard for each language."""
