/* Runs at build: reads dialects.tsv and values.tsv and writes targets.h ("header") or the tables of
 * genai/table.h with their hashes ("table") to standard output. A line that it does not understand
 * ends the build with its number. */
#include "compile.h"

#include "model/meaning.h"

enum { MOST_LISTS = MOST_ROWS };

static int lists[MOST_LISTS]; /* rows, group by group: each stands in one at most */
static int list_count;

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

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct sign *)a)->text, ((const struct sign *)b)->text);
}

static int by_key(const void *a, const void *b)
{
    return ((const struct sign *)a)->key - ((const struct sign *)b)->key;
}

static void write_signs(const char *name, const struct signs *signs)
{
    printf("const struct genai_sign %s[] = {\n", name);
    for (int i = 0; i < signs->count; i++) {
        const struct sign *sign = &signs->items[i];

        printf("    {\"%s\", %zu, %d, %d, %d},\n", sign->text, strlen(sign->text), sign->any_rest,
               sign->dialect, sign->key < 0 ? 0 : key_number[sign->key]);
    }
    printf("    {NULL, 0, 0, 0, 0}};\n\n");
}

/* Signs of values stand by key, so that a key need only know its first one. */
static void order_value_signs(void)
{
    qsort(values.items, (size_t)values.count, sizeof(values.items[0]), by_key);
    for (int i = values.count - 1; i >= 0; i--)
        groups[values.items[i].key].value_sign = 1 + i;
}

/* Signs that are texts stand in their order, with the place where each first byte begins. */
static void write_text_signs(const char *name, struct signs *signs)
{
    qsort(signs->items, (size_t)signs->count, sizeof(signs->items[0]), by_text);
    write_signs(name, signs);
    printf("const uint8_t %s_from[] = {", name);
    for (int c = 0, at = 0; c <= GENAI_SIGN_BYTES; c++) {
        while (at < signs->count && signs->items[at].text[0] < c)
            at++;
        printf("%d, ", at);
    }
    printf("};\n\n");
}

/* "chain+aggregate": OBSERVATION_CHAIN, MEANING_AGGREGATE; another word is a text. */
static void write_word(const struct word *word)
{
    static const struct {
        const char *name;
        const char *id;
    } observations[] = {
#define X(id, name) {(name), "OBSERVATION_" #id},
        OBSERVATIONS(X)
#undef X
    };
    const size_t len = strcspn(word->means, "+");
    const size_t raw_len = strlen(word->raw);
    const bool any_rest = word->raw[raw_len - 1] == '*';
    const char *found = "0";

    for (int i = 0; i < OBSERVATION_COUNT; i++)
        if (strlen(observations[i].name) == len &&
            strncmp(observations[i].name, word->means, len) == 0)
            found = observations[i].id;
    printf("    {%d, %zu, %d, %s, 0%s%s%s, \"%s\", \"%s\"},\n", word->map_id, raw_len - any_rest,
           any_rest, found, strstr(word->means, "+aggregate") ? " | MEANING_AGGREGATE" : "",
           strstr(word->means, "+copy") ? " | MEANING_COPY" : "",
           strstr(word->means, "+cache_hit") ? " | MEANING_CACHE_HIT" : "", word->raw, word->means);
}

static void write_words(void)
{
    printf("const struct genai_word genai_words[] = {\n");
    for (int i = 0; i < word_count; i++)
        write_word(&words[i]);
    printf("    {0, 0, 0, 0, 0, NULL, NULL}};\n\n");
    write_word_slots();
    printf("const uint16_t genai_open_words[] = {");
    for (int i = 0; i < word_count; i++)
        if (words[i].raw[strlen(words[i].raw) - 1] == '*')
            printf("%d, ", i);
    printf("UINT16_MAX};\n\n");
}

static void write_table(void)
{
    printf("/* Made from src/genai/dialects.tsv and values.tsv. */\n#include \"genai/table.h\"\n"
           "#include \"model/meaning.h\"\n\n");
    write_strings("genai_target_names", &targets, "TARGET_COUNT");
    write_strings("genai_dialect_names", &dialects, "DIALECT_COUNT");
    qsort(rows, (size_t)row_count, sizeof(*rows), by_target_and_rank);
    group_rows();
    order_value_signs();
    write_rows();
    write_keys();
    write_patterns();
    write_signs("genai_value_signs", &values);
    write_text_signs("genai_scope_signs", &scopes);
    write_text_signs("genai_name_signs", &span_names);
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
    read_dialects(argv[2]);
    read_values(argv[3]);
    if (strcmp(argv[1], "header") == 0)
        write_header();
    else
        write_table();
    return 0;
}
