/* Which drivers are registered. */
#include "config.h"

#include "device/drivers.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static enum unseen_status add(struct us_drivers *drivers, const char *file, const char *library)
{
    struct us_driver *grown = us_realloc(drivers->list, (size_t)drivers->n + 1, sizeof *grown);
    if (!grown)
        return UNSEEN_FAILED;
    drivers->list = grown;
    grown[drivers->n] = (struct us_driver){us_format("%s", file), us_format("%s", library)};
    const bool whole = grown[drivers->n].file && grown[drivers->n].library;
    drivers->n++;
    return whole ? UNSEEN_OK : UNSEEN_FAILED;
}

/* The library is the first line of the file, without blanks behind it. One that cannot be read names none. */
static enum unseen_status add_file(struct us_drivers *drivers, const char *path)
{
    char *text = NULL;
    enum unseen_status st = UNSEEN_OK;
    if (us_read_file(path, &text, NULL) == UNSEEN_OK) {
        text[strcspn(text, "\r\n")] = '\0';
        for (size_t n = strlen(text); n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t'); n--)
            text[n - 1] = '\0';
        st = add(drivers, path, text);
    }
    free(text);
    return st;
}

static int is_registration(const struct dirent *entry)
{
    return ends_with(entry->d_name, ".icd");
}

static enum unseen_status add_folder(struct us_drivers *drivers, const char *folder)
{
    enum unseen_status st = UNSEEN_OK;
    struct dirent **entries = NULL;
    const int n = scandir(folder, &entries, is_registration, alphasort);
    for (int i = 0; i < n; i++) {
        char *path = st == UNSEEN_OK ? us_format("%s/%s", folder, entries[i]->d_name) : NULL;
        if (st == UNSEEN_OK)
            st = path ? add_file(drivers, path) : UNSEEN_FAILED;
        free(path);
        free(entries[i]);
    }
    free(entries);
    return st;
}

/* OCL_ICD_FILENAMES: libraries, separated by colons, that no file registers. */
static enum unseen_status add_libraries(struct us_drivers *drivers, const char *names)
{
    enum unseen_status st = UNSEEN_OK;
    char *text = us_format("%s", names), *rest = text;
    US_TRY_ALLOC(text);
    for (char *name; (name = strtok_r(rest, ":", &rest));)
        US_TRY(ends_with(name, ".icd") ? add_file(drivers, name) : add(drivers, name, name));
out:
    free(text);
    return st;
}

enum unseen_status us_drivers_read(struct us_drivers *drivers)
{
    enum unseen_status st = UNSEEN_OK;
    const char *place = getenv("OCL_ICD_VENDORS"), *more = getenv("OCL_ICD_FILENAMES");
    *drivers = (struct us_drivers){NULL, 0, NULL};
    US_TRY_ALLOC(drivers->place = us_format("%s", place && *place ? place : "/etc/OpenCL/vendors"));
    if (us_is_folder(drivers->place))
        US_TRY(add_folder(drivers, drivers->place));
    else if (ends_with(drivers->place, ".icd"))
        US_TRY(add_file(drivers, drivers->place));
    else if (ends_with(drivers->place, ".so"))
        US_TRY(add(drivers, drivers->place, drivers->place));
    if (more && *more)
        US_TRY(add_libraries(drivers, more));
out:
    return st;
}

void us_drivers_free(struct us_drivers *drivers)
{
    for (int i = 0; i < drivers->n; i++) {
        free(drivers->list[i].file);
        free(drivers->list[i].library);
    }
    free(drivers->list);
    free(drivers->place);
    *drivers = (struct us_drivers){NULL, 0, NULL};
}

const struct us_driver *us_drivers_find(const struct us_drivers *drivers, const char *part)
{
    for (int i = 0; i < drivers->n; i++) {
        if (strstr(drivers->list[i].library, part))
            return &drivers->list[i];
    }
    return NULL;
}
