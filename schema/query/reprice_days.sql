-- Days on which spans may have to be priced anew.
--   $1 tenant_id int4, 0: all   $2 from, $3 to timestamptz, exclusive
-- Columns: day date.
SELECT DISTINCT t.day
FROM spanledger.trace AS t
WHERE t.counted_spans > 0 AND ($1 = 0 OR t.tenant_id = $1)
    AND t.day >= ($2::timestamptz AT TIME ZONE 'UTC')::date AND t.day <= (($3::timestamptz - interval '1 microsecond') AT TIME ZONE 'UTC')::date
ORDER BY t.day
