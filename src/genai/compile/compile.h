/* The program that makes the table of dialects at build: what its parts share. One pass, one table,
 * so all of it lies in globals. */
#ifndef GENAI_COMPILE_H
#define GENAI_COMPILE_H

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"

/* The same functions as at run time; what they say of targets is only being made. */
#define GENAI_TARGETS_H
#include "genai/table.h"

enum { MOST_ROWS = 4096, MOST_NAMES = 256 };

struct row { /* of dialects.tsv */
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

struct signs {
    struct sign items[MOST_NAMES];
    int count;
};

struct word { /* of values.tsv */
    char *map, *raw, *means;
    int map_id;
};

/* read.c */
extern struct row rows[MOST_ROWS];
extern int row_count;
extern struct group groups[MOST_ROWS];
extern int group_count;
extern struct names targets, dialects, maps;
extern struct signs scopes, span_names, values;
extern struct word words[MOST_ROWS];
extern int word_count;

/* Both end the program with the file's and the line's name where they do not understand it. */
void read_dialects(const char *path);
void read_values(const char *path);
/* The group of a key of the table. */
struct group *group_of_key(const char *key);

/* lookup.c: the hashes by which keys, patterns and words are found. */
extern int key_number[MOST_ROWS]; /* of a group: its place among the keys */
void write_keys(void);
void write_patterns(void);
void write_word_slots(void); /* of words without '*' */

#endif
