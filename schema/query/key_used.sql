-- Notes the day of a last use.
--   $1 key_ids uuid[]    $2 day date
UPDATE spanledger.api_key AS k SET last_used = $2
WHERE k.key_id = ANY ($1) AND (k.last_used IS NULL OR k.last_used < $2)
