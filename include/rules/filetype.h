/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filetype -- what a file is, by its name and by its bytes.  Nothing is
 * unpacked: of an archive only the names of its members are read.
 */
#ifndef RULES_FILETYPE_H
#define RULES_FILETYPE_H

#include "base/str.h"

enum file_kind {
	/* a program: PE, ELF, Mach-O, Java, packages that install */
	FILE_EXE = 1 << 0,
	/* run by a double click: .js .vbs .ps1 .bat */
	FILE_SCRIPT = 1 << 1,
	/* by name an office document for macros, by bytes one that has some */
	FILE_MACRO = 1 << 2,
	FILE_ARCHIVE = 1 << 3,
	/* image of a disk: .iso .img .vhd */
	FILE_DISK = 1 << 4,
	/* a page that a browser opens from the disk */
	FILE_HTML = 1 << 5,
	/* shortcut: .lnk .url .library-ms */
	FILE_LINK = 1 << 6,
	/* by name: "invoice.pdf.exe" */
	FILE_DOUBLE = 1 << 7,
	/* by name: turned writing direction, a gap before the ending */
	FILE_TRICK = 1 << 8,
	/* by bytes: encrypted archive or office document */
	FILE_LOCKED = 1 << 9,
	FILE_PDF = 1 << 10,
	FILE_IMAGE = 1 << 11,
	/* a developer's script: .sh .py .pl .php, #! */
	FILE_SHELL = 1 << 12
};

/* "exe", "script", ... ; 0: no such kind. */
unsigned file_kind_parse(struct str name);

/* Kinds that the file name `name` (decoded, UTF-8) stands for; 0: nothing of
 * note. */
unsigned file_kind_of_name(struct str name);
/* Kinds that the bytes show; `bytes` is the whole decoded file. */
unsigned file_kind_of_bytes(struct str bytes);
/* Whether that may differ for the first PART_HEAD_BYTES of the file, `head`. */
bool file_kind_needs_all(struct str head);

/*
 * Call `fn(arg, name)` for each member of the ZIP file `bytes`, until it says
 * false; at most ZIP_MEMBERS_MAX.  A broken or cut file gives what can be read.
 */
#define ZIP_MEMBERS_MAX 10000
void zip_members(
    struct str bytes, bool (*fn)(void *arg, struct str name), void *arg);

#endif
