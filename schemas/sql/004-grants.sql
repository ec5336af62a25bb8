-- 004-grants: what each role may do, and no more.  Nobody but the owner may
-- alter or truncate; no role may change or remove a record or an event.
-- The roles themselves are made by `muhur db init' before this.

REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA muhur FROM PUBLIC;
GRANT USAGE ON SCHEMA muhur TO muhur_load, muhur_directory, muhur_reconcile, muhur_admin;

-- muhur-load: judges submissions, adds their records ----------------------
GRANT SELECT ON muhur.member, muhur.member_user, muhur.certificate, muhur.user_right,
	muhur.contract, muhur.submission, muhur.submission_reason, muhur.notice,
	muhur.reconcile_run, muhur.reconcile_input, muhur.pair, muhur.break, muhur.finding
	TO muhur_load;
GRANT INSERT ON muhur.price, muhur.balance, muhur.custody_omnibus, muhur.custody_direct,
	muhur.submission_reason, muhur.event, muhur.reconcile_job TO muhur_load;
-- "to sign" only: a row with a digest would show its recipient any stored file.
GRANT INSERT (id, kind, level, recipient, submission, run, file_name, issued_at, day)
	ON muhur.notice TO muhur_load, muhur_directory, muhur_reconcile;
GRANT UPDATE (state, decided_at, sha256, counted, reserves_id, member_code, message_type,
	message_id, user_code, business_date, sequence, record_count, created_at, late,
	signer_subject, signer_issuer, signer_serial, signer_cert, signing_time, replaces,
	repeat_of) ON muhur.submission TO muhur_load;
GRANT UPDATE (published_at, outbox_until, archived_at) ON muhur.notice TO muhur_load;
GRANT EXECUTE ON FUNCTION muhur.ensure_day(date), muhur.notice_lines(uuid) TO muhur_load;

-- muhur-load -D, the directory: logins, receipts, notices -------------------
GRANT SELECT ON muhur.member, muhur.member_user, muhur.certificate, muhur.login_key,
	muhur.user_right, muhur.submission, muhur.submission_reason, muhur.notice,
	muhur.reconcile_run, muhur.reconcile_input, muhur.pair, muhur.break, muhur.finding
	TO muhur_directory;
GRANT INSERT (id, uploader, member_code, file_name, size, received_at)
	ON muhur.submission TO muhur_directory;
GRANT UPDATE (state, decided_at, operator_decision) ON muhur.submission TO muhur_directory;
GRANT INSERT ON muhur.submission_reason, muhur.event TO muhur_directory;
GRANT UPDATE (sha256, size, signed_at, published_at, outbox_until, archived_at)
	ON muhur.notice TO muhur_directory;
GRANT EXECUTE ON FUNCTION muhur.notice_lines(uuid) TO muhur_directory;

-- muhur-reconcile: reads records, writes results -----------------------------
GRANT SELECT ON muhur.member, muhur.contract, muhur.submission, muhur.notice,
	muhur.price, muhur.balance, muhur.custody_omnibus, muhur.custody_direct,
	muhur.reconcile_job, muhur.reconcile_run, muhur.reconcile_input, muhur.pair,
	muhur.break, muhur.finding TO muhur_reconcile;
GRANT INSERT ON muhur.reconcile_job, muhur.reconcile_run, muhur.reconcile_input,
	muhur.pair, muhur.break, muhur.finding, muhur.event TO muhur_reconcile;
GRANT UPDATE, DELETE ON muhur.reconcile_job TO muhur_reconcile;
GRANT UPDATE (pairs, breaks) ON muhur.reconcile_run TO muhur_reconcile;
GRANT UPDATE (last_seen, state) ON muhur.break TO muhur_reconcile;

-- the command -----------------------------------------------------------------
GRANT SELECT ON ALL TABLES IN SCHEMA muhur TO muhur_admin;
GRANT INSERT ON muhur.member, muhur.member_user, muhur.certificate, muhur.login_key,
	muhur.user_right, muhur.contract, muhur.event, muhur.reconcile_job TO muhur_admin;
GRANT UPDATE (name, lei, state) ON muhur.member TO muhur_admin;
GRANT UPDATE (state) ON muhur.member_user TO muhur_admin;
GRANT UPDATE (state) ON muhur.certificate TO muhur_admin;
GRANT UPDATE (certificate), DELETE ON muhur.login_key TO muhur_admin;
GRANT DELETE ON muhur.user_right TO muhur_admin;
GRANT UPDATE (valid_to, full_custody) ON muhur.contract TO muhur_admin;
-- sha256: of one that is held because nothing could read it; its notice needs it.
GRANT UPDATE (operator_decision, sha256) ON muhur.submission TO muhur_admin;
GRANT UPDATE (published_at, outbox_until, archived_at) ON muhur.notice TO muhur_admin;
GRANT EXECUTE ON FUNCTION muhur.notice_lines(uuid) TO muhur_admin;
