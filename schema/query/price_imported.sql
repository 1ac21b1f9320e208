-- Records an import that changed something.
--   $1 actor text    $2 rows int8    $3 added int8    $4 replaced int8
INSERT INTO spanledger.admin_audit (actor, action, detail)
VALUES ($1, 'prices imported', jsonb_build_object('rows', $2::int8, 'added', $3::int8, 'replaced', $4::int8))
