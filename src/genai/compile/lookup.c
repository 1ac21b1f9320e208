/* The hashes of the table: what of a key is compared when, found with the code of run time. */
#include "compile.h"

int key_number[MOST_ROWS];

/* Whether a pattern may fit a whole key; signs of its first word are added to its own. */
static bool patterns_fit(const struct group *key, uint64_t *sign)
{
    bool fit = false;

    for (int i = 0; i < group_count; i++) {
        const struct group *g = &groups[i];
        const size_t len = strlen(g->text);

        if (!g->pattern || strncmp(key->text, g->text, len) != 0)
            continue;
        if (g->count == 0 && !g->indexed)
            *sign |= g->sign;
        else if (!g->indexed || (key->text[len] >= '0' && key->text[len] <= '9'))
            fit = true;
    }
    return fit;
}

static void write_group(const struct group *g)
{
    uint64_t sign = g->sign;
    const bool fit = !g->pattern && patterns_fit(g, &sign);

    printf("{%d, %d, %d, %d, %d, %d, 0x%llxu}", g->first, g->count, g->classes, g->where,
           g->value_sign, fit, (unsigned long long)sign);
}

/* Smallest power of two that leaves the table at most a quarter full. */
static int slots_for(int count)
{
    int size = 64;

    while (size < 4 * count)
        size *= 2;
    return size;
}

static void write_slots(const char *type, const char *name, const int *slots, int size)
{
    printf("const %s %s[%d] = {", type, name, size);
    for (int i = 0; i < size; i++)
        printf("%s%d,", i % 20 == 0 ? "\n    " : "", slots[i]);
    printf("\n};\n#define %s_SIZE %d\n\n", name, size);
}

static void put_slot(int *slots, int size, uint32_t hash, int value)
{
    int at = (int)(hash & (uint32_t)(size - 1));

    while (slots[at] != 0)
        at = (at + 1) & (size - 1);
    slots[at] = value;
}

void write_keys(void)
{
    int count = 0;
    uint64_t resource_lengths = 0;

    printf("const struct genai_key genai_keys[] = {\n");
    for (int i = 0; i < group_count; i++) {
        if (groups[i].pattern)
            continue;
        printf("    {\"%s\", %zu, ", groups[i].text, strlen(groups[i].text));
        write_group(&groups[i]);
        printf("},\n");
        key_number[i] = count++;
        if (groups[i].where & GENAI_ON_RESOURCE)
            resource_lengths |= (uint64_t)1 << strlen(groups[i].text);
    }
    printf("};\n\nconst uint64_t genai_resource_lengths = 0x%llxu;\n\n",
           (unsigned long long)resource_lengths);

    const int size = slots_for(count);
    int *slots = calloc((size_t)size, sizeof(int));
    for (int i = 0; i < group_count; i++)
        if (!groups[i].pattern) {
            const struct bytes key = bytes_of(groups[i].text);
            put_slot(slots, size, genai_hash(genai_head_of(key), key), 1 + key_number[i]);
        }
    write_slots("uint16_t", "genai_key_slots", slots, size);
    free(slots);
}

struct segment {
    struct genai_head head;
    char text[17];
    uint64_t sign;
    int first;
    uint32_t begins[32], ends[32];
};

/* The first word of a prefix; 0 where it ends the prefix (a sign of the whole segment). */
static size_t segment_of(const char *prefix)
{
    const size_t len = strcspn(prefix, ".:");

    if (len == 0 || len >= 16 || prefix[len] == '\0') {
        (void)fprintf(stderr, "pattern \"%s\" has no first word of up to 15 bytes\n", prefix);
        exit(1);
    }
    return len;
}

/* By which keys a pattern is to be tried. */
static void add_masks(struct segment *segment, const struct group *g, uint32_t bit)
{
    const char letter = g->text[strlen(segment->text) + 1];

    for (int i = 0; i < 32; i++) {
        if (letter == '\0' || (letter & 31) == i)
            segment->begins[i] |= bit;
        if (g->suffix == NULL || (g->suffix[strlen(g->suffix) - 1] & 31) == i)
            segment->ends[i] |= bit;
    }
}

