/* SPDX-License-Identifier: BSD-2-Clause */
/* posternd -- the milter: start-up, privileges, and the end. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <limits.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <pthread.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/ui.h"
#include "session/alerts.h"
#include "session/answers.h"
#include "session/config_form.h"
#include "session/control.h"
#include "session/session.h"

#define THREAD_STACK_BYTES ((size_t)1024 * 1024)
#define LARGE_BYTES (256 * 1024)

struct options {
	bool in_foreground;
	bool may_be_root;
	bool is_test;
	const char *config_path;
};

static void
usage(FILE *out)
{
	(void)fputs(
	    "usage: posternd [-fhRtV] [-c file]\n"
	    "  -c file  read this configuration instead of " CONFIG_PATH_DEFAULT
	    "\n"
	    "  -f       stay in the foreground and log to standard error\n"
	    "  -h       say this\n"
	    "  -R       may run as root\n"
	    "  -t       check configuration and rules, run the rules' tests\n"
	    "  -V       print the version\n",
	    out);
}

static struct options
options_read(int argc, char **argv)
{
	static const struct option longs[] = {{"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'}, {0}};
	struct options o = {.config_path = CONFIG_PATH_DEFAULT};
	int c;
	while ((c = getopt_long(argc, argv, "c:fhRtV", longs, NULL)) != -1)
		switch (c) {
		case 'c':
			o.config_path = optarg;
			break;
		case 'f':
			o.in_foreground = true;
			break;
		case 'R':
			o.may_be_root = true;
			break;
		case 't':
			o.is_test = true;
			break;
		case 'V':
			(void)puts("posternd " PACKAGE_VERSION);
			exit(cmd_end(CMD_FINE));
		case 'h':
			usage(stdout);
			exit(cmd_end(CMD_FINE));
		default:
			usage(stderr);
			exit(2);
		}
	if (optind < argc) {
		usage(stderr);
		exit(2);
	}
	return o;
}

/* NULL: stay who we are. */
static const struct passwd *
user_of(const struct config *config, const struct options *o)
{
	if (geteuid() != 0)
		return NULL;
	struct arena *a = arena_new();
	struct str why = config_user_why_not(a, config);
	if (why.len > 0 && !o->may_be_root)
		log_fatal("user: %.*s", STR_ARG(why));
	const struct passwd *user =
	    why.len > 0 ? NULL : getpwnam(str_c(a, config->user));
	arena_free(a);
	return user;
}

/* What is above `path` may be the user's: give away only what we just made. */
static bool
dir_give(const char *path, const struct passwd *user)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd < 0)
		return false;
	errno = EPERM;
	bool is_given = fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
			fchown(fd, user->pw_uid, user->pw_gid) == 0;
	int error = errno;
	(void)close(fd);
	errno = error;
	return is_given;
}

/* Make `dir` and what is above it, and give it to `user` if it is new. */
static void
dir_make(
    const char *option, struct str dir, mode_t mode, const struct passwd *user)
{
	char path[PATH_MAX];
	if (dir.len == 0 || dir.len >= sizeof(path))
		return;
	memcpy(path, dir.p, dir.len);
	path[dir.len] = '\0';
	for (char *slash = strchr(path + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0755);
		*slash = '/';
	}
	if (mkdir(path, mode) != 0) {
		struct stat st;
		int error = errno;
		bool is_there = stat(path, &st) == 0;
		if (is_there && !S_ISDIR(st.st_mode))
			log_fatal("%s: %s is no directory", option, path);
		if (!is_there)
			log_fatal("%s: cannot make %s: %s", option, path,
			    strerror(error));
		return;
	}
	if (user != NULL && !dir_give(path, user))
		log_fatal("%s: cannot give %s to %s: %s", option, path,
		    user->pw_name, strerror(errno));
}

static struct str
parent_of(struct str path)
{
	size_t slash = str_rchr(path, '/');
	return slash == STR_NONE || slash == 0 ? STR_EMPTY
					       : str_sub(path, 0, slash);
}

/* Directories of our own only: what is there already and not ours is an error
 * later. */
