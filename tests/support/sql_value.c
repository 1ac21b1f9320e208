#include "support/sql_value.h"

#include <libpq-fe.h>
#include <stdio.h>

#include "test.h"

const char *sql_value(const char *conninfo, const char *sql)
{
    static char answer[256];
    PGconn *conn = PQconnectdb(conninfo);
    PGresult *result = PQexec(conn, sql);

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    (void)snprintf(answer, sizeof(answer), "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    PQfinish(conn);
    return answer;
}
