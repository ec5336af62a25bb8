-- 016-lines: the lines of a CentralRegistryReport, sorted once.
-- In the order of the lines already when they are summed up, so that the totals
-- and the lines need no sorting of their own: a column's own collation is
-- another one than "C", even where both mean the same order.

-- muhur.central_balance in that order.
CREATE VIEW muhur.central_sum AS
	SELECT i.run, b.business_date, b.registry_no COLLATE "C" AS registry_no, b.asset COLLATE "C" AS asset,
		b.member_code COLLATE "C" AS platform, sum(b.quantity) AS quantity, sum(b.locked) AS locked
	FROM muhur.reconcile_input i JOIN muhur.balance b ON b.submission = i.submission
	GROUP BY 1, 2, 3, 4, 5;
GRANT SELECT ON muhur.central_sum TO muhur_load, muhur_directory, muhur_reconcile, muhur_admin;

-- It sets no search_path, so that it can be inlined (014-outputs.sql).
CREATE OR REPLACE FUNCTION muhur.central_lines(which bigint, day date) RETURNS SETOF muhur.notice_line
LANGUAGE sql STABLE AS $$
SELECT 'balance', c.registry_no, c.asset, c.platform, muhur.quantity_text(c.quantity),
	muhur.quantity_text(c.locked), muhur.quantity_text(sum(c.quantity) OVER (PARTITION BY c.registry_no, c.asset)),
	NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text
FROM muhur.central_sum c
WHERE c.run = which AND c.business_date = day
ORDER BY c.registry_no, c.asset, c.platform
$$;
