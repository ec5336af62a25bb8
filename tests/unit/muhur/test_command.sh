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
# both steps of every type that the member's kind sends (domain: message types)
rights() {
	sql "SELECT string_agg(message_type, ' ' ORDER BY message_type COLLATE \"C\") FROM user_right
		WHERE user_code = '$1' AND step = '$2'"
	[ "$(cat out)" = "$3" ]; ok $? "rights of $1: $2"
}
for step in entry approval; do
	rights PLA001 $step "BalanceReport DiscrepancyResponse HoldingReport ListingNotice MovementReport NettingReport RegistrationRequest"
	rights CUA001 $step "CustodyReport DiscrepancyResponse RegistrationRequest"
done
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

# --- parameters --------------------------------------------------------------
t 0 "parameter list" parameter list
has '^R6.limit  *0.05 '
has '^R4.holding .* as R4.movement, of HoldingReport'
t 0 "parameter set" parameter set R6.limit 0.04 --from 2026-03-10
has '^set R6.limit to 0.04 from 2026-03-10, before 0.05$'
[ "$(wc -l <out)" = 1 ]; ok $? "... no day was reconciled before"
t 0 "parameter list of a day" parameter list --date 2026-03-09 --json
has '"name":"R6.limit","value":"0.05","from":"2000-01-01","setAt":null'
t 0 "... of the day it holds from" parameter list --date 2026-03-10 --json
has '"name":"R6.limit","value":"0.04","from":"2026-03-10"'
[ "$(grep -c R6.limit out)" = 1 ]; ok $? "... once"
# R2 stands before R10, and what is no rule's at the end
[ "$(grep -o '"name":"[^"]*"' out | cut -d'"' -f4 | sed -n '1p;$p' | tr '\n' ' ')" = 'R1.tolerance report.central ' ]; ok $? "... in the rules' order"
[ "$(grep -n R2.tol out | cut -d: -f1)" -lt "$(grep -n R10.limit out | cut -d: -f1)" ]; ok $? "... by number"
# Runs on five days; 0.06 from 03-08 holds until 0.04 does, from 03-10: it is
# another value than 0.05 for 03-08 and 03-09, and says nothing of 03-10 and 11
sql "INSERT INTO reconcile_run (business_date, version, cause, started_at) SELECT d, v, 'operator', now()
	FROM generate_series('2026-03-07', '2026-03-11', interval '1 day') d, generate_series(1, 2) v"
t 0 "a value for days that were reconciled" parameter set R6.limit 0.06 --from 2026-03-08
has '^reconciled already with another value: 2 days, 2026-03-08 to 2026-03-09;'
t 0 "the same value again" parameter set R6.limit 0.06 --from 2026-03-08 --json
[ "$(cat out)" = '{"did":"set","what":"R6.limit","value":"0.06","from":"2026-03-08","before":"0.06","reconciledDays":0,"firstReconciled":null,"lastReconciled":null}' ]
ok $? "... changes no day"
t 0 "another one for the same day" parameter set R6.limit 0.07 --from 2026-03-09
has '1 day, 2026-03-09 to 2026-03-09'
t 0 "from the open day on" parameter set R12.month rolling
has ' before calendar$'
t 0 "parameter list --history" parameter list --history --json
[ "$(grep -o '"name":"R6.limit","value":"[0-9.]*"' out | cut -d'"' -f8 | tr '\n' ' ')" = '0.05 0.06 0.07 0.04 ' ]; ok $? "... in the order of days"
sql "SELECT detail FROM event WHERE kind = 'parameter-set' ORDER BY no LIMIT 1"
has "{\"uid\": $(id -u), "'"from": "2026-03-10", "name": "R6.limit", "value": "0.04", "before": "0.05"}'
t 1 "a name that is none" parameter set R6.limits 0.05
complains 'R6.limits: there is no such parameter'
t 1 "a part above 1" parameter set R6.limit 5
complains 'R6.limit: 5: must be a number from 0 to 1'
t 1 "a part and a line's end" parameter set R6.limit '0.05
'
for v in '' ' 0.05' 0.05% 5e-2 -0.05 .05 1.01; do t 1 "a part written '$v'" parameter set -- R6.limit "$v"; done
t 0 "a part of 1" parameter set R9.limit 1.00
t 1 "a word that is none" parameter set R8.split half
complains 'must be asset or total or whole'
t 1 "part of a word" parameter set R8.split ass
t 1 "days that are no number" parameter set R12.cure_days 30.5
t 1 "an amount that is negative" parameter set -- R7.small_usd -1
t 0 "an amount" parameter set R7.small_usd 250000.50
t 2 "no value" parameter set R6.limit
t 2 "a date that is none" parameter set R6.limit 0.05 --from 2026-02-30
t 2 "both of a day and of all" parameter list --date 2026-03-01 --history
sql "DELETE FROM reconcile_run"

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
t 3 "... never over a file that is there" submission get $id got
complains 'got: exists already'
t 0 "... to standard output" submission get $id
cmp -s out bytes; ok $? "... the same bytes"
rm -f got
t 0 "... from the spool" submission get $held got
[ "$(cat got)" = spooled ]; ok $? "... the same bytes"
printf 'other' >"state/store/${sum:0:2}/$sum"
rm -f got
t 3 "a changed document is not given out silently" submission get $id got
complains 'do not have the recorded SHA-256'
t 3 "nor by the archive" archive get $sum got
t 1 "which finds it" archive verify --store state/store
has "rotten: $sum"
rm "state/store/${sum:0:2}/$sum"; cp bytes "state/store/${sum:0:2}/$sum"
t 0 "archive verify of a folder" archive verify --store state/store
t 3 "... that is none" archive verify --store nowhere
t 2 "... of a day" archive verify --store state/store --date 2026-03-05
rm -f got
t 0 "archive get" archive get $sum got
cmp -s got bytes; ok $? "... the same bytes"
rm -f got
t 0 "... by the id" archive get $id got
cmp -s got bytes; ok $? "... the same bytes"
t 1 "... of none" archive get 01890000-0000-7000-8000-000000000009
t 2 "... of neither" archive get x
t 0 "archive list" archive list --kind submission --json
has "\"sha256\":\"$sum\",\"kept\":\"plain\""
t 2 "... of no kind" archive list --kind x
t 1 "... of no member" archive list --member ZZZ
t 2 "archive purge of no day" archive purge
t 2 "... of the future" archive purge --before 2999-01-01
printf 'other' >"state/store/${sum:0:2}/$sum"
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
printf '%s\r\n' id,rule,source,kind,platform,custodian,asset,platformQuantity,custodianQuantity,difference,status,firstSeen,detail,state,sources,explanation,ageDays,businessDate,version,explainedBy \
	"R1-000000000000,R1,m.32(3),QUANTITY_DIFFERENCE,PLA,CUA,4H95J0R2X,2,1.5,0.5,continuing,2026-03-04,\"a \"\"detail\"\", quoted\",open,$id:$sum,,1,2026-03-05,1," >want
cmp -s out want; ok $? "... RFC 4180: a heading, CR LF, quotes doubled"
t 0 "break show" break show R1-000000000000 --json
t 1 "... of none" break show R1-111111111111
# an explanation by the submission of the number 1, and two records of it that a finding names
sql "UPDATE break SET state = 'explained', explained_by = 1, explanation = '=1+1, \"so\"';
	UPDATE finding SET records = '{\"1\": [7, 11]}'"
t 0 "break show: explained" break show R1-000000000000 --json
python3 - "$id" "$sum" 2>>err <<'END'
import json, sys
d = json.load(open("out"))
assert d["state"] == "explained" and d["explanation"] == '=1+1, "so"', d
assert (d["explainedBy"], d["explainedMember"], d["closedAt"]) == (sys.argv[1], "PLA", None), d
f, = d["findings"]
assert f["submissions"] == [{"id": sys.argv[1], "sha256": sys.argv[2], "records": [7, 11]}], f
assert f["explanation"] == d["explanation"] and "sources" not in f, f
END
ok $? "... by whom, and the sources with their records"
t 0 "... for people" break show R1-000000000000
grep -q "^$id .* 7,11\$" out; ok $? "... the submission with its records"
t 0 "... CSV" break list --csv
python3 - "$id" "$sum" 2>>err <<'END'
import csv, sys
head, row = csv.reader(open("out", newline=""), strict=True)
row = dict(zip(head, row))
# no spreadsheet takes what a member wrote for a formula
assert row["explanation"] == "'=1+1, \"so\"" and row["explainedBy"] == sys.argv[1], row
assert row["sources"] == f"{sys.argv[1]}:{sys.argv[2]}:7,11" and row["difference"] == "0.5", row
END
ok $? "... the same"
t 0 "break list: a rule, a member, a state" break list --rule R1 --member CUA --state explained --json
[ "$(wc -l <out)" = 1 ]; ok $? "... one"
for none in "--rule R2" "--rule R10" "--member PLB" "--state open" "--date 2026-03-04"; do
	# shellcheck disable=SC2086
	t 0 "... $none" break list $none --json
	[ ! -s out ]; ok $? "... none"
done
t 2 "a rule that is none" break list --rule R
t 2 "a state of a break that is none" break list --state gone
t 2 "no member code" break list --member x
# A later day's run says nothing of an earlier day's missing report, which stays open.
sql "WITH r AS (INSERT INTO reconcile_run (business_date, version, cause, started_at, pairs, breaks)
	VALUES ('2026-03-06', 1, 'operator', now(), 0, 0) RETURNING no) SELECT"
t 0 "break list: the newest run" break list --json
[ ! -s out ]; ok $? "... has none"
t 0 "... of a state, whatever the day" break list --state explained --json
has '"id":"R1-000000000000".*"businessDate":"2026-03-05"'
t 2 "break close without a reason" break close R1-000000000000
t 2 "... with an empty one" break close R1-000000000000 --reason ''
t 2 "... with a line end in it" break close R1-000000000000 --reason $'a\nb'
t 1 "... of none" break close R1-111111111111 --reason r
t 0 "break close" break close R1-000000000000 --reason 'Düzeltildi "teyit"'
t 1 "... again" break close R1-000000000000 --reason r
complains 'is closed already'
t 0 "break show: closed" break show R1-000000000000 --json
has '"state":"closed".*"closedAt":"20[^"]*Z","closedBy":"operator","closedReason":"Düzeltildi \\"teyit\\""'
sql "SELECT string_agg(detail::text, ' ') FROM event WHERE kind = 'break-closed'"
[ "$(cat out)" = "{\"uid\": $(id -u), "'"break": "R1-000000000000", "reason": "Düzeltildi \"teyit\""}' ]; ok $? "... one event"

# PLA, 2 of an asset at 50 TRY and 40 TRY to the dollar, 0.1 of it in its own wallets:
# value 100 TRY = 2.50 USD; 5 of 100 is the limit and no breach, 7 within the day is within 10 %
sql "DELETE FROM reconcile_run WHERE business_date = '2026-03-06'"
sql "INSERT INTO asset_value SELECT no, 'PLA', '4H95J0R2X', 50, 0.1, 3, 1.9, 100.00, 2.5 FROM reconcile_run;
	INSERT INTO limit_result SELECT no, 1, 'R6', 'm.41(1)', 'PLA', NULL, NULL, NULL, 5, 100, 0.05, 0.05, 'within', NULL,
	NULL, 'exactly the limit' FROM reconcile_run; INSERT INTO limit_result SELECT no, 2, 'R9', 'm.26(6)', NULL, 'CUA',
	NULL, '2026-03-05T12:00:00+03', NULL, NULL, NULL, 0.05, 'missing', 3, '2026-04-16', '-x, y' FROM reconcile_run"
t 0 "reconcile show --values" reconcile show --values
has '4H95J0R2X  *50  *0.1  *3  *1.9  *100  *2.5$'
t 0 "reconcile show --limits" reconcile show --limits
has '^R6 .* 0.05  *0.05  within '
t 0 "... JSON of both" reconcile show --values --limits --json --date 2026-03-05 --version 1
python3 - 2>>err <<'END'
import json
d = json.load(open("out"))
assert d["values"] == [{"platform": "PLA", "asset": "4H95J0R2X", "priceTry": "50", "customersQuantity": "0.1",
                        "houseQuantity": "3", "custodiansQuantity": "1.9", "valueTry": "100", "valueUsd": "2.5"}], d
a, b = d["limits"]
assert (a["rule"], a["source"], a["platform"], a["custodian"], a["at"], a["numerator"], a["denominator"], a["ratio"],
        a["status"], a["occurrences"]) == ("R6", "m.41(1)", "PLA", None, None, "5", "100", "0.05", "within", None), a
assert (b["custodian"], b["at"], b["ratio"], b["occurrences"], b["cureBy"], b["detail"]) == \
    ("CUA", "2026-03-05T09:00:00.000000Z", None, 3, "2026-04-16", "-x, y"), b
assert len(d["comparisons"]) == 1 and d["inputs"] == [], d
END
ok $? "... exact values"
t 0 "... CSV" reconcile show --limits --csv
printf '%s\r\n' rule,platform,custodian,asset,at,numerator,denominator,ratio,threshold,status,occurrences,cureBy,detail,source \
	'R6,PLA,,,,5,100,0.05,0.05,within,,,exactly the limit,m.41(1)' \
	"R9,,CUA,,2026-03-05T09:00:00.000000Z,,,,0.05,missing,3,2026-04-16,\"'-x, y\",m.26(6)" >want
cmp -s out want; ok $? "... the same columns"
t 0 "... CSV of the comparisons" reconcile show --csv
[ "$(sed -n 2p out)" = $'PLA,CUA,4H95J0R2X,2,1.5,0.5,break\r' ]; ok $? "... one"
t 1 "... --fail-on-break" reconcile show --values --csv --fail-on-break
t 2 "two tables are no CSV" reconcile show --values --limits --csv
t 2 "values of a list" reconcile list --values

# --- an investor -----------------------------------------------------------------
# Number 1000000001: 1.5 and 0.25 (two lines of one customer and place) at CUA through PLA, 2 in PLA's own wallets of
# which 0.5 are locked, -0.25 at PLB, and 3 as CUA's direct customer, hot and cold: 1.75 + 2 - 0.25 + 3 = 6.5.
# A replaced report, another number and another day are not counted.
sql "SELECT ensure_day('2026-03-05'), ensure_day('2026-03-04')"
sql "INSERT INTO submission (id, uploader, file_name, size, received_at, state, member_code, message_type, message_id,
	business_date) SELECT gen_random_uuid(), 'PLA001', m || '.xml', 1, now(), s, left(m, 3), t, m, d::date FROM (VALUES
	('PLB-1', 'BalanceReport', 'accepted', '2026-03-05'), ('CUA-1', 'CustodyReport', 'accepted', '2026-03-05'),
	('PLA-0', 'BalanceReport', 'replaced', '2026-03-05'), ('PLA-9', 'BalanceReport', 'accepted', '2026-03-04'))
	AS v (m, t, s, d)"
