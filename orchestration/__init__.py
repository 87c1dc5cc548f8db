"""What runs the stages: the salwa command, Dagster's jobs, schedules and checks."""
