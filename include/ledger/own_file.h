/* Files of own prices: CSV with a head line, or JSON (docs/prices.md). Pure. */
#ifndef LEDGER_OWN_FILE_H
#define LEDGER_OWN_FILE_H

#include "ledger/prices.h"

#define OWN_FILE_MAX_BYTES ((size_t)64 * 1024 * 1024)
#define OWN_FILE_MAX_ROWS 100000
#define OWN_FILE_MAX_NAME 256 /* bytes of a provider, model, tenant or source */

struct own_file_row {
    struct own_price price; /* without tenant_id */
    struct bytes tenant;    /* its name; empty: everyone */
    uint32_t line;
};

struct own_file {
    struct own_file_row *rows;
    size_t count;
};

/*
 * Reads a whole file; texts and rows live in arena. A file that begins with '[' or '{' is JSON.
 * Names come out in lower case, providers as the list has them. source: of rows that name none.
 * One bad row refuses the file: ERR_BAD_INPUT names line and reason,
 * ERR_TOO_LARGE a limit.
 */
MUST_CHECK bool own_file_read(const struct prices *prices, struct bytes text, struct bytes source,
                              struct arena *arena, struct own_file *out_file, struct err *err);

/* Sets one named field ("model", "input", "above_output", …) of a row. Empty text: nothing is set.
 * Fails with ERR_BAD_INPUT without a line. */
MUST_CHECK bool own_file_set(struct own_file_row *row, struct bytes name, struct bytes text,
                             struct err *err);

/* Whether a name is one of own_file_set's. */
bool own_file_knows(struct bytes name);

#endif
