/*
 * Landlock: what is not named is refused.  A rule holds a file, not its name: when
 * another file takes the name (a resolver's or an authority's file was written anew
 * and renamed), that one cannot be read.  So for each rule on a single file it is
 * kept which one it was, and confine_files_are_stale() looks.  A directory's rule holds for
 * whatever will be in it.
 *
 * The header of Debian 12 knows version 2 of it, so the numbers of the later ones
 * are here; they are the kernel's interface and do not change.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bridge/confine.h"
#include "bridge/confine_internal.h"
#include "bridge/log.h"
#include "formats/memory.h"
#include "formats/text.h"

/* struct landlock_ruleset_attr of version 6; a kernel of an earlier one takes zeros behind its own
 */
struct ruleset {
	uint64_t files;
	uint64_t network;
	uint64_t scoped;
};

struct beneath { /* struct landlock_path_beneath_attr */
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

struct port { /* struct landlock_net_port_attr */
	uint64_t allowed;
	uint64_t port;
};

enum { RULE_BENEATH = 1, RULE_PORT = 2, ASK_VERSION = 1 };
enum { BIND_TCP = 1, CONNECT_TCP = 2 };
enum { SCOPE_ABSTRACT_SOCKETS = 1, SCOPE_SIGNALS = 2 };

/* LANDLOCK_ACCESS_FS_... */
enum {
	F_EXECUTE = 1 << 0,
	F_WRITE_FILE = 1 << 1,
	F_READ_FILE = 1 << 2,
	F_READ_DIR = 1 << 3,
	F_REMOVE_DIR = 1 << 4,
	F_REMOVE_FILE = 1 << 5,
	F_MAKE_DIR = 1 << 7,
	F_MAKE_REG = 1 << 8,
	F_REFER = 1 << 13,
	F_TRUNCATE = 1 << 14,
	F_IOCTL_DEVICE = 1 << 15,
	F_ALL_OF_1 = (1 << 13) - 1,
	F_OF_A_FILE = F_EXECUTE | F_WRITE_FILE | F_READ_FILE | F_TRUNCATE | F_IOCTL_DEVICE,
};

enum { MOST_WATCHED = 512 };

/* What a rule was given for. */
struct watched {
	char *path;
	dev_t device;
	ino_t inode; /* 0: it was not there */
};

static struct watched watched[MOST_WATCHED];
static size_t watched_count;

/* The rules as they are being made. */
struct rules {
	const struct confine_row *row;
	const struct config *config;
	uint64_t handled; /* F_... */
	int descriptor;
	struct error *error;
};

int
confine_files_version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);

	return version > 0 ? (int)version : 0;
}

/* ---- files ---- */

static uint64_t
all_of(int version)
{
	return F_ALL_OF_1 | (version >= 2 ? F_REFER : 0) | (version >= 3 ? F_TRUNCATE : 0) |
	       (version >= 5 ? F_IOCTL_DEVICE : 0);
}

static uint64_t
in_words_of_the_kernel(unsigned rights)
{
	return ((rights & CONFINE_READ) != 0 ? F_READ_FILE | F_READ_DIR : 0) |
	       ((rights & CONFINE_WRITE) != 0 ? F_WRITE_FILE | F_REMOVE_FILE | F_REMOVE_DIR |
						    F_MAKE_DIR | F_MAKE_REG | F_TRUNCATE
					      : 0) |
	       ((rights & CONFINE_EXECUTE) != 0 ? F_EXECUTE : 0);
}

static void
watch(const char *path, const struct stat *status)
{
	struct watched *next = &watched[watched_count];

	if (watched_count == MOST_WATCHED) /* then a restart by hand has to do */
		return;
	watched_count++;
	next->path = memory_copy_text(path, strlen(path));
	next->device = status->st_dev;
	next->inode = status->st_ino;
}

