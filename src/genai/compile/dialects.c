/* Runs at build: reads dialects.tsv and values.tsv and writes targets.h ("header") or the tables of
 * genai/table.h with their hashes ("table") to standard output. A line that it does not understand
 * ends the build with its number. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"

/* The same functions as at run time. */
#define GENAI_TARGETS_H
#include "genai/table.h"

enum { MOST_ROWS = 4096, MOST_NAMES = 256, MOST_LISTS = 8192 };

struct row {
    int target, rank, dialect, where, classes, how, map, line;
    uint64_t dialects;
    char *key;
    char *pointer;
    char *is;
};

struct group {  /* rows of one key or pattern */
    char *text; /* key, or prefix */
    char *suffix;
    bool pattern, indexed;
    uint64_t sign;
    int classes, where, first, count, value_sign;
};

struct names {
    char *items[MOST_NAMES];
    int count;
};

struct sign {
    char *text;
    bool any_rest;
    int dialect, key;
};

struct word {
    char *map, *raw, *means;
    int map_id;
};

static struct row rows[MOST_ROWS];
static int row_count;
static struct group groups[MOST_ROWS];
static int group_count;
static struct names targets, dialects, maps;
static struct sign scopes[MOST_NAMES], span_names[MOST_NAMES], values[MOST_NAMES];
static int scope_count, span_name_count, value_count;
static struct word words[MOST_ROWS];
static int word_count;
static int lists[MOST_LISTS];
static int list_count;
static const char *file_name;
static int line_number;

static void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)fprintf(stderr, "%s:%d: ", file_name, line_number);
    (void)vfprintf(stderr, format, args);
    (void)fprintf(stderr, "\n");
    va_end(args);
    exit(1);
}

static int name_id(struct names *names, const char *text)
{
    for (int i = 0; i < names->count; i++)
        if (strcmp(names->items[i], text) == 0)
            return i;
    if (names->count == MOST_NAMES)
        die("too many names");
    names->items[names->count] = strdup(text);
    return names->count++;
}

static int word_of(const char *text, const char *const *list, const char *what)
{
    for (int i = 0; list[i] != NULL; i++)
        if (strcmp(list[i], text) == 0)
            return i;
    die("unknown %s \"%s\"", what, text);
    return -1;
}

/* Splits a line at tabs; returns how many columns. */
static int split(char *line, char **columns, int most)
{
    int count = 0;

    line[strcspn(line, "\n")] = '\0';
    for (char *at = line; at != NULL && count < most; count++) {
        char *tab = strchr(at, '\t');
        if (tab != NULL)
            *tab++ = '\0';
        columns[count] = at;
        at = tab;
    }
    return count;
}

static uint64_t dialect_bits(char *list, int *out_first)
{
    uint64_t bits = 0;

    *out_first = -1;
    for (char *at = list; at != NULL;) {
        char *comma = strchr(at, ',');
        if (comma != NULL)
            *comma++ = '\0';
        int id = name_id(&dialects, at);
        if (id >= 64)
            die("more than 64 dialects");
        if (*out_first < 0)
            *out_first = id;
        bits |= (uint64_t)1 << id;
        at = comma;
    }
    return bits;
}

static struct group *group_of(const char *text, const char *suffix, bool pattern, bool indexed)
{
    for (int i = 0; i < group_count; i++) {
        struct group *g = &groups[i];
        if (strcmp(g->text, text) == 0 && g->pattern == pattern && g->indexed == indexed &&
            strcmp(g->suffix ? g->suffix : "", suffix ? suffix : "") == 0)
            return g;
    }
    groups[group_count] = (struct group){.text = strdup(text),
                                         .suffix = suffix && *suffix ? strdup(suffix) : NULL,
                                         .pattern = pattern,
                                         .indexed = indexed};
    return &groups[group_count++];
}

/* The group of a key of the table. */
static struct group *group_of_key(const char *key)
{
    char prefix[256];
    const char *index = strstr(key, "{i}");
    const char *rest = strstr(key, "<k>");
    const char *cut = index ? index : rest;

