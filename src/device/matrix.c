#include "config.h"

#include "device/matrix.h"

#include <stdio.h>

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
};
enum { UNITS = sizeof units / sizeof *units };

static const struct us_matrix_unit *added; /* [n_added] */
static int n_added;

bool us_matrix_add(const struct us_matrix_unit *rows, int n)
{
    if (UNITS + n > US_MATRIX_UNITS)
        return false;
    added = rows;
    n_added = n;
    return true;
}

const struct us_matrix_unit *us_matrix_unit_at(int i)
{
    if (i < 0 || i >= UNITS + n_added)
        return NULL;
    return i < UNITS ? &units[i] : &added[i - UNITS];
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
