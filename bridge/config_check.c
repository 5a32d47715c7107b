/*
 * The world against the configuration, in the order of the manual: what can be
 * known without changing anything.
 */
#include "bridge/config_value.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bridge/certificate.h"
#include "bridge/secret.h"

enum { EXPIRES_SOON = 30 * 86400 /* seconds */ };

struct check {
	const struct config *config;
	void (*warn)(void *context, const char *text);
	void *context;
	struct config_place root; /* its error is the caller's */
};

/* As an error: the key and the line in front of `text`. */
static void
warn_at(const struct check *check, const struct config_place *place, const char *key,
	struct error *text)
{
	struct config_place warning = *place;

	warning.error = text;
	config_value_wrong(&warning, key);
	check->warn(check->context, text->text);
}

/* May this process do that (R_OK, W_OK, X_OK)?  By its effective rights. */
static bool
may(const char *path, int mode)
{
	return faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0;
}

/* Makes of "/a/b" "/a", of "/a" "/". */
static void
cut_to_parent(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash != NULL)
		slash[slash == path ? 1 : 0] = '\0';
}

/* Can files be made in the directory that `path` is in? */
static bool
check_parent(const char *path, struct error *error)
{
	char bytes[4096];
	struct text parent;

	text_start(&parent, bytes, sizeof(bytes));
	text_append_string(&parent, path);
	text_append_byte(&parent, '\0');
	if (parent.overflowed)
		return error_set(error, "the path is too long");
	cut_to_parent(bytes);
	if (may(bytes, W_OK | X_OK))
		return true;
	return error_set_errno(error, "nothing can be written to the directory %s", bytes);
}

/* ---- the configuration file and this process ---- */

static bool
check_file(const struct check *check)
{
	struct error text;
	struct stat status;

	if (stat(check->config->path, &status) != 0)
		return error_set_errno(check->root.error, "configuration: cannot examine %s",
				       check->config->path);
	if ((status.st_mode & S_IWOTH) != 0)
		return error_set(check->root.error,
				 "%s: everybody may change this file; chmod o-w it",
				 check->config->path);
	if (status.st_uid != 0 && status.st_uid != geteuid()) {
		error_set(&text, "this file belongs to uid %u, who can change it; chown it to root",
			  status.st_uid);
		warn_at(check, &check->root, "", &text);
	}
	return true;
}

/* ---- listen ---- */

static void
warn_of_open_key(const struct check *check, const struct config_place *place, const char *path)
{
	struct error text;
	struct stat status;

	if (stat(path, &status) != 0 || (status.st_mode & S_IRWXO) == 0)
		return;
	error_set(&text, "%s is open to everybody (mode %03o); chmod 600 it", path,
		  (unsigned)status.st_mode & 0777U);
	warn_at(check, place, "private_key", &text);
}

/* A certificate and its key, in the mapping of `place`. */
static bool
check_pair(const struct check *check, const struct config_place *place, const char *path,
	   const char *key_path)
{
	struct certificate *certificate = NULL;
	bool done = true;

	if (!certificate_read(&certificate, path, place->error))
		return config_value_wrong(place, "certificate");
	if (!certificate_fits(certificate, key_path, place->error))
		done = config_value_wrong(place, "private_key");
	else
		warn_of_open_key(check, place, key_path);
	certificate_free(certificate);
	return done;
}

/* Its dates.  False: not valid now, and the error says so. */
static bool
check_dates(const struct check *check, const struct config_place *place, const char *path,
	    struct error *error)
{
	struct certificate *certificate = NULL;
	struct error text;
	int64_t left = 0;
	bool valid;

	if (!certificate_read(&certificate, path, error))
		return false;
	valid = certificate_is_valid(certificate, (int64_t)time(NULL), &left, error);
	if (valid && left < EXPIRES_SOON) {
		error_set(&text, "%s expires in %lld days", path, (long long)(left / 86400));
		warn_at(check, place, "certificate", &text);
	}
	certificate_free(certificate);
	return valid;
}

static bool
check_listen(const struct check *check)
{
	const struct config_place place = config_value_place(&check->root, "listen", -1);
	const struct config_listen *listen = &check->config->listen;

	return check_pair(check, &place, listen->certificate, listen->private_key) &&
	       (check_dates(check, &place, listen->certificate, place.error) ||
		config_value_wrong(&place, "certificate"));
}

/* ---- spool ---- */

