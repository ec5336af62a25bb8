-- 007-certificates: why a certificate is not good, until when it is, and the
-- CRLs that tell so.

-- Who revoked it: its issuer's CRL, for good or on hold (RFC 5280 5.3.1), or
-- an operator here.  What an operator revoked, and what a CRL revoked for good,
-- stays revoked; what was on hold may be released.
ALTER TABLE muhur.certificate
	ADD COLUMN revocation text CHECK (revocation IN ('crl', 'hold', 'local')),
	ADD COLUMN state_since timestamptz,	-- NULL: since it was enrolled
	-- replaced or to be withdrawn: good before that moment, withdrawn from it on
	ADD COLUMN good_until timestamptz;
ALTER TABLE muhur.certificate
	ADD CHECK (revocation IS NULL OR state = 'revoked');
GRANT UPDATE (state, revocation, state_since, good_until) ON muhur.certificate TO muhur_admin;

-- The state at a moment: a document's is that of its receipt.  A revoked one is
-- revoked whenever it is asked.
CREATE FUNCTION muhur.certificate_state(state text, good_until timestamptz, at timestamptz)
RETURNS text LANGUAGE sql IMMUTABLE
RETURN CASE WHEN state = 'good' AND good_until <= at THEN 'withdrawn' ELSE state END;
REVOKE ALL ON FUNCTION muhur.certificate_state(text, timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION muhur.certificate_state(text, timestamptz, timestamptz)
	TO muhur_load, muhur_directory, muhur_admin;

-- Content-addressed: every CRL that ever was in force.
CREATE TABLE muhur.crl (
	sha256		text PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),	-- of the DER
	issuer		text NOT NULL,
	number		text,			-- CRLNumber (RFC 5280 5.2.3); NULL none
	delta		boolean NOT NULL,
	this_update	timestamptz NOT NULL,
	next_update	timestamptz NOT NULL,
	der		bytea NOT NULL,
	kept_at		timestamptz NOT NULL
);
GRANT SELECT, INSERT ON muhur.crl TO muhur_admin;

-- By which of them a submission's signer was judged.  No reference: an
-- operator's crl_file may be judged by before `muhur crl refresh' has kept it.
CREATE TABLE muhur.submission_crl (
	submission	bigint NOT NULL REFERENCES muhur.submission,
	sha256		text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
	PRIMARY KEY (submission, sha256)
);
CREATE INDEX ON muhur.submission_crl (sha256);
GRANT SELECT, INSERT ON muhur.submission_crl TO muhur_load;
GRANT SELECT ON muhur.submission_crl TO muhur_admin;

-- Which warnings were given that a certificate ends (src/load/expiry.c).
CREATE TABLE muhur.certificate_warning (
	certificate	text NOT NULL REFERENCES muhur.certificate,
	days		integer NOT NULL CHECK (days > 0),	-- before its end, at the most
	notice		bigint NOT NULL UNIQUE REFERENCES muhur.notice,
	PRIMARY KEY (certificate, days)
);
GRANT SELECT ON muhur.certificate_warning TO muhur_load, muhur_directory, muhur_admin;
GRANT INSERT ON muhur.certificate_warning TO muhur_directory;

ALTER TABLE muhur.notice DROP CONSTRAINT notice_kind_check;
ALTER TABLE muhur.notice ADD CONSTRAINT notice_kind_check CHECK (kind IN ('Acknowledgement',
	'ReconciliationResult', 'DiscrepancyReport', 'AuthorizationReport', 'CertificateExpiryNotice'));

-- The bulk lines of a notice, in the order of src/model/notice.h: what there
-- was, under another name, and those of the new kind.
ALTER FUNCTION muhur.notice_lines(uuid) RENAME TO notice_lines_of_run;
CREATE FUNCTION muhur.notice_lines(notice_id uuid)
RETURNS TABLE (f1 text, f2 text, f3 text, f4 text, f5 text, f6 text, f7 text,
	f8 text, f9 text, f10 text, f11 text, f12 text, f13 text, f14 text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT 'certificate', c.user_code, c.sha256, c.subject, c.issuer, c.serial,
	to_char(c.not_after AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), w.days::text,
	NULL, NULL, NULL, NULL, NULL, NULL
FROM muhur.notice n
JOIN muhur.certificate_warning w ON w.notice = n.no
JOIN muhur.certificate c ON c.sha256 = w.certificate
WHERE n.id = notice_id AND n.kind = 'CertificateExpiryNotice'
UNION ALL
SELECT * FROM muhur.notice_lines_of_run(notice_id)
$$;
REVOKE ALL ON FUNCTION muhur.notice_lines(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION muhur.notice_lines(uuid) TO muhur_load, muhur_directory, muhur_admin;
