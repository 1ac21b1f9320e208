-- New costs of spans. Arrays of equal length; of the costs NULL: none, or not known.
--   $1 tenant_ids int4[]  $2 buckets int2[]  $3 trace_ids uuid[]  $4 span_ids int8[]  $5 start_times timestamptz[]  $6 kinds int4[]
--   $7 … $15 input, cache_read, cache_write, cache_write_1h, output, reasoning, audio_input, audio_output, image int8[]  $16 request int8[]
--   $17 computed int8[]  $18 total int8[]  $19 source int2[]  $20 price_ids int8[]   $21 since, $22 until timestamptz (chunk exclusion)
-- Of arrays in a sub-select the planner does not know the length and thinks that they are short: it begins with them, also while the big table was not
-- analysed yet. Otherwise it may read that for each of them.
UPDATE spanledger.span AS t
SET (input_cost, cache_read_cost, cache_write_cost, cache_write_1h_cost, output_cost, reasoning_cost, audio_input_cost, audio_output_cost,
     image_cost, request_cost, cost_computed, cost_total, cost_source, price_id)
  = (k.input_cost, k.cache_read_cost, k.cache_write_cost, k.cache_write_1h_cost, k.output_cost, k.reasoning_cost, k.audio_input_cost,
     k.audio_output_cost, k.image_cost, k.request_cost, k.cost_computed, k.cost_total, k.cost_source, k.price_id)
FROM unnest((SELECT $1::int4[]), (SELECT $2::int2[]), (SELECT $3::uuid[]), (SELECT $4::int8[]), (SELECT $5::timestamptz[]), (SELECT $6::int4[]),
        (SELECT $7::int8[]), (SELECT $8::int8[]), (SELECT $9::int8[]), (SELECT $10::int8[]), (SELECT $11::int8[]), (SELECT $12::int8[]),
        (SELECT $13::int8[]), (SELECT $14::int8[]), (SELECT $15::int8[]), (SELECT $16::int8[]), (SELECT $17::int8[]), (SELECT $18::int8[]),
        (SELECT $19::int2[]), (SELECT $20::int8[]))
    AS k (tenant_id, trace_bucket, trace_id, span_id, start_time, kind, input_cost, cache_read_cost, cache_write_cost, cache_write_1h_cost,
          output_cost, reasoning_cost, audio_input_cost, audio_output_cost, image_cost, request_cost, cost_computed, cost_total, cost_source,
          price_id)
WHERE t.trace_id = k.trace_id AND t.span_id = k.span_id AND t.start_time = k.start_time AND t.kind = k.kind
    AND t.tenant_id = k.tenant_id AND t.trace_bucket = k.trace_bucket AND t.start_time >= $21 AND t.start_time <= $22
