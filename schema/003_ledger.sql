-- Tables of keys, prices, rollups and retention. They have their place from the beginning, so that no later version must rewrite a large table.
-- project, api_key, cost_half_hour, cost_day, closed_day, retention_policy and erasure_receipt are empty: the code that fills them comes with
-- their issues.
--
-- *Rollup*: sums over spans by some dimensions and a span of time; it always equals the sum over the spans it stands for.
-- *Closing the books*: before anything of a tenant's day is removed, the sums of that day are recorded with a digest; from then on the day's
-- rollups are the truth about it, and no span of it is taken any more.
-- Money is pico-USD (10^-12 USD) in integers; sums are numeric because 2^63 pico-USD are only 9.2 million USD. Dimensions are '' where unknown:
-- a NULL would escape ON CONFLICT.

-- A label inside a tenant, not a wall.
CREATE TABLE spanledger.project (
    tenant_id int4 NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT project_pkey PRIMARY KEY (tenant_id, name),
    CONSTRAINT project_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES spanledger.tenant (tenant_id)
);

-- Keys are shown once, when made; here is what recognises them.
CREATE TABLE spanledger.api_key (
    key_id uuid NOT NULL,
    tenant_id int4 NOT NULL,
    public text NOT NULL,              -- user name of Basic, and how people tell keys apart
    secret_digest bytea NOT NULL,      -- SHA-256 of 256 random bits: nothing to guess, so no slow hash
    scopes text[] NOT NULL,
    project text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used date,
    CONSTRAINT api_key_pkey PRIMARY KEY (key_id),
    CONSTRAINT api_key_public_key UNIQUE (public),
    CONSTRAINT api_key_secret_digest_key UNIQUE (secret_digest),
    CONSTRAINT api_key_scopes_check CHECK (scopes <@ '{ingest,read,admin}' AND scopes <> '{}'),
    CONSTRAINT api_key_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES spanledger.tenant (tenant_id)
);

-- A price never changes: a new row with a later date takes its place.
CREATE TABLE spanledger.model_price (
    price_id int8 GENERATED ALWAYS AS IDENTITY,
    tenant_id int4,                    -- NULL: for every tenant that has none of its own
    provider text NOT NULL,            -- '': any
    model text NOT NULL,
    effective_from timestamptz NOT NULL,
    prices jsonb NOT NULL,             -- per kind of token: USD per million as decimal text, tiers by size of context
    source text NOT NULL,              -- where the price was taken from
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT model_price_pkey PRIMARY KEY (price_id),
    CONSTRAINT model_price_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES spanledger.tenant (tenant_id)
);
CREATE UNIQUE INDEX model_price_own_key ON spanledger.model_price (tenant_id, provider, model, effective_from) WHERE tenant_id IS NOT NULL;
CREATE UNIQUE INDEX model_price_global_key ON spanledger.model_price (provider, model, effective_from) WHERE tenant_id IS NULL;

-- Rates that spans were or may be priced with, as they were: each server writes those of its list before it prices a span with it, so that a cost can be
-- explained after the list has changed.
CREATE TABLE spanledger.price (
    price_id int8 NOT NULL,            -- hash of all that follows
    name text NOT NULL,                -- 'openai:gpt-4o'
    provider text NOT NULL,
    source text NOT NULL,              -- list and version, or 'own'
    effective_from timestamptz,        -- NULL: always
    rates jsonb NOT NULL,              -- kind -> pico-USD per token, 'request' per call
    first_known timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT price_pkey PRIMARY KEY (price_id)
);

-- A re-pricing: what was asked for, how far it came (one that was interrupted goes on from there), and when it was done.
CREATE TABLE spanledger.price_change (
    change_id int8 GENERATED ALWAYS AS IDENTITY,
    tenant_id int4,                    -- NULL: all, here and below
    from_time timestamptz NOT NULL,
    to_time timestamptz NOT NULL,
    provider text,
    model text,                        -- pattern of --model
    prices text NOT NULL,              -- digest of the prices that it goes by
    changed_by text NOT NULL,
    dry_run bool NOT NULL,             -- changes nothing; the row goes when its result was read
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,           -- NULL: under way, or interrupted
    done_day date,                     -- all traces of earlier days are done, and of this day those up to done_trace_id; NULL: none
    done_trace_id uuid,
    done_tenant_id int4,
    CONSTRAINT price_change_pkey PRIMARY KEY (change_id),
    CONSTRAINT price_change_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES spanledger.tenant (tenant_id)
);

-- What it did, over the spans that it has looked at.
CREATE TABLE spanledger.price_change_sum (
    change_id int8 NOT NULL,
    tenant_id int4 NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    spans int8 NOT NULL,
    changed int8 NOT NULL,
    calls int8 NOT NULL,               -- billed ones, here and below
    unpriced_before int8 NOT NULL,
    unpriced_after int8 NOT NULL,
    cost_before numeric NOT NULL,      -- pico-USD
    cost_after numeric NOT NULL,
    CONSTRAINT price_change_sum_pkey PRIMARY KEY (change_id, tenant_id, provider, model),
    CONSTRAINT price_change_sum_change_fkey FOREIGN KEY (change_id) REFERENCES spanledger.price_change (change_id) ON DELETE CASCADE
);

