-- 006-authority: who may say what, for whom, since when and until when; and what
-- waits for its approval (S2 A, S2 E).  Nothing here is ever removed: a right
-- ends by its valid_to, so that who could do what on any day can be told.

-- Rights of a user, for its own member or for one that lets it act -------------
ALTER TABLE muhur.user_right RENAME COLUMN granted_at TO valid_from;
ALTER TABLE muhur.user_right
	ADD COLUMN no bigint GENERATED ALWAYS AS IDENTITY,
	ADD COLUMN member_code text REFERENCES muhur.member,
	ADD COLUMN valid_to timestamptz,
	ADD COLUMN granted_by text NOT NULL DEFAULT 'operator',
	ADD COLUMN ended_by text;
UPDATE muhur.user_right SET member_code = left(user_code, -3);
ALTER TABLE muhur.user_right
	ALTER COLUMN member_code SET NOT NULL,
	DROP CONSTRAINT user_right_pkey,
	ADD PRIMARY KEY (no),
	ADD CHECK (valid_to >= valid_from);
CREATE UNIQUE INDEX user_right_open ON muhur.user_right (user_code, member_code, message_type, step)
	WHERE valid_to IS NULL;

-- Roles: named groups of rights --------------------------------------------------
CREATE TABLE muhur.role (
	name		text PRIMARY KEY CHECK (name ~ '^[A-Za-z][A-Za-z0-9_-]{0,31}$'),
	created_at	timestamptz NOT NULL
);
CREATE TABLE muhur.role_right (
	no		bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	role		text NOT NULL REFERENCES muhur.role,
	message_type	text NOT NULL,
	step		text NOT NULL CHECK (step IN ('entry', 'approval')),
	valid_from	timestamptz NOT NULL,
	valid_to	timestamptz CHECK (valid_to >= valid_from),
	granted_by	text NOT NULL,
	ended_by	text
);
CREATE UNIQUE INDEX role_right_open ON muhur.role_right (role, message_type, step) WHERE valid_to IS NULL;
CREATE TABLE muhur.user_role (
	no		bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	user_code	text NOT NULL REFERENCES muhur.member_user,
	member_code	text NOT NULL REFERENCES muhur.member,
	role		text NOT NULL REFERENCES muhur.role,
	valid_from	timestamptz NOT NULL,
	valid_to	timestamptz CHECK (valid_to >= valid_from),
	granted_by	text NOT NULL,
	ended_by	text
);
CREATE UNIQUE INDEX user_role_open ON muhur.user_role (user_code, member_code, role) WHERE valid_to IS NULL;

-- Every right, however it is held, with the time in which it is.
CREATE VIEW muhur.right_held AS
	SELECT user_code, member_code, message_type, step, NULL::text AS role,
		valid_from, valid_to, granted_by, ended_by
	FROM muhur.user_right
	UNION ALL
	SELECT u.user_code, u.member_code, r.message_type, r.step, u.role,
		greatest(u.valid_from, r.valid_from), least(u.valid_to, r.valid_to),
		u.granted_by, coalesce(u.ended_by, r.ended_by)
	FROM muhur.user_role u JOIN muhur.role_right r ON r.role = u.role
	WHERE greatest(u.valid_from, r.valid_from) < coalesce(least(u.valid_to, r.valid_to), 'infinity');

-- May the user do this step of this message type for the member at that moment?
CREATE FUNCTION muhur.may(who text, for_member text, type text, what text, at timestamptz) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN type = 'AuthorizationChange'
	    -- what is said of a member's users is its main authorities' (S2 E)
	    THEN left(who, -3) = for_member AND right(who, 3) BETWEEN '900' AND '990'
	    ELSE EXISTS (SELECT FROM muhur.right_held r
	    WHERE r.user_code = who AND r.member_code = for_member AND r.message_type = type AND r.step = what
	    AND r.valid_from <= at AND (r.valid_to IS NULL OR at < r.valid_to)) END
$$;