static bool
check_spool(const struct check *check)
{
	const struct config_place place = config_value_place(&check->root, "spool", -1);
	const char *directory = check->config->spool.directory;
	struct error *error = place.error;
	struct stat status;

	/* Not made by us: where a disk is not mounted, events would go to another one. */
	if (stat(directory, &status) != 0) {
		error_set_errno(error, "cannot use %s (make it with mode 700, for uid %u)",
				directory, geteuid());
	} else if (!S_ISDIR(status.st_mode)) {
		error_set(error, "%s is not a directory", directory);
	} else if (status.st_uid != geteuid()) {
		error_set(error,
			  "%s belongs to uid %u, and this runs as uid %u; chown it, or run "
			  "this as its owner",
			  directory, status.st_uid, geteuid());
	} else if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		error_set(error, "%s is open to others (mode %03o); chmod 700 it", directory,
			  (unsigned)status.st_mode & 0777U);
	} else if (!may(directory, R_OK | W_OK | X_OK)) {
		error_set_errno(error, "nothing can be written to %s", directory);
	} else {
		return true;
	}
	return config_value_wrong(&place, "directory");
}

/* ---- sources ---- */

static bool
check_paper(const struct config_place *place, const char *key, const char *path)
{
	struct secret *secret = NULL;

	if (path != NULL && !secret_read_token(&secret, path, place->error))
		return config_value_wrong(place, key);
	secret_free(secret);
	return true;
}

static bool
check_poll(const struct check *check, const struct config_place *source,
	   const struct config_poll *poll)
{
	const struct config_place place = config_value_place(source, "poll", -1);
	struct certificate *authority = NULL;
	struct error text;

	if (poll->ca_file != NULL && !certificate_read(&authority, poll->ca_file, place.error))
		return config_value_wrong(&place, "ca_file");
	certificate_free(authority);
	if (strncmp(poll->url, "http://", strlen("http://")) == 0) {
		error_set(&text, "whoever is on the way can read the token and add events");
		warn_at(check, &place, "url", &text);
	}
	return check_paper(&place, "token_file", poll->token_file);
}

static bool
check_source(const struct check *check, unsigned index)
{
	const struct config_place place = config_value_place(&check->root, "sources", (int)index);
	const struct config_source *source = &check->config->sources[index];
	struct certificate *authority = NULL;
	struct error text;

	if (source->client_ca_file != NULL &&
	    !certificate_read(&authority, source->client_ca_file, place.error))
		return config_value_wrong(&place, "client_ca_file");
	certificate_free(authority);
	if (source->signature == CONFIG_SIGNATURE_NONE) {
		error_set(&text, "none: %s accepts anything from %s", source->name,
			  source->client_ca_file != NULL ? "whoever has a client certificate"
							 : "anybody");
		warn_at(check, &place, "signature", &text);
	}
	for (unsigned i = 0; i < source->secrets_count; i++) {
		const struct config_place entry = config_value_place(&place, "secrets", (int)i);
		struct secret *secret = NULL;

		if (!secret_read(&secret, source->secrets[i].file, place.error))
			return config_value_wrong(&entry, "");
		secret_free(secret);
		if (source->secrets[i].not_after < (int64_t)time(NULL) * 1000) {
			error_set(&text, "%s is not accepted any more since %s",
				  source->secrets[i].file, source->secrets[i].not_after_text);
			warn_at(check, &entry, "not_after", &text);
		}
	}
	return source->poll == NULL || check_poll(check, &place, source->poll);
}

/* ---- destinations ---- */

static void
check_socket(const struct check *check, const struct config_place *place, const char *key,
	     const char *path)
{
	struct error text;
	struct stat status;

	if (stat(path, &status) != 0)
		error_set_errno(&text, "%s is not there now", path);
	else if (!S_ISSOCK(status.st_mode))
		error_set(&text, "%s is not a socket", path);
	else
		return;
	warn_at(check, place, key, &text);
}

/*
 * The files of TLS, in the mapping of `place`.  A certificate that has expired holds
 * up this destination alone, and may be replaced while all the others go on.
 */
static bool
check_tls(const struct check *check, const struct config_place *place, const struct config_tls *tls)
{
	struct certificate *authority = NULL;
	struct error text;

	if (tls->ca_file != NULL && !certificate_read(&authority, tls->ca_file, place->error))
		return config_value_wrong(place, "ca_file");
	certificate_free(authority);
	if (tls->certificate == NULL)
		return true;
	if (!check_pair(check, place, tls->certificate, tls->private_key))
		return false;
	if (!check_dates(check, place, tls->certificate, &text))
		warn_at(check, place, "certificate", &text);
	return true;
}