static void
dirs_make(const struct config *config, const struct passwd *user)
{
	const struct {
		const char *option;
		struct str dir;
		mode_t mode;
	} rows[] = {
	    {"state-dir", config->state_dir, 0700},
	    {"spool-dir", config->spool_dir, 0700},
	    {"socket", parent_of(config_form_socket_path(config->socket)),
		0755},
	    {"control-socket", parent_of(config->control_socket), 0755},
	    {"metrics-socket",
		str_starts(config->metrics_socket, STR("/"))
		    ? parent_of(config->metrics_socket)
		    : STR_EMPTY,
		0755},
	    {"pid-file", parent_of(config->pid_file), 0755},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		dir_make(rows[i].option, rows[i].dir, rows[i].mode, user);
}

static void
privileges_drop(const struct passwd *user)
{
	if (user == NULL)
		return;
	if (initgroups(user->pw_name, user->pw_gid) != 0 ||
	    setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)
		log_fatal(
		    "cannot become %s: %s", user->pw_name, strerror(errno));
	if (setuid(0) == 0)
		log_fatal("the rights of root could not be given up");
}

/*
 * At the descriptor limit libmilter's listener spins; blocked workers need no
 * 8 MB of stack each.
 */
static void
limits_set(void)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	pthread_attr_t attr;
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, THREAD_STACK_BYTES);
	(void)pthread_setattr_default_np(&attr);
	(void)pthread_attr_destroy(&attr);
}

/*
 * As many pools of memory as messages are scanned at once: with its own, every
 * thread of libmilter keeps what the largest message it ever had took.  Large
 * pieces go back to the host at once.
 */
