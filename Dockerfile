# One image: the salwa command, Dagster's services and the receiver.
FROM python:3.11.14-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
# all packages of the lock, their hashes checked ...
COPY requirements.lock ./
RUN pip download --quiet --no-deps --require-hashes --only-binary :all: --dest /wheels --requirement requirements.lock
# ... of which only those are installed that salwa needs to run: the lock also holds the tools of the tests
COPY . .
RUN python -m venv /opt/salwa \
    && /opt/salwa/bin/pip install --quiet --no-index --find-links /wheels --editable . \
    && /opt/salwa/bin/python -m compileall -q ingestion dashboards orchestration \
    && DBT_TARGET_PATH=/opt/salwa/dbt DBT_LOG_PATH=/tmp /opt/salwa/bin/python -m orchestration.compiling

FROM python:3.11.14-slim-bookworm
RUN useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin salwa \
    && install --directory --owner salwa --group salwa --mode 0700 /data
COPY --from=build /opt/salwa /opt/salwa
COPY --from=build /app /app
# what is written goes to /data, which is kept, or to /tmp, which is not
ENV PATH=/opt/salwa/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    SALWA_DATA=/data \
    DAGSTER_HOME=/data/dagster \
    DBT_TARGET_PATH=/opt/salwa/dbt \
    DBT_LOG_PATH=/tmp/dbt
WORKDIR /app
USER salwa
ENTRYPOINT ["salwa"]