sql "INSERT INTO balance (business_date, submission, member_code, record_no, line, registry_no, customer_no, held_at, asset,
	quantity, locked) SELECT d::date, s.no, 'PLA', 1, 1, r, c, h, a, q, l FROM (VALUES
	('M1', '2026-03-05', '1000000001', 'C1', 'CUA', '4H95J0R2X', 1.5, 0),
	('M1', '2026-03-05', '1000000001', 'C1', 'CUA', '4H95J0R2X', 0.25, 0),
	('M1', '2026-03-05', '1000000001', 'C1', 'OWN', '4H95J0R2X', 2, 0.5),
	('M1', '2026-03-05', '1000000001', 'C1', 'OWN', 'X9J9K872S', 7, 0),
	('M1', '2026-03-05', '1000000002', 'C2', 'OWN', '4H95J0R2X', 64, 0),
	('PLB-1', '2026-03-05', '1000000001', 'K', 'CUB', '4H95J0R2X', -0.25, 0),
	('PLA-0', '2026-03-05', '1000000001', 'C1', 'OWN', '4H95J0R2X', 64, 0),
	('PLA-9', '2026-03-04', '1000000001', 'C1', 'OWN', '4H95J0R2X', 9, 0))
	AS v (m, d, r, c, h, a, q, l) JOIN submission s ON s.message_id = v.m"
