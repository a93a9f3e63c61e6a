/* SPDX-License-Identifier: BSD-2-Clause */
/* doctor -- reads the settings of the programs on this host that send mail,
 * asks posternd how it is, and says what is wrong. */
#include "cmd/doctor/doctor.h"

#include <dirent.h>
#include <getopt.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/program.h"
#include "cmd/ui.h"
#include "session/snapshot.h"

#define POSTFIX_FOLDER "/etc/postfix"
#define SENDMAIL_FILE "/etc/mail/sendmail.cf"
#define AMAVIS_FOLDER "/etc/amavis"
#define FOLDER_MAX 1000

/* What the command line asks for; NULL: not said. */
struct request {
	const char *postfix, *sendmail, *dovecot, *amavis;
	bool has_host; /* posternd and this host */
	bool has_all;  /* what is installed */
	bool is_json;
};

/* ---- files */

static bool
text_of_file(struct arena *a, struct str path, size_t max, struct str *ret)
{
	return file_text(a, path, max, ret);
}

static void
paths_of_folder(struct arena *a, struct str path, struct strs *ret)
{
	DIR *dir = opendir(str_c(a, path));
	const struct dirent *entry;
	if (dir == NULL)
		return;
	while (ret->n < FOLDER_MAX && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			strs_add(a, ret,
			    str_printf(
				a, "%.*s/%s", STR_ARG(path), entry->d_name));
	(void)closedir(dir);
	strs_sort(ret);
}

static bool
is_file(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool
is_program_file(const char *path)
{
	return is_file(path) && access(path, X_OK) == 0;
}

/* ---- each program's settings; false: said to standard error */

static bool
trouble(struct str what, struct str why)
{
	cmd_error("%.*s: %.*s", STR_ARG(what), STR_ARG(why));
	return false;
}

/* What `program` says when it is run with these words; NULL: no word. */
static bool
ask(struct doctor *d, const char *program, const char *const words[3],
    struct str *ret)
{
	struct strs argv = {0};
	struct str why = STR_EMPTY;
	strs_add(d->arena, &argv, str_from(program));
	for (size_t i = 0; i < 3; i++)
		if (words[i] != NULL)
			strs_add(d->arena, &argv, str_from(words[i]));
	return program_output(d->arena, &argv, DOCTOR_TEXT_MAX, ret, &why) ||
	       trouble(str_from(program), why);
}

static bool
postfix_load(struct doctor *d, struct str folder)
{
	static const char *const flags[] = {NULL, "-x", "-M", "-Px"};
	struct str said[COUNT_OF(flags)];
	struct str program = program_find(d->arena, STR("postconf"));
	if (program.len == 0)
		return trouble(STR("postconf"), STR("there is none"));
	for (size_t i = 0; i < COUNT_OF(flags); i++)
		if (!ask(d, str_c(d->arena, program),
			(const char *const[3]){
			    "-c", str_c(d->arena, folder), flags[i]},
			&said[i]))
			return false;
	d->postfix.folder = folder;
	postfix_parse(d, said[0], said[1], said[2], said[3]);
	return true;
}

static bool
sendmail_load(struct doctor *d, struct str file)
{
	struct str text;
	if (!file_text(d->arena, file, DOCTOR_TEXT_MAX, &text))
		return trouble(file, STR("cannot be read"));
	d->sendmail.file = file;
	sendmail_parse(d, text);
	return true;
}

/* A program like doveconf(1), or a file with what it said. */
static bool
dovecot_load(struct doctor *d, const char *source)
{
	struct str text;
	bool is_program = is_program_file(source);
	d->dovecot.file =
	    is_program ? STR("/etc/dovecot/local.conf") : str_from(source);
	if (is_program) {
		if (!ask(d, source, (const char *const[3]){"-n"}, &text))
			return false;
	} else if (!file_text(
		       d->arena, d->dovecot.file, DOCTOR_TEXT_MAX, &text))
		return trouble(d->dovecot.file, STR("cannot be read"));
	dovecot_parse(d, text);
	return true;
}

static bool
amavis_load(struct doctor *d, const char *folder)
{
	struct strs paths = {0};
	struct str text;
	paths_of_folder(
	    d->arena, str_printf(d->arena, "%s/conf.d", folder), &paths);
	if (paths.n == 0)
		return trouble(str_from(folder), STR("has no conf.d"));
	for (size_t i = 0; i < paths.n; i++) {
		if (!file_text(d->arena, paths.v[i], DOCTOR_TEXT_MAX, &text))
			return trouble(paths.v[i], STR("cannot be read"));
		amavis_parse(d, text);
	}
	d->amavis.file = str_printf(d->arena, "%s/conf.d/50-user", folder);
	return true;
}

static bool
has_postfix(struct arena *a)
{
	return program_find(a, STR("postconf")).len > 0 &&
	       is_file(POSTFIX_FOLDER "/main.cf");
}

/* What is installed, when nothing was named. */
static void
find_installed(struct arena *a, struct request *ret)
{
	ret->has_host = ret->has_all = true;
	struct str doveconf = program_find(a, STR("doveconf"));
	if (has_postfix(a))
		ret->postfix = POSTFIX_FOLDER;
	else if (is_file(SENDMAIL_FILE))
		ret->sendmail = SENDMAIL_FILE;
	if (doveconf.len > 0 && is_file("/etc/dovecot/dovecot.conf"))
		ret->dovecot = str_c(a, doveconf);
	if (is_file(AMAVIS_FOLDER "/conf.d/50-user"))
		ret->amavis = AMAVIS_FOLDER;
}

static bool
settings_load(struct doctor *d, const struct request *request)
{
	bool is_good = true;
	if (request->postfix != NULL)
		is_good &= postfix_load(d, str_from(request->postfix));
	if (request->sendmail != NULL)
		is_good &= sendmail_load(d, str_from(request->sendmail));
	if (request->dovecot != NULL)
		is_good &= dovecot_load(d, request->dovecot);
	if (request->amavis != NULL)
		is_good &= amavis_load(d, request->amavis);
	return is_good;
}

/* ---- output */

static enum ui_style
level_style(enum doctor_level level)
{
	static const enum ui_style styles[DOCTOR_LEVELS] = {
	    [DOCTOR_OK] = UI_GREEN,
	    [DOCTOR_SKIPPED] = UI_CYAN,
	    [DOCTOR_NOTE] = UI_CYAN,
	    [DOCTOR_WARNING] = UI_YELLOW,
	    [DOCTOR_TROUBLE] = UI_RED,
	};
	return styles[level];
}

static void
show_table(const struct ui *ui, const struct doctor *d)
{
	static const struct ui_column columns[] = {
	    {.title = "LEVEL"},
	    {.title = "CHECK"},
	    {.title = "FOUND", .is_elastic = true},
	};
	struct ui_table *t = ui_table_new(ui, columns, COUNT_OF(columns));
	for (size_t i = 0; i < d->findings.n; i++) {
		const struct finding *f = &d->findings.v[i];
		ui_table_cell(t, level_style(f->level),
		    str_from(doctor_level_name(f->level)));
		ui_table_cell(t, UI_PLAIN, str_from(f->check));
		ui_table_cell(t, UI_PLAIN, f->found);
	}
	ui_table_end(t);
}

/* The lines to write, as they are to be written. */
static void
show_cure(const struct ui *ui, const struct finding *f)
{
	struct str cure = f->cure;
	if (cure.len == 0)
		return;
	if (f->place.len == 0)
		ui_printf(ui, UI_PLAIN, "  run:\n");
	else {
		ui_put(ui, UI_PLAIN, STR("  in "));
		ui_put(ui, UI_PLAIN, f->place);
		ui_printf(ui, UI_PLAIN, ":\n");
	}
	while (cure.len > 0) {
		ui_put(ui, UI_PLAIN, STR("    "));
		ui_put(ui, UI_BOLD, str_line(&cure));
		ui_printf(ui, UI_PLAIN, "\n");
	}
}

/* "trouble: postfix-bounces: internal_mail_filter_classes = (main.cf)", why,
 * and the cure. */
static void
show_finding(const struct ui *ui, const struct finding *f)
{
	ui_put(
	    ui, level_style(f->level), str_from(doctor_level_name(f->level)));
	ui_printf(ui, UI_PLAIN, ": %s: ", f->check);
	ui_put(ui, UI_PLAIN, f->found);
	if (f->file.len > 0) {
		ui_put(ui, UI_PLAIN, STR(" ("));
		ui_put(ui, UI_PLAIN, f->file);
		ui_put(ui, UI_PLAIN, STR(")"));
	}
	ui_printf(ui, UI_PLAIN, "\n");
	if (f->why.len > 0) {
		ui_put(ui, UI_PLAIN, STR("  "));
		ui_put(ui, UI_PLAIN, f->why);
		ui_printf(ui, UI_PLAIN, "\n");
	}
	show_cure(ui, f);
}

static void
show(const struct doctor *d)
{
	struct ui ui;
	ui_init(&ui, stdout, UI_COLOR_AUTO);
	if (ui.is_terminal)
		show_table(&ui, d);
	for (size_t i = 0; i < d->findings.n; i++) {
		const struct finding *f = &d->findings.v[i];
		if (ui.is_terminal && f->level <= DOCTOR_SKIPPED)
			continue;
		if (ui.is_terminal)
			ui_printf(&ui, UI_PLAIN, "\n");
		show_finding(&ui, f);
	}
}

static void
show_json(const struct doctor *d)
{
	json_t *list = json_array();
	for (size_t i = 0; i < d->findings.n; i++) {
		const struct finding *f = &d->findings.v[i];
		(void)json_array_append_new(list,
		    json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:o}", "level",
			doctor_level_name(f->level), "check", f->check, "found",
			json_text(f->found), "file", json_text(f->file), "why",
			json_text(f->why), "cure", json_text(f->cure), "place",
			json_text(f->place)));
	}
	json_line(stdout, json_pack("{s:o}", "findings", list));
}

