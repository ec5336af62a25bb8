-- 014-outputs: what breaks come from.

ALTER TABLE muhur.finding ADD COLUMN records jsonb;	-- {"<submission>": [record numbers]}
