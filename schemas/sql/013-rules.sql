-- 013-rules: what the rules on values and limits need and leave behind.

-- Every ratio that a run judged, broken or not.  Amounts are in TRY.
CREATE TABLE muhur.limit_result (
	run		bigint NOT NULL REFERENCES muhur.reconcile_run,
	no		integer NOT NULL,
	rule		text NOT NULL,
	rule_source	text NOT NULL,
	platform	text,
	custodian	text,
	asset		text,
	at		timestamptz,		-- NULL: 23:59
	numerator	numeric,		-- truncated to 18 places; what was compared is exact
	denominator	numeric,
	ratio		numeric,		-- truncated to 8 places; NULL: missing
	threshold	numeric,
	status		text NOT NULL CHECK (status IN ('within', 'breach', 'missing')),
	occurrences	integer,		-- R12: days with a breach in the month
	cure_by		date,
	detail		text NOT NULL,
	PRIMARY KEY (run, no)
);
CREATE INDEX ON muhur.limit_result (run, platform) WHERE status = 'breach';

-- The daily value of each asset per platform (S0); quantities are customers'.
CREATE TABLE muhur.asset_value (
	run		bigint NOT NULL REFERENCES muhur.reconcile_run,
	platform	text NOT NULL,
	asset		text NOT NULL,
	price_try	numeric,		-- NULL: none
	customers	numeric,		-- in the platform's own wallets; NULL: its report is missing
	house		numeric,
	custodians	numeric,		-- NULL: a custodian's report is missing
	value_try	numeric,		-- of customers and custodians
	value_usd	numeric,
	PRIMARY KEY (run, platform, asset)
);

-- Since when a platform has kept, without a pause, an asset that no custodian
-- can hold (m.17(2)).  Carried from a day's last run to the next day's, so that
-- no history is read.
CREATE TABLE muhur.platform_asset_since (
	run		bigint NOT NULL REFERENCES muhur.reconcile_run,
	platform	text NOT NULL,
	asset		text NOT NULL,
	since		date NOT NULL,
	PRIMARY KEY (run, platform, asset)
);

-- How a parameter's value must look: a regular expression over the whole of it,
-- and the same in words.  A name without a row takes any value.
CREATE TABLE muhur.parameter_form (
	name		text PRIMARY KEY,
	form		text NOT NULL,
	words		text NOT NULL
);
INSERT INTO muhur.parameter_form (name, form, words)
SELECT name, CASE kind
		WHEN 'part' THEN '0(\.[0-9]{1,18})?|1(\.0{1,18})?'
		WHEN 'amount' THEN '[0-9]{1,20}(\.[0-9]{1,18})?'
		WHEN 'count' THEN '0|[1-9][0-9]{0,5}'
		ELSE kind END,
	CASE kind
		WHEN 'part' THEN 'a number from 0 to 1, such as 0.05'
		WHEN 'amount' THEN 'a decimal number, not negative'
		WHEN 'count' THEN 'a whole number'
		ELSE replace(kind, '|', ' or ') END
FROM (VALUES
	('R1.tolerance', 'amount'), ('R2.tolerance', 'amount'), ('R3.tolerance', 'amount'),
	('R4.movement', 'begun|all|none'), ('R4.netting', 'begun|all|none'),
	('R4.holding', 'begun|all|none'), ('R4.reference', 'begun|all|none'),
	('R5.listing', 'begun|all'), ('R5.registry', 'begun|all'),
	('R6.limit', 'part'), ('R6.intraday_limit', 'part'), ('R6.intraday_custody', 'closing|opening'),
	('R7.small_usd', 'amount'), ('R7.share', 'part'), ('R7.in_denominator', 'no|yes'),
	('R8.split', 'asset|total|whole'),
	('R9.limit', 'part'), ('R9.full_limit', 'part'), ('R9.full', 'all|any'),
	('R10.limit', 'part'), ('R10.base', 'platform|all'),
	('R11.limit', 'part'), ('R11.small_limit', 'part'), ('R11.small_usd', 'amount'),
	('R11.new_months', 'count'), ('R11.unknown', 'small|large'), ('R11.cash_in_total', 'no|yes'),
	('R12.breaches', 'count'), ('R12.month', 'calendar|rolling'), ('R12.cure_days', 'count'),
	('R13.months', 'count'), ('rate.day', 'same|previous'), ('rate.max_age', 'count'),
	('break.limit', 'count'), ('report.central', 'run|none')) AS f (name, kind);

-- Exact quotients: numeric's own division rounds to a scale of its choice.
-- n / d, truncated to so many places; 0 / 0 is 0, anything else / 0 is NULL.
CREATE FUNCTION muhur.quotient(n numeric, d numeric, places integer) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN d <> 0 THEN trim_scale(div(n * 10::numeric ^ places, d) * ('1e-' || places)::numeric)
		WHEN n = 0 THEN 0 END
