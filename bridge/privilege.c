/*
 * The order: what needs privileges (bounding set, groups, user) first; the user's
 * change would take all capabilities away, so PR_SET_KEEPCAPS keeps the permitted
 * ones over it, of which one is left then and made ambient, because the process that
 * checks the configuration has to try the port and is executed anew.  no_new_privs
 * sees to it that root, where it stays root, gets nothing back by that.
 */
#include "bridge/privilege.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LONGEST_ENTRY = 16 * 1024 }; /* bytes, of the user database */

static bool
find_user(const char *name, struct passwd *user, char *buffer, bool *found, struct error *error)
{
	struct passwd *result = NULL;
	int failed = getpwnam_r(name, user, buffer, LONGEST_ENTRY, &result);

	*found = result != NULL;
	if (failed != 0 && result == NULL) {
		errno = failed;
		return error_set_errno(error, "user %s cannot be looked up", name);
	}
	return true;
}

/* All but CAP_NET_BIND_SERVICE. */
static void
keep_one_capability(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	const unsigned bit = 1U << CAP_NET_BIND_SERVICE;
	const struct __user_cap_data_struct one[_LINUX_CAPABILITY_U32S_3] = {{bit, bit, bit},
									     {0, 0, 0}};
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

	/* a container may not have it; what is left all the same, confine_enter() refuses */
	if (syscall(SYS_capset, &header, one) == 0)
		(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0);
	else
		(void)syscall(SYS_capset, &header, none);
}

static void
narrow_bounding_set(void)
{
	for (unsigned long capability = 0; capability <= CAP_LAST_CAP; capability++)
		if (capability != CAP_NET_BIND_SERVICE)
			(void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

static bool
become(const struct passwd *user, struct error *error)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 ||
	    initgroups(user->pw_name, user->pw_gid) != 0 ||
	    setresgid(user->pw_gid, user->pw_gid, user->pw_gid) != 0 ||
	    setresuid(user->pw_uid, user->pw_uid, user->pw_uid) != 0)
		return error_set_errno(error, "started as root, this cannot go on as user %s",
				       user->pw_name);
	return true;
}

bool
privilege_reduce(const char *user, struct error *note, struct error *error)
{
	const char *name = user != NULL ? user : PRIVILEGE_USER;
	char buffer[LONGEST_ENTRY];
	struct passwd entry;
	bool found;

	note->text[0] = '\0';
	if (geteuid() != 0)
		return true;
	if (!find_user(name, &entry, buffer, &found, error))
		return false;
	if (!found && user != NULL)
		return error_set(error,
				 "user: there is no user %s to go on as; adduser --system --group "
				 "%s",
				 name, name);
	narrow_bounding_set();
	if (found && entry.pw_uid != 0) {
		if (!become(&entry, error))
			return false;
		error_set(note, "started as root, which is never needed: goes on as user %s", name);
	} else {
		error_set(note,
			  "runs as root, which it never needs%s: give it a user of its own that "
			  "may read the key and the secrets (user: NAME, or adduser --system "
			  "--group " PRIVILEGE_USER "); it goes on without capabilities",
			  found ? "" : ", and there is no user " PRIVILEGE_USER " to go on as");
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return error_set_errno(error, "privileges cannot be given up");
	keep_one_capability();
	return true;
}
