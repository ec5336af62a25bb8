-- 017-archive: how documents are kept, by what they were judged, what has rotted
-- and what was purged.

ALTER TABLE muhur.submission
	-- SHA-256 of the listing of anchors, CRLs and schemas that judged it; in the store
	ADD COLUMN material	text CHECK (material ~ '^[0-9a-f]{64}$'),
	-- since when its document has the form in which it is kept: compressed, or as
	-- it came where the same bytes are a notice's
	ADD COLUMN shelved_at	timestamptz,
	-- its document was removed, by an operator's command; the row stays
	ADD COLUMN purged_at	timestamptz;
ALTER TABLE muhur.notice
	ADD COLUMN purged_at	timestamptz;

-- What is to be compressed, and nothing else.
CREATE INDEX submission_unshelved ON muhur.submission (received_at)
	WHERE shelved_at IS NULL AND purged_at IS NULL AND sha256 IS NOT NULL
	AND state IN ('accepted', 'rejected', 'repeated', 'replaced', 'cancelled');
CREATE INDEX submission_document ON muhur.submission (sha256);
CREATE INDEX notice_document ON muhur.notice (sha256) WHERE sha256 IS NOT NULL;

-- Documents whose bytes in the store are not what their names say.
CREATE TABLE muhur.rot (
	sha256		text PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),
	found_at	timestamptz NOT NULL,
	healed_at	timestamptz		-- `muhur archive verify' found it good again
);
CREATE INDEX ON muhur.rot (found_at) WHERE healed_at IS NULL;
-- The last pass over the store, for `muhur status'.
CREATE INDEX ON muhur.event (no) WHERE kind = 'archive-verified';

GRANT UPDATE (material) ON muhur.submission TO muhur_load;
GRANT UPDATE (shelved_at) ON muhur.submission TO muhur_directory;
GRANT SELECT, INSERT, UPDATE ON muhur.rot TO muhur_directory;
GRANT SELECT ON muhur.rot TO muhur_admin;
GRANT UPDATE (healed_at) ON muhur.rot TO muhur_admin;
GRANT UPDATE (purged_at) ON muhur.submission, muhur.notice TO muhur_admin;
