/* Usage that came as one object: the provider's own, or a library's. Its shape (which names it uses)
 * says how it counts. */
#ifndef GENAI_USAGE_OBJECT_H
#define GENAI_USAGE_OBJECT_H

#include "genai/usage.h"

/* Which names were met: a mask. */
enum usage_shape {
    USAGE_SHAPE_OPENAI = 1 << 0,    /* prompt_tokens, …_details: parts inside their wholes */
    USAGE_SHAPE_ANTHROPIC = 1 << 1, /* cache_read_input_tokens (Bedrock too): input without cache */
    USAGE_SHAPE_GEMINI = 1 << 2,    /* …TokenCount: cache inside input, thoughts outside output */
    USAGE_SHAPE_BUCKETS = 1 << 3,   /* input, input_…, output_…: Langfuse's disjoint buckets */
    USAGE_SHAPE_GENKIT = 1 << 4,    /* thoughtsTokens: thoughts outside output */
};

/* Where numbers stand: the same word means another thing in the details of input and of output. */
enum usage_place {
    USAGE_IN_NOTHING,
    USAGE_IN_TOP,    /* the usage itself, or an object around it */
    USAGE_IN_INPUT,  /* details of input */
    USAGE_IN_OUTPUT, /* details of output */
    USAGE_IN_CACHED, /* details of cached tokens */
    USAGE_IN_WRITES, /* cache writes by how long they are kept */
};

struct usage_object {
    struct usage_numbers numbers;
    unsigned shapes;
    uint32_t odd;                          /* bit per field: a value was sent that is no count */
    struct bytes names[USAGE_FIELD_COUNT]; /* of the members that were read */
    struct bytes
        parents[USAGE_FIELD_COUNT]; /* of the objects they stood in; empty: the outermost */
};

/* Reads object, which is `place`, and the objects in it that are known to hold usage. Members that
 * are unknown are passed over; where buckets is true, unknown input_… and output_… count as input
 * and output. */
void usage_object_read(const struct value *object, enum usage_place place, bool buckets,
                       struct usage_object *out_object);

/* How an object of these shapes counts, where its dialect does not say. */
struct usage_habits usage_object_habits(unsigned shapes);

/* Field for a name such as "cache_read.input_tokens" or "details.reasoning_tokens"; false: none. */
bool usage_object_field(struct bytes name, enum usage_field *out_field);

#endif
