/* dialects.tsv and values.tsv into tables. */
#include <stdarg.h>

#include "compile.h"

struct row rows[MOST_ROWS];
int row_count;
struct group groups[MOST_ROWS];
int group_count;
struct names targets, dialects, maps;
struct signs scopes, span_names, values;
struct word words[MOST_ROWS];
int word_count;

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

struct group *group_of_key(const char *key)
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

static void add_sign(struct signs *signs, struct sign sign)
{
    if (signs->count == MOST_NAMES)
        die("too many signs");
    signs->items[signs->count++] = sign;
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
            g->value_sign = 1 + values.count;
        sign.key = (int)(g - groups);
        sign.text = equals + 1;
        add_sign(&values, sign);
        return;
    }
    if (sign.text[len - 1] == '*') {
        sign.any_rest = true;
        sign.text[len - 1] = '\0';
    }
    if (strcmp(where, "scope") == 0)
        add_sign(&scopes, sign);
    else if (strcmp(where, "name") == 0)
        add_sign(&span_names, sign);
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

void read_dialects(const char *path)
{
    read_file(path, 7, take_row);
}

void read_values(const char *path)
{
    read_file(path, 3, take_word);
}
