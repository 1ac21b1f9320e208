/* Own prices in JSON. Inner room of ledger/own_file. */
#ifndef LEDGER_OWN_JSON_H
#define LEDGER_OWN_JSON_H

#include "ledger/own_file.h"

/* An array of objects, or an object with it as "prices". Each row, with its
 * line, is given to add. */
MUST_CHECK bool own_json_read(struct bytes text, struct arena *arena,
                              bool (*add)(void *to, struct own_file_row *row, struct err *err),
                              void *to, struct err *err);

#endif
