#include "config.h"

#include "device/matrix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/state.h"

enum { F16 = 1 << UNSEEN_F16, BF16 = 1 << UNSEEN_BF16, TF32 = 1 << UNSEEN_TF32 };

/* 256 work-items with so many registers are half of what a multiprocessor holds: two work-groups hide each
 * other's waits. Left alone, ptxas takes more, and with this many it spills next to nothing. */
#define HALF_OF_NVIDIA " -cl-nv-maxrregcount=128"

/* In order of preference. */
static const struct us_matrix_unit units[] = {
    {.name = "nvidia-async",
     .what = "mma.sync fed by cp.async",
     .vendor = "NVIDIA",
     .made_for = US_MATRIX_FOR_GPU,
     .precisions = F16 | BF16 | TF32,
     .options = "-DMMA_NVIDIA -DMMA_ASYNC" HALF_OF_NVIDIA,
     .lanes = 32,
     .capability = 80,
     .large = {128, 128, 2, 4},
     .small = {64, 64, 2, 2}},
    {.name = "nvidia",
     .what = "mma.sync",
     .vendor = "NVIDIA",
     .made_for = US_MATRIX_FOR_GPU,
     .precisions = F16 | BF16 | TF32,
     .options = "-DMMA_NVIDIA" HALF_OF_NVIDIA,
     .lanes = 32,
     .capability = 80,
     .large = {128, 128, 2, 4},
     .small = {64, 64, 2, 2}},
    {.name = "amd-mfma",
     .what = "MFMA",
     .vendor = "Advanced Micro Devices",
     .made_for = US_MATRIX_FOR_GPU,
     .precisions = F16 | BF16,
     .options = "-DMMA_MFMA",
     .lanes = 64,
     .large = {128, 128, 2, 2},
     .small = {64, 64, 2, 1}},
    {.name = "amd-wmma",
     .what = "WMMA",
     .vendor = "Advanced Micro Devices",
     .made_for = US_MATRIX_FOR_GPU,
     .precisions = F16 | BF16,
     .options = "-DMMA_WMMA",
     .lanes = 32,
     .large = {64, 64, 2, 2},
     .small = {64, 64, 2, 2}},
    {.name = "intel-16",
     .what = "matrix engines, sub-groups of 16",
     .vendor = "Intel",
     .made_for = US_MATRIX_FOR_GPU,
     .precisions = F16 | BF16 | TF32,
     .options = "-DMMA_INTEL=16",
     .lanes = 16,
     .large = {64, 128, 2, 4},
     .small = {64, 64, 2, 2}},
    {.name = "intel-8",
     .what = "matrix engines, sub-groups of 8",
     .vendor = "Intel",
     .made_for = US_MATRIX_FOR_GPU,
     .precisions = F16 | BF16,
     .options = "-DMMA_INTEL=8",
     .lanes = 8,
     .large = {64, 64, 2, 4},
     .small = {64, 64, 2, 4}},
    /* 12 x 32 sums a work-item fill the vector registers of a CPU with AVX-512. */
    {.name = "vector",
     .made_for = US_MATRIX_FOR_CPU,
     .precisions = F16 | BF16,
     .options = "-DMMA_VECTOR",
     .lanes = 1,
     .large = {48, 64, 1, 1},
     .small = {48, 64, 1, 1},
     .plain = true},
    {.name = "scalar",
     .precisions = F16 | BF16,
     .options = "",
     .lanes = 16,
     .large = {64, 64, 2, 2},
     .small = {32, 64, 2, 2}, /* fits the 32 KiB of local memory that every device has */
     .plain = true},
    {.name = "nvidia-async-emulated",
     .precisions = F16 | BF16 | TF32,
     .options = "-DMMA_NVIDIA -DMMA_ASYNC -DMMA_EMULATED",
     .lanes = 32,
     .large = {32, 32, 1, 2},
     .small = {32, 32, 1, 2},
     .emulated = true},
    {.name = "nvidia-emulated",
     .precisions = F16 | BF16 | TF32,
     .options = "-DMMA_NVIDIA -DMMA_EMULATED",
     .lanes = 32,
     .large = {32, 32, 1, 2},
     .small = {32, 32, 1, 2},
     .emulated = true},
    {.name = "amd-mfma-emulated",
     .precisions = F16 | BF16,
     .options = "-DMMA_MFMA -DMMA_EMULATED",
     .lanes = 64,
     .large = {32, 32, 1, 1},
     .small = {32, 32, 1, 1},
     .emulated = true},
    {.name = "amd-wmma-emulated",
     .precisions = F16 | BF16,
     .options = "-DMMA_WMMA -DMMA_EMULATED",
     .lanes = 32,
     .large = {32, 32, 1, 2},
     .small = {32, 32, 1, 2},
     .emulated = true},
    {.name = "intel-16-emulated",
     .precisions = F16 | BF16 | TF32,
     .options = "-DMMA_INTEL=16 -DMMA_EMULATED",
     .lanes = 16,
     .large = {32, 32, 1, 2},
     .small = {32, 32, 1, 2},
     .emulated = true},
    {.name = "intel-8-emulated",
     .precisions = F16 | BF16,
     .options = "-DMMA_INTEL=8 -DMMA_EMULATED",
     .lanes = 8,
     .large = {32, 32, 2, 2},
     .small = {32, 32, 2, 2},
     .emulated = true},
};
enum { UNITS = sizeof units / sizeof *units };
_Static_assert((int)UNITS <= (int)US_MATRIX_UNITS, "make room in matrix.h");