static bool
check_syslog(const struct check *check, const struct config_place *destination,
	     const struct config_syslog *syslog)
{
	const struct config_place place = config_value_place(destination, "syslog", -1);
	struct error text;

	if (syslog->transport == CONFIG_TRANSPORT_UDP) {
		error_set(&text, "udp confirms nothing: what is lost on the way is lost unseen");
		warn_at(check, &place, "transport", &text);
	}
	if (syslog->transport != CONFIG_TRANSPORT_UNIX &&
	    syslog->transport != CONFIG_TRANSPORT_UNIX_STREAM)
		return check_tls(check, &place, &syslog->tls);
	if (syslog->address != NULL)
		check_socket(check, &place, "address", syslog->address);
	for (unsigned i = 0; i < syslog->several.count; i++) {
		const struct config_place entry = config_value_place(&place, "addresses", (int)i);

		check_socket(check, &entry, "", syslog->several.addresses[i]);
	}
	return true;
}

/* A symbolic link is refused: whoever may change it could aim us at any file. */
static bool
check_output(const struct config_place *destination, const struct config_file *file)
{
	const struct config_place place = config_value_place(destination, "file", -1);
	struct stat status;

	if (strcmp(file->path, "-") == 0)
		return true;
	if (lstat(file->path, &status) != 0) {
		if (check_parent(file->path, place.error))
			return true;
	} else if (S_ISLNK(status.st_mode)) {
		error_set(place.error,
			  "%s is a symbolic link; name the file itself, or - for "
			  "standard output",
			  file->path);
	} else if (S_ISDIR(status.st_mode)) {
		error_set(place.error, "%s is a directory", file->path);
	} else if (may(file->path, W_OK)) {
		return true;
	} else {
		error_set_errno(place.error, "%s cannot be written to", file->path);
	}
	return config_value_wrong(&place, "path");
}

static bool
check_email(const struct check *check, const struct config_place *destination,
	    const struct config_email *email)
{
	const struct config_place place = config_value_place(destination, "email", -1);
	struct certificate *authority = NULL;
	struct secret *password = NULL;
	struct error text;

	if (email->security == CONFIG_SECURITY_NONE) {
		error_set(&text, "none: whoever is on the way to %s can read and change the mail",
			  email->server);
		warn_at(check, &place, "security", &text);
	}
	if (email->ca_file != NULL && !certificate_read(&authority, email->ca_file, place.error))
		return config_value_wrong(&place, "ca_file");
	certificate_free(authority);
	if (email->password_file != NULL &&
	    !secret_read_password(&password, email->password_file, place.error))
		return config_value_wrong(&place, "password_file");
	secret_free(password);
	return true;
}

static void
warn_of_plain(const struct check *check, const struct config_place *place, const char *key,
	      const char *url)
{
	struct error text;

	if (strncmp(url, "http://", strlen("http://")) != 0)
		return;
	error_set(&text, "whoever is on the way can read the token and the events");
	warn_at(check, place, key, &text);
}

static bool
check_splunk_hec(const struct check *check, const struct config_place *destination,
		 const struct config_splunk_hec *hec)
{
	const struct config_place place = config_value_place(destination, "splunk_hec", -1);
	struct config_tls tls = {.ca_file = hec->ca_file,
				 .certificate = hec->certificate,
				 .private_key = hec->private_key};
	struct secret *token = NULL;

	if (hec->url != NULL)
		warn_of_plain(check, &place, "url", hec->url);
	for (unsigned i = 0; i < hec->several.count; i++) {
		const struct config_place entry = config_value_place(&place, "urls", (int)i);

		warn_of_plain(check, &entry, "", hec->several.addresses[i]);
	}
	if (!secret_read_token(&token, hec->token_file, place.error))
		return config_value_wrong(&place, "token_file");
	secret_free(token);
	return check_tls(check, &place, &tls);
}

static bool
check_http(const struct check *check, const struct config_place *destination,
	   const struct config_http *http)
{
	const struct config_place place =
	    config_value_place(destination, config_vendor_name(http->vendor), -1);
	const struct {
		const char *key;
		const char *path;
	} papers[] = {
	    {"url_file", http->url_file},
	    {config_vendor_key(http->vendor), http->key_file},
	    {"topic_file", http->topic_file},
	    {"secret_file", http->secret_file},
	};
	struct certificate *authority = NULL;
	struct error text;

	if (http->url != NULL && strncmp(http->url, "http://", 7) == 0 &&
	    (http->key_file != NULL || http->secret_file != NULL)) {
		error_set(&text, "whoever is on the way can read what is sent, the key too; "
				 "write https://");
		warn_at(check, &place, "url", &text);
	}
	if (http->ca_file != NULL && !certificate_read(&authority, http->ca_file, place.error))
		return config_value_wrong(&place, "ca_file");
	certificate_free(authority);
	for (size_t i = 0; i < sizeof(papers) / sizeof(papers[0]); i++)
		if (!check_paper(&place, papers[i].key, papers[i].path))
			return false;
	return true;
}

