#!/bin/bash
# SPDX-License-Identifier: ISC
# The command's words, options and exit codes against a private database:
# 0 yes, 1 no, 2 wrong use, 3 the environment failed; errors "muhur: what: why".
srcdir=$(cd "${srcdir:-.}" && pwd)
export srcdir
muhur=${MUHUR:-$PWD/src/muhur/muhur}
[ -n "${PGTEST_DIR:-}" ] || exec sh "$srcdir/tests/unit/pgtest.sh" "$0"
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" LC_ALL=C.UTF-8
unset MUHUR_CONF POSIXLY_CORRECT

dir=$PGTEST_DIR/command
mkdir -p "$dir/state/spool/received" && cd "$dir" || exit 1
(umask 077; echo x >"$PGTEST_DIR/muhur_owner.password")
cat >muhur.conf <<EOF
state_dir = "state"
schema_dir = "$srcdir/schemas"
secrets_dir = "$PGTEST_DIR"
db_host = "$PGTEST_DIR"
trust_anchors = "pki/trust.pem"
crl_file = "pki/crl.pem"
EOF
pki=$srcdir/pki/make-pki
sh "$pki" pki --user PLA001:p256 --user PLA002:rsa2048 --user CUA001:p384 >pki.log 2>&1 || { cat pki.log; exit 1; }

n=0 failed=0
ok() {		# what; the exit code of the last command decides
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else
		echo "not ok $n - $2"
		sed 's/^/# /' out err 2>/dev/null
		failed=$((failed + 1))
	fi
}
# t CODE WHAT ARG...: runs muhur and compares its exit code; complaints of ours
# begin with "muhur: " (or are the usage) and stand on standard error
t() {
	local want=$1 what=$2 got
	shift 2
	"$muhur" -c muhur.conf "$@" >out 2>err
	got=$?
	if [ "$got" != "$want" ]; then
		echo "# muhur $*: exit $got, not $want"
		ok 1 "$what"
	elif [ "$want" != 0 ] && [ -s err ] && ! grep -qE '^(muhur:|usage:) ' err; then
		ok 1 "$what: complaint"
	else
		ok 0 "$what"
	fi
}
has() { grep -q -- "$1" out; ok $? "... says $1"; }
complains() { grep -q -- "$1" err; ok $? "... complains: $1"; }
sql() { PGOPTIONS='-c search_path=muhur' psql -h "$PGTEST_DIR" -U muhur_owner -d muhur -Atqc "$1" >out 2>err; }

# --- the frame -------------------------------------------------------------
t 2 "no command"
t 2 "an unknown command" nothing
t 2 "an unknown option" verify --nothing
complains '^muhur: verify: '
t 2 "an unknown option of a verb" submission list --nothing
complains '^muhur: submission list: '
t 2 "an unknown verb" db nothing
complains '^muhur: db nothing: '
t 0 "--help" --help
has 'usage: muhur'
t 0 "help of a command" member --help
has 'member add CODE'
t 0 "help of its verb" member add --help
t 0 "--version" --version
t 2 "a verb that is not there" member nothing
t 2 "no verb" member
"$muhur" -c /nonexistent.conf status >out 2>err; [ $? = 3 ]; ok $? "no configuration is 3"
"$muhur" member list -c >out 2>err; [ $? = 2 ]; ok $? "-c without a file is 2"
t 3 "no database yet is 3" member list
t 0 "db init" db init
MUHUR_CONF=muhur.conf "$muhur" member list >out 2>err; ok $? "MUHUR_CONF"
"$muhur" member list --json -c muhur.conf >out 2>err; ok $? "-c and --json after the subcommand"
[ ! -s out ]; ok $? "... JSON of no rows is no line"

# --- members ---------------------------------------------------------------
t 0 "member add" member add PLA --kind platform --name 'Örnek Platform A.Ş.'
t 1 "the same again" member add PLA --kind platform --name Other
complains 'member already'
t 2 "no kind" member add PLB --name B
t 2 "a kind that is none" member add PLB --kind bank --name B
t 2 "OWN is no member" member add OWN --kind platform --name B
t 2 "a bad LEI" member add PLB --kind platform --name B --lei 00000000000000000000
t 0 "a LEI" member add PLB --kind platform --name B --lei 5493001KJTIIGC8Y1R12
t 2 "a control character in a name" member add PLC --kind platform --name $'a\nb'
for m in CUA:custodian CUB:custodian SPK:regulator; do
	t 0 "member add ${m%:*}" member add "${m%:*}" --kind "${m#*:}" --name "$m"
