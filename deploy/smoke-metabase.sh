#!/bin/sh
# A throw-away stack with the example shop: every card through a real Metabase, against the same SQL asked directly.
set -eu
cd "$(dirname "$0")/.."
export METABASE_PORT="${SMOKE_METABASE_PORT:-13001}"
# a key belongs to another Metabase than the one that is set up here
export SALWA_METABASE_API_KEY=

# always with its own name: its volumes are deleted, yours never
smoke() {
    docker compose --project-name salwa-smoke "$@"
}

trap 'smoke down --volumes' EXIT
trap 'exit 130' INT TERM
smoke down --volumes
smoke up --build --detach --wait --wait-timeout 900 postgres metabase
smoke run --rm --no-deps --entrypoint python salwa -m orchestration.smoke --example
