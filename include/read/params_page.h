/* Parameters that every list has: its range of time, its limit, its cursor. For the rooms of
 * read/params. */
#ifndef READ_PARAMS_PAGE_H
#define READ_PARAMS_PAGE_H

#include "read/cursor.h"
#include "read/params_query.h"

/* First member of the target of every table that has rows of these. */
struct params_page {
    int64_t from_ns;
    int64_t to_ns;
    uint32_t limit;
    struct cursor cursor; /* position.given: there is one */
    bool has_from;
    bool has_to;
};

bool params_page_from(void *target, struct bytes value, struct err *err);
bool params_page_to(void *target, struct bytes value, struct err *err);
bool params_page_limit(void *target, struct bytes value, struct err *err);
bool params_page_cursor(void *target, struct bytes value, struct err *err);

/* clang-format off */
#define PARAMS_PAGE_RANGE {"from", true, params_page_from}, {"to", true, params_page_to}
#define PARAMS_PAGE_LIMIT {"limit", false, params_page_limit}
#define PARAMS_PAGE_CURSOR {"cursor", false, params_page_cursor}
/* clang-format on */

/*
 * Once all were read: the range that stands where none or half of one was given. With a cursor it is
 * the cursor's, else each page of a default range would move; else the last days, or all_time.
 * Fails with ERR_BAD_INPUT: a cursor of another kind, a range the wrong way round.
 */
MUST_CHECK bool params_page_settle(struct params_page *page, enum cursor_kind kind, bool all_time,
                                   int64_t now_ns, struct err *err);

#endif
