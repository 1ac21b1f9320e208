/* Fields of OTLP/JSON: objects by table, scalars by the mapping's rules (OTLP-80..93). Shared by
 * otlp/from_json and otlp/json_value. */
#ifndef OTLP_JSON_FIELD_H
#define OTLP_JSON_FIELD_H

#include "base/json_read.h"
#include "model/span.h"
#include "otlp/decode.h"

struct json_decoder {
    struct json_reader reader;
    struct arena *arena;
    const struct otlp_limits *limits;
    unsigned marks;    /* enum span_mark, of the span, resource or scope that is being read */
    const char *fault; /* the first that concerns it alone; NULL: none */
};

/* Reads a value into the message; its first token was read already. Returns false only for what
 * fails the whole request. */
typedef bool json_read_fn(struct json_decoder *d, enum json_token token, void *message,
                          struct err *err);

/* Both spellings of a key (OTLP-83), and what reads its value. */
struct json_field {
    const char *camel;
    const char *snake;
    uint8_t camel_len;
    uint8_t snake_len;
    json_read_fn *read;
};

#define JSON_FIELD(camel, snake, read)                                                             \
    {                                                                                              \
        (camel), (snake), sizeof(camel) - 1, sizeof(snake) - 1, (read)                             \
    }

struct json_message {
    const char *name;
    const struct json_field *fields;
    size_t field_count;
    bool envelope; /* a wrong shape here fails the request: no span could be named */
};

#define JSON_MESSAGE(name, fields, envelope)                                                       \
    {                                                                                              \
        (name), (fields), sizeof(fields) / sizeof((fields)[0]), (envelope)                         \
    }

/* An object; null leaves *to alone (OTLP-88). Unknown keys are skipped (OTLP-82), of a repeated key
 * the last value stands (OTLP-89). */
MUST_CHECK bool json_field_object(struct json_decoder *d, enum json_token token,
                                  const struct json_message *message, void *to, struct err *err);

/* An array: item is called for each. null is an empty one. envelope: as in struct json_message. */
MUST_CHECK bool json_field_array(struct json_decoder *d, enum json_token token, const char *name,
                                 bool envelope, json_read_fn *item, void *to, struct err *err);

/* Scalars. null gives 0 or empty. What cannot be read is a fault of the span, not of the request;
 * {"low":…,"high":…} fails the request: every time of such a sender is unreadable (OTLP-93). */
MUST_CHECK bool json_field_text(struct json_decoder *d, enum json_token token, const char *name,
                                struct bytes *to, struct err *err);
MUST_CHECK bool json_field_hex(struct json_decoder *d, enum json_token token, const char *name,
                               struct bytes *to, struct err *err);
MUST_CHECK bool json_field_u64(struct json_decoder *d, enum json_token token, const char *name,
                               uint64_t *to, struct err *err);
MUST_CHECK bool json_field_u32(struct json_decoder *d, enum json_token token, const char *name,
                               uint32_t *to, struct err *err);
/* names: what the enum's numbers 0, 1, … are called, ended by NULL (OTLP-81). */
MUST_CHECK bool json_field_enum(struct json_decoder *d, enum json_token token, const char *name,
                                const char *const *names, int32_t *to, struct err *err);

/* Sets the fault, if it is the first, and skips the value whose first token was read. */
MUST_CHECK bool json_field_fault(struct json_decoder *d, enum json_token token, struct err *err,
                                 const char *format, ...) PRINTF_LIKE(4, 5);
MUST_CHECK bool json_field_no_room(const struct json_decoder *d, struct err *err);
MUST_CHECK bool json_field_low_high(const char *name, struct err *err);

/* A decimal in JSON's notation as an integer, exactly: "10", "1.0", "1e18". */
enum json_integer { JSON_INTEGRAL, JSON_FRACTION, JSON_HUGE, JSON_NO_NUMBER };
enum json_integer json_field_integer(struct bytes text, bool *out_negative, uint64_t *out_size);

/* A growing array in the arena. */
struct json_field_list {
    void *items;
    uint32_t count;
    uint32_t cap;
};
/* Room for one more item of that size, zeroed; NULL when the arena is full. */
void *json_field_add(struct json_field_list *list, size_t item_size, struct arena *arena);

#endif
