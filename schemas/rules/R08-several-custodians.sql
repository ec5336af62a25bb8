-- R8: several custodians.
-- Source: III-35/B.2 m.41(7): the ratios of m.41(1) and (2) are followed for
-- each custodian by itself where a platform has several.
--
-- In words: for each platform with two or more contracts on the day, each of
-- its custodians c and each moment, R6's ratio (with R7's leaving out) of
--	own(c) = sum over assets of the platform's own value x c's part
--	custody(c) = the value of what c keeps for the platform.
-- c's part of an asset is, by R8.split,
--	asset	what c keeps of it / what all custodians keep of it; where none
--		keeps any: as in total
--	total	the value of all that c keeps / of all that all keep; where they
--		keep nothing: as in whole
--	whole	1: all of it against each custodian.
-- Whether an asset is small is judged by all that the platform holds of it.
--
-- A part is a quotient n / d.  The d of a platform's assets are brought to one
-- whole number, their least common multiple, by which all amounts are left
-- multiplied (scale): own(c) x scale = sum of own value x n x (scale / d), a
-- division that leaves no remainder.  What custodians keep is the same at every
-- moment of the day, so that this is done once.  numeric has 131072 digits: where
-- the multiple could have more than 100000, which takes some thousand assets, R8
-- is not judged, and the day's run goes on.

INSERT INTO pg_temp.slice (platform, custodian, at, missing, scale, big, small, custody)
WITH several AS (
	SELECT DISTINCT m.platform, m.opening FROM pg_temp.moment m JOIN pg_temp.watched w USING (platform)
	WHERE w.custodians >= 2 AND m.missing IS NULL
), keeper AS MATERIALIZED (		-- what each keeps of all
	SELECT s.platform, s.opening, k.custodian, coalesce(sum(e.quantity * p.price_try), 0) AS value
	FROM several s JOIN pg_temp.contracted k USING (platform)
	LEFT JOIN pg_temp.entrusted e USING (platform, custodian, opening)
	LEFT JOIN pg_temp.priced p USING (platform, asset)
	GROUP BY s.platform, s.opening, k.custodian
), divisor AS MATERIALIZED (		-- d = whole / 10 ^ shift, of each asset that the platform has itself
	SELECT a.platform, a.opening, a.asset, h.how, scale(h.d) AS shift,
		trunc(h.d * 10::numeric ^ scale(h.d)) AS whole
	FROM (
		SELECT platform, opening, h.asset, max(h.kept) AS kept
		FROM pg_temp.held h JOIN several USING (platform, opening) WHERE h.own_try <> 0
		GROUP BY platform, opening, h.asset
	) a
	JOIN (SELECT platform, opening, sum(value) AS value FROM keeper GROUP BY platform, opening) k
		USING (platform, opening)
	CROSS JOIN LATERAL (
		SELECT how, trim_scale(CASE how WHEN 'asset' THEN a.kept WHEN 'total' THEN k.value ELSE 1 END) AS d
		FROM (SELECT CASE WHEN p.split = 'asset' AND a.kept > 0 THEN 'asset'
			WHEN p.split IN ('asset', 'total') AND k.value > 0 THEN 'total' ELSE 'whole' END AS how
			FROM (SELECT (SELECT muhur.parameter('R8.split', $2)) AS split) p) x
	) h
), digits AS MATERIALIZED (		-- the multiple has at most as many
	SELECT platform, opening, sum(length(whole::text)) AS n
	FROM (SELECT DISTINCT platform, opening, whole FROM divisor) x GROUP BY platform, opening
), common AS MATERIALIZED (
	SELECT platform, opening, muhur.common_multiple(DISTINCT whole) AS scale
	FROM divisor JOIN digits g USING (platform, opening) WHERE g.n <= 100000 GROUP BY platform, opening
), part AS MATERIALIZED (		-- n x scale / d
	SELECT d.platform, d.opening, d.asset, k.custodian, CASE d.how WHEN 'asset' THEN coalesce(e.quantity, 0)
		WHEN 'total' THEN k.value ELSE 1 END * 10::numeric ^ d.shift * div(c.scale, d.whole) AS n
	FROM divisor d JOIN common c USING (platform, opening) JOIN keeper k USING (platform, opening)
	LEFT JOIN pg_temp.entrusted e USING (platform, opening, asset, custodian)
), own AS (
	SELECT h.moment, p.custodian, coalesce(sum(h.own_try * p.n) FILTER (WHERE NOT h.small), 0) AS big,
		coalesce(sum(h.own_try * p.n) FILTER (WHERE h.small), 0) AS small
	FROM pg_temp.held h JOIN part p USING (platform, opening, asset)
	WHERE h.own_try <> 0 AND p.n <> 0 GROUP BY h.moment, p.custodian
)
SELECT m.platform, k.custodian, m.at,
	coalesce(m.missing, CASE WHEN g.n > 100000 THEN 'too many different quantities of its custodians to divide by' END),
	coalesce(c.scale, 1), coalesce(o.big, 0), coalesce(o.small, 0),
	coalesce(v.value, 0) * coalesce(c.scale, 1)
FROM pg_temp.moment m
JOIN pg_temp.watched w ON w.platform = m.platform AND w.custodians >= 2
JOIN pg_temp.contracted k ON k.platform = m.platform
LEFT JOIN digits g ON g.platform = m.platform AND g.opening = m.opening
LEFT JOIN common c ON c.platform = m.platform AND c.opening = m.opening
LEFT JOIN keeper v ON v.platform = m.platform AND v.opening = m.opening AND v.custodian = k.custodian
LEFT JOIN own o ON o.moment = m.no AND o.custodian = k.custodian;

INSERT INTO pg_temp.judged (rule, rule_source, kind, key, platform, custodian, at, numerator, denominator, scale,
	threshold, missing, cure, submissions)
SELECT 'R8', 'III-35/B.2 m.41(7)',
	CASE WHEN s.at IS NULL THEN 'LIMIT_BREACH' ELSE 'INTRADAY_BREACH' END,
	CASE WHEN s.at IS NULL THEN '' ELSE 'INTRADAY|' END || s.platform || '|' || s.custodian,
	s.platform, s.custodian, s.at,
	CASE WHEN s.missing IS NULL THEN big + excess END,
	CASE WHEN s.missing IS NOT NULL THEN NULL WHEN p.in_denominator THEN total ELSE big + excess + custody END,
	s.scale, CASE WHEN s.at IS NULL THEN p.closing ELSE p.intraday END, s.missing, 48, w.submissions
FROM pg_temp.slice s JOIN pg_temp.watched w USING (platform),
LATERAL (
	SELECT muhur.parameter('R6.limit', $2)::numeric AS closing,
		muhur.parameter('R6.intraday_limit', $2)::numeric AS intraday,
		muhur.parameter('R7.in_denominator', $2) = 'yes' AS in_denominator,
		greatest(0, small - muhur.parameter('R7.share', $2)::numeric * total) AS excess
) p
WHERE s.custodian IS NOT NULL;
