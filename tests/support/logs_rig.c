/* A running server that gets log records. */
#include "support/logs_rig.h"

#include "base/text.h"
#include "test.h"

struct logs_rig logs_rig;

int logs_rig_start(void **state)
{
    char conninfo[512];
    struct err err;

    (void)state;
    reply_init(&logs_rig.reply);
    arena_init(&logs_rig.arena, (size_t)1 << 30);
    buf_init(&logs_rig.body, (size_t)64 << 20);
    return server_up(&logs_rig.server, NULL) &&
                   server_conninfo(&logs_rig.server, conninfo, sizeof(conninfo)) &&
                   db_open(&logs_rig.db, conninfo, DB_ADMIN, 0, &err)
               ? 0
               : -1;
}

int logs_rig_stop(void **state)
{
    (void)state;
    db_close(&logs_rig.db);
    server_remove(&logs_rig.server);
    reply_done(&logs_rig.reply);
    arena_done(&logs_rig.arena);
    buf_done(&logs_rig.body);
    return 0;
}

int logs_rig_clear(void **state)
{
    (void)state;
    arena_reset(&logs_rig.arena);
    buf_clear(&logs_rig.body);
    return 0;
}

void logs_rig_post(bool json, struct bytes message)
{
    http_call(logs_rig.server.http_port, "POST", "/v1/logs", json ? JSON_TYPE : PROTOBUF_TYPE,
              message, &logs_rig.reply);
}

size_t logs_rig_events(const struct doc *span)
{
    struct doc *event;
    size_t count = 0;

    DOC_EACH(i, event, doc_get(span, "events"))
    {
        count += strcmp(doc_at(event, "source", NULL), "log") == 0;
    }
    return count;
}

struct doc *logs_rig_span(const uint8_t trace_id[16], const char *span_id)
{
    return get_doc(
        &logs_rig.arena, logs_rig.server.http_port,
        arena_printf(&logs_rig.arena, "/api/v1/spans/%s/%s", hex_of(trace_id, 16), span_id));
}

int64_t logs_rig_number(const char *sql)
{
    DB_RESULT res = PQexec(logs_rig.db.conn, sql);
    int64_t found = -1;

    if (PQresultStatus(res) != PGRES_TUPLES_OK ||
        !text_int64(bytes_of(PQgetvalue(res, 0, 0)), &found))
        fail_msg("%s: %s", sql, PQresultErrorMessage(res));
    return found;
}
