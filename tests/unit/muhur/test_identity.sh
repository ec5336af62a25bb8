#!/bin/bash
# SPDX-License-Identifier: ISC
# muhur identity: the outside check with the shipped program and with bad ones,
# list and show, against a private database.
srcdir=$(cd "${srcdir:-.}" && pwd)
export srcdir
muhur=${MUHUR:-$PWD/src/muhur/muhur}
[ -n "${PGTEST_DIR:-}" ] || exec sh "$srcdir/tests/unit/pgtest.sh" "$0"
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" LC_ALL=C.UTF-8
unset MUHUR_CONF POSIXLY_CORRECT

dir=$PGTEST_DIR/identity
mkdir -p "$dir" && cd "$dir" || exit 1
(umask 077; echo x >"$PGTEST_DIR/muhur_owner.password")
conf() {	# the check's program and its arguments, as muhur.conf has them
	cat >muhur.conf <<-END
	schema_dir = "${schemas:-$srcdir/schemas}"
	secrets_dir = "$PGTEST_DIR"
	db_host = "$PGTEST_DIR"
	identity_check_timeout = 2
	$1
	END
}

n=0 failed=0
ok() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else
		echo "not ok $n - $2"
		sed 's/^/# /' out err 2>/dev/null
		failed=$((failed + 1))
	fi
}
t() {		# CODE WHAT ARG...
	local want=$1 what=$2 got
	shift 2
	"$muhur" -c muhur.conf "$@" >out 2>err
	got=$?
	[ "$got" = "$want" ] || echo "# muhur $*: exit $got, not $want"
	[ "$got" = "$want" ]; ok $? "$what"
}
has() { grep -q -- "$1" out; ok $? "... says $1"; }
complains() { grep -q -- "$1" err; ok $? "... complains: $1"; }
sql() { psql -h "$PGTEST_DIR" -U muhur_owner -d muhur -v ON_ERROR_STOP=1 -Atqc "$1" 2>err; }
is() {		# WHAT QUERY RESULT
	local got
	got=$(sql "$2")
	[ "$got" = "$3" ] || echo "# $2: '$got', not '$3'"
	[ "$got" = "$3" ]; ok $? "$1"
}
# one accepted request of PLA, record by record: type number country name birth
ask() {		# MESSAGE_ID RECORD...
	local id=$1 i=0 r
	shift
	sql "INSERT INTO muhur.submission (id, uploader, file_name, size, received_at, state, member_code,
		message_type, message_id, business_date, sha256)
		VALUES (gen_random_uuid(), 'PLA001', 'x', 1, '2026-11-21T18:00Z', 'accepted', 'PLA',
		'RegistrationRequest', '$id', '2026-11-20', repeat('0', 64))"
	for r in "$@"; do
		i=$((i + 1))
		sql "INSERT INTO muhur_identity.request (business_date, submission, member_code, record_no, line,
			identity_type, identity_no, country, name, birth_date, identity_hash, digits_ok)
			SELECT '2026-11-20', s.no, 'PLA', $i, $i, f[1], f[2], nullif(f[3], ''), f[4], nullif(f[5], ''),
			sha256(convert_to(f[1] || '|' || f[3] || '|' || f[2], 'UTF8')), true
			FROM muhur.submission s, string_to_array('$r', ';') f WHERE s.message_id = '$id'"
	done
	sql "SELECT muhur_identity.register(no, '2026-11-21T18:00Z', true, 'k') FROM muhur.submission WHERE message_id = '$id'" >/dev/null
}
finding() { echo "SELECT string_agg(f.code, ',' ORDER BY f.code) FROM (SELECT * FROM muhur.record_finding UNION ALL
	SELECT * FROM muhur.record_answer) f JOIN muhur.submission s ON s.no = f.submission WHERE s.message_id = '$1' AND f.record_no = $2"; }
