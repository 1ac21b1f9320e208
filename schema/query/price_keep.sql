-- Every price that spans may be priced with by this server, so that a cost can be explained after the list has changed. Known ones stay as they are:
-- the id is the hash of the rest.
--   $1 price_id int8[]    $3 provider text[]    $5 effective_from timestamptz[], NULL: always
--   $2 name text[]        $4 source text[]      $6 rates text[]
INSERT INTO spanledger.price (price_id, name, provider, source, effective_from, rates)
SELECT i.price_id, i.name, i.provider, i.source, i.effective_from, i.rates::jsonb
FROM unnest($1::int8[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[]) AS i (price_id, name, provider, source, effective_from, rates)
WHERE NOT EXISTS (SELECT FROM spanledger.price AS p WHERE p.price_id = i.price_id)
ON CONFLICT DO NOTHING
