/* SPDX-License-Identifier: BSD-2-Clause */
/* dkim_keys -- which key signs for whom, and which files may hold one. */
#include "unit.h"

#include <ftw.h>
#include <sys/stat.h>

#include "auth/dkim_keyfile.h"
#include "auth/dkim_keys.h"
#include "dkim_zone.h"

struct fixture {
	struct arena *a;
	char dir[64];
	EVP_PKEY *rsa, *ed25519;
	struct dkim_tables tables;
	struct diags diags;
	struct dkim_keys *keys;
};

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static char *
path_of(struct fixture *f, const char *name)
{
	return str_c(f->a, str_printf(f->a, "%s/%s", f->dir, name));
}

static void
write_file(struct fixture *f, const char *name, struct str text, mode_t mode)
{
	char *path = path_of(f, name);
	FILE *out = fopen(path, "wb");
	assert_non_null(out);
	assert_int_equal(fwrite(text.p, 1, text.len, out), text.len);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	f->a = arena_new();
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/unit-dkim-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->rsa = key_new(1024);
	f->ed25519 = key_new(0);
	write_file(f, "rsa", key_pem(f->a, f->rsa), 0600);
	write_file(f, "ed", key_pem(f->a, f->ed25519), 0600);
	f->tables = (struct dkim_tables){.key_table = STR("file:/keys"),
	    .signing_table = STR("file:/signing"),
	    .user = getuid(),
	    .group = getgid(),
	    .min_bits = 1024};
	f->diags.arena = f->a;
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	dkim_keys_free(f->keys);
	EVP_PKEY_free(f->rsa);
	EVP_PKEY_free(f->ed25519);
	(void)nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	arena_free(f->a);
	free(f);
	return 0;
}

/* Texts have $ for the folder of the key files. */
static struct str
with_folder(struct fixture *f, const char *text)
{
	struct buf *b = buf_new(f->a, 1 << 16);
	for (; *text != '\0'; text++) {
		if (*text == '$')
			buf_put(b, str_from(f->dir));
		else
			buf_putc(b, *text);
	}
	return buf_str(b);
}

static bool
load(struct fixture *f, const char *key_text, const char *signing_text)
{
	dkim_keys_free(f->keys);
	f->diags.n = 0;
	f->keys = dkim_keys_parse(&f->tables, with_folder(f, key_text),
	    with_folder(f, signing_text), &f->diags);
	return f->keys != NULL;
}

/* "domain/selector/identity " of each signer. */
static struct str
signers(struct fixture *f, const char *address)
{
	struct dkim_signer v[4];
	size_t n =
	    dkim_signers_for(f->a, f->keys, str_from(address), v, COUNT_OF(v));
	struct buf *b = buf_new(f->a, 4096);
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%.*s/%.*s/%.*s ", STR_ARG(v[i].domain),
		    STR_ARG(v[i].selector), STR_ARG(v[i].identity));
	return buf_str(b);
}

static struct str
complaints(struct fixture *f)
{
	struct buf *b = buf_new(f->a, 65536);
	for (size_t i = 0; i < f->diags.n; i++)
		buf_printf(b, "%s %.*s:%u: %.*s\n",
		    diag_level_word(f->diags.v[i].level),
		    STR_ARG(f->diags.v[i].file), f->diags.v[i].line,
		    STR_ARG(f->diags.v[i].text));
	return buf_str(b);
}

static const char key_table[] = "# comment\n"
				"\n"
				"one\texample.com:one:$/rsa   # more\n"
				"two example.com:two:$/ed\n"
				"any %:mail:$/rsa\n"
				"example.net example.net:net:$/rsa\n"
				"idn b\xc3\xbc"
				"cher.example:s:$/rsa\n";

/* ---- whom a plain table means */

static const char plain_table[] = "alice@example.com one\n"
				  "example.com two\n"
				  "bob@.example.org any\n"
				  ".example.org one\n"
				  ".org two\n"
				  "carol@* any\n"
				  "* example.net\n"
				  "B\xc3\xbc"
				  "cher.example idn\n";

