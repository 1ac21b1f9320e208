-- GenAI content that came as log records (gen_ai.* events, Claude Code's api_request), beside the spans that it belongs to.
--
-- A record is found by the ids of its span and shown among that span's events; the span's own row never changes. So it does not matter which of
-- the two comes first: a record without its span waits here, at most a day (drop_lost_logs), and a trace has at most so many records
-- (write_logs.sql).
CREATE TABLE spanledger.span_log (
    record_time timestamptz NOT NULL,  -- microseconds; record_ns has what is below them
    trace_id uuid NOT NULL,
    span_id int8 NOT NULL,
    content_hash int8 NOT NULL,        -- XXH3 of event: a re-send is the same row
    received_at timestamptz NOT NULL,
    tenant_id int4 NOT NULL,
    position int4 NOT NULL,            -- in its request: the order of records of one time
    trace_bucket int2 NOT NULL,
    record_ns int2 NOT NULL,           -- 0 .. 999
    event text NOT NULL                -- JSON object as in span.events, with "source":"log"
);

DO $$
BEGIN
    IF 'lz4' = ANY ((SELECT enumvals FROM pg_catalog.pg_settings WHERE name = 'default_toast_compression')::text[]) THEN
        ALTER TABLE spanledger.span_log ALTER COLUMN event SET COMPRESSION lz4;
    END IF;
END
$$;

-- Chunks of 30 days: a record's time may differ from its span's, and a lookup a month around the trace meets three of them.
SELECT spanledger.make_hypertable(60, 'span_log', 'record_time', 30);
ALTER TABLE spanledger.span_log ADD CONSTRAINT span_log_key UNIQUE (trace_id, span_id, record_time, content_hash, tenant_id, trace_bucket);
CREATE INDEX span_log_received_idx ON spanledger.span_log (received_at);

-- What upkeep has looked through: records received later have not been asked for their span yet.
INSERT INTO spanledger.setting (name, value) VALUES ('span_log_checked', '1970-01-01 00:00:00+00');

-- Upkeep: looks through the records that were received before p_before and not looked through yet, the oldest p_most of them (and those received
-- together with the last), and deletes those whose span is not there. Says how many it looked at; dropped is how many it deleted.
CREATE FUNCTION spanledger.drop_lost_logs(p_before timestamptz, p_most int4, OUT looked_at int8, OUT dropped int8)
LANGUAGE plpgsql
SET search_path = ''
AS $$
DECLARE
    since timestamptz;
    until timestamptz;
BEGIN
    SELECT value::timestamptz INTO STRICT since FROM spanledger.setting WHERE name = 'span_log_checked' FOR UPDATE;
    SELECT count(*), max(l.received_at) INTO looked_at, until
        FROM (SELECT received_at FROM spanledger.span_log WHERE received_at > since AND received_at < p_before
            ORDER BY received_at LIMIT p_most) AS l;
    dropped := 0;
    IF looked_at = 0 THEN
        RETURN;
    END IF;
    -- The days of the trace say which chunks of span may hold the span.
    DELETE FROM spanledger.span_log AS l
        WHERE l.received_at > since AND l.received_at <= until
            AND NOT EXISTS (
                SELECT FROM spanledger.trace AS t, spanledger.span AS s
                WHERE t.trace_id = l.trace_id AND t.tenant_id = l.tenant_id AND t.trace_bucket = l.trace_bucket
                    AND s.trace_id = l.trace_id AND s.tenant_id = l.tenant_id AND s.trace_bucket = l.trace_bucket
                    AND s.span_id = l.span_id
                    AND s.start_time >= t.day::timestamp AT TIME ZONE 'UTC' AND s.start_time < (t.day + 1)::timestamp AT TIME ZONE 'UTC');
    GET DIAGNOSTICS dropped = ROW_COUNT;
    UPDATE spanledger.setting SET value = to_char(until AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US+00') WHERE name = 'span_log_checked';
END
$$;

CREATE VIEW api.logs AS
SELECT
    l.tenant_id,
    api.trace_hex(l.trace_id) AS trace_id,
    api.span_hex(l.span_id) AS span_id,
    l.record_time,
    l.event::jsonb ->> 'name' AS event_name,
    l.event::jsonb -> 'attributes' AS attributes,
    l.received_at,
    l.trace_id AS trace_uuid,
    l.trace_bucket
FROM spanledger.span_log l;
