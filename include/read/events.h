/* Events of a span: from the stored JSON to the API's, which has each time in both forms. */
#ifndef READ_EVENTS_H
#define READ_EVENTS_H

#include "base/json_write.h"
#include "read/render_time.h"

/* Appends the array with `"time":"…Z",` before each event's time_unix_nano. stored is our own JSON
 * (stored_span.events), empty for none. */
void events_json(struct json *j, struct bytes stored, struct render_time *time);

#endif
