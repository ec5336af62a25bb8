-- 011-identity: who the investors are, apart from what they have.
--
-- Nobody but muhur_identity may read this schema.  What others need of it they
-- get from functions that are SECURITY DEFINER, and from muhur.registry_number,
-- which holds no person.  An identity is looked up by a keyed hash, whose key
-- the database never sees.

CREATE SCHEMA muhur_identity;
REVOKE ALL ON SCHEMA muhur_identity FROM PUBLIC;

-- The numbers given [sicil numarası], one an identity across all members (S2 G).
CREATE TABLE muhur.registry_number (
	registry_no	text PRIMARY KEY,	-- 10 digits, by the schemas
	known_from	date NOT NULL		-- the first business day of an accepted request for it
);

-- Who is behind a number.  State is that at the authority the identity is of:
-- the civil register [MERNİS statüsü] of a T.C. identity number, the tax office
-- [Maliye statüsü] of all others; asked [Sorulacak], accepted [Kabul], refused
-- [Red]; entered [Giriş] is a request alone, until it is approved (S2 G).  A
-- refused one takes the next request's word.
CREATE TABLE muhur_identity.identity (
	no		bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	identity_hash	bytea NOT NULL UNIQUE,
	identity_type	text NOT NULL CHECK (identity_type IN ('TCKN', 'VKN', 'FOREIGN')),
	identity_no	text NOT NULL,
	country		text,			-- of FOREIGN
	name		text NOT NULL,
	birth_date	date,
	state		text NOT NULL CHECK (state IN ('asked', 'accepted', 'refused')),
	civil_state	text GENERATED ALWAYS AS (CASE WHEN identity_type = 'TCKN' THEN state END) STORED,
	tax_state	text GENERATED ALWAYS AS (CASE WHEN identity_type <> 'TCKN' THEN state END) STORED,
	registry_no	text UNIQUE REFERENCES muhur.registry_number,
	version		integer NOT NULL DEFAULT 1,	-- of name and birth date: an answer is about one
	asked_at	timestamptz,		-- last sent to the outside check
	answered_at	timestamptz,
	answer		text,			-- the outside check's last words
	CHECK ((state = 'accepted') = (registry_no IS NOT NULL))
);
CREATE INDEX ON muhur_identity.identity (asked_at) WHERE state = 'asked';

-- RegistrationRequests [sicil talebi] as they came.  Records pass before the
-- verdict on their document: what its schema will refuse is let in until then,
-- since the server's log would show a row that a constraint refuses.
CREATE TABLE muhur_identity.request (
	business_date	date NOT NULL,
	submission	bigint NOT NULL REFERENCES muhur.submission,
	member_code	text NOT NULL,
	record_no	bigint NOT NULL,
	line		bigint NOT NULL,
	identity_type	text,			-- TCKN, VKN, FOREIGN
	identity_no	text,
	country		text,			-- of FOREIGN
	name		text,
	birth_date	text,			-- YYYY-MM-DD
	registry_no	text,			-- the registry's own requests alone
	-- from muhur-load (src/load/registration.h):
	identity_hash	bytea NOT NULL,
	digits_ok	boolean NOT NULL,	-- the number's check digits are right
	state		text NOT NULL DEFAULT 'entered',	-- as of an identity, or entered: the submission waits
	identity	bigint,			-- muhur_identity.identity, once it is known
	fault		text,			-- why refused; NULL: it differs from what is known
	PRIMARY KEY (submission, record_no)
);
CREATE INDEX ON muhur_identity.request (identity) WHERE state = 'asked';
CREATE INDEX ON muhur_identity.request (submission) WHERE state = 'asked';

-- What was asked, answered: stands in the submission's result, as what was found at
-- its acceptance (muhur.record_finding) stands in the notice of that.
CREATE TABLE muhur.record_answer (
	submission	bigint NOT NULL REFERENCES muhur.submission,
	record_no	bigint NOT NULL,
	line		bigint NOT NULL,
	code		text NOT NULL,		-- REGISTERED, REFUSED
	detail		text,
	registry_no	text,
	PRIMARY KEY (submission, record_no)
);

