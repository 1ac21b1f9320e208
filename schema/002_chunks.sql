-- Hypertables and their engine.
--
-- *Hypertable*: a table cut by time into *chunks*, so that old time can be dropped as a file and new time is written to small, hot indexes.
-- *Engine*: who cuts. `timescale` (the extension makes chunks by itself) or `native` (declarative range partitions, made by the functions below).
-- The choice is made here, once, and recorded in spanledger.setting 'engine'; nothing above the schema knows which one runs.
--
-- *Window* (native): the days that get chunks of their own, made when first needed:
--
--     MINVALUE      window_first                         today            window_end      MAXVALUE
--        |   past       |   one chunk a day (or 30 days), on demand           |   future      |
--
-- Both bounds lie on the 30-day grid that starts in 1970, so tables of 1-day and of 30-day chunks share them. There is no default partition:
-- beside one, DETACH CONCURRENTLY is refused. The window only ever grows: at its end every 30 days, at its start when the clock was wrong at the
-- first migration or when partition_days_back was raised. Rows that lie in `past` or `future` move into their days then.
--
-- A chunk is made by CREATE TABLE LIKE and ATTACH: CREATE … PARTITION OF takes ACCESS EXCLUSIVE on the parent and waits for every writer.

CREATE TABLE spanledger.hypertable (
    position int4 NOT NULL,            -- order in which writers lock the tables; DDL follows it
    table_name text NOT NULL,
    time_column text NOT NULL,
    is_day bool NOT NULL,              -- the time column is a date, not a timestamptz
    chunk_days int4 NOT NULL,
    CONSTRAINT hypertable_pkey PRIMARY KEY (table_name),
    CONSTRAINT hypertable_position_key UNIQUE (position),
    CONSTRAINT hypertable_chunk_days_check CHECK (chunk_days > 0 AND 30 % chunk_days = 0)
);

CREATE FUNCTION spanledger.setting_of(p_name text) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT value FROM spanledger.setting WHERE name = p_name);

-- First day of the chunk of p_days days that holds p_day.
CREATE FUNCTION spanledger.chunk_first_day(p_day date, p_days int4) RETURNS date
LANGUAGE sql IMMUTABLE
RETURN date '1970-01-01' + (floor((p_day - date '1970-01-01')::numeric / p_days))::int4 * p_days;

-- A day as a bound of the table's time column: independent of DateStyle and TimeZone.
CREATE FUNCTION spanledger.chunk_bound(p_day date, p_is_day bool) RETURNS text
LANGUAGE sql STABLE
RETURN to_char(p_day, 'YYYY-MM-DD') || CASE WHEN p_is_day THEN '' ELSE ' 00:00:00+00' END;

-- Native: the first days of chunks that are missing, of those that hold some of the given days, in order. A table of a chunk's name that is no
-- partition any more is one that retention detached and has not dropped yet; a chunk that was made beside one has a number behind its name.
CREATE FUNCTION spanledger.missing_chunks(p_table spanledger.hypertable, p_days date[]) RETURNS SETOF date
LANGUAGE sql STABLE
SET search_path = ''
AS $$
    SELECT DISTINCT spanledger.chunk_first_day(d, p_table.chunk_days)
    FROM unnest(p_days) AS d
    EXCEPT
    SELECT to_date(substr(c.relname, length(p_table.table_name) + 3, 8), 'YYYYMMDD')
    FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = format('spanledger.%I', p_table.table_name)::regclass AND NOT i.inhdetachpending
        AND c.relname ~ ('^' || p_table.table_name || '_d[0-9]{8}(_[0-9]+)?$')
    ORDER BY 1
$$;

-- Native: makes the chunk that starts with p_first, which is missing.
CREATE FUNCTION spanledger.make_chunk(p_table spanledger.hypertable, p_first date) RETURNS void
LANGUAGE plpgsql
SET search_path = ''
AS $$
DECLARE
    base text := p_table.table_name || '_d' || to_char(p_first, 'YYYYMMDD');
    chunk text := base;
    number int4 := 1;