static const struct {
	const char *address, *want;
} plain[] = {
    {"alice@example.com", "example.com/one/ "},
    {"ALICE@Example.COM", "example.com/one/ "},
    {"bob@example.com", "example.com/two/ "},
    {"bob@example.com.", "example.com/two/ "},
    {"bob@a.example.org", "a.example.org/mail/ "},
    {"bob@b.a.example.org", "b.a.example.org/mail/ "},
    {"eve@a.example.org", "example.com/one/ "},
    {"bob@example.org", "example.com/two/ "},
    {"carol@other.example", "other.example/mail/ "},
    {"eve@other.example", "example.net/net/ "},
    {"x@xn--bcher-kva.example", "xn--bcher-kva.example/s/ "},
    {"x@b\xc3\xbc"
     "cher.example",
	"xn--bcher-kva.example/s/ "},
    {"nobody", ""},
    {"", ""},
    {"a@", ""},
    {"a@b..c", ""},
    {"a@b@example.com", "example.com/two/ "},
};

static void
a_plain_table_is_asked_from_the_address_to_the_star(void **state)
{
	struct fixture *f = *state;
	assert_true(load(f, key_table, plain_table));
	assert_int_equal(f->diags.n, 0);
	for (size_t i = 0; i < COUNT_OF(plain); i++)
		assert_str(signers(f, plain[i].address), plain[i].want);
}

/* ---- a refile */

static const char refile_table[] = "*@*.example.com one\n"
				   "*@example.com two\n"
				   "bob* any\n"
				   "*@*.B\xc3\xbc"
				   "cher.example idn\n"
				   "al?ce@example.org two\n"
				   "*@example.net any:%\n"
				   "* example.net\n";

static const struct {
	const char *address, *want;
} refile[] = {
    {"a@b.example.com", "example.com/one/ "},
    {"A@B.EXAMPLE.COM", "example.com/one/ "},
    {"bob@example.com", "example.com/two/ "},
    {"bobby@example.org", "example.org/mail/ "},
    {"x@y.xn--bcher-kva.example", "xn--bcher-kva.example/s/ "},
    {"alice@example.org", "example.net/net/ "},
    {"x@exampleXcom.example", "example.net/net/ "},
};

static void
the_first_line_of_a_refile_that_matches_decides(void **state)
{
	struct fixture *f = *state;
	f->tables.signing_table = STR("refile:/signing");
	assert_false(load(f, key_table, refile_table));
	assert_str(
	    complaints(f), "error /signing:6: no address to sign as: %\n");
	struct str table = str_from(refile_table);
	size_t at = str_find(table, STR("any:%"));
	char *fine = str_c(f->a, table);
	memcpy(fine + at, "any  ", 5);
	assert_true(load(f, key_table, fine));
	for (size_t i = 0; i < COUNT_OF(refile); i++)
		assert_str(signers(f, refile[i].address), refile[i].want);
}

static void
a_star_makes_a_plain_path_a_refile(void **state)
{
	struct fixture *f = *state;
	f->tables.signing_table = STR("/signing");
	assert_true(load(f, key_table, "*@example.com one\n* two\n"));
	assert_str(signers(f, "a@example.com"), "example.com/one/ ");
	assert_str(signers(f, "a@x.example"), "example.com/two/ ");
	/* these a plain file has a meaning for */
	assert_true(load(f, key_table, "* one\na@* two\nexample.org any\n"));
	assert_str(signers(f, "a@example.com"), "example.com/two/ ");
	assert_str(signers(f, "b@example.org"), "example.org/mail/ ");
	f->tables.signing_table = STR("file:/signing");
	assert_true(load(f, key_table, "*@example.com one\n"));
	assert_str(signers(f, "a@example.com"), "");
}

static void
all_lines_of_a_pattern_sign(void **state)
{
	struct fixture *f = *state;
	const char *table = "example.com one\n"
			    "other.example two\n"
			    "Example.COM two:@example.com\n"
			    "example.com one\n"
			    "* any\n";
	assert_true(load(f, key_table, table));
	assert_str(signers(f, "a@example.com"),
	    "example.com/one/ example.com/two/@example.com ");
	f->tables.signing_table = STR("refile:/signing");
	assert_true(load(f, key_table, table));
	assert_str(signers(f, "a@other.example"), "other.example/mail/ ");
	struct dkim_signer one;
	assert_int_equal(
	    dkim_signers_for(f->a, f->keys, STR("a@x.example"), &one, 0), 0);
	assert_int_equal(
	    dkim_signers_for(f->a, f->keys, STR("a@x.example"), &one, 1), 1);
}

