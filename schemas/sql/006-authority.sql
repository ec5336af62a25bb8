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
	SELECT EXISTS (SELECT FROM muhur.right_held r
	    WHERE r.user_code = who AND r.member_code = for_member AND r.message_type = type AND r.step = what
	    AND r.valid_from <= at AND (r.valid_to IS NULL OR at < r.valid_to))
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

-- what each role may do with it ---------------------------------------------------
GRANT SELECT ON muhur.role, muhur.role_right, muhur.user_role, muhur.right_held, muhur.dual_control,
	muhur.approval_target TO muhur_load, muhur_directory, muhur_admin;
GRANT EXECUTE ON FUNCTION muhur.may(text, text, text, text, timestamptz),
	muhur.needs_two(text, text, timestamptz) TO muhur_load, muhur_directory, muhur_admin;
GRANT INSERT ON muhur.approval_target TO muhur_load;
GRANT UPDATE (approved_by) ON muhur.submission TO muhur_load;
REVOKE DELETE ON muhur.user_right FROM muhur_admin;
GRANT UPDATE (valid_to, ended_by) ON muhur.user_right, muhur.role_right, muhur.user_role, muhur.dual_control
	TO muhur_admin;
GRANT INSERT ON muhur.role, muhur.role_right, muhur.user_role, muhur.dual_control TO muhur_admin;