const struct us_matrix_unit *us_matrix_unit_at(int i)
{
    return i >= 0 && i < UNITS ? &units[i] : NULL;
}

static const char *option(enum unseen_precision precision)
{
    return precision == UNSEEN_F16 ? "-DF16" : precision == UNSEEN_BF16 ? "-DBF16" : "-DTF32";
}

int us_matrix_step(enum unseen_precision precision)
{
    return precision == UNSEEN_TF32 ? 16 : 32;
}

void us_matrix_options(const struct us_matrix_unit *unit, enum unseen_precision precision,
                       const struct us_matrix_tile *tile, int step, bool by_k,
                       char options[US_MATRIX_OPTIONS])
{
    snprintf(options, US_MATRIX_OPTIONS, "%s %s%s -DBM=%d -DBN=%d -DBK=%d -DTEAMS_M=%d -DTEAMS_N=%d",
             option(precision), unit->options, by_k ? " -DA_BY_K" : "", tile->m, tile->n, step, tile->teams_m,
             tile->teams_n);
}

size_t us_matrix_local(const struct us_matrix_unit *unit, enum unseen_precision precision,
                       const struct us_matrix_tile *tile)
{
    const int step = us_matrix_step(precision), chunk = precision == UNSEEN_TF32 ? 4 : 8;
    const size_t number = unit->plain || precision == UNSEEN_TF32 ? 4 : 2;
    const size_t a = (size_t)tile->m * (size_t)(step + chunk), b = (size_t)step * (size_t)(tile->n + chunk);
    return 2 * (a + b) * number + sizeof(cl_uint);
}

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

const char *us_matrix_try(struct unseen_device *device, enum unseen_precision precision,
                          const struct us_matrix_unit *unit)
{
    struct us_matrix_state *state = &device->matrix[unit - units][precision];
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
    for (int i = 0; i < UNITS; i++) {
        if (strcmp(units[i].name, name) != 0)
            continue;
        const char *why_not = us_matrix_try(device, precision, &units[i]);
        if (why_not)
            return us_fail(UNSEEN_USAGE, "UNSEEN_MATRIX", "%s does not work on %s: %s", name,
                           device->info.name, why_not);
        *unit = &units[i];
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
    for (int i = 0; i < UNITS; i++) {
        if (units[i].emulated || (why_not = us_matrix_try(device, precision, &units[i])))
            continue;
        *unit = &units[i];
        return UNSEEN_OK;
    }
    return us_fail(UNSEEN_USAGE, "--precision", "%s cannot multiply %s: %s", device->info.name,
                   unseen_precision_name(precision), why_not);
}

/* Whether a row is of the device's own kind and vendor. */
static bool belongs(const struct unseen_device *device, const struct us_matrix_unit *unit)
{
    return !unit->plain && !unit->emulated && device->info.type == UNSEEN_DEVICE_GPU &&
           strstr(device->info.vendor, unit->vendor);
}

/* The CPU's, which have algorithms of their own. */
static int cpu_units(struct unseen_device *device, struct unseen_matrix_unit *list)
{
    if (!us_device_is_cpu(device))
        return 0;
    const bool vectors = us_device_has_bf16(device), tiles = us_device_has_tiles(device);
    list[0] = (struct unseen_matrix_unit){"AMX", tiles ? BF16 : 0, us_bf16_reason(device->tiles)};
    list[1] = (struct unseen_matrix_unit){"AVX512_BF16", vectors ? BF16 : 0, us_bf16_reason(device->bf16)};
    return 2;
}

int unseen_device_matrix_units(struct unseen_device *device,
                               struct unseen_matrix_unit list[UNSEEN_MATRIX_UNITS])
{
    int n = cpu_units(device, list);
    for (int i = 0; i < UNITS && n < UNSEEN_MATRIX_UNITS; i++) {
        if (!belongs(device, &units[i]))
            continue;
        list[n] = (struct unseen_matrix_unit){.name = units[i].what};
        for (int p = 0; p < UNSEEN_PRECISIONS; p++) {
            if (!(units[i].precisions & 1u << p))
                continue;
            const char *why_not = us_matrix_try(device, (enum unseen_precision)p, &units[i]);
            list[n].precisions |= why_not ? 0 : 1u << p;
            list[n].why_not = list[n].why_not ? list[n].why_not : why_not;
        }
        n++;
    }
    return n;
}