static void
an_identity_outside_of_its_domain_is_left_out(void **state)
{
	struct fixture *f = *state;
	assert_true(load(f, key_table,
	    "a.example one:x@example.com\n"
	    "b.example one:x@sub.Example.com\n"
	    "c.example one:x@example.org\n"
	    "d.example any:x@%\n"
	    "e.example one:@%\n"
	    "f.example one:x@notexample.com\n"));
	assert_str(signers(f, "u@a.example"), "example.com/one/x@example.com ");
	assert_str(
	    signers(f, "u@b.example"), "example.com/one/x@sub.example.com ");
	assert_str(signers(f, "u@c.example"), "example.com/one/ ");
	assert_str(signers(f, "u@d.example"), "d.example/mail/x@d.example ");
	assert_str(signers(f, "u@e.example"), "example.com/one/ ");
	assert_str(signers(f, "u@f.example"), "example.com/one/ ");
}

static void
a_key_may_be_named_as_the_senders_domain(void **state)
{
	struct fixture *f = *state;
	f->tables.signing_table = STR("refile:/signing");
	assert_true(load(f, key_table, "* %\n"));
	assert_str(signers(f, "a@example.net"), "example.net/net/ ");
	assert_str(signers(f, "a@example.org"), "");
}

static void
names_of_a_refile_of_keys_may_be_patterns(void **state)
{
	struct fixture *f = *state;
	f->tables.key_table = STR("refile:/keys");
	assert_true(
	    load(f, "*.example %:s:$/rsa\nk example.com:k:$/ed\n", "* %\n"));
	assert_str(signers(f, "a@b.example"), "b.example/s/ ");
	assert_str(signers(f, "a@b.test"), "");
}

/* ---- what keys are read from */

static void
a_path_with_percent_means_a_file_for_each_domain(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(mkdir(path_of(f, "example.com"), 0700), 0);
	assert_int_equal(mkdir(path_of(f, "Sub.example.net"), 0700), 0);
	write_file(f, "example.com/key", key_pem(f->a, f->rsa), 0600);
	write_file(f, "Sub.example.net/key", key_pem(f->a, f->ed25519), 0600);
	assert_true(load(f, "any %:s:$/%/key\n", "* any\n"));
	assert_int_equal(dkim_keys_count(f->keys), 2);
	assert_str(signers(f, "a@example.com"), "example.com/s/ ");
	assert_str(signers(f, "a@sub.example.net"), "sub.example.net/s/ ");
	assert_str(signers(f, "a@example.org"), "");
	/* with a domain it stands for that */
	assert_true(load(f, "one example.com:s:$/%/key\n", "* one\n"));
	assert_str(signers(f, "a@example.org"), "example.com/s/ ");
	assert_true(load(f, "any %:s:$/none/%/key\n", "* any\n"));
	assert_int_equal(diags_count(&f->diags, DIAG_WARNING), 1);
}

static void
keys_are_told_with_their_records(void **state)
{
	struct fixture *f = *state;
	assert_true(load(f,
	    "one example.com:One:$/rsa\n"
	    "two Example.COM:two:$/ed\n",
	    ""));
	assert_int_equal(dkim_keys_count(f->keys), 2);
	const struct dkim_key *one = dkim_keys_at(f->keys, 0);
	const struct dkim_key *two = dkim_keys_at(f->keys, 1);
	assert_null(dkim_keys_at(f->keys, 2));
	assert_str(dkim_key_domain(two), "example.com");
	assert_str(dkim_key_selector(one), "one");
	assert_str(dkim_key_file(one), path_of(f, "rsa"));
	assert_false(dkim_key_is_ed25519(one));
	assert_true(dkim_key_is_ed25519(two));
	assert_str(dkim_key_record_text(f->a, one),
	    str_c(f->a, str_printf(f->a, "v=DKIM1; k=rsa; p=%.*s",
			    STR_ARG(key_public(f->a, f->rsa)))));
	assert_str(dkim_key_record_text(f->a, two),
	    str_c(f->a, str_printf(f->a, "v=DKIM1; k=ed25519; p=%.*s",
			    STR_ARG(key_public(f->a, f->ed25519)))));
}

/* The Ed25519 key of RFC 8032 section 7.1, test 1, as dknewkey(1) writes it. */
#define SEED "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
#define SEED_PUBLIC "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