static bool
allow(struct rules *rules, const char *path, unsigned rights)
{
	struct beneath rule = {.allowed = in_words_of_the_kernel(rights) & rules->handled};
	struct stat status;
	bool done = false;

	rule.parent = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES)) {
		watch(path, &(struct stat){0});
		return true;
	}
	if (rule.parent < 0)
		return error_set_errno(rules->error, "confinement: %s", path);
	if (fstat(rule.parent, &status) != 0) {
		error_set_errno(rules->error, "confinement: %s", path);
		goto finish;
	}
	if (!S_ISDIR(status.st_mode)) {
		rule.allowed &= F_OF_A_FILE;
		watch(path, &status);
	}
	done = syscall(SYS_landlock_add_rule, rules->descriptor, RULE_BENEATH, &rule, 0) == 0 ||
	       error_set_errno(rules->error, "confinement: a rule for %s", path);
finish:
	close(rule.parent);
	return done;
}

/* Where a file is made and, when it was rotated away, made anew; a device or pipe alone. */
static bool
allow_output(struct rules *rules, const char *path, unsigned rights)
{
	char directory[PATH_MAX];
	struct text text;
	struct stat status;
	const char *slash = strrchr(path, '/');

	if (slash == NULL || (stat(path, &status) == 0 && !S_ISREG(status.st_mode)))
		return allow(rules, path, rights);
	text_start(&text, directory, sizeof(directory));
	text_append(&text, path, slash == path ? 1 : (size_t)(slash - path));
	text_append_byte(&text, '\0');
	return text.overflowed ||
	       allow(rules, directory, rights); /* what is too long cannot be opened either */
}

/* Is it a key of a destination, and that of the file that it writes? */
static bool
is_of_destination(const struct config_named_path *named, bool *output)
{
	static const char prefix[] = "destinations[";
	static const char suffix[] = ".file.path";
	size_t length = strlen(named->key);

	*output = length >= sizeof(suffix) - 1 &&
		  strcmp(named->key + length - (sizeof(suffix) - 1), suffix) == 0;
	return strncmp(named->key, prefix, sizeof(prefix) - 1) == 0;
}

static bool
allow_of_destinations(struct rules *rules, bool outputs, unsigned rights)
{
	const struct config *config = rules->config;

	for (size_t i = 0; i < config->named_paths_count; i++) {
		const struct config_named_path *named = &config->named_paths[i];
		bool output;

		if (!is_of_destination(named, &output) || output != outputs)
			continue;
		if (!(output ? allow_output(rules, named->path, rights)
			     : allow(rules, named->path, rights)))
			return false;
	}
	return true;
}

static bool
allow_of_polls(struct rules *rules, unsigned rights)
{
	const struct config *config = rules->config;

	for (size_t i = 0; i < config->named_paths_count; i++)
		if (strstr(config->named_paths[i].key, "].poll.") != NULL &&
		    !allow(rules, config->named_paths[i].path, rights))
			return false;
	return true;
}

/* The program and its loader, which execve(2) opens for execution as well. */
struct executables {
	struct rules *rules;
	unsigned rights;
	bool done;
};

static int
allow_loader(struct dl_phdr_info *program, size_t size, void *context)
{
	struct executables *executables = context;

	(void)size;
	for (size_t i = 0; i < program->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &program->dlpi_phdr[i];

		if (header->p_type != PT_INTERP)
			continue;
		executables->done =
		    allow(executables->rules, (const char *)program->dlpi_addr + header->p_vaddr,
			  executables->rights);
	}
	return 1; /* the first is the program; the rest are libraries */
}

static bool
allow_ourselves(struct rules *rules, unsigned rights)
{
	struct executables executables = {.rules = rules, .rights = rights, .done = true};

	(void)dl_iterate_phdr(allow_loader, &executables);
	return executables.done && allow(rules, "/proc/self/exe", rights);
}