static void
memory_limits_set(const struct config *config)
{
#ifdef __GLIBC__
	(void)mallopt(M_ARENA_MAX, (int)config_workers(config));
	(void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
	(void)mallopt(M_TRIM_THRESHOLD, LARGE_BYTES);
#else
	(void)config;
#endif
}

static void
pid_write(const char *path)
{
	if (path[0] == '\0')
		return;
	int fd = open(
	    path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0)
		log_fatal("pid-file: %s: %s", path, strerror(errno));
	(void)close(fd);
}

/*
 * In the background the first process waits until the second one serves, so
 * that its exit code is the truth.  Returns the pipe to tell it by, -1:
 * foreground.
 */
static int
background(bool in_foreground)
{
	int ready[2];
	if (in_foreground)
		return -1;
	if (pipe(ready) != 0)
		log_fatal("pipe: %s", strerror(errno));
	pid_t pid = fork();
	if (pid < 0)
		log_fatal("fork: %s", strerror(errno));
	if (pid > 0) {
		char byte;
		(void)close(ready[1]);
		_exit(read(ready[0], &byte, 1) == 1 ? 0 : 2);
	}
	(void)close(ready[0]);
	(void)setsid();
	return ready[1];
}

static void
background_ready(int ready)
{
	if (ready < 0)
		return;
	int null = open("/dev/null", O_RDWR);
	if (chdir("/") != 0 || null < 0)
		log_fatal("/dev/null: %s", strerror(errno));
	for (int fd = 0; fd <= 2; fd++)
		(void)dup2(null, fd);
	if (null > 2)
		(void)close(null);
	if (write(ready, "", 1) != 1)
		log_warning("nobody waits for the start");
	(void)close(ready);
}

static struct snapshot *
load(const struct snapshot_source *source, bool wants_tests)
{
	struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	struct snapshot *snapshot = snapshot_load(source, wants_tests, &diags);
	if (snapshot != NULL && wants_tests &&
	    !snapshot_start_check(snapshot, source, &diags)) {
		snapshot_put(snapshot);
		snapshot = NULL;
	}
	cmd_diags_print(&diags,
	    snapshot == NULL || wants_tests ? DIAG_WARNING : DIAG_ERROR);
	arena_free(a);
	return snapshot;
}

static int
test(const struct snapshot_source *source)
{
	struct snapshot *snapshot = load(source, true);
	if (snapshot == NULL)
		return 1;
	struct ruleset_counts counts = ruleset_counts(snapshot->rules);
	printf("configuration and rules are fine: %zu rules active, %zu "
	       "disabled\n",
	    counts.active, counts.disabled);
	snapshot_put(snapshot);
	return 0;
}

/* Its process has to be made before there are threads.  Without it mail flows
 * all the same. */
static struct memory *
memory_open(struct arena *a, const struct config *config)
{
	struct memory_config memory = answers_memory(a, config);
	struct str why = STR_EMPTY;
	struct memory *ret = memory_start(a, &memory, &why);
	if (ret == NULL)
		log_error("nothing will be remembered, and no notice of "
			  "unknown origin will leave: %.*s",
		    STR_ARG(why));
	return ret;
}

/*
 * Two on one state-dir would purge, release and count each other's mail.  The
 * lock goes with the process; the keeper, which may outlive it, must not have
 * it.  A folder that cannot be opened is the error of who needs something in
 * it.
 */
static bool
state_lock(struct arena *a, const struct config *config)
{
	int fd = open(
	    str_c(a, config->state_dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	log_error("state-dir: %.*s is in use by another posternd: stop that "
		  "one, or give this one a folder of its own",
	    STR_ARG(config->state_dir));
	(void)close(fd);
	return false;
}

static int
serve(struct snapshot *snapshot, const struct snapshot_source *source,
    const char *pid_file, int ready)
{
	struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	struct memory *memory = memory_open(a, &snapshot->config);
	/* a reload may come as soon as there is a control thread */
	(void)snapshot_ref(snapshot);
	bool is_alone = state_lock(a, &snapshot->config);
	struct gate *gate =
	    is_alone ? gate_new(snapshot, memory, &diags) : NULL;
	struct control *control =
	    gate == NULL ? NULL : control_start(gate, source, &diags);
	cmd_diags_print(&diags, DIAG_ERROR);
	arena_free(a);
	if (control == NULL) {
		snapshot_put(snapshot);
		gate_free(gate);
		memory_stop(memory);
		return 2;
	}
	alerts_start(gate_alerts(gate), gate);
	pid_write(pid_file);
	log_info("posternd " PACKAGE_VERSION " serves %.*s with %zu rules%s",
	    STR_ARG(snapshot->config.socket),
	    ruleset_counts(snapshot->rules).active,
	    snapshot->config.observe ? ", observing only" : "");
	if (snapshot->policy.egress.n == 0 &&
	    !resolver_is_off(gate_dns(gate)->resolver))
		log_warning("egress-addresses: this host has no public "
			    "address, so SPF is not judged; name the addresses "
			    "that mail leaves from");
	snapshot_put(snapshot);
	background_ready(ready);
	bool is_good = session_serve(gate);
	control_done(control);
	(void)alerts_stop(gate_alerts(gate));
	if (pid_file[0] != '\0')
		(void)unlink(pid_file);
	memory_stop(memory);
	/* `gate` stays: connections that are still open may use it until the
	 * process is gone */
	log_info("posternd ends");
	return is_good ? 0 : 2;
}

/* In the background the working directory is /, and reload reads this again. */
static const char *
absolute(const char *path)
{
	static char full[PATH_MAX];
	return realpath(path, full) == NULL ? path : full;
}

int
main(int argc, char **argv)
{
	ui_begin();
	struct options o = options_read(argc, argv);
	struct snapshot_source source = {.config_path = absolute(o.config_path),
	    .becomes_user = geteuid() == 0 && !o.may_be_root};
	log_open("posternd", LOG_TARGET_STDERR, LOG_LEVEL_INFO);
	/* modes are said where files are made; the MTA has to reach the socket
	 */
	(void)umask(022);
	if (o.is_test)
		return cmd_end(test(&source));
	struct snapshot *snapshot = load(&source, false);
	if (snapshot == NULL)
		return 2;
	struct config *config = &snapshot->config;
	const struct passwd *user = user_of(config, &o);
	struct arena *a = arena_new();
	char *pid_file = str_c(a, config->pid_file);
	char *socket = str_c(a, config_form_socket_path(config->socket));
	int ready = background(o.in_foreground);
	limits_set();
	memory_limits_set(config);
	control_block_signals();
	dirs_make(config, user);
	if (!session_bind(config))
		return 2;
	if (user != NULL && socket[0] != '\0' &&
	    lchown(socket, user->pw_uid, (gid_t)-1) != 0)
		log_fatal("%s: %s", socket, strerror(errno));
	privileges_drop(user);
	log_open("posternd",
	    o.in_foreground ? LOG_TARGET_STDERR
			    : (enum log_target)config->log_to,
	    (enum log_level)config->log_level);
	int code = serve(snapshot, &source, pid_file, ready);
	if (socket[0] != '\0')
		(void)unlink(socket);
	arena_free(a);
	return code;
}
