#!/bin/sh
# A throw-away stack with the example shop: every card through a real Metabase, against the same SQL asked directly.
set -eu
cd "$(dirname "$0")/.."
export COMPOSE_PROJECT_NAME=salwa-smoke METABASE_PORT="${SMOKE_METABASE_PORT:-13001}"
# a key belongs to another Metabase than the one that is set up here
export SALWA_METABASE_API_KEY=
trap 'docker compose down --volumes' EXIT
docker compose up --build --detach --wait --wait-timeout 900 postgres metabase
docker compose run --rm --no-deps --entrypoint python salwa -m orchestration.smoke --example
