#include "config.h"

#include "base/log.h"
#include "device/state.h"

const char *unseen_precision_name(enum unseen_precision precision)
{
    static const char *const names[UNSEEN_PRECISIONS] = {"float32", "bf16", "f16", "tf32"};
    return names[precision];
}

bool us_device_has_bf16(struct unseen_device *device)
{
    return us_bf16_find(device) == US_BF16_WORKS;
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
        us_hint("leave --precision at f32");
        return st;
    }
    if (unit->plain)
        tell_slow(device, precision, "has no instructions here: convolutions take longer than in float32");
    return UNSEEN_OK;
}
