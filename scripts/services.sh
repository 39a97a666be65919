#!/usr/bin/env bash
# What the tests on several ranks and those of the queue need besides Node: an MPI and a redis-server. It looks for both, gets
# what is missing where it may, and prints what has to be in the environment:
#
#   eval "$(scripts/services.sh)"
#
# It starts nothing: each test starts its own, on this machine's loopback. What cannot be had is told on stderr, and its tests are skipped.
set -uo pipefail
cd "$(dirname "$0")/.."

missing() { echo "services: $*" >&2; }

# MPICH has a wheel for Python, and no package of the systems' has the standard ABI yet.
if [ -z "${BESPOKE_MPI:-}" ] && ! command -v mpiexec >/dev/null; then
  mpich=.cache/mpich
  if [ -x "$mpich/bin/mpiexec" ] || { python3 -m venv "$mpich" && "$mpich/bin/pip" install --quiet mpich; } >/dev/null 2>&1; then
    echo "export BESPOKE_MPI=$(printf %q "$(realpath "$mpich")")"
  else
    missing "no MPI, and python3 could not install one: see docs/scale.md."
  fi
fi

# Debian's and Ubuntu's redis-tools has the program of redis-server under another name, and no service that would be started.
if [ -z "${BESPOKE_REDIS_SERVER:-}" ] && ! command -v redis-server >/dev/null; then
  program=/usr/bin/redis-check-rdb
  if [ ! -x "$program" ] && [ "$(id -u)" = 0 ] && [ -z "${BESPOKE_NO_APT:-}" ] && command -v apt-get >/dev/null; then
    install() { DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends redis-tools; }
    { install || { apt-get update && install; }; } >/dev/null 2>&1 || true
  fi
  if [ -x "$program" ]; then
    mkdir -p .cache/redis && ln -sf "$program" .cache/redis/redis-server
    echo "export BESPOKE_REDIS_SERVER=$(printf %q "$(pwd)/.cache/redis/redis-server")"
  else
    missing "no redis-server: install the system's package (apt-get install redis-server, brew install redis)."
  fi
fi
