/*
 * Cursors: base64url of
 *
 *   0      version
 *   1      kind * 32 + sort * 2 + descending
 *   2..25  from, to, sort value, big-endian
 *   26..41 trace id
 *   42..49 traces seen so far
 *   50..57 total * 2 + whether it is exact
 *   58..65 cost of the pages so far
 *   66..69 hash of the filters: the total is theirs, and the place is in their list
 *   70..73 checksum of all before, against cut and mistyped text; no secret: a cursor that is made
 *          up reads nothing that its filter would not
 */
#include "read/cursor.h"

#include "base/text.h"

#define VERSION 3
#define CHECKED_BYTES 70
#define CURSOR_BYTES 74
#define CURSOR_CHARS 99
#define KIND_STEP 32 /* more than twice the sorts */

uint32_t cursor_hash(uint32_t sum, struct bytes text)
{
    sum = sum ? sum : 2166136261U;
    for (size_t i = 0; i < text.len; i++)
        sum = (sum ^ text.at[i]) * 16777619U;
    return sum;
}

static uint32_t checksum(const uint8_t *from, size_t len)
{
    return cursor_hash(0, (struct bytes){from, len});
}

void cursor_write(const struct cursor *cursor, struct buf *out)
{
    uint8_t raw[CURSOR_BYTES];
    const size_t first = out->len;

    raw[0] = VERSION;
    raw[1] = (uint8_t)((unsigned)cursor->kind * KIND_STEP + (unsigned)cursor->sort * 2 +
                       cursor->descending);
    put_be64(raw + 2, (uint64_t)cursor->from_ns);
    put_be64(raw + 10, (uint64_t)cursor->to_ns);
    put_be64(raw + 18, (uint64_t)cursor->position.sort_value);
    memcpy(raw + 26, cursor->position.trace_id.at, 16);
    put_be64(raw + 42, (uint64_t)cursor->position.seen);
    put_be64(raw + 50, (uint64_t)cursor->position.total * 2 + cursor->position.total_exact);
    put_be64(raw + 58, (uint64_t)cursor->position.running_cost);
    put_be32(raw + 66, cursor->filters);
    put_be32(raw + CHECKED_BYTES, checksum(raw, CHECKED_BYTES));
    text_base64(out, (struct bytes){raw, sizeof(raw)});
    if (!buf_ok(out))
        return;
    while (out->len > first && out->at[out->len - 1] == '=')
        out->len--;
    for (size_t i = first; i < out->len; i++) {
        if (out->at[i] == '+')
            out->at[i] = '-';
        else if (out->at[i] == '/')
            out->at[i] = '_';
    }
}

bool cursor_read(struct bytes text, struct cursor *out_cursor, struct err *err)
{
    uint8_t raw[CURSOR_CHARS / 4 * 3 + 3];
    size_t len = 0;

    if (text.len != CURSOR_CHARS || !text_unbase64(text, raw, &len) || len != CURSOR_BYTES ||
        read_be32(raw + CHECKED_BYTES) != checksum(raw, CHECKED_BYTES) || raw[0] != VERSION ||
        raw[1] / KIND_STEP >= CURSOR_KIND_MAX || raw[1] % KIND_STEP >= TRACE_SORT_MAX * 2)
        return err_set(err, ERR_BAD_INPUT, "cursor is damaged or of another version");
    *out_cursor = (struct cursor){
        .kind = (enum cursor_kind)(raw[1] / KIND_STEP),
        .sort = (enum trace_sort)(raw[1] % KIND_STEP / 2),
        .descending = raw[1] % 2 == 1,
        .from_ns = (int64_t)read_be64(raw + 2),
        .to_ns = (int64_t)read_be64(raw + 10),
        .filters = read_be32(raw + 66),
        .position = {.given = true,
                     .sort_value = (int64_t)read_be64(raw + 18),
                     .seen = (int64_t)read_be64(raw + 42),
                     .running_cost = (int64_t)read_be64(raw + 58),
                     .total = (int64_t)(read_be64(raw + 50) / 2),
                     .total_exact = read_be64(raw + 50) % 2 == 1},
    };
    memcpy(out_cursor->position.trace_id.at, raw + 26, 16);
    return true;
}
