#include "config.h"

#include "cmd/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/plan_kinds.h"

/* Of longer plans it is told how they become shorter. */
static const double long_plan = 3600;

/* ---- shorter ---- */

struct shorter {
    char text[US_CHANGE_TEXT];
    double seconds;
};

/* Seconds of the plan that one change makes, in a new folder; 0: it cannot be made. Plans compare by the rule
 * of thumb. */
static double seconds_with(const struct us_planned *p, us_change *change, const struct unseen_plan *plan,
                           char text[US_CHANGE_TEXT])
{
    struct unseen_plan changed;
    void *options = us_calloc(1, p->kind->size);
    double seconds = 0;
    if (!options)
        return 0;
    memcpy(options, p->options, p->kind->size);
    if (change(options, text) && !p->kind->plan(p, options, true, UNSEEN_PLAN_BY_RULE, &changed))
        seconds = plan->seconds * changed.rule / plan->rule;
    free(options);
    return seconds;
}

/* Returns how many there are. What is wrong with the options was said when the plan was made. */
static int find_shorter(const struct us_planned *p, const struct unseen_plan *plan,
                        struct shorter shorter[US_CHANGES_MOST])
{
    int n = 0;
    if (plan->seconds < long_plan)
        return 0;
    unseen_log_level_set(UNSEEN_LOG_ERROR);
    for (int i = 0; i < US_CHANGES_MOST && p->kind->changes[i]; i++) {
        struct shorter *s = &shorter[n];
        s->seconds = seconds_with(p, p->kind->changes[i], plan, s->text);
        n += s->seconds > 0 && s->seconds < plan->seconds;
    }
    us_options_log_level(p->common);
    return n;
}

/* ---- text ---- */

typedef void line(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void to_stderr(const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    us_log(UNSEEN_LOG_INFO, "%s", text);
}

static void to_stdout(const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    puts(text);
}

static const char *bytes_text(int64_t bytes, char text[32])
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    int unit = 0;
    for (; value >= 1024 && unit < 4; unit++)
        value /= 1024;
    snprintf(text, 32, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return text;
}

static void write_work(const struct unseen_plan *plan, line *write)
{
    char epochs[US_NUMBER], trained[US_NUMBER], evaluated[US_NUMBER], gradients[US_NUMBER];
    us_count_text(plan->epochs, epochs);
    us_count_text(plan->trained, trained);
    us_count_text(plan->evaluated, evaluated);
    write("plan: %lld model%s, %s epoch%s in all; %s images trained on, %s evaluated%s%s",
          (long long)plan->models, plan->models == 1 ? "" : "s", epochs, plan->epochs == 1 ? "" : "s",
          trained, evaluated, plan->gradients ? ", single gradients of " : "",
          plan->gradients ? us_count_text(plan->gradients, gradients) : "");
}

static void write_time(const struct unseen_plan *plan, line *write)
{
    char duration[32], trained[US_NUMBER], evaluated[US_NUMBER];
    us_duration(plan->seconds, duration);
    if (!plan->measured) {
        write("plan: %s or less, by a rule of thumb, once kernels are built", duration);
        return;
    }
    us_count_text((int64_t)plan->trained_per_second, trained);
    us_count_text((int64_t)plan->evaluated_per_second, evaluated);
    write("plan: about %s, as timed on the device: %s images a second in training, %s in evaluation%s",
          duration, trained, evaluated, plan->at_once > 1 ? ", of all models that train at once" : "");
}

static void write_room(const struct unseen_plan *plan, line *write)
{
    char memory[32], disk[32], work[32];
    write("plan: %s of device memory, %s on disk%s%s%s", bytes_text(plan->memory, memory),
          bytes_text(plan->disk, disk), plan->work ? ", and " : "",
          plan->work ? bytes_text(plan->work, work) : "", plan->work ? " more until all is done" : "");
}

static void write_plan(const struct unseen_plan *plan, const struct shorter *shorter, int n, line *write)
{
    char duration[32];
    if (plan->epochs == 0 && plan->gradients == 0) {
        write("plan: nothing is left to train");
        return;
    }
    write_work(plan, write);
    write_time(plan, write);
    write_room(plan, write);
    for (int i = 0; i < n; i++)
        write("plan: %s would take about %s", shorter[i].text, us_duration(shorter[i].seconds, duration));
}

static void tell(void *context, const struct unseen_plan *plan)
{
    const struct us_planned *p = context;
    struct shorter shorter[US_CHANGES_MOST];
    const int n = isatty(STDERR_FILENO) && !p->common->quiet ? find_shorter(p, plan, shorter) : 0;
    if (plan->epochs > 0 || plan->gradients > 0)
        write_plan(plan, shorter, n, to_stderr);
}

struct unseen_plan_listener us_plan_listener(struct us_planned *planned)
{
    return (struct unseen_plan_listener){tell, planned};
}

/* ---- --dry-run ---- */

static json_t *plan_json(const struct unseen_plan *plan, const struct shorter *shorter, int n)
{
    json_t *list = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(
            list, json_pack("{s:s, s:f}", "option", shorter[i].text, "seconds", shorter[i].seconds));
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:f, s:b, s:i, s:I, s:I, s:I, s:o}", "models",
                     (json_int_t)plan->models, "epochs", (json_int_t)plan->epochs, "images_trained",
                     (json_int_t)plan->trained, "images_evaluated", (json_int_t)plan->evaluated,
                     "images_gradients", (json_int_t)plan->gradients, "seconds", plan->seconds, "measured",
                     plan->measured, "at_once", plan->at_once, "memory", (json_int_t)plan->memory, "disk",
                     (json_int_t)plan->disk, "disk_until_done", (json_int_t)plan->work, "shorter", list);
}

enum unseen_status us_plan_print(const struct us_planned *p)
{
    struct unseen_plan plan;
    struct shorter shorter[US_CHANGES_MOST];
    const enum unseen_status st = p->kind->plan(p, p->options, false, UNSEEN_PLAN_BY_TIME, &plan);
    if (st)
        return st;
    const int n = find_shorter(p, &plan, shorter);
    if (p->common->json)
        return us_print_json(plan_json(&plan, shorter, n));
    write_plan(&plan, shorter, n, to_stdout);
    return UNSEEN_OK;
}
