/* What the files of the confinement share with each other and with nobody else. */
#ifndef CONFINE_INTERNAL_H
#define CONFINE_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "bridge/config.h"
#include "formats/text.h"

/* Sanitizers ptrace(2), read /proc and map terabytes. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CONFINE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CONFINE_SANITIZED 1
#endif
#endif
#ifndef CONFINE_SANITIZED
#define CONFINE_SANITIZED 0
#endif

/* Where a role may do something in the file system. */
enum confine_place {
	CONFINE_PATH,               /* that file, or directory and all below */
	CONFINE_SPOOL,              /* spool.directory */
	CONFINE_DESTINATION_INPUT,  /* files named in destinations: authorities, keys, tokens */
	CONFINE_DESTINATION_OUTPUT, /* where destinations write: the directory of file.path */
	CONFINE_POLL_INPUT,         /* files named in poll: of sources */
	CONFINE_CREDENTIALS,        /* $CREDENTIALS_DIRECTORY of systemd */
	CONFINE_OURSELVES,          /* this program's file and the loader that it names */
};

enum confine_right { CONFINE_READ = 1, CONFINE_WRITE = 2, CONFINE_EXECUTE = 4 };

struct confine_file {
	enum confine_place place;
	unsigned rights;  /* of enum confine_right */
	const char *path; /* of CONFINE_PATH */
};

/* Which TCP ports a role may connect to; it may bind to none. */
enum confine_ports {
	CONFINE_PORTS_FREE, /* not confined */
	CONFINE_PORTS_NONE,
	CONFINE_PORTS_DESTINATIONS, /* those of the destinations and their proxies, and 53 */
	CONFINE_PORTS_POLLS,        /* those of polled lists and their proxies, and 53 */
};

/* Lists of system calls, each ended by NULL: confine_calls.c. */
extern const char *const confine_calls_basic[];
extern const char *const confine_calls_files[];
extern const char *const confine_calls_accept[];
extern const char *const confine_calls_connect[];

enum { CONFINE_CALL_LISTS = 4 };

/* What becomes of a system call. */
enum confine_answer {
	CONFINE_CALL_DONE,
	CONFINE_CALL_DONE_WHERE, /* its arguments are right, else it fails with EPERM */
	CONFINE_CALL_FAILS,      /* with EPERM */
	CONFINE_CALL_NOT_THERE,  /* fails with ENOSYS */
	CONFINE_CALL_ENDS,       /* the process, by SIGSYS */
};

struct confine_row {
	const char *role;
	/* ended by one of no rights; NULL: every file.  Rights of no entry are refused all. */
	const struct confine_file *files;
	unsigned handled; /* of enum confine_right: what the files are about */
	enum confine_ports ports;
	bool loads_libraries; /* may map files to execute them: name service modules */
	/* what it may call; none: all but what ends a process, and execve(2) */
	const char *const *calls[CONFINE_CALL_LISTS];
	uint64_t open_files; /* RLIMIT_NOFILE; 0: as it is */
	uint64_t memory;     /* RLIMIT_DATA, bytes; 0: as it is */
	uint64_t per_spool;  /* and a byte for each so many of spool.max_size; 0: none */
};

/* The rows of the table, by their place in it; NULL behind the last. */
const struct confine_row *confine_row(size_t index);

/* The version of Landlock that this kernel has; 0: none. */
int confine_files_version(void);

/*
 * Calls `allow` for each port that such a role connects to, until one returns false;
 * one that several connect to comes several times.
 */
MUST_CHECK bool confine_ports_each(enum confine_ports ports, const struct config *config,
				   bool (*allow)(void *context, uint16_t port), void *context);

/* Both of them: false where the kernel has it and refused. */
MUST_CHECK bool confine_files_enter(const struct confine_row *row, const struct config *config,
				    struct error *error);
MUST_CHECK bool confine_calls_enter(const struct confine_row *row, struct error *error);

/*
 * What becomes of that call in a process of that row.  CONFINE_CALL_DONE_WHERE: when
 * it is done is appended to `words`.
 */
enum confine_answer confine_calls_answer(const struct confine_row *row, const char *call,
					 struct text *words);

/* ... and of one that is on no list or has no name. */
enum confine_answer confine_calls_rest(const struct confine_row *row);

/* Calls `take` with the name of each system call of this processor that libseccomp knows. */
void confine_calls_each(void (*take)(void *context, const char *call), void *context);

/* Does this kernel filter system calls? */
bool confine_calls_known(void);

#endif
