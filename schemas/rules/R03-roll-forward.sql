-- R3: roll-forward and netting.
-- Source: III-35/B.2 m.10(2)c: each customer's bookings and balances are followed
-- completely and correctly; m.33(1): what is booked is netted per customer.
--
-- In words: for each platform, registry number, customer number and asset, over
-- all places of holding,
--	ROLL_FORWARD: close(D) = close(D - 1) + sum of D's movements, where the
--	platform's BalanceReports of D and of D - 1 and its MovementReport of D are
--	in.  What a report does not name is zero there.
--	NETTING_DIFFERENCE, where its NettingReport is in: the line's net = sum of
--	D's movements, and there is a line exactly where there is a movement
--	(MovementReport in); its opening = close(D - 1) (BalanceReport of D - 1 in);
--	its closing = close(D) (BalanceReport of D in); its opening + net = its
--	closing.  One break a key; the quantities are those of the first of these
--	that does not hold, the detail names them all.
-- LOCK is no movement here: it changes no balance.  A difference beyond
-- R3.tolerance is a break; it is zero unless set otherwise.
--
-- The break's first quantity is what the platform reports, the second what it
-- would have to be by the platform's other reports.  Its key names the day, since
-- what was booked wrongly in D is not cured by the day after.  At most
-- break.limit keys of a kind and platform are listed one by one, the first by
-- key; one more break counts the rest.

CREATE TEMPORARY TABLE unrolled ON COMMIT DROP AS
WITH judged AS (
	SELECT w.*, r.closing_in, r.opening_in, r.movement_in, r.netting_in,
		coalesce(w.opening, 0) AS was, coalesce(w.moved, 0) AS by, coalesce(w.closing, 0) AS is,
		(SELECT muhur.parameter('R3.tolerance', $2)::numeric) AS most
	FROM pg_temp.rolled w JOIN pg_temp.rolling r USING (member_code)
), part AS (
	SELECT 'ROLL_FORWARD' AS kind, j.*, 1 AS nth, j.is AS reported, j.was + j.by AS computed,
		'balance of the day before ' || trim_scale(j.was) || ', movements ' || trim_scale(j.by)
		|| ', balance ' || trim_scale(j.is) AS said
	FROM judged j
	WHERE j.closing_in AND j.opening_in AND j.movement_in AND abs(j.is - j.was - j.by) > j.most
	UNION ALL
	SELECT 'NETTING_DIFFERENCE', j.*, p.nth, p.reported, p.computed, p.said
	FROM judged j CROSS JOIN LATERAL (VALUES
		(1, j.movement_in AND j.net IS NULL AND j.moved IS NOT NULL, 0::numeric, j.by,
			'movements ' || trim_scale(j.by) || ' and no netting line'),
		(1, j.movement_in AND j.net IS NOT NULL AND j.moved IS NULL, j.net, 0::numeric,
			'net ' || trim_scale(j.net) || ' and no movement'),
		(1, j.movement_in AND abs(j.net - j.moved) > j.most, j.net, j.by,
			'net ' || trim_scale(j.net) || ', movements ' || trim_scale(j.by)),
		(2, j.opening_in AND abs(j.net_opening - j.was) > j.most, j.net_opening, j.was,
			'opening ' || trim_scale(j.net_opening) || ', balance of the day before ' || trim_scale(j.was)),
		(3, j.closing_in AND abs(j.net_closing - j.is) > j.most, j.net_closing, j.is,
			'closing ' || trim_scale(j.net_closing) || ', balance ' || trim_scale(j.is)),
		(4, abs(j.net_opening + j.net - j.net_closing) > j.most, j.net_closing, j.net_opening + j.net,
			'opening and net make ' || trim_scale(j.net_opening + j.net) || ', closing '
			|| trim_scale(j.net_closing))
	) AS p (nth, differs, reported, computed, said)
	WHERE j.netting_in AND p.differs
), one_key AS (
	SELECT kind, member_code, registry_no, customer_no, asset,
		kind || '|' || member_code || '|' || registry_no || '|' || customer_no || '|' || asset
		|| '|' || $2::date AS key,
		(array_agg(reported ORDER BY nth))[1] AS reported, (array_agg(computed ORDER BY nth))[1] AS computed,
		string_agg(said, '; ' ORDER BY nth) AS said
	FROM part
	GROUP BY kind, member_code, registry_no, customer_no, asset
)
SELECT one_key.*, row_number() OVER (PARTITION BY kind, member_code ORDER BY key COLLATE "C")
	<= (SELECT muhur.parameter('break.limit', $2)::bigint) AS listed