$$;
-- A common denominator of whole numbers.
CREATE AGGREGATE muhur.common_multiple(numeric) (SFUNC = pg_catalog.lcm, STYPE = numeric, INITCOND = '1');
-- As columns and notices hold an amount: 18 places, at most 20 integer digits.
CREATE FUNCTION muhur.written(x numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT trim_scale(greatest(least(trunc(x, 18), 99999999999999999999.999999999999999999),
		-99999999999999999999.999999999999999999))
$$;

-- Standing data as they are on a day: the newest by business date, sequence and
-- message id, of submissions in effect now.  An index gives the newest dates
-- first, and no more of them are read: OFFSET 0 keeps the planner from starting
-- at the submissions where it has no statistics yet.
CREATE FUNCTION muhur.rate_on(which text, day date) RETURNS numeric
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT nullif(r.rate, 0)
	FROM (SELECT CASE muhur.parameter('rate.day', day) WHEN 'previous' THEN day - 1 ELSE day END AS last) l,
		muhur.reference_rate r CROSS JOIN LATERAL (SELECT sequence, message_id FROM muhur.submission
			WHERE no = r.submission AND state = 'accepted' OFFSET 0) s
	WHERE r.currency = which AND r.business_date <= l.last
	AND r.business_date >= l.last - muhur.parameter('rate.max_age', day)::integer
	ORDER BY r.business_date DESC, s.sequence DESC, s.message_id COLLATE "C" DESC,
		r.member_code COLLATE "C" DESC, r.record_no DESC LIMIT 1
$$;
CREATE FUNCTION muhur.asset_on(which text, day date) RETURNS muhur.reference_asset
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT r.*
	FROM muhur.reference_asset r CROSS JOIN LATERAL (SELECT sequence, message_id FROM muhur.submission
			WHERE no = r.submission AND state = 'accepted' OFFSET 0) s
	WHERE r.asset = which AND r.business_date <= day
	ORDER BY r.business_date DESC, s.sequence DESC, s.message_id COLLATE "C" DESC,
		r.member_code COLLATE "C" DESC, r.record_no DESC LIMIT 1
$$;
-- Of an item of the reserve: its asset's own, else its kind's, else 1 (m.41(4)).
CREATE FUNCTION muhur.weight_on(which_kind text, which text, day date) RETURNS numeric
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce((SELECT r.weight
		FROM muhur.reference_weight r CROSS JOIN LATERAL (SELECT sequence, message_id FROM muhur.submission
			WHERE no = r.submission AND state = 'accepted' OFFSET 0) s
		WHERE r.kind = which_kind AND r.asset = which AND r.business_date <= day
		ORDER BY r.business_date DESC, s.sequence DESC, s.message_id COLLATE "C" DESC,
			r.member_code COLLATE "C" DESC, r.record_no DESC LIMIT 1),
	(SELECT r.weight
		FROM muhur.reference_weight r CROSS JOIN LATERAL (SELECT sequence, message_id FROM muhur.submission
			WHERE no = r.submission AND state = 'accepted' OFFSET 0) s
		WHERE r.kind = which_kind AND r.asset IS NULL AND r.business_date <= day
		ORDER BY r.business_date DESC, s.sequence DESC, s.message_id COLLATE "C" DESC,
			r.member_code COLLATE "C" DESC, r.record_no DESC LIMIT 1), 1)
$$;

-- A working day [iş günü]: as the registry's calendar says, else Monday to Friday.
CREATE FUNCTION muhur.is_business_day(which date, as_of date) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce((SELECT r.kind = 'WORKDAY'
		FROM muhur.reference_day r CROSS JOIN LATERAL (SELECT sequence, message_id FROM muhur.submission
			WHERE no = r.submission AND state = 'accepted' OFFSET 0) s
		WHERE r.day = which AND r.business_date <= as_of
		ORDER BY r.business_date DESC, s.sequence DESC, s.message_id COLLATE "C" DESC,
			r.member_code COLLATE "C" DESC, r.record_no DESC LIMIT 1),
	extract(isodow FROM which) < 6)
$$;
-- The n-th working day after day (0: day itself), as the calendar is known on
-- as_of; NULL where the calendar has no end of holidays.
CREATE FUNCTION muhur.add_business_days(day date, n integer, as_of date) RETURNS date
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	left_over integer := n;
	d date := day;
BEGIN
	WHILE left_over > 0 LOOP
		d := d + 1;
		IF d - day > 10 * n + 400 THEN
			RETURN NULL;
		END IF;
		IF muhur.is_business_day(d, as_of) THEN
			left_over := left_over - 1;
		END IF;
	END LOOP;
	RETURN d;
END $$;

-- Since when a break of that rule and key has been found without a pause, as an
-- earlier run has it; NULL where it has not.  Ids: see src/reconcile/results.c.
CREATE FUNCTION muhur.found_since(which_rule text, which_key text, earlier bigint) RETURNS date
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT f.first_seen
	FROM (SELECT encode(sha256(convert_to(which_key, 'UTF8')), 'hex') AS hex) h
	JOIN muhur.break b ON b.id IN (which_rule || '-' || left(h.hex, 12), which_rule || '-' || left(h.hex, 24))
		AND b.rule = which_rule AND b.key = which_key
	JOIN muhur.finding f ON f.break_id = b.id AND f.run = earlier AND f.status <> 'cured'
$$;

REVOKE ALL ON FUNCTION muhur.quotient(numeric, numeric, integer), muhur.common_multiple(numeric),
	muhur.written(numeric), muhur.rate_on(text, date), muhur.asset_on(text, date),
	muhur.weight_on(text, text, date), muhur.is_business_day(date, date),
	muhur.add_business_days(date, integer, date), muhur.found_since(text, text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION muhur.quotient(numeric, numeric, integer), muhur.common_multiple(numeric),
	muhur.written(numeric), muhur.rate_on(text, date), muhur.asset_on(text, date),
	muhur.weight_on(text, text, date), muhur.is_business_day(date, date),
	muhur.add_business_days(date, integer, date), muhur.found_since(text, text, bigint) TO muhur_reconcile;

GRANT SELECT, INSERT ON muhur.limit_result, muhur.asset_value, muhur.platform_asset_since TO muhur_reconcile;
-- notices' lines come from these
GRANT SELECT ON muhur.limit_result TO muhur_load, muhur_directory, muhur_admin;
GRANT SELECT ON muhur.asset_value, muhur.platform_asset_since, muhur.parameter_form TO muhur_admin;
-- a value for the same day again; the event in the trail has both
GRANT UPDATE (value, set_at, note) ON muhur.parameter TO muhur_admin;
