-- R00: what things were worth.  No rule by itself.
-- Source: III-35/B.2 m.42(4): current values are at the prices that formed at
-- each platform; m.41(5) and 42(2) count in US dollars; S0: the daily value of
-- each asset per platform.
--
-- In words: a platform's price of an asset, in TRY = the price in its
-- BalanceReport x the rate of its currency; where it gives several, the last by
-- sequence, message id and record.  Value = quantity x price; of nothing it is
-- 0, whatever the price.  Nothing is rounded: a limit is compared by products
-- (a > limit x b), never by a quotient.
--
-- What a custodian keeps counts for a platform where the two have a contract
-- valid on the day: m.41(1) means custody within the Communique's provisions,
-- and m.26 makes it a contract.  What is kept without one is R5's break.
--
-- Rules on limits put into judged what they compare, and R99 does the rest:
--   judged	 one row a comparison.  It is a breach where numerator >
--		 threshold x denominator, with at_least where it is below; kind
--		 NULL: told, and no breach.  missing: why it cannot be made
--		 (numerator and denominator are then NULL), which is told and
--		 neither a breach nor the end of one.  scale: what numerator and
--		 denominator are multiplied by, to keep them exact.  cure: by
--		 which article a breach is to be cured: 48, R12.cure_days working
--		 days after its first day (m.48(1)); 42, the next 23:59
--		 (m.42(5)); NULL, what the rule itself puts into cure_by, if any.
--		 remark: to be told beside the ratio, or instead where it says_all.

CREATE TEMPORARY TABLE judged (
	rule		text NOT NULL,
	rule_source	text NOT NULL,
	kind		text,
	key		text NOT NULL,
	platform	text,
	custodian	text,
	asset		text,
	at		timestamptz,
	numerator	numeric,
	denominator	numeric,
	scale		numeric NOT NULL DEFAULT 1,
	threshold	numeric NOT NULL,
	at_least	boolean NOT NULL DEFAULT false,
	missing		text,
	breach		boolean NOT NULL GENERATED ALWAYS AS (kind IS NOT NULL AND missing IS NULL
		AND CASE WHEN at_least THEN numerator < threshold * denominator
			ELSE numerator > threshold * denominator END) STORED,
	occurrences	integer,
	cure		integer,
	cure_by		date,
	remark		text NOT NULL DEFAULT '',
	says_all	boolean NOT NULL DEFAULT false,
	submissions	bigint[] NOT NULL,
	CHECK ((missing IS NULL) = (numerator IS NOT NULL AND denominator IS NOT NULL))
) ON COMMIT DROP;

CREATE TEMPORARY TABLE rate (
	currency	text PRIMARY KEY,
	rate		numeric			-- TRY for one unit; NULL: none that counts
) ON COMMIT DROP;

INSERT INTO pg_temp.rate (currency, rate)
SELECT currency, CASE currency WHEN 'TRY' THEN 1 ELSE muhur.rate_on(currency, $2) END
FROM (
	SELECT unnest(ARRAY['TRY', 'USD']) AS currency
	UNION SELECT p.currency FROM muhur.price p JOIN pg_temp.in_effect e USING (submission)
	WHERE p.business_date = $2
	UNION SELECT r.currency FROM muhur.reserve r JOIN pg_temp.in_effect e USING (submission)
	WHERE r.business_date = $2 AND r.currency IS NOT NULL
) c;

CREATE TEMPORARY TABLE priced (
	platform	text NOT NULL,
	asset		text NOT NULL,
	currency	text NOT NULL,
	price_try	numeric,		-- NULL: the currency has no rate
	PRIMARY KEY (platform, asset)
) ON COMMIT DROP;

INSERT INTO pg_temp.priced (platform, asset, currency, price_try)
SELECT DISTINCT ON (p.member_code, p.asset) p.member_code, p.asset, p.currency, p.price * r.rate
FROM muhur.price p JOIN pg_temp.in_effect e USING (submission) JOIN pg_temp.rate r USING (currency)
WHERE p.business_date = $2
ORDER BY p.member_code, p.asset, e.sequence DESC, e.message_id COLLATE "C" DESC, p.record_no DESC;

