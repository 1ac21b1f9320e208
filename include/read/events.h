/* Events of a span: from the stored JSON to the API's, which has each time in both forms. */
#ifndef READ_EVENTS_H
#define READ_EVENTS_H

#include "base/json_write.h"
#include "read/render_time.h"

/* Appends one array with `"time":"…Z",` before each event's time_unix_nano: the span's own events,
 * then those that came as log records. Both are our own JSON (stored_span.events, .log_events), empty
 * for none. */
void events_json(struct json *j, struct bytes stored, struct bytes logs, struct render_time *time);

#endif
