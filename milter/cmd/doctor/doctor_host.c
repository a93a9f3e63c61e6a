/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor_host -- posternd as it runs on this host: whether it answers, whether
 * the MTA may reach it, and whether what it keeps is safe and has room.  The
 * network is doctor_net.c's.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/un.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/network.h"
#include "cmd/cmd.h"
#include "cmd/control_ask.h"
#include "cmd/doctor/doctor.h"
#include "cmd/person.h"
#include "session/config.h"
#include "session/config_form.h"

#define RESTART "systemctl restart postern"
#define DAY_S (24 * 3600)
/* The nightly purge may be this late. */
#define PURGE_LATE_S (2 * (int64_t)DAY_S)
/* A file from the future: the clock was ahead then, or is behind now. */
#define FUTURE_S 600
#define FULL_PERCENT 80
#define FOLDER_MAX 100000
#define MIB ((uint64_t)1 << 20)
/* Postfix 2.6 */
#define POSTFIX_LEAST 206

/* ---- findings */

static struct str
config_path(void)
{
	return str_from(cmd_config_path);
}

void
config_finding(struct doctor *d, enum doctor_level level, struct str found,
    const char *why, struct str cure)
{
	finding_add(d, (struct finding){
			   .level = level,
			   .found = found,
			   .file = config_path(),
			   .why = str_from(why),
			   .cure = cure,
			   .place = config_path(),
		       });
}

static void
run_finding(struct doctor *d, enum doctor_level level, struct str found,
    const char *why, struct str cure)
{
	finding_add(d, (struct finding){
			   .level = level,
			   .found = found,
			   .why = str_from(why),
			   .cure = cure,
		       });
}

static void
path_finding(struct doctor *d, struct str path, const char *what,
    const char *why, const char *command)
{
	run_finding(d, DOCTOR_TROUBLE,
	    str_printf(d->arena, "%.*s %s", STR_ARG(path), what), why,
	    str_printf(d->arena, "%s %.*s", command,
		STR_ARG(doctor_shell_word(d->arena, path))));
}

static void
diag_finding(struct doctor *d, const struct diag *diag)
{
	bool is_error = diag->level == DIAG_ERROR;
	struct str line = diag->line == 0
			      ? diag->file
			      : str_printf(d->arena, "%.*s:%u",
				    STR_ARG(diag->file), diag->line);
	finding_add(d,
	    (struct finding){
		.level = is_error ? DOCTOR_TROUBLE : DOCTOR_WARNING,
		.found = diag->text,
		.file = line,
		.why = is_error
			   ? STR("posternd does not start with this; one that "
				 "runs stays with what it has read before.")
			   : STR("This is not what it seems to say."),
		.cure = str_printf(d->arena, "posternd -c %.*s -t",
		    STR_ARG(doctor_shell_word(d->arena, config_path()))),
	    });
}

void
doctor_diags(struct doctor *d, const struct diags *diags, struct str path)
{
	size_t rules = 0;
	d->check = "config";
	for (size_t i = 0; i < diags->n; i++) {
		const struct diag *diag = &diags->v[i];
		bool is_warning = diag->level == DIAG_WARNING;
		if (diag->level == DIAG_ERROR ||
		    (is_warning && str_eq(diag->file, path)))
			diag_finding(d, diag);
		else if (is_warning)
			rules++;
	}
	if (rules > 0)
		run_finding(d, DOCTOR_NOTE,
		    str_printf(d->arena, "%zu warning%s about rules", rules,
			rules == 1 ? "" : "s"),
		    "Some rules or lines of them are not used.",
		    STR("postern lint"));
}

/* ---- what posternd says */

void
host_open(struct doctor *d)
{
	struct resolver_config resolver = config_resolver(d->config);
	d->host.is_there = true;
	d->host.status_why = d->host.dns_why = STR_EMPTY;
	d->host.mta_user = STR_EMPTY;
	d->host.status =
	    control_status(d->arena, d->config, &d->host.status_why);
	if (!dns_open(d->arena, &resolver, &d->host.dns, &d->host.dns_why))
		d->host.dns = (struct dns){0};
}

void
host_close(struct doctor *d)
{
	json_decref(d->host.status);
	dns_close(&d->host.dns);
}

