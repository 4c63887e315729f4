#include "config.h"

#include "device/source.h"

#include "base/fs.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_INCLUDES = 32 };

struct assembly {
    char *text; /* what came together so far */
    size_t size, room;
    struct {
        char name[64];
        bool conditional; /* only inside #if so far: the compiler may have skipped it */
    } done[MAX_INCLUDES]; /* files already in it */
    int n;
    int depth;  /* of #if around the current line */
    int nested; /* of files around it */
};

static enum unseen_status append(struct assembly *a, const char *text, size_t size)
{
    if (a->size + size + 1 > a->room) {
        size_t room = (a->size + size + 1) * 2;
        char *grown = us_realloc(a->text, room, 1);
        if (!grown)
            return UNSEEN_FAILED;
        a->text = grown;
        a->room = room;
    }
    memcpy(a->text + a->size, text, size);
    a->size += size;
    a->text[a->size] = '\0';
    return UNSEEN_OK;
}

static const char *embedded(const char *name)
{
    for (const struct us_source *source = us_sources; source->name; source++) {
        if (strcmp(source->name, name) == 0)
            return source->text;
    }
    return NULL;
}

/* The bare file, fresh memory. A folder in UNSEEN_CL_PATH may hold some files only; the rest is embedded. */
static enum unseen_status read_one(const char *name, char **text)
{
    const char *folder = getenv("UNSEEN_CL_PATH");
    const char *inside = embedded(name);
    if (folder && *folder) {
        char *path = us_format("%s/%s", folder, name);
        if (!path)
            return UNSEEN_FAILED;
        enum unseen_status st = UNSEEN_OK;
        bool there = us_exists(path);
        if (there)
            st = us_read_file(path, text, NULL);
        free(path);
        if (there)
            return st;
    }
    if (!inside)
        return us_fail(UNSEEN_FAILED, name, "no such kernel file%s%s", folder && *folder ? ", nor in " : "",
                       folder ? folder : "");
    *text = us_format("%s", inside);
    return *text ? UNSEEN_OK : UNSEEN_FAILED;
}

/* If `line` is #include "NAME", NAME; empty otherwise. */
static void included_name(const char *line, char name[64])
{
    name[0] = '\0';
    while (*line == ' ' || *line == '\t')
        line++;
    if (*line++ != '#')
        return;
    while (*line == ' ' || *line == '\t')
        line++;
    if (sscanf(line, "include \"%63[^\"\n]\"", name) != 1)
        name[0] = '\0';
}

/* 1 for a line that opens a conditional, -1 for one that closes it. */
static int opens(const char *line)
{
    line += strspn(line, " \t");
    if (*line != '#')
        return 0;
    line += 1 + strspn(line + 1, " \t");
    return strncmp(line, "if", 2) == 0 ? 1 : strncmp(line, "endif", 5) == 0 ? -1 : 0;
}

static enum unseen_status add_file(struct assembly *a, const char *name);

static enum unseen_status add_lines(struct assembly *a, const char *name, const char *text)
{
    enum unseen_status st = UNSEEN_OK;
    char mark[128];
    int number = 1;
    /* #line keeps compiler messages true to the file on disk. */
    US_TRY(append(a, mark, (size_t)snprintf(mark, sizeof mark, "#line 1 \"%s\"\n", name)));
    while (*text) {
        const char *end = strchr(text, '\n');
        size_t length = end ? (size_t)(end - text) + 1 : strlen(text);
        char inner[64];
        included_name(text, inner);
        a->depth += opens(text);
        number++;
        if (inner[0]) {
            US_TRY(add_file(a, inner));
            US_TRY(append(a, mark, (size_t)snprintf(mark, sizeof mark, "#line %d \"%s\"\n", number, name)));
        } else {
            US_TRY(append(a, text, length));
        }
        text += length;
    }
    if (a->size > 0 && a->text[a->size - 1] != '\n')
        US_TRY(append(a, "\n", 1));
out:
    return st;
}

/* Its place in the list; the next free one if it is not there. */
static int find(const struct assembly *a, const char *name)
{
    int i = 0;
    while (i < a->n && strcmp(a->done[i].name, name) != 0)
        i++;
    return i;
}

/* The text, which the compiler is to see once: where it cannot be told here whether it has, a macro tells it.
 */
static enum unseen_status add_text(struct assembly *a, const char *name, const char *text, bool guarded)
{
    enum unseen_status st = UNSEEN_OK;
    char macro[80], line[200];
    int n = snprintf(macro, sizeof macro, "US_HAS_%s", name);
    for (int i = 0; i < n && i < (int)sizeof macro - 1; i++) {
        if (!us_is_digit(macro[i]) && !us_is_letter(macro[i]))
            macro[i] = '_';
    }
    n = snprintf(line, sizeof line, "#ifndef %s\n#define %s\n", macro, macro);
    if (guarded)
        US_TRY(append(a, line, (size_t)n));
    US_TRY(add_lines(a, name, text));
    if (guarded)
        US_TRY(append(a, "#endif\n", 7));
out:
    return st;
}

static enum unseen_status add_file(struct assembly *a, const char *name)
{
    const int i = find(a, name);
    const bool known = i<a->n, conditional = a->depth> 0;
    if (known && !a->done[i].conditional)
        return UNSEEN_OK;
    if (i == MAX_INCLUDES || a->nested == MAX_INCLUDES || strlen(name) >= sizeof a->done[0].name)
        return us_fail(UNSEEN_FAILED, name, "too many kernel files in one, or too long a name");
    snprintf(a->done[i].name, sizeof a->done[i].name, "%s", name);
    a->done[i].conditional = conditional;
    a->n += !known;
    char *text = NULL;
    enum unseen_status st = read_one(name, &text);
    a->nested++;
    if (st == UNSEEN_OK)
        st = add_text(a, name, text, conditional || known);
    a->nested--;
    free(text);
    return st;
}

enum unseen_status us_source_load(const char *name, char **text)
{
    struct assembly a = {0};
    enum unseen_status st = add_file(&a, name);
    if (st != UNSEEN_OK) {
        free(a.text);
        return st;
    }
    *text = a.text;
    return UNSEEN_OK;
}