BEGIN
    WHILE to_regclass(format('spanledger.%I', chunk)) IS NOT NULL LOOP
        number := number + 1;
        chunk := base || '_' || number;
    END LOOP;
    EXECUTE format('CREATE TABLE spanledger.%I (LIKE spanledger.%I INCLUDING ALL)', chunk, p_table.table_name);
    EXECUTE format('ALTER TABLE spanledger.%I ATTACH PARTITION spanledger.%I FOR VALUES FROM (%L) TO (%L)',
        p_table.table_name, chunk,
        spanledger.chunk_bound(p_first, p_table.is_day),
        spanledger.chunk_bound(p_first + p_table.chunk_days, p_table.is_day));
END
$$;

-- Makes the chunks of the given days that are missing, of all hypertables together, p_most of them, and says how many. Days outside the window have the chunks
-- `past` and `future`. To be called in a transaction of its own: the lock makes several sessions take turns, and a session that holds row locks
-- while it waits here would make the others wait for it.
CREATE FUNCTION spanledger.ensure_days(p_days date[], p_most int4 DEFAULT NULL) RETURNS int4
LANGUAGE plpgsql
SET search_path = ''
AS $$
DECLARE
    h spanledger.hypertable;
    first date;
    days date[];
    made int4 := 0;
BEGIN
    IF spanledger.setting_of('engine') <> 'native' THEN
        RETURN 0;
    END IF;
    PERFORM pg_advisory_xact_lock(7310614225601325409);
    days := ARRAY(SELECT d FROM unnest(p_days) AS d
        WHERE d >= spanledger.setting_of('window_first')::date AND d < spanledger.setting_of('window_end')::date);
    FOR h IN SELECT * FROM spanledger.hypertable ORDER BY position LOOP
        FOR first IN SELECT * FROM spanledger.missing_chunks(h, days) LOOP
            PERFORM spanledger.make_chunk(h, first);
            made := made + 1;
            IF made = p_most THEN
                RETURN made;
            END IF;
        END LOOP;
    END LOOP;
    RETURN made;
END
$$;

-- Native: grows the window. Locks every hypertable against readers and writers for as long as the rows of `past` or `future` take to move, so the
-- wait for that lock is short and the caller comes again.
CREATE FUNCTION spanledger.grow_window(p_first date, p_end date) RETURNS void
LANGUAGE plpgsql
SET search_path = ''
AS $$
DECLARE
    h spanledger.hypertable;
    side text;
    old_first date := spanledger.setting_of('window_first')::date;
    old_end date := spanledger.setting_of('window_end')::date;
    sides text[] := '{}';
    days date[];
    all_days date[] := '{}';
BEGIN
    IF p_first > old_first OR p_end < old_end THEN
        RAISE EXCEPTION 'the window of chunks % .. % cannot shrink to % .. %', old_first, old_end, p_first, p_end;
    END IF;
    IF p_first < old_first THEN
        sides := sides || 'past'::text;
    END IF;
    IF p_end > old_end THEN
        sides := sides || 'future'::text;
    END IF;
    PERFORM set_config('lock_timeout', '500ms', true);
    FOR h IN SELECT * FROM spanledger.hypertable ORDER BY position LOOP
        FOREACH side IN ARRAY sides LOOP
            EXECUTE format('ALTER TABLE spanledger.%I DETACH PARTITION spanledger.%I', h.table_name, h.table_name || '_' || side);
            EXECUTE format('SELECT array_agg(DISTINCT day) FROM (SELECT (%I%s)::date AS day FROM spanledger.%I) AS rows WHERE day >= $1 AND day < $2',
                    h.time_column, CASE WHEN h.is_day THEN '' ELSE ' AT TIME ZONE ''UTC''' END, h.table_name || '_' || side)
                INTO days USING p_first, p_end;
            all_days := all_days || days;
        END LOOP;
    END LOOP;
    UPDATE spanledger.setting SET value = to_char(p_first, 'YYYY-MM-DD') WHERE name = 'window_first';
    UPDATE spanledger.setting SET value = to_char(p_end, 'YYYY-MM-DD') WHERE name = 'window_end';
    PERFORM spanledger.ensure_days(all_days);
    FOR h IN SELECT * FROM spanledger.hypertable ORDER BY position LOOP
        FOREACH side IN ARRAY sides LOOP
            EXECUTE format('WITH moved AS (DELETE FROM spanledger.%I WHERE %I >= %L AND %I < %L RETURNING *) INSERT INTO spanledger.%I SELECT * FROM moved',
                h.table_name || '_' || side, h.time_column, spanledger.chunk_bound(p_first, h.is_day),
                h.time_column, spanledger.chunk_bound(p_end, h.is_day), h.table_name);
            PERFORM spanledger.attach_far(h, side);
        END LOOP;
    END LOOP;
