/* Which archives a WebDataset is made of, and which split each belongs to. */
#ifndef US_DATASETS_SHARDS_H
#define US_DATASETS_SHARDS_H

#include "base/status.h"

enum us_shard_split { US_SHARD_NONE, US_SHARD_TRAIN, US_SHARD_VAL, US_SHARD_TEST };

struct us_shard {
    char *path;                /* to open it */
    char *name;                /* inside the dataset: behind its folder, or as the pattern has it */
    enum us_shard_split split; /* by the words train, val (valid, validation) and test in its name */
};

struct us_shards {
    struct us_shard *list; /* [n] of a folder in the order of names, of a pattern in its own */
    int n;
};

/* `location`: a folder with *.tar files, at any depth; a pattern with braces; or one .tar. UNSEEN_BAD_DATA if
 * there is none, or one that a pattern names is missing: named, with how many. Freed with us_shards_free,
 * also after a failure; `shards` is zeroed by the caller. */
enum unseen_status us_shards_find(const char *location, struct us_shards *shards);
void us_shards_free(struct us_shards *shards);

/* Whether a file's name is that of a tar that is not compressed. */
bool us_is_shard_name(const char *name);

/* The split that a name's words tell. */
enum us_shard_split us_shard_split(const char *name);

#endif
