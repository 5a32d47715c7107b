/*
 * A configuration file of any bytes: it is read, or there is one line of an error that
 * begins with the file's name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bridge/config.h"
#include "formats/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int descriptor = -1;
	static char path[64];
	struct config *config = NULL;
	struct error error;

	if (descriptor < 0) {
		descriptor = memfd_create("configuration", 0);
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
	}
	if (descriptor < 0 || ftruncate(descriptor, 0) != 0 ||
	    pwrite(descriptor, data, size, 0) != (ssize_t)size)
		memory_panic("no file to read");
	if (config_read(&config, path, &error)) {
		config_free(config);
		return 0;
	}
	if (config != NULL)
		memory_panic("a configuration was given with an error");
	if (strncmp(error.text, path, strlen(path)) != 0 || strchr(error.text, '\n') != NULL)
		memory_panic("no line of an error: %s", error.text);
	return 0;
}
