/*
 * One list of messages out of the shapes in which applications send them: the convention's own
 * {"role","parts"}, what OpenAI, Anthropic, Gemini, Bedrock and LangChain take and give, flattened
 * keys, events. Written as JSON while it is read:
 *
 *     value ── message_shape ──> role, text, calls ── message_part ──> message_list ──> buf
 *
 * Depth, work and output are linear in what was sent; nothing here fails but for room.
 */
#ifndef GENAI_MESSAGE_H
#define GENAI_MESSAGE_H

#include "base/arena.h"
#include "base/json_write.h"
#include "model/span.h"

#define MESSAGE_MAX_DEPTH 12 /* of objects looked into for messages, JSON inside JSON included */

struct message_list {
    struct json j;       /* messages one after the other, without the brackets of the list */
    struct arena *arena; /* for JSON inside texts */
    const char *role;    /* of a message that names none: "user" went in, "assistant" came out */
    bool plain_text;     /* a text that holds no messages is one message */
    bool recognized;     /* a request, a response or a message was there, if an empty one */
    unsigned depth;

    /* the open message; it is written to the end only when the next one begins */
    bool open;
    bool joins;        /* items of a response go on in it */
    bool comma_before; /* of j, where the message is taken back because it is empty */
    size_t open_at;    /* in j.out */
    size_t parts_at;   /* in j.out */
    uint32_t parts;
    uint32_t calls; /* parts that are tool calls */
    struct bytes open_role;
    struct bytes finish;

    /* the finished ones */
    uint32_t count;
    uint64_t total_parts; /* of the open one too */
    bool system_first;    /* the first one holds instructions */
    struct bytes system;  /* their text */
    struct bytes last_finish;
    struct bytes last_role;
    size_t last_parts_at; /* in j.out */
    size_t last_parts_len;
};

/* out is empty; what it holds is a list without brackets until message_list_end. */
void message_list_init(struct message_list *l, struct buf *out, struct arena *arena,
                       const char *role);
void message_list_end(struct message_list *l); /* closes the open message */

/* A new message; an empty one is taken back. joins: it may go on in one of the same role that
 * joins. */
void message_open(struct message_list *l, struct bytes role, struct bytes name, bool joins);
void message_finish(struct message_list *l, struct bytes reason); /* of the open message */

/* Parts of the open message. Empty texts and "<REDACTED>" are none. */
struct message_call {
    struct bytes id; /* empty: none */
    struct bytes name;
    const struct value *content; /* arguments or result; NULL: none */
};
void message_text(struct message_list *l, const char *type, struct bytes text);
void message_tool_call(struct message_list *l, const struct message_call *call);
void message_tool_result(struct message_list *l, const struct message_call *call);
void message_as_sent(struct message_list *l, const struct value *part);
struct message_media {
    struct bytes mime;     /* empty: not known */
    struct bytes modality; /* "image", "audio", "video"; empty: not known */
    struct bytes location; /* an address, or "data:…;base64,…" */
    struct bytes file_id;
    struct bytes data; /* base64 */
};
void message_media(struct message_list *l, const struct message_media *media);

/* One part in whatever shape; into the open message. */
void message_part(struct message_list *l, const struct value *part);
void message_part_call(struct message_list *l, const struct value *call); /* of a list of calls */
/* Whether an object is a part and no message; whether a value is an array that begins with one. */
bool message_is_part(const struct value *object);
bool message_is_parts(const struct value *value);
/* The role of a message that holds nothing but such parts. */
struct bytes message_part_role(const struct message_list *l, const struct value *part);

/* Content into the open message: text, parts, one part, parts as JSON in a text. */
void message_content(struct message_list *l, const struct value *content);
/* One message in an object (an event's attributes too); role: where it names none. */
void message_add_one(struct message_list *l, const struct value *object, struct bytes role);
/* LangChain: {"type":"human","data":{…}}, {"lc":1,"id":[…,"HumanMessage"],"kwargs":{…}}. */
bool message_add_langchain(struct message_list *l, const struct value *object);
/* A choice, a candidate, a generation: a message with its reason to end. */
void message_add_choice(struct message_list *l, const struct value *choice);
/* The role in the convention's words: "human" is "user"; others as sent. */
struct bytes message_role(struct bytes sent);
bool message_is_role(struct bytes word);

/* All messages that a value holds, whatever shape it has. False: it holds none, and nothing was
 * written. */
bool message_add(struct message_list *l, const struct value *value);
/* A text as a message. */
void message_add_text(struct message_list *l, struct bytes role, struct bytes text);
/* Instructions: text, parts, JSON of them in a text. */
void message_add_system(struct message_list *l, const struct value *value);

/* An event as an object with "event.name" (Logfire); false: it is none that holds messages. */
bool message_add_event(struct message_list *l, const struct value *object);
/* What the span's events say went in, or came out. */
bool message_add_events(struct message_list *l, const struct span *span, bool output);

/* Indexed keys of one prefix ("llm.input_messages.{i}.message.role") as the array they stand for:
 * items in the order of their numbers, gaps left out, of a repeated key the last. NULL: none, or no
 * room. prefix: what stands before the first number, with its dot. */
struct indexed_key {
    struct bytes key;
    const struct value *value;
};
const struct value *message_unflatten(struct indexed_key *keys, size_t count, size_t prefix_len,
                                      struct arena *arena);

/* Members of objects; NULL or empty where not there or of another kind. */
const struct value *message_member(const struct value *object, const char *const *names);
struct bytes message_string(const struct value *object, const char *const *names);
#define ANY_OF(...)                                                                                \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }
/* Whether a text says something: not empty, not "<REDACTED>". */
bool message_says(struct bytes text);
/* JSON in a text, read whole; false: it is none, or cut off. */
bool message_parse(struct arena *arena, struct bytes text, struct value *out_value);

#endif
