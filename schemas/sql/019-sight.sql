-- 019-sight: two rights that are no message types: Trail (the signature trail,
-- /trail) and Archive (every member's notices, /archive/MEMBER), both for users of
-- compliance and regulator members alone.  They are held, given and ended as
-- others are, step 'entry', and let nobody send anything.

CREATE FUNCTION muhur.is_sight(type text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT type IN ('Archive', 'Trail')
$$;
-- May users of that member hold them?
CREATE FUNCTION muhur.may_be_given_sight(member text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT EXISTS (SELECT FROM muhur.member m WHERE m.code = member AND m.kind IN ('compliance', 'regulator'))
$$;
-- Does the user see it at that moment?  For its own member alone: another one
-- cannot lend what was given to it.
CREATE FUNCTION muhur.sees(who text, what text, at timestamptz) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT muhur.may_be_given_sight(left(who, -3)) AND EXISTS (SELECT FROM muhur.right_held r
	    WHERE r.user_code = who AND r.member_code = left(who, -3) AND r.message_type = what AND r.step = 'entry'
	    AND r.valid_from <= at AND (r.valid_to IS NULL OR at < r.valid_to))
$$;

-- Nothing of those types can be sent, whoever holds the right: there is no such
-- message, and this says so too.
CREATE OR REPLACE FUNCTION muhur.may(who text, for_member text, type text, what text, at timestamptz) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN type = 'AuthorizationChange'
	    -- what is said of a member's users is its main authorities' (S2 E)
	    THEN left(who, -3) = for_member AND right(who, 3) BETWEEN '900' AND '990'
	    ELSE NOT muhur.is_sight(type) AND EXISTS (SELECT FROM muhur.right_held r
	    WHERE r.user_code = who AND r.member_code = for_member AND r.message_type = type AND r.step = what
	    AND r.valid_from <= at AND (r.valid_to IS NULL OR at < r.valid_to)) END
$$;

REVOKE ALL ON FUNCTION muhur.is_sight(text), muhur.may_be_given_sight(text),
	muhur.sees(text, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION muhur.is_sight(text), muhur.may_be_given_sight(text),
	muhur.sees(text, text, timestamptz) TO muhur_load, muhur_directory, muhur_admin;

-- They are read by, so there is nothing to approve: whoever gives both steps gives one.
CREATE FUNCTION muhur.sight_has_one_step() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NEW.step = 'approval' AND NEW.message_type IN ('Archive', 'Trail') THEN
		RETURN NULL;
	END IF;
	RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION muhur.sight_has_one_step() FROM PUBLIC;
CREATE TRIGGER sight_has_one_step BEFORE INSERT ON muhur.user_right
	FOR EACH ROW EXECUTE FUNCTION muhur.sight_has_one_step();
CREATE TRIGGER sight_has_one_step BEFORE INSERT ON muhur.role_right
	FOR EACH ROW EXECUTE FUNCTION muhur.sight_has_one_step();

-- A main authority gives them to its own member's users, where the kind has them.
CREATE OR REPLACE FUNCTION muhur.apply_authorization(which bigint, actor text, at timestamptz)
RETURNS TABLE (code text, line bigint, path text, detail text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	c muhur.authorization_change;
BEGIN
	FOR c IN SELECT * FROM muhur.authorization_change a WHERE a.submission = which ORDER BY a.record_no LOOP
		IF c.action = 'grant' AND muhur.is_sight(c.message_type) AND (left(c.user_code, -3) <> c.member_code
		OR NOT muhur.may_be_given_sight(c.member_code)) THEN
			code := 'NOT_AUTHORISED';
			detail := c.message_type || ' is for users of compliance and regulator members';
		ELSIF muhur.is_sight(c.message_type) AND c.step = 'approval' THEN
			code := 'REFERENCE_UNKNOWN';
			detail := 'what is only read is not approved';
		ELSE
			SELECT r.code, r.detail INTO code, detail FROM muhur.apply_change(c, actor, at) r;
		END IF;
		IF code IS NOT NULL THEN
			line := c.line;
			path := '/AuthorizationChange/Changes/Change';
			RETURN NEXT;
		END IF;
	END LOOP;
END $$;