sql "UPDATE balance SET member_code = 'PLB' WHERE held_at = 'CUB'; INSERT INTO custody_direct
	SELECT '2026-03-05', s.no, 'CUA', 1, 1, '1000000001', 'D', '4H95J0R2X', w, 1.5 FROM submission s,
	(VALUES ('HOT'), ('COLD')) AS v (w) WHERE s.message_id = 'CUA-1'"
t 0 "investor show" investor show 1000000001 --json
python3 - 2>>err <<'END'
import json
d = json.load(open("out"))
def line(member, place, customer, quantity, locked="0"):
    return {"member": member, "heldAt": place, "customerNo": customer, "quantity": quantity, "locked": locked}
assert d == {"registryNo": "1000000001", "businessDate": "2026-03-05", "assets": [
    {"asset": "4H95J0R2X", "quantity": "6.5", "locked": "0.5", "holdings": [
        line("CUA", "CUA", "D", "3"), line("PLA", "CUA", "C1", "1.75"), line("PLA", "OWN", "C1", "2", "0.5"),
        line("PLB", "CUB", "K", "-0.25")]},
    {"asset": "X9J9K872S", "quantity": "7", "locked": "0", "holdings": [line("PLA", "OWN", "C1", "7")]}]}, d
END
ok $? "... over all members, by place, what is in effect alone"
t 0 "... for people" investor show 1000000001
has '^4H95J0R2X  PLB  *CUB  *K  *-0.25  *0  *6.5  *0.5$'
t 0 "... of another day, CSV" investor show 1000000001 --date 2026-03-04 --csv
printf '%s\r\n' registryNo,businessDate,asset,member,heldAt,customerNo,quantity,locked,totalQuantity,totalLocked \
	1000000001,2026-03-04,4H95J0R2X,PLA,OWN,C1,9,0,9,0 >want
