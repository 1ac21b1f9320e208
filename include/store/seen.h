/* A bounded memory of recently written span keys, shared by all writers. A hint only: it sends
 * likely re-sends to the staging path at once. */
#ifndef STORE_SEEN_H
#define STORE_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Two generations of open-addressed 64-bit hashes; when the young one is half full, the old one is
 * forgotten and they change places. So the last SEEN_SLOTS / 2 keys at least are known, in fixed
 * memory, without deletion.
 */
#define SEEN_SLOTS (1U << 19) /* per generation: 4 MiB each, allocated at the first key */

struct seen;
struct seen *seen_new(void); /* NULL: no memory */
void seen_free(struct seen *seen);
/* What keys are to be hashed with: random for each process, so that no sender can make keys that meet
 * in one place of the tables (SEC-20). */
uint64_t seen_seed(const struct seen *seen);

/* out_known[i] says whether hashes[i] was added lately. */
void seen_look(struct seen *seen, const uint64_t hashes[], size_t count, bool out_known[]);
/* Without memory it forgets: a hint may be wrong. */
void seen_add(struct seen *seen, const uint64_t hashes[], size_t count);

#endif
