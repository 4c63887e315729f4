/* Datasets of image files, whatever lists them: opened through their index, read by file. */
#ifndef US_DATASETS_FILES_H
#define US_DATASETS_FILES_H

#include "datasets/format.h"

/* Open what `format` lists at `location`, of which dataset->format, location and options are set: everything
 * but dataset->source. */
enum unseen_status us_files_open(const struct us_dataset_format *format, const char *location,
                                 struct unseen_dataset *dataset);

/* The names, labels and sizes alone: what is known of the files from their listing and their headers. */
enum unseen_status us_files_list(const struct us_dataset_format *format, const char *location,
                                 struct unseen_dataset *dataset);

/* List them and decode every file: `defects` hears of each bad one. dataset->hash is then over the content of
 * all files. */
enum unseen_status us_files_verify(const struct us_dataset_format *format, const char *location,
                                   struct us_defects *defects, struct unseen_dataset *dataset);

/* dataset->hash of a dataset of files: SHA-256 over the names of the classes and, of each split, n, labels,
 * the names of the files from their class on, their stored sizes, and the bytes of US_HASHED files drawn from
 * both splits. Integers are little-endian, labels of 32 bits, others of 64, and a zero byte is behind each
 * name. Files that are bad have no bytes in it. What the options make of the files is added where it differs.
 */
enum { US_HASHED = 256 };
enum unseen_status us_files_hash(struct unseen_dataset *dataset);

/* dataset->mean and std: of at most US_MEASURED training images where all have one size, else ImageNet's.
 * Images of more pixels than US_MEASURED_PIXELS are measured resized to no more. */
enum { US_MEASURED = 10000, US_MEASURED_PIXELS = 1 << 22 };
enum unseen_status us_files_measure(struct unseen_dataset *dataset);

#endif