bool
host_has_status(struct doctor *d)
{
	if (d->host.status == NULL)
		finding_skip(d, STR("posternd did not say how it is"));
	return d->host.status != NULL;
}

/* The file or folder `path` cannot be looked at: `error`. */
static void
path_skip(struct doctor *d, struct str path, int error)
{
	finding_skip(d,
	    str_printf(d->arena, "%.*s: %s", STR_ARG(path), strerror(error)));
}

static json_int_t
told(const struct doctor *d, const char *part, const char *key)
{
	const json_t *o = d->host.status;
	if (part != NULL)
		o = json_object_get(o, part);
	return json_integer_value(json_object_get(o, key));
}

static void
check_posternd(struct doctor *d)
{
	struct str path = d->config->control_socket;
	if (d->host.status != NULL)
		return;
	if (path.len == 0) {
		config_finding(d, DOCTOR_NOTE, STR("control-socket = \"\""),
		    "posternd cannot be asked how it is.",
		    STR("control-socket = \"/run/postern/control.sock\""));
		return;
	}
	if (cmd_who_may(d->arena, d->config, path, W_OK).len > 0) {
		finding_skip(d, d->host.status_why);
		return;
	}
	run_finding(d, DOCTOR_TROUBLE, d->host.status_why,
	    "While posternd does not run, mail waits or leaves unseen, as the "
	    "MTA is set.  The log says why it does not.",
	    geteuid() == 0 ? STR(RESTART "\njournalctl -u postern -n 20")
			   : STR("sudo postern doctor"));
}

static void
check_version(struct doctor *d)
{
	const char *running =
	    json_string_value(json_object_get(d->host.status, "version"));
	if (!host_has_status(d) || running == NULL ||
	    strcmp(running, PACKAGE_VERSION) == 0)
		return;
	run_finding(d, DOCTOR_WARNING,
	    str_printf(d->arena,
		"posternd %s runs, " PACKAGE_VERSION " is installed", running),
	    "It was not started again after the upgrade.", STR(RESTART));
}

/* Rules and configuration that are read again by a reload. */
static void
sources_list(struct doctor *d, struct strs *ret)
{
	strs_add(d->arena, ret, config_path());
	for (size_t i = 0; i < d->config->rules.n; i++) {
		struct str path = d->config->rules.v[i];
		struct strs files = {0};
		strs_add(d->arena, ret, path);
		d->folder_paths(d->arena, path, &files);
		for (size_t k = 0; k < files.n; k++)
			if (str_ends(files.v[k], STR(".cf")))
				strs_add(d->arena, ret, files.v[k]);
	}
}

static void
check_reload(struct doctor *d)
{
	struct strs paths = {0};
	struct stat st;
	int64_t read_at =
	    told(d, NULL, "time") - told(d, NULL, "snapshot_age_s");
	if (!host_has_status(d))
		return;
	sources_list(d, &paths);
	for (size_t i = 0; i < paths.n; i++) {
		if (stat(str_c(d->arena, paths.v[i]), &st) != 0 ||
		    st.st_mtime <= read_at)
			continue;
		run_finding(d, DOCTOR_WARNING,
		    str_printf(d->arena, "%.*s is newer than what posternd has",
			STR_ARG(paths.v[i])),
		    "What was changed since is not in force.",
		    STR("postern reload"));
		return;
	}
}

static void
check_macros(struct doctor *d)
{
	static const struct {
		const char *macro, *setting, *why;
	} rows[] = {
	    {"i", "milter_mail_macros",
		"Log lines have no queue id, and nothing is found by it."},
	    {"j", "milter_connect_macros",
		"The MTA's name is not known, so fields under it are not "
		"told from ours."},
	    {"{daemon_name}", "milter_connect_macros",
		"daemon-names of a class matches nothing."},
	    {"v", "milter_connect_macros",
		"It is not known which MTA it is, and so how it will write "
		"what is signed."},
	};
	json_int_t messages = told(d, "answer", "count");
	if (!host_has_status(d))
		return;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		json_int_t n = told(d, "macros_missing", rows[i].macro);
		if (n == 0)
			continue;
		struct finding finding = {
		    .level = DOCTOR_WARNING,
		    .found = str_printf(d->arena,
			"macro %s is missing in %lld of %lld messages",
			rows[i].macro, n, messages),
		    .why = str_from(rows[i].why),
		};
		if (d->postfix.is_there) {
			finding.cure = str_printf(d->arena,
			    "postconf -c %.*s -X %s milter_protocol\n"
			    "postfix -c %.*s reload",
			    STR_ARG(
				doctor_shell_word(d->arena, d->postfix.folder)),
			    rows[i].setting,
			    STR_ARG(doctor_shell_word(
				d->arena, d->postfix.folder)));
		} else {
			finding.place = STR("sendmail.mc");
			finding.cure =
			    STR("dnl and no confMILTER_MACROS_* lines");
		}
		finding_add(d, finding);
	}
	if (messages == 0)
		finding_skip(d, STR("posternd has not seen a message yet"));
}

