-- R13: assets that no custodian can hold.
-- Source: III-35/B.2 m.17(2): a platform may keep such an asset for six months
-- at most; then it goes to the customers.
--
-- In words: for each platform and asset of which the registry says that no
-- custodian can hold it, the day since when customers' quantity of it in the
-- platform's own wallets at 23:59 has not been zero, on no day with a report;
-- since + R13.months lies before the day.  The last day of the six months is
-- still within.  numerator and denominator are days: kept so far, and allowed.
--
-- The day is carried from the last run of the nearest earlier day.  A missing
-- HoldingReport does not begin the time anew; that the asset can be kept at a
-- custodian meanwhile, or is gone, does.

INSERT INTO muhur.platform_asset_since (run, platform, asset, since)
WITH before AS (
	SELECT s.platform, s.asset, s.since FROM muhur.platform_asset_since s
	WHERE s.run = (SELECT r.no FROM muhur.reconcile_run r WHERE r.business_date < $2
		ORDER BY r.business_date DESC, r.version DESC LIMIT 1)
)
SELECT $1, v.platform, v.asset, coalesce(b.since, $2)
FROM pg_temp.valued v JOIN pg_temp.known k USING (asset) LEFT JOIN before b USING (platform, asset)
WHERE k.custody = 'NONE' AND v.customers > 0
UNION ALL
SELECT $1, b.platform, b.asset, b.since
FROM before b CROSS JOIN LATERAL muhur.asset_on(b.asset, $2) k
JOIN muhur.member m ON m.code = b.platform AND m.state <> 'closed'
WHERE k.custody = 'NONE'
AND NOT EXISTS (SELECT FROM pg_temp.watched w WHERE w.platform = b.platform AND w.unclosed IS NULL);

INSERT INTO pg_temp.judged (rule, rule_source, kind, key, platform, asset, numerator, denominator, threshold,
	missing, cure_by, remark, says_all, submissions)
SELECT 'R13', 'III-35/B.2 m.17(2)', 'UNCUSTODIED', s.platform || '|' || s.asset, s.platform, s.asset,
	CASE WHEN w.unclosed IS NULL THEN $2 - s.since END, CASE WHEN w.unclosed IS NULL THEN l.last - s.since END, 1,
	w.unclosed, l.last, 'kept since ' || s.since || ', allowed until ' || l.last, true, w.submissions
FROM muhur.platform_asset_since s JOIN pg_temp.watched w USING (platform),
LATERAL (SELECT (s.since + make_interval(months => (SELECT muhur.parameter('R13.months', $2)::integer)))::date AS last) l
WHERE s.run = $1;
