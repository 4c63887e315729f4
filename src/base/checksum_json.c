/* Checksums in JSON files beside what they are of. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/fs.h"
#include "base/json.h"

json_t *us_checksums_json(const char *folder, const char *const *files)
{
    enum unseen_status st = UNSEEN_OK;
    char text[US_CHECKSUM_TEXT], *path = NULL;
    json_t *sums = json_object();
    US_TRY_ALLOC(sums);
    for (; *files; files++) {
        US_TRY_ALLOC(path = us_format("%s/%s", folder, *files));
        if (us_exists(path)) {
            US_TRY(us_checksum_written(path, text));
            if (json_object_set_new(sums, *files, json_string(text)))
                st = us_fail(UNSEEN_FAILED, "memory", "there is none for checksums");
        }
        free(path);
        path = NULL;
    }
out:
    free(path);
    if (!st)
        return sums;
    json_decref(sums);
    return NULL;
}

/* By the JSON file `teller` (taken), if it is there and names `name`. One that cannot be read, or is no JSON,
 * tells nothing. */
static enum unseen_status check_by(char *teller, const char *path, const char *name)
{
    enum unseen_status st = UNSEEN_OK;
    json_t *json = NULL;
    US_TRY_ALLOC(teller);
    if (!us_exists(teller) || us_json_load(teller, &json))
        goto out;
    const char *sum = json_string_value(json_object_get(json_object_get(json, "checksums"), name));
    st = sum ? us_checksum_check(path, sum, teller) : UNSEEN_OK;
    if (st == UNSEEN_BAD_DATA)
        us_hint("the same command that wrote it makes it anew; if it is another file on purpose, use a copy "
                "in another folder");
out:
    json_decref(json);
    free(teller);
    return st;
}

static const char *after_slash(const char *path, const char *end)
{
    while (end > path && end[-1] != '/')
        end--;
    return end;
}

enum unseen_status us_checksum_check_beside(const char *path)
{
    static const char *const tellers[] = {"run.json", "quality.json", "result.json"};
    enum unseen_status st = UNSEEN_OK;
    const char *name = after_slash(path, path + strlen(path));
    for (int i = 0; i < 3 && !st; i++)
        st = check_by(us_format("%.*s%s", (int)(name - path), path, tellers[i]), path, name);
    if (!st && name > path) {
        const char *above = after_slash(path, name - 1);
        st = check_by(us_format("%.*s%s", (int)(above - path), path, tellers[0]), path, above);
    }
    return st;
}
