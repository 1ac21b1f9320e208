/* Decompression: members and frames, damage at every byte, bombs (OTLP-25..30). */
#include "test.h"

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "wire/inflate.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define CAP_BYTES ((size_t)1 << 20)

static void gzip_with(struct buf *out, struct bytes text, gz_header *header)
{
    z_stream z = {0};
    uint8_t piece[4096];
    int rc;

    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    if (header)
        assert_int_equal(deflateSetHeader(&z, header), Z_OK);
    z.next_in = (uint8_t *)(uintptr_t)text.at;
    z.avail_in = (uInt)text.len;
    do {
        z.next_out = piece;
        z.avail_out = sizeof(piece);
        rc = deflate(&z, Z_FINISH);
        buf_add(out, piece, sizeof(piece) - z.avail_out);
    } while (rc == Z_OK);
    assert_int_equal(rc, Z_STREAM_END);
    (void)deflateEnd(&z);
}

static void add_gzip(struct buf *out, const char *text)
{
    gzip_with(out, bytes_of(text), NULL);
}

static void add_zstd(struct buf *out, struct bytes text)
{
    const size_t room = ZSTD_compressBound(text.len);

    assert_true(buf_grow(out, room));
    const size_t n = ZSTD_compress(out->at + out->len, room, text.at, text.len, 3);
    assert_false(ZSTD_isError(n));
    out->len += n;
}

/* Inflates and compares. want NULL: it must be refused with that kind. */
static void check(const char *why, enum inflate_coding coding, struct bytes body, const char *want,
                  enum err_kind kind)
{
    static struct inflater *inflater; /* one for all: state must not leak from body to body */
    struct buf out;
    struct err err = {0};

    if (!inflater)
        inflater = inflater_new();
    if (!want && !body.len && kind == ERR_NONE) {
        inflater_free(inflater);
        inflater = NULL;
        return;
    }
    assert_non_null(inflater);
    buf_init(&out, CAP_BYTES);
    const bool ok = inflater_run(inflater, coding, body, &out, &err);
    if (want && (!ok || !bytes_is(buf_bytes(&out), want)))
        fail_msg("%s: %s", why, err.text);
    if (!want && (ok || err.kind != kind || !err.text[0]))
        fail_msg("%s: ok %d, kind %d \"%s\"", why, ok, (int)err.kind, err.text);
    buf_done(&out);
}

static void reads_the_names_of_codings(void **state)
{
    static const struct {
        const char *name;
        int coding; /* -1: refused */
    } cases[] = {
        {"", INFLATE_IDENTITY},
        {"identity", INFLATE_IDENTITY},
        {"GZip", INFLATE_GZIP},
        {"x-gzip", INFLATE_GZIP},
        {"zstd", INFLATE_ZSTD},
        {"ZSTD", INFLATE_ZSTD},
        {"br", -1},
        {"deflate", -1},
        {"gzip, gzip", -1},
        {"gzip,", -1},
        {" gzip", -1},
        {"snappy", -1},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        enum inflate_coding coding = INFLATE_ZSTD;
        struct err err = {0};
        const bool ok = inflate_coding_of(bytes_of(cases[i].name), &coding, &err);
        if (ok != (cases[i].coding >= 0) || (ok && (int)coding != cases[i].coding) ||
            (!ok && err.kind != ERR_UNSUPPORTED))
            fail_msg("'%s': %d", cases[i].name, ok);
    }
}