static struct segment segments[MOST_NAMES];
static int segment_count;

static bool begins_with(const struct group *g, const struct segment *segment)
{
    const size_t len = strlen(segment->text);

    return segment_of(g->text) == len && strncmp(segment->text, g->text, len) == 0;
}

/* A sign of the whole segment, not a pattern to be tried. */
static bool is_segment_sign(const struct group *g)
{
    return g->text[segment_of(g->text) + 1] == '\0' && g->count == 0;
}

static void find_segments(void)
{
    for (int i = 0; i < group_count; i++) {
        const struct group *g = &groups[i];
        int s = 0;

        if (!g->pattern)
            continue;
        const size_t len = segment_of(g->text);
        while (s < segment_count && !begins_with(g, &segments[s]))
            s++;
        if (s == segment_count) {
            memcpy(segments[s].text, g->text, len);
            segments[s].head = genai_head_of((struct bytes){(uint8_t *)g->text, len});
            segment_count++;
        }
        if (is_segment_sign(g))
            segments[s].sign |= g->sign;
    }
    if (segment_count > 120) {
        (void)fprintf(stderr, "too many first words of patterns\n");
        exit(1);
    }
}

/* first: how many patterns stand before. Returns how many there are then. */
static int write_patterns_of(struct segment *segment, int first)
{
    int count = 0;

    segment->first = first;
    for (int i = 0; i < group_count; i++) {
        const struct group *g = &groups[i];

        if (!g->pattern || !begins_with(g, segment) || is_segment_sign(g))
            continue;
        printf("    {\"%s\", ", g->text);
        printf(g->suffix ? "\"%s\", " : "NULL, ", g->suffix);
        printf("%zu, %zu, %d, ", strlen(g->text), g->suffix ? strlen(g->suffix) : 0, g->indexed);
        write_group(g);
        printf("},\n");
        add_masks(segment, g, (uint32_t)1 << count);
        count++;
        if (count == 32) {
            (void)fprintf(stderr, "too many patterns of \"%s\"\n", segment->text);
            exit(1);
        }
    }
    return first + count;
}

static void write_segment(const struct segment *segment)
{
    printf("    {0x%llxu, 0x%llxu, 0x%llxu, %d, {", (unsigned long long)segment->head.low,
           (unsigned long long)segment->head.high, (unsigned long long)segment->sign,
           segment->first);
    for (int i = 0; i < 64; i++)
        printf("%s%u,", i == 32 ? "}, {" : "", i < 32 ? segment->begins[i] : segment->ends[i - 32]);
    printf("}}, /* %s */\n", segment->text);
}

void write_patterns(void)
{
    int pattern_count = 0;
    int slots[256] = {0};

    find_segments();
    printf("const struct genai_pattern genai_patterns[] = {\n");
    for (int s = 0; s < segment_count; s++)
        pattern_count = write_patterns_of(&segments[s], pattern_count);
    printf("};\n\nconst struct genai_segment genai_segments[] = {\n");
    for (int s = 0; s < segment_count; s++) {
        write_segment(&segments[s]);
        put_slot(slots, 256, genai_segment_hash(segments[s].head.low, segments[s].head.high),
                 1 + s);
    }
    printf("};\n\n");
    write_slots("uint8_t", "genai_segment_slots", slots, 256);
}

void write_word_slots(void)
{
    const int size = slots_for(word_count);
    int *slots = calloc((size_t)size, sizeof(int));

    for (int i = 0; i < word_count; i++) {
        const struct bytes raw = bytes_of(words[i].raw);

        if (raw.at[raw.len - 1] != '*')
            put_slot(slots, size,
                     genai_hash(genai_head_of(raw), raw) + 0x9e3779b9u * (uint32_t)words[i].map_id,
                     1 + i);
    }
    write_slots("uint16_t", "genai_word_slots", slots, size);
    free(slots);
}
