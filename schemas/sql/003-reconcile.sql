-- 003-reconcile: runs, their inputs, what they found.

-- The queue (src/pg/queue.h).  A day may wait more than once: what is accepted
-- while its day is being reconciled queues the day again, and a run removes
-- only the entries that its own snapshot shows.
CREATE TABLE muhur.reconcile_job (
	no		bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	business_date	date NOT NULL,
	not_before	timestamptz NOT NULL,	-- gateway's clock
	cause		text NOT NULL CHECK (cause IN ('complete', 'cut-off', 'correction', 'operator'))
);
CREATE INDEX ON muhur.reconcile_job (business_date);

CREATE TABLE muhur.reconcile_run (
	no		bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	business_date	date NOT NULL,
	version		integer NOT NULL,	-- 1.. a day; older ones stay readable
	cause		text NOT NULL,
	started_at	timestamptz NOT NULL,
	pairs		bigint NOT NULL DEFAULT 0,
	breaks		bigint NOT NULL DEFAULT 0,
	UNIQUE (business_date, version)
);
ALTER TABLE muhur.notice ADD FOREIGN KEY (run) REFERENCES muhur.reconcile_run;

CREATE TABLE muhur.reconcile_input (
	run		bigint NOT NULL REFERENCES muhur.reconcile_run,
	submission	bigint NOT NULL REFERENCES muhur.submission,
	PRIMARY KEY (run, submission)
);

-- R1's comparison, one row a platform, custodian and asset.
CREATE TABLE muhur.pair (
	run		bigint NOT NULL REFERENCES muhur.reconcile_run,
	platform	text NOT NULL,
	custodian	text NOT NULL,
	asset		text NOT NULL,
	platform_quantity numeric(38,18),	-- NULL: that side's report is missing (R4), never zero
	custodian_quantity numeric(38,18),
	difference	numeric(38,18),		-- platform - custodian
	status		text NOT NULL CHECK (status IN ('matched', 'break', 'missing')),
	PRIMARY KEY (run, platform, custodian, asset)
);

-- A break lives through runs; finding is what one run saw of it.
-- id: rule and the first 12 hex digits of SHA-256 over its key, so the same
-- break has the same id whatever the order of arrival.
CREATE TABLE muhur.break (
	id		text PRIMARY KEY,
	rule		text NOT NULL,			-- R1, R4, R5
	rule_source	text NOT NULL,			-- its article, e.g. III-35/B.2 m.32(3)
	kind		text NOT NULL,
	key		text NOT NULL,
	platform	text,
	custodian	text,
	asset		text,
	first_seen	date NOT NULL,		-- ever; a finding has its own
	last_seen	date NOT NULL,
	state		text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'explained', 'cured', 'closed'))
);

CREATE TABLE muhur.finding (
	run		bigint NOT NULL REFERENCES muhur.reconcile_run,
	break_id	text NOT NULL REFERENCES muhur.break,
	status		text NOT NULL CHECK (status IN ('new', 'continuing', 'cured')),
	first_seen	date NOT NULL,		-- since when it is found without a pause; its age counts from here
	platform_quantity numeric(38,18),
	custodian_quantity numeric(38,18),
	difference	numeric(38,18),
	detail		text NOT NULL,
	submissions	bigint[] NOT NULL,	-- whose records it came from
	PRIMARY KEY (run, break_id)
);

-- The bulk lines of a notice, in the order of src/model/notice.h: the first
-- column names the kind, and a line has as many columns as its kind.
CREATE FUNCTION muhur.notice_lines(notice_id uuid)
RETURNS TABLE (f1 text, f2 text, f3 text, f4 text, f5 text, f6 text, f7 text,
	f8 text, f9 text, f10 text, f11 text, f12 text, f13 text, f14 text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
WITH n AS MATERIALIZED (
	SELECT kind, recipient, run FROM muhur.notice
	WHERE id = notice_id AND kind IN ('ReconciliationResult', 'DiscrepancyReport')
), line AS (
	SELECT 1 AS part, 'pair' AS f1, p.platform AS f2, p.custodian AS f3, p.asset AS f4,
		trim_scale(p.platform_quantity)::text AS f5,
		trim_scale(p.custodian_quantity)::text AS f6,
		trim_scale(p.difference)::text AS f7, p.status AS f8,
		NULL AS f9, NULL AS f10, NULL AS f11, NULL AS f12, NULL AS f13, NULL AS f14
	FROM n JOIN muhur.pair p ON p.run = n.run
		AND (p.platform = n.recipient OR p.custodian = n.recipient)
	WHERE n.kind = 'ReconciliationResult'
	UNION ALL
	SELECT 1, 'source', s.id::text, s.sha256, s.member_code, s.message_type, s.message_id,
		NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
	FROM n JOIN muhur.reconcile_input i ON i.run = n.run
	JOIN muhur.submission s ON s.no = i.submission
	WHERE n.kind = 'DiscrepancyReport'
	UNION ALL
	SELECT 2, 'break', b.id, b.rule, b.rule_source, b.kind, b.platform, b.custodian, b.asset,
		trim_scale(f.platform_quantity)::text, trim_scale(f.custodian_quantity)::text,
		trim_scale(f.difference)::text, f.status, f.first_seen::text, f.detail
	FROM n JOIN muhur.finding f ON f.run = n.run
	JOIN muhur.break b ON b.id = f.break_id
	WHERE n.kind = 'DiscrepancyReport' OR b.platform = n.recipient OR b.custodian = n.recipient
)
SELECT f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14 FROM line
ORDER BY part, CASE f1 WHEN 'source' THEN f4 END COLLATE "C",
	f2 COLLATE "C", f3 COLLATE "C", f4 COLLATE "C"
$$;