results() { echo "SELECT count(*) FROM muhur.notice n JOIN muhur.submission s ON s.no = n.submission
	WHERE s.message_id = '$1' AND n.level = 'result' AND n.recipient = 'PLA'
	AND n.file_name = s.id || '.result.xml' AND n.kind = 'Acknowledgement'"; }

# --- a database from before ----------------------------------------------------
mkdir -p old/sql && cp "$srcdir"/schemas/sql/0* old/sql && (cd old/sql && ls | tail -n +11 | xargs rm)
schemas=$dir/old
conf ''
schemas=
t 0 "db init" db init
sql "DROP OWNED BY muhur_identity; DROP ROLE muhur_identity"
rm "$PGTEST_DIR/muhur_identity.password" "$PGTEST_DIR/identity.key"
conf ''
t 0 "db migrate makes the role and the key" db migrate
[ "$(stat -c %a "$PGTEST_DIR/identity.key" "$PGTEST_DIR/muhur_identity.password" | tr '\n' ' ')" = '600 600 ' ]
ok $? "... both secret"
cp "$PGTEST_DIR/identity.key" before
t 0 "... again" db migrate
cmp -s before "$PGTEST_DIR/identity.key"; ok $? "... and leaves the key"
t 0 "a member" member add PLA --kind platform --name P
t 1 "no program is set" identity check
complains identity_check

# --- the shipped program ---------------------------------------------------------
printf '# a comment\nTCKN\t\t10000000146\tAyşe Işık\t1990-01-02\nVKN\t\t1234567890\tÖrnek A.Ş.\nFOREIGN\tDE\tC01\tErika M\t\r\n' >people.tsv
file=$srcdir/src/muhur/muhur-identity-file
conf "identity_check = {\"$file\", \"$dir/people.tsv\"}"
ask m1 'TCKN;10000000146;;AYSE isik;1990-01-02' 'VKN;1234567890;;Other A.Ş.;' 'FOREIGN;C01;DE;Erika M;1964-08-12' \
	'FOREIGN;C01;US;Erika M;1964-08-12'
is "asked" "$(finding m1 1)" ASKED
is "no number before the answer" "SELECT count(*) FROM muhur.registry_number" 0
t 0 "list" identity list --state asked
[ "$(wc -l <out)" = 5 ]; ok $? "... four and a heading"
! grep -q 'Erika\|10000000146' out; ok $? "... no person in it"
t 2 "... no such state" identity list --state nothing
t 0 "check" identity check
has 'asked 4: accepted 2, refused 1, open 1; submissions with their result: 0'
is "accepted" "$(finding m1 1)" ASKED,REGISTERED
is "refused for its name" "$(finding m1 2)" ASKED,REFUSED
is "accepted, of a foreign country" "$(finding m1 3)" ASKED,REGISTERED
is "the same number of another country is open" "$(finding m1 4)" ASKED
is "no result yet" "$(results m1)" 0
t 0 "again" identity check --json
has '"asked":1,"accepted":0,"refused":0,"open":1'
printf 'FOREIGN\tUS\tC01\tErika M\t1964-08-13\n' >>people.tsv
t 0 "once the file has it" identity check
has 'asked 1: accepted 0, refused 1, open 0; submissions with their result: 1'
is "refused for its date" "$(finding m1 4)" ASKED,REFUSED
is "the result" "$(results m1)" 1
is "... in the trail" "SELECT detail FROM muhur.event WHERE kind = 'registered'" '{"refused": 2, "accepted": 2}'
is "no person in findings" "SELECT count(*) FROM (SELECT detail FROM muhur.record_finding UNION ALL SELECT detail FROM muhur.record_answer) x WHERE detail ~ 'Erika|sik|Other|1000'" 0
t 0 "nothing to do" identity check
has 'asked 0'

# --- programs that fail: loud, nothing lost, asked again ----------------------------
ask m2 'VKN;0000000001;;Second;'
no=$(sql "SELECT no FROM muhur_identity.identity WHERE name = 'Second'")
program() {	# its text
	printf '#!/bin/sh\n%s\n' "$1" >program
	chmod 755 program
	conf "identity_check = \"$dir/program\""
}
bad() {		# WHAT PROGRAM COMPLAINT
	program "$2"
	t 3 "$1" identity check
	complains "$3"
	is "... still asked" "$(finding m2 1)" ASKED
}
bad "it fails" "printf '$no\taccepted\t\n'; exit 1" 'has failed'
bad "it is killed" 'kill -9 $$' 'signal'
bad "it answers nonsense" "printf '$no\tperhaps\t\n'" 'is none to what it was asked'
bad "it answers what it was not asked" "printf '999\taccepted\t\n'" 'is none to what it was asked'
bad "it answers twice" "printf '$no\taccepted\t\n$no\trefused\t\n'" 'none'
bad "it floods" 'cat /dev/zero' 'more than it was asked'
bad "it hangs" "sleep 1000 & echo \$! >pid; printf '$no\taccepted\t\n'; cat >/dev/null; sleep 1000" 'in time'
for i in $(seq 100); do	# a signal takes its time; a zombie has gone
	grep -q '^State:[[:space:]]*[^Z]' "/proc/$(cat pid)/status" 2>/dev/null || break
	sleep 0.1
done
[ "$i" -lt 100 ]; ok $? "... nothing of it is left"
bad "it closes its output and stays" "exec >&-; sleep 1000" 'in time'
rm program
t 3 "it is absent" identity check
is "... still asked" "$(finding m2 1)" ASKED
program "true"
t 0 "it says nothing" identity check
has 'asked 1: accepted 0, refused 0, open 1'
program "cat >seen; printf '$no\taccepted\tword\n'"
t 0 "at last" identity check
has 'accepted 1'
is "registered" "$(finding m2 1)" ASKED,REGISTERED
[ "$(cat seen)" = "$(printf '%s\tVKN\t\t0000000001\tSecond\t' "$no")" ]; ok $? "the line that it was asked"

# --- many: more than one batch --------------------------------------------------------
sql "INSERT INTO muhur.submission (id, uploader, file_name, size, received_at, state, member_code, message_type,
	message_id, business_date) VALUES (gen_random_uuid(), 'PLA001', 'x', 1, '2026-11-21T18:00Z', 'accepted', 'PLA',
	'RegistrationRequest', 'm3', '2026-11-20');
	INSERT INTO muhur_identity.request (business_date, submission, member_code, record_no, line, identity_type, identity_no,
	name, identity_hash, digits_ok) SELECT '2026-11-20', s.no, 'PLA', i, i, 'VKN', i, E'A\tB\n' || i, sha256(i::text::bytea), true
	FROM muhur.submission s, generate_series(1, 2500) i WHERE s.message_id = 'm3';
	SELECT muhur_identity.register(no, '2026-11-21T18:00Z', true, 'k') FROM muhur.submission WHERE message_id = 'm3'" >/dev/null