cmp -s out want; ok $? "... one line"
t 1 "... of none" investor show 1000000009
complains 'nobody reports it on 2026-03-05'
sql "INSERT INTO registry_number VALUES ('1000000009', '2026-03-01')"
t 0 "... of one that was given and has nothing" investor show 1000000009 --json
[ "$(cat out)" = '{"registryNo":"1000000009","businessDate":"2026-03-05","assets":[]}' ]; ok $? "... nothing"
t 2 "... of what is no number" investor show 10000000146
complains 'registry number: it has 10 digits'
! grep -q 146 err; ok $? "... which may be an identity number, and is not repeated"
t 2 "... of a date that is none" investor show 1000000001 --date x

t 0 "notice list" notice list
t 0 "... of a member" notice list --member PLA
t 1 "... of none" notice list --member ZZZ
complains 'ZZZ: is no member'
t 1 "notice get of none" notice get $id
sql "INSERT INTO notice (id, kind, recipient, file_name, issued_at, day, sha256, size, signed_at, published_at, outbox_until)
	VALUES ('$id', 'DiscrepancyReport', 'SPK', 'D.xml', now(), now(), '$sum', 9, now(), now(), now() + interval '1 day')"
cp bytes "state/store/${sum:0:2}/$sum"
rm -f got
t 0 "notice get" notice get $id got
cmp -s got bytes; ok $? "... the same bytes"
t 1 "notice rebuild of no member" notice rebuild --member ZZZ
t 0 "notice rebuild" notice rebuild --json
has '"notices":1'
sql "SELECT published_at IS NULL AND outbox_until IS NOT NULL FROM notice WHERE file_name = 'D.xml'"
[ "$(cat out)" = t ]; ok $? "... to be published again, no longer than before"
sql "UPDATE notice SET purged_at = '2026-11-20 10:00Z' WHERE file_name = 'D.xml'"
t 1 "notice get of a purged one" notice get $id got
complains 'was purged at 2026-11-20T10:00:00Z'
sql "UPDATE notice SET purged_at = NULL WHERE file_name = 'D.xml'"

