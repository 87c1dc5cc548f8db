"""`python -m benchmarks.webhooks --data DIR --messages N [--hour]`: land a made-up history, or the hour after it."""

import argparse
import json
from pathlib import Path

from benchmarks.webhooks import Plan, land_history, land_hour

parser = argparse.ArgumentParser(description=(__doc__ or "").split(": ", 1)[1])
parser.add_argument("--data", type=Path, required=True)
parser.add_argument("--messages", type=int, required=True)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--hour", action="store_true")
parser.add_argument("--truth", action="store_true", help="count the messages told of, too; for small histories")
given = parser.parse_args()
plan = Plan(given.messages, given.seed)
made = land_hour(given.data / "landing", plan) if given.hour else land_history(given.data / "landing", plan, given.truth)
print(json.dumps(vars(made) | {"as_of": made.as_of.isoformat()}))
