#include "config.h"

#include "base/log.h"
#include "device/drivers.h"
#include "device/state.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static void hint_list(const struct unseen_device_info *list, int n)
{
    char text[400] = "";
    size_t used = 0;
    for (int i = 0; i < n && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%d %s%s", i ? "; " : "", list[i].index,
                                 list[i].name, list[i].usable ? "" : " (unusable)");
    us_hint("devices here: %s", text);
}

static enum unseen_status no_device(const struct unseen_device_info *list, int n, const char *where,
                                    const char *text, const char *detail)
{
    us_fail(UNSEEN_NO_DEVICE, where, "%s%s", text, detail);
    hint_list(list, n);
    return UNSEEN_NO_DEVICE;
}

static bool contains(const char *text, const char *part)
{
    size_t length = strlen(part);
    for (; strlen(text) >= length; text++) {
        size_t i = 0;
        while (i < length && us_lower(text[i]) == us_lower(part[i]))
            i++;
        if (i == length)
            return true;
    }
    return false;
}

static bool all_digits(const char *text)
{
    return text[strspn(text, "0123456789")] == '\0';
}

/* The index that digits spell, -1 if it is not one of 0..n-1. */
static int by_index(const char *digits, int n)
{
    unsigned long value = strtoul(digits, NULL, 10);
    return value < (unsigned long)n ? (int)value : -1;
}

/* The first usable device by that name, else the first unusable one, else -1. */
static int by_name(const struct unseen_device_info *list, int n, const char *selector)
{
    int unfit = -1;
    for (int i = 0; i < n; i++) {
        char name[sizeof list->platform + sizeof list->name + 1];
        snprintf(name, sizeof name, "%s %s", list[i].platform, list[i].name);
        if (!contains(name, selector))
            continue;
        if (list[i].usable)
            return i;
        if (unfit < 0)
            unfit = i;
    }
    return unfit;
}

/* CPUs, GPUs in the host's memory, GPUs with their own. Half of the host's memory, which is what integrated
 * ones report, is no sign of speed. */
static int rank(const struct unseen_device_info *info)
{
    return info->type == UNSEEN_DEVICE_CPU   ? 1
           : info->type != UNSEEN_DEVICE_GPU ? 0
           : info->host_memory               ? 2
                                             : 3;
}

static bool is_better(const struct unseen_device_info *a, const struct unseen_device_info *b)
{
    if (rank(a) != rank(b))
        return rank(a) > rank(b);
    return a->type == UNSEEN_DEVICE_GPU && a->global_bytes > b->global_bytes;
}

static int by_default(const struct unseen_device_info *list, int n, const char **why)
{
    static const char *const reasons[] = {"", "the first usable CPU, as there is no usable GPU",
                                          "the integrated GPU, as there is no other usable one",
                                          "the usable GPU with the most memory"};
    int best = -1;
    for (int i = 0; i < n; i++) {
        const bool candidate = list[i].usable && rank(&list[i]) > 0;
        if (candidate && (best < 0 || is_better(&list[i], &list[best])))
            best = i;
    }
    if (best >= 0)
        *why = reasons[rank(&list[best])];
    return best;
}

/* The device that a selector of its own means; `where` tells who wrote it. */
static enum unseen_status named(const struct unseen_device_info *list, int n, const char *where,
                                const char *selector, int *index)
{
    /* A number is never looked for in names: --device 9 must not find a "4090". */
    int chosen = all_digits(selector) ? by_index(selector, n) : by_name(list, n, selector);
    if (!*selector || chosen < 0)
        return no_device(list, n, where, "no device has this index or name: ", selector);
    if (!list[chosen].usable)
        return no_device(list, n, where, "the device cannot be used: ", list[chosen].reason);
    *index = chosen;
    return UNSEEN_OK;
}

/* Whose results are the same to the last bit, as far as can be told. */
static bool alike(const struct unseen_device_info *a, const struct unseen_device_info *b)
{
    return strcmp(a->platform, b->platform) == 0 && strcmp(a->name, b->name) == 0 &&
           strcmp(a->driver, b->driver) == 0 && strcmp(a->version, b->version) == 0 &&
           a->compute_units == b->compute_units;
}

/* The devices differ, and yet are the same hardware. */
static bool is_twin(const struct unseen_device_info *a, const struct unseen_device_info *b)
{
    const int first = a->repeated ? a->same_as : a->index, second = b->repeated ? b->same_as : b->index;
    return a->index != b->index && first == second;
}

/* Whether `index` goes with the devices chosen before: UNSEEN_USAGE where it is of another kind; *add is
 * false where it is one of them by another driver. */
static enum unseen_status check_next(const struct unseen_device_info *list, const char *where,
                                     const int *chosen, int n, int index, bool *add)
{
    const struct unseen_device_info *other = &list[index];
    *add = true;
    for (int i = 0; i < n; i++) {
        const struct unseen_device_info *one = &list[chosen[i]];
        if (is_twin(one, other)) {
            us_log(UNSEEN_LOG_WARNING, "%s: %d and %d are the same %s by two drivers; it is used once", where,
                   one->index, other->index, other->name);
            *add = false;
            return UNSEEN_OK;
        }
        if (!alike(one, other)) {
            us_fail(UNSEEN_USAGE, where, "devices %d (%s) and %d (%s) are not of one kind", one->index,
                    one->name, other->index, other->name);
            us_hint("what a model comes to would depend on which of them trains it: choose devices of one "
                    "platform, name and driver");
            return UNSEEN_USAGE;
        }
    }
    return UNSEEN_OK;
}

/* The devices of a list separated by commas. */
static enum unseen_status all_named(const struct unseen_device_info *list, int n, const char *where,
                                    const char *selectors, int indices[UNSEEN_DEVICES_MOST], int *count)
{
    enum unseen_status st = UNSEEN_OK;
    char *text = us_format("%s", selectors), *entry = text;
    US_TRY_ALLOC(text);
    *count = 0;
    while (entry) {
        char *comma = strchr(entry, ',');
        int index;
        bool add;
        if (comma)
            *comma = '\0';
        US_TRY(named(list, n, where, entry, &index));
        US_TRY(check_next(list, where, indices, *count, index, &add));
        if (add && *count == UNSEEN_DEVICES_MOST) {
            st = us_fail(UNSEEN_USAGE, where, "more than %d devices", UNSEEN_DEVICES_MOST);
            goto out;
        }
        if (add)
            indices[(*count)++] = index;
        entry = comma ? comma + 1 : NULL;
    }
out:
    free(text);
    return st;
}

enum unseen_status unseen_device_choose(const struct unseen_device_info *list, int n, const char *selectors,
                                        int indices[UNSEEN_DEVICES_MOST], int *count, const char **why)
{
    enum unseen_status st = UNSEEN_OK;
    const char *where = "--device", *reason = "chosen by --device";
    int chosen[UNSEEN_DEVICES_MOST], found = 1;
    if (!selectors || !*selectors) {
        selectors = getenv("UNSEEN_DEVICE");
        where = selectors && *selectors ? "UNSEEN_DEVICE" : "device";
        reason = "named by UNSEEN_DEVICE";
    }
    if (n == 0)
        return us_drivers_none(where);
    if (selectors && *selectors) {
        US_TRY(all_named(list, n, where, selectors, chosen, &found));
    } else {
        chosen[0] = by_default(list, n, &reason);
        if (chosen[0] < 0)
            return no_device(list, n, where, "no OpenCL device here is usable: ", list[0].reason);
    }
    memcpy(indices, chosen, (size_t)found * sizeof *indices);
    *count = found;
    if (why)
        *why = reason;
out:
    return st;
}
