/* Keys of the advisory locks that write_lock.sql takes, one for each trace and each response id.
 * Every program must take them in one order, or two writers wait for each other. Pure. */
#ifndef STORE_LOCKS_H
#define STORE_LOCKS_H

#include "model/stored.h"

int64_t locks_of_trace(int32_t tenant_id, const struct uuid *trace_id);

/* Puts keys in that order and drops doubles. Returns how many are left. */
size_t locks_order(int64_t *keys, size_t count);

/* Whether keys in that order hold this one. */
bool locks_have(const int64_t *keys, size_t count, int64_t key);

#endif