/* ---- the command */

static bool
request_parse(int argc, char **argv, struct request *ret)
{
	static const struct option options[] = {
	    {"postfix", required_argument, NULL, 'p'},
	    {"sendmail", required_argument, NULL, 's'},
	    {"dovecot", required_argument, NULL, 'd'},
	    {"amavis", required_argument, NULL, 'a'},
	    {"posternd", no_argument, NULL, 'P'},
	    {"json", no_argument, NULL, 'j'}, {0}};
	int c;
	while ((c = cmd_option(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 'p':
			ret->postfix = optarg;
			break;
		case 's':
			ret->sendmail = optarg;
			break;
		case 'd':
			ret->dovecot = optarg;
			break;
		case 'a':
			ret->amavis = optarg;
			break;
		case 'P':
			ret->has_host = true;
			break;
		case 'j':
			ret->is_json = true;
			break;
		default:
			return false;
		}
	return optind == argc;
}

/* Was anything named? */
static bool
has_subject(const struct request *request)
{
	return request->has_host || request->postfix != NULL ||
	       request->sendmail != NULL || request->dovecot != NULL ||
	       request->amavis != NULL;
}

static int
exit_code(const struct doctor *d)
{
	for (size_t i = 0; i < d->findings.n; i++)
		if (d->findings.v[i].level >= DOCTOR_WARNING)
			return CMD_FOUND;
	return CMD_FINE;
}

static void
report(const struct doctor *d, const struct request *request)
{
	if (request->is_json)
		show_json(d);
	else
		show(d);
}

static void
no_mta(struct doctor *d)
{
	d->check = "mta";
	finding_add(d, (struct finding){
			   .level = DOCTOR_TROUBLE,
			   .found = STR("neither Postfix nor Sendmail is here"),
			   .why = STR("There is nothing to filter.  One in "
				      "another place can be named: --postfix, "
				      "--sendmail."),
			   .cure = STR("apt install postfix"),
		       });
}

/* Who will use the socket, though no MTA was named. */
static void
find_mta_user(struct doctor *d)
{
	struct str said;
	if (has_postfix(d->arena) &&
	    ask(d, str_c(d->arena, program_find(d->arena, STR("postconf"))),
		(const char *const[3]){"-h", "mail_owner"}, &said))
		d->host.mta_user = str_trim(said);
}

static int
examine(struct doctor *d, const struct request *request)
{
	if (!settings_load(d, request))
		return CMD_TROUBLE;
	if (request->has_all && request->postfix == NULL &&
	    request->sendmail == NULL)
		no_mta(d);
	if (request->has_host) {
		host_open(d);
		if (!d->postfix.is_there && !d->sendmail.is_there)
			find_mta_user(d);
	}
	doctor_run(d);
	if (request->has_host)
		host_close(d);
	return exit_code(d);
}

int
cmd_doctor(int argc, char **argv)
{
	struct request request = {0};
	if (!request_parse(argc, argv, &request))
		return cmd_usage(argv[0]);
	struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	struct doctor d = {
	    .arena = a,
	    .file_text = text_of_file,
	    .folder_paths = paths_of_folder,
	};
	struct snapshot_source source = {
	    .config_path = cmd_config_path,
	    .is_lenient = geteuid() != 0,
	};
	int code = CMD_FOUND;
	struct snapshot *snapshot = snapshot_load(&source, false, &diags);
	if (!has_subject(&request))
		find_installed(a, &request);
	doctor_diags(&d, &diags, str_from(cmd_config_path));
	if (snapshot != NULL) {
		d.config = &snapshot->config;
		d.policy = &snapshot->policy;
		code = examine(&d, &request);
	}
	if (code != CMD_TROUBLE)
		report(&d, &request);
	snapshot_put(snapshot);
	arena_free(a);
	return code;
}
