/*
 * Decompression with a cap: zlib and zstd write straight into the caller's buffer.
 *
 * DESIGN: output is taken in steps, and the cap is checked at every step, so that a bomb costs at
 * most the cap in memory and in time (OTLP-30). One inflater belongs to one thread.
 */
#include "wire/inflate.h"

#include <stdlib.h>
#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/text.h"

#define GZIP_WINDOW_BITS (15 + 16) /* + 16: gzip only, zlib checks header, CRC-32 and ISIZE */
#define ZSTD_WINDOW_LOG_MAX 23     /* 8 MiB: what levels up to 19 use; the library takes 128 MiB */
#define FIRST_STEP_BYTES ((size_t)64 << 10)

struct inflater {
    z_stream gzip;
    bool gzip_ready;
    ZSTD_DCtx *zstd;
};

bool inflate_coding_of(struct bytes header, enum inflate_coding *out_coding, struct err *err)
{
    static const struct {
        const char *name;
        enum inflate_coding coding;
    } known[] = {
        {"", INFLATE_IDENTITY},   {"identity", INFLATE_IDENTITY}, {"gzip", INFLATE_GZIP},
        {"x-gzip", INFLATE_GZIP}, {"zstd", INFLATE_ZSTD},
    };
    char quoted[32];

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (bytes_is_nocase(header, known[i].name)) {
            *out_coding = known[i].coding;
            return true;
        }
    }
    return err_set(err, ERR_UNSUPPORTED, "content encoding is '%s', want identity, gzip or zstd",
                   text_quote(header, quoted, sizeof(quoted)));
}

struct inflater *inflater_new(void)
{
    return calloc(1, sizeof(struct inflater));
}

void inflater_free(struct inflater *inflater)
{
    if (!inflater)
        return;
    if (inflater->gzip_ready)
        (void)inflateEnd(&inflater->gzip);
    (void)ZSTD_freeDCtx(inflater->zstd);
    free(inflater);
}

/* Where the next step writes: the free room of out, or one spare byte when out is at its cap, which
 * tells a stream that ends just there from one that goes on. */
struct room {
    uint8_t spare;
    uint8_t *at;
    size_t len;
};

static bool room_make(struct room *room, struct buf *out, struct err *err)
{
    if (out->len == out->max) {
        room->at = &room->spare;
        room->len = 1;
        return true;
    }
    if (out->len == out->cap) {
        const size_t left = out->max - out->len;
        if (!buf_grow(out, left < FIRST_STEP_BYTES ? left : FIRST_STEP_BYTES))
            return err_set(err, ERR_UNAVAILABLE, "no memory for a decompressed body");
    }
    room->at = out->at + out->len;
    room->len = out->cap - out->len;
    return true;
}

static bool room_used(const struct room *room, struct buf *out, size_t used, struct err *err)
{
    if (room->at == &room->spare)
        return used == 0 ? true
                         : err_set(err, ERR_TOO_LARGE, "decompressed body has more than %zu bytes",
                                   out->max);
    out->len += used;
    return true;
}

static bool gzip_start(struct inflater *inflater, struct err *err)
{
    int rc;

    if (inflater->gzip_ready)
        rc = inflateReset2(&inflater->gzip, GZIP_WINDOW_BITS);
    else
        rc = inflateInit2(&inflater->gzip, GZIP_WINDOW_BITS);
    inflater->gzip_ready = inflater->gzip_ready || rc == Z_OK;
    return rc == Z_OK ? true : err_set(err, ERR_UNAVAILABLE, "no memory for gzip");
}

