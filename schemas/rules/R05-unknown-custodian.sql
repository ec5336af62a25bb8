-- R5, unknown custodian.
-- Source: S2 section G (accounts are kept with known institutions);
-- III-35/B.2 m.26(1).
--
-- In words: a platform's balances held at a code that is no member of kind
-- custodian; one break a platform, code and asset, with their sum.  OWN names
-- the platform's own wallet and is no custodian.

INSERT INTO pg_temp.found (rule, rule_source, kind, key, platform, custodian, asset,
	platform_quantity, custodian_quantity, difference, detail, submissions)
SELECT 'R5', 'III-35/B.2 m.26(1); MKS rules G', 'UNKNOWN_CUSTODIAN',
	'UNKNOWN_CUSTODIAN|' || c.platform || '|' || c.custodian || '|' || c.asset,
	c.platform, c.custodian, c.asset, c.quantity, NULL, NULL,
	'no custodian of that code is a member', c.submissions
FROM pg_temp.claimed c
WHERE c.custodian <> 'OWN'
AND NOT EXISTS (SELECT FROM muhur.member m WHERE m.code = c.custodian AND m.kind = 'custodian');
