-- R4: presence.
-- Source: III-35/B.2 m.32(1): platforms and custodians send the reports that the
-- registry asks for.
--
-- In words: who owes which report for the day is said by muhur.owed: each platform
-- and each custodian with a contract valid on the day its BalanceReport and
-- CustodyReport; a platform its MovementReport (m.10(2)c), NettingReport (m.33(1))
-- and HoldingReport (m.41), and the registry its ReferenceData, as the parameters
-- R4.* say.  A suspended member owes them as well: its customers' assets are still
-- there.  Where none of it is in effect, and its cut-off has passed or the operator
-- asked for the run, there is one break, of that member, whatever the number of its
-- contracts; once told it stands in the day's later runs too, though they are
-- before the cut-off.  A missing report never counts as zero.
--
-- HoldingReports that are all of moments within the day (m.41(2)) do not stand for
-- the one of its end, which R2 and R6 are judged by.
--
-- The key names the day that is owed: a break of D ends when D itself is
-- reported (or no longer owed), and the day after has a break of its own.

INSERT INTO pg_temp.found (rule, rule_source, kind, key, platform, custodian, asset,
	platform_quantity, custodian_quantity, difference, detail, submissions)
SELECT 'R4', 'III-35/B.2 m.32(1)', 'REPORT_MISSING',
	o.message_type || '|' || o.member_code || '|' || $2::date,
	CASE WHEN m.kind = 'platform' THEN o.member_code END,
	CASE WHEN m.kind = 'custodian' THEN o.member_code END,
	NULL, NULL, NULL, NULL,
	o.message_type || ' of ' || o.member_code || ' is missing'
	|| CASE WHEN o.is_in THEN ': what is in says nothing of the end of the day' ELSE '' END,
	ARRAY(SELECT e.submission FROM pg_temp.in_effect e
		WHERE e.member_code = o.member_code AND e.message_type = o.message_type ORDER BY 1)
FROM muhur.owed($2) o
JOIN muhur.member m ON m.code = o.member_code
JOIN pg_temp.cutoff c ON c.message_type = o.message_type
WHERE (NOT o.is_in OR (o.message_type = 'HoldingReport' AND NOT EXISTS (SELECT FROM pg_temp.wallets_in w
	WHERE w.platform = o.member_code)))
AND (c.due OR o.message_type || '|' || o.member_code || '|' || $2::date IN (
	SELECT b.key FROM muhur.finding f JOIN muhur.break b ON b.id = f.break_id
	WHERE b.rule = 'R4' AND f.status <> 'cured' AND f.run = (SELECT r.no FROM muhur.reconcile_run r
		WHERE r.business_date = $2 AND r.no <> $1 ORDER BY r.version DESC LIMIT 1)));
