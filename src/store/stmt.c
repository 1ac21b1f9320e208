/* Prepared read statements. */
#include "store/stmt.h"

#include "base/stats.h"
#include "queries.h"
#include "store/pgtypes.h"

/* Short names for the tables below. */
enum {
    BOOL = BOOLOID,
    BYTEA = BYTEAOID,
    INT8 = INT8OID,
    INT8S = INT8ARRAYOID,
    INT2 = INT2OID,
    INT4 = INT4OID,
    TEXT = TEXTOID,
    TEXTS = TEXTARRAYOID,
    DATE = DATEOID,
    TIME = TIMESTAMPTZOID,
    UUID = UUIDOID,
    UUIDS = UUIDARRAYOID,
};

#define KEY INT4, INT2, UUID
/* schema/query/span_read_skeleton.txt, span_read_whole.txt */
#define SKELETON                                                                                   \
    INT8, TIME, INT4, INT2, INT8, INT8, INT4, INT2, INT4, TIME, INT4, TEXT, TEXT, TEXT, TEXT,      \
        INT4, TEXT, TEXT, TEXT, TEXT, TIME, INT8S, INT8S, BOOL, INT2, UUID, INT8
#define WHOLE                                                                                      \
    SKELETON, UUID, UUID, INT4, INT8, INT8, INT8, INT8, INT8, INT8, TEXT, TEXT, TEXT, TEXT, TEXT,  \
        BYTEA, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, TEXTS, TEXT, TEXT

/* schema/query/trace_days.sql: ranks, texts, sets */
#define FACTS INT8S, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, TEXTS, TEXTS, TEXTS
#define RANGE INT4, DATE, DATE, INT8, INT8
/* schema/query/group_sums.txt behind the id */
#define GROUP TEXT, INT8, INT8, INT8, INT8, UUID, INT8, TEXT, TEXTS, TEXTS, INT8, INT8, INT8, TEXTS

const struct stmt stmts[STMT_MAX] =
    {
        [STMT_TRACE_DAYS] =
            {
                .name = "trace_days",
                .sql = sql_trace_days,
                .params = {KEY},
                .columns = {DATE, INT4, FACTS},
            },
        [STMT_TRACE_SPANS] =
            {
                .name = "trace_spans",
                .sql = sql_trace_spans,
                .params = {KEY, TIME, TIME, INT8, TIME, INT4, INT4},
                .columns = {WHOLE},
            },
        [STMT_TRACE_SKELETON] =
            {
                .name = "trace_skeleton",
                .sql = sql_trace_skeleton,
                .params = {KEY, TIME, TIME, INT8, TIME, INT4, INT4},
                .columns = {SKELETON},
            },
        [STMT_SPAN] =
            {
                .name = "span",
                .sql = sql_span,
                .params = {KEY, TIME, TIME, INT8, INT4},
                .columns = {WHOLE},
            },
        [STMT_SPAN_LOGS] =
            {
                .name = "span_logs",
                .sql = sql_span_logs,
                .params = {KEY, TIME, TIME, INT8, INT8, INT8, TIME, INT8, INT4},
                .columns = {INT8, TIME, INT8, INT2, INT4, TEXT},
            },
        [STMT_RESOURCES] =
            {
                .name = "resources",
                .sql = sql_resources,
                .params = {INT4, UUIDS},
                .columns = {UUID, TEXT, TEXT, INT8, TEXT, BYTEA},
            },
        [STMT_SCOPES] =
            {
                .name = "scopes",
                .sql = sql_scopes,
                .params = {INT4, UUIDS},
                .columns = {UUID, TEXT, TEXT, TEXT, INT8, TEXT, BYTEA},
            },
        [STMT_SERVICES] =
            {
                .name = "services",
                .sql = sql_services,
                .params = {INT4, INT4},
                .columns = {TEXT, DATE, DATE},
            },
        [STMT_PRICES] =
            {
                .name = "prices",
                .sql = sql_prices,
                .params = {INT8S},
                .columns = {INT8, TEXT, TEXT, TIME},
            },
        [STMT_GROUP_ONE] =
            {
                .name = "group_one",
                .sql = sql_group_one,
                .params = {RANGE, TEXT, TEXT},
                .columns = {GROUP},
            },
        [STMT_GROUP_PAGE] =
            {
                .name = "group_page",
                .sql = sql_group_page,
                .params = {RANGE, TEXT, INT4, INT8, UUID, INT4},
                .columns = {GROUP, INT8, UUID, INT8, INT8, UUID},
            },
        [STMT_MODELS] =
            {
                .name = "models",
                .sql = sql_models,
                .params = {RANGE, INT8, UUID, INT4},
                .columns = {TEXT, TEXT, INT8, INT8, INT8, TEXTS, INT8, INT8, INT8, INT8, UUID},
            },
};

