-- R5, no contract.
-- Source: III-35/B.2 m.26 (custody is a contract between platform and
-- custodian); S2 section G.
--
-- In words: what a platform claims to hold at a custodian with which it has no
-- contract valid on the day, and what a custodian keeps for a platform with
-- which it has none, or for a code that is no platform; one break a platform,
-- custodian and asset, whichever of the two reports it, with both quantities
-- where both do.  Such pairs are not compared (R1).

INSERT INTO pg_temp.found (rule, rule_source, kind, key, platform, custodian, asset,
	platform_quantity, custodian_quantity, difference, detail, submissions)
SELECT 'R5', 'III-35/B.2 m.26; MKS rules G', 'NO_CONTRACT',
	'NO_CONTRACT|' || platform || '|' || custodian || '|' || asset,
	platform, custodian, asset, c.quantity, o.quantity, c.quantity - o.quantity,
	CASE WHEN NOT EXISTS (SELECT FROM muhur.member m
			WHERE m.code = platform AND m.kind = 'platform')
		THEN 'no platform of that code is a member'
		ELSE 'no contract is valid on the day' END
	|| CASE WHEN o.platform IS NULL THEN '; the platform reports it'
		WHEN c.platform IS NULL THEN '; the custodian reports it'
		ELSE '; both report it' END,
	coalesce(c.submissions, '{}') || coalesce(o.submissions, '{}')
FROM (SELECT * FROM pg_temp.claimed WHERE custodian IN
	(SELECT code FROM muhur.member WHERE kind = 'custodian')) c
FULL JOIN pg_temp.kept o USING (platform, custodian, asset)
WHERE NOT EXISTS (SELECT FROM pg_temp.contracted k
	WHERE k.platform = coalesce(c.platform, o.platform)
	AND k.custodian = coalesce(c.custodian, o.custodian));