    if (cut == NULL)
        return group_of(key, NULL, false, false);
    (void)snprintf(prefix, sizeof(prefix), "%.*s", (int)(cut - key), key);
    if (index == NULL)
        return group_of(prefix, rest + 3, true, false);
    if (index[3] == '\0' || strcmp(index + 3, ".") == 0 || strcmp(index + 3, ".<k>") == 0)
        return group_of(prefix, NULL, true, true);
    return group_of(prefix, index + 4, true, true);
}

static void read_sign(char **column)
{
    int dialect;
    const uint64_t bits = dialect_bits(column[2], &dialect);
    const char *where = column[3];
    char *text = column[6];
    const size_t len = strlen(text);
    struct sign sign = {strdup(text), false, dialect, -1};

    if (strcmp(where, "key") == 0) {
        const bool prefix = text[len - 1] == '.' || text[len - 1] == ':';
        if (strstr(text, "{i}") != NULL)
            group_of_key(text)->sign |= bits;
        else
            group_of(text, NULL, prefix, false)->sign |= bits;
        return;
    }
    if (strcmp(where, "value") == 0 || strcmp(where, "resource") == 0) {
        char *equals = strchr(sign.text, '=');
        *equals = '\0';
        struct group *g = group_of(sign.text, NULL, false, false);
        g->where |= strcmp(where, "value") == 0 ? GENAI_ON_SPAN : GENAI_ON_RESOURCE;
        if (g->value_sign == 0)
            g->value_sign = 1 + value_count;
        sign.key = (int)(g - groups);
        sign.text = equals + 1;
        values[value_count++] = sign;
        return;
    }
    if (sign.text[len - 1] == '*') {
        sign.any_rest = true;
        sign.text[len - 1] = '\0';
    }
    if (strcmp(where, "scope") == 0)
        scopes[scope_count++] = sign;
    else if (strcmp(where, "name") == 0)
        span_names[span_name_count++] = sign;
    else
        die("unknown sign \"%s\"", where);
}

static void read_row(char **column)
{
    static const char *const wheres[] = {"span", "resource", "event",  "event-name",
                                         "name", "scope",    "status", NULL};
    static const char *const classes[] = {"facts", "details", "content", NULL};
    static const char *const hows[] = {"text",    "quoted", "int",     "number", "bool",
                                       "list",    "json",   "any",     "event",  "time",
                                       "seconds", "millis", "unix_ms", NULL};
    struct row *row = &rows[row_count++];

    *row = (struct row){.target = name_id(&targets, column[0]),
                        .rank = column[1][0] - '0',
                        .where = 1 << word_of(column[3], wheres, "place"),
                        .classes = 1 << word_of(column[4], classes, "class"),
                        .line = line_number};
    row->dialects = dialect_bits(column[2], &row->dialect);
    if (strncmp(column[5], "map:", 4) == 0) {
        row->how = GENAI_WORD;
        row->map = name_id(&maps, column[5] + 4);
    } else if (strncmp(column[5], "is:", 3) == 0) {
        row->how = GENAI_IS;
        row->map = name_id(&maps, "is");
        row->is = strdup(column[5] + 3);
    } else {
        row->how = word_of(column[5], hows, "way to read");
    }
    row->key = strdup(column[6]);
    row->pointer = strstr(row->key, "#/");
    if (row->pointer != NULL)
        *row->pointer++ = '\0';
    if (row->rank < 1 || row->rank > 5)
        die("rank %s", column[1]);
}

static void read_file(const char *path, int columns, void (*take)(char **))
{
    char line[1024];
    char *column[8];
    FILE *file = fopen(path, "r");

    file_name = path;
    line_number = 0;
    if (file == NULL)
        die("cannot be read");
    while (fgets(line, sizeof(line), file) != NULL) {
        line_number++;
        if (line[0] == '#' || line[0] == '\n')
            continue;
        if (row_count == MOST_ROWS || word_count == MOST_ROWS || group_count == MOST_ROWS)
            die("too many rows");
        if (split(line, column, 8) != columns)
            die("wants %d columns", columns);
        take(column);
    }
    (void)fclose(file);
}

static void take_row(char **column)
{
    if (strcmp(column[0], "sign") == 0)
        read_sign(column);
    else
        read_row(column);
}

