#include "bridge/commands/init_write.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "bridge/base64.h"
#include "bridge/commands/certificate_make.h"
#include "bridge/commands/init_files.h"
#include "bridge/config.h"
#include "bridge/hex.h"
#include "bridge/secret.h"
#include "formats/memory.h"
#include "formats/text.h"

enum {
	SECRET_BYTES = 32, /* of randomness */
	DAYS = 397,        /* what browsers take at most, and a year of peace */
	LONGEST_CONFIG = 16 * 1024,
	MODE_SECRET = S_IRUSR | S_IWUSR,
	MODE_PUBLIC = S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH,
	MODE_DIRECTORY = S_IRWXU | S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH,
};

static const char config_name[] = "siembridge.yaml";

struct writing {
	const struct init_plan *plan;
	struct init_written *written;
	struct init_files *files;
};

bool
init_write_has_console(const struct init_plan *plan)
{
	return strcmp(plan->console, "none") != 0;
}

/* ---- the configuration ---- */

/* In double quotes, as YAML reads them. */
static void
append_quoted(struct text *text, const char *value)
{
	text_append_byte(text, '"');
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			text_append_byte(text, '\\');
		text_append_byte(text, *value);
	}
	text_append_byte(text, '"');
}

/* A line "  key: value"; none where there is no value. */
static void
append_key(struct text *text, const char *key, const char *value)
{
	if (value == NULL)
		return;
	text_append_string(text, key);
	text_append_string(text, ": ");
	append_quoted(text, value);
	text_append_byte(text, '\n');
}

/* Paths of options start where the command runs, those of the file at its directory. */
static const char *
absolute(const char *path, char bytes[PATH_MAX])
{
	return path == NULL || realpath(path, bytes) == NULL ? path : bytes;
}

static void
append_source(const struct init_sender *sender, struct text *text)
{
	text_append_format(text,
			   "sources:\n"
			   "  - name: %s\n"
			   "    path: /webhooks/%s\n"
			   "    signature: %s\n"
			   "    secrets: [secrets/%s]\n",
			   sender->name, sender->name, sender->signature, sender->name);
	if (sender->profile != NULL)
		text_append_format(text, "    profile: %s\n", sender->profile);
	if (sender->more != NULL)
		text_append_string(text, sender->more);
}

static void
append_destination(const struct init_plan *plan, struct text *text)
{
	char path[PATH_MAX];

	text_append_string(text, "destinations:\n");
	if (plan->syslog != NULL) {
		text_append_string(text, "  - name: siem\n");
		append_key(text, "    profile", plan->collector);
		text_append_string(text, "    syslog:\n");
		append_key(text, "      address", plan->syslog);
		append_key(text, "      transport", plan->transport);
		append_key(text, "      ca_file", absolute(plan->ca_file, path));
	} else if (plan->splunk != NULL) {
		text_append_string(text, "  - name: splunk\n    splunk_hec:\n");
		append_key(text, "      url", plan->splunk);
		text_append_string(text, "      token_file: secrets/splunk\n");
		append_key(text, "      ca_file", absolute(plan->ca_file, path));
	} else {
		text_append_string(text, "  - name: file\n");
		append_key(text, "    profile", plan->collector);
		text_append_string(text, "    file:\n");
		append_key(text, "      path", plan->file);
	}
}

static void
append_config(const struct init_plan *plan, struct text *text)
{
	char path[PATH_MAX];

	text_append_format(text,
			   "# Written by siembridge init.  Every key: man 5 siembridge.yaml.\n"
			   "# After a change: siembridge check, then SIGHUP to the daemon.\n"
			   "listen:\n"
			   "  address: 0.0.0.0:%u\n",
			   (unsigned)plan->port);
	append_key(text, "  certificate",
		   plan->certificate != NULL ? absolute(plan->certificate, path) : "cert.pem");
	append_key(text, "  private_key",
		   plan->private_key != NULL ? absolute(plan->private_key, path) : "key.pem");
	text_append_string(text, "spool:\n");
	append_key(text, "  directory",
		   plan->spool != NULL ? absolute(plan->spool, path) : "spool");
	append_source(plan->sender, text);
	append_destination(plan, text);
	if (init_write_has_console(plan)) {
		text_append_string(text, "console:\n");
		append_key(text, "  address", plan->console);
		text_append_string(text, "  password_file: secrets/console\n");
	}
}

