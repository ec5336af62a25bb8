-- R11: what the liquid reserve is made of.
-- Source: III-35/B.2 m.42(1): one asset is at most 20 % of it by current value;
-- m.42(2): at most 10 % if it was listed within the last year, or its market
-- value is below 5,000,000,000 US dollars; m.42(3): deposits, money market
-- funds and the like are left out; m.42(5): cured by the next 23:59.
--
-- In words: for each platform and each crypto-asset of its reserve at 23:59,
-- value / total is above the limit, where value = quantity x the platform's
-- price, unweighted, and total = the sum of these; R11.cash_in_total = yes: and
-- of the cash-like items, which have no limit of their own either way.
--
-- The limit is R11.small_limit where the day of the asset's first listing +
-- R11.new_months is after the day (listed exactly a year ago, it is no longer
-- new), or its market value is below R11.small_usd; else R11.limit.  An asset of
-- which the registry has not told both is as R11.unknown says, unless what it
-- has told makes it small.

INSERT INTO pg_temp.judged (rule, rule_source, kind, key, platform, asset, numerator, denominator, threshold,
	missing, cure, remark, submissions)
SELECT 'R11', CASE WHEN q.asset IS NULL OR q.why IS NULL THEN 'III-35/B.2 m.42(1)' ELSE 'III-35/B.2 m.42(2)' END,
	'COMPOSITION', q.platform || coalesce('|' || q.asset, ''), q.platform, q.asset,
	CASE WHEN q.missing IS NULL THEN q.value END, CASE WHEN q.missing IS NULL THEN q.total END,
	CASE WHEN q.why IS NULL THEN (SELECT muhur.parameter('R11.limit', $2)::numeric)
		ELSE (SELECT muhur.parameter('R11.small_limit', $2)::numeric) END,
	q.missing, 42, coalesce(q.why, ''), q.submissions
FROM (
	SELECT w.platform, w.submissions, i.asset, i.value,
		sum(i.value) OVER (PARTITION BY w.platform) + CASE WHEN p.cash THEN coalesce(c.value, 0) ELSE 0 END AS total,
		nullif(concat_ws('; ', w.unclosed, CASE WHEN count(*) FILTER (WHERE i.platform IS NOT NULL
				AND i.value IS NULL) OVER (PARTITION BY w.platform) > 0 OR p.cash AND c.unrated
			THEN 'no value of an item of its reserve' END), '') AS missing,
		CASE WHEN i.platform IS NULL THEN NULL
			WHEN k.listed_on + make_interval(months => p.new_months) > $2 THEN 'listed on ' || k.listed_on
			WHEN k.market_value_usd < p.small_usd THEN 'its market value is ' || trim_scale(k.market_value_usd) || ' USD'
			WHEN p.unknown = 'small' AND (k.listed_on IS NULL OR k.market_value_usd IS NULL)
				THEN 'the registry has not told both its listing and its market value' END AS why
	FROM pg_temp.watched w
	CROSS JOIN (
		SELECT (SELECT muhur.parameter('R11.cash_in_total', $2)) = 'yes' AS cash,
			(SELECT muhur.parameter('R11.unknown', $2)) AS unknown,
			(SELECT muhur.parameter('R11.small_usd', $2)::numeric) AS small_usd,
			(SELECT muhur.parameter('R11.new_months', $2)::integer) AS new_months
	) p
	LEFT JOIN pg_temp.reserved i ON i.platform = w.platform AND i.kind = 'CRYPTO'
	LEFT JOIN pg_temp.known k ON k.asset = i.asset
	LEFT JOIN (
		SELECT platform, sum(value) AS value, bool_or(value IS NULL) AS unrated
		FROM pg_temp.reserved WHERE kind <> 'CRYPTO' GROUP BY platform
	) c ON c.platform = w.platform
) q
WHERE q.asset IS NOT NULL OR q.missing IS NOT NULL;
