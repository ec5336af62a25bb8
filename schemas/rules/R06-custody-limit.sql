-- R6: what a platform may keep of its customers' assets itself.
-- Source: III-35/B.2 m.41(1): at most 5 % at the hour of reconciliation, at
-- least 95 % at custodians; m.41(2): over all assets by their current values,
-- not asset by asset; never more than 10 % within the day.
--
-- In words: for each platform p, at 23:59 and at each moment within the day
-- that its HoldingReport tells of,
--	own = sum over assets of customers' quantity in p's wallets x p's price
--	custody = sum over assets of what custodians keep for p x p's price
-- and own / (own + custody) is above R6.limit (R6.intraday_limit within the
-- day).  Small assets are left out of it as R7 (m.41(5)) says: with
--	small = the part of own in assets of which p holds < R7.small_usd,
--	excess = what small is above R7.share x (own + custody), else 0,
-- the numerator is own - small + excess, and so is own in the denominator,
-- unless R7.in_denominator is yes: then all of own stays there.
--
-- Within the day custody is that of the closing, or of the opening
-- (R6.intraday_custody); prices are the day's.  All moments of a day make one
-- break, with the greatest ratio.
--
-- Nothing is judged without the platform's HoldingReport and BalanceReport
-- (prices), the CustodyReport of each custodian under contract, a price for
-- everything held and the USD rate: the ratio is then missing.  A price that
-- is missing is a break by itself (m.42(4)).

-- What is in its wallets within the day.
CREATE TEMPORARY TABLE within_day (
	platform	text NOT NULL,
	at		timestamptz NOT NULL,
	asset		text NOT NULL,
	customer	numeric NOT NULL
) ON COMMIT DROP;

INSERT INTO pg_temp.within_day (platform, at, asset, customer)
SELECT w.member_code, w.as_of, w.asset, coalesce(sum(w.quantity) FILTER (WHERE w.owner = 'CUSTOMER'), 0)
FROM muhur.wallet w JOIN pg_temp.in_effect e USING (submission)
WHERE w.business_date = $2 AND w.as_of IS NOT NULL
GROUP BY w.member_code, w.as_of, w.asset;

ANALYZE pg_temp.within_day;

CREATE TEMPORARY TABLE moment (
	no		integer PRIMARY KEY,
	platform	text NOT NULL,
	at		timestamptz,		-- NULL: 23:59
	opening		boolean NOT NULL,	-- custody is that of the opening
	missing		text
) ON COMMIT DROP;

INSERT INTO pg_temp.moment (no, platform, at, opening, missing)
SELECT row_number() OVER (), w.platform, m.at, m.opening, nullif(concat_ws('; ',
	CASE WHEN m.at IS NULL THEN w.unclosed END,
	CASE WHEN m.opening THEN (
		SELECT 'no CustodyReport of the day before of ' || string_agg(k.custodian, ', ' ORDER BY k.custodian COLLATE "C")
		FROM pg_temp.contracted k WHERE k.platform = w.platform AND NOT EXISTS (SELECT FROM muhur.submission s
			WHERE s.business_date = $2 - 1 AND s.member_code = k.custodian
			AND s.message_type = 'CustodyReport' AND s.state = 'accepted'))
	ELSE w.unkept END, w.unpriced), '')
FROM pg_temp.watched w JOIN (
	SELECT platform, NULL::timestamptz AS at, false AS opening FROM pg_temp.watched
	UNION
	SELECT platform, at, (SELECT muhur.parameter('R6.intraday_custody', $2)) = 'opening' FROM pg_temp.within_day
) m USING (platform);

ANALYZE pg_temp.moment;

-- Customers' assets at each moment; values are NULL where a price is missing.
CREATE TEMPORARY TABLE held (
	moment		integer NOT NULL,
	platform	text NOT NULL,
	opening		boolean NOT NULL,
	asset		text NOT NULL,
	kept		numeric NOT NULL,	-- quantity at custodians
	own_try		numeric,
	kept_try	numeric,
	small		boolean			-- NULL: price or USD rate is missing
) ON COMMIT DROP;

INSERT INTO pg_temp.held
SELECT q.no, q.platform, q.opening, q.asset, q.kept,
	CASE q.own WHEN 0 THEN 0 ELSE q.own * p.price_try END,
	CASE q.kept WHEN 0 THEN 0 ELSE q.kept * p.price_try END,
	CASE q.own WHEN 0 THEN true
		ELSE q.own * p.price_try < (SELECT muhur.parameter('R7.small_usd', $2)::numeric) * usd.rate END
FROM (
	SELECT no, platform, opening, asset, sum(own) AS own, sum(kept) AS kept FROM (
		SELECT m.no, m.platform, m.opening, o.asset, o.customer AS own, 0 AS kept
		FROM pg_temp.moment m JOIN pg_temp.own o ON o.platform = m.platform
		WHERE m.at IS NULL
		UNION ALL
		SELECT m.no, m.platform, m.opening, w.asset, w.customer, 0
		FROM pg_temp.moment m JOIN pg_temp.within_day w USING (platform, at)
		UNION ALL
		SELECT m.no, m.platform, m.opening, k.asset, 0, k.quantity
		FROM pg_temp.moment m JOIN pg_temp.entrusted k ON k.platform = m.platform AND k.opening = m.opening
	) line GROUP BY no, platform, opening, asset
) q LEFT JOIN pg_temp.priced p USING (platform, asset), pg_temp.rate usd
WHERE usd.currency = 'USD';