END
$$;

-- Native: attaches the chunk `past` or `future` behind the window's bound.
CREATE FUNCTION spanledger.attach_far(p_table spanledger.hypertable, p_side text) RETURNS void
LANGUAGE plpgsql
SET search_path = ''
AS $$
BEGIN
    IF p_side = 'past' THEN
        EXECUTE format('ALTER TABLE spanledger.%I ATTACH PARTITION spanledger.%I FOR VALUES FROM (MINVALUE) TO (%L)',
            p_table.table_name, p_table.table_name || '_past',
            spanledger.chunk_bound(spanledger.setting_of('window_first')::date, p_table.is_day));
    ELSE
        EXECUTE format('ALTER TABLE spanledger.%I ATTACH PARTITION spanledger.%I FOR VALUES FROM (%L) TO (MAXVALUE)',
            p_table.table_name, p_table.table_name || '_future',
            spanledger.chunk_bound(spanledger.setting_of('window_end')::date, p_table.is_day));
    END IF;
END
$$;

-- Upkeep, at start and every six hours: the chunks from yesterday to a week ahead, and a window that ends 35 to 65 days ahead. Says how many chunks it made.
CREATE FUNCTION spanledger.upkeep(p_today date) RETURNS int4
LANGUAGE plpgsql
SET search_path = ''
AS $$
DECLARE
    first date;
    past_end date;
BEGIN
    IF spanledger.setting_of('engine') <> 'native' THEN
        RETURN 0;
    END IF;
    PERFORM pg_advisory_xact_lock(7310614225601325409);
    first := least(spanledger.setting_of('window_first')::date,
        spanledger.chunk_first_day(p_today - spanledger.setting_of('partition_days_back')::int4, 30));
    past_end := spanledger.setting_of('window_end')::date;
    IF past_end - p_today < 35 THEN
        past_end := spanledger.chunk_first_day(p_today + 65, 30);
    END IF;
    IF first < spanledger.setting_of('window_first')::date OR past_end > spanledger.setting_of('window_end')::date THEN
        PERFORM spanledger.grow_window(first, past_end);
    END IF;
    RETURN spanledger.ensure_days(ARRAY(SELECT p_today + d FROM generate_series(-1, 7) AS d));
END
$$;

-- Makes a hypertable of an empty plain table without indexes and constraints (they are added to the hypertable, then every chunk has them).
CREATE FUNCTION spanledger.make_hypertable(p_position int4, p_table text, p_time_column text, p_chunk_days int4) RETURNS void
LANGUAGE plpgsql
SET search_path = ''
AS $$
DECLARE
    h spanledger.hypertable;
    extension_schema text;
    side text;