-- Accepted submissions with a record that is asked: their result comes later.
CREATE TABLE muhur_identity.awaited (
	submission	bigint PRIMARY KEY REFERENCES muhur.submission
);

-- What the hash's key makes of a fixed text: another key would give everybody a
-- second number.
CREATE TABLE muhur_identity.key (
	one		boolean PRIMARY KEY DEFAULT true CHECK (one),
	check_value	bytea NOT NULL
);

-- Numbers and names --------------------------------------------------------------

-- Of a registry number's nine digits: ISO 7064 MOD 11,10.  Ours.
CREATE FUNCTION muhur_identity.check_digit(stem text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	p integer := 10;
BEGIN
	FOR i IN 1 .. length(stem) LOOP
		p := (p + ascii(substr(stem, i, 1)) - 48) % 10;
		p := 2 * CASE p WHEN 0 THEN 10 ELSE p END % 11;
	END LOOP;
	RETURN ((11 - p) % 10)::text;
END $$;

-- A name for comparing: no case, no blanks, no marks over or under letters, and
-- the Turkish dotless i [ı] as the other one.  The same in every locale.
CREATE FUNCTION muhur_identity.folded(name text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
	SELECT upper(replace(regexp_replace(normalize(name, NFKD), '[\u0300-\u036f\s]', '', 'g'),
		'ı', 'i') COLLATE "C")
$$;

-- Is what a request says of a person what is known?  Mostly it is to the letter.
CREATE FUNCTION muhur_identity.differs(a text, a_birth date, b text, b_birth date) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT a <> b AND muhur_identity.folded(a) <> muhur_identity.folded(b)
		OR coalesce(a_birth <> b_birth, false)
$$;

-- Giving numbers --------------------------------------------------------------

CREATE SEQUENCE muhur_identity.number MINVALUE 100000000 MAXVALUE 999999999;

-- So many new ones, each nine digits that count and a check digit; those that the
-- registry gave before are passed over.  Under the lock: nobody else gives any.
CREATE FUNCTION muhur_identity.new_numbers(many bigint) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	stem text;
BEGIN
	FOR i IN 1 .. many LOOP
		LOOP
			stem := nextval('muhur_identity.number')::text;
			stem := stem || muhur_identity.check_digit(stem);
			EXIT WHEN NOT EXISTS (SELECT FROM muhur.registry_number n WHERE n.registry_no = stem);
		END LOOP;
		RETURN NEXT stem;
	END LOOP;
END $$;

-- One at a time gives numbers: of two members that ask for the same person at the
-- same moment the later one finds what the earlier one was given, and no order of
-- locks on rows has to be kept.
CREATE FUNCTION muhur_identity.lock() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	SELECT pg_advisory_xact_lock(hashtextextended('muhur_identity', 0))
$$;

-- What is asked, answered: the requests for identities that are accepted now.  Days
-- that were reconciled without these numbers are run again (R5).
CREATE FUNCTION muhur_identity.settle(which bigint[], at timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	WITH answered AS (
		UPDATE muhur_identity.request r SET
			state = CASE WHEN x.same THEN 'accepted' ELSE 'refused' END
		FROM (SELECT q.submission, q.record_no, i.registry_no,
				NOT muhur_identity.differs(i.name, i.birth_date, q.name, q.birth_date::date) AS same
			FROM muhur_identity.request q JOIN muhur_identity.identity i ON i.no = q.identity
			WHERE i.no = ANY (which) AND i.state = 'accepted' AND q.state = 'asked') x
		WHERE r.submission = x.submission AND r.record_no = x.record_no
		RETURNING r.submission, r.record_no, r.line, r.business_date, r.state, r.fault, x.registry_no
	), earlier AS (
		UPDATE muhur.registry_number n SET known_from = a.day
		FROM (SELECT registry_no, min(business_date) AS day FROM answered
			WHERE state = 'accepted' GROUP BY registry_no) a
		WHERE n.registry_no = a.registry_no AND n.known_from > a.day
	), again AS (
		INSERT INTO muhur.reconcile_job (business_date, not_before, cause)
		SELECT DISTINCT a.business_date, at, 'correction' FROM answered a
		WHERE a.state = 'accepted'
		AND EXISTS (SELECT FROM muhur.reconcile_run u WHERE u.business_date = a.business_date)
		AND NOT EXISTS (SELECT FROM muhur.reconcile_job j
			WHERE j.business_date = a.business_date AND j.not_before >= at)
	)
	INSERT INTO muhur.record_answer (submission, record_no, line, code, detail, registry_no)
	SELECT submission, record_no, line, CASE state WHEN 'accepted' THEN 'REGISTERED' ELSE 'REFUSED' END,
		coalesce(fault, CASE state WHEN 'refused' THEN 'the name or the date of birth differs from the one known' END),
		CASE state WHEN 'accepted' THEN registry_no END
	FROM answered ORDER BY submission, record_no;
	PERFORM pg_notify('muhur_job', '');
END $$;

-- The result (level iii) of submissions of which nothing is asked any more: to who
-- answers for each and, where another member sent it, to that one too.
CREATE FUNCTION muhur_identity.publish(at timestamptz) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	done bigint[];
BEGIN
	WITH gone AS (
		DELETE FROM muhur_identity.awaited a WHERE NOT EXISTS (SELECT FROM muhur_identity.request r
			WHERE r.submission = a.submission AND r.state = 'asked')
		RETURNING submission
	) SELECT array_agg(submission ORDER BY submission) INTO done FROM gone;
	IF done IS NULL THEN
		RETURN 0;
	END IF;
	INSERT INTO muhur.notice (id, kind, level, recipient, submission, file_name, issued_at, day)
	SELECT gen_random_uuid(), 'Acknowledgement', 'result', x.recipient, s.no, s.id || '.result.xml', at,
		(at AT TIME ZONE 'Europe/Istanbul')::date
	FROM muhur.submission s CROSS JOIN LATERAL (SELECT s.member_code UNION SELECT left(s.uploader, -3)) AS x (recipient)
	WHERE s.no = ANY (done) ORDER BY s.no, x.recipient COLLATE "C"
	ON CONFLICT (recipient, file_name) DO NOTHING;
	INSERT INTO muhur.event (at, kind, actor, submission, detail)
	SELECT at, 'registered', 'gateway', r.submission, jsonb_build_object(
		'accepted', count(*) FILTER (WHERE r.state = 'accepted'),
		'refused', count(*) FILTER (WHERE r.state = 'refused'))
	FROM muhur_identity.request r WHERE r.submission = ANY (done)
	GROUP BY r.submission ORDER BY r.submission;
	PERFORM pg_notify('muhur_notice', '');
	RETURN cardinality(done);
END $$;

-- What a record is refused for by itself.
CREATE FUNCTION muhur_identity.judge(which bigint, registry boolean) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	UPDATE muhur_identity.request r SET state = 'refused', fault = x.fault
	FROM (SELECT q.record_no, CASE
			WHEN q.registry_no IS NOT NULL AND NOT registry THEN 'a number is given by the registry alone'
			WHEN q.identity_type = 'FOREIGN' AND q.country IS NULL
				THEN 'the country that gave the identity number is missing'
			-- else a person with a T.C. number could have a second one
			WHEN q.identity_type = 'FOREIGN' AND q.country = 'TR' AND q.registry_no IS NULL
				THEN 'an identity of TR is a T.C. identity number or a tax number'
			WHEN q.registry_no IS NOT NULL THEN NULL
			WHEN NOT q.digits_ok THEN 'the identity number''s check digits are wrong'
			WHEN q.identity_type = 'TCKN' AND q.birth_date IS NULL THEN 'the date of birth is missing'
			WHEN q.birth_date::date > q.business_date THEN 'the date of birth lies after the business day' END AS fault
		FROM muhur_identity.request q WHERE q.submission = which AND q.state = 'entered') x
	WHERE r.submission = which AND r.record_no = x.record_no AND x.fault IS NOT NULL
$$;

-- Numbers that the registry gave before come with its own requests, and are taken
-- as they are, unless they contradict one that is known.  They correct a name.
CREATE FUNCTION muhur_identity.import(which bigint, at timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	touched bigint[];
BEGIN
	-- what contradicts what is known; then, of the others, an earlier record
	UPDATE muhur_identity.request r SET state = 'refused', fault = CASE
		WHEN i.identity_hash = r.identity_hash THEN 'the identity has another number'
		ELSE 'the number is another identity''s' END
	FROM muhur_identity.identity i
	WHERE r.submission = which AND r.state = 'entered' AND r.registry_no IS NOT NULL
	AND (i.identity_hash = r.identity_hash AND i.registry_no <> r.registry_no
		OR i.registry_no = r.registry_no AND i.identity_hash <> r.identity_hash);
	UPDATE muhur_identity.request r SET state = 'refused', fault = CASE
		WHEN x.first_no <> r.registry_no THEN 'the identity has another number'
		ELSE 'the number is another identity''s' END
	FROM (SELECT record_no,
			first_value(registry_no) OVER (PARTITION BY identity_hash ORDER BY record_no) AS first_no,
			first_value(identity_hash) OVER (PARTITION BY registry_no ORDER BY record_no) AS first_hash
		FROM muhur_identity.request
		WHERE submission = which AND state = 'entered' AND registry_no IS NOT NULL) x
	WHERE r.submission = which AND r.record_no = x.record_no
	AND (x.first_no <> r.registry_no OR x.first_hash <> r.identity_hash);

	INSERT INTO muhur.registry_number (registry_no, known_from)
	SELECT DISTINCT registry_no, business_date FROM muhur_identity.request
	WHERE submission = which AND state = 'entered' AND registry_no IS NOT NULL
	ORDER BY registry_no
	ON CONFLICT (registry_no) DO UPDATE SET known_from = least(muhur.registry_number.known_from, excluded.known_from);

	WITH taken AS (
		INSERT INTO muhur_identity.identity AS i (identity_hash, identity_type, identity_no, country,
			name, birth_date, state, registry_no, answered_at)
		SELECT DISTINCT ON (identity_hash) identity_hash, identity_type, identity_no,
			CASE WHEN identity_type = 'FOREIGN' THEN country END, name, birth_date::date, 'accepted', registry_no, at
		FROM muhur_identity.request
		WHERE submission = which AND state = 'entered' AND registry_no IS NOT NULL
		ORDER BY identity_hash, record_no
		ON CONFLICT (identity_hash) DO UPDATE SET name = excluded.name, birth_date = excluded.birth_date,
			state = 'accepted', registry_no = excluded.registry_no, version = i.version + 1, answered_at = at
		RETURNING i.no
	) SELECT array_agg(no) INTO touched FROM taken;

	UPDATE muhur_identity.request r SET state = 'accepted', identity = i.no
	FROM muhur_identity.identity i
	WHERE r.submission = which AND r.state = 'entered' AND r.registry_no IS NOT NULL
	AND i.identity_hash = r.identity_hash;
	PERFORM muhur_identity.settle(touched, at);
END $$;

-- The others: an identity that is not known yet, or was refused, is asked, or
-- accepted at once where nobody is to be asked; so is then one that was asked
-- while there was somebody.
CREATE FUNCTION muhur_identity.enter(which bigint, at timestamptz, ask boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	touched bigint[];
BEGIN
	WITH fresh AS MATERIALIZED (
		SELECT DISTINCT ON (r.identity_hash) r.*, i.state AS known,
			CASE WHEN NOT ask THEN 'accepted' ELSE 'asked' END AS becomes
		FROM muhur_identity.request r LEFT JOIN muhur_identity.identity i ON i.identity_hash = r.identity_hash
		WHERE r.submission = which AND r.state = 'entered'
		AND (i.state IS NULL OR i.state = 'refused' OR i.state = 'asked' AND NOT ask)
		ORDER BY r.identity_hash, r.record_no
	), numbered AS MATERIALIZED (
		SELECT f.*, n.given FROM (SELECT *, row_number() OVER (ORDER BY record_no) AS nth FROM fresh) f
		LEFT JOIN muhur_identity.new_numbers(CASE WHEN NOT ask THEN (SELECT count(*) FROM fresh) ELSE 0 END)
			WITH ORDINALITY AS n (given, nth) ON n.nth = f.nth
	), given AS (
		INSERT INTO muhur.registry_number (registry_no, known_from)
		SELECT given, business_date FROM numbered WHERE given IS NOT NULL ORDER BY nth
	), entered AS (
		INSERT INTO muhur_identity.identity AS i (identity_hash, identity_type, identity_no, country, name, birth_date,
			state, registry_no, answered_at)
		SELECT identity_hash, identity_type, identity_no, CASE WHEN identity_type = 'FOREIGN' THEN country END,
			name, birth_date::date, becomes, given, CASE WHEN NOT ask THEN at END
		FROM numbered ORDER BY nth
		ON CONFLICT (identity_hash) DO UPDATE SET state = excluded.state, registry_no = excluded.registry_no,
			name = CASE i.state WHEN 'refused' THEN excluded.name ELSE i.name END,
			birth_date = CASE i.state WHEN 'refused' THEN excluded.birth_date ELSE i.birth_date END,
			version = i.version + 1, asked_at = NULL, answered_at = excluded.answered_at, answer = NULL
		RETURNING i.no, i.version
	) SELECT array_agg(no) INTO touched FROM entered WHERE version > 1;

	UPDATE muhur_identity.request r SET identity = i.no,
		state = CASE WHEN i.state = 'asked' THEN 'asked'
			WHEN muhur_identity.differs(i.name, i.birth_date, r.name, r.birth_date::date) THEN 'refused'
			ELSE 'accepted' END
	FROM muhur_identity.identity i
	WHERE r.submission = which AND r.state = 'entered' AND i.identity_hash = r.identity_hash;

	UPDATE muhur.registry_number n SET known_from = r.business_date
	FROM muhur_identity.request r JOIN muhur_identity.identity i ON i.no = r.identity
	WHERE r.submission = which AND r.state = 'accepted' AND n.registry_no = i.registry_no
	AND n.known_from > r.business_date;
	PERFORM muhur_identity.settle(touched, at);
END $$;

-- The answer to each record of a RegistrationRequest that has been accepted, in
-- the transaction of that: a number, asked, or refused.  ask: an outside check
-- [MERNİS, Maliye] has the last word.  check_value: what the hash's key makes of
-- the text in src/load/registration.c.
CREATE FUNCTION muhur_identity.register(which bigint, at timestamptz, ask boolean, check_value bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
	registry boolean;
BEGIN
	SELECT m.kind = 'registry' INTO registry FROM muhur.submission s JOIN muhur.member m ON m.code = s.member_code
	WHERE s.no = which AND s.state = 'accepted' AND s.message_type = 'RegistrationRequest';
	IF NOT FOUND THEN
		RAISE EXCEPTION 'submission %: is no accepted RegistrationRequest', which USING ERRCODE = 'invalid_parameter_value';
	END IF;
	PERFORM muhur_identity.lock();
	INSERT INTO muhur_identity.key (check_value) VALUES (register.check_value) ON CONFLICT DO NOTHING;
	IF NOT EXISTS (SELECT FROM muhur_identity.key k WHERE k.check_value = register.check_value) THEN
		RAISE EXCEPTION 'identity.key is not the key that the identities were entered with'
			USING ERRCODE = 'config_file_error';
	END IF;
	-- ten records or a million: plans should know
	IF EXISTS (SELECT FROM muhur_identity.request r WHERE r.submission = which OFFSET 10000) THEN
		ANALYZE muhur_identity.request;
	END IF;
	PERFORM muhur_identity.judge(which, registry);
	IF registry THEN
		PERFORM muhur_identity.import(which, at);
	END IF;
	PERFORM muhur_identity.enter(which, at, ask);
	INSERT INTO muhur_identity.awaited SELECT which WHERE EXISTS (SELECT FROM muhur_identity.request r
		WHERE r.submission = which AND r.state = 'asked');
	INSERT INTO muhur.record_finding (submission, record_no, line, code, detail, registry_no)
	SELECT r.submission, r.record_no, r.line,
		CASE r.state WHEN 'accepted' THEN 'REGISTERED' WHEN 'asked' THEN 'ASKED' ELSE 'REFUSED' END,
		coalesce(r.fault, CASE r.state WHEN 'refused' THEN 'the name or the date of birth differs from the one known' END),
		CASE r.state WHEN 'accepted' THEN i.registry_no END
	FROM muhur_identity.request r LEFT JOIN muhur_identity.identity i ON i.no = r.identity
	WHERE r.submission = which ORDER BY r.record_no;
	INSERT INTO muhur.record_finding_count (submission, code, n)
	SELECT which, f.code, count(*) FROM muhur.record_finding f WHERE f.submission = which GROUP BY f.code ORDER BY f.code;
	PERFORM muhur_identity.publish(at);
END $$;

-- The outside check -----------------------------------------------------------

-- What is to be asked, those first that have waited longest; not again those that
-- were asked since.
CREATE FUNCTION muhur_identity.ask(since timestamptz, at timestamptz, most integer)
RETURNS TABLE (no bigint, version integer, identity_type text, identity_no text, country text, name text, birth_date date)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT muhur_identity.lock();
	WITH due AS (
		SELECT i.no FROM muhur_identity.identity i
		WHERE i.state = 'asked' AND (i.asked_at IS NULL OR i.asked_at < since)
		ORDER BY i.asked_at NULLS FIRST, i.no LIMIT most
	), sent AS (
		UPDATE muhur_identity.identity i SET asked_at = at FROM due WHERE i.no = due.no RETURNING i.*
	)
	SELECT s.no, s.version, s.identity_type, s.identity_no, s.country, s.name, s.birth_date
	FROM sent s ORDER BY s.no
$$;

-- What the check says: accepted, refused, or unknown, which is asked again.  False
-- where it is not asked, or not with that name, any more.
CREATE FUNCTION muhur_identity.answer(which bigint, asked integer, verdict text, words text, at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	i muhur_identity.identity;
	number text;
	other muhur_identity.request;
BEGIN
	IF verdict NOT IN ('accepted', 'refused', 'unknown') THEN
		RAISE EXCEPTION 'identity %: "%" is no answer', which, verdict USING ERRCODE = 'invalid_parameter_value';
	END IF;
	PERFORM muhur_identity.lock();
	UPDATE muhur_identity.identity x SET answer = words, answered_at = at
	WHERE x.no = which AND x.state = 'asked' AND x.version = asked RETURNING x.* INTO i;
	IF NOT FOUND THEN
		RETURN false;
	ELSIF verdict = 'accepted' THEN
		number := muhur_identity.new_numbers(1);
		INSERT INTO muhur.registry_number (registry_no, known_from)
		SELECT number, min(r.business_date) FROM muhur_identity.request r WHERE r.identity = which
		AND r.state = 'asked' AND NOT muhur_identity.differs(i.name, i.birth_date, r.name, r.birth_date::date);
		UPDATE muhur_identity.identity x SET state = 'accepted', registry_no = number WHERE x.no = which;
		PERFORM muhur_identity.settle(ARRAY[which], at);
	ELSIF verdict = 'refused' THEN
		WITH refused AS (
			UPDATE muhur_identity.request r SET state = 'refused', fault = 'the outside check refused it'
			WHERE r.identity = which AND r.state = 'asked'
			AND NOT muhur_identity.differs(i.name, i.birth_date, r.name, r.birth_date::date)
			RETURNING r.*)
		INSERT INTO muhur.record_answer (submission, record_no, line, code, detail)
		SELECT submission, record_no, line, 'REFUSED', fault FROM refused ORDER BY submission, record_no;
		-- another request for it has another name: that one is asked now
		SELECT * INTO other FROM muhur_identity.request r WHERE r.identity = which AND r.state = 'asked'
		ORDER BY r.submission, r.record_no LIMIT 1;
		IF FOUND THEN
			UPDATE muhur_identity.identity x SET name = other.name, birth_date = other.birth_date::date,
				version = x.version + 1, asked_at = NULL, answered_at = NULL, answer = NULL WHERE x.no = which;
		ELSE
			UPDATE muhur_identity.identity x SET state = 'refused' WHERE x.no = which;
		END IF;
	END IF;
	RETURN true;
END $$;

-- After answers, in their transaction: how many submissions have their result now.
CREATE FUNCTION muhur_identity.answered(at timestamptz) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT muhur_identity.lock();
	SELECT muhur_identity.publish(at)
$$;

-- Who is behind a number, for an operator: the trail tells that it was looked at.
CREATE FUNCTION muhur_identity.show(which text, at timestamptz)
RETURNS TABLE (registry_no text, known_from date, identity_type text, identity_no text, country text, name text,
	birth_date date, civil_state text, tax_state text, members text[])
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	INSERT INTO muhur.event (at, kind, actor, detail)
	SELECT at, 'identity-shown', 'operator', jsonb_build_object('registryNo', i.registry_no)
	FROM muhur_identity.identity i WHERE i.registry_no = which;
	SELECT i.registry_no, n.known_from, i.identity_type, i.identity_no, i.country, i.name, i.birth_date,
		i.civil_state, i.tax_state, ARRAY(SELECT DISTINCT r.member_code COLLATE "C" FROM muhur_identity.request r
			WHERE r.identity = i.no AND r.state = 'accepted' ORDER BY 1)
	FROM muhur_identity.identity i JOIN muhur.registry_number n USING (registry_no) WHERE i.registry_no = which
$$;

-- Who may what ------------------------------------------------------------------

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA muhur_identity FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA muhur_identity FROM PUBLIC;
GRANT USAGE ON SCHEMA muhur_identity TO muhur_load, muhur_identity;
GRANT INSERT (business_date, submission, member_code, record_no, line, identity_type, identity_no, country,
	name, birth_date, registry_no, identity_hash, digits_ok) ON muhur_identity.request TO muhur_load;
GRANT EXECUTE ON FUNCTION muhur_identity.register(bigint, timestamptz, boolean, bytea) TO muhur_load;
GRANT SELECT ON muhur_identity.identity, muhur_identity.request, muhur_identity.awaited TO muhur_identity;
GRANT EXECUTE ON FUNCTION muhur_identity.ask(timestamptz, timestamptz, integer),
	muhur_identity.answer(bigint, integer, text, text, timestamptz), muhur_identity.answered(timestamptz),
	muhur_identity.show(text, timestamptz) TO muhur_identity;
GRANT SELECT ON muhur.record_answer TO muhur_load, muhur_directory, muhur_admin;
GRANT SELECT ON muhur.registry_number TO muhur_load, muhur_reconcile, muhur_admin;
