-- Whether keys have changed.
SELECT s.value::int8 AS epoch FROM spanledger.setting AS s WHERE s.name = 'key_epoch'