done
t 0 "member list" member list
has 'Örnek Platform'
t 0 "member list --json" --json member list
[ "$(wc -l <out)" = 5 ] && grep -q '"code":"PLA","kind":"platform","state":"active"' out; ok $? "... one object a line"
t 0 "member show" member show PLA --json
t 1 "member show of none" member show XXX
t 0 "member suspend" member suspend PLB
t 1 "... again" member suspend PLB
t 0 "member resume" member resume PLB
t 1 "... again" member resume PLB

# --- users -----------------------------------------------------------------
t 0 "user add" user add PLA001 --cert pki/PLA001.pem --ssh-key pki/PLA001.ssh.pub
t 0 "... again changes nothing" user add PLA001 --cert pki/PLA001.pem
t 1 "another's certificate" user add PLA002 --cert pki/PLA001.pem
complains "user PLA001's"
t 0 "an RSA certificate" user add PLA002 --cert pki/PLA002.pem
t 0 "a P-384 one" user add CUA001 --cert pki/CUA001.pem
t 0 "a further SSH key alone" user add PLA002 --ssh-key pki/PLA001.ssh.pub
t 1 "a new user without certificate" user add PLA003 --ssh-key pki/PLA001.ssh.pub
t 1 "no such member" user add XXX001 --cert pki/CUA001.pem
t 2 "no user code" user add PLA000 --cert pki/PLA001.pem
t 2 "neither certificate nor key" user add PLA003
t 3 "no such file" user add PLA003 --cert pki/none.pem
t 1 "no certificate" user add PLA003 --cert muhur.conf
t 1 "no SSH key" user add PLA003 --cert pki/PLA001.pem --ssh-key muhur.conf
sh "$pki" issue pki PLA004 --expired >pki.log 2>&1 && t 1 "an expired certificate" user add PLA004 --cert pki/PLA004.pem
complains CERT_EXPIRED
sh "$pki" issue pki PLA005 --login-only >pki.log 2>&1 && t 1 "one without nonRepudiation" user add PLA005 --cert pki/PLA005.pem
complains CERT_USAGE
sh "$pki" issue pki PLA006 --other-ca >pki.log 2>&1 && t 1 "another CA's" user add PLA006 --cert pki/PLA006.pem
complains CERT_UNTRUSTED
sh "$pki" issue pki PLA007:rsa1024 >pki.log 2>&1 && t 1 "RSA-1024" user add PLA007 --cert pki/PLA007.pem
complains SIG_ALGORITHM
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1 -out k1.key 2>/dev/null
openssl req -new -x509 -key k1.key -subj /CN=k1 -out k1.pem 2>/dev/null
t 1 "secp256k1" user add PLA008 --cert k1.pem
complains 'curve secp256k1'
# the stored blob is what ssh-keygen makes of the same key
for u in PLA001 PLA002 CUA001; do
	openssl x509 -in "pki/$u.pem" -noout -pubkey >pub.pem
	want=$(ssh-keygen -i -m PKCS8 -f pub.pem | cut -d' ' -f2)
	sql "SELECT encode(blob, 'base64') FROM login_key WHERE user_code = '$u' AND certificate IS NOT NULL"
	[ "$(tr -d '\n' <out)" = "$want" ]; ok $? "$u: the key's blob is ssh-keygen's"
done
sql "SELECT encode(blob, 'base64') FROM login_key WHERE user_code = 'PLA001' AND certificate IS NULL"
[ "$(tr -d '\n' <out)" = "$(cut -d' ' -f2 pki/PLA001.ssh.pub)" ]; ok $? "the key beside it"
sql "SELECT string_agg(message_type || ' ' || step, ',' ORDER BY step) FROM user_right WHERE user_code = 'PLA001'"
[ "$(cat out)" = "BalanceReport approval,BalanceReport entry" ]; ok $? "rights of a platform's user"
sql "SELECT string_agg(message_type || ' ' || step, ',' ORDER BY step) FROM user_right WHERE user_code = 'CUA001'"
[ "$(cat out)" = "CustodyReport approval,CustodyReport entry" ]; ok $? "rights of a custodian's"
t 0 "user list" user list --json
[ "$(wc -l <out)" = 3 ]; ok $? "... three users, none of the refused"
t 0 "user suspend" user suspend PLA001
t 1 "... again" user suspend PLA001
complains "is suspended, and only what is active can become suspended"
t 0 "user resume" user resume PLA001
t 1 "user suspend of none" user suspend PLA099

