-- Adds what costs of spans have changed by to the rows of their traces. Arrays of equal length, an element for each billable span.
--   $1 tenant_ids int4[]  $2 buckets int2[]  $3 trace_ids uuid[]  $4 unpriced int4[]: calls without a known cost
--   $5 … $13 input, cache_read, cache_write, cache_write_1h, output, reasoning, audio_input, audio_output, image int8[]  $14 request int8[]
--   $15 total int8[]   $16 day date
-- A trace's sums are those of its billable spans, and whoever may change either holds the trace's lock: what is added stays true.
-- Of arrays in a sub-select the planner does not know the length and thinks that they are short: it begins with them, also while the big table was not
-- analysed yet. Otherwise it may read that for each of them.
UPDATE spanledger.trace AS t
SET (unpriced_calls, input_cost, cache_read_cost, cache_write_cost, cache_write_1h_cost, output_cost, reasoning_cost, audio_input_cost,
     audio_output_cost, image_cost, request_cost, cost_total)
  = (nullif(coalesce(t.unpriced_calls, 0) + d.unpriced, 0)::int4, nullif(coalesce(t.input_cost, 0) + d.input_cost, 0),
     nullif(coalesce(t.cache_read_cost, 0) + d.cache_read_cost, 0), nullif(coalesce(t.cache_write_cost, 0) + d.cache_write_cost, 0),
     nullif(coalesce(t.cache_write_1h_cost, 0) + d.cache_write_1h_cost, 0), nullif(coalesce(t.output_cost, 0) + d.output_cost, 0),
     nullif(coalesce(t.reasoning_cost, 0) + d.reasoning_cost, 0), nullif(coalesce(t.audio_input_cost, 0) + d.audio_input_cost, 0),
     nullif(coalesce(t.audio_output_cost, 0) + d.audio_output_cost, 0), nullif(coalesce(t.image_cost, 0) + d.image_cost, 0),
     nullif(coalesce(t.request_cost, 0) + d.request_cost, 0), nullif(coalesce(t.cost_total, 0) + d.cost_total, 0))
FROM (
    SELECT k.tenant_id, k.trace_bucket, k.trace_id, sum(k.unpriced) AS unpriced, sum(k.input_cost) AS input_cost,
        sum(k.cache_read_cost) AS cache_read_cost, sum(k.cache_write_cost) AS cache_write_cost, sum(k.cache_write_1h_cost) AS cache_write_1h_cost,
        sum(k.output_cost) AS output_cost, sum(k.reasoning_cost) AS reasoning_cost, sum(k.audio_input_cost) AS audio_input_cost,
        sum(k.audio_output_cost) AS audio_output_cost, sum(k.image_cost) AS image_cost, sum(k.request_cost) AS request_cost,
        sum(k.cost_total) AS cost_total
    FROM unnest((SELECT $1::int4[]), (SELECT $2::int2[]), (SELECT $3::uuid[]), (SELECT $4::int4[]), (SELECT $5::int8[]), (SELECT $6::int8[]),
            (SELECT $7::int8[]), (SELECT $8::int8[]), (SELECT $9::int8[]), (SELECT $10::int8[]), (SELECT $11::int8[]), (SELECT $12::int8[]),
            (SELECT $13::int8[]), (SELECT $14::int8[]), (SELECT $15::int8[]))
        AS k (tenant_id, trace_bucket, trace_id, unpriced, input_cost, cache_read_cost, cache_write_cost, cache_write_1h_cost, output_cost,
              reasoning_cost, audio_input_cost, audio_output_cost, image_cost, request_cost, cost_total)
    GROUP BY k.tenant_id, k.trace_bucket, k.trace_id
) AS d
WHERE t.trace_id = d.trace_id AND t.day = $16 AND t.tenant_id + 0 = d.tenant_id AND t.trace_bucket = d.trace_bucket