/* One call of inflate. *out_ended: the member's trailer was read and was right. */
static bool gzip_step(struct inflater *inflater, struct buf *out, bool *out_ended, struct err *err)
{
    z_stream *const z = &inflater->gzip;
    struct room room = {0};
    const uInt in_before = z->avail_in;

    if (!room_make(&room, out, err))
        return false;
    const uInt room_bytes = room.len > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uInt)room.len;
    z->next_out = room.at;
    z->avail_out = room_bytes;
    const int rc = inflate(z, Z_NO_FLUSH);
    const size_t made = room_bytes - z->avail_out;

    if (!room_used(&room, out, made, err))
        return false;
    if (rc == Z_MEM_ERROR)
        return err_set(err, ERR_UNAVAILABLE, "no memory for gzip");
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
        return err_set(err, ERR_BAD_INPUT, "gzip body is corrupt: %s",
                       z->msg ? z->msg : "preset dictionary");
    if (rc != Z_STREAM_END && z->avail_in == 0 && made < room_bytes)
        return err_set(err, ERR_BAD_INPUT, "gzip body is cut short");
    if (rc == Z_BUF_ERROR && made == 0 && z->avail_in == in_before)
        return err_set(err, ERR_BAD_INPUT, "gzip body does not go on");
    *out_ended = rc == Z_STREAM_END;
    return true;
}

static bool run_gzip(struct inflater *inflater, struct bytes body, struct buf *out, struct err *err)
{
    if (!gzip_start(inflater, err))
        return false;
    if (body.len == 0 || body.len > UINT32_MAX)
        return err_set(err, ERR_BAD_INPUT, "gzip body has %zu bytes", body.len);
    inflater->gzip.next_in = body.at;
    inflater->gzip.avail_in = (uInt)body.len;
    for (;;) {
        bool ended = false;
        if (!gzip_step(inflater, out, &ended, err))
            return false;
        if (!ended)
            continue;
        if (inflater->gzip.avail_in == 0)
            return true;
        /* Another member, or garbage: zlib's header check tells (RFC 1952 2.2). */
        if (inflateReset(&inflater->gzip) != Z_OK)
            return err_set(err, ERR_INTERNAL, "gzip state cannot be reset");
    }
}

static bool zstd_start(struct inflater *inflater, struct err *err)
{
    if (!inflater->zstd) {
        inflater->zstd = ZSTD_createDCtx();
        if (!inflater->zstd || ZSTD_isError(ZSTD_DCtx_setParameter(
                                   inflater->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX)))
            return err_set(err, ERR_UNAVAILABLE, "no memory for zstd");
    }
    (void)ZSTD_DCtx_reset(inflater->zstd, ZSTD_reset_session_only);
    return true;
}

static bool run_zstd(struct inflater *inflater, struct bytes body, struct buf *out, struct err *err)
{
    ZSTD_inBuffer in = {.src = body.at, .size = body.len};

    if (!zstd_start(inflater, err))
        return false;
    for (;;) {
        struct room room = {0};
        if (!room_make(&room, out, err))
            return false;
        ZSTD_outBuffer to = {.dst = room.at, .size = room.len};
        const size_t in_before = in.pos;
        const size_t wanted = ZSTD_decompressStream(inflater->zstd, &to, &in);

        if (ZSTD_getErrorCode(wanted) == ZSTD_error_memory_allocation)
            return err_set(err, ERR_UNAVAILABLE, "no memory for zstd");
        if (ZSTD_isError(wanted))
            return err_set(err, ERR_BAD_INPUT, "zstd body is corrupt: %s",
                           ZSTD_getErrorName(wanted));
        if (!room_used(&room, out, to.pos, err))
            return false;
        if (wanted == 0 && in.pos == in.size)
            return in.size > 0 ? true : err_set(err, ERR_BAD_INPUT, "zstd body is empty");
        if (wanted != 0 && in.pos == in.size && to.pos < to.size)
            return err_set(err, ERR_BAD_INPUT, "zstd body is cut short");
        if (in.pos == in_before && to.pos == 0 && wanted != 0)
            return err_set(err, ERR_BAD_INPUT, "zstd body does not go on");
    }
}

bool inflater_run(struct inflater *inflater, enum inflate_coding coding, struct bytes body,
                  struct buf *out, struct err *err)
{
    switch (coding) {
    case INFLATE_GZIP:
        return run_gzip(inflater, body, out, err);
    case INFLATE_ZSTD:
        return run_zstd(inflater, body, out, err);
    case INFLATE_IDENTITY:
        break;
    }
    if (body.len > out->max - out->len)
        return err_set(err, ERR_TOO_LARGE, "body has %zu bytes, limit %zu", body.len, out->max);
    buf_add_bytes(out, body);
    return buf_ok(out) ? true : err_set(err, ERR_UNAVAILABLE, "no memory for a body");
}
