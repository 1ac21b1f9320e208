/* Arrays in PostgreSQL's binary form. */
#include "store/pg_array.h"

#define ARRAY_HEADER_BYTES 20

static void add_len(struct buf *out, uint32_t len)
{
    uint8_t be[4];

    put_be32(be, len);
    buf_add(out, be, sizeof(be));
}

void pg_array_init(struct pg_array *array, uint32_t element_oid, size_t max_bytes)
{
    *array = (struct pg_array){.element_oid = element_oid};
    buf_init(&array->bytes, max_bytes);
    pg_array_clear(array);
}

void pg_array_done(struct pg_array *array)
{
    buf_done(&array->bytes);
}

void pg_array_clear(struct pg_array *array)
{
    static const uint8_t header[ARRAY_HEADER_BYTES];

    buf_clear(&array->bytes);
    buf_add(&array->bytes, header, sizeof(header));
    array->count = 0;
    array->has_null = false;
}

void pg_array_bytes(struct pg_array *array, struct bytes value)
{
    add_len(&array->bytes, (uint32_t)value.len);
    buf_add_bytes(&array->bytes, value);
    array->count++;
}

void pg_array_int2(struct pg_array *array, int16_t value)
{
    uint8_t be[2];
    put_be16(be, (uint16_t)value);
    pg_array_bytes(array, (struct bytes){be, sizeof(be)});
}

void pg_array_int4(struct pg_array *array, int32_t value)
{
    uint8_t be[4];
    put_be32(be, (uint32_t)value);
    pg_array_bytes(array, (struct bytes){be, sizeof(be)});
}

void pg_array_int8(struct pg_array *array, int64_t value)
{
    uint8_t be[8];
    put_be64(be, (uint64_t)value);
    pg_array_bytes(array, (struct bytes){be, sizeof(be)});
}

void pg_array_bool(struct pg_array *array, bool value)
{
    const uint8_t byte = value;
    pg_array_bytes(array, (struct bytes){&byte, 1});
}

void pg_array_uuid(struct pg_array *array, const struct uuid *value)
{
    pg_array_bytes(array, (struct bytes){value->at, sizeof(value->at)});
}

void pg_array_null(struct pg_array *array)
{
    add_len(&array->bytes, UINT32_MAX); /* NULL */
    array->count++;
    array->has_null = true;
}

struct bytes pg_array_finish(struct pg_array *array)
{
    uint8_t *header = array->bytes.at;

    if (!buf_ok(&array->bytes))
        return (struct bytes){0};
    put_be32(header, array->count ? 1 : 0);
    put_be32(header + 4, array->has_null);
    put_be32(header + 8, array->element_oid);
    put_be32(header + 12, (uint32_t)array->count);
    put_be32(header + 16, 1);
    /* An empty array has no dimension and ends behind the element type. */
    return (struct bytes){header, array->count ? array->bytes.len : 12};
}