static void reads_members_frames_and_header_flags(void **state)
{
    struct buf body;
    uint8_t extra[] = "extra";
    uint8_t name[] = "name";
    uint8_t comment[] = "comment";
    gz_header header = {
        .extra = extra, .extra_len = 5, .name = name, .comment = comment, .hcrc = 1};
    (void)state;

    buf_init(&body, CAP_BYTES);
    check("identity", INFLATE_IDENTITY, BYTES_LITERAL("plain"), "plain", ERR_NONE);
    add_gzip(&body, "hello");
    check("one member", INFLATE_GZIP, buf_bytes(&body), "hello", ERR_NONE);
    add_gzip(&body, "");
    check("an empty member behind it", INFLATE_GZIP, buf_bytes(&body), "hello", ERR_NONE);
    add_gzip(&body, " world");
    check("three members", INFLATE_GZIP, buf_bytes(&body), "hello world", ERR_NONE);
    buf_clear(&body);
    gzip_with(&body, BYTES_LITERAL("flags"), &header);
    check("FEXTRA, FNAME, FCOMMENT and FHCRC", INFLATE_GZIP, buf_bytes(&body), "flags", ERR_NONE);
    buf_clear(&body);
    add_zstd(&body, BYTES_LITERAL("one "));
    add_zstd(&body, BYTES_LITERAL(""));
    add_zstd(&body, BYTES_LITERAL("two"));
    check("three zstd frames", INFLATE_ZSTD, buf_bytes(&body), "one two", ERR_NONE);
    buf_add(&body, "\x50\x2a\x4d\x18\x03\x00\x00\x00xyz", 11);
    check("a skippable frame", INFLATE_ZSTD, buf_bytes(&body), "one two", ERR_NONE);
    buf_done(&body);
}

static void refuses_damage_at_every_byte(void **state)
{
    static const char text[] = "The quick brown fox jumps over the lazy dog, 0123456789 times.";
    struct buf gzip;
    struct buf zstd;
    (void)state;

    buf_init(&gzip, CAP_BYTES);
    buf_init(&zstd, CAP_BYTES);
    add_gzip(&gzip, text);
    add_zstd(&zstd, BYTES_LITERAL(text));
    for (size_t len = 0; len < gzip.len; len++)
        check("gzip cut short", INFLATE_GZIP, (struct bytes){gzip.at, len}, NULL, ERR_BAD_INPUT);
    for (size_t len = 0; len < zstd.len; len++)
        check("zstd cut short", INFLATE_ZSTD, (struct bytes){zstd.at, len}, NULL, ERR_BAD_INPUT);
    for (size_t i = gzip.len - 8; i < gzip.len; i++) {
        gzip.at[i] ^= 0x40;
        check("wrong CRC-32 or ISIZE", INFLATE_GZIP, buf_bytes(&gzip), NULL, ERR_BAD_INPUT);
        gzip.at[i] ^= 0x40;
    }
    buf_add_text(&gzip, "x");
    check("garbage behind gzip", INFLATE_GZIP, buf_bytes(&gzip), NULL, ERR_BAD_INPUT);
    buf_add_text(&gzip, "garbage of more than a header's length");
    check("more garbage behind gzip", INFLATE_GZIP, buf_bytes(&gzip), NULL, ERR_BAD_INPUT);
    buf_add_text(&zstd, "garbage");
    check("garbage behind zstd", INFLATE_ZSTD, buf_bytes(&zstd), NULL, ERR_BAD_INPUT);
    check("plain text as gzip", INFLATE_GZIP, BYTES_LITERAL(text), NULL, ERR_BAD_INPUT);
    check("zlib format as gzip", INFLATE_GZIP, BYTES_LITERAL("\x78\x9c\x03\x00\x00\x00\x00\x01"),
          NULL, ERR_BAD_INPUT);
    check("plain text as zstd", INFLATE_ZSTD, BYTES_LITERAL(text), NULL, ERR_BAD_INPUT);
    buf_done(&gzip);
    buf_done(&zstd);
}

