"""The webhook receiver: what is acknowledged is on disk.

app (who may come in, by which door) → writer (one thread per worker: append, fsync, then acknowledge) → files (open
files that become landing files). server runs it with one worker or several; protocol keeps hostile connections small.
"""
