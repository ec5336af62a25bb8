-- R12: the custody limits broken again and again.
-- Source: III-35/B.2 m.48(2): where they are not kept more than twice within a
-- month, the platform is notified to the Board by its custodian; m.48(1).
--
-- In words: for each platform, the number of days of the month, up to the day
-- and with it, of which the newest run has a breach of R6 or R8, at 23:59 or
-- within the day, is above R12.breaches.  The month is the calendar's, or with
-- R12.month = rolling the days after the same day of the month before.  Several
-- breaches of one day are one.
--
-- The article makes the custodian notify: each of the platform's custodians
-- has a row of its own, and so gets the same notice.  The day by which to cure
-- is that of the breaches that stand today.  What is read is one month of runs,
-- however many came before.

INSERT INTO pg_temp.judged (rule, rule_source, kind, key, platform, custodian, numerator, denominator, threshold,
	occurrences, cure_by, remark, says_all, submissions)
WITH month AS (
	SELECT CASE muhur.parameter('R12.month', $2) WHEN 'rolling' THEN ($2 - interval '1 month')::date + 1
		ELSE date_trunc('month', $2::timestamp)::date END AS first
), newest AS (
	SELECT DISTINCT ON (r.business_date) r.business_date, r.no
	FROM muhur.reconcile_run r, month
	WHERE r.business_date >= month.first AND r.business_date < $2
	ORDER BY r.business_date, r.version DESC
), broken AS (
	SELECT l.platform, n.business_date AS day
	FROM newest n JOIN muhur.limit_result l ON l.run = n.no
	WHERE l.status = 'breach' AND l.rule IN ('R6', 'R8')
	UNION
	SELECT platform, $2 FROM pg_temp.judged WHERE breach AND rule IN ('R6', 'R8')
), counted AS (
	SELECT platform, count(*) AS n, string_agg(day::text, ', ' ORDER BY day) AS days FROM broken GROUP BY platform
), standing AS (
	SELECT platform, min(coalesce(muhur.found_since(rule, key, (SELECT run FROM pg_temp.earlier)), $2)) AS since
	FROM pg_temp.judged WHERE breach AND rule IN ('R6', 'R8') GROUP BY platform
)
SELECT 'R12', 'III-35/B.2 m.48(1), 48(2)', 'REPEATED_BREACH', w.platform, w.platform, k.custodian,
	coalesce(c.n, 0), 1, p.most, coalesce(c.n, 0),
	muhur.add_business_days(s.since, muhur.parameter('R12.cure_days', $2)::integer, $2),
	coalesce(c.n, 0) || ' days of the month with a breach of the custody limits, ' || p.most || ' is the most'
	|| coalesce(': ' || c.days, ''), true, w.submissions
FROM pg_temp.watched w
CROSS JOIN (SELECT muhur.parameter('R12.breaches', $2)::numeric AS most) p
LEFT JOIN counted c USING (platform)
LEFT JOIN standing s USING (platform)
LEFT JOIN LATERAL (
	SELECT NULL AS custodian
	UNION ALL SELECT k.custodian FROM pg_temp.contracted k WHERE k.platform = w.platform AND c.n > p.most
) k ON true;