ANALYZE pg_temp.held;

UPDATE pg_temp.moment m SET missing = nullif(concat_ws('; ', m.missing,
	CASE WHEN h.unpriced > 0 AND w.unpriced IS NULL THEN 'no price of ' || h.unpriced || ' of its assets' END,
	CASE WHEN h.unrated THEN 'no USD rate' END), '')
FROM (
	SELECT moment, platform, count(*) FILTER (WHERE own_try IS NULL OR kept_try IS NULL) AS unpriced,
		bool_or(own_try IS NOT NULL AND small IS NULL) AS unrated
	FROM pg_temp.held GROUP BY moment, platform
) h JOIN pg_temp.watched w USING (platform)
WHERE h.moment = m.no;

-- Whom a ratio is of: the platform with all its custodians; R8 adds the
-- platform with each of them.  Amounts are multiplied by scale.
CREATE TEMPORARY TABLE slice (
	platform	text NOT NULL,
	custodian	text,			-- NULL: all
	at		timestamptz,
	missing		text,
	scale		numeric NOT NULL,
	big		numeric NOT NULL,	-- own, in assets that are not small
	small		numeric NOT NULL,
	custody		numeric NOT NULL,
	total		numeric GENERATED ALWAYS AS (big + small + custody) STORED
) ON COMMIT DROP;

INSERT INTO pg_temp.slice (platform, custodian, at, missing, scale, big, small, custody)
SELECT m.platform, NULL, m.at, m.missing, 1,
	coalesce(sum(h.own_try) FILTER (WHERE NOT h.small), 0),
	coalesce(sum(h.own_try) FILTER (WHERE h.small), 0), coalesce(sum(h.kept_try), 0)
FROM pg_temp.moment m LEFT JOIN pg_temp.held h ON h.moment = m.no
GROUP BY m.no;

INSERT INTO pg_temp.judged (rule, rule_source, kind, key, platform, at, numerator, denominator, threshold,
	missing, cure, submissions)
SELECT 'R6', CASE WHEN s.at IS NULL THEN 'III-35/B.2 m.41(1), 41(2)' ELSE 'III-35/B.2 m.41(2)' END,
	CASE WHEN s.at IS NULL THEN 'LIMIT_BREACH' ELSE 'INTRADAY_BREACH' END,
	CASE WHEN s.at IS NULL THEN s.platform ELSE 'INTRADAY|' || s.platform END, s.platform, s.at,
	CASE WHEN s.missing IS NULL THEN big + excess END,
	CASE WHEN s.missing IS NOT NULL THEN NULL WHEN p.in_denominator THEN total ELSE big + excess + custody END,
	CASE WHEN s.at IS NULL THEN p.closing ELSE p.intraday END, s.missing, 48, w.submissions
FROM pg_temp.slice s JOIN pg_temp.watched w USING (platform),
LATERAL (
	SELECT muhur.parameter('R6.limit', $2)::numeric AS closing,
		muhur.parameter('R6.intraday_limit', $2)::numeric AS intraday,
		muhur.parameter('R7.in_denominator', $2) = 'yes' AS in_denominator,
		greatest(0, small - muhur.parameter('R7.share', $2)::numeric * total) AS excess
) p
WHERE s.custodian IS NULL;

-- A price that is missing: of what is held for customers at any moment, or is
-- in the reserve, at platforms that report wallets or have given a price.
-- Where there is no BalanceReport at all, that is R4's break.
INSERT INTO pg_temp.found (rule, rule_source, kind, key, platform, custodian, asset,
	platform_quantity, custodian_quantity, difference, detail, submissions)
SELECT 'R6', 'III-35/B.2 m.42(4)', 'PRICE_MISSING', 'PRICE_MISSING|' || platform || '|' || n.asset,
	platform, NULL, n.asset, NULL, NULL, NULL,
	CASE WHEN p.currency IS NULL THEN 'held, and the platform gives no price of it'
		ELSE 'held, and its price is in ' || p.currency || ', of which there is no rate' END
	|| '; the ratios that need it are not judged', w.submissions
FROM (
	SELECT platform, asset FROM pg_temp.held WHERE own_try IS NULL OR kept_try IS NULL
	UNION SELECT platform, asset FROM pg_temp.reserved WHERE kind = 'CRYPTO' AND asset IS NOT NULL AND value IS NULL
) n JOIN pg_temp.watched w USING (platform) LEFT JOIN pg_temp.priced p USING (platform, asset)
WHERE w.unpriced IS NULL
AND (EXISTS (SELECT FROM pg_temp.in_effect e WHERE e.member_code = w.platform AND e.message_type = 'HoldingReport')
	OR EXISTS (SELECT FROM pg_temp.priced g WHERE g.platform = w.platform));
