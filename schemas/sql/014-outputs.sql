-- 014-outputs: what a run leaves for the days after it and for those who are
-- told of it, and the bulk lines of notices.

-- What a run was built on, and what later days are built on (src/reconcile/carry.c).
-- NULL in runs from before.
ALTER TABLE muhur.reconcile_run
	ADD COLUMN earlier bigint REFERENCES muhur.reconcile_run,	-- the newest one of the nearest earlier day; NULL: none
	ADD COLUMN earlier_carry text,		-- its carry
	ADD COLUMN day_before bigint[],		-- BalanceReports in effect of the day before
	ADD COLUMN carry text CHECK (carry ~ '^[0-9a-f]{64}$'),	-- all that later days depend on
	ADD COLUMN chain text CHECK (chain ~ '^[0-9a-f]{64}$');	-- of it, what goes on and on
GRANT UPDATE (carry, chain) ON muhur.reconcile_run TO muhur_reconcile;

-- Was the run built on something else than there is now?  What is not known of
-- runs from before counts as the same.
CREATE FUNCTION muhur.is_outdated(which bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce((SELECT r.earlier IS NULL OR r.earlier_carry <> e.carry
		FROM LATERAL (SELECT x.carry FROM muhur.reconcile_run x WHERE x.business_date < r.business_date
			ORDER BY x.business_date DESC, x.version DESC LIMIT 1) e), false)
	OR r.day_before <> ARRAY(SELECT s.no FROM muhur.submission s WHERE s.state = 'accepted'
		AND s.business_date = r.business_date - 1 AND s.message_type = 'BalanceReport' ORDER BY 1)
	FROM muhur.reconcile_run r WHERE r.no = which AND r.carry IS NOT NULL
$$;
REVOKE ALL ON FUNCTION muhur.is_outdated(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION muhur.is_outdated(bigint) TO muhur_reconcile;

-- The contracts that the run saw: later changes must not change its notices.
CREATE TABLE muhur.reconcile_contract (
	run		bigint NOT NULL REFERENCES muhur.reconcile_run,
	platform	text NOT NULL,
	custodian	text NOT NULL,
	PRIMARY KEY (run, platform, custodian)
);

-- The life of a break: open, explained, cured, closed (src/reconcile/results.c).
ALTER TABLE muhur.break
	ADD COLUMN cured_on date,		-- by the run of which day; while cured or closed
	ADD COLUMN closed_at timestamptz,
	ADD COLUMN closed_by text;		-- 'gateway', 'operator'
UPDATE muhur.break b SET cured_on = (SELECT max(r.business_date) FROM muhur.finding f
	JOIN muhur.reconcile_run r ON r.no = f.run WHERE f.break_id = b.id) WHERE b.state = 'cured';
CREATE INDEX ON muhur.break (cured_on) WHERE state = 'cured';
GRANT UPDATE (cured_on, closed_at, closed_by, explained_by, explanation) ON muhur.break TO muhur_reconcile;
-- `muhur break close': that nothing is left to be done; the reason is the event's.
GRANT UPDATE (state, closed_at, closed_by) ON muhur.break TO muhur_admin;

-- state, explained_by and explanation: the break's when the run ended.
ALTER TABLE muhur.finding
	ADD COLUMN records jsonb,		-- {"<submission>": [record numbers]}
	ADD COLUMN state text CHECK (state IN ('open', 'explained', 'cured', 'closed')),
	ADD COLUMN explained_by bigint REFERENCES muhur.submission,
	ADD COLUMN explanation text;

-- Whom a finding is shown to, besides the regulators.  It is made from findings
-- and members in one statement: references would look up each once more.
CREATE TABLE muhur.finding_party (
	run		bigint NOT NULL,
	member_code	text NOT NULL,
	break_id	text NOT NULL,
	PRIMARY KEY (run, member_code, break_id)
);
-- Notices that wait for their signature.
INSERT INTO muhur.finding_party (run, member_code, break_id)
SELECT DISTINCT f.run, m.code, b.id
FROM muhur.finding f JOIN muhur.break b ON b.id = f.break_id
JOIN muhur.member m ON m.code IN (b.platform, b.custodian)
WHERE f.run IN (SELECT n.run FROM muhur.notice n WHERE n.sha256 IS NULL);

GRANT SELECT, INSERT ON muhur.reconcile_contract, muhur.finding_party TO muhur_reconcile;
GRANT SELECT ON muhur.reconcile_contract, muhur.finding_party TO muhur_load, muhur_directory, muhur_admin;

-- Notices ---------------------------------------------------------------------
-- Both counts are taken when the notice is made; NULL: when it is asked for.
ALTER TABLE muhur.notice
	ADD COLUMN line_count bigint CHECK (line_count >= 0),	-- of muhur.notice_lines
	ADD COLUMN break_count bigint CHECK (break_count >= 0),	-- level result: breaks that its records are part of
	DROP CONSTRAINT notice_kind_check,
	ADD CONSTRAINT notice_kind_check CHECK (kind IN ('Acknowledgement', 'ReconciliationResult',
		'DiscrepancyReport', 'AuthorizationReport', 'CertificateExpiryNotice', 'LimitBreachNotice',
		'CentralRegistryReport'));
GRANT INSERT (line_count, break_count) ON muhur.notice TO muhur_load, muhur_directory, muhur_reconcile;

-- The whole of each investor and asset at each platform, as a run's inputs say.
-- A view, so that who reads it needs no right to the balances themselves.
CREATE VIEW muhur.central_balance AS
	SELECT i.run, b.business_date, b.registry_no, b.asset, b.member_code AS platform,
		sum(b.quantity) AS quantity, sum(b.locked) AS locked
	FROM muhur.reconcile_input i JOIN muhur.balance b ON b.submission = i.submission
	GROUP BY i.run, b.business_date, b.registry_no, b.asset, b.member_code;
GRANT SELECT ON muhur.central_balance TO muhur_load, muhur_directory, muhur_reconcile, muhur_admin;

-- Who is told of a breach: the member concerned, and of too many breaches in a
-- month its custodians, whose notice to the Board it is (m.48(2)); not one of
-- them of another's.
CREATE VIEW muhur.breach_shown AS
	SELECT l.run, l.no, coalesce(l.platform, l.custodian) AS member_code
	FROM muhur.limit_result l WHERE l.status = 'breach'
	UNION
	SELECT l.run, l.no, k.custodian
	FROM muhur.limit_result l JOIN muhur.reconcile_contract k ON k.run = l.run AND k.platform = l.platform
	WHERE l.status = 'breach' AND l.rule = 'R12' AND (l.custodian IS NULL OR l.custodian = k.custodian);
GRANT SELECT ON muhur.breach_shown TO muhur_load, muhur_directory, muhur_reconcile, muhur_admin;
GRANT SELECT ON muhur.limit_result TO muhur_load, muhur_directory;

-- A quantity of at most 20 integer and 18 fraction digits, as the schemas have it.
CREATE FUNCTION muhur.quantity_text(q numeric) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN trim_scale(CASE WHEN q IS NOT NULL THEN greatest(-99999999999999999999.999999999999999999,
	least(99999999999999999999.999999999999999999, q)) END)::text;
-- A figure of a limit: cut after 18 fraction digits, for people; what decides is exact.
CREATE FUNCTION muhur.figure_text(q numeric) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN trim_scale(trunc(q, 18))::text;

-- Bulk lines of a notice, in the order of src/model/notice.h: f1 names the kind
-- of the line, and a line has as many columns as its kind.  who: a member, NULL
-- for the regulator, who is told all.
DROP FUNCTION muhur.notice_lines(uuid);
DROP FUNCTION muhur.notice_lines_of_run(uuid);
DROP FUNCTION muhur.run_lines(uuid);
CREATE TYPE muhur.notice_line AS (f1 text, f2 text, f3 text, f4 text, f5 text, f6 text, f7 text, f8 text, f9 text,
	f10 text, f11 text, f12 text, f13 text, f14 text, f15 text, f16 text, f17 text);

CREATE FUNCTION muhur.source_lines(which bigint, who text) RETURNS SETOF muhur.notice_line
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT 'source', s.id::text, s.sha256, s.member_code, s.message_type, s.message_id, s.file_name,
	NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM muhur.reconcile_input i JOIN muhur.submission s ON s.no = i.submission
WHERE i.run = which AND (who IS NULL OR s.member_code = who)
ORDER BY s.member_code COLLATE "C", s.message_type COLLATE "C", s.message_id COLLATE "C"
$$;

CREATE FUNCTION muhur.pair_lines(which bigint, who text) RETURNS SETOF muhur.notice_line
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT 'pair', p.platform, p.custodian, p.asset, trim_scale(p.platform_quantity)::text,
	trim_scale(p.custodian_quantity)::text, trim_scale(p.difference)::text, p.status,
	NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM muhur.pair p
WHERE p.run = which AND who IN (p.platform, p.custodian)
ORDER BY p.platform COLLATE "C", p.custodian COLLATE "C", p.asset COLLATE "C"
$$;

-- "<submission id>[:record numbers]", separated by spaces; of many the first
-- 128.  To a member its own alone.
CREATE FUNCTION muhur.break_sources(submissions bigint[], records jsonb, who text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT string_agg(s.id || coalesce(':' || (SELECT string_agg(e.n::text, ',' ORDER BY e.n)
		FROM (SELECT v::bigint AS n FROM jsonb_array_elements_text(records -> s.no::text) v ORDER BY 1 LIMIT 100) e), ''),
	' ' ORDER BY s.member_code COLLATE "C", s.message_type COLLATE "C", s.message_id COLLATE "C")
FROM (
	SELECT x.no, x.id, x.member_code, x.message_type, x.message_id FROM muhur.submission x
	WHERE x.no = ANY (submissions) AND (who IS NULL OR x.member_code = who)
	ORDER BY x.member_code COLLATE "C", x.message_type COLLATE "C", x.message_id COLLATE "C" LIMIT 128
) s
$$;

-- Another member's explanation is free text, which may name its customers.
CREATE FUNCTION muhur.break_lines(which bigint, who text) RETURNS SETOF muhur.notice_line
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT 'break', b.id, b.rule, b.rule_source, b.kind, b.platform, b.custodian, b.asset,
	trim_scale(f.platform_quantity)::text, trim_scale(f.custodian_quantity)::text,
	trim_scale(f.difference)::text, f.status, f.first_seen::text, f.detail,
	coalesce(f.state, CASE WHEN f.status = 'cured' THEN 'cured' ELSE 'open' END),
	muhur.break_sources(f.submissions, f.records, who),
	CASE WHEN who IS NULL OR (SELECT s.member_code = who FROM muhur.submission s WHERE s.no = f.explained_by)
		THEN f.explanation END
FROM (
	SELECT a.break_id FROM muhur.finding a WHERE who IS NULL AND a.run = which
	UNION ALL
	SELECT p.break_id FROM muhur.finding_party p WHERE p.run = which AND p.member_code = who
) shown
JOIN muhur.finding f ON f.run = which AND f.break_id = shown.break_id
JOIN muhur.break b ON b.id = f.break_id
ORDER BY b.id COLLATE "C"
$$;

-- All limits of a member, or the breaches that it is told of.
CREATE FUNCTION muhur.limit_lines(which bigint, who text, breaches boolean) RETURNS SETOF muhur.notice_line
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT 'limit', l.rule, l.rule_source, l.platform, l.custodian, l.asset,
	to_char(l.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), muhur.figure_text(l.numerator),
	muhur.figure_text(l.denominator), muhur.figure_text(l.ratio), muhur.figure_text(l.threshold), l.status,
	l.occurrences::text, l.cure_by::text, l.detail, NULL, NULL
FROM muhur.limit_result l
WHERE l.run = which AND CASE
	WHEN NOT breaches THEN who IN (l.platform, l.custodian)
	WHEN who IS NULL THEN l.status = 'breach'
	ELSE l.no IN (SELECT s.no FROM muhur.breach_shown s WHERE s.run = which AND s.member_code = who) END
ORDER BY length(l.rule), l.rule COLLATE "C", l.platform COLLATE "C", l.custodian COLLATE "C", l.asset COLLATE "C",
	l.at, l.no
$$;

-- Ten million lines must stream.  So this one sets no search_path: it can then
-- be inlined where it is asked for by itself (src/load/lines.c).
CREATE FUNCTION muhur.central_lines(which bigint, day date) RETURNS SETOF muhur.notice_line
LANGUAGE sql STABLE AS $$
SELECT 'balance', c.registry_no, c.asset, c.platform, muhur.quantity_text(c.quantity),
	muhur.quantity_text(c.locked), muhur.quantity_text(sum(c.quantity) OVER (PARTITION BY
		c.registry_no COLLATE "C", c.asset COLLATE "C")),
	NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text
FROM muhur.central_balance c
WHERE c.run = which AND c.business_date = day
ORDER BY c.registry_no COLLATE "C", c.asset COLLATE "C", c.platform COLLATE "C"
$$;

CREATE FUNCTION muhur.certificate_lines(notice_id uuid) RETURNS SETOF muhur.notice_line
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT 'certificate', c.user_code, c.sha256, c.subject, c.issuer, c.serial,
	to_char(c.not_after AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), w.days::text,
	NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM muhur.notice n
JOIN muhur.certificate_warning w ON w.notice = n.no
JOIN muhur.certificate c ON c.sha256 = w.certificate
WHERE n.id = notice_id
$$;

CREATE FUNCTION muhur.notice_lines(notice_id uuid) RETURNS SETOF muhur.notice_line
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	n muhur.notice;
BEGIN
	SELECT * INTO n FROM muhur.notice x WHERE x.id = notice_id;
	IF n.kind = 'ReconciliationResult' THEN
		RETURN QUERY SELECT * FROM muhur.source_lines(n.run, n.recipient);
		RETURN QUERY SELECT * FROM muhur.pair_lines(n.run, n.recipient);
		RETURN QUERY SELECT * FROM muhur.break_lines(n.run, n.recipient);
		RETURN QUERY SELECT * FROM muhur.limit_lines(n.run, n.recipient, false);
	ELSIF n.kind = 'DiscrepancyReport' THEN
		RETURN QUERY SELECT * FROM muhur.source_lines(n.run, NULL);
		RETURN QUERY SELECT * FROM muhur.break_lines(n.run, NULL);
	ELSIF n.kind = 'LimitBreachNotice' THEN
		RETURN QUERY SELECT * FROM muhur.limit_lines(n.run, (SELECT m.code FROM muhur.member m
			WHERE m.code = n.recipient AND m.kind <> 'regulator'), true);
	ELSIF n.kind = 'CentralRegistryReport' THEN
		RETURN QUERY SELECT * FROM muhur.central_lines(n.run, (SELECT r.business_date
			FROM muhur.reconcile_run r WHERE r.no = n.run));
	ELSIF n.kind = 'AuthorizationReport' THEN
		RETURN QUERY SELECT r.*, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text,
			NULL::text, NULL::text, NULL::text FROM muhur.rights_lines(notice_id) r;
	ELSIF n.kind = 'CertificateExpiryNotice' THEN
		RETURN QUERY SELECT * FROM muhur.certificate_lines(notice_id);
	ELSIF n.kind = 'Acknowledgement' THEN
		RETURN QUERY SELECT r.*, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text,
			NULL::text, NULL::text, NULL::text, NULL::text, NULL::text FROM muhur.record_lines(notice_id) r;
	END IF;
END $$;

REVOKE ALL ON FUNCTION muhur.quantity_text(numeric), muhur.figure_text(numeric), muhur.source_lines(bigint, text),
	muhur.pair_lines(bigint, text), muhur.break_sources(bigint[], jsonb, text), muhur.break_lines(bigint, text),
	muhur.limit_lines(bigint, text, boolean), muhur.central_lines(bigint, date), muhur.certificate_lines(uuid),
	muhur.notice_lines(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION muhur.quantity_text(numeric), muhur.figure_text(numeric), muhur.source_lines(bigint, text),
	muhur.pair_lines(bigint, text), muhur.break_sources(bigint[], jsonb, text), muhur.break_lines(bigint, text),
	muhur.limit_lines(bigint, text, boolean), muhur.central_lines(bigint, date), muhur.certificate_lines(uuid),
	muhur.notice_lines(uuid) TO muhur_load, muhur_directory, muhur_admin;