static void take_word(char **column)
{
    struct word *word = &words[word_count++];

    *word = (struct word){strdup(column[0]), strdup(column[1]), strdup(column[2]),
                          name_id(&maps, column[0])};
    for (char *at = word->raw; *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at + 32);
}

static void upper(const char *text)
{
    for (; *text; text++) {
        const char c = *text;
        putchar((c >= 'a' && c <= 'z')
                    ? c - 32
                    : ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ? c : '_'));
    }
}

static void write_enum(const char *name, const char *prefix, const struct names *names)
{
    printf("enum %s {\n", name);
    for (int i = 0; i < names->count; i++) {
        printf("    %s_", prefix);
        upper(names->items[i]);
        printf(", /* %s */\n", names->items[i]);
    }
    printf("    %s_COUNT\n};\n\n", prefix);
}

static void write_header(void)
{
    printf("/* Made from src/genai/dialects.tsv. */\n#ifndef GENAI_TARGETS_H\n"
           "#define GENAI_TARGETS_H\n\n");
    write_enum("target", "TARGET", &targets);
    write_enum("dialect", "DIALECT", &dialects);
    write_enum("genai_map", "GENAI_MAP", &maps);
    printf("/* \"usage_input_tokens\", \"openinference\" */\n"
           "extern const char *const genai_target_names[TARGET_COUNT];\n"
           "extern const char *const genai_dialect_names[DIALECT_COUNT];\n\n");
    printf("#define GENAI_ROWS %d\n#endif\n", row_count);
}

static int by_target_and_rank(const void *a, const void *b)
{
    const struct row *x = a;
    const struct row *y = b;

    if (x->target != y->target)
        return x->target - y->target;
    return x->rank != y->rank ? x->rank - y->rank : x->line - y->line;
}

static void group_rows(void)
{
    static struct group *of_row[MOST_ROWS];

    for (int i = 0; i < row_count; i++)
        if (rows[i].where & (GENAI_SPAN_NAME | GENAI_SCOPE_NAME | GENAI_STATUS)) {
            of_row[i] = NULL;
        } else {
            of_row[i] = group_of_key(rows[i].key);
        }
    for (int g = 0; g < group_count; g++) {
        groups[g].first = list_count;
        for (int i = 0; i < row_count; i++)
            if (of_row[i] == &groups[g]) {
                groups[g].classes |= rows[i].classes;
                groups[g].where |= rows[i].where;
                lists[list_count++] = i;
            }
        groups[g].count = list_count - groups[g].first;
    }
}

static void write_strings(const char *name, const struct names *names, const char *count)
{
    printf("const char *const %s[%s] = {\n", name, count);
    for (int i = 0; i < names->count; i++)
        printf("    \"%s\",\n", names->items[i]);
    printf("};\n\n");
}

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

static int word_number(const struct row *row)
{
    for (int i = 0; row->is != NULL && i < word_count; i++)
        if (words[i].map_id == row->map && strcmp(words[i].raw, row->is) == 0)
            return i;
    if (row->is != NULL) {
        (void)fprintf(stderr, "no word \"%s\" in map \"is\"\n", row->is);
        exit(1);
    }
    return 0;
}

static void write_rows(void)
{
    printf("const struct genai_row genai_rows[] = {\n");
    for (int i = 0; i < row_count; i++) {
        const struct row *r = &rows[i];
        printf("    {%d, %d, %d, %d, %d, %d, %d, %d, \"%s\", ", r->target, r->rank, r->dialect,
               r->where, r->classes, r->how, r->map, word_number(r), r->key);
        printf(r->pointer ? "\"%s\", " : "NULL, ", r->pointer);
        printf("0x%llxu},\n", (unsigned long long)r->dialects);
    }
    printf("};\n\n");
}

static struct bytes key_bytes(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
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

static int key_number[MOST_ROWS]; /* of a group: its place among the keys */

static void write_keys(int *out_size)
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
            const struct bytes key = key_bytes(groups[i].text);
            put_slot(slots, size, genai_hash(genai_head_of(key), key), 1 + key_number[i]);
        }
    write_slots("uint16_t", "genai_key_slots", slots, size);
    free(slots);
    *out_size = size;
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