static void
a_key_comes_in_many_forms(void **state)
{
	struct fixture *f = *state;
	write_file(f, "seed", STR(SEED "\n"), 0600);
	BIO *bio = BIO_new(BIO_s_mem());
	assert_true(PEM_write_bio_PrivateKey_traditional(
	    bio, f->rsa, NULL, NULL, 0, NULL, NULL));
	char *p;
	long len = BIO_get_mem_data(bio, &p);
	write_file(f, "pkcs1", str_of(p, (size_t)len), 0600);
	BIO_free(bio);
	struct str pem = key_line(f->a, f->rsa);
	struct str inside = str_sub(pem, STR("-----BEGIN PRIVATE KEY-----").len,
	    pem.len -
		STR("-----BEGIN PRIVATE KEY----------END PRIVATE KEY-----")
		    .len);
	struct str table = str_printf(f->a,
	    "a x.example:a:$/seed\nb x.example:b:" SEED "\n"
	    "c x.example:c:$/pkcs1\nd x.example:d:%.*s\n"
	    "e x.example:e:%.*s\n",
	    STR_ARG(pem), STR_ARG(inside));
	assert_true(load(f, str_c(f->a, table), ""));
	assert_int_equal(dkim_keys_count(f->keys), 5);
	for (size_t i = 0; i < 2; i++)
		assert_str(dkim_key_record_text(f->a, dkim_keys_at(f->keys, i)),
		    "v=DKIM1; k=ed25519; p=" SEED_PUBLIC);
	struct str public =
	    dkim_private_public(dkim_key_private(dkim_keys_at(f->keys, 2)));
	for (size_t i = 3; i < 5; i++)
		assert_true(str_eq(public, dkim_private_public(dkim_key_private(
					       dkim_keys_at(f->keys, i)))));
	assert_str(dkim_key_file(dkim_keys_at(f->keys, 1)), "/keys:2");
}

static const struct {
	const char *keys, *signing;
	const char *says; /* part of what is said */
} errors[] = {
    {"one\n", "", "error /keys:1: a key is: name domain:selector:path"},
    {"\n# x\none example.com:s\n", "", "error /keys:3: a key is"},
    {"one example.com:s:\n", "", "error /keys:1: a key is"},
    {"one exa mple.com:s:$/rsa\n", "", "error /keys:1: no domain name: exa"},
    {"one example.com::$/rsa\n", "", "error /keys:1: no selector"},
    {"one example.com:s:$/none\n", "", "none: No such file"},
    {"one example.com:s:$\n", "", "it is not a regular file"},
    {"one example.com:s:/dev/null\n", "", "it is not a regular file"},
    {"one example.com:s:$/text\n", "", "text: the key cannot be read"},
    {"one example.com:s:$/short\n", "",
	"short: an RSA key of 512 bits; at least 1024 are needed"},
    {"one example.com:s:$/ec\n", "", "ec: the key is neither RSA nor Ed25519"},
    {"one example.com:s:$/locked\n", "", "locked: the key cannot be read"},
    {"one example.com:s:garbage\n", "",
	"error /keys:1: the key: the key "
	"cannot be read"},
    {"", "a@example.com one\n", "error /signing:1: key one is not in the"},
    {"", "a@example.com\n", "error /signing:1: an entry is: pattern key"},
    {"one example.com:s:$/rsa\n", "example.com one:nobody\n",
	"error /signing:1: no address to sign as: nobody"},
    {"one example.com:s:$/rsa\none example.com:t:$/rsa\n", "",
	"warning /keys:2: key one is there already"},
};

static void
a_mistake_is_told_with_its_line(void **state)
{
	struct fixture *f = *state;
	EVP_PKEY *small = key_new(512);
	EVP_PKEY *ec = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	write_file(f, "short", key_pem(f->a, small), 0600);
	write_file(f, "ec", key_pem(f->a, ec), 0600);
	write_file(f, "text", STR("hello\n"), 0600);
	/* a password would be asked for on the terminal */
	FILE *out = fopen(path_of(f, "locked"), "w");
	assert_int_equal(PEM_write_PrivateKey(out, f->rsa, EVP_aes_128_cbc(),
			     NULL, 0, NULL, (char[]){"secret"}),
	    1);
	(void)fclose(out);
	(void)chmod(path_of(f, "locked"), 0600);
	for (size_t i = 0; i < COUNT_OF(errors); i++) {
		bool is_loaded = load(f, errors[i].keys, errors[i].signing);
		assert_int_equal(
		    is_loaded, strncmp(errors[i].says, "warning", 7) == 0);
		if (str_find(complaints(f), str_from(errors[i].says)) ==
		    STR_NONE)
			fail_msg("%s\nsays %.*s", errors[i].says,
			    STR_ARG(complaints(f)));
	}
	EVP_PKEY_free(small);
	EVP_PKEY_free(ec);
}