/* ---- the socket, as the MTA finds it */

static struct str
mta_user(const struct doctor *d)
{
	if (d->postfix.is_there)
		return postfix_value(d, "mail_owner");
	if (!d->sendmail.is_there)
		return d->host.mta_user;
	struct str user = sendmail_option(d, "RunAsUser");
	return str_cut(&user, ':');
}

/* "": it answers. */
static struct str
socket_trouble(struct arena *a, struct str path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	if (path.len >= sizeof(to.sun_path))
		return STR("its path is too long");
	memcpy(to.sun_path, path.p, path.len);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const void *address = &to;
	int error = fd < 0 || connect(fd, address, sizeof(to)) != 0 ? errno : 0;
	if (fd >= 0)
		(void)close(fd);
	return error == 0 ? STR_EMPTY : str_dup(a, str_from(strerror(error)));
}

static void
socket_check_answer(struct doctor *d, struct str path, struct str trouble)
{
	/* that it does not run has been said */
	if (trouble.len > 0 && d->host.status != NULL)
		run_finding(d, DOCTOR_TROUBLE,
		    str_printf(d->arena, "%.*s: %.*s", STR_ARG(path),
			STR_ARG(trouble)),
		    "The MTA cannot reach posternd, though it runs.",
		    STR("systemd-tmpfiles --create postern.conf\n" RESTART));
}

/* Folders above it, and the socket itself. */
static void
socket_check_user(struct doctor *d, struct str path, const struct stat *st)
{
	struct person mta;
	struct str user = mta_user(d), folder, root = STR_EMPTY;
	/* Sendmail is root unless it says otherwise */
	if (user.len == 0 && d->sendmail.is_there)
		return;
	if (user.len == 0 || !person_find(d->arena, user, &mta)) {
		finding_skip(d, STR("the user of the MTA is not known"));
		return;
	}
	if (d->postfix.is_there)
		root = postfix_value(d, "queue_directory");
	if (!str_starts(path, root))
		root = STR_EMPTY;
	if (!person_reaches(d->arena, &mta, root, path, &folder)) {
		path_finding(d, folder,
		    (const char *)str_c(
			d->arena, str_printf(d->arena, "is closed to %.*s",
				      STR_ARG(user))),
		    "The MTA cannot reach the socket in it.", "chmod a+x");
		return;
	}
	if (person_may(&mta, st, 2))
		return;
	config_finding(d, DOCTOR_TROUBLE,
	    str_printf(d->arena,
		"socket-mode = %04o and socket-group = \"%.*s\"",
		(unsigned)d->config->socket_mode,
		STR_ARG(d->config->socket_group)),
	    "The user of the MTA may not write to the socket (mode and group "
	    "as they are now), so mail waits or leaves unseen.",
	    str_printf(d->arena, "socket-mode = 0660\nsocket-group = \"%.*s\"",
		STR_ARG(d->postfix.is_there ? STR("postfix") : user)));
}

void
mta_socket_check(struct doctor *d, struct str path)
{
	struct stat st;
	if (stat(str_c(d->arena, path), &st) != 0)
		path_skip(d, path, errno);
	else if (!S_ISSOCK(st.st_mode))
		path_skip(d, path, ENOTSOCK);
	else
		socket_check_user(d, path, &st);
}

static void
check_socket(struct doctor *d)
{
	struct str path = config_form_socket_path(d->config->socket);
	if (path.len == 0) {
		finding_skip(d, STR("it is a port"));
		return;
	}
	struct str trouble = socket_trouble(d->arena, path);
	socket_check_answer(d, path, trouble);
	mta_socket_check(d, path);
	if (trouble.len > 0)
		finding_skip(d, str_printf(d->arena, "%.*s: %.*s",
				    STR_ARG(path), STR_ARG(trouble)));
}