BEGIN
    INSERT INTO spanledger.hypertable
        SELECT p_position, p_table, p_time_column, a.atttypid = 'date'::regtype, p_chunk_days
        FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = format('spanledger.%I', p_table)::regclass AND a.attname = p_time_column
        RETURNING * INTO STRICT h;
    IF spanledger.setting_of('engine') = 'timescale' THEN
        -- No compression settings yet: the columnstore comes with the issue that measures its segments.
        SELECT n.nspname INTO STRICT extension_schema
            FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
            WHERE e.extname = 'timescaledb';
        EXECUTE format('SELECT %I.create_hypertable(%L::regclass, %L, chunk_time_interval => %L::interval, create_default_indexes => false)',
            extension_schema, format('spanledger.%I', p_table), p_time_column, p_chunk_days || ' days');
        RETURN;
    END IF;
    EXECUTE format('ALTER TABLE spanledger.%I RENAME TO %I', p_table, p_table || '_plain');
    EXECUTE format('CREATE TABLE spanledger.%I (LIKE spanledger.%I INCLUDING ALL) PARTITION BY RANGE (%I)',
        p_table, p_table || '_plain', p_time_column);
    EXECUTE format('DROP TABLE spanledger.%I', p_table || '_plain');
    FOREACH side IN ARRAY '{past,future}'::text[] LOOP
        EXECUTE format('CREATE TABLE spanledger.%I (LIKE spanledger.%I INCLUDING ALL)', p_table || '_' || side, p_table);
        PERFORM spanledger.attach_far(h, side);
    END LOOP;
END
$$;

-- The choice. Before the first migration, `SET spanledger.engine = 'native'` keeps plain partitions where the extension is there, and 'timescale'
-- makes it an error when it cannot be had. Without its loader in shared_preload_libraries CREATE EXTENSION is not an error but the end of the
-- session, so a setting of the loader is looked for first.
DO $$
DECLARE
    wanted text := coalesce(nullif(current_setting('spanledger.engine', true), ''), 'any');
    chosen text := 'native';
    today date := (now() AT TIME ZONE 'UTC')::date;
    days_back int4 := coalesce(nullif(current_setting('spanledger.partition_days_back', true), ''), '400')::int4;
BEGIN
    IF wanted NOT IN ('any', 'native', 'timescale') THEN
        RAISE EXCEPTION 'spanledger.engine is ''%'', want native or timescale', wanted;
    END IF;
    IF wanted <> 'native' THEN
        PERFORM FROM pg_catalog.pg_extension WHERE extname = 'timescaledb';
        IF FOUND THEN
            chosen := 'timescale';
        ELSIF wanted = 'timescale' THEN
            CREATE EXTENSION timescaledb SCHEMA public;
            chosen := 'timescale';
        ELSE
            PERFORM FROM pg_catalog.pg_available_extensions
                WHERE name = 'timescaledb' AND current_setting('timescaledb.disable_load', true) IS NOT NULL;
            IF FOUND THEN
                BEGIN
                    CREATE EXTENSION timescaledb SCHEMA public;
                    chosen := 'timescale';
                EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
                    RAISE WARNING 'extension timescaledb is installed but cannot be created here (%): plain partitions are used', SQLERRM;
                END;
            END IF;
        END IF;
    END IF;
    INSERT INTO spanledger.setting (name, value) VALUES
        ('engine', chosen),
        ('partition_days_back', days_back::text),
        ('window_first', to_char(spanledger.chunk_first_day(today - days_back, 30), 'YYYY-MM-DD')),
        ('window_end', to_char(spanledger.chunk_first_day(today + 65, 30), 'YYYY-MM-DD'));
END
$$;

SELECT spanledger.make_hypertable(10, 'span', 'start_time', 1);
SELECT spanledger.make_hypertable(20, 'span_payload', 'start_time', 1);
SELECT spanledger.make_hypertable(30, 'trace', 'day', 30);

-- Keys begin with the trace id: one comparison of 16 random bytes finds the place, where tenant and bucket first would be compared in vain
-- (measured: a fifth of the cost of an index insertion). Every lookup gives tenant, bucket and trace id, so the order costs nothing.
-- The bucket follows from the trace id, so it is in no key of spans unless the engine looks segments of compressed chunks up by it (measured: 12
-- bytes and 2 % of a COPY).
-- An index on all spans costs about a sixth of the writing speed; that on response ids has those of model calls only.
DO $$
DECLARE
    bucket text := CASE WHEN spanledger.setting_of('engine') = 'timescale' THEN ', trace_bucket' ELSE '' END;
    spans text;
