-- Staged versions that stand take the place of the stored ones, which are remembered by their hashes (64 at most).
--   $1 since, $2 until timestamptz   $3 ords int4[]
-- The columns of the key are set too, to what they are: one list of columns serves all statements.
UPDATE spanledger.span AS t
SET (
--@columns span_columns
    , other_versions) = (SELECT
--@columns span_columns
    , ARRAY(SELECT DISTINCT h FROM unnest(t.other_versions || t.content_hash || staged.other_versions) AS h
            WHERE h <> staged.content_hash LIMIT 64)
    FROM (SELECT s.*) AS staged)
FROM pg_temp.span_stage AS s
WHERE t.tenant_id = s.tenant_id AND t.trace_bucket = s.trace_bucket AND t.trace_id = s.trace_id
  AND t.span_id = s.span_id AND t.start_time = s.start_time AND t.kind = s.kind
  AND t.start_time >= $1 AND t.start_time <= $2 AND s.ord = ANY ($3)
