-- 015-explanations: what is said of breaks while a run is under way.
--
-- A run sees one moment's state from its beginning to its end, and writes into
-- the breaks that it finds: whoever changes one meanwhile ends it, and a run of
-- many lines could be kept from its end for ever.  So an explanation that comes
-- during a run waits until that is over, and is in its breaks a moment later.
-- The lock: a run has it shared (src/reconcile/run.c), an explanation alone.

CREATE TABLE muhur.response_waiting (
	submission	bigint PRIMARY KEY REFERENCES muhur.submission,
	at		timestamptz NOT NULL
);

-- What is open is explained; what is cured or closed keeps its state and has the
-- explanation all the same.  Of several the last counts.
CREATE FUNCTION muhur.put_explanations(which bigint, at timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- both parties may answer at once: in one order
	PERFORM FROM muhur.break b WHERE b.id IN (SELECT r.break_id FROM muhur.response r WHERE r.submission = which)
	ORDER BY b.id FOR UPDATE;
	UPDATE muhur.break b SET state = CASE b.state WHEN 'open' THEN 'explained' ELSE b.state END,
		explained_by = which, explanation = r.explanation
	FROM (SELECT DISTINCT ON (x.break_id) x.break_id, x.explanation FROM muhur.response x
		WHERE x.submission = which ORDER BY x.break_id, x.record_no DESC) r
	WHERE b.id = r.break_id;
	INSERT INTO muhur.event (at, kind, actor, submission, detail)
	SELECT put_explanations.at, 'explained', s.user_code, which, jsonb_build_object('break', r.break_id)
	FROM muhur.submission s, (SELECT DISTINCT x.break_id FROM muhur.response x WHERE x.submission = which) r
	WHERE s.no = which
	ORDER BY r.break_id COLLATE "C";
END $$;

-- An accepted DiscrepancyResponse, in the transaction of its acceptance.
CREATE OR REPLACE FUNCTION muhur.explain_breaks(which bigint, at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	s muhur.submission;
BEGIN
	-- muhur-load has judged that; its role alone explains nothing
	SELECT * INTO s FROM muhur.submission x
	WHERE x.no = which AND x.message_type = 'DiscrepancyResponse' AND x.state = 'accepted';
	IF NOT FOUND OR EXISTS (SELECT FROM muhur.judge_response(which))
	    OR EXISTS (SELECT FROM muhur.response r WHERE r.submission = which AND r.member_code <> s.member_code) THEN
		RAISE EXCEPTION 'submission %: explains no breaks', which USING ERRCODE = 'check_violation';
	END IF;
	-- in their order: not before those that wait
	IF EXISTS (SELECT FROM muhur.response_waiting)
	    OR NOT pg_try_advisory_xact_lock(hashtextextended('muhur.breaks', 0)) THEN
		INSERT INTO muhur.response_waiting (submission, at) VALUES (which, explain_breaks.at);
	ELSE
		PERFORM muhur.put_explanations(which, explain_breaks.at);
	END IF;
END $$;

-- Between runs: those that wait.  How many there were; another run may be under
-- way, and then it is none.
CREATE FUNCTION muhur.explain_waiting() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	w muhur.response_waiting;
	n integer := 0;
BEGIN
	IF EXISTS (SELECT FROM muhur.response_waiting)
	    AND pg_try_advisory_xact_lock(hashtextextended('muhur.breaks', 0)) THEN
		FOR w IN SELECT * FROM muhur.response_waiting x ORDER BY x.at, x.submission LOOP
			PERFORM muhur.put_explanations(w.submission, w.at);
			DELETE FROM muhur.response_waiting x WHERE x.submission = w.submission;
			n := n + 1;
		END LOOP;
	END IF;
	RETURN n;
END $$;

REVOKE ALL ON FUNCTION muhur.put_explanations(bigint, timestamptz), muhur.explain_waiting() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION muhur.explain_waiting() TO muhur_reconcile;
GRANT SELECT ON muhur.response_waiting TO muhur_admin;
