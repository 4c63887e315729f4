/* unseen: dataset pruning by models that never saw the sample, on any OpenCL device.
 *
 * This header holds what every other one builds on: version, status codes, the error text and logging.
 * Rules that hold for the whole library:
 *   - Failures: a function that can fail returns enum unseen_status and leaves one line of explanation for
 *     unseen_last_error(). Outputs come last and are untouched on failure unless stated otherwise.
 *   - Options: a struct of options has a function unseen_..._defaults() that fills it; call it first and set
 *     members after it. NULL for options means these defaults, where a function says that it takes NULL.
 *   - Memory: "fresh memory" is the caller's, who frees it with free(); whatever has a function of its own to
 *     close or free it is given to that. Pointers in options are borrowed for the call.
 *   - Units: seconds, bytes, shares and probabilities in 0..1.
 *   - Tensors are float32, NHWC (batch, height, width, channels), row major.
 *   - A sample's index in its dataset (0..N-1, the dataset's own order) is its identity everywhere.
 *   - Numbers in files, options and messages have a decimal point, whatever locale the program has set.
 *   - Threads: a device and everything made from it belong to one thread at a time, and so does a trajectory.
 *     Scores, selection and datasets of one's own may be worked on in any thread; several may read a dataset.
 *     The last error is each thread's own; the log level and an interrupt are the process's.
 *   - Compatibility: until version 1.0 structs may grow with each version, so the library's soname holds the
 *     version; a program is compiled against the headers of the library that it runs with.
 */
#ifndef UNSEEN_UNSEEN_H
#define UNSEEN_UNSEEN_H

#define UNSEEN_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* What a call came to. The values are the exit codes of the command line. */
enum unseen_status {
    UNSEEN_OK = 0,
    UNSEEN_FAILED = 1,       /* the work failed: memory, disk, a device error */
    UNSEEN_USAGE = 2,        /* an argument is out of range or does not fit another */
    UNSEEN_BAD_DATA = 3,     /* an input file is not what it should be */
    UNSEEN_NO_DEVICE = 4,    /* no usable OpenCL device, or none by that name */
    UNSEEN_INTERRUPTED = 130 /* stopped on request, after writing a checkpoint */
};

/* The version of these headers, and of the library that runs. Static storage. */
#define UNSEEN_VERSION "0.1.0"
UNSEEN_API const char *unseen_version(void);

/* The last failure of this thread as "<where>: <what>"; empty before any. Valid until the next failure. */
UNSEEN_API const char *unseen_last_error(void);

/* What to do about the last failure, or an empty string where there is nothing to suggest. */
UNSEEN_API const char *unseen_last_hint(void);

enum unseen_log_level { UNSEEN_LOG_ERROR, UNSEEN_LOG_WARNING, UNSEEN_LOG_INFO, UNSEEN_LOG_DEBUG };

/* Messages up to this level go to stderr, of all threads. The default is UNSEEN_LOG_INFO. */
UNSEEN_API void unseen_log_level_set(enum unseen_log_level level);

/* Show on stderr how far long work is, or do not. It is shown unless this says 0. */
UNSEEN_API void unseen_progress_set(int shown);

/* Ask running work to stop at its next safe point (it writes a checkpoint and returns
 * UNSEEN_INTERRUPTED). Safe to call from a signal handler. */
UNSEEN_API void unseen_interrupt(void);

/* Forget it: until then every call that can be stopped is, once it has come to its first safe point. For a
 * program that goes on after UNSEEN_INTERRUPTED; the same call then goes on from its checkpoint. */
UNSEEN_API void unseen_interrupt_clear(void);

/* Hold a folder, made if missing, for calls that write into it one after the other, so that no other process
 * comes between them (each of them holds it anyway as long as it takes). `files` (ended by NULL; may be
 * NULL): names of what will be written. UNSEEN_FAILED, naming process and host, if another process holds it;
 * UNSEEN_USAGE if one of the files is there and was not written by this library. End with
 * unseen_run_lock_end, which takes NULL too; a folder that was made for it and in which nothing was written
 * goes again. */
struct unseen_run_lock;
UNSEEN_API enum unseen_status unseen_run_lock(const char *folder, const char *const *files,
                                              struct unseen_run_lock **lock);
UNSEEN_API void unseen_run_lock_end(struct unseen_run_lock *lock);

#ifdef __cplusplus
}
#endif
#endif
