-- 012-findings: what is owed on a day; what is wrong with single records; what
-- the parties of a break say of it.

-- What rules and loader ask alike --------------------------------------------
CREATE INDEX ON muhur.submission (message_type, member_code, business_date) WHERE state = 'accepted';

-- Which reports are owed on day D, and is each in?  m.32(1): platforms and
-- custodians send their reports each day, that is who has a contract valid on
-- it.  R4's parameters say from when on such a platform owes its further
-- reports too (m.33(1), m.41), and the registry its reference data: 'all',
-- 'begun' (from the day of its first accepted one on), or not at all.  A
-- suspended member owes what it owes: its customers' assets are still there.
CREATE FUNCTION muhur.owed(day date) RETURNS TABLE (member_code text, message_type text, is_in boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
WITH contracted AS (
	SELECT k.platform, k.custodian FROM muhur.contract k
	WHERE k.valid_from <= owed.day AND (k.valid_to IS NULL OR k.valid_to >= owed.day)
), further (party, type, demand) AS (
	SELECT 'platform', 'MovementReport', muhur.parameter('R4.movement', owed.day)
	UNION ALL SELECT 'platform', 'NettingReport', muhur.parameter('R4.netting', owed.day)
	UNION ALL SELECT 'platform', 'HoldingReport', muhur.parameter('R4.holding', owed.day)
	UNION ALL SELECT 'registry', 'ReferenceData', muhur.parameter('R4.reference', owed.day)
), debt (code, type) AS (
	SELECT platform, 'BalanceReport' FROM contracted
	UNION SELECT custodian, 'CustodyReport' FROM contracted
	UNION SELECT d.code, f.type FROM further f JOIN (
		SELECT 'platform' AS party, platform AS code FROM contracted
		UNION SELECT 'registry', m.code FROM muhur.member m WHERE m.kind = 'registry'
	) d USING (party)
	WHERE f.demand = 'all' OR (f.demand = 'begun' AND EXISTS (SELECT FROM muhur.submission s
		WHERE s.message_type = f.type AND s.member_code = d.code
		AND s.state = 'accepted' AND s.business_date <= owed.day))
)
SELECT d.code, d.type, EXISTS (SELECT FROM muhur.submission s WHERE s.message_type = d.type
	AND s.member_code = d.code AND s.state = 'accepted' AND s.business_date = owed.day)
FROM debt d JOIN muhur.member m ON m.code = d.code AND m.state <> 'closed'
ORDER BY d.code COLLATE "C", d.type COLLATE "C"
$$;

-- When day D begins: [D-1 23:59, D 23:59) in Istanbul (m.33(2)).
CREATE FUNCTION muhur.day_begin(day date) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
	SELECT (day - 1 + time '23:59') AT TIME ZONE 'Europe/Istanbul'
$$;

-- R5 (m.22(5)): is the platform's listing of assets judged on that day, and which
-- assets were listed then?  The newest notice that holds on the day decides.
CREATE FUNCTION muhur.listing_judged(platform text, day date) RETURNS boolean
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE muhur.parameter('R5.listing', day) WHEN 'all' THEN true
	WHEN 'begun' THEN EXISTS (SELECT FROM muhur.submission s WHERE s.message_type = 'ListingNotice'
		AND s.member_code = listing_judged.platform AND s.state = 'accepted' AND s.business_date <= day)
	ELSE false END
$$;
CREATE FUNCTION muhur.listed(platform text, day date) RETURNS TABLE (asset text)
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
	SELECT l.asset FROM (
		SELECT DISTINCT ON (l.asset) l.asset, l.status
		FROM muhur.listing l JOIN muhur.submission s ON s.no = l.submission AND s.state = 'accepted'
		WHERE l.member_code = listed.platform AND l.valid_from <= listed.day AND l.business_date <= listed.day
		ORDER BY l.asset, l.business_date DESC, s.sequence DESC, s.message_id COLLATE "C" DESC, l.record_no DESC
	) l WHERE l.status = 'LISTED'
$$;

-- R5 (S2 G): are registry numbers judged on that day?
CREATE FUNCTION muhur.registry_judged(day date) RETURNS boolean
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE muhur.parameter('R5.registry', day) WHEN 'all' THEN true
	WHEN 'begun' THEN EXISTS (SELECT FROM muhur.registry_number n WHERE n.known_from <= day)
	ELSE false END
$$;
REVOKE ALL ON FUNCTION muhur.owed(date), muhur.day_begin(date), muhur.listing_judged(text, date),
	muhur.listed(text, date), muhur.registry_judged(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION muhur.owed(date) TO muhur_load, muhur_reconcile, muhur_admin;
GRANT EXECUTE ON FUNCTION muhur.day_begin(date), muhur.listing_judged(text, date), muhur.listed(text, date),
	muhur.registry_judged(date) TO muhur_reconcile, muhur_admin;

-- What the parties of a break say of it [farklılık açıklaması] ---------------
ALTER TABLE muhur.break
	ADD COLUMN explained_by bigint REFERENCES muhur.submission,
	ADD COLUMN explanation text;

-- Is the break that member's?  Its platform's and its custodian's, where the member
-- is one: whoever reports can write any member's code there.  A missing report's
-- (R4) and a doubled line's is whose report it is: the second part of the key.
CREATE FUNCTION muhur.is_party(b muhur.break, member text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN b.rule = 'R4' OR b.kind = 'DUPLICATE_LINE' THEN split_part(b.key, '|', 2) = is_party.member
	ELSE EXISTS (SELECT FROM muhur.member m WHERE m.code = is_party.member
		AND (m.code = b.platform AND m.kind = 'platform' OR m.code = b.custodian AND m.kind = 'custodian')) END
$$;

-- A row for each line of a DiscrepancyResponse that names no break of its member.
CREATE FUNCTION muhur.judge_response(which bigint)
RETURNS TABLE (code text, line bigint, path text, detail text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'REFERENCE_UNKNOWN', r.line, '/DiscrepancyResponse/Responses/Rsp',
		-- another's break is none for this member: it is not told that there is one
		r.break_id || ': ' || r.member_code || ' is no party of such a break'
	FROM muhur.response r LEFT JOIN muhur.break b ON b.id = r.break_id
	WHERE r.submission = which AND NOT coalesce(muhur.is_party(b, r.member_code), false)
	ORDER BY r.record_no
$$;

-- A run sees one moment's state from its beginning to its end, and writes into
-- the breaks that it finds: whoever changes one meanwhile ends it, and a run of
-- many lines could be kept from its end for ever.  So an explanation that comes
-- during a run waits until that is over, and is in its breaks a moment later.
-- The lock: a run has it shared (src/reconcile/run.c), an explanation alone.

CREATE TABLE muhur.response_waiting (
	submission	bigint PRIMARY KEY REFERENCES muhur.submission,
	at		timestamptz NOT NULL
);

-- What is open is explained; what is cured or closed keeps its state and has the
-- explanation all the same.  Of several the last counts.
CREATE FUNCTION muhur.put_explanations(which bigint, at timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- both parties may answer at once: in one order
	PERFORM FROM muhur.break b WHERE b.id IN (SELECT r.break_id FROM muhur.response r WHERE r.submission = which)
	ORDER BY b.id FOR UPDATE;
	UPDATE muhur.break b SET state = CASE b.state WHEN 'open' THEN 'explained' ELSE b.state END,
		explained_by = which, explanation = r.explanation
	FROM (SELECT DISTINCT ON (x.break_id) x.break_id, x.explanation FROM muhur.response x
		WHERE x.submission = which ORDER BY x.break_id, x.record_no DESC) r
	WHERE b.id = r.break_id;
	INSERT INTO muhur.event (at, kind, actor, submission, detail)
	SELECT put_explanations.at, 'explained', s.user_code, which, jsonb_build_object('break', r.break_id)
	FROM muhur.submission s, (SELECT DISTINCT x.break_id FROM muhur.response x WHERE x.submission = which) r
	WHERE s.no = which
	ORDER BY r.break_id COLLATE "C";
END $$;

-- An accepted DiscrepancyResponse, in the transaction of its acceptance.
CREATE FUNCTION muhur.explain_breaks(which bigint, at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	s muhur.submission;
BEGIN
	-- muhur-load has judged that; its role alone explains nothing
	SELECT * INTO s FROM muhur.submission x
	WHERE x.no = which AND x.message_type = 'DiscrepancyResponse' AND x.state = 'accepted';
	IF NOT FOUND OR EXISTS (SELECT FROM muhur.judge_response(which))
	    OR EXISTS (SELECT FROM muhur.response r WHERE r.submission = which AND r.member_code <> s.member_code) THEN
		RAISE EXCEPTION 'submission %: explains no breaks', which USING ERRCODE = 'check_violation';
	END IF;
	-- in their order: not before those that wait
	IF EXISTS (SELECT FROM muhur.response_waiting)
	    OR NOT pg_try_advisory_xact_lock(hashtextextended('muhur.breaks', 0)) THEN
		INSERT INTO muhur.response_waiting (submission, at) VALUES (which, explain_breaks.at);
	ELSE
		PERFORM muhur.put_explanations(which, explain_breaks.at);
	END IF;
END $$;

-- Between runs: those that wait.  How many there were; another run may be under
-- way, and then it is none.
CREATE FUNCTION muhur.explain_waiting() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	w muhur.response_waiting;
	n integer := 0;
BEGIN
	IF EXISTS (SELECT FROM muhur.response_waiting)
	    AND pg_try_advisory_xact_lock(hashtextextended('muhur.breaks', 0)) THEN
		FOR w IN SELECT * FROM muhur.response_waiting x ORDER BY x.at, x.submission LOOP
			PERFORM muhur.put_explanations(w.submission, w.at);
			DELETE FROM muhur.response_waiting x WHERE x.submission = w.submission;
			n := n + 1;
		END LOOP;
	END IF;
	RETURN n;
END $$;

REVOKE ALL ON FUNCTION muhur.put_explanations(bigint, timestamptz), muhur.explain_waiting() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION muhur.explain_waiting() TO muhur_reconcile;
GRANT SELECT ON muhur.response_waiting TO muhur_admin;
REVOKE ALL ON FUNCTION muhur.is_party(muhur.break, text), muhur.judge_response(bigint),
	muhur.explain_breaks(bigint, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION muhur.is_party(muhur.break, text), muhur.judge_response(bigint),
	muhur.explain_breaks(bigint, timestamptz) TO muhur_load;

-- What is wrong with single records ------------------------------------------
-- Level (ii) of notices (S2 A): executable or not, record by record.  These are
-- rule R5's questions, asked of one submission at its acceptance; the day's run
-- asks them of all together, and decides.  A finding refuses nothing.
CREATE TABLE muhur.record_finding (	-- the first 1000 of a submission
	submission	bigint NOT NULL REFERENCES muhur.submission,
	record_no	bigint NOT NULL,
	line		bigint NOT NULL,
	code		text NOT NULL,		-- R5's kinds of breaks
	detail		text,
	registry_no	text,			-- the record's, where it has one
	PRIMARY KEY (submission, record_no, code)
);
CREATE TABLE muhur.record_finding_count (	-- and how many there are
	submission	bigint NOT NULL REFERENCES muhur.submission,
	code		text NOT NULL,
	n		bigint NOT NULL CHECK (n > 0),
	PRIMARY KEY (submission, code)
);

-- The questions: of a record r of that kind, in SQL.  $1 the day, $2 codes that are
-- no custodian, $3 parties without a contract, $4 assets that were not listed.
-- muhur.check_kind adds those about registry numbers and doubled lines.
CREATE FUNCTION muhur.record_questions() RETURNS TABLE (kind text, code text, question text, detail text)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	VALUES
	('balance', 'UNKNOWN_CUSTODIAN', 'r.held_at = ANY ($2)', '''no custodian of the code '' || r.held_at || '' is a member'''),
	('balance', 'NO_CONTRACT', 'r.held_at = ANY ($3)', '''no contract with '' || r.held_at || '' is valid on the day'''),
	('balance', 'NOT_LISTED', 'r.asset = ANY ($4)', 'r.asset || '' is not listed on the day'''),
	('balance', 'NEGATIVE_BALANCE', 'r.quantity < 0', 'r.asset || '' '' || trim_scale(r.quantity)'),
	('movement', 'OUTSIDE_DAY', 'r.occurred_at < muhur.day_begin($1) OR r.occurred_at >= muhur.day_begin($1 + 1)',
		'to_char(r.occurred_at AT TIME ZONE ''UTC'', ''YYYY-MM-DD"T"HH24:MI:SS"Z"'')'),
	('movement', 'NOT_LISTED', 'r.asset = ANY ($4)', 'r.asset || '' is not listed on the day'''),
	('netting', 'NOT_LISTED', 'r.asset = ANY ($4)', 'r.asset || '' is not listed on the day'''),
	('custody_omnibus', 'NO_CONTRACT', 'r.platform = ANY ($3)', '''no contract with '' || r.platform || '' is valid on the day''')
$$;

-- A submission's records of one kind, as what stands behind FROM: its own table,
-- attached or not yet; or its part of the day's.
CREATE FUNCTION muhur.records_of(kind text, day date, which bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN to_regclass(format('muhur.%I', own.name)) IS NOT NULL THEN format('muhur.%I', own.name)
	ELSE format('(SELECT * FROM muhur.%I x WHERE x.business_date = %L AND x.submission = %s%s)', kind, day, which,
		CASE WHEN kind IN ('balance', 'movement', 'netting') THEN ' AND x.bulk = 0' ELSE '' END)
	END FROM (SELECT kind || '_' || to_char(day, 'YYYYMMDD') || '_' || which) AS own (name)
$$;

-- Lines of one key within the submission: those after the first, the first 1000 of
-- them; n is how many there are.  Records come by the million, and a number sorts
-- several times faster than its texts do: whose hash stands alone is put aside;
-- equal hashes are compared in full.
CREATE FUNCTION muhur.doubled_lines(source text, key text[]) RETURNS TABLE (record_no bigint, first bigint, n bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	columns text := 'r.' || array_to_string(key, ', r.');
	hash text := '0';
	k text;
BEGIN
	FOREACH k IN ARRAY key LOOP
		hash := format('hashtextextended(r.%I, %s)', k, hash);
	END LOOP;
	EXECUTE format('SELECT count(*) - count(DISTINCT h) FROM (SELECT %s FROM %s r) AS x (h)', hash, source) INTO n;
	IF n > 0 THEN
		RETURN QUERY EXECUTE format('WITH suspect AS (SELECT h FROM (SELECT %s FROM %s r) AS x (h) GROUP BY h HAVING count(*) > 1)
			SELECT d.record_no, d.first, count(*) OVER () FROM (
				SELECT r.record_no, min(r.record_no) OVER (PARTITION BY %s, %s) AS first
				FROM %s r WHERE %s IN (SELECT h FROM suspect)) d
			WHERE d.record_no > d.first ORDER BY d.record_no LIMIT 1000',
			hash, source, hash, columns, source, hash);
	END IF;
END $$;

-- One kind of a submission's records: all that is asked of it.  Few values of
-- places and assets stand in many records, so these are looked up once each.
CREATE FUNCTION muhur.check_kind(s muhur.submission, kind text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	source text := muhur.records_of(kind, s.business_date, s.no);
	place text := CASE kind WHEN 'balance' THEN 'held_at' WHEN 'custody_omnibus' THEN 'platform' END;
	key text[] := CASE kind
		WHEN 'balance' THEN '{registry_no,customer_no,held_at,asset}'
		WHEN 'movement' THEN '{movement_id}'
		WHEN 'netting' THEN '{registry_no,customer_no,asset}'
		WHEN 'custody_omnibus' THEN '{platform,asset,wallet}'
		WHEN 'custody_direct' THEN '{registry_no,customer_no,asset,wallet}' END;
	registry_no text := CASE WHEN kind = 'custody_omnibus' THEN 'NULL::text' ELSE 'r.registry_no' END;
	-- by the index, whatever the planner thinks: numbers are many more than a report's
	unknown text := format('coalesce((SELECT n.known_from FROM muhur.registry_number n WHERE n.registry_no = %s) > $1, true)',
		registry_no);
	places text[];
	assets text[];
	strange text[];
	uncontracted text[];
	unlisted text[];
	doubled bigint[];
	firsts bigint[];
	n_doubled bigint;
	q record;
	n bigint;
	found_in text[] := '{}';
BEGIN
	-- the shared table's index: what came just now is not yet in it, and there are
	-- no statistics that would speak for it
	IF source LIKE '(%' THEN
		PERFORM brin_summarize_new_values(i.indexrelid) FROM pg_index i
		WHERE i.indrelid = to_regclass(format('muhur.%I', kind || '_' || to_char(s.business_date, 'YYYYMMDD') || '_0'));
	END IF;
	PERFORM set_config('enable_seqscan', CASE WHEN source LIKE '(%' THEN 'off' ELSE 'on' END, true);
	EXECUTE format('SELECT array_agg(DISTINCT p), array_agg(DISTINCT a) FROM (SELECT %s, r.asset FROM %s r GROUP BY 1, 2) AS x (p, a)',
		coalesce('r.' || place, 'NULL::text'), source) INTO places, assets;
	IF kind = 'balance' THEN
		strange := ARRAY(SELECT p FROM unnest(places) p WHERE p <> 'OWN' AND NOT EXISTS (SELECT FROM muhur.member m
			WHERE m.code = p AND m.kind = 'custodian'));
	END IF;
	uncontracted := ARRAY(SELECT p FROM unnest(places) p WHERE p <> ALL (coalesce(strange, '{}') || '{OWN}'::text[])
		AND NOT EXISTS (SELECT FROM muhur.contract k WHERE k.valid_from <= s.business_date
			AND (k.valid_to IS NULL OR k.valid_to >= s.business_date)
			AND ((k.platform = s.member_code AND k.custodian = p) OR (k.custodian = s.member_code AND k.platform = p))));
	IF muhur.listing_judged(s.member_code, s.business_date) THEN
		unlisted := ARRAY(SELECT a FROM unnest(assets) a
			EXCEPT SELECT l.asset FROM muhur.listed(s.member_code, s.business_date) l);
	END IF;
	SELECT array_agg(d.record_no), array_agg(d.first), max(d.n) INTO doubled, firsts, n_doubled
	FROM muhur.doubled_lines(source, key) d;
	FOR q IN SELECT x.code, x.question, x.detail, source || ' r' AS rows FROM muhur.record_questions() x
		WHERE x.kind = check_kind.kind
		AND (x.code <> 'UNKNOWN_CUSTODIAN' OR cardinality(strange) > 0)
		AND (x.code <> 'NO_CONTRACT' OR cardinality(uncontracted) > 0)
		AND (x.code <> 'NOT_LISTED' OR cardinality(unlisted) > 0)
	    UNION ALL SELECT 'UNKNOWN_REGISTRY_NO', unknown, 'NULL::text', source || ' r'
		WHERE kind <> 'custody_omnibus' AND muhur.registry_judged(s.business_date)
	    UNION ALL SELECT 'DUPLICATE_LINE', 'true', '''of the same key as record '' || d.first',
		source || ' r JOIN unnest($5, $6) AS d (record_no, first) ON d.record_no = r.record_no'
		WHERE n_doubled > 0
	LOOP
		IF q.code = 'DUPLICATE_LINE' THEN
			n := n_doubled;
		ELSE
			EXECUTE format('SELECT count(*) FROM %s WHERE %s', q.rows, q.question) INTO n
				USING s.business_date, strange, uncontracted, unlisted;
		END IF;
		CONTINUE WHEN n = 0;
		INSERT INTO muhur.record_finding_count (submission, code, n) VALUES (s.no, q.code, n)
		ON CONFLICT (submission, code) DO UPDATE SET n = record_finding_count.n + excluded.n;
		found_in := found_in || format('(SELECT r.record_no, r.line, %L, %s, %s FROM %s WHERE %s ORDER BY r.record_no LIMIT 1000)',
			q.code, q.detail, registry_no, q.rows, q.question);
	END LOOP;
	IF found_in <> '{}' THEN
		EXECUTE format('INSERT INTO muhur.record_finding (submission, record_no, line, code, detail, registry_no)
			SELECT %s, x.* FROM (%s) AS x (record_no, line, code, detail, registry_no)
			ORDER BY x.record_no, x.code COLLATE "C"
			LIMIT 1000 - (SELECT count(*) FROM muhur.record_finding f WHERE f.submission = %s)',
			s.no, array_to_string(found_in, ' UNION ALL '), s.no)
			USING s.business_date, strange, uncontracted, unlisted, doubled, firsts;
	END IF;
END $$;

-- All of it, at the acceptance and in its transaction.
CREATE FUNCTION muhur.check_records(which bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET work_mem = '64MB' SET jit = off SET enable_sort = off SET enable_seqscan = on AS $$
DECLARE
	s muhur.submission;
	kind text;
BEGIN
	SELECT * INTO s FROM muhur.submission x WHERE x.no = which AND x.state = 'accepted';
	IF NOT FOUND OR EXISTS (SELECT FROM muhur.record_finding_count c WHERE c.submission = which) THEN
		RAISE EXCEPTION 'submission %: is not to be checked', which USING ERRCODE = 'check_violation';
	END IF;
	-- in the order of the document: the first 1000 findings are kept
	FOREACH kind IN ARRAY CASE s.message_type
	    WHEN 'BalanceReport' THEN '{balance}' WHEN 'MovementReport' THEN '{movement}'
	    WHEN 'NettingReport' THEN '{netting}' WHEN 'CustodyReport' THEN '{custody_omnibus,custody_direct}'
	    ELSE '{}' END::text[] LOOP
		PERFORM muhur.check_kind(s, kind);
	END LOOP;
END $$;

-- They stand in the notice that the submission is accepted, as its bulk lines; what
-- was answered to its records later, in its result.
CREATE FUNCTION muhur.record_lines(notice_id uuid)
RETURNS TABLE (f1 text, f2 text, f3 text, f4 text, f5 text, f6 text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'record', x.record_no::text, x.line::text, x.code, x.detail, x.registry_no
	FROM muhur.notice n CROSS JOIN LATERAL (
		SELECT f.record_no, f.line, f.code, f.detail, f.registry_no
		FROM muhur.record_finding f WHERE f.submission = n.submission AND n.level = 'accepted'
		UNION ALL
		SELECT a.record_no, a.line, a.code, a.detail, a.registry_no
		FROM muhur.record_answer a WHERE a.submission = n.submission AND n.level = 'result') x
	WHERE n.id = notice_id AND n.kind = 'Acknowledgement'
	ORDER BY x.record_no, x.code COLLATE "C"
$$;

REVOKE ALL ON FUNCTION muhur.record_questions(), muhur.records_of(text, date, bigint), muhur.doubled_lines(text, text[]),
	muhur.check_kind(muhur.submission, text), muhur.check_records(bigint), muhur.record_lines(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION muhur.check_records(bigint) TO muhur_load;
GRANT EXECUTE ON FUNCTION muhur.record_lines(uuid) TO muhur_load, muhur_directory, muhur_admin;
GRANT SELECT ON muhur.record_finding, muhur.record_finding_count TO muhur_load, muhur_directory, muhur_admin;
