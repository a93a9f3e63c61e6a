/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor -- what `postern doctor` looks at and what it finds.  The settings of
 * each program are read into a struct by one file, which also has the checks of
 * that program.  All values are bytes of somebody else's files.
 */
#ifndef CMD_DOCTOR_H
#define CMD_DOCTOR_H

#include "auth/dns.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/table.h"

struct arena;
struct config;
struct policy;

enum doctor_level {
	DOCTOR_OK,
	DOCTOR_SKIPPED, /* nothing could be looked at */
	DOCTOR_NOTE,    /* worth knowing */
	DOCTOR_WARNING, /* sends notices to strangers, or may */
	DOCTOR_TROUBLE  /* Postern does not see it, or strangers get mail */
};
#define DOCTOR_LEVELS (DOCTOR_TROUBLE + 1)

struct finding {
	enum doctor_level level;
	const char *check;
	struct str found; /* "setting = value" */
	struct str file;  /* where that stands; empty: nowhere */
	struct str why;   /* a sentence */
	struct str cure;  /* lines, separated by \n; empty: none is known */
	struct str place; /* the file of these lines; empty: run them */
};

/* A service of master.cf. */
struct postfix_service {
	struct str name, type, program;
	bool is_chroot;
};

/* A `-o name=value` there. */
struct postfix_override {
	struct str service; /* "smtp/inet" */
	struct str name, value;
};

struct postfix {
	bool is_there;
	struct str folder;    /* of main.cf */
	struct table *values; /* name -> struct str, $names expanded */
	struct table *raw;    /* as written */
	struct {
		struct postfix_service *v;
		size_t n, cap;
	} services;
	struct {
		struct postfix_override *v;
		size_t n, cap;
	} overrides;
};

/* A line of sendmail.cf: a letter and its text. */
struct sendmail_line {
	char kind;
	struct str text;
};

struct sendmail {
	bool is_there;
	struct str file;
	struct {
		struct sendmail_line *v;
		size_t n, cap;
	} lines;
};

/* A setting of Dovecot; "service quota-status/inet_listener" is a section. */
struct dovecot_setting {
	struct str section, name, value;
};

struct dovecot {
	bool is_there;
	struct str file;
	struct {
		struct dovecot_setting *v;
		size_t n, cap;
	} settings;
};

struct amavis {
	bool is_there;
	struct str file;      /* for lines of one's own */
	struct table *values; /* "final_spam_destiny" -> struct str */
};

/* posternd and this host, as they are now: host_open() and host_close(). */
struct doctor_host {
	bool is_there;
	json_t *status; /* of session/status.h; NULL: no answer */
	struct str status_why;
	struct dns dns; /* without resolver: dns_why */
	struct str dns_why;
	struct dns_budget budget;
	struct str mta_user; /* if the MTA was not named; NULL: nobody */
};

struct doctor {
	struct arena *arena;
	const struct config *config;
	const struct policy *policy;
	/* How files are read: tests have their own.  False: not to be had. */
	bool (*file_text)(
	    struct arena *a, struct str path, size_t max, struct str *ret);
	/* Paths in a folder, sorted; none for what is no folder. */
	void (*folder_paths)(
	    struct arena *a, struct str path, struct strs *ret);
	struct table *texts; /* of files that were read; starts as NULL */
	struct postfix postfix;
	struct sendmail sendmail;
	struct dovecot dovecot;
	struct amavis amavis;
	struct doctor_host host;
	const char *check; /* that runs now */
	struct {
		struct finding *v;
		size_t n, cap;
	} findings;
};

/* One row of a table of checks, ended by one without name. */
struct doctor_check {
	const char *name;
	const char *fine; /* what is so if it finds nothing */
	void (*run)(struct doctor *d);
};

extern const struct doctor_check POSTFIX_CHECKS[], BACKSCATTER_CHECKS[],
    SENDMAIL_CHECKS[], DOVECOT_CHECKS[], AMAVIS_CHECKS[], HOST_CHECKS[],
    NET_CHECKS[];

/* Largest file and output that is read. */
#define DOCTOR_TEXT_MAX ((size_t)16 << 20)

/* ok, skipped, note, warning, trouble */
const char *doctor_level_name(enum doctor_level level);
/* Run all checks of the programs that are there; what is fine is a finding. */
void doctor_run(struct doctor *d);
/*
 * Errors and warnings of configuration and rules as findings of the check
 * "config"; warnings about rules as one.  `path`: the configuration's.
 */
void doctor_diags(struct doctor *d, const struct diags *diags, struct str path);
/* Ask posternd how it is, and be able to ask the DNS. */
void host_open(struct doctor *d);
void host_close(struct doctor *d);
/* False: posternd does not say how it is; the check is skipped. */
bool host_has_status(struct doctor *d);
/* The check that runs found something. */
void finding_add(struct doctor *d, struct finding finding);
/* The check that runs could look at nothing, for this reason; nothing is added
 * after another finding of it. */
void finding_skip(struct doctor *d, struct str why);

/* ---- texts, as each program has them */

/*
 * What `postconf`, `postconf -x`, `postconf -M` and `postconf -Px` said.  They
 * live as long as `d`.
 */
void postfix_parse(struct doctor *d, struct str raw, struct str values,
    struct str services, struct str overrides);
/* A sendmail.cf. */
void sendmail_parse(struct doctor *d, struct str text);
/* What `doveconf -n` said. */
void dovecot_parse(struct doctor *d, struct str text);
/* Perl of amavis' configuration; later files win. */
void amavis_parse(struct doctor *d, struct str text);

/* ---- what the files of checks share */

/* The value of a parameter; empty if there is none. */
struct str postfix_value(const struct doctor *d, const char *name);
struct str postfix_raw(const struct doctor *d, const char *name);
struct str postfix_main_cf(const struct doctor *d);
/* The next of a list of Postfix, "{...}" as one; false: no more. */
bool postfix_list_next(struct str *rest, struct str *ret);
bool postfix_list_has(struct str list, struct str word);
/* `list` without each `word`. */
struct str postfix_list_without(
    struct arena *a, struct str list, struct str word);
/* main.cf has `name`, which is wrong; `value` cures it. */
void postfix_finding(struct doctor *d, enum doctor_level level,
    const char *name, const char *why, struct str value);
/* master.cf has `o`, which is wrong; an empty `value` takes it out. */
void override_finding(struct doctor *d, const struct postfix_override *o,
    const char *why, struct str value);
/* What Dovecot has for `name` in a section that starts with `section`. */
struct str dovecot_value(
    const struct doctor *d, const char *section, const char *name);
/* `word` as a whole word of `text`. */
bool text_has_word(struct str text, struct str word);
/* All of the file `path`, read once; false: it cannot be read. */
bool doctor_file(struct doctor *d, struct str path, struct str *ret);
/* `s`, whatever is in it, as one word for a shell. */
struct str doctor_shell_word(struct arena *a, struct str s);
/* The lines `cure` of postern.conf, which posternd reads when it starts. */
void config_finding(struct doctor *d, enum doctor_level level, struct str found,
    const char *why, struct str cure);
/* What a service of master.cf that runs `program` has for `name`: of its own,
 * or main.cf's. */
struct str postfix_service_value(
    const struct doctor *d, const char *program, const char *name);
/* The value of "O Name=value" in sendmail.cf; empty: nothing. */
struct str sendmail_option(const struct doctor *d, const char *name);
/* May the user of the MTA write to the socket `path`?  Findings say no. */
void mta_socket_check(struct doctor *d, struct str path);

#endif
