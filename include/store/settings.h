/* The embedded database's settings, from the machine's size. */
#ifndef STORE_SETTINGS_H
#define STORE_SETTINGS_H

#include "base/bytes.h"

/* Memory that this process may use: the machine's, or the control group's limit when that is less. */
int64_t settings_memory_bytes(void);

/* Appends spanledger.conf, which is rewritten at every start. Pure. */
void settings_render(struct buf *out, int64_t memory_bytes, bool timescale);

/* Appends postgresql.conf, written once: what stands in it wins, so an operator has the last word. */
void settings_render_main(struct buf *out, bool wal_lz4);

#endif