-- Two persons: entry and approval must not be by the same one ---------------------
CREATE TABLE muhur.dual_control (
	no		bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	member_code	text NOT NULL REFERENCES muhur.member,
	message_type	text,			-- NULL: all
	valid_from	timestamptz NOT NULL,
	valid_to	timestamptz CHECK (valid_to >= valid_from),
	granted_by	text NOT NULL,
	ended_by	text
);
CREATE UNIQUE INDEX dual_control_open ON muhur.dual_control (member_code, coalesce(message_type, ''))
	WHERE valid_to IS NULL;
CREATE FUNCTION muhur.needs_two(for_member text, type text, at timestamptz) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT EXISTS (SELECT FROM muhur.dual_control d
	    WHERE d.member_code = for_member AND coalesce(d.message_type, type) = type
	    AND d.valid_from <= at AND (d.valid_to IS NULL OR at < d.valid_to))
$$;

-- What approves and cancels -------------------------------------------------------
CREATE TABLE muhur.approval_target (	-- of an Approval [onay] or a Cancellation [iptal]
	business_date	date NOT NULL,
	submission	bigint NOT NULL REFERENCES muhur.submission,
	member_code	text NOT NULL,
	record_no	bigint NOT NULL,
	line		bigint NOT NULL,
	message_id	text NOT NULL,
	sha256		text NOT NULL,
	PRIMARY KEY (submission, record_no)
);
-- Who acted for the member may be another member's user.
ALTER TABLE muhur.submission DROP CONSTRAINT submission_check;
ALTER TABLE muhur.submission
	ADD COLUMN approved_by bigint REFERENCES muhur.submission;	-- the Approval or Cancellation that took effect
INSERT INTO muhur.submission_transition (state, event, next) VALUES
	('waiting', 'expire', 'cancelled');

-- What a main authority says of its member's users ------------------------------------
CREATE TABLE muhur.authorization_change (
	business_date	date NOT NULL,
	submission	bigint NOT NULL REFERENCES muhur.submission,
	member_code	text NOT NULL,
	record_no	bigint NOT NULL,
	line		bigint NOT NULL,
	user_code	text NOT NULL,
	action		text NOT NULL,
	message_type	text,
	step		text,
	role		text,
	valid_from	timestamptz,
	valid_to	timestamptz,
	PRIMARY KEY (submission, record_no)
);

-- Who suspended and resumed whom, and when: a user is active until the first row,
-- then what the last one says.
CREATE TABLE muhur.user_state_change (
	no		bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	user_code	text NOT NULL REFERENCES muhur.member_user,
	state		text NOT NULL CHECK (state IN ('active', 'suspended')),
	changed_at	timestamptz NOT NULL,
	changed_by	text NOT NULL		-- a main authority, or 'operator': the registry
);
CREATE INDEX ON muhur.user_state_change (user_code, no);
INSERT INTO muhur.user_state_change (user_code, state, changed_at, changed_by)
	SELECT code, state, created_at, 'operator' FROM muhur.member_user WHERE state <> 'active';

-- The one way in which a state changes; false where the user has it already.
CREATE FUNCTION muhur.set_user_state(who text, becomes text, actor text, at timestamptz) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	UPDATE muhur.member_user u SET state = becomes WHERE u.code = who AND u.state <> becomes;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	INSERT INTO muhur.user_state_change (user_code, state, changed_at, changed_by)
	VALUES (who, becomes, at, actor);
	RETURN true;
END $$;

