#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "cmd/cmd.h"
#include "unseen/device.h"

static const char *const type_names[] = {"CPU", "GPU", "other"};

/* What --device, or its absence, means. */
struct choice {
    int indices[UNSEEN_DEVICES_MOST], count;
    const char *why;
};

static bool is_chosen(const struct choice *choice, int index)
{
    for (int i = 0; i < choice->count; i++) {
        if (choice->indices[i] == index)
            return true;
    }
    return false;
}

/* "mma.sync for bf16, f16, tf32", and why others do not work. */
static void print_units(const struct unseen_matrix_unit *list, int n)
{
    printf("       matrix units: ");
    for (int i = 0; i < n; i++) {
        printf("%s%s ", i ? "; " : "", list[i].name);
        for (int p = 0, shown = 0; p < UNSEEN_PRECISIONS; p++)
            if (list[i].precisions & 1u << p)
                printf("%s%s", shown++ ? ", " : "for ", unseen_precision_name((enum unseen_precision)p));
        if (list[i].why_not)
            printf("%s: %s", list[i].precisions ? ", not for all" : "off", list[i].why_not);
    }
    printf("%s\n", n ? "" : "none known for it");
}

/* What is there of a device in the list. The self-tests of its units are not worth a failure. */
static int find_units(const struct unseen_device_info *info, struct unseen_matrix_unit *list)
{
    struct unseen_device *device;
    char index[16];
    snprintf(index, sizeof index, "%d", info->index);
    if (!info->usable || unseen_device_open(index, &device))
        return 0;
    const int n = unseen_device_matrix_units(device, list);
    unseen_device_close(device);
    return n;
}

static json_t *units_json(const struct unseen_device_info *info)
{
    struct unseen_matrix_unit list[UNSEEN_MATRIX_UNITS];
    const int n = find_units(info, list);
    json_t *all = json_array();
    for (int i = 0; i < n; i++) {
        json_t *precisions = json_array();
        for (int p = 0; p < UNSEEN_PRECISIONS; p++)
            if (list[i].precisions & 1u << p)
                json_array_append_new(precisions,
                                      json_string(unseen_precision_name((enum unseen_precision)p)));
        json_array_append_new(all, json_pack("{s:s, s:o, s:s?}", "name", list[i].name, "precisions",
                                             precisions, "why_not", list[i].why_not));
    }
    return all;
}

static enum unseen_status print_json(const struct unseen_device_info *list, int n,
                                     const struct choice *choice)
{
    json_t *all = json_array();
    for (int i = 0; i < n; i++) {
        const struct unseen_device_info *d = &list[i];
        json_t *entry = json_pack(
            "{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:I, s:I, s:I, s:b, s:s, s:i, s:b, s:b, s:s, s:o}",
            "index", d->index, "type", type_names[d->type], "platform", d->platform, "name", d->name,
            "vendor", d->vendor, "driver", d->driver, "version", d->version, "compute_units",
            (int)d->compute_units, "clock_mhz", (int)d->clock_mhz, "global_bytes",
            (json_int_t)d->global_bytes, "max_alloc_bytes", (json_int_t)d->max_alloc_bytes, "local_bytes",
            (json_int_t)d->local_bytes, "host_memory", d->host_memory, "hardware", d->hardware, "same_as",
            d->same_as, "usable", d->usable, "default", is_chosen(choice, i), "reason", d->reason,
            "matrix_units", units_json(d));
        json_array_append_new(all, entry);
    }
    return us_print_json(all);
}

static void print_table(const struct unseen_device_info *list, int n, const struct choice *choice)
{
    for (int i = 0; i < n; i++) {
        const struct unseen_device_info *d = &list[i];
        printf("%s %d  %s  %s\n", is_chosen(choice, i) ? "*" : " ", d->index, type_names[d->type], d->name);
        printf("       %s, %s, driver %s\n", d->platform, d->version, d->driver);
        printf("       %u compute units, %.1f GiB memory, %.1f GiB largest buffer, %llu KiB local\n",
               d->compute_units, (double)d->global_bytes / (1 << 30), (double)d->max_alloc_bytes / (1 << 30),
               d->local_bytes / 1024);
        if (d->usable) {
            struct unseen_matrix_unit units[UNSEEN_MATRIX_UNITS];
            print_units(units, find_units(d, units));
        }
        if (d->repeated)
            printf("       the same hardware as %d, by another driver\n", d->same_as);
        if (!d->usable)
            printf("       not usable: %s\n", d->reason);
    }
    printf("\n* is used: %s. --device N or --device NAME chooses another.\n", choice->why);
}

enum unseen_status us_cmd_devices(int argc, char **argv)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_common common;
    struct unseen_device_info *list = NULL;
    const struct us_usage usage = {
        .synopsis = "unseen devices [--json]",
        .about = "List every OpenCL device; * marks the one that --device (or its absence) "
                 "means.",
        .common = "device json"};
    bool help;
    struct choice choice = {.why = ""};
    int n = 0;
    US_TRY(us_options_parse(&usage, argc, argv, &common, NULL, &help));
    if (help)
        goto out;
    US_TRY(unseen_device_list(&list, &n));
    US_TRY(unseen_device_choose(list, n, common.device, choice.indices, &choice.count, &choice.why));
    if (common.json)
        US_TRY(print_json(list, n, &choice));
    else
        print_table(list, n, &choice);
out:
    free(list);
    us_common_end(&common);
    return st;
}
