/*
 * System calls: each role is given lists, by name, as a table to be searched.  Names
 * that this kernel's headers or this processor do not know are passed over: a call
 * that does not exist needs no permission.
 *
 * Three answers: what a list has is done; what no library of ours does, ever, ends
 * the process; everything else fails with EPERM, because a library may try it and
 * get along without it.  clone3(2) fails with ENOSYS: its flags are in memory, where a
 * filter cannot look, and glibc then uses clone(2), whose flags it can.
 *
 * The filter and the words of confine_describe.c both come from each_rule(), so that
 * what is told is what is done.
 */
#include <errno.h>
#include <linux/net_tstamp.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/sockios.h>
#include <seccomp.h>

#include "bridge/confine_internal.h"
#include "bridge/log.h"

enum { MOST_CALLS = 1024 }; /* no processor of Debian numbers so many */

const char *const confine_calls_basic[] = {
    /* memory; mmap and mprotect: see of_all */
    "brk", "madvise", "mlock", "mlock2", "mremap", "munlock", "munmap",
    /* descriptors */
    "close", "close_range", "dup", "dup2", "dup3", "epoll_create1", "epoll_ctl", "epoll_pwait",
    "epoll_pwait2", "epoll_wait", "eventfd2", "fcntl", "fstat", "lseek", "pipe2", "poll", "ppoll",
    "pread64", "preadv", "pselect6", "pwrite64", "pwritev", "read", "readv", "select", "signalfd4",
    "timerfd_create", "timerfd_gettime", "timerfd_settime", "write", "writev",
    /* threads; clone: see of_all */
    "exit", "exit_group", "futex", "futex_waitv", "get_robust_list", "getcpu", "membarrier", "rseq",
    "sched_getaffinity", "sched_yield", "set_robust_list", "set_tid_address", "setpriority",
    /* signals; kill, tgkill: itself alone */
    "alarm", "pause", "pidfd_open", "rt_sigaction", "rt_sigpending", "rt_sigprocmask",
    "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait", "sigaltstack", "restart_syscall",
    /* time and self */
    "adjtimex", "clock_getres", "clock_gettime", "clock_nanosleep", "getegid", "geteuid", "getgid",
    "getgroups", "getpgrp", "getpid", "getppid", "getpriority", "getrandom", "getresgid",
    "getresuid", "getrlimit", "getrusage", "gettid", "gettimeofday", "getuid", "nanosleep",
    "sysinfo", "time", "times", "umask", "uname", NULL};

const char *const confine_calls_files[] = {
    "access",          "chmod",     "faccessat",  "faccessat2", "fadvise64",  "fallocate",
    "fchmod",          "fchown",    "fdatasync",  "flock",      "fstatfs",    "fsync",
    "ftruncate",       "getcwd",    "getdents64", "lstat",      "mkdir",      "mkdirat",
    "newfstatat",      "open",      "openat",     "readlink",   "readlinkat", "rename",
    "renameat",        "renameat2", "rmdir",      "stat",       "statfs",     "statx",
    "sync_file_range", "truncate",  "unlink",     "unlinkat",   "utimensat",  NULL};

/* No socket(2): what there is was handed down. */
const char *const confine_calls_accept[] = {
    "accept",  "accept4", "getpeername", "getsockname", "getsockopt", "recvfrom",
    "recvmsg", "sendmsg", "sendto",      "setsockopt",  "shutdown",   NULL};

/* No listen(2), no accept(2).  bind(2) is of the resolver, on a netlink socket; Landlock
 * refuses TCP ports.  socket: see of_sockets */
const char *const confine_calls_connect[] = {
    "bind",     "connect",    "getpeername", "getsockname", "getsockopt",
    "recvfrom", "recvmmsg",   "recvmsg",     "sendmmsg",    "sendmsg",
    "sendto",   "setsockopt", "shutdown",    "socketpair",  NULL};