-- Platforms whose limits are judged: those with a contract, and those that
-- report wallets.
CREATE TEMPORARY TABLE watched (
	platform	text PRIMARY KEY,
	unpriced	text,			-- why there are no prices; NULL: there are
	unclosed	text,			-- ... no closing wallets
	unkept		text,			-- ... no closing sums at custodians
	custodians	integer NOT NULL,	-- contracts
	submissions	bigint[] NOT NULL	-- what its ratios come from
) ON COMMIT DROP;

INSERT INTO pg_temp.watched
SELECT p.platform,
	CASE WHEN NOT EXISTS (SELECT FROM pg_temp.in_effect e WHERE e.member_code = p.platform
		AND e.message_type = 'BalanceReport') THEN 'no BalanceReport, which has the prices' END,
	CASE WHEN EXISTS (SELECT FROM pg_temp.wallets_in h WHERE h.platform = p.platform) THEN NULL
		WHEN EXISTS (SELECT FROM pg_temp.in_effect e WHERE e.member_code = p.platform
			AND e.message_type = 'HoldingReport') THEN 'no HoldingReport of the closing'
		ELSE 'no HoldingReport' END,
	(SELECT 'no CustodyReport of ' || string_agg(k.custodian, ', ' ORDER BY k.custodian COLLATE "C")
		FROM pg_temp.contracted k WHERE k.platform = p.platform AND NOT k.custodian_in),
	(SELECT count(*) FROM pg_temp.contracted k WHERE k.platform = p.platform),
	ARRAY(SELECT e.submission FROM pg_temp.in_effect e
		WHERE (e.member_code = p.platform AND e.message_type IN ('BalanceReport', 'HoldingReport'))
		OR (e.message_type = 'CustodyReport' AND e.member_code IN (SELECT k.custodian
			FROM pg_temp.contracted k WHERE k.platform = p.platform))
		OR e.message_type = 'ReferenceData' ORDER BY 1)
FROM (
	SELECT platform FROM pg_temp.contracted
	UNION SELECT member_code FROM pg_temp.in_effect WHERE message_type = 'HoldingReport'
) p;

-- What custodians keep for platforms under a contract: at the closing, and
-- where R6.intraday_custody asks for it at the opening, the closing of the day
-- before.
CREATE TEMPORARY TABLE entrusted (
	platform	text NOT NULL,
	custodian	text NOT NULL,
	asset		text NOT NULL,
	opening		boolean NOT NULL,
	quantity	numeric NOT NULL,
	PRIMARY KEY (platform, custodian, asset, opening)
) ON COMMIT DROP;

INSERT INTO pg_temp.entrusted (platform, custodian, asset, opening, quantity)
SELECT platform, custodian, asset, false, k.quantity
FROM pg_temp.kept k JOIN pg_temp.contracted USING (platform, custodian)
UNION ALL
SELECT k.platform, k.custodian, o.asset, true, sum(o.quantity)
FROM muhur.custody_omnibus o
JOIN muhur.submission s ON s.no = o.submission AND s.state = 'accepted'
JOIN pg_temp.contracted k ON k.platform = o.platform AND k.custodian = o.member_code
WHERE o.business_date = $2 - 1 AND muhur.parameter('R6.intraday_custody', $2) = 'opening'
GROUP BY k.platform, k.custodian, o.asset;

-- One row a platform and asset that it prices, holds or has at custodians.
CREATE TEMPORARY TABLE valued (
	platform	text NOT NULL,
	asset		text NOT NULL,
	price_try	numeric,		-- NULL: none
	customers	numeric,		-- in its own wallets at 23:59; NULL: unclosed
	house		numeric,
	custodians	numeric,		-- at custodians at 23:59; NULL: unkept
	customers_try	numeric,		-- NULL where quantity or price is
	custodians_try	numeric,
	PRIMARY KEY (platform, asset)
) ON COMMIT DROP;

