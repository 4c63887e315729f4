/* The cells of a comparison: which coresets are made, and where each one's run lies. */
#ifndef US_COMPARE_SWEEP_H
#define US_COMPARE_SWEEP_H

#include "base/status.h"
#include "unseen/compare.h"

enum us_row_kind {
    US_ROW_FULL,
    US_ROW_RANDOM,
    US_ROW_SHORT,   /* all data in a shorter schedule */
    US_ROW_SAMPLER, /* all data, of which each epoch takes a part */
    US_ROW_SCORED
};

/* Protocols that compare alone has names for. */
#define US_PROTOCOL_SEEN        "seen"
#define US_PROTOCOL_FOLD_SEEN   "fold-seen" /* the seen side of a fold run */
#define US_PROTOCOL_INCREMENTAL "incremental"

/* A line of the table: cells that differ by their seed alone. */
struct us_row {
    enum us_row_kind kind;
    char metric[64], protocol[16], rule[32]; /* as they were asked for; rule: a baseline's name */
    enum unseen_protocol trajectory;         /* protocol of the trajectory which is scored */
    char rule_name[32];                      /* without its value */
    double value;                            /* behind the rule's "="; NaN if there is none */
    bool search;                             /* the value is to be searched */
    bool incremental;                        /* the coreset is chosen in steps */
    double keep;
    struct unseen_sampler sampler; /* of US_ROW_SAMPLER */
};

struct us_sweep {
    struct us_row *rows;
    int n;
};

/* Take the lists of `options` apart: first the baselines, then metric, protocol, rule and keep ratio, the
 * last varying fastest. UNSEEN_USAGE for unknown baselines, protocols and rules, for values that a rule does
 * not take, ratios out of range, empty lists, and names or numbers that occur twice. Freed with
 * us_sweep_free. */
enum unseen_status us_sweep_make(const struct unseen_compare_options *options, struct us_sweep *sweep);
void us_sweep_free(struct us_sweep *sweep);

/* out/cells/<name> of a row's cell for a seed, and the trajectory that it is scored from (for scored rows
 * that are not incremental). Fresh memory; NULL (recorded) if there is none. */
char *us_cell_folder(const struct unseen_compare_options *options, const struct us_row *row, int seed);
char *us_cell_trajectory(const struct unseen_compare_options *options, const struct us_row *row, int seed);

/* The protocol that the scoring run of a row's protocol is named by: itself, or that whose seen side it is.
 */
const char *us_sweep_scoring_name(const char *protocol);

/* The scoring run that a protocol of the sweep comes from for a seed: options->scoring with protocol, seed
 * and out set; `folder` receives fresh memory that scoring->out points to (NULL where options->out is). */
enum unseen_status us_sweep_scoring(const struct unseen_compare_options *options, const char *protocol,
                                    int seed, struct unseen_scoring_options *scoring, char **folder);

#endif
