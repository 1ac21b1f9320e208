-- Where re-sent spans and other versions go first: rows of span with their place in the batch. One per connection, emptied at commit.
CREATE TEMPORARY TABLE IF NOT EXISTS span_stage (LIKE spanledger.span, ord int4 NOT NULL) ON COMMIT DELETE ROWS
