#!/bin/sh
# SPDX-License-Identifier: ISC
# A private PostgreSQL for one test: pgtest.sh COMMAND [ARG...] runs COMMAND
# with PGTEST_DIR (the socket directory, also for secrets), PGTEST_PORT and
# PGTEST_OWNER (muhur_owner, superuser, trusted over the socket) in its
# environment, then stops and removes the cluster.  Exits with COMMAND's code;
# 77 (skipped) only where PostgreSQL's programs are absent.
set -eu
[ $# -gt 0 ] || { echo "usage: pgtest.sh COMMAND [ARG...]" >&2; exit 2; }
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || bin=$(dirname "$(command -v initdb || echo /nonexistent/initdb)")
[ -x "$bin/initdb" ] || { echo "1..0 # SKIP PostgreSQL's initdb is absent"; exit 77; }
# The server refuses to run as root.
if [ "$(id -u)" -eq 0 ]; then
	as="setpriv --reuid=postgres --regid=postgres --clear-groups env -u TMPDIR HOME=/tmp"
else
	as=
fi
dir=$(mktemp -d /tmp/muhur-pg.XXXXXX)
[ -z "$as" ] || chown postgres:postgres "$dir"
chmod 0755 "$dir"
stop() {
	$as "$bin/pg_ctl" -D "$dir/data" -m immediate -s stop >/dev/null 2>&1 || :
	rm -rf "$dir"
}
trap stop EXIT
trap 'exit 1' HUP INT TERM
PGTEST_DIR=$dir PGTEST_PORT=5432 PGTEST_OWNER=muhur_owner
export PGTEST_DIR PGTEST_PORT PGTEST_OWNER
here=$PWD
cd /
$as "$bin/initdb" -D "$dir/data" -A trust -U "$PGTEST_OWNER" -E UTF8 --locale=C --no-sync >/dev/null
# Durability is not what unit tests look at.
$as "$bin/pg_ctl" -D "$dir/data" -w -s -l "$dir/log" \
	-o "-c listen_addresses='' -k $dir -c fsync=off -c full_page_writes=off" start
rc=0
(cd "$here" && "$@") || rc=$?
[ $rc -eq 0 ] || tail -n 40 "$dir/log" >&2
exit $rc
