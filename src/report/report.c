#include "config.h"

#include "unseen/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/output.h"
#include "base/text.h"
#include "report/html.h"
#include "report/sections.h"

struct section {
    const char *id, *title;
    bool (*shown)(const struct us_run_folder *folder);
    enum unseen_status (*write)(FILE *out, const struct us_run_folder *folder);
};

static const struct section sections[] = {
#define US_SECTION(id, title) {#id, title, us_shows_##id, us_write_##id},
#include "report/sections.def"
#undef US_SECTION
};
enum { SECTIONS = sizeof sections / sizeof *sections };

static void write_navigation(FILE *out, const struct us_run_folder *folder)
{
    us_html_navigation_begin(out);
    for (int s = 0; s < SECTIONS; s++)
        if (sections[s].shown(folder))
            us_html_navigation_item(out, sections[s].id, sections[s].title);
    us_html_navigation_end(out);
}

static enum unseen_status write_page(FILE *out, const struct us_run_folder *folder)
{
    enum unseen_status st = UNSEEN_OK;
    char *title = us_format("unseen: %s", us_summary_dataset(folder));
    US_TRY_ALLOC(title);
    us_html_begin(out, title);
    write_navigation(out, folder);
    US_TRY(us_write_summary(out, folder));
    fputs("<main>\n", out);
    for (int s = 0; s < SECTIONS; s++) {
        if (!sections[s].shown(folder))
            continue;
        us_html_section_begin(out, sections[s].id, sections[s].title);
        US_TRY(sections[s].write(out, folder));
        us_html_section_end(out);
    }
    fputs("</main>\n", out);
    const char *version = us_run_text(folder, "version");
    us_html_element(out, "footer", NULL, "Written by unseen %s%s%s%s", unseen_version(),
                    version ? " from a run of version " : "", version ? version : "", ".");
    us_html_end(out);
out:
    free(title);
    return st;
}

/* A report that is there may have the pictures that this one lacks: it stays, unless `force`. */
static enum unseen_status keep_pictures(const char *path, const struct us_run_folder *run, int force)
{
    if (!run->dataset_problem)
        return UNSEEN_OK;
    if (!force && us_exists(path)) {
        us_fail(UNSEEN_BAD_DATA, path, "stays as it is, for its pictures cannot be drawn again: %s",
                run->dataset_problem);
        us_hint("unseen report --data DATA says where the data are now; --force writes it without pictures");
        return UNSEEN_BAD_DATA;
    }
    us_log(UNSEEN_LOG_WARNING, "%s: without pictures: %s", path, run->dataset_problem);
    return UNSEEN_OK;
}

/* Folders that were put together by hand, or copied without what is hidden in them, have no list of our
 * files: there our footer tells a page of ours. */
static enum unseen_status hold(const char *folder, const char *path, struct us_run_lock *lock)
{
    char *text = NULL;
    if (us_is_output(folder))
        return us_run_lock(folder, NULL, (const char *[]){"report.html", NULL}, lock);
    if (!us_exists(path))
        return UNSEEN_OK;
    enum unseen_status st = us_read_file(path, &text, NULL);
    if (!st && !strstr(text, "<footer>Written by unseen ")) {
        st = us_fail(UNSEEN_USAGE, path, "is in the way, and this program did not write it");
        us_hint("move it elsewhere");
    }
    free(text);
    return st;
}

enum unseen_status unseen_report(const char *folder, const struct unseen_dataset *data, int force)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_run_folder run = {0};
    struct us_atomic file = {0};
    struct us_run_lock lock = {0};
    void *locale = us_c_locale_begin(); /* numbers of SVG and CSS have points */
    char *path = us_format("%s/report.html", folder);
    US_TRY_ALLOC(path);
    US_TRY(us_run_folder_open(folder, data, &run));
    US_TRY(hold(folder, path, &lock));
    US_TRY(keep_pictures(path, &run, force));
    US_TRY(us_atomic_begin(path, &file));
    US_TRY(write_page(file.stream, &run));
    st = us_atomic_commit(&file);
out:
    us_atomic_abandon(&file);
    us_run_lock_end(&lock);
    us_run_folder_close(&run);
    free(path);
    us_c_locale_end(locale);
    return st;
}