/* ---- secrets ---- */

static bool
append_secret(enum init_secret kind, struct text *text, struct error *error)
{
	unsigned char random[SECRET_BYTES];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return error_set_errno(error, "no random numbers");
	if (kind == INIT_SECRET_WHSEC) {
		text_append_string(text, "whsec_");
		base64_encode(random, sizeof(random), text);
	} else {
		hex_encode(random, sizeof(random), text);
	}
	text_append_byte(text, '\n');
	memory_wipe(random, sizeof(random));
	return true;
}

/* A fresh one. */
static bool
write_fresh(struct writing *writing, const char *path, enum init_secret kind, struct error *error)
{
	char bytes[128];
	struct text text;
	bool done;

	text_start(&text, bytes, sizeof(bytes));
	done = append_secret(kind, &text, error) &&
	       init_files_write(writing->files, path, MODE_SECRET, text_slice(&text), error);
	memory_wipe(bytes, sizeof(bytes));
	return done;
}

/* What stands in the file `from`, whoever could read that one. */
static bool
write_copy(struct writing *writing, const char *path, const char *from, struct error *error)
{
	struct secret *secret = NULL;
	char here[PATH_MAX];
	bool done;

	if (realpath(from, here) == NULL) /* a bare name would be a credential of systemd's */
		return error_set_errno(error, "cannot read %s", from);
	done = secret_read_password(&secret, here, error) &&
	       init_files_write(writing->files, path, MODE_SECRET, secret_bytes(secret), error);
	secret_free(secret);
	return done;
}

static bool
write_secrets(struct writing *writing, struct error *error)
{
	const struct init_plan *plan = writing->plan;
	char path[PATH_MAX + 64];

	(void)snprintf(path, sizeof(path), "%s/secrets", writing->written->directory);
	if (!init_files_directory(writing->files, path, S_IRWXU, error))
		return false;
	if (plan->splunk != NULL) {
		(void)snprintf(path, sizeof(path), "%s/secrets/splunk",
			       writing->written->directory);
		if (!write_copy(writing, path, plan->token_from, error))
			return false;
	}
	if (init_write_has_console(plan)) {
		(void)snprintf(path, sizeof(path), "%s/secrets/console",
			       writing->written->directory);
		if (!write_fresh(writing, path, INIT_SECRET_HEX, error))
			return false;
	}
	return plan->secret_from != NULL
		   ? write_copy(writing, writing->written->secret, plan->secret_from, error)
		   : write_fresh(writing, writing->written->secret, plan->sender->secret, error);
}

/* ---- the certificate ---- */

static bool
write_beside(struct writing *writing, const char *name, mode_t mode, const struct text *text,
	     struct error *error)
{
	char path[PATH_MAX + 32];

	(void)snprintf(path, sizeof(path), "%s/%s", writing->written->directory, name);
	return init_files_write(writing->files, path, mode, text_slice(text), error);
}

static bool
write_certificate(struct writing *writing, struct error *error)
{
	char bytes[3][CERTIFICATE_MAKE_LENGTH];
	struct text key, certificate, request;
	bool done;

	text_start(&key, bytes[0], sizeof(bytes[0]));
	text_start(&certificate, bytes[1], sizeof(bytes[1]));
	text_start(&request, bytes[2], sizeof(bytes[2]));
	done = certificate_make(writing->plan->host, DAYS, &key, &certificate, &request, error) &&
	       write_beside(writing, "key.pem", MODE_SECRET, &key, error) &&
	       write_beside(writing, "cert.pem", MODE_PUBLIC, &certificate, error) &&
	       (!writing->plan->request ||
		write_beside(writing, "request.pem", MODE_PUBLIC, &request, error));
	memory_wipe(bytes[0], sizeof(bytes[0]));
	return done;
}