-- Sums by half hour: the finest step that every time zone's days are made of (+05:30, +05:45 is rounded outwards).
CREATE TABLE spanledger.cost_half_hour (
    half_hour timestamptz NOT NULL,
    tenant_id int4 NOT NULL,
    project text NOT NULL,
    service_name text NOT NULL,
    environment text NOT NULL,
    observation_type text NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    calls int8 NOT NULL,               -- billable spans
    errors int8 NOT NULL,
    unpriced_calls int8 NOT NULL,
    input_tokens numeric NOT NULL,
    cache_read_tokens numeric NOT NULL,
    cache_write_tokens numeric NOT NULL,
    cache_write_1h_tokens numeric NOT NULL,
    output_tokens numeric NOT NULL,
    reasoning_tokens numeric NOT NULL,
    audio_input_tokens numeric NOT NULL,
    audio_output_tokens numeric NOT NULL,
    image_tokens numeric NOT NULL,
    total_tokens numeric NOT NULL,
    cost_total numeric NOT NULL,       -- pico-USD
    duration_histogram int8[] NOT NULL -- counts by power of two of microseconds: added element by element
);
SELECT spanledger.make_hypertable(40, 'cost_half_hour', 'half_hour', 30);
ALTER TABLE spanledger.cost_half_hour ADD CONSTRAINT cost_half_hour_key
    UNIQUE (tenant_id, half_hour, project, service_name, environment, observation_type, provider, model);

-- Sums by UTC day and one further dimension (user, session, tag, prompt, agent, or none): many values, so not combined with each other.
CREATE TABLE spanledger.cost_day (
    day date NOT NULL,
    tenant_id int4 NOT NULL,
    dimension text NOT NULL,           -- '': none
    dimension_value text NOT NULL,
    project text NOT NULL,
    service_name text NOT NULL,
    environment text NOT NULL,
    observation_type text NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    calls int8 NOT NULL,
    errors int8 NOT NULL,
    unpriced_calls int8 NOT NULL,
    input_tokens numeric NOT NULL,
    cache_read_tokens numeric NOT NULL,
    cache_write_tokens numeric NOT NULL,
    cache_write_1h_tokens numeric NOT NULL,
    output_tokens numeric NOT NULL,
    reasoning_tokens numeric NOT NULL,
    audio_input_tokens numeric NOT NULL,
    audio_output_tokens numeric NOT NULL,
    image_tokens numeric NOT NULL,
    total_tokens numeric NOT NULL,
    cost_total numeric NOT NULL,       -- pico-USD
    duration_histogram int8[] NOT NULL
);
SELECT spanledger.make_hypertable(50, 'cost_day', 'day', 30);
ALTER TABLE spanledger.cost_day ADD CONSTRAINT cost_day_key
    UNIQUE (tenant_id, day, dimension, dimension_value, project, service_name, environment, observation_type, provider, model);

-- Days whose spans may be gone: their sums, as they were at the closing.
CREATE TABLE spanledger.closed_day (
    tenant_id int4 NOT NULL,
    day date NOT NULL,
    closed_at timestamptz NOT NULL DEFAULT now(),
    sums jsonb NOT NULL,
    digest bytea NOT NULL,             -- SHA-256 over the day's rollup rows in key order
    CONSTRAINT closed_day_pkey PRIMARY KEY (tenant_id, day),
    CONSTRAINT closed_day_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES spanledger.tenant (tenant_id)
);

-- Days to keep; NULL: for ever. No row: the defaults of the program.
CREATE TABLE spanledger.retention_policy (
    tenant_id int4 NOT NULL,
    span_days int4,
    payload_days int4,
    rollup_days int4,
    limit_day date,                    -- the first day that is still open: spans before it are refused
    CONSTRAINT retention_policy_pkey PRIMARY KEY (tenant_id),
    CONSTRAINT retention_policy_days_check CHECK (span_days > 0 AND payload_days > 0 AND rollup_days > 0),
    CONSTRAINT retention_policy_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES spanledger.tenant (tenant_id)
);

-- Proof of an erasure: counts and digests, nothing of what was erased.
CREATE TABLE spanledger.erasure_receipt (
    receipt_id uuid NOT NULL,
    tenant_id int4 NOT NULL,
    erased_at timestamptz NOT NULL DEFAULT now(),
    requested_by text NOT NULL,
    subject_digest bytea NOT NULL,     -- keyed digest of the trace, user or session that was erased
    spans int8 NOT NULL,
    traces int8 NOT NULL,
    payloads int8 NOT NULL,
    cost_total numeric NOT NULL,       -- pico-USD taken out of the rollups
    CONSTRAINT erasure_receipt_pkey PRIMARY KEY (receipt_id),
    CONSTRAINT erasure_receipt_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES spanledger.tenant (tenant_id)
);

-- Who changed tenants, keys, prices and retention.
CREATE TABLE spanledger.admin_audit (
    audit_id int8 GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    action text NOT NULL,
    tenant_id int4,
    detail jsonb NOT NULL,
    CONSTRAINT admin_audit_pkey PRIMARY KEY (audit_id)
);
