/* The running program as the request handlers see it. */
#ifndef EDGE_APP_H
#define EDGE_APP_H

#include "base/cfg.h"
#include "wire/server.h"
#include "work/ingest.h"
#include "work/key_feed.h"
#include "work/read_pool.h"

struct app {
    const struct cfg *cfg;
    struct ingest *ingest;
    struct read_pool *readers;
    struct key_feed *keys; /* NULL: nobody is asked for a key */
};

/* The handlers of a server that serves app, which is borrowed. */
struct wire_handlers app_handlers(struct app *app);

#endif
