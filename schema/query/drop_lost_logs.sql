-- Log records whose span never came: spanledger.drop_lost_logs (005_logs) does it.
--   $1 before timestamptz   $2 most_rows int4
-- Columns: looked_at int8, dropped int8.
SELECT looked_at, dropped FROM spanledger.drop_lost_logs($1::timestamptz, $2::int4)