/* Who calls one of these is not us any more. */
static const char *const deadly[] = {"acct",
				     "add_key",
				     "bpf",
				     "chroot",
				     "clock_settime",
				     "delete_module",
				     "finit_module",
				     "fsconfig",
				     "fsmount",
				     "fsopen",
				     "fspick",
				     "init_module",
				     "io_uring_enter",
				     "io_uring_register",
				     "io_uring_setup",
				     "ioperm",
				     "iopl",
				     "kcmp",
				     "kexec_file_load",
				     "kexec_load",
				     "keyctl",
				     "lookup_dcookie",
				     "modify_ldt",
				     "mount",
				     "mount_setattr",
				     "move_mount",
				     "name_to_handle_at",
				     "open_by_handle_at",
				     "open_tree",
				     "perf_event_open",
				     "personality",
				     "pidfd_getfd",
				     "pivot_root",
				     "process_vm_readv",
				     "process_vm_writev",
				     "ptrace",
				     "quotactl",
				     "reboot",
				     "request_key",
				     "setdomainname",
				     "sethostname",
				     "setns",
				     "settimeofday",
				     "swapoff",
				     "swapon",
				     "syslog",
				     "umount2",
				     "unshare",
				     "userfaultfd",
				     "vhangup",
				     NULL};

/* ... and these, of a role that starts nothing. */
static const char *const deadly_to_children[] = {"execve", "execveat", "fork", "vfork", NULL};

static const char *const not_there[] = {"clone3", NULL};

/* Looked at more closely: done where that argument, masked, is that value. */
struct condition {
	const char *call;
	const char *words; /* for people: when it is done */
	unsigned argument;
	bool is_ourselves; /* the value is the number of this process */
	uint64_t mask;
	uint64_t value;
};

static const struct condition of_all[] = {
    /* memory that may be written is never executed, and what was data never becomes code */
    {.call = "mmap", .words = "without PROT_EXEC", .argument = 2, .mask = PROT_EXEC},
    {.call = "mprotect", .words = "without PROT_EXEC", .argument = 2, .mask = PROT_EXEC},
    /* no processes, no name spaces */
    {"clone", "CLONE_THREAD", 0, false, CLONE_THREAD, CLONE_THREAD},
    {"prctl", "PR_SET_NAME", 0, false, UINT64_MAX, PR_SET_NAME},
    {"prlimit64", "to read", 2, false, UINT64_MAX, 0},
    {.call = "kill", .words = "itself", .is_ourselves = true, .mask = UINT32_MAX},
    {.call = "tgkill", .words = "itself", .is_ourselves = true, .mask = UINT32_MAX},
    {"ioctl", "FIONREAD", 1, false, UINT32_MAX, FIONREAD},
    {"ioctl", "FIONBIO", 1, false, UINT32_MAX, FIONBIO},
    {"ioctl", "FIOCLEX", 1, false, UINT32_MAX, FIOCLEX},
    {"ioctl", "TCGETS", 1, false, UINT32_MAX, TCGETS},
    {"ioctl", "SIOCOUTQ", 1, false, UINT32_MAX, SIOCOUTQ},
    {.call = NULL},
};

/* A name service module is mapped from its file, executable and read-only. */
static const struct condition of_libraries[] = {
    {.call = "mmap", .words = "without PROT_WRITE", .argument = 2, .mask = PROT_WRITE},
    {.call = NULL},
};

static const struct condition of_sockets[] = {
    {"socket", "AF_UNIX", 0, false, UINT32_MAX, AF_UNIX},
    {"socket", "AF_INET", 0, false, UINT32_MAX, AF_INET},
    {"socket", "AF_INET6", 0, false, UINT32_MAX, AF_INET6},
    {"socket", "AF_NETLINK", 0, false, UINT32_MAX, AF_NETLINK},
    {.call = NULL},
};

/* ---- the rules of a role, one after the other ---- */

struct rule {
	const char *call;
	enum confine_answer answer;
	const struct condition *condition; /* of CONFINE_CALL_DONE_WHERE */
};

/* Called for each rule, until one returns false. */
struct taker {
	bool (*take)(void *context, const struct rule *rule);
	void *context;
};

static bool
each_name(const struct taker *taker, enum confine_answer answer, const char *const *names)
{
	for (; *names != NULL; names++) {
		const struct rule rule = {.call = *names, .answer = answer};

		if (!taker->take(taker->context, &rule))
			return false;
	}
	return true;
}

static bool
each_condition(const struct taker *taker, const struct condition *condition)
{
	for (; condition->call != NULL; condition++) {
		const struct rule rule = {condition->call, CONFINE_CALL_DONE_WHERE, condition};

		if (!taker->take(taker->context, &rule))
			return false;
	}
	return true;
}

