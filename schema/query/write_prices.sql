-- Rates that spans of this transaction were priced with, kept for explaining their cost later. Arrays in the order of the ids.
--   $1 price_ids int8[]  $2 names text[]  $3 providers text[]  $4 sources text[]  $5 effective_from timestamptz[], NULL: always  $6 rates text[]: JSON
INSERT INTO spanledger.price (price_id, name, provider, source, effective_from, rates)
SELECT p.price_id, p.name, p.provider, p.source, p.effective_from, p.rates::jsonb
FROM unnest($1::int8[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[]) AS p (price_id, name, provider, source, effective_from, rates)
ON CONFLICT (price_id) DO NOTHING