static bool
allow_place(struct rules *rules, const struct confine_file *file)
{
	const char *path = file->path;

	switch (file->place) {
	case CONFINE_OURSELVES:
		return allow_ourselves(rules, file->rights);
	case CONFINE_DESTINATION_INPUT:
		return allow_of_destinations(rules, false, file->rights);
	case CONFINE_DESTINATION_OUTPUT:
		return allow_of_destinations(rules, true, file->rights);
	case CONFINE_POLL_INPUT:
		return allow_of_polls(rules, file->rights);
	case CONFINE_SPOOL:
		path = rules->config->spool.directory;
		break;
	case CONFINE_CREDENTIALS:
		path = getenv("CREDENTIALS_DIRECTORY");
		break;
	case CONFINE_PATH:
		break;
	}
	return path == NULL || allow(rules, path, file->rights);
}

/* ---- ports ---- */

static bool
allow_port(void *context, uint16_t port)
{
	const struct rules *rules = context;
	const struct port rule = {.allowed = CONNECT_TCP, .port = port};

	return syscall(SYS_landlock_add_rule, rules->descriptor, RULE_PORT, &rule, 0) == 0 ||
	       error_set_errno(rules->error, "confinement: a rule for port %u", port);
}

/* ---- the whole ---- */

/* A build for tests reads its clock from a file, at any time: deadline.c. */
static bool
allow_clock(struct rules *rules)
{
#ifdef FAULTS
	const char *path = getenv("SIEMBRIDGE_CLOCK");

	/* a role that may read everything has no such rules, and an empty one is refused */
	return path == NULL || (rules->handled & F_READ_FILE) == 0 ||
	       allow_output(rules, path, CONFINE_READ);
#else
	(void)rules;
	return true;
#endif
}

static bool
make_rules(struct rules *rules, uint64_t ports)
{
	for (const struct confine_file *file = rules->row->files; file->rights != 0; file++)
		if (!allow_place(rules, file))
			return false;
	if (!allow_clock(rules))
		return false;
	if (ports != 0 && !confine_ports_each(rules->row->ports, rules->config, allow_port, rules))
		return false;
	return syscall(SYS_landlock_restrict_self, rules->descriptor, 0) == 0 ||
	       error_set_errno(rules->error, "confinement: the rules for files are refused");
}

bool
confine_files_enter(const struct confine_row *row, const struct config *config, struct error *error)
{
	const unsigned all = CONFINE_READ | CONFINE_WRITE | CONFINE_EXECUTE;
	struct rules rules = {.row = row, .config = config, .error = error};
	int version = confine_files_version();
	struct ruleset wanted = {0};
	bool done;

	if (version == 0) {
		log_warning("confine", "this kernel gives no Landlock: files are not confined");
		return true;
	}
	rules.handled =
	    row->handled == all ? all_of(version) : in_words_of_the_kernel(row->handled);
	wanted.files = rules.handled;
	if (version >= 4 && row->ports != CONFINE_PORTS_FREE)
		wanted.network = BIND_TCP | CONNECT_TCP;
	if (version >= 6 && row->ports != CONFINE_PORTS_FREE)
		wanted.scoped = SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS;
	rules.descriptor = (int)syscall(SYS_landlock_create_ruleset, &wanted, sizeof(wanted), 0);
	if (rules.descriptor < 0)
		return error_set_errno(error, "confinement: no rules for files can be made");
	done = make_rules(&rules, wanted.network);
	close(rules.descriptor);
	return done;
}

bool
confine_files_are_stale(const char **path)
{
	for (size_t i = 0; i < watched_count; i++) {
		struct stat now;

		if (stat(watched[i].path, &now) != 0)
			now.st_ino = 0; /* on its way to be replaced, or gone */
		if (now.st_ino == 0 ||
		    (now.st_ino == watched[i].inode && now.st_dev == watched[i].device))
			continue;
		*path = watched[i].path;
		return true;
	}
	return false;
}