-- The registry's suspension is not the member's to lift.
CREATE FUNCTION muhur.is_suspended_by_registry(who text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce((SELECT h.state = 'suspended' AND h.changed_by = 'operator'
	    FROM muhur.user_state_change h WHERE h.user_code = who ORDER BY h.no DESC LIMIT 1), false)
$$;

-- The last active main authority of a member stays (S2 E).
CREATE FUNCTION muhur.is_last_authority(who text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT EXISTS (SELECT FROM muhur.member_user u WHERE u.code = who
	    AND u.state = 'active' AND right(u.code, 3) BETWEEN '900' AND '990'
	    AND NOT EXISTS (SELECT FROM muhur.member_user o WHERE o.member_code = u.member_code
	    AND o.code <> u.code AND o.state = 'active' AND right(o.code, 3) BETWEEN '900' AND '990'))
$$;

-- One change; NULL, or the reason code and what is wrong.
CREATE FUNCTION muhur.apply_change(c muhur.authorization_change, actor text, at timestamptz,
	OUT code text, OUT detail text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	done bigint := 0;
	-- not before it takes effect itself: what was held until then stays told
	since timestamptz := greatest(c.valid_from, at);
BEGIN
	code := 'REFERENCE_UNKNOWN';
	-- muhur-load has judged that; its role alone cannot make anybody a grantor
	IF NOT muhur.may(actor, c.member_code, 'AuthorizationChange', 'entry', at) THEN
		code := 'NOT_AUTHORISED';
		detail := actor || ' is no main authority of ' || c.member_code;
	ELSIF NOT EXISTS (SELECT FROM muhur.member_user u WHERE u.code = c.user_code) THEN
		detail := c.user_code || ': there is no such user';
	ELSIF c.role IS NOT NULL AND NOT EXISTS (SELECT FROM muhur.role r WHERE r.name = c.role) THEN
		detail := c.role || ': there is no such role';
	ELSIF c.action IN ('grant', 'withdraw') AND (c.role IS NULL) = (c.message_type IS NULL) THEN
		detail := c.action || ' needs a type or a role, and not both';
	ELSIF c.role IS NOT NULL AND c.step IS NOT NULL THEN
		detail := c.role || ' is a role, which has its steps by itself';
	ELSIF c.message_type = '-' AND c.step = 'approval' THEN
		detail := 'what is only read is not approved';
	ELSIF c.action = 'withdraw' AND c.valid_to IS NOT NULL THEN
		detail := 'withdraw takes a beginning alone';
	ELSIF c.action IN ('suspend', 'resume') AND num_nonnulls(c.message_type, c.step, c.role, c.valid_from, c.valid_to) > 0 THEN
		detail := c.action || ' is of the user, at once, and takes no more';
	ELSIF c.valid_to <= since THEN
		detail := 'it would end before it begins';
	ELSIF c.action IN ('suspend', 'resume') AND left(c.user_code, -3) <> c.member_code THEN
		code := 'NOT_AUTHORISED';
		detail := c.user_code || ' is no user of ' || c.member_code;
	ELSIF c.action = 'suspend' AND muhur.is_last_authority(c.user_code) THEN
		code := 'NOT_AUTHORISED';
		detail := c.user_code || ' is the only main authority that is active';
	ELSIF c.action = 'resume' AND muhur.is_suspended_by_registry(c.user_code) THEN
		code := 'NOT_AUTHORISED';
		detail := c.user_code || ' was suspended by the registry, which alone resumes it';
	ELSE
		IF c.action = 'grant' AND c.role IS NOT NULL THEN
			-- an open one that begins later: until that one
			INSERT INTO muhur.user_role (user_code, member_code, role, valid_from, valid_to, granted_by)
			SELECT c.user_code, c.member_code, c.role, since, coalesce(c.valid_to, (SELECT u.valid_from
			FROM muhur.user_role u WHERE u.user_code = c.user_code AND u.member_code = c.member_code
			AND u.role = c.role AND u.valid_to IS NULL AND u.valid_from > since)), actor
			ON CONFLICT DO NOTHING;
			done := 1;	-- what is held already may be granted again
		ELSIF c.action = 'grant' THEN
			INSERT INTO muhur.user_right (user_code, member_code, message_type, step, valid_from, valid_to, granted_by)
			SELECT c.user_code, c.member_code, c.message_type, s, since, coalesce(c.valid_to, (SELECT r.valid_from
			FROM muhur.user_right r WHERE r.user_code = c.user_code AND r.member_code = c.member_code
			AND r.message_type = c.message_type AND r.step = s AND r.valid_to IS NULL AND r.valid_from > since)), actor
			FROM unnest(ARRAY['entry', 'approval']) s WHERE s = coalesce(c.step, s)
			AND (c.message_type <> '-' OR s = 'entry') ON CONFLICT DO NOTHING;
			done := 1;
		ELSIF c.action = 'withdraw' AND c.role IS NOT NULL THEN
			UPDATE muhur.user_role u SET valid_to = greatest(u.valid_from, since), ended_by = actor
			WHERE u.user_code = c.user_code AND u.member_code = c.member_code AND u.role = c.role
			AND (u.valid_to IS NULL OR u.valid_to > greatest(u.valid_from, since));
			GET DIAGNOSTICS done = ROW_COUNT;
			detail := c.user_code || ' does not hold the role ' || c.role;
		ELSIF c.action = 'withdraw' THEN
			UPDATE muhur.user_right r SET valid_to = greatest(r.valid_from, since), ended_by = actor
			WHERE r.user_code = c.user_code AND r.member_code = c.member_code
			AND r.message_type = c.message_type AND r.step = coalesce(c.step, r.step)
			AND (r.valid_to IS NULL OR r.valid_to > greatest(r.valid_from, since));
			GET DIAGNOSTICS done = ROW_COUNT;
			detail := c.user_code || ' does not hold this right by itself';
		ELSE
			PERFORM muhur.set_user_state(c.user_code,
				CASE c.action WHEN 'suspend' THEN 'suspended' ELSE 'active' END, actor, at);
			done := 1;
		END IF;
		IF done > 0 THEN
			code := NULL;
			detail := NULL;
		END IF;
	END IF;
END $$;

-- All changes of a message, in their order; a row for each that cannot be.
CREATE FUNCTION muhur.apply_authorization(which bigint, actor text, at timestamptz)
RETURNS TABLE (code text, line bigint, path text, detail text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	c muhur.authorization_change;
BEGIN
	FOR c IN SELECT * FROM muhur.authorization_change a WHERE a.submission = which ORDER BY a.record_no LOOP
		SELECT r.code, r.detail INTO code, detail FROM muhur.apply_change(c, actor, at) r;
		IF code IS NOT NULL THEN
			line := c.line;
			path := '/AuthorizationChange/Changes/Change';
			RETURN NEXT;
		END IF;
	END LOOP;
END $$;

-- The report of who may do what -----------------------------------------------------------
ALTER TABLE muhur.notice
	ADD COLUMN version integer,		-- of those that belong to no run: the day's how-manieth
	DROP CONSTRAINT notice_kind_check,
	ADD CONSTRAINT notice_kind_check CHECK (kind IN ('Acknowledgement', 'ReconciliationResult',
		'DiscrepancyReport', 'AuthorizationReport'));

CREATE FUNCTION muhur.report_rights(member text, at timestamptz, day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	n integer;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended('muhur.report:' || member, 0));
	SELECT count(*) + 1 INTO n FROM muhur.notice x
	WHERE x.kind = 'AuthorizationReport' AND x.recipient = member AND x.day = report_rights.day;
	INSERT INTO muhur.notice (id, kind, recipient, file_name, issued_at, day, version)
	VALUES (gen_random_uuid(), 'AuthorizationReport', member,
		'AuthorizationReport.' || day || '.' || n || '.xml', at, day, n);
	PERFORM pg_notify('muhur_notice', '');
END $$;

-- Bulk lines of a notice (model/notice.h): those of runs as before, and rights.
ALTER FUNCTION muhur.notice_lines(uuid) RENAME TO run_lines;
CREATE FUNCTION muhur.rights_lines(notice_id uuid)
RETURNS TABLE (f1 text, f2 text, f3 text, f4 text, f5 text, f6 text, f7 text, f8 text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
WITH n AS MATERIALIZED (
	SELECT recipient, issued_at FROM muhur.notice WHERE id = notice_id AND kind = 'AuthorizationReport'
), line AS (
	SELECT 1 AS part, 'user' AS f1, u.code AS f2, coalesce((SELECT h.state FROM muhur.user_state_change h
			WHERE h.user_code = u.code AND h.changed_at <= n.issued_at ORDER BY h.no DESC LIMIT 1), 'active') AS f3,
		CASE WHEN right(u.code, 3) BETWEEN '900' AND '990' THEN 'true' ELSE 'false' END AS f4,
		NULL AS f5, NULL AS f6, NULL AS f7, NULL AS f8
	FROM n JOIN muhur.member_user u ON u.member_code = n.recipient AND u.created_at <= n.issued_at
	UNION ALL
	SELECT 2, 'right', r.user_code, r.member_code, r.message_type, r.step, r.role,
		to_char(r.valid_from AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), r.granted_by
	FROM n JOIN muhur.right_held r ON n.recipient IN (r.member_code, left(r.user_code, -3))
	WHERE r.valid_from <= n.issued_at AND (r.valid_to IS NULL OR n.issued_at < r.valid_to)
)
SELECT f1, f2, f3, f4, f5, f6, f7, f8 FROM line
ORDER BY part, f2 COLLATE "C", f3 COLLATE "C", f4 COLLATE "C", f5 COLLATE "C", f6 COLLATE "C" NULLS FIRST, f7, f8 COLLATE "C"
$$;
CREATE FUNCTION muhur.notice_lines(notice_id uuid)
RETURNS TABLE (f1 text, f2 text, f3 text, f4 text, f5 text, f6 text, f7 text,
	f8 text, f9 text, f10 text, f11 text, f12 text, f13 text, f14 text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF EXISTS (SELECT FROM muhur.notice n WHERE n.id = notice_id AND n.kind = 'AuthorizationReport') THEN
		RETURN QUERY SELECT r.*, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text
			FROM muhur.rights_lines(notice_id) r;
	ELSE
		RETURN QUERY SELECT * FROM muhur.run_lines(notice_id);
	END IF;
END $$;

-- what each role may do with it ---------------------------------------------------
GRANT SELECT ON muhur.user_state_change, muhur.role, muhur.role_right, muhur.user_role, muhur.right_held, muhur.dual_control,
	muhur.approval_target TO muhur_load, muhur_directory, muhur_admin;
GRANT INSERT ON muhur.approval_target TO muhur_load;
GRANT UPDATE (approved_by) ON muhur.submission TO muhur_load;
REVOKE DELETE ON muhur.user_right FROM muhur_admin;
GRANT UPDATE (valid_to, ended_by) ON muhur.user_right, muhur.role_right, muhur.user_role, muhur.dual_control
	TO muhur_admin;
GRANT INSERT ON muhur.user_state_change, muhur.role, muhur.role_right, muhur.user_role, muhur.dual_control TO muhur_admin;
REVOKE ALL ON FUNCTION muhur.apply_change(muhur.authorization_change, text, timestamptz),
	muhur.apply_authorization(bigint, text, timestamptz), muhur.report_rights(text, timestamptz, date),
	muhur.rights_lines(uuid), muhur.notice_lines(uuid), muhur.is_last_authority(text),
	muhur.set_user_state(text, text, text, timestamptz), muhur.is_suspended_by_registry(text),
	muhur.may(text, text, text, text, timestamptz), muhur.needs_two(text, text, timestamptz) FROM PUBLIC;
GRANT SELECT ON muhur.authorization_change TO muhur_load, muhur_directory, muhur_admin;
GRANT INSERT ON muhur.authorization_change TO muhur_load;
GRANT EXECUTE ON FUNCTION muhur.apply_authorization(bigint, text, timestamptz) TO muhur_load;
GRANT EXECUTE ON FUNCTION muhur.is_last_authority(text),
	muhur.set_user_state(text, text, text, timestamptz) TO muhur_admin;
GRANT EXECUTE ON FUNCTION muhur.report_rights(text, timestamptz, date) TO muhur_load, muhur_admin;
GRANT EXECUTE ON FUNCTION muhur.notice_lines(uuid), muhur.rights_lines(uuid), muhur.run_lines(uuid)
	TO muhur_load, muhur_directory, muhur_admin;
GRANT EXECUTE ON FUNCTION muhur.may(text, text, text, text, timestamptz),
	muhur.needs_two(text, text, timestamptz) TO muhur_load, muhur_directory, muhur_admin;
