#!/bin/sh
# Puts into .env the secrets that compose.yaml needs and .env lacks. What is set already is left alone.
set -eu
cd "$(dirname "$0")/.."
umask 077

if [ ! -e .env ]; then
    cp .env.example .env
fi
chmod 600 .env
# a last line without an end would swallow the first of ours
if [ -n "$(tail -c 1 .env)" ]; then
    echo >> .env
fi

# set_once NAME VALUE
set_once() {
    if ! grep -q "^$1=." .env; then
        printf '%s=%s\n' "$1" "$2" >> .env
        echo "  made $1"
    fi
}

# letters and digits only: they stand in URLs
secret() {
    od -An -N 24 -tx1 /dev/urandom | tr -d ' \n'
}

for name in SALWA_PHONE_KEY SALWA_REFRESH_SECRET SALWA_METABASE_PASSWORD METABASE_ENCRYPTION_KEY \
    POSTGRES_PASSWORD POSTGRES_PUBLISHER_PASSWORD POSTGRES_READER_PASSWORD POSTGRES_METABASE_PASSWORD; do
    set_once "$name" "$(secret)"
done
# the name of Metabase's first administrator; no mail is sent there
set_once SALWA_METABASE_USER admin@example.com
