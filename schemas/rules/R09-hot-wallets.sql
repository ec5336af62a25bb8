-- R9: a custodian's hot wallets.
-- Source: III-35/B.2 m.26(6): at most 5 % of its customers' assets; m.26(7): at
-- most 10 % where it keeps all assets of the platform's customers and carries
-- out their transfers; m.26(8): transfers that are signed and wait to be
-- written to the ledger are left out.
--
-- In words: for each custodian, hot / all is above R9.limit, where
--	all = sum over platforms and assets of (quantity - pending) x the
--	platform's price + sum over assets of its direct customers' quantity x the
--	arithmetic mean of all platforms' prices of the asset that day
-- and hot is the same of hot wallets alone.  The limit is R9.full_limit where
-- all (R9.full = any: one) of its contracts of the day are of full custody.
-- What is kept for a platform without a contract is R5's break and in neither.
--
-- Nothing is judged without its CustodyReport and a price for all of it.  The
-- Communique names no time in which this is to be cured: m.48(1) is about
-- m.35, 38, 40 and 41.
--
-- A mean is a sum of prices divided by their number: all amounts are left
-- multiplied by the least common multiple of these numbers (scale).

INSERT INTO pg_temp.judged (rule, rule_source, kind, key, custodian, numerator, denominator, scale, threshold,
	missing, submissions)
WITH mean AS (
	SELECT asset, sum(price_try) AS total, count(*)::numeric AS n
	FROM pg_temp.priced WHERE price_try IS NOT NULL GROUP BY asset
), line AS (		-- price / n
	SELECT k.custodian, k.hot - k.hot_pending AS hot, k.quantity - k.pending AS quantity,
		p.price_try AS price, 1 AS n
	FROM pg_temp.kept k JOIN pg_temp.contracted USING (platform, custodian)
	LEFT JOIN pg_temp.priced p USING (platform, asset)
	UNION ALL
	SELECT d.custodian, d.hot, d.quantity, m.total, m.n
	FROM pg_temp.direct d LEFT JOIN mean m USING (asset)
), common AS (
	SELECT custodian, muhur.common_multiple(n) AS scale FROM line GROUP BY custodian
), amount AS (
	SELECT custodian, c.scale,
		sum(CASE l.hot WHEN 0 THEN 0 ELSE l.hot * l.price * div(c.scale, l.n) END) AS hot,
		sum(CASE l.quantity WHEN 0 THEN 0 ELSE l.quantity * l.price * div(c.scale, l.n) END) AS quantity,
		count(*) FILTER (WHERE l.price IS NULL AND (l.hot <> 0 OR l.quantity <> 0)) AS unpriced
	FROM line l JOIN common c USING (custodian) GROUP BY custodian, c.scale
), judge AS (
	SELECT k.custodian, k.in_full, coalesce(a.hot, 0) AS hot, coalesce(a.quantity, 0) AS quantity,
		coalesce(a.scale, 1) AS scale, CASE WHEN NOT k.report_in THEN 'no CustodyReport'
			WHEN a.unpriced > 0 THEN 'no price of ' || a.unpriced || ' of its holdings' END AS missing
	FROM (
		SELECT c.custodian, coalesce(CASE muhur.parameter('R9.full', $2) WHEN 'any' THEN bool_or(k.full_custody)
				ELSE bool_and(k.full_custody) END, false) AS in_full,
			EXISTS (SELECT FROM pg_temp.in_effect e WHERE e.member_code = c.custodian
				AND e.message_type = 'CustodyReport') AS report_in
		FROM (
			SELECT custodian FROM pg_temp.contracted
			UNION SELECT member_code FROM pg_temp.in_effect WHERE message_type = 'CustodyReport'
		) c LEFT JOIN pg_temp.contracted k USING (custodian) GROUP BY c.custodian
	) k LEFT JOIN amount a USING (custodian)
)
SELECT 'R9', CASE WHEN in_full THEN 'III-35/B.2 m.26(7), 26(8)' ELSE 'III-35/B.2 m.26(6), 26(8)' END,
	'HOT_WALLET', custodian, custodian,
	CASE WHEN missing IS NULL THEN hot END, CASE WHEN missing IS NULL THEN quantity END, scale,
	muhur.parameter(CASE WHEN in_full THEN 'R9.full_limit' ELSE 'R9.limit' END, $2)::numeric, missing,
	ARRAY(SELECT e.submission FROM pg_temp.in_effect e
		WHERE (e.message_type = 'CustodyReport' AND e.member_code = judge.custodian)
		OR e.message_type IN ('BalanceReport', 'ReferenceData') ORDER BY 1)
FROM judge;