FROM one_key;
ANALYZE pg_temp.unrolled;

-- The reports that took part, of both days.
CREATE TEMPORARY TABLE rolled_from ON COMMIT DROP AS
SELECT kind, member_code, array_agg(submission ORDER BY submission) AS submissions
FROM (
	SELECT DISTINCT u.kind, u.member_code, e.submission
	FROM pg_temp.unrolled u JOIN pg_temp.in_effect e USING (member_code)
	WHERE e.message_type IN ('BalanceReport', 'MovementReport')
	OR (e.message_type = 'NettingReport' AND u.kind = 'NETTING_DIFFERENCE')
	UNION
	SELECT u.kind, u.member_code, d.submission
	FROM pg_temp.unrolled u JOIN pg_temp.day_before d USING (member_code)
) source
GROUP BY kind, member_code;

-- The lines of the listed keys: few keys among tens of millions of lines.  Each
-- table is read once and asked for the registry number alone, which is quicker
-- than to compare four texts of every line.
CREATE TEMPORARY TABLE unrolled_line ON COMMIT DROP AS
WITH wanted AS MATERIALIZED (
	SELECT DISTINCT registry_no FROM pg_temp.unrolled WHERE listed
), near AS MATERIALIZED (
	SELECT b.member_code, b.registry_no, b.customer_no, b.asset, b.submission, b.record_no, false AS netting
	FROM muhur.balance b
	WHERE b.business_date = $2 AND b.registry_no IN (SELECT registry_no FROM wanted)
	UNION ALL
	SELECT b.member_code, b.registry_no, b.customer_no, b.asset, b.submission, b.record_no, false
	FROM muhur.balance b
	WHERE b.business_date = $2::date - 1 AND b.registry_no IN (SELECT registry_no FROM wanted)
	UNION ALL
	SELECT m.member_code, m.registry_no, m.customer_no, m.asset, m.submission, m.record_no, false
	FROM muhur.movement m
	WHERE m.business_date = $2 AND m.type <> 'LOCK' AND m.registry_no IN (SELECT registry_no FROM wanted)
	UNION ALL
	SELECT n.member_code, n.registry_no, n.customer_no, n.asset, n.submission, n.record_no, true
	FROM muhur.netting n
	WHERE n.business_date = $2 AND n.registry_no IN (SELECT registry_no FROM wanted)
)
SELECT kind, key, submission, record_no
FROM (
	SELECT u.kind, u.key, l.submission, l.record_no,
		row_number() OVER (PARTITION BY u.kind, u.key, l.submission ORDER BY l.record_no) AS nth
	FROM pg_temp.unrolled u JOIN near l USING (member_code, registry_no, customer_no, asset)
	WHERE u.listed AND (u.kind = 'NETTING_DIFFERENCE' OR NOT l.netting)
	AND l.submission IN (SELECT submission FROM pg_temp.in_effect
		UNION ALL SELECT submission FROM pg_temp.day_before)
) numbered
WHERE nth <= 100;

INSERT INTO pg_temp.found (rule, rule_source, kind, key, platform, custodian, asset,
	platform_quantity, custodian_quantity, difference, detail, submissions, records)
SELECT 'R3', 'III-35/B.2 m.10(2)c, 33(1)', u.kind, u.key, u.member_code, NULL, u.asset,
	u.reported, u.computed, u.reported - u.computed, u.said, s.submissions, r.records
FROM pg_temp.unrolled u
JOIN pg_temp.rolled_from s USING (kind, member_code)
LEFT JOIN (
	SELECT kind, key, jsonb_object_agg(submission, numbers) AS records
	FROM (
		SELECT kind, key, submission, jsonb_agg(record_no ORDER BY record_no) AS numbers
		FROM pg_temp.unrolled_line GROUP BY kind, key, submission
	) one_report
	GROUP BY kind, key
) r USING (kind, key)
WHERE u.listed;

INSERT INTO pg_temp.found (rule, rule_source, kind, key, platform, custodian, asset,
	platform_quantity, custodian_quantity, difference, detail, submissions)
SELECT 'R3', 'III-35/B.2 m.10(2)c, 33(1)', kind, kind || '|' || member_code || '|MORE|' || $2::date,
	member_code, NULL, NULL, NULL, NULL, NULL, count(*) || ' more of this kind are not listed one by one',
	s.submissions
FROM pg_temp.unrolled JOIN pg_temp.rolled_from s USING (kind, member_code)
WHERE NOT listed
GROUP BY kind, member_code, s.submissions;