static bool
check_destination(const struct check *check, unsigned index)
{
	const struct config_place place =
	    config_value_place(&check->root, "destinations", (int)index);
	const struct config_destination *destination = &check->config->destinations[index];

	if (destination->syslog != NULL && !check_syslog(check, &place, destination->syslog))
		return false;
	if (destination->email != NULL)
		return check_email(check, &place, destination->email);
	if (destination->splunk_hec != NULL)
		return check_splunk_hec(check, &place, destination->splunk_hec);
	if (destination->http != NULL)
		return check_http(check, &place, destination->http);
	return destination->file == NULL || check_output(&place, destination->file);
}

/* ---- console ---- */

static bool
check_console(const struct check *check)
{
	const struct config_place place = config_value_place(&check->root, "console", -1);
	const struct config_console *console = check->config->console;
	struct secret *password = NULL;
	struct error text;

	if (console->password_file == NULL) {
		error_set(&text, "without password_file everybody on this machine can read the "
				 "events, and nobody can replay them from the page");
		warn_at(check, &place, "", &text);
	} else if (!secret_read(&password, console->password_file, place.error)) {
		return config_value_wrong(&place, "password_file");
	}
	secret_free(password);
	if (console->certificate == NULL)
		return true;
	if (!check_pair(check, &place, console->certificate, console->private_key))
		return false;
	if (!check_dates(check, &place, console->certificate, &text))
		warn_at(check, &place, "certificate", &text);
	return true;
}

bool
config_check(const struct config *config, void (*warn)(void *context, const char *text),
	     void *context, struct error *error)
{
	const struct check check = {
	    .config = config,
	    .warn = warn,
	    .context = context,
	    .root = {.file = config->path, .error = error},
	};

	if (!check_file(&check) || !check_listen(&check) || !check_spool(&check))
		return false;
	for (unsigned i = 0; i < config->sources_count; i++)
		if (!check_source(&check, i))
			return false;
	for (unsigned i = 0; i < config->destinations_count; i++)
		if (!check_destination(&check, i))
			return false;
	return config->console == NULL || check_console(&check);
}

/* ---- the port ---- */

static bool
try_bind(const struct addrinfo *info, const char *address, struct error *error)
{
	const int on = 1;
	int listener = socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC, info->ai_protocol);
	bool done = false;

	if (listener < 0)
		return error_set_errno(error, "no socket for %s", address);
	/*
	 * With SO_REUSEADDR what is left of closed connections is no hindrance; without
	 * SO_REUSEPORT anybody who listens there is, and so is a bridge of ours.
	 */
	if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    bind(listener, info->ai_addr, info->ai_addrlen) == 0)
		done = true;
	else if (errno == EACCES)
		error_set(error,
			  "%s needs a right this user does not have: give the process "
			  "CAP_NET_BIND_SERVICE, or take a port from 1024 on",
			  address);
	else
		error_set_errno(error, "cannot listen on %s", address);
	(void)close(listener);
	return done;
}

static bool
check_address(const struct config *config, const char *mapping, const char *address,
	      struct error *error)
{
	const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
				       .ai_socktype = SOCK_STREAM};
	const struct config_place root = {.file = config->path, .error = error};
	const struct config_place place = config_value_place(&root, mapping, -1);
	struct addrinfo *found = NULL;
	char host[256], port[8];
	bool done = false;
	int status;

	if (!config_parse_address(address, host, port, error))
		return config_value_wrong(&place, "address");
	status = getaddrinfo(host[0] != '\0' ? host : "::", port, &hints, &found);
	if (status != 0)
		error_set(error, "%s cannot be resolved: %s", address, gai_strerror(status));
	else
		done = try_bind(found, address, error);
	if (found != NULL)
		freeaddrinfo(found);
	return done || config_value_wrong(&place, "address");
}

bool
config_check_listen(const struct config *config, struct error *error)
{
	return check_address(config, "listen", config->listen.address, error) &&
	       (config->console == NULL ||
		check_address(config, "console", config->console->address, error));
}
