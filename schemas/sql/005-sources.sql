-- 005-sources: a notice about a run names the files it rests on, by name and
-- SHA-256: to a member its own, to a regulator all.

-- The bulk lines of a notice, in the order of src/model/notice.h: the first
-- column names the kind, and a line has as many columns as its kind.
CREATE OR REPLACE FUNCTION muhur.notice_lines(notice_id uuid)
RETURNS TABLE (f1 text, f2 text, f3 text, f4 text, f5 text, f6 text, f7 text,
	f8 text, f9 text, f10 text, f11 text, f12 text, f13 text, f14 text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
WITH n AS MATERIALIZED (
	SELECT kind, recipient, run FROM muhur.notice
	WHERE id = notice_id AND kind IN ('ReconciliationResult', 'DiscrepancyReport')
), line AS (
	SELECT 1 AS part, p.platform AS k1, p.custodian AS k2, p.asset AS k3,
		'pair' AS f1, p.platform AS f2, p.custodian AS f3, p.asset AS f4,
		trim_scale(p.platform_quantity)::text AS f5,
		trim_scale(p.custodian_quantity)::text AS f6,
		trim_scale(p.difference)::text AS f7, p.status AS f8,
		NULL AS f9, NULL AS f10, NULL AS f11, NULL AS f12, NULL AS f13, NULL AS f14
	FROM n JOIN muhur.pair p ON p.run = n.run
		AND (p.platform = n.recipient OR p.custodian = n.recipient)
	WHERE n.kind = 'ReconciliationResult'
	UNION ALL
	SELECT 0, s.member_code, s.message_type, s.message_id,
		'source', s.id::text, s.sha256, s.member_code, s.message_type, s.message_id, s.file_name,
		NULL, NULL, NULL, NULL, NULL, NULL, NULL
	FROM n JOIN muhur.reconcile_input i ON i.run = n.run
	JOIN muhur.submission s ON s.no = i.submission
	WHERE n.kind = 'DiscrepancyReport' OR s.member_code = n.recipient
	UNION ALL
	SELECT 2, b.id, NULL, NULL,
		'break', b.id, b.rule, b.rule_source, b.kind, b.platform, b.custodian, b.asset,
		trim_scale(f.platform_quantity)::text, trim_scale(f.custodian_quantity)::text,
		trim_scale(f.difference)::text, f.status, f.first_seen::text, f.detail
	FROM n JOIN muhur.finding f ON f.run = n.run
	JOIN muhur.break b ON b.id = f.break_id
	WHERE n.kind = 'DiscrepancyReport' OR b.platform = n.recipient OR b.custodian = n.recipient
)
SELECT f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14 FROM line
ORDER BY part, k1 COLLATE "C", k2 COLLATE "C", k3 COLLATE "C"
$$;
