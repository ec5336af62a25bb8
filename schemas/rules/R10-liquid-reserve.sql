-- R10: the liquid reserve [likit rezerv].
-- Source: III-35/B.2 m.41(3): at least 3 % of the customers' assets that the
-- platform holds; m.41(4): the Board says what counts, with which weight, and
-- which assets are not in the calculation.
--
-- In words: for each platform, reserve / base is below R10.limit, where
--	reserve = sum over the items of its reserve at 23:59 of value x weight; a
--	crypto-asset at the platform's price, a deposit or a fund at its
--	currency's rate; the weight is the asset's own, else its kind's, else 1
--	base = sum over assets, but those that the registry says are no part of
--	it, of the value of customers' quantity in the platform's own wallets;
--	R10.base = all: and at its custodians.
-- m.41(3) says "nezdinde", with the platform, for which both can be read.
-- Exactly the limit is enough.  Reserve items within the day are not judged.

INSERT INTO pg_temp.judged (rule, rule_source, kind, key, platform, numerator, denominator, threshold, at_least,
	missing, cure, submissions)
SELECT 'R10', 'III-35/B.2 m.41(3), 41(4)', 'RESERVE_SHORT', platform, platform,
	CASE WHEN missing IS NULL THEN reserve END, CASE WHEN missing IS NULL THEN base END,
	muhur.parameter('R10.limit', $2)::numeric, true, missing, 48, submissions
FROM (
	SELECT w.platform, w.submissions, coalesce(r.reserve, 0) AS reserve, coalesce(b.base, 0) AS base,
		nullif(concat_ws('; ', w.unclosed, CASE WHEN p.everything THEN w.unkept END, w.unpriced,
			CASE WHEN b.unpriced > 0 AND w.unpriced IS NULL AND w.unclosed IS NULL AND (NOT p.everything OR w.unkept IS NULL)
				THEN 'no price of ' || b.unpriced || ' of its assets' END,
			CASE WHEN r.unpriced > 0 THEN 'no value of ' || r.unpriced || ' items of its reserve' END), '') AS missing
	FROM pg_temp.watched w
	CROSS JOIN (SELECT muhur.parameter('R10.base', $2) = 'all' AS everything) p
	LEFT JOIN LATERAL (
		SELECT sum(v.amount) AS base, count(*) FILTER (WHERE v.amount IS NULL) AS unpriced
		FROM (SELECT asset, customers_try + CASE WHEN p.everything THEN custodians_try ELSE 0 END AS amount
			FROM pg_temp.valued WHERE platform = w.platform) v
		LEFT JOIN pg_temp.known k USING (asset) WHERE coalesce(k.reserve_base, true)
	) b ON true
	LEFT JOIN LATERAL (
		SELECT sum(i.value * i.weight) AS reserve, count(*) FILTER (WHERE i.value IS NULL) AS unpriced
		FROM pg_temp.reserved i WHERE i.platform = w.platform AND i.weight <> 0
	) r ON true
) q;