program "awk -F'\t' 'NF != 6 { exit 1 } { print \$1 \"\taccepted\" }'"
t 0 "2500" identity check
has 'asked 2500: accepted 2500, refused 0, open 0; submissions with their result: 1'
is "a number each" "SELECT count(DISTINCT registry_no) FROM muhur_identity.identity WHERE identity_type = 'VKN' AND name LIKE E'A\\tB%'" 2500

# --- who is behind a number --------------------------------------------------------------
reg=$(sql "SELECT registry_no FROM muhur_identity.identity WHERE identity_no = '10000000146'")
t 0 "show" identity show "$reg" --json
has '"number":"10000000146"'
has '"civilState":"accepted","taxState":null,"members":\["PLA"\]'
is "... in the trail, without the person" "SELECT actor || detail FROM muhur.event WHERE kind = 'identity-shown'" \
	"operator{\"registryNo\": \"$reg\"}"
t 1 "show of none" identity show 9999999999
is "... is no event" "SELECT count(*) FROM muhur.event WHERE kind = 'identity-shown'" 1
t 2 "show of nothing" identity show
t 2 "show of an identity number" identity show 10000000146
complains 'that is no registry number'
! grep -q 10000000146 err; ok $? "... and does not say which"

echo "1..$n"
[ $failed = 0 ]
