/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd -- the subcommands of postern(1): one file and one row each. */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include "base/diag.h"

/* 0 fine, 1 found something, 2 usage or trouble. */
enum cmd_exit { CMD_FINE = 0, CMD_FOUND = 1, CMD_TROUBLE = 2 };

struct command {
	const char *name;
	const char *alias;    /* NULL: none */
	const char *synopsis; /* without the program's and command's name */
	const char *help;     /* one line */
	int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

/* Ended by a row without name. */
extern const struct command CMD_TABLE[];

int cmd_config(int argc, char **argv);
int cmd_digest(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_fpfn(int argc, char **argv);
int cmd_freqs(int argc, char **argv);
int cmd_help(int argc, char **argv);
int cmd_history(int argc, char **argv);
int cmd_ledger(int argc, char **argv);
int cmd_lint(int argc, char **argv);
int cmd_masscheck(int argc, char **argv);
int cmd_notices(int argc, char **argv);
int cmd_preflight(int argc, char **argv);
int cmd_profile(int argc, char **argv);
int cmd_quarantine(int argc, char **argv);
int cmd_reload(int argc, char **argv);
int cmd_rescore(int argc, char **argv);
int cmd_scan(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_what_if(int argc, char **argv);
int cmd_top(int argc, char **argv);

/* `postern -c`: the configuration file of this run. */
extern const char *cmd_config_path;

struct config;
struct arena;
/* Read the configuration; on trouble say why and end with CMD_TROUBLE. */
void cmd_config_load(struct arena *a, struct config *ret);
/* The host's name: what an MTA that is told nothing else calls itself. */
struct str cmd_own_name(struct arena *a);
/*
 * A login as an operator writes it, as posternd keeps it (class_login()):
 * alice@login-domain and alice@THIS-HOST are alice.  A pattern with * or ? is
 * left as it is.  Not NULL; lives in `a`.
 */
const char *cmd_login(
    struct arena *a, const struct config *config, const char *login);
/*
 * If this user may not do `want` (of access(2)) with `path`, which is
 * posternd's: "; only root and the user ... may: use sudo", in `a`; else empty.
 * For the end of an error about it.
 */
struct str cmd_who_may(
    struct arena *a, const struct config *config, struct str path, int want);
/* "usage: postern NAME SYNOPSIS" to standard error; returns CMD_TROUBLE. */
int cmd_usage(const char *name);
/* -h and --help: what the command takes, to standard output. */
void cmd_help_show(const char *name);
bool cmd_is_help(const char *argument);
struct option;
/*
 * The next option, as getopt_long() has it.  At -h and --help the process ends
 * behind what the command takes.
 */
int cmd_option(int argc, char **argv, const char *shorts,
    const struct option *longs, int *which);
/* The exit code of a command that is done: `code`, if its output is whole. */
int cmd_end(int code);
/* "postern: ..." and a newline to standard error; what a terminal would obey is
 * escaped. */
void cmd_error(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* "--OPTION VALUE: write WANTED" to standard error; returns false. */
bool cmd_refuse(const char *option, const char *value, const char *wanted);

/* An option that is a number: a double of a struct. */
struct cmd_number {
	int option; /* what getopt_long() gives */
	const char *name, *wanted;
	size_t offset;
	double least, most;
};
/*
 * Put optarg where the row of option `c` says.  False: `c` is none of the `n`
 * rows; else `*ret_good`, and if that is false, said what is wrong.
 */
bool cmd_number_take(const struct cmd_number *rows, size_t n, int c,
    void *options, bool *ret_good);

/* file:line: level: text, for each of `least` or worse, to standard error. */
void cmd_diags_print(const struct diags *diags, enum diag_level least);
/* The same for an operator: if a file could not be read, who may. */
void cmd_diags_tell(const struct diags *diags, enum diag_level least);

#endif
