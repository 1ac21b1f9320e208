-- Log records, beside their spans. What is there already stays as it is; beyond most_rows of a trace new ones are refused.
--   $1 tenant_ids int4[]      $4 span_ids int8[]            $7 content_hashes int8[]   $10 events text[]
--   $2 buckets int2[]         $5 record_times timestamptz[] $8 positions int4[]        $11 most_rows int4
--   $3 trace_ids uuid[]       $6 record_nss int2[]          $9 received_ats timestamptz[]
-- Columns: written int8, refused int4[] (places in the arrays, from 1). The room of a trace is counted once, at its first new record; two
-- writers at the same moment may pass it together: it is a bound, not an account. In the order of the key, so that writers do not wait for each
-- other in circles.
WITH sent AS MATERIALIZED (
    SELECT s.*, row_number() OVER (PARTITION BY s.tenant_id, s.trace_bucket, s.trace_id ORDER BY s.ord) AS number
    FROM unnest($1::int4[], $2::int2[], $3::uuid[], $4::int8[], $5::timestamptz[], $6::int2[], $7::int8[], $8::int4[], $9::timestamptz[], $10::text[])
        WITH ORDINALITY AS s (tenant_id, trace_bucket, trace_id, span_id, record_time, record_ns, content_hash, position, received_at, event, ord)
    WHERE NOT EXISTS (
        SELECT FROM spanledger.span_log AS l
        WHERE l.trace_id = s.trace_id AND l.span_id = s.span_id AND l.record_time = s.record_time AND l.content_hash = s.content_hash
            AND l.tenant_id = s.tenant_id AND l.trace_bucket = s.trace_bucket)
), measured AS (
    SELECT s.*, CASE WHEN s.number = 1 THEN $11::int4 - (
            SELECT count(*) FROM (
                SELECT FROM spanledger.span_log AS l
                WHERE l.trace_id = s.trace_id AND l.tenant_id = s.tenant_id AND l.trace_bucket = s.trace_bucket LIMIT $11::int4) AS there)
        END AS room_of_first
    FROM sent AS s
), fresh AS MATERIALIZED (
    SELECT m.*, max(m.room_of_first) OVER (PARTITION BY m.tenant_id, m.trace_bucket, m.trace_id) AS room
    FROM measured AS m
), written AS (
    INSERT INTO spanledger.span_log AS l
        (record_time, trace_id, span_id, content_hash, received_at, tenant_id, position, trace_bucket, record_ns, event)
    SELECT f.record_time, f.trace_id, f.span_id, f.content_hash, f.received_at, f.tenant_id, f.position, f.trace_bucket, f.record_ns, f.event
    FROM fresh AS f
    WHERE f.number <= f.room
    ORDER BY f.trace_id, f.span_id, f.record_time, f.content_hash
    ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT (SELECT count(*) FROM written) AS written,
    ARRAY(SELECT f.ord::int4 FROM fresh AS f WHERE f.number > f.room) AS refused