/* Who else may hand it mail, or make it reload. */
static void
check_open_sockets(struct doctor *d)
{
	struct stat st;
	struct str path = config_form_socket_path(d->config->socket),
		   control = d->config->control_socket;
	if (path.len == 0) {
		struct str rest = d->config->socket, port;
		(void)str_cut(&rest, ':');
		port = str_cut(&rest, '@');
		if (!network_is_loopback(rest) &&
		    !str_eq(rest, STR("localhost")))
			config_finding(d, DOCTOR_TROUBLE,
			    str_printf(d->arena, "socket = \"%.*s\"",
				STR_ARG(d->config->socket)),
			    "Whoever reaches this port may hand it mail under "
			    "any login: the milter protocol has no password.",
			    str_printf(d->arena,
				"socket = \"inet:%.*s@127.0.0.1\"",
				STR_ARG(port)));
	} else if (stat(str_c(d->arena, path), &st) != 0)
		path_skip(d, path, errno);
	else if ((st.st_mode & S_IWOTH) != 0)
		config_finding(d, DOCTOR_WARNING,
		    str_printf(d->arena, "%.*s has mode %04o", STR_ARG(path),
			(unsigned)(st.st_mode & 07777)),
		    "Every user of this host may hand it mail under any login.",
		    STR("socket-mode = 0660"));
	if (control.len > 0 && stat(str_c(d->arena, control), &st) == 0 &&
	    (st.st_mode & 077) != 0)
		path_finding(d, control, "is open to others",
		    "They may have it reload, and read who sends.",
		    "chmod 600");
}

/* ---- files */

static void
mode_check(struct doctor *d, struct str path, const struct person *user)
{
	struct stat st;
	if (lstat(str_c(d->arena, path), &st) != 0 || S_ISLNK(st.st_mode))
		return;
	if ((st.st_mode & 077) != 0 && !S_ISSOCK(st.st_mode))
		path_finding(d, path, "can be read by others",
		    "It is mail that was kept back, a key, or who wrote to "
		    "whom.",
		    "chmod go-rwx");
	if (st.st_uid != user->uid)
		path_finding(d, path, "is not posternd's",
		    "posternd cannot write it.",
		    str_c(d->arena, str_printf(d->arena, "chown -R %.*s",
					STR_ARG(doctor_shell_word(
					    d->arena, d->config->user)))));
}

static void
check_state(struct doctor *d)
{
	const struct config *c = d->config;
	struct person user;
	struct strs paths = {0};
	if (!person_find(d->arena, c->user, &user)) {
		config_finding(d, DOCTOR_TROUBLE,
		    str_printf(d->arena, "user = \"%.*s\"", STR_ARG(c->user)),
		    "Nobody is called that, and posternd does not run as root.",
		    STR("user = \"postern\""));
		return;
	}
	strs_add(d->arena, &paths, c->state_dir);
	d->folder_paths(d->arena, c->state_dir, &paths);
	if (!strs_has(&paths, c->quarantine_dir))
		strs_add(d->arena, &paths, c->quarantine_dir);
	for (size_t i = 0; i < paths.n; i++)
		mode_check(d, paths.v[i], &user);
	if (access(str_c(d->arena, c->state_dir), R_OK | X_OK) != 0)
		path_skip(d, c->state_dir, errno);
}

/* Who may write it decides what root's postern(1) runs (release-via). */
static void
check_config_file(struct doctor *d)
{
	struct stat st;
	struct str path = config_path();
	if (stat(cmd_config_path, &st) != 0)
		return;
	if (st.st_uid != 0)
		path_finding(d, path, "is not root's",
		    "Its owner can have root run a program (release-via).",
		    "chown root");
	if ((st.st_mode & 022) != 0)
		path_finding(d, path, "can be written by others",
		    "They can have root run a program (release-via).",
		    "chmod go-w");
}

/* ---- quarantine, ledger and room */

