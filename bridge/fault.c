#include "bridge/fault.h"

#ifdef FAULTS

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/memory.h"
#include "formats/text.h"

static const char variable[] = "SIEMBRIDGE_CRASH_AT";

void
fault_reached(const char *name)
{
	static atomic_uint_fast64_t reached; /* of the one point that was asked for */
	const char *wanted = getenv(variable);
	size_t length = strlen(name);
	uint64_t at = 1;

	if (wanted == NULL || strncmp(wanted, name, length) != 0)
		return;
	if (wanted[length] == ':') {
		if (!text_parse_unsigned(text_of(wanted + length + 1), UINT64_MAX, &at))
			memory_panic("%s=%s: after the colon stands a number", variable, wanted);
	} else if (wanted[length] != '\0') {
		return; /* another name that only begins like this one */
	}
	if (atomic_fetch_add(&reached, 1) + 1 == at)
		(void)kill(getpid(), SIGKILL);
}

void
fault_spend(void)
{
	if (unsetenv(variable) != 0)
		memory_panic("%s cannot be taken from the environment: %m", variable);
}

#endif
