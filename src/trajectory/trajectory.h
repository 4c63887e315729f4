/* Writing a trajectory, and what opening one (unseen/trajectory.h) leaves to be done. */
#ifndef US_TRAJECTORY_TRAJECTORY_H
#define US_TRAJECTORY_TRAJECTORY_H

#include <jansson.h>

#include "base/npy_stream.h"
#include "unseen/trajectory.h"

/* The arrays of a trajectory folder: the quantities of enum unseen_quantity, then these. */
enum { US_CENTRES = UNSEEN_N_QUANTITIES, US_FOLD, US_LABELS, US_SKIPPED, US_TRAJECTORY_ARRAYS };

/* An array's name (its file's without ".npy"), type, and shape in the trajectory `t`, whose number of
 * dimensions is returned. */
const char *us_trajectory_name(int array);
enum us_dtype us_trajectory_dtype(int array);
int us_trajectory_shape(const struct unseen_trajectory *t, int array, int64_t shape[4]);

/* Whether a trajectory `t` with the quantities `record`, bits as in us_trajectory_writer, has an array. */
bool us_trajectory_has(const struct unseen_trajectory *t, unsigned record, int array);

/* Bytes of all arrays that it has. */
double us_trajectory_bytes(const struct unseen_trajectory *t, unsigned record);

/* Why one of `count` values of a scalar quantity can be none, with the first of them and its place; NULL if
 * all can be. */
const char *us_trajectory_bad_value(int array, const void *values, size_t count, size_t *where, double *bad);

/* Recorded always, and what --record-also can name. Bits 1u << quantity. */
#define US_RECORD_ALWAYS ((1u << UNSEEN_N_ALWAYS) - 1)
#define US_RECORD_DEMAND (((1u << UNSEEN_N_QUANTITIES) - 1) & ~US_RECORD_ALWAYS)

/* `record` with the quantities that others bring with them. */
unsigned us_record_whole(unsigned record);

/* unseen_trajectory_open of the quantities in `wanted`, bits 1u << quantity, alone: the others below
 * UNSEEN_N_SCALAR are as if they had not been recorded, which saves reading them for their check. Of a
 * trajectory that holds none of them all are opened. */
#define US_TRAJECTORY_ALL (~0u)
US_SHARED enum unseen_status us_trajectory_open(const char *folder, unsigned wanted,
                                                struct unseen_trajectory **trajectory);

/* Whether the quantity is there. */
bool us_trajectory_holds(const struct unseen_trajectory *t, enum unseen_quantity quantity);

/* Check an array that opening looks at only as far as its shape goes (probs, features, centres,
 * gradient_norm) before it is used: by its checksum, once a process. */
enum unseen_status us_trajectory_check(const struct unseen_trajectory *t, int array);

/* Whether the folder holds a trajectory.json and every array that it calls for. */
bool us_trajectory_is_whole(const char *folder);

/* Let what was read of an opened trajectory leave this process's memory; it is read again when it is looked
 * at again. No effect on one that was made in memory. */
void us_trajectory_drop_pages(const struct unseen_trajectory *t);

/* What the same models said of samples that they trained on: t->seen, or for an opened folder DIR the one in
 * DIR/../seen/trajectory, opened by the first call and closed with `t`. UNSEEN_USAGE if there is none,
 * UNSEEN_BAD_DATA if it is not of as many samples or its repeats are not those of `t`. */
enum unseen_status us_trajectory_seen(const struct unseen_trajectory *t,
                                      const struct unseen_trajectory **seen);

/* The first of the last third of the epochs: late enough that the models know the classes. */
static inline int us_late_epoch(int epochs)
{
    return epochs - (epochs + 2) / 3;
}

/* A JSON array with the names of the quantities whose bits are set; NULL if memory runs out. */
json_t *us_record_json(unsigned record);

/* A trajectory on its way to disk, never whole in memory. */
struct us_trajectory_writer {
    struct unseen_trajectory view; /* what it is; of its pointers only whether `skipped` is NULL counts */
    unsigned record;               /* bits of quantities and of US_CENTRES */
    bool evaluated;                /* by evaluation passes, not the training pass; told in trajectory.json */
    char *folder;
    json_t *checksums; /* by the array's name */
    struct us_npy_stream stream[US_TRAJECTORY_ARRAYS];
};

/* Begin every array that writer->view and writer->record (the first six are added) call for in `folder`, made
 * if missing; a fold array if view.folds is not 0, one of skipped samples if view.skipped is not NULL. A
 * trajectory.json that is there goes first: it marks a complete trajectory. End with us_trajectory_finish or
 * us_trajectory_abandon. */
enum unseen_status us_trajectory_begin(struct us_trajectory_writer *writer, const char *folder);

/* `count` elements of an array from element `first` (in C order) on. UNSEEN_FAILED if a scalar quantity
 * cannot be what it is: what is written needs no check of its values when it is opened. */
enum unseen_status us_trajectory_put(struct us_trajectory_writer *writer, int array, size_t first,
                                     size_t count, const void *values);

/* Every array appears under its name, those of an earlier trajectory that this one lacks go, and
 * trajectory.json comes last. It holds protocol, n, repeats, epochs, classes, folds, record ("train" or
 * "eval"), quantities (their names) and checksums (of the arrays' files, by name). Releases the writer either
 * way. */
enum unseen_status us_trajectory_finish(struct us_trajectory_writer *writer);
void us_trajectory_abandon(struct us_trajectory_writer *writer);

/* A small trajectory in memory. */
struct us_trajectory_build {
    struct unseen_trajectory view; /* its pointers point into the arrays below */
    float *value[UNSEEN_N_SCALAR];
    uint8_t *correct;
    uint16_t *probs;
    float *features, *centres, *gradient_norm;
    uint8_t *fold;
    int64_t *labels;
    bool evaluated;                    /* us_trajectory_new: true unless seen */
    void *array[US_TRAJECTORY_ARRAYS]; /* the same memory, by number; NULL for what is not there */
};

/* Allocate the quantities that are always recorded, zeroed. `folds` 0 when seen (then no fold array). End
 * with us_trajectory_free, which takes NULL too. */
enum unseen_status us_trajectory_new(enum unseen_protocol protocol, int64_t n, int repeats, int epochs,
                                     int classes, int folds, struct us_trajectory_build **build);
void us_trajectory_free(struct us_trajectory_build *build);

/* Allocate quantities recorded on demand too, and centres beside features where there are folds. */
enum unseen_status us_trajectory_demand(struct us_trajectory_build *build, unsigned record,
                                        int feature_count);

/* Write it all into `folder`, as the functions above do. */
enum unseen_status us_trajectory_write(const struct us_trajectory_build *build, const char *folder);

#endif