# --- status and events -----------------------------------------------------------
t 1 "status: the gateway is not running" status
has 'ATTENTION: the gateway is not running'
t 1 "... JSON" status --json
python3 -c 'import json; d = json.load(open("out")); assert d["members"]["active"] == 5 and d["waiting"]["held"] == 1 and d["spool"]["files"] == 1, d' 2>>err
ok $? "... members, held ones, spool"
t 2 "status takes no argument" status now
# PLA keeps assets at CUA and CUB, and all were there: three reports are owed of each day.  PLA's of the last closed day
# is in; CUA's of the day before; each type has its own cut-off, on the next day in Istanbul, which is at UTC+3.
echo 'cutoff_types = { "CustodyReport=10:30" }' >>muhur.conf
sql "UPDATE member SET created_at = '2026-01-01'"
day=$(TZ=Europe/Istanbul date -d '1 minute - 1 day' +%F)
before=$(date -d "$day - 1 day" +%F)
sql "INSERT INTO submission (id, uploader, file_name, size, received_at, state, member_code, message_type, message_id,
	business_date) SELECT gen_random_uuid(), 'PLA001', 's.xml', 1, now(), 'accepted', m, t, 'S', d::date FROM (VALUES
	('PLA', 'BalanceReport', '$day'), ('CUA', 'CustodyReport', '$before')) AS v (m, t, d)"
