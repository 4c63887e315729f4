#include "config.h"

#include "datasets/list/shards.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/text.h"
#include "datasets/list/braces.h"
#include "datasets/store/source.h"

bool us_is_shard_name(const char *name)
{
    const char *dot = strrchr(us_base_name(name), '.');
    return dot && us_same_letters(dot + 1, "tar");
}

static bool is_word(const char *at, size_t size, const char *word)
{
    size_t i = 0;
    while (i < size && us_lower(at[i]) == word[i])
        i++;
    return i == size && !word[i];
}

enum us_shard_split us_shard_split(const char *name)
{
    static const struct {
        const char *word;
        enum us_shard_split split;
    } words[] = {{"train", US_SHARD_TRAIN}, {"training", US_SHARD_TRAIN}, {"val", US_SHARD_VAL},
                 {"valid", US_SHARD_VAL},   {"validation", US_SHARD_VAL}, {"test", US_SHARD_TEST}};
    for (const char *at = name; *at;) {
        size_t size = 0;
        while (us_is_letter(at[size]))
            size++;
        for (size_t i = 0; size > 0 && i < sizeof words / sizeof *words; i++) {
            if (is_word(at, size, words[i].word))
                return words[i].split;
        }
        at += size + (size == 0);
    }
    return US_SHARD_NONE;
}

/* `name` is a part of `path`, or of its own. */
static enum unseen_status add(struct us_shards *shards, int *room, const char *path, const char *name)
{
    if (shards->n == *room) {
        *room = *room ? 2 * *room : 64;
        struct us_shard *grown = us_realloc(shards->list, (size_t)*room, sizeof *grown);
        if (!grown)
            return UNSEEN_FAILED;
        shards->list = grown;
    }
    struct us_shard *shard = &shards->list[shards->n++];
    *shard = (struct us_shard){
        .path = us_format("%s", path), .name = us_format("%s", name), .split = us_shard_split(name)};
    return shard->path && shard->name ? UNSEEN_OK : UNSEEN_FAILED;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct us_shard *)a)->name, ((const struct us_shard *)b)->name);
}

static enum unseen_status find_in_folder(const char *location, struct us_shards *shards)
{
    struct us_source *source = NULL;
    const char *name = NULL;
    int room = 0;
    enum unseen_status st;
    US_TRY(us_source_open(location, &source));
    for (;;) {
        US_TRY(us_source_next(source, &name));
        if (!name)
            break;
        if (!us_is_shard_name(name))
            continue;
        char *path = us_format("%s/%s", us_source_path(source), name);
        US_TRY_ALLOC(path);
        st = add(shards, &room, path, name);
        free(path);
        US_TRY(st);
    }
    if (shards->n > 1)
        qsort(shards->list, (size_t)shards->n, sizeof *shards->list, compare_names);
out:
    us_source_close(source);
    return st;
}

/* What the names of a pattern have in common up to a '/' is no part of the shards' names. */
static size_t folder_of(const char *pattern)
{
    const char *brace = strchr(pattern, '{');
    size_t at = brace ? (size_t)(brace - pattern) : strlen(pattern);
    while (at > 0 && pattern[at - 1] != '/')
        at--;
    return at;
}

static enum unseen_status find_by_pattern(const char *location, struct us_shards *shards)
{
    struct us_braces braces = {0};
    const char *missing = NULL;
    int room = 0, n_missing = 0;
    const size_t folder = folder_of(location);
    enum unseen_status st;
    if (us_exists(location)) {
        US_TRY(add(shards, &room, location, us_base_name(location)));
        goto out;
    }
    US_TRY(us_braces_expand(location, &braces));
    for (int i = 0; i < braces.n; i++) {
        if (!us_exists(braces.list[i])) {
            missing = n_missing++ == 0 ? braces.list[i] : missing;
            continue;
        }
        US_TRY(add(shards, &room, braces.list[i], braces.list[i] + folder));
    }
    if (n_missing > 0)
        st = us_fail(UNSEEN_BAD_DATA, location,
                     "%s is not there; missing of the %d that the pattern names: %d", missing, braces.n,
                     n_missing);
out:
    us_braces_free(&braces);
    return st;
}

enum unseen_status us_shards_find(const char *location, struct us_shards *shards)
{
    enum unseen_status st =
        us_is_folder(location) ? find_in_folder(location, shards) : find_by_pattern(location, shards);
    if (st != UNSEEN_OK || shards->n > 0)
        return st;
    us_fail(UNSEEN_BAD_DATA, location, "holds no .tar file");
    us_hint("a WebDataset is a folder of .tar files, or a pattern such as train-{000..146}.tar");
    return UNSEEN_BAD_DATA;
}

void us_shards_free(struct us_shards *shards)
{
    for (int i = 0; i < shards->n; i++) {
        free(shards->list[i].path);
        free(shards->list[i].name);
    }
    free(shards->list);
    *shards = (struct us_shards){0};
}
