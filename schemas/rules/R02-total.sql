-- R2: the omnibus total.
-- Source: III-35/B.2 m.10(2)c: customers' balances apart from the platform's own;
-- m.26(1): kept in bulk on the platform's behalf; m.32(3).
--
-- In words: for each platform p and each asset a that any of the reports names,
--	difference = sum of all customers' balances of a at p, wherever held
--	           - (customers' part of p's own wallets of a at 23:59
--	              + sum of what all custodians keep for p of a).
-- The house's own wallets are in neither side.  A difference beyond
-- R2.tolerance is a break; it is zero unless set otherwise.  It is evaluated
-- only where everything is in that it adds up: p's BalanceReport, p's
-- HoldingReport with the wallets of 23:59, and the CustodyReport of every
-- custodian that p has a contract with on the day.  What is missing is R4's
-- break, never zero.

CREATE TEMPORARY TABLE totalled ON COMMIT DROP AS
SELECT platform, asset, coalesce(b.quantity, 0) AS balances, coalesce(w.customer, 0) AS wallets,
	coalesce(k.quantity, 0) AS custodians, k.each, k.keepers
FROM (
	SELECT DISTINCT e.member_code AS platform
	FROM pg_temp.in_effect e JOIN pg_temp.wallets_in i ON i.platform = e.member_code
	WHERE e.message_type = 'BalanceReport'
	AND NOT EXISTS (SELECT FROM pg_temp.contracted k
		WHERE k.platform = e.member_code AND NOT k.custodian_in)
) complete
JOIN (
	SELECT platform, asset FROM pg_temp.claimed
	UNION SELECT platform, asset FROM pg_temp.own
	UNION SELECT platform, asset FROM pg_temp.kept
) named USING (platform)
LEFT JOIN (
	SELECT platform, asset, sum(quantity) AS quantity FROM pg_temp.claimed GROUP BY platform, asset
) b USING (platform, asset)
LEFT JOIN pg_temp.own w USING (platform, asset)
LEFT JOIN (
	SELECT platform, asset, sum(quantity) AS quantity,
		string_agg(custodian || ' ' || trim_scale(quantity), ', ' ORDER BY custodian COLLATE "C") AS each,
		array_agg(custodian) AS keepers
	FROM pg_temp.kept GROUP BY platform, asset
) k USING (platform, asset);

ANALYZE pg_temp.totalled;

-- All reports of its sides are sources: where one has no line of the asset, that
-- is what it says.
INSERT INTO pg_temp.found (rule, rule_source, kind, key, platform, custodian, asset,
	platform_quantity, custodian_quantity, difference, detail, submissions)
SELECT 'R2', 'III-35/B.2 m.10(2)c, 26(1), 32(3)', 'TOTAL_DIFFERENCE',
	'TOTAL_DIFFERENCE|' || t.platform || '|' || t.asset, t.platform, NULL, t.asset,
	t.balances, t.wallets + t.custodians, t.balances - t.wallets - t.custodians,
	'own wallets ' || trim_scale(t.wallets) || '; custodians '
	|| CASE WHEN t.each IS NULL THEN '0' ELSE trim_scale(t.custodians) || ' (' || t.each || ')' END,
	ARRAY(SELECT e.submission FROM pg_temp.in_effect e
		WHERE (e.member_code = t.platform AND e.message_type IN ('BalanceReport', 'HoldingReport'))
		OR (e.message_type = 'CustodyReport' AND (EXISTS (SELECT FROM pg_temp.contracted c
				WHERE c.platform = t.platform AND c.custodian = e.member_code)
			OR e.member_code = ANY (t.keepers)))
		ORDER BY e.submission)
FROM pg_temp.totalled t
WHERE abs(t.balances - t.wallets - t.custodians) > (SELECT muhur.parameter('R2.tolerance', $2)::numeric);