t 1 "status: what is owed" status --json
python3 - "$day" "$before" 2>>err <<'END'
import datetime, json, sys
d = json.load(open("out"))
day, before = sys.argv[1:]
after = datetime.date.fromisoformat(day) + datetime.timedelta(days=1)
got = {(r["member"], r["messageType"]): r for r in d["day"]["reports"]}
assert d["day"]["businessDate"] == day and d["day"]["missing"] == ["CUA", "CUB"], d["day"]
assert {k: r["in"] for k, r in got.items()} == {
    ("CUA", "CustodyReport"): False, ("CUB", "CustodyReport"): False, ("PLA", "BalanceReport"): True}, got
assert got["CUA", "CustodyReport"]["cutOff"][:19] == f"{after}T07:30:00", got
assert got["PLA", "BalanceReport"]["cutOff"][:19] == d["day"]["cutOff"][:19] == f"{after}T09:00:00", got
assert [(r["member"], r["messageType"]) for r in d["missingBefore"] if r["businessDate"] == before] == [
    ("CUB", "CustodyReport"), ("PLA", "BalanceReport")], d["missingBefore"]
END
ok $? "... each report, its cut-off, and what is missing of earlier days"
t 1 "... for people" status
has "^business day .*$day, 1 of 3 reports are in; not in yet:"
has "PLA BalanceReport, $before"
sql "SELECT string_agg(DISTINCT kind, ' ' ORDER BY kind) FROM event WHERE actor = 'operator'"
[ "$(cat out)" = "break-closed contract-added contract-ended database-migrated member-added member-resumed member-suspended operator-decision outbox-rebuilt parameter-set user-added user-keys-added user-resumed user-suspended" ]
ok $? "every change left its event"

# --- the manual ------------------------------------------------------------------
missing=
for word in $("$muhur" --help | sed -n 's/^    \([a-z0-9]*\) .*/\1/p'); do
	grep -Eq "Cm $word( |\$)" "$srcdir/doc/muhur.1" || missing="$missing $word"
done
[ -z "$missing" ]; ok $? "every command stands in the manual$missing"
# what a rule is set to, and its kinds of breaks, stand in their page
missing=
sql "SELECT DISTINCT name FROM parameter ORDER BY 1"
[ "$(wc -l <out)" -gt 30 ] || missing=" all"
while read -r word; do
	grep -qF "\`$word\`" "$srcdir/doc/rules.md" || missing="$missing $word"
done <out
[ -z "$missing" ]; ok $? "every parameter stands in the rules' page$missing"
missing=
for word in $(grep -ohE "'[A-Z]+_[A-Z_]+'" "$srcdir"/schemas/rules/*.sql | tr -d "'" | sort -u); do
	grep -qF "\`$word\`" "$srcdir/doc/rules.md" && grep -q " Ta $word " "$srcdir/doc/muhur.1" || missing="$missing $word"
done
[ -n "$word" ] && [ -z "$missing" ]; ok $? "every kind of break stands there and in the manual$missing"

echo "1..$n"
[ $failed = 0 ]