static void
check_full(struct doctor *d)
{
	if (!host_has_status(d))
		return;
	json_int_t max = told(d, "quarantine", "max_bytes");
	json_int_t used = told(d, "quarantine", "held_bytes") +
			  told(d, "quarantine", "discarded_bytes");
	if (max <= 0 || used / FULL_PERCENT < max / 100)
		return;
	run_finding(d, DOCTOR_WARNING,
	    str_printf(d->arena, "%lld of %lld MB are used (quarantine-size)",
		used / 1000000, max / 1000000),
	    "When it is full, clients whose mail is to be held are asked to "
	    "try again later.",
	    STR("postern quarantine purge --older 7d"));
}

/* A folder that was moved is written on (it is open), and nobody looks there.
 */
static void
check_quarantine(struct doctor *d)
{
	struct str path = d->config->quarantine_dir;
	struct stat st;
	if (!host_has_status(d))
		return;
	if (lstat(str_c(d->arena, path), &st) == 0 && S_ISDIR(st.st_mode))
		return;
	if (errno == EACCES) {
		path_skip(d, path, errno);
		return;
	}
	run_finding(d, DOCTOR_TROUBLE,
	    str_printf(
		d->arena, "%.*s is not there, or no folder", STR_ARG(path)),
	    "posternd still keeps mail in the one that was there when it "
	    "began, where no command finds it, or defers it.  Put that one "
	    "back, or let posternd make another.",
	    STR(RESTART));
}

