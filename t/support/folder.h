/* A temporary folder for one test program. */
#ifndef US_T_SUPPORT_FOLDER_H
#define US_T_SUPPORT_FOLDER_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fs.h"

static char test_folder[512];

/* cmocka group setup: makes test_folder. */
static inline int test_folder_make(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(test_folder, sizeof test_folder, "%s/unseen-test-XXXXXX", base && *base ? base : "/tmp");
    return mkdtemp(test_folder) ? 0 : -1;
}

/* cmocka group teardown: removes it and all that lies in it. */
static inline int test_folder_remove(void **state)
{
    (void)state;
    return us_remove_folder(test_folder) == UNSEEN_OK ? 0 : -1;
}

/* test_folder/name; static storage, one of four in turn. */
static inline const char *test_path(const char *name)
{
    static char paths[4][1024];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", test_folder, name);
    return path;
}

#endif
