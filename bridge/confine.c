/*
 * The table, and what all roles have in common.
 *
 * Order in confine_enter(): limits and capabilities while they may still be set,
 * then no_new_privs, without which an unprivileged process may do neither of the
 * next two, then files and ports, and the system calls last.
 *
 * Weakness: all processes are of one user, so what keeps the receiver from the
 * forwarder's tokens is Landlock alone; on a kernel without it (before 5.13) it is
 * nothing.  And a UDP port may be bound by whoever may open a socket.
 */
#include "bridge/confine.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bridge/confine_internal.h"
#include "bridge/log.h"

#define MIB (UINT64_C(1) << 20)

enum { READ = CONFINE_READ, WRITE = CONFINE_WRITE, EXECUTE = CONFINE_EXECUTE };
enum { ALL = READ | WRITE | EXECUTE };

#define END                                                                                        \
	{                                                                                          \
		CONFINE_PATH, 0, NULL                                                              \
	}
#define OF_LIBRARIES                                                                               \
	{CONFINE_PATH, READ, "/dev/urandom"}, {CONFINE_PATH, READ | WRITE, "/dev/null"},           \
	{                                                                                          \
		CONFINE_PATH, READ, "/etc/localtime"                                               \
	}

/* Starts nothing but this very program. */
static const struct confine_file supervisor_files[] = {
    {CONFINE_OURSELVES, EXECUTE, NULL},
    END,
};

static const struct confine_file receiver_files[] = {
    {CONFINE_SPOOL, READ | WRITE, NULL},
    {CONFINE_PATH, READ, "/proc/sys/kernel/random/boot_id"}, /* steady.c */
    OF_LIBRARIES,
    END,
};

/* Names, and the system's authorities. */
#define OF_CLIENTS                                                                                 \
	{CONFINE_CREDENTIALS, READ, NULL}, {CONFINE_PATH, READ, "/etc/resolv.conf"},               \
	    {CONFINE_PATH, READ, "/run/systemd/resolve"},                                          \
	    {CONFINE_PATH, READ, "/run/NetworkManager"}, {CONFINE_PATH, READ, "/etc/hosts"},       \
	    {CONFINE_PATH, READ, "/etc/host.conf"}, {CONFINE_PATH, READ, "/etc/nsswitch.conf"},    \
	    {CONFINE_PATH, READ, "/etc/gai.conf"}, {CONFINE_PATH, READ, "/etc/services"},          \
	    {CONFINE_PATH, READ, "/etc/ld.so.cache"}, {CONFINE_PATH, READ, "/lib"},                \
	    {CONFINE_PATH, READ, "/lib64"}, {CONFINE_PATH, READ, "/usr/lib"},                      \
	    {CONFINE_PATH, READ, "/etc/ssl/openssl.cnf"}, {CONFINE_PATH, READ, "/etc/ssl/certs"},  \
	    {CONFINE_PATH, READ, "/usr/share/ca-certificates"},                                    \
	{                                                                                          \
		CONFINE_PATH, READ, "/usr/local/share/ca-certificates"                             \
	}

static const struct confine_file forwarder_files[] = {
    {CONFINE_SPOOL, READ | WRITE, NULL}, /* delivery.db; and to read spool.db its -shm */
    {CONFINE_DESTINATION_INPUT, READ, NULL},
    {CONFINE_DESTINATION_OUTPUT, READ | WRITE, NULL},
    OF_CLIENTS,
    OF_LIBRARIES,
    END,
};

/* What it finds goes through a socket, and the spool's files are nothing to it. */
static const struct confine_file poller_files[] = {
    {CONFINE_POLL_INPUT, READ, NULL},
    OF_CLIENTS,
    OF_LIBRARIES,
    END,
};

static const struct confine_file console_files[] = {
    {CONFINE_SPOOL, READ | WRITE, NULL}, /* to read both databases; and orders */
    OF_LIBRARIES,
    END,
};

/*
 * A role that is added gets a row here and calls child_confine().  One that only
 * reads the spool has READ | WRITE on it too: a reader of SQLite's WAL locks and
 * maps the -shm file; that it opens the databases read-only is its own affair.
 */
