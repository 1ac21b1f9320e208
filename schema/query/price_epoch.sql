-- Whether own prices have changed: a changed price is a new row, also where it takes the place of one of the same date.
SELECT coalesce(max(p.price_id), 0) AS epoch
FROM spanledger.model_price AS p
