-- R99: what cannot be judged now is not cured by that.  No rule by itself.
-- Source: III-35/B.2 m.32(1), 32(4): nobody ends a difference by not reporting it.
--
-- In words: a break that the nearest earlier day with a run found, and that is not
-- found now, goes on, with no values and with the sources by which it was last
-- judged, where it was not judged now.  That is
--	of a limit, where R99-limits.sql has looked at the member: where it says
--	"missing".  Without any HoldingReport that is also one of moments within
--	the day, of which there is then no row;
--	of anything else, where a report is not in which it needs: of each of its
--	parties those of the types that it came from, of R2 and of a missing price
--	the CustodyReport of each custodian under contract as well.  HoldingReports
--	that are all of moments within the day say nothing here either (R4).
--	Listings and reference data hold until there are newer ones.
-- R3's and R4's breaks are of their own day.  What an operator has closed begins
-- again only where it is found.

CREATE TEMPORARY TABLE unfound ON COMMIT DROP AS
SELECT b.id, b.rule, b.rule_source, b.kind, b.key, b.platform, b.custodian, b.asset, f.submissions, f.records
FROM muhur.finding f JOIN muhur.break b ON b.id = f.break_id
WHERE f.run = (SELECT run FROM pg_temp.earlier) AND f.status <> 'cured' AND b.rule NOT IN ('R3', 'R4')
AND (b.state <> 'closed' OR b.closed_by <> 'operator')
AND NOT EXISTS (SELECT FROM pg_temp.found g WHERE g.rule = b.rule AND g.key = b.key);
ANALYZE pg_temp.unfound;

INSERT INTO pg_temp.found (rule, rule_source, kind, key, platform, custodian, asset,
	platform_quantity, custodian_quantity, difference, detail, submissions, records)
WITH needed AS (
	SELECT u.id, s.member_code, s.message_type
	FROM pg_temp.unfound u CROSS JOIN LATERAL unnest(u.submissions) AS n (no) JOIN muhur.submission s USING (no)
	WHERE s.member_code IN (u.platform, u.custodian) AND s.message_type NOT IN ('ListingNotice', 'ReferenceData')
	UNION
	SELECT u.id, k.custodian, 'CustodyReport'
	FROM pg_temp.unfound u JOIN pg_temp.contracted k USING (platform)
	WHERE u.rule = 'R2' OR u.kind = 'PRICE_MISSING'
), lacking AS (
	SELECT id, 'not judged: no ' || string_agg(message_type || ' of ' || member_code, ', '
		ORDER BY member_code COLLATE "C", message_type COLLATE "C") AS why
	FROM needed n
	WHERE NOT EXISTS (SELECT FROM pg_temp.in_effect e WHERE e.member_code = n.member_code
		AND e.message_type = n.message_type)
	OR (message_type = 'HoldingReport' AND NOT EXISTS (SELECT FROM pg_temp.wallets_in w
		WHERE w.platform = n.member_code))
	GROUP BY id
), missing AS (
	SELECT DISTINCT ON (u.id) u.id, t.detail AS why
	FROM pg_temp.unfound u JOIN pg_temp.told t ON t.rule = u.rule
		AND (t.kind = u.kind OR (u.kind = 'INTRADAY_BREACH' AND t.kind = 'LIMIT_BREACH'
			AND NOT EXISTS (SELECT FROM pg_temp.in_effect e
				WHERE e.member_code = t.platform AND e.message_type = 'HoldingReport')))
		AND t.platform IS NOT DISTINCT FROM u.platform AND t.custodian IS NOT DISTINCT FROM u.custodian
		AND (t.asset IS NULL OR t.asset = u.asset)
	WHERE t.status = 'missing'
	ORDER BY u.id, t.at NULLS FIRST
)
SELECT u.rule, u.rule_source, u.kind, u.key, u.platform, u.custodian, u.asset, NULL, NULL, NULL,
	coalesce(m.why, l.why) || '; it stood when last judged', u.submissions, u.records
FROM pg_temp.unfound u LEFT JOIN missing m USING (id) LEFT JOIN lacking l USING (id)
WHERE CASE WHEN u.rule NOT IN ('R1', 'R2', 'R5') AND u.kind <> 'PRICE_MISSING' AND EXISTS (SELECT FROM pg_temp.told t
		WHERE coalesce(t.platform, t.custodian) = coalesce(u.platform, u.custodian))
	THEN m.id ELSE l.id END IS NOT NULL;
