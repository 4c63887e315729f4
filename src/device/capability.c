/* What an open device can do, for all who ask: which precisions it computes in, by which instructions. */
#include "config.h"

#include <string.h>

#include "base/log.h"
#include "device/state.h"

bool us_device_has_bf16(struct unseen_device *device)
{
    return us_bf16_find(device) == US_BF16_WORKS;
}

bool us_device_has_tiles(struct unseen_device *device)
{
    return us_bf16_find_tiles(device) == US_BF16_WORKS;
}

bool us_device_bf16_pays(struct unseen_device *device)
{
    return us_device_has_bf16(device) && us_bf16_is_fast();
}

/* It works, but nobody asks for less precision to wait longer. */
static void tell_slow(struct unseen_device *device, enum unseen_precision precision, const char *what)
{
    if (device->told_slow)
        return;
    device->told_slow = true;
    us_log(UNSEEN_LOG_WARNING, "%s: %s %s", device->info.name, unseen_precision_name(precision), what);
}

enum unseen_status us_device_precision(struct unseen_device *device, enum unseen_precision precision)
{
    const struct us_matrix_unit *unit;
    const bool cpu_has_it =
        precision == UNSEEN_BF16 && (us_device_has_bf16(device) || us_device_has_tiles(device));
    if (cpu_has_it && !us_device_has_tiles(device) && !us_device_bf16_pays(device))
        tell_slow(device, precision, "is slower than float32 here, in which convolutions stay");
    if (precision == UNSEEN_FLOAT32 || cpu_has_it)
        return UNSEEN_OK;
    if ((unsigned)precision >= UNSEEN_PRECISIONS)
        return us_fail(UNSEEN_USAGE, "--precision", "%d is no precision", (int)precision);
    const enum unseen_status st = us_matrix_find(device, precision, &unit);
    if (st) {
        us_hint("leave --precision at float32");
        return st;
    }
    if (unit->plain)
        tell_slow(device, precision, "has no instructions here: convolutions take longer than in float32");
    return UNSEEN_OK;
}

/* Whether a row is of the device's own kind and vendor. */
static bool belongs(const struct unseen_device *device, const struct us_matrix_unit *unit)
{
    return !unit->plain && !unit->by_name && device->info.type == UNSEEN_DEVICE_GPU &&
           strstr(device->info.vendor, unit->vendor);
}

/* The CPU's, which have algorithms of their own. */
static int cpu_units(struct unseen_device *device, struct unseen_matrix_unit *list)
{
    if (!us_device_is_cpu(device))
        return 0;
    const unsigned bf16 = 1u << UNSEEN_BF16;
    const bool vectors = us_device_has_bf16(device), tiles = us_device_has_tiles(device);
    list[0] = (struct unseen_matrix_unit){"AMX", tiles ? bf16 : 0, us_bf16_reason(device->tiles)};
    list[1] = (struct unseen_matrix_unit){"AVX512_BF16", vectors ? bf16 : 0, us_bf16_reason(device->bf16)};
    return 2;
}

int unseen_device_matrix_units(struct unseen_device *device,
                               struct unseen_matrix_unit list[UNSEEN_MATRIX_UNITS])
{
    const struct us_matrix_unit *unit;
    int n = cpu_units(device, list);
    for (int i = 0; (unit = us_matrix_unit_at(i)) && n < UNSEEN_MATRIX_UNITS; i++) {
        if (!belongs(device, unit))
            continue;
        list[n] = (struct unseen_matrix_unit){.name = unit->what};
        for (int p = 0; p < UNSEEN_PRECISIONS; p++) {
            if (!(unit->precisions & 1u << p))
                continue;
            const char *why_not = us_matrix_try(device, (enum unseen_precision)p, unit);
            list[n].precisions |= why_not ? 0 : 1u << p;
            list[n].why_not = list[n].why_not ? list[n].why_not : why_not;
        }
        n++;
    }
    return n;
}
