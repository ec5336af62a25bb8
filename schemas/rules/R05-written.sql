-- R5, written: breaks of the single lines that R5's parts found fault with.
-- Source: as each line says.
--
-- In words: lines of one key are one break, with their sums.  Its detail names
-- the first three by MessageId and record number, and not the investor; records
-- names up to a hundred of each submission.  At most break.limit keys of a kind
-- and member are listed one by one, the first by key; one more break counts the
-- rest.

-- A market may begin with registry numbers, or fail, by the million lines: only
-- the lines of the keys that are listed are looked at one by one.  last: the last
-- of these keys, NULL where none is listed.
CREATE TEMPORARY TABLE faulty_keys ON COMMIT DROP AS
SELECT kind, min(rule_source) AS rule_source, member_code, max(nth) AS keys,
	max(key) FILTER (WHERE nth <= (SELECT muhur.parameter('break.limit', $2)::bigint)) AS last
FROM (
	SELECT k.*, row_number() OVER (PARTITION BY kind, member_code ORDER BY key) AS nth
	FROM (
		SELECT kind, member_code, key COLLATE "C" AS key, min(rule_source) AS rule_source
		FROM pg_temp.faulty GROUP BY kind, member_code, key COLLATE "C"
	) k
) numbered
GROUP BY kind, member_code;
ALTER TABLE pg_temp.faulty_keys ADD most bigint;
UPDATE pg_temp.faulty_keys SET most = muhur.parameter('break.limit', $2)::bigint;

CREATE TEMPORARY TABLE ranked ON COMMIT DROP AS
SELECT f.*, e.message_id,
	row_number() OVER (PARTITION BY f.kind, f.key ORDER BY e.message_id COLLATE "C", f.record_no, f.submission)
		AS nth,
	row_number() OVER (PARTITION BY f.kind, f.key, f.submission ORDER BY f.record_no) AS nth_there
FROM pg_temp.faulty f JOIN pg_temp.faulty_keys k USING (kind, member_code) JOIN pg_temp.in_effect e USING (submission)
WHERE f.key COLLATE "C" <= k.last;

INSERT INTO pg_temp.found (rule, rule_source, kind, key, platform, custodian, asset,
	platform_quantity, custodian_quantity, difference, detail, submissions, records)
SELECT 'R5', rule_source, kind, key, platform, custodian, asset, sum(platform_quantity), sum(custodian_quantity),
	NULL, said || ': ' || string_agg(first_three, ', ' ORDER BY first_nth)
	|| CASE WHEN sum(lines) > 3 THEN ', ...' ELSE '' END,
	array_agg(submission ORDER BY submission), jsonb_object_agg(submission, numbers)
FROM (
	SELECT rule_source, kind, key, platform, custodian, asset, said, submission, count(*) AS lines,
		sum(platform_quantity) AS platform_quantity, sum(custodian_quantity) AS custodian_quantity,
		min(nth) AS first_nth,
		string_agg(message_id || ' record ' || record_no, ', ' ORDER BY nth) FILTER (WHERE nth <= 3) AS first_three,
		jsonb_agg(record_no ORDER BY record_no) FILTER (WHERE nth_there <= 100) AS numbers
	FROM pg_temp.ranked
	GROUP BY rule_source, kind, key, platform, custodian, asset, said, submission
) one_report
GROUP BY rule_source, kind, key, platform, custodian, asset, said;

INSERT INTO pg_temp.found (rule, rule_source, kind, key, platform, custodian, asset,
	platform_quantity, custodian_quantity, difference, detail, submissions)
SELECT 'R5', k.rule_source, k.kind, k.kind || '|' || k.member_code || '|MORE',
	CASE WHEN m.kind = 'platform' THEN k.member_code END, CASE WHEN m.kind = 'custodian' THEN k.member_code END,
	NULL, NULL, NULL, NULL, (k.keys - k.most) || ' more of this kind are not listed one by one', s.submissions
FROM pg_temp.faulty_keys k
JOIN (
	SELECT kind, member_code, array_agg(submission ORDER BY submission) AS submissions
	FROM (
		SELECT f.kind, f.member_code, f.submission
		FROM pg_temp.faulty f JOIN pg_temp.faulty_keys k USING (kind, member_code)
		WHERE k.keys > k.most AND (k.last IS NULL OR f.key COLLATE "C" > k.last)
		GROUP BY f.kind, f.member_code, f.submission
	) one_report
	GROUP BY kind, member_code
) s USING (kind, member_code)
JOIN muhur.member m ON m.code = k.member_code;
