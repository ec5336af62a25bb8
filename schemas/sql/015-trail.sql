-- 015-trail: every event becomes a leaf of the signed log (src/sequencer).
--
-- Events are written in their transactions, without order.  What waits to be
-- numbered stands in trail_queue; one sequencer, which holds an advisory lock,
-- moves it to trail_leaf.  A leaf's text comes from its event, which nobody may
-- change, and the ids of its submission and notice, which nobody may change
-- either: so the tree of any size can be made again from here.

-- Detail may hold what can be guessed, a file's name say, so a leaf has a salted
-- hash of it.  A new salt for each event; 122 random bits of the server's strong source.
ALTER TABLE muhur.event ADD COLUMN salt bytea NOT NULL DEFAULT uuid_send(gen_random_uuid());
-- Kinds, actors and the form of detail are the program's own: a wrong one is a mistake
-- that its tests meet.  What is in detail is not looked at here: it may come from a
-- member, and no event may fail for it (it becomes a leaf that says so).
ALTER TABLE muhur.event
	ADD CHECK (octet_length(salt) = 16),
	ADD CHECK (kind ~ '^[a-z][a-z-]{0,39}$'),
	ADD CHECK (actor ~ '^[A-Za-z][A-Za-z0-9]{0,14}$'),
	ADD CHECK (jsonb_typeof(detail) = 'object');

-- Events without a number yet.
CREATE TABLE muhur.trail_queue (
	event		bigint PRIMARY KEY
);
-- The log: leaves without a gap from 0 on.  No reference to the event: it costs a
-- look-up a leaf, and no event is ever removed.
CREATE TABLE muhur.trail_leaf (
	leaf_index	bigint PRIMARY KEY CHECK (leaf_index >= 0),
	event		bigint NOT NULL UNIQUE
);
-- Every checkpoint that is signed, written before it is shown: where the
-- published one has no row here, this is not the database that it was made of.
CREATE TABLE muhur.trail_checkpoint (
	size		bigint PRIMARY KEY CHECK (size > 0),
	root		bytea NOT NULL CHECK (octet_length(root) = 32),
	signed_at	timestamptz NOT NULL
);
-- Published checkpoints of which a gateway found, in its own folder, that they are not
-- recorded above.  While one of a log's name is not, nobody signs under that name.
CREATE TABLE muhur.trail_contradiction (
	origin		text NOT NULL,
	size		bigint NOT NULL CHECK (size > 0),
	root		bytea NOT NULL CHECK (octet_length(root) = 32),
	PRIMARY KEY (origin, size, root)
);
-- How the sequencer stands, for `muhur status': one row.
CREATE TABLE muhur.trail_state (
	one		boolean PRIMARY KEY DEFAULT true CHECK (one),
	seen_at		timestamptz,		-- the sequencer looked then
	refused_since	timestamptz,		-- NULL: it works
	why		text,
	stamped_size	bigint,			-- of the newest checkpoint that has its time-stamp
	stamped_at	timestamptz,		-- signed then
	unstamped_since	timestamptz		-- the oldest one without, signed then
);
INSERT INTO muhur.trail_state DEFAULT VALUES;

CREATE FUNCTION muhur.queue_for_trail() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO muhur.trail_queue (event) SELECT f.no FROM fresh f;
	RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION muhur.queue_for_trail() FROM PUBLIC;
CREATE TRIGGER queue_for_trail AFTER INSERT ON muhur.event REFERENCING NEW TABLE AS fresh
	FOR EACH STATEMENT EXECUTE FUNCTION muhur.queue_for_trail();
-- what was written before there was a log
INSERT INTO muhur.trail_queue (event) SELECT no FROM muhur.event;

GRANT USAGE ON SCHEMA muhur TO muhur_sequencer;
GRANT SELECT ON muhur.event TO muhur_sequencer;
GRANT SELECT (no, id) ON muhur.submission, muhur.notice TO muhur_sequencer;
GRANT SELECT, DELETE ON muhur.trail_queue TO muhur_sequencer;
GRANT SELECT, INSERT ON muhur.trail_leaf, muhur.trail_checkpoint, muhur.trail_contradiction TO muhur_sequencer;
GRANT SELECT ON muhur.trail_state TO muhur_sequencer;
GRANT UPDATE (seen_at, refused_since, why, stamped_size, stamped_at, unstamped_since)
	ON muhur.trail_state TO muhur_sequencer;
GRANT SELECT ON muhur.trail_queue, muhur.trail_leaf, muhur.trail_checkpoint, muhur.trail_contradiction, muhur.trail_state
	TO muhur_admin;
