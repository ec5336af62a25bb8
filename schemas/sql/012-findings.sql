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

-- Is the break that member's?  Its platform's and its custodian's; of a missing
-- report (R4), whose key is type|member|day, the member's that owes it.
CREATE FUNCTION muhur.is_party(b muhur.break, member text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(member IN (b.platform, b.custodian), false)
	    OR (b.rule = 'R4' AND split_part(b.key, '|', 2) = member)
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

-- An accepted one: what is open is explained; what is cured or closed keeps its
-- state and has the explanation all the same.  Of several the last counts.
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
	-- both parties may answer at once: in one order
	PERFORM FROM muhur.break b WHERE b.id IN (SELECT r.break_id FROM muhur.response r WHERE r.submission = which)
	ORDER BY b.id FOR UPDATE;
	UPDATE muhur.break b SET state = CASE b.state WHEN 'open' THEN 'explained' ELSE b.state END,
		explained_by = which, explanation = r.explanation
	FROM (SELECT DISTINCT ON (x.break_id) x.break_id, x.explanation FROM muhur.response x
		WHERE x.submission = which ORDER BY x.break_id, x.record_no DESC) r
	WHERE b.id = r.break_id;
	INSERT INTO muhur.event (at, kind, actor, submission, detail)
	SELECT explain_breaks.at, 'explained', s.user_code, which, jsonb_build_object('break', r.break_id)
	FROM (SELECT DISTINCT x.break_id FROM muhur.response x WHERE x.submission = which) r
	ORDER BY r.break_id COLLATE "C";
END $$;
REVOKE ALL ON FUNCTION muhur.is_party(muhur.break, text), muhur.judge_response(bigint),
	muhur.explain_breaks(bigint, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION muhur.is_party(muhur.break, text), muhur.judge_response(bigint),
	muhur.explain_breaks(bigint, timestamptz) TO muhur_load;