# --- contracts ---------------------------------------------------------------
t 0 "contract add" contract add PLA CUA --from 2026-01-01
t 1 "an overlapping one" contract add PLA CUA --from 2026-02-01
t 1 "the wrong way round" contract add CUA PLA --from 2026-01-01
t 2 "no date" contract add PLA CUB
t 2 "a date that is none" contract add PLA CUB --from 2026-02-30
t 0 "full custody" contract add PLA CUB --from 2026-01-01 --full-custody
t 0 "contract end" contract end PLA CUA --to 2026-03-01
t 1 "... again" contract end PLA CUA --to 2026-03-01
t 0 "a following one" contract add PLA CUA --from 2026-03-02
t 0 "contract list" contract list
t 0 "... JSON" contract list --json
[ "$(wc -l <out)" = 3 ] && grep -q '"to":"2026-03-01","fullCustody":false' out; ok $? "... three contracts"

# --- submissions ----------------------------------------------------------------
id=01890000-0000-7000-8000-000000000001 held=01890000-0000-7000-8000-000000000002
printf 'the bytes' >bytes; sum=$(sha256sum <bytes | cut -d' ' -f1)
mkdir -p "state/store/${sum:0:2}"; cp bytes "state/store/${sum:0:2}/$sum"
mkdir -p "state/spool/received/$held.PLA001"; printf 'spooled' >"state/spool/received/$held.PLA001/b.xml"
sql "INSERT INTO submission (id, uploader, file_name, size, received_at, state, sha256, member_code, message_type,
	message_id, business_date) VALUES ('$id', 'PLA001', 'a.xml', 9, now(), 'accepted', '$sum', 'PLA', 'BalanceReport',
	'M1', '2026-03-05'), ('$held', 'PLA001', 'b.xml', 7, now(), 'held', NULL, 'PLA', NULL, NULL, NULL)"
t 0 "submission list" submission list --json
[ "$(wc -l <out)" = 2 ]; ok $? "... two"
t 0 "... of a state" submission list --state held --json
[ "$(wc -l <out)" = 1 ]; ok $? "... one"
t 0 "... of a day" submission list --date 2026-03-05 --json
has "\"id\":\"$id\""
t 0 "... limited" submission list --limit 1 --json
[ "$(wc -l <out)" = 1 ]; ok $? "... one"
t 2 "a state that is none" submission list --state gone
t 2 "a limit that is none" submission list --limit x
t 0 "submission show" submission show $id
t 0 "... JSON" submission show $id --json
[ "$(python3 -c 'import json,sys; d=json.load(open("out")); print(d["state"], d["reasons"], d["sha256"])')" = "accepted [] $sum" ]
ok $? "... state, reasons, hash"
t 1 "show of none" submission show 01890000-0000-7000-8000-000000000009
t 1 "show of no id" submission show x
t 0 "submission get" submission get $id got
cmp -s got bytes; ok $? "... the same bytes"
t 0 "... to standard output" submission get $id
cmp -s out bytes; ok $? "... the same bytes"
t 0 "... from the spool" submission get $held got
[ "$(cat got)" = spooled ]; ok $? "... the same bytes"
printf 'other' >"state/store/${sum:0:2}/$sum"
t 3 "a changed document is not given out silently" submission get $id got
complains 'do not have the recorded SHA-256'
t 1 "retry of an accepted one" submission retry $id
t 0 "submission retry" submission retry $held
t 1 "... decided already" submission reject $held
sql "SELECT operator_decision FROM submission WHERE id = '$held'"
[ "$(cat out)" = retry ]; ok $? "... for the gateway to carry out"

