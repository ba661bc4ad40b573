/* Kills the program with SIGKILL at its n-th file operation, before or after it is done.
 *
 * CRASH_AT   the operation's number, from 0
 * CRASH_WHEN "before" or "after"
 * CRASH_LOG  a file to which every operation is written, one a line: name and path
 *
 * Operations count when they touch a path that contains "run_id=". */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_long done;

static void note(const char *name, const char *path) {
    const char *log = getenv("CRASH_LOG");
    char line[4200];
    if (!log) return;
    int length = snprintf(line, sizeof line, "%s %s\n", name, path);
    int file = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (file >= 0) {
        syscall(SYS_write, file, line, (size_t)length);
        syscall(SYS_close, file);
    }
}

/* Counts an operation; whether it is the one to crash at. */
static int is_due(const char *name, const char *path) {
    if (!strstr(path, "run_id=")) return 0;
    note(name, path);
    const char *at = getenv("CRASH_AT");
    return atomic_fetch_add(&done, 1) == (at ? atol(at) : -1);
}

static void crash(const char *when) {
    const char *wanted = getenv("CRASH_WHEN");
    if (wanted && !strcmp(wanted, when)) {
        kill(getpid(), SIGKILL);
        for (;;) pause();
    }
}

static const char *path_of(int file, char *buffer, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, buffer, size - 1);
    buffer[length < 0 ? 0 : length] = 0;
    return buffer;
}

#define ON_FILE(result, name, parameters, arguments)                        \
    result name parameters {                                                \
        static result(*real) parameters;                                    \
        if (!real) real = (result(*) parameters)dlsym(RTLD_NEXT, #name);    \
        char buffer[4096];                                                  \
        int due = is_due(#name, path_of(file, buffer, sizeof buffer));      \
        if (due) crash("before");                                           \
        result value = real arguments;                                      \
        if (due) crash("after");                                            \
        return value;                                                       \
    }

ON_FILE(ssize_t, write, (int file, const void *bytes, size_t count), (file, bytes, count))
ON_FILE(int, fsync, (int file), (file))
ON_FILE(int, fdatasync, (int file), (file))
ON_FILE(int, close, (int file), (file))
ON_FILE(int, ftruncate64, (int file, off64_t length), (file, length))

int rename(const char *from, const char *to) {
    static int (*real)(const char *, const char *);
    if (!real) real = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
    int due = is_due("rename", to);
    if (due) crash("before");
    int value = real(from, to);
    if (due) crash("after");
    return value;
}

int unlink(const char *path) {
    static int (*real)(const char *);
    if (!real) real = (int (*)(const char *))dlsym(RTLD_NEXT, "unlink");
    int due = is_due("unlink", path);
    if (due) crash("before");
    int value = real(path);
    if (due) crash("after");
    return value;
}