/* What is in no rule is confine_calls_rest(). */
static bool
each_rule(const struct confine_row *row, const struct taker *taker)
{
	if (!each_name(taker, CONFINE_CALL_ENDS, deadly))
		return false;
	if (row->calls[0] == NULL)
		return true;
	for (size_t i = 0; i < CONFINE_CALL_LISTS && row->calls[i] != NULL; i++) {
		if (!each_name(taker, CONFINE_CALL_DONE, row->calls[i]) ||
		    (row->calls[i] == confine_calls_connect && !each_condition(taker, of_sockets)))
			return false;
	}
	return each_name(taker, CONFINE_CALL_ENDS, deadly_to_children) &&
	       each_name(taker, CONFINE_CALL_NOT_THERE, not_there) &&
	       each_condition(taker, of_all) &&
	       (!row->loads_libraries || each_condition(taker, of_libraries));
}

/* ---- told ---- */

enum confine_answer
confine_calls_rest(const struct confine_row *row)
{
	return row->calls[0] != NULL ? CONFINE_CALL_FAILS : CONFINE_CALL_DONE;
}

struct question {
	const char *call;
	enum confine_answer answer;
	struct text *words;
};

static bool
take_answer(void *context, const struct rule *rule)
{
	struct question *question = context;

	if (strcmp(rule->call, question->call) != 0)
		return true;
	if (question->answer == CONFINE_CALL_DONE_WHERE)
		text_append_string(question->words, " or ");
	question->answer = rule->answer;
	if (rule->condition != NULL)
		text_append_string(question->words, rule->condition->words);
	return true;
}

enum confine_answer
confine_calls_answer(const struct confine_row *row, const char *call, struct text *words)
{
	struct question question = {call, confine_calls_rest(row), words};
	const struct taker taker = {take_answer, &question};

	(void)each_rule(row, &taker);
	return question.answer;
}

void
confine_calls_each(void (*take)(void *context, const char *call), void *context)
{
	for (int number = 0; number < MOST_CALLS; number++) {
		char *call = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);

		if (call != NULL)
			take(context, call);
		free(call);
	}
}

/* ---- done ---- */

bool
confine_calls_known(void)
{
	const unsigned action = SECCOMP_RET_KILL_PROCESS;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

/* Where that argument, masked, is that value. */
static int
add_condition(scmp_filter_ctx filter, int number, const struct condition *condition)
{
	const struct scmp_arg_cmp comparison = {
	    .arg = condition->argument,
	    .op = SCMP_CMP_MASKED_EQ,
	    .datum_a = condition->mask,
	    .datum_b = condition->is_ourselves ? (uint64_t)getpid() : condition->value,
	};

	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, 1, &comparison);
}

static int
add_answer(scmp_filter_ctx filter, int number, const struct rule *rule)
{
	switch (rule->answer) {
	case CONFINE_CALL_DONE:
		return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
	case CONFINE_CALL_DONE_WHERE:
		return add_condition(filter, number, rule->condition);
	case CONFINE_CALL_FAILS:
		return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0);
	case CONFINE_CALL_NOT_THERE:
		return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), number, 0);
	case CONFINE_CALL_ENDS:
		break;
	}
	return seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, number, 0);
}

static bool
add_rule(void *context, const struct rule *rule)
{
	scmp_filter_ctx filter = context;
	int number = seccomp_syscall_resolve_name(rule->call);

	return number == __NR_SCMP_ERROR || add_answer(filter, number, rule) == 0;
}

bool
confine_calls_enter(const struct confine_row *row, struct error *error)
{
	scmp_filter_ctx filter;
	struct taker taker = {.take = add_rule};
	int failed;
	bool done = false;

	if (!confine_calls_known()) {
		log_warning("confine", "this kernel gives no seccomp filters, or the service "
				       "manager's own forbids them: system calls are not "
				       "confined");
		return true;
	}
	filter = seccomp_init(confine_calls_rest(row) == CONFINE_CALL_FAILS ? SCMP_ACT_ERRNO(EPERM)
									    : SCMP_ACT_ALLOW);
	if (filter == NULL)
		return error_set(error, "confinement: no memory for a filter");
	taker.context = filter;
	if (!each_rule(row, &taker) ||
	    seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) != 0 ||
	    seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) != 0 ||
	    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2) != 0) {
		error_set(error, "confinement: the filter for system calls cannot be made");
		goto finish;
	}
	failed = seccomp_load(filter);
	if (failed != 0) {
		error_set(error, "confinement: the filter for system calls is refused: %s",
			  strerror(-failed));
		goto finish;
	}
	done = true;
finish:
	seccomp_release(filter);
	return done;
}