static void
tables_of_other_kinds_are_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const kinds[] = {"dsn:mysql://x", "ldap://x",
	    "db:/x.db", "/x.db", "csl:a,b", "a,b", "lua:/x", "x"};
	f->tables.signing_table = STR_EMPTY;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		f->tables.key_table = str_from(kinds[i]);
		f->diags.n = 0;
		assert_null(dkim_keys_load(&f->tables, &f->diags));
		assert_int_not_equal(
		    str_find(complaints(f), STR("other kinds are not known")),
		    STR_NONE);
	}
}

static void
tables_are_read_from_files(void **state)
{
	struct fixture *f = *state;
	write_file(f, "keys", with_folder(f, key_table), 0644);
	write_file(f, "signing", STR("*@example.com one\n"), 0644);
	f->tables.key_table = with_folder(f, "refile:$/keys");
	f->tables.signing_table = with_folder(f, "$/signing");
	f->keys = dkim_keys_load(&f->tables, &f->diags);
	assert_non_null(f->keys);
	assert_str(signers(f, "a@example.com"), "example.com/one/ ");
	dkim_keys_free(f->keys);
	f->keys = NULL;
	f->tables.signing_table = with_folder(f, "file:$/none");
	assert_null(dkim_keys_load(&f->tables, &f->diags));
	assert_int_not_equal(
	    str_find(complaints(f), STR("/none: No such file")), STR_NONE);
	struct dkim_tables none = {
	    .key_table = STR_EMPTY, .signing_table = STR_EMPTY};
	f->keys = dkim_keys_load(&none, &f->diags);
	assert_non_null(f->keys);
	assert_int_equal(dkim_keys_count(f->keys), 0);
	assert_str(signers(f, "a@example.com"), "");
}

static void
a_table_with_a_key_in_it_is_kept_from_others(void **state)
{
	struct fixture *f = *state;
	f->tables.key_table = with_folder(f, "$/keys");
	f->tables.signing_table = STR_EMPTY;
	write_file(f, "keys", STR("one example.com:s:" SEED "\n"), 0644);
	assert_null(dkim_keys_load(&f->tables, &f->diags));
	assert_int_not_equal(
	    str_find(complaints(f), STR("/keys:1: a key stands in this file: "
					"others may read")),
	    STR_NONE);
	assert_int_equal(chmod(path_of(f, "keys"), 0600), 0);
	f->keys = dkim_keys_load(&f->tables, &f->diags);
	assert_non_null(f->keys);
}

/* ---- who may read a key's file; postern is 500:600 */

static const struct {
	const char *label;
	uid_t owner;
	gid_t group;
	mode_t mode;
	const char *says; /* NULL: fine */
} files[] = {
    {"its own", 500, 600, 0600, NULL},
    {"its own, not to be written", 500, 600, 0400, NULL},
    {"its own, of another group", 500, 100, 0600, NULL},
    {"root's, for its group", 0, 600, 0640, NULL},
    {"root's, not to be written", 0, 600, 0440, NULL},
    {"its own and its group's", 500, 600, 0640, NULL},
    {"its own, which it cannot read", 500, 600, 0000, "uid 500 cannot read"},
    {"root's alone", 0, 0, 0600, "uid 500 cannot read it (chgrp 600"},
    {"root's and root's group's", 0, 0, 0640, "uid 500 cannot read"},
    {"somebody's", 501, 600, 0640, "it belongs to uid 501"},
    {"read by others", 500, 600, 0604, "others may read or write it"},
    {"written by others", 500, 600, 0602, "others may read or write it"},
    {"read by all", 0, 0, 0644, "others may read or write it"},
    {"written by its group", 0, 600, 0660, "its group may write it"},
    {"read by a group", 0, 601, 0640, "group 601 may read it"},
    {"its own, read by a group", 500, 601, 0640, "group 601 may read it"},
};

static void
a_keys_file_is_for_postern_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		struct arena *a = arena_new();
		struct stat st = {.st_uid = files[i].owner,
		    .st_gid = files[i].group,
		    .st_mode = S_IFREG | files[i].mode};
		struct str why = dkim_secret_check(a, &st, 500, 600);
		bool is_wanted =
		    files[i].says == NULL
			? why.len == 0
			: str_find(why, str_from(files[i].says)) != STR_NONE;
		if (!is_wanted)
			fail_msg("%s: %.*s", files[i].label, STR_ARG(why));
		arena_free(a);
	}
}

