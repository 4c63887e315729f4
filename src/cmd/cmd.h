/* The subcommands: each parses its options, calls one library function and prints. */
#ifndef US_CMD_CMD_H
#define US_CMD_CMD_H

#include <jansson.h>

#include "cmd/options.h"
#include "unseen/train.h"
#include "unseen/tune.h"

/* Each takes argv with the subcommand's name as argv[0]. */
#define US_COMMAND(name, summary) enum unseen_status us_cmd_##name(int argc, char **argv);
#include "cmd/commands.def"
#undef US_COMMAND

/* The whole command line as one string, for run.json: joined at the begin of main, valid until its end. */
void us_command_line_begin(int argc, char **argv);
void us_command_line_end(void);
const char *us_command_line(void);

/* The width of a column that has been `width` wide so far and is to hold `text` too. */
int us_wider(int width, const char *text);

/* Registries behind --help. */
void us_list(const char *title, const char *(*name)(int), const char *(*help)(int));
void us_list_models(void);
void us_list_training(void); /* models and recipes */
void us_list_samplers(void);
void us_list_scores(void);
void us_list_rules(void);
void us_list_choices(void); /* all of them */

/* Open the device that the command line asks for. Without one the hint names that of the run in --out. */
enum unseen_status us_open_device(const struct us_common *common, struct unseen_device **device);

/* Open the dataset named by the command line, and settle the options that wait for it. On failure it may be
 * open: the caller closes it in any case. */
enum unseen_status us_open_data(const struct us_common *common, const char *name,
                                const struct unseen_dataset_options *reading, struct unseen_dataset **data);

/* The same, and open the device that the command line asks for. On failure both may be open. */
enum unseen_status us_open_inputs(const struct us_common *common, const char *name,
                                  const struct unseen_dataset_options *reading, struct unseen_dataset **data,
                                  struct unseen_device **device);

/* Say so where the data have no test split. */
void us_note_test_split(const struct unseen_dataset *data);

/* All devices, a line each, with the default marked: for --device list. */
enum unseen_status us_print_device_list(void);

/* Print `value` on stdout, indented, and release it. NULL (memory ran out where it was made) is a failure. */
enum unseen_status us_print_json(json_t *value);

/* "128 x 32x32x64 to 64, 3x3/2" (no "/1") into `text`; returns it. */
enum { US_SHAPE_TEXT = 96 };
char *us_shape_text(const struct unseen_conv *conv, char text[US_SHAPE_TEXT]);

/* Its shape and direction as an object to add to; NULL if memory runs out. */
json_t *us_conv_json(const struct unseen_conv *conv);

/* The same with all that computes it, and how fast. */
json_t *us_race_json(const struct unseen_tune_row *row);

/* A line about the share that a rule cut off, and about the share of wrong labels that may have set it;
 * nothing where the rule cuts nothing (NaN). */
void us_print_cutoff(double cutoff, double noise_rate);

/* A line about the images that were decoded and whether training waited for them; nothing where all lay
 * ready. */
void us_print_loading(void);

/* "3.4 s", "12 min 5 s", "2 h 3 min" into a buffer of at least 32 bytes; returns it. */
char *us_duration(double seconds, char *text);

#endif
