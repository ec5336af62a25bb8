-- 020-copies: one document for several recipients.

-- A report that says the same to each of them is built and signed once, addressed
-- to the first; the others' rows are links to it.
ALTER TABLE muhur.notice ADD COLUMN copy_of bigint REFERENCES muhur.notice CHECK (copy_of < no);
CREATE INDEX ON muhur.notice (copy_of) WHERE copy_of IS NOT NULL;
GRANT INSERT (copy_of) ON muhur.notice TO muhur_load, muhur_directory, muhur_reconcile;