static void write_patterns(void)
{
    static struct segment segments[MOST_NAMES];
    int count = 0;
    int pattern_count = 0;
    int slots[256] = {0};

    for (int i = 0; i < group_count; i++) {
        if (!groups[i].pattern)
            continue;
        const size_t len = segment_of(groups[i].text);
        int s = 0;
        while (s < count && (strlen(segments[s].text) != len ||
                             strncmp(segments[s].text, groups[i].text, len) != 0))
            s++;
        if (s == count) {
            memcpy(segments[count].text, groups[i].text, len);
            segments[count++].head = genai_head_of((struct bytes){(uint8_t *)groups[i].text, len});
        }
        if (groups[i].text[len + 1] == '\0' && groups[i].count == 0)
            segments[s].sign |= groups[i].sign;
    }
    printf("const struct genai_pattern genai_patterns[] = {\n");
    for (int s = 0; s < count; s++) {
        const size_t len = strlen(segments[s].text);
        segments[s].first = pattern_count;
        for (int i = 0; i < group_count; i++) {
            const struct group *g = &groups[i];
            if (!g->pattern || segment_of(g->text) != len ||
                strncmp(segments[s].text, g->text, len) != 0 ||
                (g->text[len + 1] == '\0' && g->count == 0))
                continue;
            printf("    {\"%s\", ", g->text);
            printf(g->suffix ? "\"%s\", " : "NULL, ", g->suffix);
            printf("%zu, %zu, %d, ", strlen(g->text), g->suffix ? strlen(g->suffix) : 0,
                   g->indexed);
            write_group(g);
            printf("},\n");
            add_masks(&segments[s], g, (uint32_t)1 << (pattern_count - segments[s].first));
            pattern_count++;
            if (pattern_count - segments[s].first == 32) {
                (void)fprintf(stderr, "too many patterns of \"%s\"\n", segments[s].text);
                exit(1);
            }
        }
    }
    printf("};\n\nconst struct genai_segment genai_segments[] = {\n");
    for (int s = 0; s < count; s++) {
        printf("    {0x%llxu, 0x%llxu, 0x%llxu, %d, {", (unsigned long long)segments[s].head.low,
               (unsigned long long)segments[s].head.high, (unsigned long long)segments[s].sign,
               segments[s].first);
        for (int i = 0; i < 64; i++)
            printf("%s%u,", i == 32 ? "}, {" : "",
                   i < 32 ? segments[s].begins[i] : segments[s].ends[i - 32]);
        printf("}}, /* %s */\n", segments[s].text);
        put_slot(slots, 256, genai_segment_hash(segments[s].head.low, segments[s].head.high),
                 1 + s);
    }
    printf("};\n\n");
    if (count > 120) {
        (void)fprintf(stderr, "too many first words of patterns\n");
        exit(1);
    }
    write_slots("uint8_t", "genai_segment_slots", slots, 256);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct sign *)a)->text, ((const struct sign *)b)->text);
}

static int by_key(const void *a, const void *b)
{
    return ((const struct sign *)a)->key - ((const struct sign *)b)->key;
}

/* Value signs stand by key, so that a key need only know its first one. */
static void order_value_signs(void)
{
    qsort(values, (size_t)value_count, sizeof(values[0]), by_key);
    for (int i = value_count - 1; i >= 0; i--)
        groups[values[i].key].value_sign = 1 + i;
}

static void write_signs(const char *name, struct sign *signs, int count)
{
    if (strcmp(name, "genai_value_signs") != 0)
        qsort(signs, (size_t)count, sizeof(*signs), by_text);
    printf("const struct genai_sign %s[] = {\n", name);
    for (int i = 0; i < count; i++)
        printf("    {\"%s\", %zu, %d, %d, %d},\n", signs[i].text, strlen(signs[i].text),
               signs[i].any_rest, signs[i].dialect,
               signs[i].key < 0 ? 0 : key_number[signs[i].key]);
    printf("    {NULL, 0, 0, 0, 0}};\n\n");
    if (strcmp(name, "genai_value_signs") == 0)
        return;
    printf("const uint8_t %s_from[] = {", name);
    for (int c = 0, at = 0; c <= GENAI_SIGN_BYTES; c++) {
        while (at < count && signs[at].text[0] < c)
            at++;
        printf("%d, ", at);
    }
    printf("};\n\n");
}