# --- reconciliation, breaks, notices ----------------------------------------------
t 1 "no run to show" reconcile show
t 0 "no runs to list" reconcile list
t 1 "a day that is not over" reconcile run --date 2999-01-01
t 2 "a date that is none" reconcile run --date yesterday
sql "WITH r AS (INSERT INTO reconcile_run (business_date, version, cause, started_at, pairs, breaks)
	VALUES ('2026-03-05', 1, 'operator', now(), 1, 1) RETURNING no),
	p AS (INSERT INTO pair SELECT no, 'PLA', 'CUA', '4H95J0R2X', 2, 1.5, 0.5, 'break' FROM r),
	b AS (INSERT INTO break (id, rule, rule_source, kind, key, platform, custodian, asset, first_seen, last_seen)
	VALUES ('R1-000000000000', 'R1', 'm.32(3)', 'QUANTITY_DIFFERENCE', 'k', 'PLA', 'CUA', '4H95J0R2X', '2026-03-04',
	'2026-03-05') RETURNING id)
	INSERT INTO finding (run, break_id, status, first_seen, platform_quantity, custodian_quantity, difference, detail,
	submissions) SELECT r.no, b.id, 'continuing', '2026-03-04', 2, 1.5, 0.5, 'a \"detail\", quoted', ARRAY[1] FROM r, b"
t 0 "reconcile list" reconcile list --json
has '"businessDate":"2026-03-05","version":1'
t 0 "reconcile show" reconcile show --date 2026-03-05
t 1 "... --fail-on-break" reconcile show --date 2026-03-05 --fail-on-break
t 1 "... a version that is none" reconcile show --date 2026-03-05 --version 2
t 0 "break list" break list
t 0 "... JSON" break list --date 2026-03-05 --json
has '"platformQuantity":"2","custodianQuantity":"1.5","difference":"0.5","status":"continuing"'
has '"ageDays":1'
t 0 "... CSV" break list --csv
[ "$(sed -n 1p out | cut -d, -f1-7)" = id,rule,kind,platform,custodian,asset,platformQuantity ] &&
	sed -n 2p out | grep -q '"a ""detail"", quoted"$'
ok $? "... RFC 4180"
t 0 "break show" break show R1-000000000000 --json
t 1 "... of none" break show R1-111111111111
t 0 "notice list" notice list
t 0 "... of a member" notice list --member PLA
t 1 "notice get of none" notice get $id
sql "INSERT INTO notice (id, kind, recipient, file_name, issued_at, day, sha256, size, signed_at, published_at, outbox_until)
	VALUES ('$id', 'DiscrepancyReport', 'SPK', 'D.xml', now(), now(), '$sum', 9, now(), now(), now() + interval '1 day')"
cp bytes "state/store/${sum:0:2}/$sum"
t 0 "notice get" notice get $id got
cmp -s got bytes; ok $? "... the same bytes"
t 0 "notice rebuild" notice rebuild --json
has '"notices":1'
sql "SELECT published_at IS NULL AND outbox_until IS NOT NULL FROM notice WHERE file_name = 'D.xml'"
[ "$(cat out)" = t ]; ok $? "... to be published again, no longer than before"

# --- status and events -----------------------------------------------------------
t 1 "status: the gateway is not running" status
has 'ATTENTION: the gateway is not running'
t 1 "... JSON" status --json
python3 -c 'import json; d = json.load(open("out")); assert d["members"]["active"] == 5 and d["waiting"]["held"] == 1 and d["spool"]["files"] == 1, d' 2>>err
ok $? "... members, held ones, spool"
t 2 "status takes no argument" status now
sql "SELECT string_agg(DISTINCT kind, ' ' ORDER BY kind) FROM event WHERE actor = 'operator'"
[ "$(cat out)" = "contract-added contract-ended member-added member-resumed member-suspended operator-decision outbox-rebuilt user-added user-keys-added user-resumed user-suspended" ]
ok $? "every change left its event"

# --- the manual ------------------------------------------------------------------
missing=
for word in $("$muhur" --help | sed -n 's/^    \([a-z0-9]*\) .*/\1/p'); do
	grep -Eq "Cm $word( |\$)" "$srcdir/doc/muhur.1" || missing="$missing $word"
done
[ -z "$missing" ]; ok $? "every command stands in the manual$missing"

echo "1..$n"
[ $failed = 0 ]