static int64_t
oldest_in(struct arena *a, struct str folder)
{
	DIR *dir = opendir(str_c(a, folder));
	const struct dirent *entry;
	struct stat st;
	int64_t oldest = INT64_MAX;
	for (size_t i = 0;
	     dir != NULL && i < FOLDER_MAX && (entry = readdir(dir)) != NULL;
	     i++)
		if (fstatat(dirfd(dir), entry->d_name, &st,
			AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && st.st_mtime < oldest)
			oldest = st.st_mtime;
	if (dir != NULL)
		(void)closedir(dir);
	return oldest;
}

static void
check_purge(struct doctor *d)
{
	static const char *const folders[] = {"new", "cur"};
	int64_t age_s = d->config->held_age_ms / 1000, oldest = INT64_MAX;
	for (size_t i = 0; i < COUNT_OF(folders); i++) {
		struct str folder = str_printf(d->arena, "%.*s/%s",
		    STR_ARG(d->config->quarantine_dir), folders[i]);
		if (access(str_c(d->arena, folder), R_OK | X_OK) != 0)
			path_skip(d, folder, errno);
		int64_t one = oldest_in(d->arena, folder);
		oldest = one < oldest ? one : oldest;
	}
	if (age_s == 0 || oldest == INT64_MAX ||
	    clock_wall() - oldest < age_s + PURGE_LATE_S)
		return;
	run_finding(d, DOCTOR_WARNING,
	    str_printf(d->arena,
		"mail is held for %lld days, quarantine-age "
		"is %lld",
		(long long)((clock_wall() - oldest) / DAY_S),
		(long long)(age_s / DAY_S)),
	    "Nothing removes what is too old, until the quarantine is full.",
	    STR("systemctl enable --now postern-purge.timer"));
}

static void
check_ledger(struct doctor *d)
{
	if (!host_has_status(d) || told(d, "ledger", "bytes") > 0)
		return;
	run_finding(d, DOCTOR_TROUBLE, STR("posternd does not keep a ledger"),
	    "Nothing is remembered, so no notice of unknown origin leaves.  "
	    "The log says why.",
	    STR("journalctl -u postern -g memory\n" RESTART));
}

static void
disk_check(struct doctor *d, struct str path)
{
	struct statvfs fs;
	if (statvfs(str_c(d->arena, path), &fs) != 0)
		return;
	if ((fs.f_flag & ST_RDONLY) != 0) {
		run_finding(d, DOCTOR_TROUBLE,
		    str_printf(d->arena, "%.*s is on a disk that is read-only",
			STR_ARG(path)),
		    "Mail that cannot be kept or spooled is deferred.",
		    str_printf(d->arena,
			"dmesg | tail\nmount -o remount,rw \"$(stat -c %%m "
			"%.*s)\"",
			STR_ARG(doctor_shell_word(d->arena, path))));
		return;
	}
	uint64_t free_mib = (uint64_t)fs.f_bavail * fs.f_frsize / MIB;
	uint64_t all_mib = (uint64_t)fs.f_blocks * fs.f_frsize / MIB;
	bool has_files = fs.f_files == 0 || fs.f_favail > fs.f_files / 100;
	bool is_low = free_mib < 1024 && free_mib * 20 < all_mib;
	if (free_mib >= 64 && has_files && !is_low)
		return;
	run_finding(d,
	    free_mib < 64 || !has_files ? DOCTOR_TROUBLE : DOCTOR_WARNING,
	    str_printf(d->arena, "%.*s: %llu MB%s are free", STR_ARG(path),
		(unsigned long long)free_mib,
		has_files ? "" : " and nearly no inodes"),
	    "Mail that cannot be kept or spooled is deferred.",
	    STR("postern quarantine purge --older 7d\ndf -h"));
}

static void
check_disk(struct doctor *d)
{
	const struct str dirs[] = {d->config->state_dir, d->config->spool_dir,
	    d->config->quarantine_dir};
	dev_t seen[COUNT_OF(dirs)] = {0};
	size_t n = 0;
	for (size_t i = 0; i < COUNT_OF(dirs); i++) {
		struct stat st;
		bool is_known = false;
		if (stat(str_c(d->arena, dirs[i]), &st) != 0)
			continue;
		for (size_t k = 0; k < n; k++)
			is_known |= seen[k] == st.st_dev;
		seen[n++] = st.st_dev;
		if (!is_known)
			disk_check(d, dirs[i]);
	}
}

/* ---- time and versions */

static void
check_clock(struct doctor *d)
{
	struct timex clock = {0};
	struct strs paths = {0};
	struct stat st;
	d->folder_paths(d->arena, d->config->state_dir, &paths);
	for (size_t i = 0; i < paths.n; i++)
		if (stat(str_c(d->arena, paths.v[i]), &st) == 0 &&
		    st.st_mtime > clock_wall() + FUTURE_S) {
			run_finding(d, DOCTOR_WARNING,
			    str_printf(d->arena, "%.*s is from the future",
				STR_ARG(paths.v[i])),
			    "The clock was ahead, or is behind now: signatures "
			    "that are dated wrongly fail, and what is "
			    "remembered ends too late.",
			    STR("timedatectl set-ntp true"));
			return;
		}
	/* hosts whose clock is set from outside do not tell the kernel */
	if (adjtimex(&clock) == TIME_ERROR)
		run_finding(d, DOCTOR_NOTE,
		    STR("the kernel does not know of anything that keeps the "
			"clock right"),
		    "Receivers doubt mail and signatures that are dated "
		    "wrongly.",
		    STR("timedatectl set-ntp true"));
}

static void
check_mta_version(struct doctor *d)
{
	struct str version = postfix_value(d, "mail_version");
	uint64_t major, minor;
	struct str rest = version;
	if (version.len == 0)
		finding_skip(d, STR("no Postfix was looked at"));
	if (!str_u64(str_cut(&rest, '.'), 99, &major) ||
	    !str_u64(str_cut(&rest, '.'), 99, &minor) ||
	    major * 100 + minor >= POSTFIX_LEAST)
		return;
	run_finding(d, DOCTOR_TROUBLE,
	    str_printf(d->arena, "Postfix %.*s", STR_ARG(version)),
	    "Before 2.6 it does not speak version 6 of the milter protocol.",
	    STR("apt install postfix"));
}

const struct doctor_check HOST_CHECKS[] = {
    {"posternd", "posternd answers", check_posternd},
    {"posternd-version", "it is the version that is installed", check_version},
    {"posternd-reload", "what is written is in force", check_reload},
    {"posternd-macros", "the MTA tells what is asked of it", check_macros},
    {"posternd-socket", "the MTA may reach its socket", check_socket},
    {"posternd-others", "nobody else may reach its sockets",
	check_open_sockets},
    {"posternd-ledger", "it remembers", check_ledger},
    {"config-file", "only root writes the configuration", check_config_file},
    {"state", "what is kept is posternd's alone", check_state},
    {"quarantine", "the quarantine is where it was", check_quarantine},
    {"quarantine-size", "the quarantine has room", check_full},
    {"quarantine-age", "old mail is removed from it", check_purge},
    {"disk", "disks have room", check_disk},
    {"clock", "the clock is right", check_clock},
    {"mta-version", "the MTA is not too old", check_mta_version}, {0}};