/* "chain+aggregate": OBSERVATION_CHAIN, MEANING_AGGREGATE; another word is a text. */
static void write_word(const struct word *word)
{
    static const char *const observations[] = {"span",      "agent",     "chain",    "llm",
                                               "embedding", "retriever", "reranker", "tool",
                                               "guardrail", "evaluator", "event",    NULL};
    const size_t len = strcspn(word->means, "+");
    const char *found = NULL;

    for (int i = 0; observations[i] != NULL; i++)
        if (strlen(observations[i]) == len && strncmp(observations[i], word->means, len) == 0)
            found = observations[i];
    printf("    {%d, %zu, %d, ", word->map_id,
           strlen(word->raw) - (word->raw[strlen(word->raw) - 1] == '*'),
           word->raw[strlen(word->raw) - 1] == '*');
    if (found != NULL) {
        printf("OBSERVATION_");
        upper(found);
    } else {
        printf("0");
    }
    printf(", 0%s%s%s", strstr(word->means, "+aggregate") ? " | MEANING_AGGREGATE" : "",
           strstr(word->means, "+copy") ? " | MEANING_COPY" : "",
           strstr(word->means, "+cache_hit") ? " | MEANING_CACHE_HIT" : "");
    printf(", \"%s\", \"%s\"},\n", word->raw, word->means);
}

static void write_words(void)
{
    const int size = slots_for(word_count);
    int *slots = calloc((size_t)size, sizeof(int));

    printf("const struct genai_word genai_words[] = {\n");
    for (int i = 0; i < word_count; i++) {
        const struct bytes raw = key_bytes(words[i].raw);
        write_word(&words[i]);
        if (raw.at[raw.len - 1] != '*')
            put_slot(slots, size,
                     genai_hash(genai_head_of(raw), raw) + 0x9e3779b9u * (uint32_t)words[i].map_id,
                     1 + i);
    }
    printf("    {0, 0, 0, 0, 0, NULL, NULL}};\n\n");
    write_slots("uint16_t", "genai_word_slots", slots, size);
    printf("const uint16_t genai_open_words[] = {");
    for (int i = 0; i < word_count; i++)
        if (words[i].raw[strlen(words[i].raw) - 1] == '*')
            printf("%d, ", i);
    printf("UINT16_MAX};\n\n");
    free(slots);
}

static void write_table(void)
{
    int size;

    printf("/* Made from src/genai/dialects.tsv and values.tsv. */\n#include \"genai/table.h\"\n"
           "#include \"model/meaning.h\"\n\n");
    write_strings("genai_target_names", &targets, "TARGET_COUNT");
    write_strings("genai_dialect_names", &dialects, "DIALECT_COUNT");
    qsort(rows, (size_t)row_count, sizeof(*rows), by_target_and_rank);
    group_rows();
    order_value_signs();
    write_rows();
    write_keys(&size);
    write_patterns();
    write_signs("genai_value_signs", values, value_count);
    write_signs("genai_scope_signs", scopes, scope_count);
    write_signs("genai_name_signs", span_names, span_name_count);
    write_words();
    printf("const uint16_t genai_lists[] = {");
    for (int i = 0; i < list_count; i++)
        printf("%s%d,", i % 20 == 0 ? "\n    " : "", lists[i]);
    printf("\n    0};\n\nconst uint16_t genai_text_rows[] = {");
    for (int i = 0; i < row_count; i++)
        if (rows[i].where & (GENAI_SPAN_NAME | GENAI_SCOPE_NAME | GENAI_STATUS))
            printf("%d, ", i);
    printf("UINT16_MAX};\n\n");
    printf("const uint32_t genai_key_mask = genai_key_slots_SIZE - 1;\n"
           "const uint32_t genai_word_mask = genai_word_slots_SIZE - 1;\n");
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    read_file(argv[2], 7, take_row);
    read_file(argv[3], 3, take_word);
    if (strcmp(argv[1], "header") == 0)
        write_header();
    else
        write_table();
    return 0;
}
