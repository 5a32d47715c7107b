/*
 * System calls: each role is given lists, by name, as a table to be searched.  Names
 * that this kernel's headers or this processor do not know are passed over: a call
 * that does not exist needs no permission.
 *
 * Three answers: what a list has is done; what no library of ours does, ever, ends
 * the process; everything else fails with EPERM, because a library may try it and
 * get along without it.  clone3(2) fails with ENOSYS: its flags are in memory, where a
 * filter cannot look, and glibc then uses clone(2), whose flags it can.
 */
#include <errno.h>
#include <linux/net_tstamp.h>
#include <linux/seccomp.h>
#include <sched.h>
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

const char *const confine_calls_basic[] = {
    /* memory; mmap and mprotect: see allow_memory() */
    "brk", "madvise", "mlock", "mlock2", "mremap", "munlock", "munmap",
    /* descriptors */
    "close", "close_range", "dup", "dup2", "dup3", "epoll_create1", "epoll_ctl", "epoll_pwait",
    "epoll_pwait2", "epoll_wait", "eventfd2", "fcntl", "fstat", "lseek", "pipe2", "poll", "ppoll",
    "pread64", "preadv", "pselect6", "pwrite64", "pwritev", "read", "readv", "select", "signalfd4",
    "timerfd_create", "timerfd_gettime", "timerfd_settime", "write", "writev",
    /* threads; clone: see allow_threads() */
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
 * refuses TCP ports.  socket: see allow_sockets() */
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

bool
confine_calls_known(void)
{
	const unsigned action = SECCOMP_RET_KILL_PROCESS;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

static bool
add_names(scmp_filter_ctx filter, uint32_t action, const char *const *names)
{
	for (; *names != NULL; names++) {
		int number = seccomp_syscall_resolve_name(*names);

		if (number != __NR_SCMP_ERROR && seccomp_rule_add(filter, action, number, 0) != 0)
			return false;
	}
	return true;
}

/* Where that argument, masked, is that value. */
static bool
allow_where(scmp_filter_ctx filter, int number, unsigned argument, uint64_t mask, uint64_t value)
{
	const struct scmp_arg_cmp comparison = {
	    .arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};

	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, 1, &comparison) == 0;
}

/*
 * Memory that may be written is never executed, and what was data never becomes
 * code.  A name service module is mapped from its file, executable and read-only.
 */
static bool
allow_memory(scmp_filter_ctx filter, const struct confine_row *row)
{
	return allow_where(filter, SCMP_SYS(mmap), 2, PROT_EXEC, 0) &&
	       allow_where(filter, SCMP_SYS(mprotect), 2, PROT_EXEC, 0) &&
	       (!row->loads_libraries || allow_where(filter, SCMP_SYS(mmap), 2, PROT_WRITE, 0));
}

/* No processes, no name spaces. */
static bool
allow_threads(scmp_filter_ctx filter)
{
	return allow_where(filter, SCMP_SYS(clone), 0, CLONE_THREAD, CLONE_THREAD) &&
	       seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0 &&
	       allow_where(filter, SCMP_SYS(prctl), 0, UINT64_MAX, PR_SET_NAME) &&
	       /* limits are read, not set */
	       allow_where(filter, SCMP_SYS(prlimit64), 2, UINT64_MAX, 0);
}

static bool
allow_signals(scmp_filter_ctx filter)
{
	const uint64_t ourselves = (uint64_t)getpid();

	return allow_where(filter, SCMP_SYS(kill), 0, UINT32_MAX, ourselves) &&
	       allow_where(filter, SCMP_SYS(tgkill), 0, UINT32_MAX, ourselves);
}

static bool
allow_controls(scmp_filter_ctx filter)
{
	static const uint32_t requests[] = {FIONREAD, FIONBIO, FIOCLEX, TCGETS, SIOCOUTQ};

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (!allow_where(filter, SCMP_SYS(ioctl), 1, UINT32_MAX, requests[i]))
			return false;
	return true;
}

static bool
allow_sockets(scmp_filter_ctx filter)
{
	static const uint64_t families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (!allow_where(filter, SCMP_SYS(socket), 0, UINT32_MAX, families[i]))
			return false;
	return true;
}

/* A role with lists: what they have, and what needs a look at its arguments. */
static bool
add_lists(scmp_filter_ctx filter, const struct confine_row *row)
{
	for (size_t i = 0; i < CONFINE_CALL_LISTS && row->calls[i] != NULL; i++) {
		if (!add_names(filter, SCMP_ACT_ALLOW, row->calls[i]) ||
		    (row->calls[i] == confine_calls_connect && !allow_sockets(filter)))
			return false;
	}
	return add_names(filter, SCMP_ACT_KILL_PROCESS, deadly_to_children) &&
	       allow_memory(filter, row) && allow_threads(filter) && allow_signals(filter) &&
	       allow_controls(filter);
}

bool
confine_calls_enter(const struct confine_row *row, struct error *error)
{
	bool has_lists = row->calls[0] != NULL;
	scmp_filter_ctx filter;
	int failed;
	bool done = false;

	if (!confine_calls_known()) {
		log_warning("confine", "this kernel gives no seccomp filters, or the service "
				       "manager's own forbids them: system calls are not "
				       "confined");
		return true;
	}
	filter = seccomp_init(has_lists ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_ALLOW);
	if (filter == NULL)
		return error_set(error, "confinement: no memory for a filter");
	if (!add_names(filter, SCMP_ACT_KILL_PROCESS, deadly) ||
	    (has_lists && !add_lists(filter, row)) ||
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
