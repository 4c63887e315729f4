#include "config.h"

#include "datasets/folder/class_folder.h"

#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "base/text.h"
#include "datasets/format.h"

/* Bytes of "n01440764" in "n01440764 tench", else all; a '/' cannot be in a folder's name. */
static size_t folder_size(const char *class)
{
    size_t digits = 0;
    while (class[0] == 'n' && us_is_digit(class[1 + digits]))
        digits++;
    return digits == 8 && class[9] == ' ' ? 9 : strlen(class);
}

/* A class that is called by its number, with zeroes before it: folders are sorted by the bytes of their
 * names. */
static char *folder_of_number(int class, int classes)
{
    char number[16];
    const int digits = us_print_to(number, sizeof number, "%d", classes - 1);
    return us_format("class %0*d", digits, class);
}

char *us_class_folder(const struct unseen_dataset *dataset, int class)
{
    const char *name = dataset->class_names[class];
    char number[32];
    us_print_to(number, sizeof number, US_CLASS_NUMBER, class);
    if (strcmp(name, number) == 0)
        return folder_of_number(class, dataset->classes);
    char *folder = us_format("%.*s", (int)folder_size(name), name);
    for (char *slash = folder; slash && (slash = strchr(slash, '/'));)
        *slash = '_';
    return folder;
}

/* In place: no part is "..", and none is empty or ".". */
static void keep_inside(char *path)
{
    char *to = path, *rest = NULL;
    for (char *part = strtok_r(path, "/", &rest); part; part = strtok_r(NULL, "/", &rest)) {
        const size_t size = strlen(part);
        if (strcmp(part, ".") == 0 || strcmp(part, "..") == 0)
            continue;
        if (to != path)
            *to++ = '/';
        memmove(to, part, size);
        to += size;
    }
    *to = '\0';
}

char *us_class_path(const struct unseen_dataset *dataset, enum unseen_split split, int64_t i)
{
    const struct unseen_images *images = &dataset->split[split];
    const char *inside = images->paths[i] + images->class_at;
    char *folder = us_class_folder(dataset, images->labels[i]), *path = NULL;
    const size_t size = folder ? strlen(folder) : 0;
    if (folder && strncmp(inside, folder, size) == 0 && inside[size] == '/') {
        path = us_format("%s", inside);
    } else if (folder && (path = us_format("%s", inside))) {
        keep_inside(path);
        char *below = us_format("%s/%s", folder, path);
        free(path);
        path = below;
    }
    free(folder);
    return path;
}
