-- Staged spans that are new.
--   $1 there int4[]: ords that are there already
INSERT INTO spanledger.span (
--@columns span_columns
    , other_versions)
SELECT
--@columns span_columns
    , other_versions
FROM pg_temp.span_stage
WHERE ord <> ALL ($1)
