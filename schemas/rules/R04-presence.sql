-- R4: presence.
-- Source: III-35/B.2 m.32(1): platforms and custodians send their reports each
-- day.
--
-- In words: each platform and each custodian that has a contract valid on the
-- day, and is not closed, owes its report of the day (BalanceReport,
-- CustodyReport).  Where no report of it is in effect there is one break, of
-- that member, whatever the number of its contracts.  A missing report never
-- counts as zero.  A suspended member owes it as well: its customers' assets
-- are still there.
--
-- The key names the day that is owed: a break of D ends when D itself is
-- reported (or no longer owed), and the day after has a break of its own.

INSERT INTO pg_temp.found (rule, rule_source, kind, key, platform, custodian, asset,
	platform_quantity, custodian_quantity, difference, detail, submissions)
SELECT 'R4', 'III-35/B.2 m.32(1)', 'REPORT_MISSING',
	owed.message_type || '|' || owed.member_code || '|' || $2::date,
	owed.platform, owed.custodian, NULL,
	NULL, NULL, NULL,
	owed.message_type || ' of ' || owed.member_code || ' is missing', '{}'
FROM (
	SELECT DISTINCT platform AS member_code, 'BalanceReport' AS message_type,
		platform, NULL::text AS custodian
	FROM pg_temp.contracted
	UNION
	SELECT DISTINCT custodian, 'CustodyReport', NULL, custodian
	FROM pg_temp.contracted
) owed
JOIN muhur.member m ON m.code = owed.member_code AND m.state <> 'closed'
WHERE NOT EXISTS (SELECT FROM pg_temp.in_effect e
	WHERE e.member_code = owed.member_code AND e.message_type = owed.message_type);
