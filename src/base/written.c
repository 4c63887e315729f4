#include "config.h"

#include "base/written.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"

/* First line: this and the kind. */
#define HEAD "unseen 1 "

static char *list_path(const char *root)
{
    return us_format("%s/.unseen/files", root);
}

/* The first place whose name is not before `name`. */
static size_t place_of(const struct us_written *w, const char *name)
{
    size_t low = 0, high = w->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(w->names[middle], name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool us_written_has(const struct us_written *w, const char *name)
{
    size_t at = place_of(w, name);
    return at < w->n && strcmp(w->names[at], name) == 0;
}

bool us_written_has_below(const struct us_written *w, const char *folder)
{
    size_t length = strlen(folder);
    for (size_t at = place_of(w, folder); at < w->n && strncmp(w->names[at], folder, length) == 0; at++) {
        if (w->names[at][length] == '/' || length == 0)
            return true;
    }
    return false;
}

static enum unseen_status insert(struct us_written *w, const char *name)
{
    size_t at = place_of(w, name);
    if (at < w->n && strcmp(w->names[at], name) == 0)
        return UNSEEN_OK;
    if (w->n == w->room) {
        size_t room = w->room ? 2 * w->room : 64;
        char **grown = us_realloc(w->names, room, sizeof *grown);
        if (!grown)
            return UNSEEN_FAILED;
        w->names = grown;
        w->room = room;
    }
    char *copy = us_format("%s", name);
    if (!copy)
        return UNSEEN_FAILED;
    memmove(w->names + at + 1, w->names + at, (w->n - at) * sizeof *w->names);
    w->names[at] = copy;
    w->n++;
    return UNSEEN_OK;
}

/* A list that another hand wrote names nothing outside the folder. */
static bool lies_within(const char *name)
{
    if (*name == '/')
        return false;
    for (const char *part = name; part; part = (part = strchr(part, '/')) ? part + 1 : NULL)
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
            return false;
    return true;
}

static enum unseen_status parse(const char *path, char *text, struct us_written *w)
{
    enum unseen_status st = UNSEEN_OK;
    char *line = text, *end = strchr(text, '\n');
    if (end && strncmp(text, HEAD, strlen(HEAD)) != 0 && strncmp(text, "unseen ", 7) == 0) {
        us_fail(UNSEEN_BAD_DATA, path, "was written by another version of this program");
        us_hint("choose another folder");
        return UNSEEN_BAD_DATA;
    }
    bool whole = end && strncmp(text, HEAD, strlen(HEAD)) == 0;
    if (whole)
        *end = '\0';
    US_TRY_ALLOC(w->kind = us_format("%s", whole ? text + strlen(HEAD) : ""));
    for (line = whole ? end + 1 : NULL; line && (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        if (lies_within(line))
            US_TRY(insert(w, line));
    }
out:
    return st;
}

enum unseen_status us_written_read(const char *root, struct us_written *w)
{
    enum unseen_status st = UNSEEN_OK;
    char *text = NULL, *path = list_path(root);
    *w = (struct us_written){.journal = -1};
    US_TRY_ALLOC(path);
    if (us_exists(path))
        US_TRY(us_read_file(path, &text, NULL));
    else
        US_TRY_ALLOC(text = us_calloc(1, 1));
    US_TRY(parse(path, text, w));
out:
    free(text);
    free(path);
    return st;
}

void us_written_free(struct us_written *w)
{
    for (size_t i = 0; i < w->n; i++)
        free(w->names[i]);
    free(w->names);
    free(w->kind);
    if (w->journal > 0)
        close(w->journal);
    *w = (struct us_written){.journal = -1};
}

/* Someone else's file that comes later under the name of one that is gone is not ours. */
static enum unseen_status forget_absent(const char *root, struct us_written *w)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->n; i++) {
        struct stat about;
        char *path = us_format("%s/%s", root, w->names[i]);
        if (!path)
            return UNSEEN_FAILED;
        bool there = lstat(path, &about) == 0;
        free(path);
        char *name = w->names[i];
        w->names[i] = NULL;
        if (there)
            w->names[kept++] = name;
        else
            free(name);
    }
    w->n = kept;
    return UNSEEN_OK;
}

static bool print(FILE *file, const struct us_written *w)
{
    fprintf(file, HEAD "%s\n", w->kind);
    for (size_t i = 0; i < w->n; i++)
        fprintf(file, "%s\n", w->names[i]);
    bool good = fflush(file) == 0 && !ferror(file) && (fsync(fileno(file)) == 0 || errno == EINVAL);
    return fclose(file) == 0 && good;
}

enum unseen_status us_written_open(const char *root, const char *temporary, const char *kind,
                                   struct us_written *w)
{
    enum unseen_status st = UNSEEN_OK;
    char *path = list_path(root);
    US_TRY_ALLOC(path);
    if (kind && !*w->kind) {
        free(w->kind);
        US_TRY_ALLOC(w->kind = us_format("%s", kind));
    }
    US_TRY(forget_absent(root, w));
    FILE *file = us_fopen(temporary, "wxe");
    if (!file || !print(file, w) || rename(temporary, path) != 0) {
        st = us_fail_errno(path, "cannot write");
        (void)unlink(temporary);
        goto out;
    }
    if (w->journal > 0)
        close(w->journal);
    w->journal = us_open(path, O_WRONLY | O_APPEND | O_CLOEXEC, 0);
    if (w->journal < 0)
        st = us_fail_errno(path, "cannot write");
out:
    free(path);
    return st;
}

enum unseen_status us_written_add(struct us_written *w, const char *name)
{
    enum unseen_status st = UNSEEN_OK;
    char *line = us_format("%s\n", name);
    US_TRY_ALLOC(line);
    size_t size = strlen(line);
    off_t end = lseek(w->journal, 0, SEEK_END);
    if (write(w->journal, line, size) != (ssize_t)size || (fdatasync(w->journal) != 0 && errno != EINVAL)) {
        st = us_fail_errno(name, "cannot be put on the list of the folder's files");
        /* Half a line would be half of the next name. */
        (void)!ftruncate(w->journal, end);
        goto out;
    }
    US_TRY(insert(w, name));
out:
    free(line);
    return st;
}
