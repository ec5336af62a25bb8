-- R14: direct customers.
-- Source: III-35/B.2 m.24(2): a custodian may serve customers of its own, other
-- than platforms' customers; m.26(3): what it keeps for them is kept customer by
-- customer, under a contract with each; m.26(1): what it keeps for a platform is
-- kept in bulk on the platform's behalf.
--
-- In words: the two are different holdings, even where one investor has both,
-- under the same registry number or the same customer number.  So a platform is
-- compared with omnibus lines and nothing else:
--	what R1 and R2 take as kept by a custodian = the sum of its omnibus lines,
--	for each custodian, platform and asset;
--	what they take as claimed by a platform = the sum of its BalanceReport's
--	lines alone.
-- Direct customers are added up apart, in pg_temp.direct, which R9 measures hot
-- wallets by.  This file finds no break: it adds the omnibus lines up once more
-- and ends the run where the comparison used anything else, so that no change of
-- the other files can let direct customers in unseen.

CREATE TEMPORARY TABLE omnibus ON COMMIT DROP AS
SELECT o.platform, o.member_code AS custodian, o.asset, sum(o.quantity) AS quantity
FROM muhur.custody_omnibus o JOIN pg_temp.in_effect e ON e.submission = o.submission
WHERE o.business_date = $2
GROUP BY o.platform, o.member_code, o.asset;
ANALYZE pg_temp.omnibus;

DO $$
BEGIN
	-- counted: for a first row alone the planner would loop over both sides.
	-- What R1 compared, zero where there is no line
	IF (SELECT count(*) FROM pg_temp.compared c LEFT JOIN pg_temp.omnibus o USING (platform, custodian, asset)
	    WHERE c.kept IS NOT NULL AND c.kept <> coalesce(o.quantity, 0)) > 0 THEN
		RAISE EXCEPTION 'R14: R1 took more than omnibus lines';
	END IF;
	-- what R2 added up
	IF (SELECT count(*) FROM pg_temp.totalled t LEFT JOIN (
		SELECT platform, asset, sum(quantity) AS quantity FROM pg_temp.omnibus GROUP BY platform, asset
	    ) o USING (platform, asset) WHERE t.custodians <> coalesce(o.quantity, 0)) > 0 THEN
		RAISE EXCEPTION 'R14: R2 took more than omnibus lines';
	END IF;
	-- no platform's side comes from a custodian's report
	IF (SELECT count(*) FROM pg_temp.claimed c CROSS JOIN LATERAL unnest(c.submissions) s (no)
	    JOIN pg_temp.in_effect e ON e.submission = s.no WHERE e.message_type <> 'BalanceReport') > 0 THEN
		RAISE EXCEPTION 'R14: a claim is from another report than a BalanceReport';
	END IF;
END $$;
