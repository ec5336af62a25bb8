-- R99: what the rules on limits compared, told.  No rule by itself.
-- Source: III-35/B.2 m.32(4): every difference is notified to the Board; m.48(1)
-- and 42(5): the times in which a breach is to be cured.
--
-- In words: each row of judged (R00-values.sql) becomes a row of
-- muhur.limit_result, and a breach becomes a break as well; several of one key,
-- of moments within a day, become one, that of the greatest ratio.  To be cured
-- by: R12.cure_days working days after the first day of the breach without a
-- pause (cure 48), or the day after it (42).
--
-- What was in breach and cannot be judged now is not cured thereby:
-- R99-unjudged.sql.
--
-- What people read is truncated, amounts to 18 places, ratios to 8, and is at
-- most what 20 integer digits hold; what was compared is neither.

CREATE TEMPORARY TABLE told ON COMMIT DROP AS
WITH begun AS MATERIALIZED (
	SELECT rule, key, coalesce(muhur.found_since(rule, key, (SELECT run FROM pg_temp.earlier)), $2) AS since
	FROM (SELECT DISTINCT rule, key FROM pg_temp.judged WHERE breach AND cure IS NOT NULL) b
), cured AS MATERIALIZED (
	SELECT since, muhur.add_business_days(since, muhur.parameter('R12.cure_days', $2)::integer, $2) AS day
	FROM (SELECT DISTINCT since FROM begun) s
)
SELECT j.*, CASE WHEN j.missing IS NOT NULL THEN 'missing' WHEN j.breach THEN 'breach' ELSE 'within' END AS status,
	muhur.written(muhur.quotient(j.numerator, j.scale, 18)) AS n,
	muhur.written(muhur.quotient(j.denominator, j.scale, 18)) AS d,
	muhur.written(muhur.quotient(j.numerator, j.denominator, 8)) AS ratio,
	CASE WHEN NOT j.breach THEN NULL WHEN j.cure = 48 THEN c.day WHEN j.cure = 42 THEN s.since + 1 END AS cured_by
FROM pg_temp.judged j LEFT JOIN begun s USING (rule, key) LEFT JOIN cured c USING (since);

ALTER TABLE pg_temp.told ADD detail text;
UPDATE pg_temp.told SET cure_by = coalesce(cured_by, cure_by),
	detail = concat_ws('; ', CASE WHEN status = 'missing' THEN 'not judged: ' || missing
		WHEN says_all THEN NULL
		ELSE coalesce('ratio ' || ratio, 'no ratio') || CASE
			WHEN status = 'breach' AND at_least THEN ' is below the least of ' || trim_scale(threshold)
			WHEN status = 'breach' THEN ' is above the limit of ' || trim_scale(threshold)
			WHEN at_least THEN ', at least ' || trim_scale(threshold) || ' is asked for'
			ELSE ', the limit is ' || trim_scale(threshold) END END,
	nullif(remark, ''),
	CASE WHEN cured_by IS NOT NULL THEN 'to be cured by ' || cured_by || CASE cure WHEN 42 THEN ' 23:59' ELSE '' END END);

INSERT INTO muhur.limit_result (run, no, rule, rule_source, platform, custodian, asset, at, numerator, denominator,
	ratio, threshold, status, occurrences, cure_by, detail)
SELECT $1, row_number() OVER (ORDER BY length(rule), rule COLLATE "C", platform COLLATE "C", custodian COLLATE "C"
	NULLS FIRST, asset COLLATE "C" NULLS FIRST, at NULLS FIRST), rule, rule_source, platform, custodian, asset, at,
	n, d, ratio, threshold, status, occurrences, cure_by, detail
FROM pg_temp.told;

INSERT INTO pg_temp.found (rule, rule_source, kind, key, platform, custodian, asset,
	platform_quantity, custodian_quantity, difference, detail, submissions)
SELECT DISTINCT ON (rule, key) rule, rule_source, kind, key, platform, custodian, asset, n, d, NULL,
	coalesce('at ' || to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') || ', the highest of '
		|| count(*) OVER (PARTITION BY rule, key) || ': ', '') || detail, submissions
FROM pg_temp.told WHERE status = 'breach'
ORDER BY rule, key, ratio DESC NULLS LAST, custodian COLLATE "C" NULLS FIRST, at;
