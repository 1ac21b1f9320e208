-- Rates that spans were priced with, in the order of their ids as unsigned numbers.
--   $1 price_ids int8[]
SELECT p.price_id, p.name, p.source, p.effective_from
FROM spanledger.price AS p
WHERE p.price_id = ANY ($1)
ORDER BY p.price_id < 0, p.price_id
