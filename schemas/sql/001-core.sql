-- 001-core: members, users, contracts, submissions, notices, events.
-- Run by `muhur db migrate' as the owner, in one transaction a file.
-- Moments come from the gateway's clock as parameters, never from now(),
-- so that a rehearsal on another day leaves the same rows.

-- Members [üye] ---------------------------------------------------------
CREATE TABLE muhur.member (
	code		text PRIMARY KEY CHECK (code ~ '^[A-Z][A-Z0-9]{2,11}$'),
	kind		text NOT NULL CHECK (kind IN ('platform', 'custodian', 'regulator', 'compliance', 'registry')),
	name		text NOT NULL CHECK (name <> ''),
	lei		text CHECK (lei ~ '^[A-Z0-9]{18}[0-9]{2}$'),
	state		text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended', 'closed')),
	created_at	timestamptz NOT NULL
);
COMMENT ON TABLE muhur.member IS 'Institutions with a member code (S2 E); suspended: may fetch, may not write (S2 N3)';

CREATE TABLE muhur.member_user (
	code		text PRIMARY KEY CHECK (code ~ '^[A-Z][A-Z0-9]{2,11}[0-9]{3}$'),
	member_code	text NOT NULL REFERENCES muhur.member,
	state		text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended')),
	created_at	timestamptz NOT NULL,
	CHECK (left(code, -3) = member_code)
);
COMMENT ON TABLE muhur.member_user IS 'User code = member code + 3 digits: 001-899 users, 900-990 main authorities (S2 E)';

CREATE TABLE muhur.certificate (
	sha256		text PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),	-- of the DER
	user_code	text NOT NULL REFERENCES muhur.member_user,
	der		bytea NOT NULL,
	subject		text NOT NULL,
	issuer		text NOT NULL,
	serial		text NOT NULL,
	not_before	timestamptz NOT NULL,
	not_after	timestamptz NOT NULL,
	state		text NOT NULL DEFAULT 'good' CHECK (state IN ('good', 'revoked', 'withdrawn')),
	enrolled_at	timestamptz NOT NULL
);
CREATE INDEX ON muhur.certificate (user_code);

-- Keys that may log in: the certificate's own, or one enrolled beside it.
CREATE TABLE muhur.login_key (
	user_code	text NOT NULL REFERENCES muhur.member_user,
	blob		bytea NOT NULL,		-- RFC 4253 public key blob
	certificate	text REFERENCES muhur.certificate,	-- NULL: enrolled beside it
	enrolled_at	timestamptz NOT NULL,
	PRIMARY KEY (user_code, blob)
);

CREATE TABLE muhur.user_right (
	user_code	text NOT NULL REFERENCES muhur.member_user,
	message_type	text NOT NULL,
	step		text NOT NULL CHECK (step IN ('entry', 'approval')),
	granted_at	timestamptz NOT NULL,
	PRIMARY KEY (user_code, message_type, step)
);
COMMENT ON TABLE muhur.user_right IS 'Rights per message type and step [giriş/onay]; an unassigned type is refused (S2 E). A notice reader without any right to send holds message_type ''-''.';

CREATE TABLE muhur.contract (
	platform	text NOT NULL REFERENCES muhur.member,
	custodian	text NOT NULL REFERENCES muhur.member,
	valid_from	date NOT NULL,
	valid_to	date,			-- last day, NULL open
	full_custody	boolean NOT NULL DEFAULT false,	-- m.26(7)
	PRIMARY KEY (platform, custodian, valid_from),
	CHECK (valid_to IS NULL OR valid_to >= valid_from)
);

-- Submissions ------------------------------------------------------------
CREATE TABLE muhur.submission (
	no		bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	id		uuid NOT NULL UNIQUE,
	uploader	text NOT NULL,
	file_name	text NOT NULL,
	size		bigint NOT NULL,
	received_at	timestamptz NOT NULL,
	state		text NOT NULL DEFAULT 'received'
			CHECK (state IN ('received', 'held', 'waiting', 'accepted', 'rejected', 'repeated', 'replaced', 'cancelled')),
	decided_at	timestamptz,
	operator_decision text CHECK (operator_decision IN ('retry', 'reject')),	-- of a held one, until carried out
	sha256		text CHECK (sha256 ~ '^[0-9a-f]{64}$'),
	-- its bytes count for repeats: signature valid and the signer may act for member_code
	counted		boolean NOT NULL DEFAULT false,
	-- its MessageId is taken; not that of one refused as a DUPLICATE
	reserves_id	boolean NOT NULL DEFAULT false,
	member_code	text CHECK (member_code = left(uploader, -3)),	-- who answers for it; the sender, once verified
	-- from the verified header and signature
	message_type	text,
	message_id	text,
	user_code	text,
	business_date	date,
	sequence	bigint,
	record_count	bigint,
	created_at	timestamptz,
	late		boolean NOT NULL DEFAULT false,
	signer_subject	text, signer_issuer text, signer_serial text,
	signer_cert	text,
	signing_time	timestamptz,
	replaces	bigint REFERENCES muhur.submission,
	repeat_of	bigint REFERENCES muhur.submission
);
-- Duplicates (contract): MessageId and bytes count per sender, once counted.
CREATE UNIQUE INDEX submission_message_id ON muhur.submission (member_code, message_id) WHERE reserves_id;
CREATE UNIQUE INDEX submission_sha256 ON muhur.submission (member_code, sha256) WHERE counted;
CREATE INDEX ON muhur.submission (business_date, message_type, member_code) WHERE state = 'accepted';
CREATE INDEX ON muhur.submission (repeat_of) WHERE repeat_of IS NOT NULL;
CREATE INDEX ON muhur.submission (state) WHERE state IN ('received', 'held', 'waiting');

-- What may happen to a submission: the table of src/model/job.c once more, so
-- that no role can take a way that the programs do not know.
CREATE TABLE muhur.submission_transition (
	state		text NOT NULL,
	event		text NOT NULL,
	next		text NOT NULL,
	PRIMARY KEY (state, event)
);
INSERT INTO muhur.submission_transition (state, event, next) VALUES
	('received', 'accept', 'accepted'),
	('received', 'reject', 'rejected'),
	('received', 'repeat', 'repeated'),
	('received', 'hold', 'held'),
	('received', 'wait', 'waiting'),
	('held', 'retry', 'received'),
	('held', 'reject', 'rejected'),
	('waiting', 'approve', 'accepted'),
	('waiting', 'cancel', 'cancelled'),
	('accepted', 'replace', 'replaced');

CREATE FUNCTION muhur.check_transition() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM muhur.submission_transition
	    WHERE state = OLD.state AND next = NEW.state) THEN
		RAISE EXCEPTION 'submission %: from % to %: no such transition',
		    OLD.id, OLD.state, NEW.state USING ERRCODE = 'check_violation';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER check_transition BEFORE UPDATE OF state ON muhur.submission
	FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
	EXECUTE FUNCTION muhur.check_transition();

CREATE TABLE muhur.submission_reason (
	submission	bigint NOT NULL REFERENCES muhur.submission,
	ordinal		integer NOT NULL,
	code		text NOT NULL,
	line		bigint NOT NULL,
	path		text NOT NULL,
	detail		text NOT NULL,
	PRIMARY KEY (submission, ordinal)
);

-- Notices: typed fields only; the XML is built from them by the signer --------
CREATE TABLE muhur.notice (
	no		bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	id		uuid NOT NULL UNIQUE,
	kind		text NOT NULL CHECK (kind IN ('Acknowledgement', 'ReconciliationResult', 'DiscrepancyReport')),
	level		text CHECK (level IN ('received', 'accepted', 'rejected', 'waiting', 'result')),
	recipient	text NOT NULL REFERENCES muhur.member,
	submission	bigint REFERENCES muhur.submission,
	run		bigint,			-- reconcile_run, of the bulk kinds and of level result
	file_name	text NOT NULL,
	issued_at	timestamptz NOT NULL,
	sha256		text,			-- first signature wins
	size		bigint,
	signed_at	timestamptz,
	published_at	timestamptz,		-- visible in /outbox since; NULL: to be published
	outbox_until	timestamptz,
	archived_at	timestamptz,		-- NULL while in /outbox
	day		date NOT NULL,		-- folder under /archive: Istanbul's date of issue
	UNIQUE (recipient, file_name)
);
CREATE INDEX ON muhur.notice (no) WHERE sha256 IS NULL;
CREATE INDEX ON muhur.notice (no) WHERE sha256 IS NOT NULL AND published_at IS NULL;
CREATE INDEX ON muhur.notice (outbox_until) WHERE archived_at IS NULL AND published_at IS NOT NULL;
CREATE INDEX ON muhur.notice (submission);

-- The trail's events: written in their transactions; numbered into the log later.
CREATE TABLE muhur.event (
	no		bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at		timestamptz NOT NULL,
	kind		text NOT NULL,
	actor		text NOT NULL,		-- user code, or "operator", "gateway"
	submission	bigint,
	notice		bigint,
	detail		jsonb NOT NULL DEFAULT '{}'
);
