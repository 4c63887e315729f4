/* Labelled image datasets: one interface over every format. */
#ifndef UNSEEN_DATASET_H
#define UNSEEN_DATASET_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "unseen/unseen.h"

#ifdef __cplusplus
extern "C" {
#endif

enum unseen_split { UNSEEN_TRAIN = 0, UNSEEN_TEST = 1 };

/* One split: what is known of its samples. Their pixels come from the dataset's reader. */
struct unseen_images {
    int64_t n;             /* samples; 0 if the dataset lacks this split */
    const int32_t *labels; /* [n], each in 0..classes-1 */
    char *const *paths;    /* [n] a file's name inside the dataset, or NULL for formats without files */
    size_t class_at;       /* paths[i] + class_at begins with the class's name: "CLASS/NAME.jpg" */
    int64_t *duplicate_of; /* [n] the first training sample with the same content (the stored bytes of a file,
                              else the pixels): a training sample itself if it is the first, -1 for a test
                              sample that is not in the training split; NULL if the split has no duplicate */
    const uint8_t *second_labels; /* [n] CIFAR-100: the label that was not asked for (coarse beside fine, fine
                                     beside coarse), so that an export keeps both; NULL for other formats */
    const uint8_t *skipped; /* [n] 1: a bad image, with UNSEEN_BAD_SKIP: no model trains on it, no selection
                               keeps it, no accuracy counts it, and its pixels are 128; NULL: there is none */
    int64_t n_skipped;
    const int32_t *true_labels; /* [n] of the training split, as options.true_labels gives them; NULL: they
                                   are not known. Nothing trains on them or chooses by them. */
};

/* Samples that are copies of an earlier training sample. */
struct unseen_duplicates {
    int64_t same_label, other_label; /* of the training split */
    int64_t test;                    /* test samples that are in the training split */
};

struct unseen_reader; /* where the pixels come from; opaque */

/* EXIF's orientation of image files. */
enum unseen_exif { UNSEEN_EXIF_IGNORE, UNSEEN_EXIF_APPLY };

/* Image files that cannot be read or decoded: opening and reading fail, naming the file; or all of their
 * pixels are 128, with a warning; or opening decodes every file once, and those that fail are `skipped`,
 * while one that fails later ends the reading as for UNSEEN_BAD_ERROR. */
enum unseen_on_bad { UNSEEN_BAD_ERROR, UNSEEN_BAD_GREY, UNSEEN_BAD_SKIP };

/* How to read. Zeroed: find the format by looking, fine labels, files as they are. */
struct unseen_dataset_options {
    int coarse_labels; /* CIFAR-100: the 20 superclasses, as "cifar100-coarse:PATH" has them too */
    enum unseen_exif exif;
    enum unseen_on_bad on_bad;
    float test_share; /* of image files without a test split: so much of each class becomes one, always the
                         same files; 0: there is no test split */

    /* Files of labels of all training samples: an integer .npy [n], or a table (.csv, .tsv) with columns
     * label and index, or label and path; a label is a class's number, in a table also its name. NULL: none.
     */
    const char *labels;      /* in place of the dataset's own: other data, of another hash unless all are the
                                same */
    const char *true_labels; /* what is right, to count wrong labels by; they are no part of the data */
};

struct unseen_dataset {
    const char *format; /* as unseen_dataset_format_name has it */
    char *location;     /* as the caller named it, without the format prefix */
    char *source;       /* "FORMAT:PATH" that opens the same dataset from any folder, with `options`;
                           NULL if it was made in memory */
    struct unseen_dataset_options options; /* as it was opened with; files by their full paths */
    int height, width;                     /* pixels; 0 if the images are of many sizes */
    int channels;
    int classes;
    char **class_names;            /* [classes] */
    int coarse_labels;             /* labels are CIFAR-100's superclasses, as the options asked */
    struct unseen_images split[2]; /* by enum unseen_split */
    struct unseen_reader *reader;
    struct unseen_duplicates duplicates;
    int64_t relabelled;    /* training samples whose label options.labels changed */
    float mean[3], std[3]; /* per channel, of pixels scaled to [0,1]: the field's values for CIFAR,
                              measured on the training split otherwise (on at most 10,000 files), and
                              ImageNet's for images of many sizes */
    char hash[65];         /* SHA-256 in hex over both splits' labels, the names of classes and samples, where
                              they have any, and the pixels, or of files their sizes and what some hold */
};

/* The name of format i, from 0 on, and what follows it and a colon in a dataset's name (`argument` may be
 * NULL); NULL behind the last one. */
UNSEEN_API const char *unseen_dataset_format_name(int i, const char **argument);

/* Open "PATH" or "FORMAT:PATH" (cifar10:DIR, cifar100:DIR, cifar100-coarse:DIR, imagefolder:DIR,
 * list:FILE.csv, webdataset:DIR|PATTERN, pack:FILE, synth:N,C,SIZE,SEED; DIR may be a tar, tar.gz, tar.xz or
 * zip). `options` may be NULL. UNSEEN_BAD_DATA names the file, the record and the reason. Freed with
 * unseen_dataset_close. */
UNSEEN_API enum unseen_status unseen_dataset_open(const char *name,
                                                  const struct unseen_dataset_options *options,
                                                  struct unseen_dataset **dataset);
UNSEEN_API void unseen_dataset_close(struct unseen_dataset *dataset);

/* A bad sample that unseen_dataset_verify met. */
struct unseen_defect {
    const char *file;   /* name inside the dataset */
    int64_t record;     /* within the file, -1 if it is the file itself */
    const char *reason; /* e.g. "label 12 is out of range 0..9" */
    int harmless;       /* 1: the sample is read all the same */
};

/* What unseen_dataset_verify counted. */
struct unseen_dataset_check {
    int64_t checked;  /* samples looked at */
    int64_t defects;  /* what makes the dataset unusable */
    int64_t bad;      /* images that cannot be read, where options->on_bad lets that pass: no defects */
    int64_t warnings; /* images with faults that lose no data, such as extraneous bytes in a JPEG */
    int64_t
        rotated; /* images whose EXIF data ask for another orientation, which options->exif follows or not */
    struct unseen_duplicates duplicates;
    char content[65]; /* SHA-256 in hex over all of it, as the dataset's hash but with each file's bytes; ""
                         if not all could be read */
};

/* Read every sample of `name` and report each bad one, and each that is harmless or a duplicate; goes on
 * after a defect where the format allows. `report` may be NULL; what it is given lives until it returns.
 * `options` are those that it would be opened with; NULL: none. Returns UNSEEN_BAD_DATA if there was any
 * defect. What ends the reading, such as a damaged archive, counts
 * as a defect and is told by unseen_last_error alone. `check` may be NULL and is set after a failure too. */
UNSEEN_API enum unseen_status
unseen_dataset_verify(const char *name, const struct unseen_dataset_options *options,
                      void (*report)(const struct unseen_defect *defect, void *context), void *context,
                      struct unseen_dataset_check *check);

/* Write the training samples `keep` [n], ascending, and the whole test split to folder `out`, which appears
 * when all is written. UNSEEN_USAGE if it holds anything but hidden files, UNSEEN_FAILED, before anything is
 * written, if the disk has no room. keep NULL: all samples, whatever n is.
 * `format` NULL: the dataset's own (CIFAR binary for cifar10, cifar100 and synth of 32x32 pixels; for image
 * folders a tree of links to the files, or of copies if they lie in an archive). "cifar10" turns any 32x32x3
 * dataset of at most 10 classes into CIFAR-10 binaries, "cifar100" one of at most 100 classes into CIFAR-100
 * binaries (label / 5 is the coarse label where the dataset has none). "imagefolder" makes such a tree of any
 * dataset of image files.
 * Others are one file `out`, which must not be there: "list" a table path,label,split of files that are no
 * part of an archive; "files" the paths of the kept samples alone, as unseen_dataset_subset reads them;
 * "pack" the stored files, as unseen_dataset_pack writes them. */
UNSEEN_API enum unseen_status unseen_dataset_export(const struct unseen_dataset *dataset, const int64_t *keep,
                                                    int64_t n, const char *format, const char *out);

/* Which training samples a file keeps, ascending: an int64 .npy [n] of indices, or a text with a path inside
 * the dataset (with or without what stands before its class) or an index a line, in any order. Blank lines
 * are passed over, and a sample that is named again is taken once, with a warning. `keep` receives fresh
 * memory [*n], freed with free(). UNSEEN_BAD_DATA names the line that is no sample of the dataset, or the
 * entry of a .npy that is none or does not ascend. */
UNSEEN_API enum unseen_status unseen_dataset_subset(const struct unseen_dataset *dataset, const char *path,
                                                    int64_t **keep, int64_t *n);

/* How a dataset is packed. */
struct unseen_pack_options {
    int size;    /* pixels of the shorter side of pictures whose shorter side is longer; 0: files as they are
                    stored */
    int quality; /* 1..100: JPEG of this quality; -1: pixels as they are */
};

/* 256 pixels, quality 90. */
UNSEEN_API void unseen_pack_defaults(struct unseen_pack_options *options);

/* Write the training samples `keep` [n], ascending (NULL: all, whatever n is), and the whole test split to
 * the one file `out`, which unseen_dataset_open reads: as "pack:FILE", or by its name. Samples keep their
 * order, names and labels. UNSEEN_USAGE if the file is there, or was begun with other data or options;
 * UNSEEN_FAILED, before anything is written, if the disk has no room. Until it is finished it is called
 * "OUT.partial"; a call that was interrupted or killed is gone on with by the same call. */
UNSEEN_API enum unseen_status unseen_dataset_pack(const struct unseen_dataset *dataset, const int64_t *keep,
                                                  int64_t n, const struct unseen_pack_options *options,
                                                  const char *out);

/* What a drawn dataset is made of. Each sample is one of: plain, hard (low contrast, clutter, between two
 * classes), redundant (near copy of an earlier sample) or mislabelled. */
struct unseen_synth {
    int64_t train, test; /* samples; test may be 0 */
    int classes;         /* 2..100 */
    int size;            /* height and width, 8..256 */
    uint64_t seed;
    float hard, redundant, mislabelled; /* shares of the training split, 1 together at most */
};

/* The shares that "synth:N,C,SIZE,SEED" has. */
#define UNSEEN_SYNTH_HARD        0.2F
#define UNSEEN_SYNTH_REDUNDANT   0.2F
#define UNSEEN_SYNTH_MISLABELLED 0.05F

enum unseen_synth_kind { UNSEEN_PLAIN, UNSEEN_HARD, UNSEEN_REDUNDANT, UNSEEN_MISLABELLED };

/* 5000 training samples, a fifth as many test samples, 10 classes, 32 pixels, seed 0, the shares above. */
UNSEEN_API void unseen_synth_defaults(struct unseen_synth *recipe);

/* Draw it into memory. kinds/true_labels, if not NULL, receive fresh arrays [train] (freed with free()). */
UNSEEN_API enum unseen_status unseen_synth_draw(const struct unseen_synth *recipe,
                                                struct unseen_dataset **dataset, uint8_t **kinds,
                                                int32_t **true_labels);

/* Draw it and write it to folder `out` as CIFAR binaries, with truth.csv: index, label, true_label and kind
 * of each training sample. Nothing is drawn where unseen_dataset_export would refuse it, as for images that
 * are not 32x32. */
UNSEEN_API enum unseen_status unseen_synth_write(const struct unseen_synth *recipe, const char *out);

#ifdef __cplusplus
}
#endif
#endif
