/* What multiplies narrow numbers on a device: its matrix units, where a program that uses them builds and
 * computes right, else plain code. */
#ifndef US_DEVICE_MATRIX_H
#define US_DEVICE_MATRIX_H

#include "device/device.h"

/* What a work-group computes: m x n elements, by teams_m x teams_n teams. */
struct us_matrix_tile {
    int m, n, teams_m, teams_n;
};

/* Devices of any kind, those that kernels are shaped for as for CPUs, or GPUs. */
enum us_matrix_for { US_MATRIX_FOR_ALL, US_MATRIX_FOR_CPU, US_MATRIX_FOR_GPU };

struct us_matrix_unit {
    const char *name;   /* for UNSEEN_MATRIX and messages */
    const char *what;   /* for people */
    const char *vendor; /* part of the device's vendor; NULL: any */
    enum us_matrix_for made_for;
    unsigned precisions; /* bits 1 << enum unseen_precision */
    const char *options; /* that choose it in cl/mma.clh */
    int lanes;           /* work-items of a team */
    unsigned capability; /* least compute capability, 80 for sm_80; 0: any */
    struct us_matrix_tile large, small;
    bool plain;   /* no matrix unit */
    bool by_name; /* taken only where UNSEEN_MATRIX names it */
    int step;     /* of the reduction in its self-test; 0: the longest */
};

/* What is known of a unit on an open device in one precision. */
struct us_matrix_state {
    bool tried;
    const char *why_not; /* it does not work; static */
};
enum { US_MATRIX_UNITS = 16 }; /* room for the table, and for rows that tests add */

/* The i-th row of the table; NULL behind the last. */
const struct us_matrix_unit *us_matrix_unit_at(int i);

/* For tests: `n` rows behind the table's, which have to outlive their use; none for n = 0. False without
 * room.
 */
bool us_matrix_add(const struct us_matrix_unit *rows, int n);

/* The first unit of the table that works on the device in that precision, or the one that the environment
 * variable UNSEEN_MATRIX names. Each is tried once. UNSEEN_USAGE for one named that does not work or that
 * there is not. */
enum unseen_status us_matrix_find(struct unseen_device *device, enum unseen_precision precision,
                                  const struct us_matrix_unit **unit);

/* Whether a unit works, tried once: NULL, or why it does not. Static. */
const char *us_matrix_try(struct unseen_device *device, enum unseen_precision precision,
                          const struct us_matrix_unit *unit);

/* The self-test, in matrix_self_test.c: whether the programs build and compute right, or have done so before.
 */
const char *us_matrix_self_test(struct unseen_device *device, enum unseen_precision precision,
                                const struct us_matrix_unit *unit);

/* Build options of cl/conv/conv_matrix.cl: a tile, `step` numbers of the reduction at a time, and how A lies
 * in it (A_BY_K). us_matrix_step is the longest step of a precision. */
enum { US_MATRIX_OPTIONS = 160 };
void us_matrix_options(const struct us_matrix_unit *unit, enum unseen_precision precision,
                       const struct us_matrix_tile *tile, int step, bool by_k,
                       char options[US_MATRIX_OPTIONS]);
int us_matrix_step(enum unseen_precision precision);

/* Bytes of local memory that such a program takes. */
size_t us_matrix_local(const struct us_matrix_unit *unit, enum unseen_precision precision,
                       const struct us_matrix_tile *tile);

#endif