INSERT INTO pg_temp.valued
SELECT platform, asset, p.price_try, q.customers, q.house, q.custodians,
	CASE q.customers WHEN 0 THEN 0 ELSE q.customers * p.price_try END,
	CASE q.custodians WHEN 0 THEN 0 ELSE q.custodians * p.price_try END
FROM (
	SELECT a.platform, a.asset,
		CASE WHEN w.unclosed IS NULL THEN coalesce(o.customer, 0) END AS customers,
		CASE WHEN w.unclosed IS NULL THEN coalesce(o.house, 0) END AS house,
		CASE WHEN w.unkept IS NULL THEN coalesce(k.quantity, 0) END AS custodians
	FROM (
		SELECT platform, asset FROM pg_temp.priced
		UNION SELECT platform, asset FROM pg_temp.own
		UNION SELECT platform, asset FROM pg_temp.entrusted WHERE NOT opening
	) a JOIN pg_temp.watched w USING (platform)
	LEFT JOIN pg_temp.own o USING (platform, asset)
	LEFT JOIN (SELECT platform, asset, sum(quantity) AS quantity FROM pg_temp.entrusted
		WHERE NOT opening GROUP BY platform, asset) k USING (platform, asset)
) q LEFT JOIN pg_temp.priced p USING (platform, asset);

INSERT INTO muhur.asset_value (run, platform, asset, price_try, customers, house, custodians, value_try, value_usd)
SELECT $1, v.platform, v.asset, muhur.written(v.price_try), v.customers, v.house, v.custodians,
	muhur.written(v.customers_try + v.custodians_try),
	muhur.written(muhur.quotient(v.customers_try + v.custodians_try, r.rate, 18))
FROM pg_temp.valued v, pg_temp.rate r WHERE r.currency = 'USD'
ORDER BY v.platform COLLATE "C", v.asset COLLATE "C";

-- The liquid reserve at 23:59: its items, current value and weight (m.41(4)).
CREATE TEMPORARY TABLE reserved (
	platform	text NOT NULL,
	kind		text NOT NULL,
	asset		text,
	currency	text,
	value		numeric,		-- TRY; NULL: no price or no rate
	weight		numeric NOT NULL
) ON COMMIT DROP;

INSERT INTO pg_temp.reserved (platform, kind, asset, currency, value, weight)
SELECT i.platform, i.kind, i.asset, i.currency,
	CASE WHEN i.quantity = 0 THEN 0
		WHEN i.kind = 'CRYPTO' THEN i.quantity * p.price_try ELSE i.quantity * r.rate END,
	muhur.weight_on(i.kind, i.asset, $2)
FROM (
	SELECT s.member_code AS platform, s.kind, CASE s.kind WHEN 'CRYPTO' THEN s.asset END AS asset,
		CASE WHEN s.kind <> 'CRYPTO' THEN s.currency END AS currency, sum(s.quantity) AS quantity
	FROM muhur.reserve s JOIN pg_temp.in_effect e USING (submission)
	WHERE s.business_date = $2 AND s.as_of IS NULL
	GROUP BY 1, 2, 3, 4
) i
LEFT JOIN pg_temp.priced p USING (platform, asset)
LEFT JOIN pg_temp.rate r ON r.currency = i.currency;

-- What the registry says of the assets that anybody holds; no row: nothing.
CREATE TEMPORARY TABLE known (
	asset		text PRIMARY KEY,
	market_value_usd numeric,
	listed_on	date,
	custody		text NOT NULL,
	reserve_base	boolean NOT NULL
) ON COMMIT DROP;

INSERT INTO pg_temp.known
SELECT a.asset, r.market_value_usd, r.listed_on, r.custody, r.reserve_base
FROM (
	SELECT asset FROM pg_temp.valued UNION SELECT asset FROM pg_temp.reserved WHERE asset IS NOT NULL
) a CROSS JOIN LATERAL muhur.asset_on(a.asset, $2) r
WHERE r.asset IS NOT NULL;

ANALYZE pg_temp.priced;
ANALYZE pg_temp.watched;
ANALYZE pg_temp.entrusted;
ANALYZE pg_temp.valued;
