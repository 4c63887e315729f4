#include "config.h"

#include "score/formula.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "unseen/score.h"

/* Of a formula as long as memory, messages show the beginning. */
#define QUOTED "'%.60s'"
#define WHERE  "--metric"
#define SCORES "rules that choose sets, such as herding, are named by --rule; scores"

static const char *skip_spaces(const char *at)
{
    return at + strspn(at, " \t");
}

static bool is_word(char c)
{
    return us_is_letter(c) || us_is_digit(c) || c == '_' || c == '.';
}

/* What stands at `at`, for messages: all that could belong to a name, in part if it is long, or one
 * character.
 */
static int word_length(const char *at)
{
    int n = 0;
    while (is_word(at[n]) || (n && at[n] == '-'))
        n++;
    return n == 0 ? 1 : n < 60 ? n : 60;
}

/* The longest registered name at *at, which moves behind it. */
static enum unseen_status take_name(const char *text, const char **at, int *score)
{
    size_t longest = 0;
    for (int i = 0; unseen_score_name(i); i++) {
        const char *name = unseen_score_name(i);
        size_t length = strlen(name);
        if (length > longest && strncmp(*at, name, length) == 0 && !is_word((*at)[length])) {
            longest = length;
            *score = i;
        }
    }
    *at += longest;
    if (longest)
        return UNSEEN_OK;
    if (**at && !is_word(**at))
        return us_fail(UNSEEN_USAGE, WHERE, QUOTED ": a score should stand before '%.60s'", text, *at);
    if (!**at)
        us_fail(UNSEEN_USAGE, WHERE, QUOTED ": a score is missing at the end", text);
    else
        us_fail(UNSEEN_USAGE, WHERE, "there is no score '%.*s'", word_length(*at), *at);
    us_hint_names(SCORES, unseen_score_name);
    return UNSEEN_USAGE;
}

/* "0.5 *" if there is a number: decimal, as a formula's text says, not "0x10". */
static enum unseen_status take_weight(const char *text, const char **at, double *weight)
{
    char *end;
    if (!us_is_digit(**at) && **at != '.')
        return UNSEEN_OK;
    const bool hex = (*at)[0] == '0' && ((*at)[1] == 'x' || (*at)[1] == 'X');
    double value = us_read_number(*at, &end);
    const char *behind = skip_spaces(end);
    if (end == *at || hex || *behind != '*') {
        us_fail(UNSEEN_USAGE, WHERE, QUOTED ": '%.*s' is no weight of a score", text, word_length(*at), *at);
        us_hint("a formula looks like 0.5*el2n+0.5*dual");
        return UNSEEN_USAGE;
    }
    *weight *= value;
    *at = skip_spaces(behind + 1);
    return UNSEEN_OK;
}

/* Ranks lie in (0,1): beyond these a float cannot hold their sum, or cannot tell samples apart. */
static enum unseen_status check_weights(const char *text, const struct us_formula *f)
{
    double most = 0;
    for (int i = 0; i < f->n; i++) {
        double sum = 0;
        for (int k = 0; k < f->n; k++)
            sum += f->term[k].score == f->term[i].score ? f->term[k].weight : 0;
        most = fmax(most, fabs(sum));
        if (!(fabs(f->term[i].weight) <= 1e30))
            return us_fail(UNSEEN_USAGE, WHERE, QUOTED ": a weight is out of range", text);
    }
    if (most < 1e-30)
        return us_fail(UNSEEN_USAGE, WHERE, QUOTED ": no score is left, all weights are 0", text);
    return UNSEEN_OK;
}

/* The sign before a term; only the first may go without. */
static enum unseen_status take_sign(const char *text, bool first, const char **at, double *weight)
{
    *weight = **at == '-' ? -1 : 1;
    if (**at == '-' || **at == '+')
        *at = skip_spaces(*at + 1);
    else if (!first)
        return us_fail(UNSEEN_USAGE, WHERE, QUOTED ": + or - is missing before '%.*s'", text,
                       word_length(*at), *at);
    return UNSEEN_OK;
}

enum unseen_status us_formula_parse(const char *text, struct us_formula *f)
{
    enum unseen_status st = UNSEEN_OK;
    const char *at = skip_spaces(text);
    bool bare = us_is_letter(*at);
    *f = (struct us_formula){0};
    if (!*at) {
        us_fail(UNSEEN_USAGE, WHERE, "names no score");
        us_hint_names(SCORES, unseen_score_name);
        return UNSEEN_USAGE;
    }
    do {
        double weight;
        if (f->n == US_FORMULA_TERMS)
            return us_fail(UNSEEN_USAGE, WHERE, QUOTED ": more than %d scores", text, US_FORMULA_TERMS);
        US_TRY(take_sign(text, f->n == 0, &at, &weight));
        US_TRY(take_weight(text, &at, &weight));
        US_TRY(take_name(text, &at, &f->term[f->n].score));
        f->term[f->n++].weight = weight;
        at = skip_spaces(at);
    } while (*at);
    f->plain = bare && f->n == 1;
    US_TRY(check_weights(text, f));
out:
    return st;
}
