-- R5, written: breaks of the single lines that R5's parts found fault with.
-- Source: as each line says.
--
-- In words: lines of one key are one break, with their sums.  Its detail names
-- the first three by MessageId and record number, and not the investor, since a
-- custodian may see it; records names up to a hundred of each submission.  At
-- most break.limit keys of a kind and member are listed one by one, the first by
-- key; one more break counts the rest.

CREATE TEMPORARY TABLE ranked ON COMMIT DROP AS
SELECT f.*, e.message_id,
	dense_rank() OVER (PARTITION BY f.kind, f.member_code ORDER BY f.key COLLATE "C")
		<= muhur.parameter('break.limit', $2)::bigint AS listed,
	row_number() OVER (PARTITION BY f.kind, f.key ORDER BY e.message_id COLLATE "C", f.record_no, f.submission)
		AS nth,
	row_number() OVER (PARTITION BY f.kind, f.key, f.submission ORDER BY f.record_no) AS nth_there
FROM pg_temp.faulty f JOIN pg_temp.in_effect e USING (submission);

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
	WHERE listed
	GROUP BY rule_source, kind, key, platform, custodian, asset, said, submission
) one_report
GROUP BY rule_source, kind, key, platform, custodian, asset, said;

INSERT INTO pg_temp.found (rule, rule_source, kind, key, platform, custodian, asset,
	platform_quantity, custodian_quantity, difference, detail, submissions)
SELECT 'R5', r.rule_source, r.kind, r.kind || '|' || r.member_code || '|MORE',
	CASE WHEN m.kind = 'platform' THEN r.member_code END, CASE WHEN m.kind = 'custodian' THEN r.member_code END,
	NULL, NULL, NULL, NULL, count(DISTINCT r.key) || ' more of this kind are not listed one by one',
	array_agg(DISTINCT r.submission ORDER BY r.submission)
FROM pg_temp.ranked r JOIN muhur.member m ON m.code = r.member_code
WHERE NOT r.listed
GROUP BY r.rule_source, r.kind, r.member_code, m.kind;
