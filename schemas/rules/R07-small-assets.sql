-- R7: small assets, which R6 and R8 leave out.
-- Source: III-35/B.2 m.41(5): until what a platform holds of an asset reaches
-- 100,000 US dollars the asset is not taken into account; but where all of
-- these are more than 10 % of customers' total assets, what is above is.
--
-- In words: for each platform and moment, as R6 has it: an asset is small where
--	customers' quantity in the platform's wallets x its price < R7.small_usd
--	x the rate of USD, in TRY;
-- one of exactly that value is not.  small / (own + custody), compared with
-- R7.share, says whether an excess counts; strictly above, it does.  That is no
-- breach by itself: the row is there so that R6's ratio can be followed.  R6
-- and R8 do the leaving out in their own sums.

INSERT INTO pg_temp.judged (rule, rule_source, kind, key, platform, at, numerator, denominator, threshold,
	missing, remark, submissions)
SELECT 'R7', 'III-35/B.2 m.41(5)', NULL, s.platform, s.platform, s.at,
	CASE WHEN s.missing IS NULL THEN small END, CASE WHEN s.missing IS NULL THEN total END, p.share, s.missing,
	CASE WHEN s.missing IS NOT NULL THEN ''
		WHEN small > p.share * total
		THEN 'small assets; the excess counts in R6: ' || muhur.written(small - p.share * total) || ' TRY'
		ELSE 'small assets, all left out of R6' END, w.submissions
FROM pg_temp.slice s JOIN pg_temp.watched w USING (platform),
LATERAL (SELECT muhur.parameter('R7.share', $2)::numeric AS share) p
WHERE s.custodian IS NULL;
