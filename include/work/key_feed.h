/*
 * The keys that are in force, in memory.
 *
 * DESIGN: a thread of its own looks several times a second whether keys have changed and takes all of
 * them over. A request is looked up in memory only: unknown keys, however many, never reach the
 * database. Where the database did not answer for KEY_FEED_STALE_MS, nobody is let in (503), because
 * a key may have been revoked meanwhile; so a revoked key is one everywhere within that time.
 */
#ifndef WORK_KEY_FEED_H
#define WORK_KEY_FEED_H

#include "model/key.h"

#define KEY_FEED_EVERY_MS 200
#define KEY_FEED_STALE_MS 5000

struct key_feed;

/* Reads the keys and starts the thread. Fails as db_open does. */
MUST_CHECK bool key_feed_start(const char *conninfo, struct key_feed **out_feed, struct err *err);
void key_feed_stop(struct key_feed *feed); /* NULL: nothing */

/*
 * What a key grants. public: of Basic; at NULL: none was sent. Any thread, never blocks on the
 * database. Fails with ERR_UNAUTHENTICATED (unknown, revoked, expired: one text for all) or
 * ERR_UNAVAILABLE (the keys are stale).
 */
MUST_CHECK bool key_feed_look(struct key_feed *feed, struct bytes secret, struct bytes public,
                              struct key_grant *out_grant, struct err *err);

#endif
