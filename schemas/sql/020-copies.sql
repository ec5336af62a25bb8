-- 020-copies: one document for several recipients; parameters' notes.

-- A report that says the same to each of them is built and signed once, addressed
-- to the first; the others' rows are links to it.
ALTER TABLE muhur.notice ADD COLUMN copy_of bigint REFERENCES muhur.notice CHECK (copy_of < no);
CREATE INDEX ON muhur.notice (copy_of) WHERE copy_of IS NOT NULL;
-- What is to be signed, in the order in which it is given out: what has so many lines
-- that it takes seconds comes last.  src/load/notices.c orders by the same expression.
CREATE INDEX notice_to_sign ON muhur.notice ((coalesce(line_count, 0) > 100000), no) WHERE sha256 IS NULL;
-- The same rows without that order: it would be taken where these were few a while ago.
DROP INDEX muhur.notice_no_idx;
GRANT INSERT (copy_of) ON muhur.notice TO muhur_load, muhur_directory, muhur_reconcile;

-- Notes of parameters that said `the same' of another, which stands elsewhere in a list by name.
UPDATE muhur.parameter p SET note = n.note
FROM (VALUES
	('R4.netting', 'ours: as R4.movement, of NettingReport (m.33(1))'),
	('R4.holding', 'ours: as R4.movement, of HoldingReport (m.41)'),
	('R4.reference', 'ours: as R4.movement, of the registry''s ReferenceData')) n (name, note)
WHERE p.name = n.name AND p.set_at IS NULL;