static void
a_real_file_is_looked_at(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(chmod(path_of(f, "rsa"), 0644), 0);
	assert_false(load(f, "one example.com:s:$/rsa\n", ""));
	assert_int_not_equal(
	    str_find(complaints(f), STR("rsa: others may read")), STR_NONE);
}

/* ---- what is published */

static void
the_published_key_is_compared(void **state)
{
	struct fixture *f = *state;
	assert_true(load(f,
	    "a example.com:a:$/rsa\nb example.com:b:$/rsa\n"
	    "c example.com:c:$/rsa\nd example.com:d:$/rsa\n"
	    "e example.com:e:$/rsa\nf example.com:f:$/ed\n"
	    "g example.com:g:$/rsa\nh example.com:h:$/rsa\n"
	    "i example.com:i:$/rsa\n",
	    "a a\nb b\nc c\nd d\ne e\nf f\ng g\nh h:x@sub.example.com\ni i\n"));
	struct arena *a = f->a;
	EVP_PKEY *other = key_new(1024);
	struct str good = key_public(a, f->rsa);
	struct zone zone = {.n = 0};
	zone_add(&zone, "a._domainkey.example.com",
	    str_printf(a, "v=DKIM1; p=%.*s", STR_ARG(good)));
	zone_add(&zone, "c._domainkey.example.com", STR("v=DKIM1; p="));
	zone_add(&zone, "d._domainkey.example.com",
	    str_printf(a, "p=%.*s", STR_ARG(key_public(a, other))));
	zone_add(&zone, "e._domainkey.example.com", STR_EMPTY);
	zone.v[zone.n - 1].is_temp = true;
	zone_add(&zone, "f._domainkey.example.com",
	    str_printf(
		a, "k=ed25519;p=%.*s", STR_ARG(key_public(a, f->ed25519))));
	zone_add(&zone, "g._domainkey.example.com",
	    str_printf(a, "h=sha1;p=%.*s", STR_ARG(good)));
	zone_add(&zone, "h._domainkey.example.com",
	    str_printf(a, "t=s;p=%.*s", STR_ARG(good)));
	zone_add(&zone, "i._domainkey.example.com", STR("v=DKIM1; p=AAAA"));
	static const struct {
		const char *from, *want;
	} wanted[] = {{"x@a", "matches"}, {"x@b", "missing"},
	    {"x@c", "revoked"}, {"x@d", "differs"}, {"x@e", "unknown"},
	    {"x@f", "matches"}, {"x@g", "differs"}, {"x@h", "differs"},
	    {"x@i", "differs"}};
	struct resolver *r = resolver_new_source(zone_answer, &zone);
	struct cache *cache = cache_new(10, 100000);
	struct dns_budget budget = zone_budget();
	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		struct dkim_signer signer;
		assert_int_equal(dkim_signers_for(a, f->keys,
				     str_from(wanted[i].from), &signer, 1),
		    1);
		assert_str(dkim_match_name(
			       dkim_key_match(a, r, cache, &signer, &budget)),
		    wanted[i].want);
	}
	cache_free(cache);
	resolver_free(r);
	EVP_PKEY_free(other);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
static const struct CMUnitTest tests[] = {
    CASE(a_plain_table_is_asked_from_the_address_to_the_star),
    CASE(the_first_line_of_a_refile_that_matches_decides),
    CASE(a_star_makes_a_plain_path_a_refile),
    CASE(all_lines_of_a_pattern_sign),
    CASE(an_identity_outside_of_its_domain_is_left_out),
    CASE(a_key_may_be_named_as_the_senders_domain),
    CASE(names_of_a_refile_of_keys_may_be_patterns),
    CASE(a_path_with_percent_means_a_file_for_each_domain),
    CASE(keys_are_told_with_their_records),
    CASE(a_key_comes_in_many_forms),
    CASE(a_mistake_is_told_with_its_line),
    CASE(tables_of_other_kinds_are_refused),
    CASE(tables_are_read_from_files),
    CASE(a_table_with_a_key_in_it_is_kept_from_others),
    cmocka_unit_test(a_keys_file_is_for_postern_alone),
    CASE(a_real_file_is_looked_at),
    CASE(the_published_key_is_compared),
};
UNIT_MAIN(tests)
