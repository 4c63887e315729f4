/* Settings as data. A table beside each option struct says of every member what it is called, what it may be
 * and what it does; the command line, --help, the defaults, the range checks, the settings in JSON, the
 * fingerprints of run folders, the man pages and the completions all come from it. To add an option: a
 * member, its row, and the code that uses it. */
#ifndef US_BASE_OPTION_H
#define US_BASE_OPTION_H

#include <jansson.h>
#include <stdint.h>

#include "base/status.h"

struct unseen_dataset;

enum us_option_kind {
    US_BOOL,   /* int: 0 or 1; --NAME sets it and --no-NAME clears it */
    US_INT,    /* int */
    US_INT64,  /* int64_t */
    US_UINT64, /* uint64_t */
    US_FLOAT,  /* float */
    US_DOUBLE, /* double */
    US_SPAN,   /* int[2]: "A..B", from A up to B; equal for "A" and for words */
    US_CHOICE, /* an enum from 0: the position of a word in `value` */
    US_STRING, /* const char *; NULL: not given */
    US_NAME,   /* char[US_NAME_SIZE] */
    US_STRUCT, /* a struct inside the struct, with a table of its own */
};

enum { US_NAME_SIZE = 32 };

/* Properties of a row, by bits. */
enum {
    US_ABOVE_LOW = 1,       /* the range is open at `low` */
    US_BELOW_HIGH = 2,      /* the range is open at `high` */
    US_ZERO_IS_DEFAULT = 4, /* in a struct 0 stands for `standard` */
    US_NO_IDENTITY = 8,     /* results are the same bytes whatever it is: no part of a fingerprint */
    US_PROLONGS = 16,       /* a training that was stopped may go on with another value */
    US_GROWS = 32,          /* a list or number that may grow in a folder */
    US_WAS_BOOL = 64, /* a US_CHOICE that was a US_BOOL, whose spellings are still taken: false is its first
                         word, true its second */
};

struct us_option {
    const char *name; /* without the dashes; NULL ends a table */
    enum us_option_kind kind;
    size_t offset;        /* of the member in the struct */
    const char *standard; /* the default, as one would write it; NULL: 0, or no string */
    double low, high;     /* range of a number; equal: any */
    const char *value;    /* what --help shows for it, "N"; the words of US_CHOICE, "cosine|onecycle" */
    const char *words;    /* words that may be given instead of a number, "table|auto" .. */
    double first_word;    /* .. the first is kept as this number, the next ones as this less 1, 2, .. */
    const char *unit;     /* of a number, "epochs"; NULL: none, or help says so */
    const char *help;     /* one line; what is switched on by a US_BOOL; of a US_STRUCT the group's title */
    const char *since;    /* version that brought it; NULL: 0.1.0, the first */
    const char *former;   /* an old name that is still taken, with a warning; NULL: none */
    const char *former_word;     /* the same of the first word of US_CHOICE */
    const char *used_by;         /* rules that look at it, "d2 beta"; NULL: not only rules do */
    const char *(*known)(int i); /* the i-th value that is known, NULL past the last; for completion */
    /* Of US_NAME, if a value stands for those of other options: "option=value option=value ...", static.
     * UNSEEN_USAGE for an unknown one. */
    enum unseen_status (*fills)(const char *value, const char **settings);
    /* Of US_NAME with `fills`: which value "auto" stands for, what a command takes that is not told any; it
     * is known once the dataset is. `base`: the struct that holds the member. NULL: there is no "auto". */
    const char *(*settles)(const void *base, const struct unseen_dataset *data);
    unsigned flags;

    /* US_STRUCT alone: */
    const struct us_option *table;
    const char *prefix;  /* of the names inside; NULL: none */
    const char *without; /* names inside that do not count here, "keep steps"; NULL: none */
    size_t follows;      /* + 1: offset of a struct of the same kind whose members stand in for those of this
                            one that the command line does not give; 0: none */
};

/* Where a member of `type` lies. */
#define US_AT(type, member) .offset = offsetof(type, member)

/* A row that was found in a table or a table inside it. */
struct us_option_at {
    const struct us_option *row;
    void *base;          /* the struct that holds the member */
    const void *follows; /* the struct that stands in for it, or NULL */
    const char *group;   /* title; NULL: of the outermost table */
    char name[64];       /* with the prefix */
};

enum { US_OPTIONS_MOST = 192 };

/* All rows of `table`, those of structs inside it among them, for the struct at `base`: the number written to
 * `list`. */
US_SHARED int us_options_list(const struct us_option *table, const void *base,
                              struct us_option_at list[US_OPTIONS_MOST]);

/* The row that the command line calls `name`; false: there is none. */
bool us_option_find(const struct us_option *table, const void *base, const char *name,
                    struct us_option_at *at);

/* Whether `name` is one of the words in "a b c"; NULL has none. */
US_SHARED bool us_is_among(const char *words, const char *name);

/* Set every member to its default. Members without a row are left alone. */
US_SHARED void us_options_defaults(const struct us_option *table, void *base);

/* UNSEEN_USAGE, naming the option and its range, for the first member that is out of its range. */
enum unseen_status us_options_check(const struct us_option *table, const void *base);

/* The same for one member. */
enum unseen_status us_option_check(const struct us_option_at *at);

/* Set a member from text: a decimal number within the range, two of them with ".." between, a word,
 * true|false|yes|no|on|off|1|0. Strings are borrowed. UNSEEN_USAGE, naming the option, for anything else. */
US_SHARED enum unseen_status us_option_parse(const struct us_option_at *at, const char *text);

/* A member as us_option_parse reads it, in fresh memory: the shortest text that stands for the same value; ""
 * for no string. NULL if memory runs out. */
US_SHARED char *us_option_text(const struct us_option_at *at);

/* "1..1024 channels", "(0,1]", "a|b" or "" into `text`; returns it. */
enum { US_RANGE_TEXT = 128 };
US_SHARED const char *us_option_range(const struct us_option *row, char text[US_RANGE_TEXT]);

/* Take the next "option=value" off *settings: false at their end. */
enum { US_SETTING_SIZE = 64 };
US_SHARED bool us_setting_next(const char **settings, char name[US_SETTING_SIZE],
                               char value[US_SETTING_SIZE]);

/* Add every member to a JSON object under its name, with "_" for "-". Numbers that 15 digits do not hold and
 * words are strings, no string is null. `leave_out`: rows with one of these flags are left out. UNSEEN_FAILED
 * if memory runs out or `object` is NULL. */
enum unseen_status us_options_put(json_t *object, const struct us_option *table, const void *base,
                                  unsigned leave_out);

/* The opposite: set the members that `object` names. Strings are borrowed from it. `file` stands for it in
 * messages. */
enum unseen_status us_options_get(const json_t *object, const char *file, const struct us_option *table,
                                  void *base);

/* The same for one member and its value. */
US_SHARED enum unseen_status us_option_get(const struct us_option_at *at, const char *file,
                                           const json_t *value);

/* The position of a word in "a|b|c"; -1: it is none of them. */
US_SHARED int us_option_find_word(const char *words, const char *text);

/* "name value\n" for each row without one of the flags, in fresh memory; NULL if memory runs out. */
char *us_options_lines(const struct us_option *table, const void *base, unsigned leave_out);

#endif
