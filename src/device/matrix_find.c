/* Which matrix unit a device has, in a precision. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "device/matrix.h"
#include "device/state.h"

/* What is known without a self-test: NULL, or why a unit cannot work. */
static const char *unfit(const struct unseen_device *device, const struct us_matrix_unit *unit)
{
    const struct us_facts *facts = &device->facts;
    if ((unit->made_for == US_MATRIX_FOR_GPU && device->info.type != UNSEEN_DEVICE_GPU) ||
        (unit->made_for == US_MATRIX_FOR_CPU && !us_device_is_cpu(device)))
        return "they are another kind of device's";
    if (unit->vendor && !strstr(device->info.vendor, unit->vendor))
        return "they are another vendor's";
    if (unit->capability && facts->capability && facts->capability < unit->capability)
        return "it is older than they are";
    /* A team is a wavefront, or a sub-group of a size that there has to be. */
    if (unit->vendor && facts->wavefront && facts->wavefront != (unsigned)unit->lanes)
        return "its wavefronts have another size";
    if (unit->vendor && facts->sub_groups && !(facts->sub_groups & (unsigned)unit->lanes))
        return "it has no sub-groups of that size";
    return NULL;
}

/* What is known of it; its place in the table is that in the device's. */
static struct us_matrix_state *state_of(struct unseen_device *device, enum unseen_precision precision,
                                        const struct us_matrix_unit *unit)
{
    int i = 0;
    while (us_matrix_unit_at(i) != unit)
        i++;
    return &device->matrix[i][precision];
}

const char *us_matrix_try(struct unseen_device *device, enum unseen_precision precision,
                          const struct us_matrix_unit *unit)
{
    struct us_matrix_state *state = state_of(device, precision, unit);
    const char *why_not = unfit(device, unit);
    if (why_not)
        return why_not;
    if (!(unit->precisions & 1u << precision))
        return "it has none for these numbers";
    if (!state->tried) {
        state->why_not = us_matrix_self_test(device, precision, unit);
        state->tried = true;
    }
    return state->why_not;
}

/* The one that UNSEEN_MATRIX names. */
static enum unseen_status named(struct unseen_device *device, enum unseen_precision precision,
                                const char *name, const struct us_matrix_unit **unit)
{
    const struct us_matrix_unit *one;
    for (int i = 0; (one = us_matrix_unit_at(i)); i++) {
        if (strcmp(one->name, name) != 0)
            continue;
        const char *why_not = us_matrix_try(device, precision, one);
        if (why_not)
            return us_fail(UNSEEN_USAGE, "UNSEEN_MATRIX", "%s does not work on %s: %s", name,
                           device->info.name, why_not);
        *unit = one;
        return UNSEEN_OK;
    }
    us_fail(UNSEEN_USAGE, "UNSEEN_MATRIX", "'%s' is no matrix unit", name);
    us_hint("unseen devices lists them; unset it to take what works");
    return UNSEEN_USAGE;
}

enum unseen_status us_matrix_find(struct unseen_device *device, enum unseen_precision precision,
                                  const struct us_matrix_unit **unit)
{
    const char *name = getenv("UNSEEN_MATRIX"), *why_not = "";
    if (name && *name)
        return named(device, precision, name, unit);
    const struct us_matrix_unit *one;
    for (int i = 0; (one = us_matrix_unit_at(i)); i++) {
        if (one->by_name || (why_not = us_matrix_try(device, precision, one)))
            continue;
        *unit = one;
        return UNSEEN_OK;
    }
    return us_fail(UNSEEN_USAGE, "--precision", "%s cannot multiply %s: %s", device->info.name,
                   unseen_precision_name(precision), why_not);
}