static void takes_exactly_the_cap_and_refuses_one_byte_more(void **state)
{
    uint8_t *zeros = calloc(1, CAP_BYTES + 1);
    struct inflater *inflater = inflater_new();
    (void)state;

    assert_non_null(zeros);
    for (size_t more = 0; more < 2; more++) {
        for (int coding = INFLATE_IDENTITY; coding <= INFLATE_ZSTD; coding++) {
            const struct bytes text = {zeros, CAP_BYTES + more};
            struct buf body;
            struct buf out;
            struct err err = {0};
            buf_init(&body, CAP_BYTES * 2);
            buf_init(&out, CAP_BYTES);
            if (coding == INFLATE_GZIP)
                gzip_with(&body, text, NULL);
            else if (coding == INFLATE_ZSTD)
                add_zstd(&body, text);
            else
                buf_add_bytes(&body, text);
            const bool ok =
                inflater_run(inflater, (enum inflate_coding)coding, buf_bytes(&body), &out, &err);
            if (ok != (more == 0) || (ok && out.len != CAP_BYTES) ||
                (!ok && err.kind != ERR_TOO_LARGE))
                fail_msg("coding %d, %zu more: ok %d, %s", coding, more, ok, err.text);
            buf_done(&body);
            buf_done(&out);
        }
    }
    inflater_free(inflater);
    free(zeros);
}

static void stops_a_bomb_at_the_cap(void **state)
{
    const size_t zeros_bytes = (size_t)64 << 20;
    uint8_t *zeros = calloc(1, zeros_bytes);
    struct inflater *inflater = inflater_new();
    struct buf body;
    struct buf out;
    struct err err = {0};
    (void)state;

    assert_non_null(zeros);
    buf_init(&body, zeros_bytes);
    buf_init(&out, CAP_BYTES);
    gzip_with(&body, (struct bytes){zeros, zeros_bytes}, NULL);
    assert_false(inflater_run(inflater, INFLATE_GZIP, buf_bytes(&body), &out, &err));
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    assert_true(out.cap <= CAP_BYTES);
    buf_done(&body);
    buf_done(&out);
    inflater_free(inflater);
    free(zeros);
}

static void refuses_zstd_windows_beyond_8_mib(void **state)
{
    ZSTD_CCtx *ctx = ZSTD_createCCtx();
    const size_t text_bytes = (size_t)20 << 20;
    uint8_t *text = calloc(1, text_bytes);
    struct inflater *inflater = inflater_new();
    struct buf body;
    struct buf out;
    struct err err = {0};
    (void)state;

    assert_non_null(text);
    for (size_t i = 0; i < text_bytes; i++)
        text[i] = (uint8_t)(i * 2654435761U >> 13);
    buf_init(&body, text_bytes * 2);
    buf_init(&out, text_bytes);
    (void)ZSTD_CCtx_setParameter(ctx, ZSTD_c_windowLog, 24);
    (void)ZSTD_CCtx_setParameter(ctx, ZSTD_c_contentSizeFlag, 0);
    assert_true(buf_grow(&body, ZSTD_compressBound(text_bytes)));
    ZSTD_inBuffer in = {text, text_bytes, 0};
    ZSTD_outBuffer to = {body.at, body.cap, 0};
    assert_int_equal(ZSTD_compressStream2(ctx, &to, &in, ZSTD_e_continue) > SIZE_MAX / 2, 0);
    while (ZSTD_compressStream2(ctx, &to, &in, ZSTD_e_end) != 0)
        ;
    body.len = to.pos;
    assert_false(inflater_run(inflater, INFLATE_ZSTD, buf_bytes(&body), &out, &err));
    assert_int_equal(err.kind, ERR_BAD_INPUT);
    buf_done(&body);
    buf_done(&out);
    inflater_free(inflater);
    free(text);
    ZSTD_freeCCtx(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_names_of_codings),
        cmocka_unit_test(reads_members_frames_and_header_flags),
        cmocka_unit_test(refuses_damage_at_every_byte),
        cmocka_unit_test(takes_exactly_the_cap_and_refuses_one_byte_more),
        cmocka_unit_test(stops_a_bomb_at_the_cap),
        cmocka_unit_test(refuses_zstd_windows_beyond_8_mib),
    };
    const int failed = cmocka_run_group_tests_name("inflate", tests, NULL, NULL);

    check("", INFLATE_IDENTITY, (struct bytes){0}, NULL, ERR_NONE);
    return failed;
}