const unsigned stmt_list_columns[] = {INT8,  INT8,  INT8,  UUID, UUID, INT8,  INT8, TIME,
                                      TEXT,  TEXT,  BOOL,  INT8, INT8, INT8,  INT8, INT8,
                                      TEXTS, TEXT,  TEXT,  TEXT, TEXT, TEXT,  TEXT, TEXT,
                                      TEXTS, TEXTS, TEXTS, INT8, INT8, TEXTS, 0};

const size_t stmt_list_columns_bytes = sizeof(stmt_list_columns);

static size_t count_of(const unsigned *oids)
{
    size_t count = 0;

    while (oids[count])
        count++;
    return count;
}

static bool verify(const struct stmt *stmt, const PGresult *described, struct err *err)
{
    const size_t params = count_of(stmt->params);
    const size_t columns = count_of(stmt->columns);

    if ((size_t)PQnparams(described) != params || (size_t)PQnfields(described) != columns)
        return err_set(err, ERR_INTERNAL,
                       "statement '%s' has %d parameters and %d columns, want %zu and %zu",
                       stmt->name, PQnparams(described), PQnfields(described), params, columns);
    for (int i = 0; i < (int)params; i++)
        if (PQparamtype(described, i) != stmt->params[i])
            return err_set(err, ERR_INTERNAL, "statement '%s': parameter %d has type %u, want %u",
                           stmt->name, i + 1, PQparamtype(described, i), stmt->params[i]);
    for (int i = 0; i < (int)columns; i++)
        if (PQftype(described, i) != stmt->columns[i])
            return err_set(err, ERR_INTERNAL, "statement '%s': column '%s' has type %u, want %u",
                           stmt->name, PQfname(described, i), PQftype(described, i),
                           stmt->columns[i]);
    return true;
}

bool stmt_prepare(struct db *db, const struct stmt *stmt, struct err *err)
{
    const int params = (int)count_of(stmt->params);

    if (!db->conn)
        return err_set(err, ERR_UNAVAILABLE, "not connected");

    DB_RESULT prepared =
        db_answer(db, PQsendPrepare(db->conn, stmt->name, stmt->sql, params, stmt->params));
    DB_RESULT described = NULL;

    if (PQresultStatus(prepared) != PGRES_COMMAND_OK)
        return db_fail(db, prepared, err);
    described = db_answer(db, PQsendDescribePrepared(db->conn, stmt->name));
    if (PQresultStatus(described) != PGRES_COMMAND_OK)
        return db_fail(db, described, err);
    return verify(stmt, described, err);
}

bool stmt_prepare_all(struct db *db, struct err *err)
{
    for (int i = 0; i < STMT_MAX; i++)
        if (!stmt_prepare(db, &stmts[i], err))
            return false;
    return true;
}

bool stmt_send(struct db *db, const char *name, const struct row_params *params, struct err *err)
{
    if (!db->conn)
        return err_set(err, ERR_UNAVAILABLE, "not connected");
    stats_add(STAT_QUERIES, 1);
    return PQsendQueryPrepared(db->conn, name, params->count, params->values, params->lengths,
                               params->formats, 1) == 1 ||
           db_fail(db, NULL, err);
}

bool stmt_receive(struct db *db, PGresult **out_res, struct err *err)
{
    DB_RESULT res = db_next(db);

    for (PGresult *more; (more = db_next(db));)
        PQclear(more); /* the end of the statement; there is nothing else */
    if (PQresultStatus(res) != PGRES_TUPLES_OK) {
        stats_add(STAT_QUERIES_FAILED, 1);
        /* Parameters were checked by whoever made them: what the database refuses is our bug. */
        if (!db_fail(db, res, err) && err->kind == ERR_BAD_INPUT)
            err->kind = ERR_INTERNAL;
        return false;
    }
    *out_res = res;
    res = NULL;
    return true;
}

bool stmt_run(struct db *db, const char *name, const struct row_params *params, PGresult **out_res,
              struct err *err)
{
    return stmt_send(db, name, params, err) && stmt_receive(db, out_res, err);
}
