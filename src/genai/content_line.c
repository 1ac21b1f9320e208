/* One line out of a text as it was sent, found by a bounded look. */
#include "genai/content_read.h"

#include "base/piece.h"
#include "base/text.h"

#define CALL_BEFORE 256 /* bytes before the sign of a call that may hold its name */
#define MOST_CHARACTERS 200
#define TRIES 3
#define WINDOW CONTENT_WINDOW

/* ---- one line ---- */

struct line {
    uint8_t *at;
    size_t len;
    unsigned characters;
    bool space; /* a space is due before the next character */
};

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void line_add(struct line *line, struct bytes character)
{
    if (line->characters >= MOST_CHARACTERS)
        return;
    if (character.len == 1 && (is_space(character.at[0]) || character.at[0] < 0x20)) {
        line->space = line->len > 0;
        return;
    }
    if (line->space && ++line->characters < MOST_CHARACTERS)
        line->at[line->len++] = ' ';
    line->space = false;
    if (line->characters++ >= MOST_CHARACTERS)
        return;
    memcpy(line->at + line->len, character.at, character.len);
    line->len += character.len;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_u(struct bytes text, uint32_t *out_unit)
{
    *out_unit = 0;
    if (text.len < 6 || text.at[0] != '\\' || text.at[1] != 'u')
        return false;
    for (size_t i = 2; i < 6; i++) {
        const int digit = hex_digit(text.at[i]);

        if (digit < 0)
            return false;
        *out_unit = *out_unit << 4 | (uint32_t)digit;
    }
    return true;
}

static void line_add_code(struct line *line, uint32_t code)
{
    uint8_t raw[4];
    size_t len;

    if (code < 0x80) {
        raw[0] = (uint8_t)code;
        len = 1;
    } else if (code < 0x800) {
        raw[0] = (uint8_t)(0xc0 | code >> 6);
        raw[1] = (uint8_t)(0x80 | (code & 63));
        len = 2;
    } else if (code < 0x10000) {
        raw[0] = (uint8_t)(0xe0 | code >> 12);
        raw[1] = (uint8_t)(0x80 | (code >> 6 & 63));
        raw[2] = (uint8_t)(0x80 | (code & 63));
        len = 3;
    } else {
        raw[0] = (uint8_t)(0xf0 | code >> 18);
        raw[1] = (uint8_t)(0x80 | (code >> 12 & 63));
        raw[2] = (uint8_t)(0x80 | (code >> 6 & 63));
        raw[3] = (uint8_t)(0x80 | (code & 63));
        len = 4;
    }
    line_add(line, (struct bytes){raw, len});
}

/* An escape of JSON; returns its length. */
static size_t line_add_escape(struct line *line, struct bytes text)
{
    uint32_t unit;
    uint32_t low;

    if (read_u(text, &unit)) {
        if (unit >= 0xd800 && unit < 0xdc00 &&
            read_u((struct bytes){text.at + 6, text.len - 6}, &low) && low >= 0xdc00 &&
            low < 0xe000) {
            line_add_code(line, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
            return 12;
        }
        line_add_code(line, unit == 0 || (unit >= 0xd800 && unit < 0xe000) ? 0xfffd : unit);
        return 6;
    }
    if (text.len < 2)
        return 1;
    if (text.at[1] != 0 && strchr("nrtbf", text.at[1]))
        line_add(line, BYTES_LITERAL(" "));
    else
        line_add(line, (struct bytes){text.at + 1, text.at[1] < 0x80 ? 1 : 0});
    return 2;
}

/* Printable ASCII, where there is room for a space before it. */
static inline void line_add_plain(struct line *line, uint8_t c)
{
    if (c == ' ') {
        line->space = line->len > 0;
        return;
    }
    if (line->space) {
        line->at[line->len++] = ' ';
        line->characters++;
        line->space = false;
    }
    line->at[line->len++] = c;
    line->characters++;
}

/* Adds what line_add_plain takes of the next sixteen bytes at once where no two spaces stand together
 * in it, most of most texts. Returns how many bytes that were; 0: to be looked at one by one. */
static inline size_t line_add_piece(struct line *line, struct bytes text)
{
    unsigned special;
    unsigned spaces;
    unsigned count;

    if (text.len < PIECE_BYTES || line->characters + 1 + PIECE_BYTES > MOST_CHARACTERS)
        return 0;
    special = piece_special(text.at) | piece_is(text.at, 0x7f) | 1U << PIECE_BYTES;
    count = (unsigned)__builtin_ctz(special);
    spaces = piece_is(text.at, ' ') & ((1U << count) - 1);
    if (count == 0 || (spaces & spaces << 1) != 0 ||
        ((spaces & 1) != 0 && (line->space || line->len == 0)))
        return 0;
    if (line->space) {
        line->at[line->len++] = ' ';
        line->characters++;
    }
    memcpy(line->at + line->len, text.at, PIECE_BYTES);
    line->space = spaces >> (count - 1) != 0; /* due, not there yet */
    line->len += count - line->space;
    line->characters += count - line->space;
    return count;
}

/* json: text is the inside of a JSON string, up to its quote or the end. */
static struct bytes line_of(struct arena *arena, struct bytes text, bool json)
{
    struct line line = {.at = arena_alloc(arena, (size_t)4 * MOST_CHARACTERS)};

    if (!line.at)
        return (struct bytes){0};
    while (text.len > 0 && line.characters < MOST_CHARACTERS) {
        const uint8_t c = text.at[0];
        size_t step;

        step = line_add_piece(&line, text);
        if (step > 0) {
            text.at += step;
            text.len -= step;
            continue;
        }
        if (c >= ' ' && c < 0x7f && c != '"' && c != '\\' &&
            line.characters + 2 <= MOST_CHARACTERS) { /* most are such */
            line_add_plain(&line, c);
            text.at++;
            text.len--;
            continue;
        }
        if (json && c == '"')
            break;
        step = text_utf8_step(text);
        if (json && c == '\\') {
            step = line_add_escape(&line, text);
        } else if (step == 0 || c == 0) {
            step = 1;
            line_add_code(&line, 0xfffd);
        } else {
            line_add(&line, (struct bytes){text.at, step});
        }
        text.at += step;
        text.len -= step;
    }
    return (struct bytes){line.at, line.len};
}

/* ---- a message's text in JSON ---- */

static size_t skip_space(struct bytes text, size_t at)
{
    while (at < text.len && is_space(text.at[at]))
        at++;
    return at;
}

/* Where the text of a member begins, behind its quote; at stands behind the name. 0: it is none. */
static size_t string_behind(struct bytes text, size_t at)
{
    at = skip_space(text, at);
    if (at >= text.len || text.at[at] != ':')
        return 0;
    at = skip_space(text, at + 1);
    return at < text.len && text.at[at] == '"' ? at + 1 : 0;
}

static bool word_at(struct bytes text, size_t at, const char *word)
{
    const size_t len = strlen(word);

    return text.len - at > len && memcmp(text.at + at, word, len) == 0 && text.at[at + len] == '"';
}

static bool is_text_name(struct bytes text, size_t at)
{
    return word_at(text, at, "content") || word_at(text, at, "text");
}

static size_t string_end(struct bytes text, size_t at)
{
    while (at < text.len && text.at[at] != '"')
        at += text.at[at] == '\\' ? 2 : 1;
    return at < text.len ? at : text.len;
}

/* Behind the bracket that closes the object at `at`, or the end. */
static size_t object_end(struct bytes text, size_t at)
{
    unsigned depth = 0;

    for (; at < text.len; at++) {
        const uint8_t c = text.at[at];

        if (c == '"')
            at = string_end(text, at + 1);
        else if (c == '{')
            depth++;
        else if (c == '}' && --depth == 0)
            return at + 1;
    }
    return text.len;
}

/* The first text in the rest of the object that at stands in. 0: none. */
static size_t text_ahead(struct bytes text, size_t at)
{
    int depth = 0;

    for (; at < text.len && depth >= 0; at++) {
        const uint8_t c = text.at[at];

        if (c == '{' || c == '[')
            depth++;
        else if (c == '}' || c == ']')
            depth--;
        if (c != '"')
            continue;
        const size_t end = string_end(text, at + 1);
        const size_t found = is_text_name(text, at + 1) ? string_behind(text, end + 1) : 0;

        if (found > 0 && found < text.len && text.at[found] != '"')
            return found;
        at = end;
    }
    return 0;
}

/* The last text that begins between from and to. 0: none. */
static size_t text_before(struct bytes text, size_t from, size_t to)
{
    size_t last = 0;

    for (size_t at = from; at < to;) {
        const uint8_t *quote = memchr(text.at + at, '"', to - at);

        if (!quote)
            break;
        at = (size_t)(quote - text.at) + 1;
        if (is_text_name(text, at)) {
            const size_t found = string_behind(text, string_end(text, at) + 1);

            if (found > 0 && found < to && text.at[found] != '"')
                last = found;
        }
    }
    return last;
}

static bool is_wanted(struct bytes text, size_t at, const struct content_words *words, bool type)
{
    if (type)
        return word_at(text, at, words->type);
    for (size_t i = 0; i < 3 && words->role[i]; i++)
        if (word_at(text, at, words->role[i]))
            return true;
    return false;
}

/* Where the last role before `at` stands; 0: none. */
static size_t role_before(struct bytes text, size_t at)
{
    const uint8_t *quote;

    while ((quote = memrchr(text.at, '"', at)) != NULL) {
        at = (size_t)(quote - text.at);
        if (word_at(text, at + 1, "role"))
            return at;
    }
    return 0;
}

/* The text of the last message of a role in a window, from its end; the last few are tried, so that
 * the work has a bound whatever stands there. */
static struct bytes last_message(struct arena *arena, struct bytes window,
                                 const struct content_words *words)
{
    unsigned tries = 0;
    size_t at = window.len;
    const uint8_t *quote;

    while (tries < TRIES && (quote = memrchr(window.at, '"', at)) != NULL) {
        bool type;
        size_t word;
        size_t text;

        at = (size_t)(quote - window.at);
        type = word_at(window, at + 1, "type");
        word = type || word_at(window, at + 1, "role") ? string_behind(window, at + 6) : 0;
        if (word == 0 || !is_wanted(window, word, words, type))
            continue;
        tries++;
        text = text_ahead(window, string_end(window, word) + 1);
        if (text == 0)
            text = text_before(window, role_before(window, at), at);
        if (text > 0)
            return line_of(arena, (struct bytes){window.at + text, window.len - text}, true);
    }
    return (struct bytes){0};
}

static struct bytes json_line(struct arena *arena, struct bytes text,
                              const struct content_words *words)
{
    const size_t len = text.len < WINDOW ? text.len : WINDOW;
    const struct bytes head = {text.at, len};
    const struct bytes tail = {text.at + text.len - len, len};
    struct bytes line = last_message(arena, tail, words);

    if (line.len == 0 && text.len > WINDOW)
        line = last_message(arena, head, words);
    return line;
}

/* ---- a tool call in JSON ---- */

/* The value behind the first of some names from `from` on: a text, or an object as it stands. */
static struct bytes member_behind(struct bytes text, size_t from, const char *const *names,
                                  bool *out_json)
{
    for (size_t at = from; at < text.len;) {
        const uint8_t *quote = memchr(text.at + at, '"', text.len - at);
        size_t value;

        if (!quote)
            break;
        at = (size_t)(quote - text.at) + 1;
        for (const char *const *name = names; *name; name++) {
            if (!word_at(text, at, *name))
                continue;
            value = skip_space(text, at + strlen(*name) + 1);
            if (value >= text.len || text.at[value] != ':')
                continue;
            value = skip_space(text, value + 1);
            *out_json = value < text.len && text.at[value] == '"';
            if (*out_json)
                return (struct bytes){text.at + value + 1, string_end(text, value + 1) - value - 1};
            if (value < text.len && text.at[value] == '{')
                return (struct bytes){text.at + value, object_end(text, value) - value};
        }
    }
    return (struct bytes){0};
}

/* Where a sign of a call stands: the list of calls as a name, for it is a reason to finish too. */
static const uint8_t *find_sign(struct bytes text, const char *sign, bool as_name)
{
    const size_t len = strlen(sign);
    const uint8_t *end = text.at + text.len;
    const uint8_t *found = memmem(text.at, text.len, sign, len);

    for (unsigned i = 0; i < TRIES && found && as_name; i++) {
        const size_t behind = skip_space(text, (size_t)(found - text.at) + len);

        if (behind < text.len && text.at[behind] == ':')
            return found;
        found = memmem(found + 1, (size_t)(end - found - 1), sign, len);
    }
    return as_name ? NULL : found;
}

static struct bytes joined_line(struct arena *arena, struct bytes name, struct bytes arguments)
{
    uint8_t *joined = arena_alloc(arena, name.len + 1 + arguments.len);

    if (!joined || name.len == 0 || arguments.len == 0)
        return name;
    memcpy(joined, name.at, name.len);
    joined[name.len] = ' ';
    memcpy(joined + name.len + 1, arguments.at, arguments.len);
    return line_of(arena, (struct bytes){joined, name.len + 1 + arguments.len}, false);
}

/* An answer that only calls a tool: its name and its arguments. */
static struct bytes call_line(struct arena *arena, struct bytes text)
{
    static const char *const signs[] = {"\"tool_calls\"",   "\"tool_call\"", "\"toolName\"",
                                        "\"tool_use\"",     "\"toolUse\"",   "\"functionCall\"",
                                        "\"function_call\""};
    struct bytes parts[2];
    bool json[2] = {false, false};

    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        const uint8_t *sign = find_sign(text, signs[i], i == 0);
        const size_t at = sign ? (size_t)(sign - text.at) : 0;
        size_t from = at > CALL_BEFORE ? at - CALL_BEFORE : 0;

        if (!sign)
            continue;
        if (i == 0) /* the calls stand behind their list's name, not around it */
            from = at;
        parts[0] = member_behind(text, from, ANY_OF("toolName", "name"), &json[0]);
        parts[1] = member_behind(text, from, ANY_OF("arguments", "args", "input"), &json[1]);
        if (parts[0].len == 0 || !json[0])
            continue;
        return joined_line(arena, line_of(arena, parts[0], true),
                           line_of(arena, parts[1], json[1]));
    }
    return (struct bytes){0};
}

/* A text as it was sent: the last message of the role where it is JSON, else how it begins. */
struct bytes content_line(struct arena *arena, struct bytes text, const struct content_words *words)
{
    struct bytes line = {0};

    while (text.len > 0 && is_space(text.at[0])) {
        text.at++;
        text.len--;
    }
    if (!message_says(text) || bytes_is(text, "null"))
        return line;
    if (text.at[0] == '{' || text.at[0] == '[') {
        line = json_line(arena, text, words);
        if (line.len == 0 && words->any) {
            const size_t len = text.len < WINDOW ? text.len : WINDOW;
            const struct bytes head = {text.at, len};
            const size_t at = text_ahead(head, 0);

            line = at > 0 ? line_of(arena, (struct bytes){head.at + at, len - at}, true)
                          : call_line(arena, head);
        }
    } else if (text.at[0] == '"' && text.len > 1 && text.at[text.len - 1] == '"') {
        line = line_of(arena, (struct bytes){text.at + 1, text.len - 1}, true);
    }
    return line.len > 0 ? line : line_of(arena, text, false);
}