static const struct confine_row rows[] = {
    {
	.role = "supervisor",
	.files = supervisor_files,
	.handled = EXECUTE,
	.ports = CONFINE_PORTS_FREE,
	.loads_libraries = true,
    },
    {
	.role = "receiver",
	.files = receiver_files,
	.handled = ALL,
	.ports = CONFINE_PORTS_NONE,
	.calls = {confine_calls_basic, confine_calls_files, confine_calls_accept},
	.open_files = 1 << 20, /* each connection is one */
	.memory = 2048 * MIB,
	.per_spool = 8, /* what is known of an event to find its duplicate: 32 bytes of 256 */
    },
    {
	.role = "forwarder",
	.files = forwarder_files,
	.handled = ALL,
	.ports = CONFINE_PORTS_DESTINATIONS,
	.loads_libraries = true,
	.calls = {confine_calls_basic, confine_calls_files, confine_calls_connect},
	.open_files = 4096,
	.memory = 4096 * MIB, /* 64 destinations, each with two threads' stacks of 8 MiB */
    },
    {
	.role = "poller",
	.files = poller_files,
	.handled = ALL,
	.ports = CONFINE_PORTS_POLLS,
	.loads_libraries = true,
	.calls = {confine_calls_basic, confine_calls_files, confine_calls_connect},
	.open_files = 256,
	.memory = 512 * MIB,
    },
    {
	.role = "console",
	.files = console_files,
	.handled = ALL,
	.ports = CONFINE_PORTS_NONE,
	.calls = {confine_calls_basic, confine_calls_files, confine_calls_accept},
	.open_files = 1024,
	.memory = 1024 * MIB,
    },
};

const struct confine_row *
confine_row(size_t index)
{
	return index < sizeof(rows) / sizeof(rows[0]) ? &rows[index] : NULL;
}

static const struct confine_row *
find_row(const char *role)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].role, role) == 0)
			return &rows[i];
	return NULL;
}

/* Never above the hard limit, which only root may raise. */
static bool
set_limit(__rlimit_resource_t resource, const char *name, uint64_t value, struct error *error)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) != 0)
		return error_set_errno(error, "the limit of %s cannot be read", name);
	if (limit.rlim_max > value)
		limit.rlim_max = value;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(resource, &limit) == 0 ||
	       error_set_errno(error, "the limit of %s cannot be set", name);
}

static bool
set_limits(const struct confine_row *row, const struct config *config, struct error *error)
{
	uint64_t memory = row->memory;

	if (row->per_spool > 0)
		memory += config->spool.max_size / row->per_spool;
	return set_limit(RLIMIT_CORE, "core dumps", 0, error) &&
	       (row->open_files == 0 ||
		set_limit(RLIMIT_NOFILE, "open files", row->open_files, error)) &&
	       (row->memory == 0 || CONFINE_SANITIZED ||
		set_limit(RLIMIT_DATA, "memory", memory, error));
}

static bool
has_capabilities(struct __user_cap_header_struct *header)
{
	struct __user_cap_data_struct held[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, header, held) != 0)
		return true;
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		if ((held[i].effective | held[i].permitted | held[i].inheritable) != 0)
			return true;
	return false;
}

/*
 * The bounding set only where one may: without CAP_SETPCAP there is nothing to lose.
 * A service manager's filter may forbid capset(2), and leaves nothing to be dropped.
 */
static bool
drop_capabilities(struct error *error)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

	for (unsigned long capability = 0; capability <= CAP_LAST_CAP; capability++)
		(void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 && errno != EINVAL)
		return error_set_errno(error, "ambient capabilities cannot be dropped");
	if (has_capabilities(&header) && syscall(SYS_capset, &header, none) != 0)
		return error_set_errno(error, "capabilities cannot be dropped");
	return true;
}

bool
confine_enter(const char *role, const struct config *config, struct error *error)
{
	const struct confine_row *row = find_row(role);

	if (row == NULL)
		return error_set(error, "confinement: there is no row for the role %s", role);
	if (!set_limits(row, config, error) || !drop_capabilities(error))
		return error_prefix(error, "confinement");
	if (CONFINE_SANITIZED) {
		log_info("confine", "no confinement but limits: this build has sanitizers");
		return true;
	}
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return error_set_errno(error, "confinement: privileges cannot be given up");
	return confine_files_enter(row, config, error) && confine_calls_enter(row, error);
}
