-- Where what a batch adds to trace rows stands before write_trace.sql merges it. One per connection, emptied at commit.
CREATE TEMPORARY TABLE IF NOT EXISTS trace_stage (LIKE spanledger.trace) ON COMMIT DELETE ROWS
