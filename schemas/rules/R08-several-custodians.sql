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
-- A part is a quotient.  The quotients of a platform and moment are brought to
-- one whole denominator, their least common multiple, and all amounts are left
-- multiplied by it (scale): own(c) x scale = sum of own value x part's numerator
-- x (scale / part's denominator), a division that leaves no remainder.

INSERT INTO pg_temp.slice (platform, custodian, at, missing, scale, big, small, custody)
WITH each AS (
	SELECT h.platform, h.at, k.custodian, h.own_try, h.small, h.kept,
		coalesce(e.quantity, 0) AS quantity, coalesce(e.quantity * h.price, 0) AS value
	FROM pg_temp.held h
	JOIN pg_temp.moment m ON m.platform = h.platform AND m.at IS NOT DISTINCT FROM h.at AND m.missing IS NULL
	JOIN pg_temp.contracted k ON k.platform = h.platform
	LEFT JOIN pg_temp.entrusted e ON e.platform = h.platform AND e.custodian = k.custodian
		AND e.asset = h.asset AND e.opening = h.opening
), summed AS (
	SELECT *, sum(value) OVER (PARTITION BY platform, at, custodian) AS value_c,
		sum(value) OVER (PARTITION BY platform, at) AS value_all
	FROM each
), part AS (		-- n / d
	SELECT *, CASE how WHEN 'asset' THEN quantity WHEN 'total' THEN value_c ELSE 1 END AS n,
		CASE how WHEN 'asset' THEN kept WHEN 'total' THEN value_all ELSE 1 END AS d
	FROM summed, LATERAL (
		SELECT CASE WHEN p.split = 'asset' AND kept > 0 THEN 'asset'
			WHEN p.split IN ('asset', 'total') AND value_all > 0 THEN 'total' ELSE 'whole' END AS how
		FROM (SELECT muhur.parameter('R8.split', $2) AS split) p
	) h
), whole AS (		-- the same with a whole d
	SELECT platform, at, custodian, own_try, small, value,
		n * 10::numeric ^ scale(trim_scale(d)) AS n,
		trunc(d * 10::numeric ^ scale(trim_scale(d))) AS d
	FROM part
), common AS (
	SELECT platform, at, muhur.common_multiple(d) AS scale FROM whole WHERE own_try <> 0 GROUP BY platform, at
)
SELECT m.platform, k.custodian, m.at, m.missing, coalesce(c.scale, 1),
	coalesce(sum(w.own_try * w.n * div(c.scale, w.d)) FILTER (WHERE w.own_try <> 0 AND NOT w.small), 0),
	coalesce(sum(w.own_try * w.n * div(c.scale, w.d)) FILTER (WHERE w.own_try <> 0 AND w.small), 0),
	coalesce(sum(w.value), 0) * coalesce(c.scale, 1)
FROM pg_temp.moment m
JOIN pg_temp.watched p ON p.platform = m.platform AND p.custodians >= 2
JOIN pg_temp.contracted k ON k.platform = m.platform
LEFT JOIN common c ON c.platform = m.platform AND c.at IS NOT DISTINCT FROM m.at
LEFT JOIN whole w ON w.platform = m.platform AND w.at IS NOT DISTINCT FROM m.at AND w.custodian = k.custodian
GROUP BY m.platform, k.custodian, m.at, m.missing, c.scale;

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
