-- R5, negative balance.
-- Source: III-35/B.2 m.10(2)c (balances are followed correctly); S2 section G.
--
-- In words: a platform's balance line below zero; one break a line's key, which
-- is registry number, customer number, place and asset, with the sum of such
-- lines.  It concerns the platform alone, wherever the line says it is held.
-- It counts as it stands in every sum.  No other report can hold one
-- (schemas/xml: Quantity), but a netting line, whose closing R3 compares.

CREATE TEMPORARY TABLE negative ON COMMIT DROP AS
SELECT b.member_code, b.registry_no, b.customer_no, b.held_at, b.asset, b.quantity, b.submission, b.record_no
FROM muhur.balance b
WHERE b.business_date = $2 AND b.submission = ANY ($3) AND b.quantity < 0;

INSERT INTO pg_temp.faulty (kind, rule_source, member_code, key, platform, custodian, asset,
	platform_quantity, custodian_quantity, said, submission, record_no)
SELECT 'NEGATIVE_BALANCE', 'III-35/B.2 m.10(2)c; MKS rules G', member_code,
	concat_ws('|', 'NEGATIVE_BALANCE', member_code, registry_no, customer_no, held_at, asset),
	member_code, NULL, asset, quantity, NULL, 'a balance below zero', submission, record_no
FROM pg_temp.negative;
