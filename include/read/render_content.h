/* What a span said and was told, and where its facts were read from: derived from the span as it was
 * sent while it is shown (genai), because nothing of it is stored a second time. */
#ifndef READ_RENDER_CONTENT_H
#define READ_RENDER_CONTENT_H

#include "read/render_span.h"

/* The members parameters … messages and ledger. Fails with ERR_TOO_LARGE (arena) and ERR_INTERNAL
 * (a stored row cannot be read). */
MUST_CHECK bool render_content_members(struct renderer *r, const struct stored_span *span,
                                       struct err *err);

#endif
