-- R5, unknown registry number.
-- Source: S2 section G (accounts are opened under a registry number);
-- III-35/B.2 m.32(3).
--
-- In words: a balance, movement, netting line or direct customer under a
-- registry number that the registry had not given by the day; one break a
-- member, registry number and customer number, whatever the number of its
-- lines.  R5.registry: begun = judged once the registry has given any number;
-- all = always.  It has no quantity: its lines are of several assets.  Which
-- registry numbers were not given, the sieve has said (R00-rolled.sql).

CREATE TEMPORARY TABLE unknown ON COMMIT DROP AS
SELECT line.*
FROM (
	SELECT b.member_code, b.registry_no, b.customer_no, b.submission, b.record_no
	FROM muhur.balance b
	WHERE b.business_date = $2 AND b.submission = ANY ($3)
	UNION ALL
	SELECT m.member_code, m.registry_no, m.customer_no, m.submission, m.record_no
	FROM muhur.movement m
	WHERE m.business_date = $2 AND m.submission = ANY ($3)
	UNION ALL
	SELECT n.member_code, n.registry_no, n.customer_no, n.submission, n.record_no
	FROM muhur.netting n
	WHERE n.business_date = $2 AND n.submission = ANY ($3)
	UNION ALL
	SELECT c.member_code, c.registry_no, c.customer_no, c.submission, c.record_no
	FROM muhur.custody_direct c
	WHERE c.business_date = $2 AND c.submission = ANY ($3)
) line
WHERE (SELECT muhur.parameter('R5.registry', $2) = 'all' OR (muhur.parameter('R5.registry', $2) = 'begun'
	AND EXISTS (SELECT FROM muhur.registry_number r WHERE r.known_from <= $2)))
AND line.registry_no IN (SELECT registry_no FROM pg_temp.doubtful WHERE unknown);

INSERT INTO pg_temp.faulty (kind, rule_source, member_code, key, platform, custodian, asset,
	platform_quantity, custodian_quantity, said, submission, record_no)
SELECT 'UNKNOWN_REGISTRY_NO', 'III-35/B.2 m.32(3); MKS rules G', u.member_code,
	concat_ws('|', 'UNKNOWN_REGISTRY_NO', u.member_code, u.registry_no, u.customer_no),
	CASE WHEN m.kind = 'platform' THEN u.member_code END,
	CASE WHEN m.kind = 'custodian' THEN u.member_code END,
	NULL, NULL, NULL, 'a registry number that was not given', u.submission, u.record_no
FROM pg_temp.unknown u JOIN muhur.member m ON m.code = u.member_code;
