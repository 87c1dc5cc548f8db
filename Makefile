.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
SPARK := .venv-spark/bin

# One stamp per lock: nothing is installed again until the lock changes, and then offline use goes on.
.venv/installed: requirements.lock pyproject.toml
	@echo "Setting up .venv (once, about a minute) ..."
	@$(PYTHON) -c 'import sys; sys.exit("salwa needs Python 3.11 or newer: make PYTHON=/path/to/python3.11" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index --editable .
	@$(BIN)/python -m orchestration.compiling
	@touch $@

# Spark's environment holds everything, so that who builds with DuckDB never installs it.
.venv-spark/installed: requirements-spark.lock pyproject.toml
	@echo "Setting up .venv-spark (once, some minutes: Spark is 450 MB) ..."
	@$(PYTHON) -c 'import sys; sys.exit("salwa needs Python 3.11 or newer: make PYTHON=/path/to/python3.11" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv .venv-spark
	@$(SPARK)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-spark.lock
	@$(SPARK)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index --editable .
	@touch $@

.PHONY: help run test dev lint setup clean lock bench bench-receiver secrets up down smoke-metabase spark spark-stop test-spark
help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

setup: .venv/installed  ## create .venv from requirements.lock

run: .venv/installed  ## run the main job on the bundled example shop and show the figures
	@$(BIN)/salwa example

test: .venv/installed lint  ## everything: style, dbt unit tests, property tests, end to end
	@$(BIN)/python -m pytest -n 4

lint: .venv/installed  ## style of Python and SQL, conventions of the dbt project
	@$(BIN)/ruff check .
	@$(BIN)/sqlfluff lint --processes 2 dbt_project/models dbt_project/tests dbt_project/increments
	@$(BIN)/python -m orchestration.compiling
	@$(BIN)/dbt-bouncer --config-file dbt-bouncer.yml > .bouncer.log 2>&1 || (cat .bouncer.log; exit 1)

dev: .venv/installed  ## the Dagster UI on http://localhost:3000, with its daemon
	@$(BIN)/salwa dev

# The stock wrappers are a rival only: they are in no lock that users install, and without them the goal is not measured.
build/stock/installed: benchmarks/stock/requirements.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --upgrade --target build/stock -r $< \
		|| echo "without dagster-dbt and dagster-dlt: their goal will not be measured"
	@mkdir -p build/stock && touch $@

bench: .venv/installed build/stock/installed  ## every goal of speed, measured: make bench ARGS="--messages 10000000"
	@PYTHONPATH=build/stock $(BIN)/python -m benchmarks $(ARGS)

bench-receiver: .venv/installed  ## acknowledged webhooks a second, their p99, and that none is lost
	@$(BIN)/python -m benchmarks.receiver --seconds 10

secrets:  ## put the secrets that compose.yaml needs into .env, where they are missing
	@sh deploy/secrets.sh

up: secrets  ## PostgreSQL, Metabase, Dagster and the receiver in containers, with the dashboards (needs Docker)
	@docker compose up --build --detach --wait --wait-timeout 900
	@docker compose run --rm salwa refresh
	@docker compose run --rm salwa dashboards push
	@echo "Metabase: http://$$(docker compose port metabase 3000)  (SALWA_METABASE_USER and _PASSWORD in .env)"
	@echo "Dagster:  http://$$(docker compose port dagster-webserver 3000)"
	@echo "Receiver: http://$$(docker compose port receiver 8080)"

down:  ## stop the containers; volumes stay
	@docker compose down

smoke-metabase: secrets  ## every card through a real Metabase against serving, on a throw-away stack (needs Docker)
	@sh deploy/smoke-metabase.sh

spark: .venv-spark/installed  ## a Spark on this machine: one master, two workers, a Thrift server (needs Java 17)
	@$(SPARK)/python -m orchestration.spark.cluster start

spark-stop:  ## stop it
	@$(SPARK)/python -m orchestration.spark.cluster stop

test-spark: .venv-spark/installed  ## DuckDB and Spark make the same facts and marts: make test-spark ARGS="-m small"
	@$(SPARK)/python -m pytest tests/spark $(ARGS)

lock: pyproject.toml  ## write requirements.lock and requirements-spark.lock anew (needs uv)
	@uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-header --no-annotate --quiet --group dev pyproject.toml -o requirements.lock
	@mkdir -p build && sed -E 's/ \\$$//; /^ +--hash/d' requirements.lock > build/same-versions.txt
	@uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-header --no-annotate --quiet --group dev --group spark --constraints build/same-versions.txt pyproject.toml \
		-o requirements-spark.lock

clean:  ## remove what was built, never what was landed
	@rm -rf .venv .venv-spark dbt_project/target dbt_project/logs build *.egg-info
