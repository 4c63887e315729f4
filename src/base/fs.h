/* Reading files, folders, and locks. */
#ifndef US_BASE_FS_H
#define US_BASE_FS_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/status.h"

/* open and fopen, again as long as a signal interrupts them, as it may on network file systems. */
int us_open(const char *path, int flags, mode_t mode);
US_SHARED FILE *us_fopen(const char *path, const char *mode);

/* A whole file into fresh memory with a zero byte behind it; `size` may be NULL. UNSEEN_FAILED with the
 * system's reason if it cannot be read. */
enum unseen_status us_read_file(const char *path, char **bytes, size_t *size);

/* UNSEEN_BAD_DATA with the reason if `path`, an input that a person named, is not there or is a folder. */
enum unseen_status us_check_input(const char *path);

/* Map a regular file for reading; `mapping` is page aligned, ends with munmap(*mapping, *size) and is never
 * empty. UNSEEN_FAILED with the system's reason if it cannot be read, UNSEEN_BAD_DATA if it is empty or no
 * regular file. */
enum unseen_status us_map_file(const char *path, void **mapping, size_t *size);

/* mkdir -p. */
enum unseen_status us_make_folder(const char *path);

/* rm -r, of a folder that this process has just made itself; one that is not there is fine. */
enum unseen_status us_remove_folder(const char *path);

/* UNSEEN_FAILED if the disk that `out` is on, or will be made on, has less than `bytes` free. */
enum unseen_status us_check_room(const char *out, int64_t bytes);

/* What the files below a folder take of the disk; 0 if there is none. */
int64_t us_folder_bytes(const char *path);

/* True if something of that name is there. */
US_SHARED bool us_exists(const char *path);

/* True if it is a folder. */
bool us_is_folder(const char *path);

/* The user's cache folder for this program ($XDG_CACHE_HOME/unseen or ~/.cache/unseen), made if it is not
 * there. Freed with free(); NULL (recorded) if there is none. UNSEEN_CACHE_DIR overrides. */
char *us_cache_folder(void);

/* Hold an exclusive lock on `path` (made if missing) until us_unlock; fails at once, naming the path, if
 * another process holds it. The kernel drops the lock if the process dies. */
enum unseen_status us_lock(const char *path, int *handle);
void us_unlock(int handle);

#endif
