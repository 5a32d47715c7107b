/*
 * Preloaded into a supervisor that valgrind runs, or a test that is one: there
 * /proc/self/exe is valgrind's own program, so that name becomes that of the binary
 * under test, REEXEC_BINARY.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int
execve(const char *path, char *const *arguments, char *const *environment)
{
	const char *binary = getenv("REEXEC_BINARY");

	if (binary != NULL && strcmp(path, "/proc/self/exe") == 0)
		path = binary;
	return (int)syscall(SYS_execve, path, arguments, environment);
}