BEGIN
    FOREACH spans IN ARRAY '{span,span_payload}'::text[] LOOP
        EXECUTE format('ALTER TABLE spanledger.%I ADD CONSTRAINT %I UNIQUE (trace_id, span_id, start_time, kind, tenant_id%s)',
            spans, spans || '_key', bucket);
    END LOOP;
END
$$;
-- Spans of one call in several traces are found by their response id.
CREATE INDEX span_response_idx ON spanledger.span (response_key) WHERE response_key IS NOT NULL;

-- Spans with one of some response ids, at most p_most of a day. Each batch of model calls asks this, so its plans are made once: planning costs
-- more than looking. They are made while chunks are empty or not analysed, where the planner would rather read the whole of another index by its
-- time bounds than look for ids one by one: here entries of an index are dear, looking is cheap.
-- A day without any response id, as tomorrow mostly is, is not searched id by id (measured: a third of the time). Of days before the window that
-- is not asked: their spans share one chunk, which would have to be read until one of the day is found.
CREATE FUNCTION spanledger.spans_of_responses(p_tenant_ids int4[], p_keys int8[], p_since timestamptz, p_until timestamptz, p_most int4)
    RETURNS TABLE (response_key int8, trace_bucket int2, trace_id uuid, span_id int8, start_time timestamptz, tenant_id int4)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan
SET random_page_cost = 0.01
SET cpu_operator_cost = 0
SET cpu_index_tuple_cost = 1
AS $$
DECLARE
    window_first timestamptz := coalesce(spanledger.setting_of('window_first'), '-infinity')::timestamp AT TIME ZONE 'UTC';
    window_end timestamptz := coalesce(spanledger.setting_of('window_end'), 'infinity')::timestamp AT TIME ZONE 'UTC';
    first timestamptz := date_trunc('day', p_since, 'UTC');
    next timestamptz;
BEGIN
    WHILE first <= p_until LOOP
        next := first + interval '24 hours';
        IF first < window_first OR first >= window_end OR EXISTS (
            SELECT FROM spanledger.span AS s
            WHERE s.response_key IS NOT NULL AND s.start_time >= first AND s.start_time < next)
        THEN
            RETURN QUERY SELECT s.response_key, s.trace_bucket, s.trace_id, s.span_id, s.start_time, s.tenant_id
                FROM spanledger.span AS s
                WHERE s.response_key = ANY (p_keys) AND s.tenant_id = ANY (p_tenant_ids)
                    AND s.start_time >= greatest(first, p_since) AND s.start_time < next AND s.start_time <= p_until
                LIMIT p_most;
        END IF;
        first := next;
    END LOOP;
END
$$;

-- Lists: by start, by trace id within a nanosecond (the cursor's order); the same for traces with errors, which are few. Newest first they are read
-- backwards: new rows then come to the end of an index, where its pages fill up.
CREATE INDEX trace_start_idx ON spanledger.trace (tenant_id, start_ns, trace_id);
CREATE INDEX trace_error_idx ON spanledger.trace (tenant_id, start_ns, trace_id) WHERE error_count > 0;
-- Traces with rows of several days: a list looks at their other rows too, and must not look for such traces among all.
CREATE INDEX trace_multi_idx ON spanledger.trace (tenant_id, start_ns, trace_id) WHERE multi_day;
-- Filters that few traces pass. Searches read all of the pending list, so it is kept short.
CREATE INDEX trace_facets_idx ON spanledger.trace USING gin (facets) WITH (gin_pending_list_limit = 256) WHERE facets IS NOT NULL;
CREATE INDEX trace_name_idx ON spanledger.trace (tenant_id, left(coalesce(root_name, first_name), 64));
-- Last of the table's indexes. In an empty chunk all of them seem to cost the same for a lookup by trace id, and of equals PostgreSQL takes the
-- newest: a statement planned before the chunk had rows would otherwise read all of trace_start_idx for each trace until the chunk is analysed.
ALTER TABLE spanledger.trace ADD CONSTRAINT trace_key UNIQUE (trace_id, day, tenant_id, trace_bucket);