/* ---- all of it ---- */

/* Of all that would be made: is its place free? */
static bool
is_free(const struct init_plan *plan, const char *directory, struct error *error)
{
	const struct {
		const char *name;
		bool wanted;
	} rows[] = {
	    {config_name, true},
	    {"key.pem", plan->certificate == NULL},
	    {"cert.pem", plan->certificate == NULL},
	    {"request.pem", plan->request},
	    {"secrets/splunk", plan->splunk != NULL},
	    {"secrets/console", init_write_has_console(plan)},
	};
	char path[PATH_MAX + 64];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!rows[i].wanted)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", directory, rows[i].name);
		if (!init_files_is_free(path, error))
			return false;
	}
	(void)snprintf(path, sizeof(path), "%s/secrets/%s", directory, plan->sender->name);
	return init_files_is_free(path, error);
}

static bool
open_directory(struct writing *writing, struct error *error)
{
	struct init_written *written = writing->written;
	const char *wanted = writing->plan->directory;

	if (!init_files_directory(writing->files, wanted, MODE_DIRECTORY, error))
		return false;
	if (realpath(wanted, written->directory) == NULL)
		return error_set_errno(error, "cannot use the directory %s", wanted);
	(void)snprintf(written->config, sizeof(written->config), "%s/%s", written->directory,
		       config_name);
	(void)snprintf(written->secret, sizeof(written->secret), "%s/secrets/%s",
		       written->directory, writing->plan->sender->name);
	return true;
}

static bool
write_spool(struct writing *writing, struct error *error)
{
	char path[PATH_MAX + 32];

	(void)snprintf(path, sizeof(path), "%s/spool", writing->written->directory);
	return init_files_directory(writing->files,
				    writing->plan->spool != NULL ? writing->plan->spool : path,
				    S_IRWXU, error);
}

static bool
write_config(struct writing *writing, struct error *error)
{
	char *bytes = memory_allocate(LONGEST_CONFIG);
	struct text text;
	bool done;

	text_start(&text, bytes, LONGEST_CONFIG);
	append_config(writing->plan, &text);
	done = text.overflowed ? error_set(error, "the answers are too long together")
			       : write_beside(writing, config_name, MODE_PUBLIC, &text, error);
	free(bytes);
	return done;
}

/*
 * As `siembridge check` does, with the daemon's eyes, but for the port: that may be taken
 * today, and one below 1024 comes from systemd.
 */
static bool
check(const struct init_files *files, const struct init_written *written,
      void (*warn)(void *context, const char *text), void *context, struct error *error)
{
	struct config *config = NULL;
	struct error taken;
	bool done = init_files_act_as_owner(files, error) &&
		    config_read(&config, written->config, error) &&
		    config_check(config, warn, context, error);

	if (!init_files_act_as_root(files, done ? error : &taken))
		done = false;
	if (done && !config_check_listen(config, &taken))
		warn(context, taken.text);
	config_free(config);
	return done || error_prefix(error, "this makes no good configuration");
}

bool
init_write(const struct init_plan *plan, struct init_written *written,
	   void (*warn)(void *context, const char *text), void *context, struct error *error)
{
	struct writing writing = {plan, written, init_files_new("siembridge")};
	bool done = open_directory(&writing, error) && is_free(plan, written->directory, error) &&
		    write_spool(&writing, error) && write_secrets(&writing, error) &&
		    (plan->certificate != NULL || write_certificate(&writing, error)) &&
		    write_config(&writing, error) &&
		    check(writing.files, written, warn, context, error);

	if (!done)
		init_files_undo(writing.files);
	init_files_free(writing.files);
	return done;
}
