#!/bin/bash
# SPDX-License-Identifier: ISC
# The pages that quote the table of reasons say what it says now, and the
# filter that writes them leaves the rest of a page alone.
srcdir=$(cd "${srcdir:-.}" && pwd)
refusals=${REFUSALS:-$PWD/doc/refusals}
export LC_ALL=C.UTF-8
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

n=0 failed=0
ok() {		# what; the exit code of the last command decides
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else
		echo "not ok $n - $2"
		sed 's/^/# /' diff err 2>/dev/null | head -n 20
		failed=$((failed + 1))
	fi
}

for page in refusals.md muhur.1 architecture.md; do
	"$refusals" <"$srcdir/doc/$page" >"$page" 2>err && diff "$srcdir/doc/$page" "$page" >diff
	ok $? "doc/$page quotes the table as it is (else: make refusals)"
done

# Each code once in the manual, twice on the page (English, Turkish).
codes=$(sed -n 's/^\.It Dv \([A-Z_]*\)$/\1/p' "$srcdir/doc/muhur.1")
printf '#### %s\n' $codes $codes | sort >want
grep '^#### ' "$srcdir/doc/refusals.md" | sort >got
[ -n "$codes" ] && diff want got >diff
ok $? "both pages hold the same codes"

# Every link leads to a heading of the page.
grep -o '](#[^)]*)' "$srcdir/doc/refusals.md" | sed 's/^](#//; s/)$//' | sort -u >links
sed -n 's/^##* //p' "$srcdir/doc/refusals.md" | sed 's/[.\[]//g; s/\]//g; y/ /-/' | tr A-Z a-z |
	awk '{ print $0 (seen[$0]++ ? "-1" : "") }' | sed 's/Ü/ü/' | sort -u >anchors
comm -23 links anchors >diff
[ -s links ] && ! [ -s diff ]; ok $? "every link leads somewhere"

# The filter itself.
printf 'a\n<!-- @refusals stages-en: x -->\nold\n<!-- @end -->\nb\n' | "$refusals" >got 2>err &&
	grep -q '\[SIG_DIGEST\](#sig_digest)' got && ! grep -q old got &&
	[ "$(sed -n '1p;$p' got | tr '\n' ' ')" = "a b " ]
ok $? "what stands between is replaced, the rest is not"
printf 'a\n' | "$refusals" >/dev/null 2>err; [ $? = 1 ] && grep -q nothing err
ok $? "a page without a place for it is an error"
printf '@refusals mdoc\n' | "$refusals" >/dev/null 2>err; [ $? = 1 ] && grep -q 'does not end' err
ok $? "... so is a part that does not end"
printf '@refusals mdok\n@end\n' | "$refusals" >/dev/null 2>err; [ $? = 1 ] && grep -q 'no part' err
ok $? "... and an unknown one"

echo "1..$n"
[ $failed = 0 ]
