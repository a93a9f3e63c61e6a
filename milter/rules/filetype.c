/* SPDX-License-Identifier: BSD-2-Clause */
/* filetype -- file endings, magic numbers, and the directory of a ZIP file. */
#include "rules/filetype.h"

static const struct {
	const char *name;
	unsigned kind;
} KINDS[] = {
    {"exe", FILE_EXE},
    {"script", FILE_SCRIPT},
    {"macro", FILE_MACRO},
    {"archive", FILE_ARCHIVE},
    {"disk", FILE_DISK},
    {"html", FILE_HTML},
    {"link", FILE_LINK},
    {"double", FILE_DOUBLE},
    {"trick", FILE_TRICK},
    {"locked", FILE_LOCKED},
    {"pdf", FILE_PDF},
    {"image", FILE_IMAGE},
    {"shell", FILE_SHELL},
};

/* Endings of what Windows, macOS and Linux start or open with a double click.
 */
static const struct {
	unsigned kind;
	const char *endings; /* blank between */
} ENDINGS[] = {
    {FILE_EXE,
	" exe scr com pif cpl dll sys ocx msi msp mst msix msixbundle appx "
	"appxbundle jar jnlp class apk ipa dmg pkg app deb rpm run elf bin xll "
	"wll ax drv gadget scf application appref-ms "},
    {FILE_SCRIPT,
	" js jse vbs vbe vb wsf wsh wsc ws sct hta ps1 ps1xml psm1 psd1 psc1 "
	"bat cmd reg inf job chm hlp mht msc cdxml settingcontent-ms iqy slk "
	"au3 applescript scpt command workflow osx wsb "},
    {FILE_SHELL, " sh bash zsh csh ksh py pyw pyc pl php rb lua "},
    {FILE_MACRO,
	" docm dotm xlsm xltm xlam xlsb pptm potm ppam ppsm sldm xla xlm "
	"accde accdr accdb mdb mde ade adp "},
    {FILE_ARCHIVE,
	" zip rar 7z gz tgz tar bz2 tbz2 xz txz lzh lha arj ace cab z r00 r01 "
	"001 zipx zst lz uue uu xxe daa arc alz egg kgb "},
    {FILE_DISK, " iso img vhd vhdx udf nrg bin cue mdf vmdk wim swm esd "},
    {FILE_HTML, " htm html shtm shtml xhtml xht svg svgz mhtml "},
    {FILE_LINK, " lnk url website webloc desktop library-ms search-ms "
		"searchconnector-ms "
		"rdp one onepkg "},
    {FILE_PDF, " pdf "},
    {FILE_IMAGE, " jpg jpeg png gif bmp webp tif tiff heic "},
};

/* What "harmless.pdf.exe" pretends to be. */
static const char PRETENDED[] =
    " pdf doc docx xls xlsx ppt pptx rtf odt ods txt csv jpg jpeg png gif bmp "
    "tif tiff mp3 mp4 avi mov wav htm html zip eml msg dwg ";

static bool
list_has(const char *list, struct str word)
{
	char needle[24];
	if (word.len == 0 || word.len > sizeof(needle) - 2)
		return false;
	needle[0] = ' ';
	for (size_t i = 0; i < word.len; i++) {
		if (word.p[i] == ' ')
			return false;
		needle[1 + i] = char_lower(word.p[i]);
	}
	needle[1 + word.len] = ' ';
	return str_find(str_from(list), str_of(needle, word.len + 2)) !=
	       STR_NONE;
}

unsigned
file_kind_parse(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(KINDS); i++)
		if (str_ieq(name, str_from(KINDS[i].name)))
			return KINDS[i].kind;
	return 0;
}

static unsigned
kind_of_ending(struct str ending)
{
	unsigned kinds = 0;
	for (size_t i = 0; i < COUNT_OF(ENDINGS); i++)
		if (list_has(ENDINGS[i].endings, ending))
			kinds |= ENDINGS[i].kind;
	return kinds;
}

/* Windows drops blanks and dots at the end of a name. */
static struct str
name_without_tail(struct str name)
{
	while (name.len > 0 &&
	       (char_is_space(name.p[name.len - 1]) ||
		   name.p[name.len - 1] == '.' || name.p[name.len - 1] == '"'))
		name.len--;
	return name;
}

/* Behind the last dot; empty: none. */
static struct str
name_ending(struct str name)
{
	size_t dot = str_rchr(name, '.');
	return dot == STR_NONE ? STR_EMPTY : str_skip(name, dot + 1);
}

/* Right-to-left override or isolate, or a wide gap that pushes the ending out
 * of sight. */
static bool
name_is_trick(struct str name)
{
	return str_find(name, STR("\xe2\x80\xae")) != STR_NONE ||
	       str_find(name, STR("\xe2\x80\xad")) != STR_NONE ||
	       str_find(name, STR("\xe2\x81\xa7")) != STR_NONE ||
	       str_find(name, STR("          ")) != STR_NONE;
}

unsigned
file_kind_of_name(struct str name)
{
	name = name_without_tail(name);
	struct str ending = name_ending(name);
	unsigned kinds = kind_of_ending(ending);
	const unsigned active =
	    FILE_EXE | FILE_SCRIPT | FILE_MACRO | FILE_LINK | FILE_DISK;
	if (kinds & active) {
		struct str stem =
		    name_without_tail(str_sub(name, 0, name.len - ending.len));
		if (list_has(PRETENDED, name_ending(stem)))
			kinds |= FILE_DOUBLE;
		if (name_is_trick(name))
			kinds |= FILE_TRICK;
	} else if (str_find(name, STR("\xe2\x80\xae")) != STR_NONE)
		kinds |= FILE_TRICK;
	return kinds;
}

/* --- bytes -------------------------------------------------------------- */

static const struct magic {
	size_t at;
	struct str bytes;
	unsigned kind;
} MAGIC[] = {
    {0,
	{"\x7f"
	 "ELF",
	    4},
	FILE_EXE},
    {0, {"\xfe\xed\xfa\xce", 4}, FILE_EXE},
    {0, {"\xfe\xed\xfa\xcf", 4}, FILE_EXE},
    {0, {"\xce\xfa\xed\xfe", 4}, FILE_EXE},
    {0, {"\xcf\xfa\xed\xfe", 4}, FILE_EXE},
    {0, {"\xca\xfe\xba\xbe", 4}, FILE_EXE},
    {0, {"dex\n", 4}, FILE_EXE},
    {0, {"!<arch>\n", 8}, FILE_EXE},
    {0, {"\xed\xab\xee\xdb", 4}, FILE_EXE},
    {0, {"#!", 2}, FILE_SHELL},
    {0, {"#@~^", 4}, FILE_SCRIPT}, /* encoded VBScript or JScript */
    {0, {"<?php", 5}, FILE_SHELL},
    {0, {"ITSF", 4}, FILE_SCRIPT}, /* compiled help */
    {0, {"PK\x03\x04", 4}, FILE_ARCHIVE},
    {0, {"PK\x05\x06", 4}, FILE_ARCHIVE},
    {0, {"Rar!\x1a\x07", 6}, FILE_ARCHIVE},
    {0, {"7z\xbc\xaf\x27\x1c", 6}, FILE_ARCHIVE},
    {0, {"\x1f\x8b", 2}, FILE_ARCHIVE},
    {0,
	{"\xfd"
	 "7zXZ",
	    5},
	FILE_ARCHIVE},
    {0, {"BZh", 3}, FILE_ARCHIVE},
    {0, {"MSCF", 4}, FILE_ARCHIVE},
    {0, {"\x28\xb5\x2f\xfd", 4}, FILE_ARCHIVE},
    {7, {"**ACE**", 7}, FILE_ARCHIVE},
    {257, {"ustar", 5}, FILE_ARCHIVE},
    {2, {"-lh", 3}, FILE_ARCHIVE},
    {0, {"conectix", 8}, FILE_DISK},
    {0, {"vhdxfile", 8}, FILE_DISK},
    {0, {"KDMV", 4}, FILE_DISK},
    {0, {"MSWIM\0\0\0", 8}, FILE_DISK},
    {32769, {"CD001", 5}, FILE_DISK},
    {32769, {"BEA01", 5}, FILE_DISK},
    {34817, {"CD001", 5}, FILE_DISK},
    {0, {"\x4c\0\0\0\x01\x14\x02\0", 8}, FILE_LINK},
    {0, {"[InternetShortcut]", 18}, FILE_LINK},
    {0, {"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", 8}, FILE_LINK}, /* OneNote */
    {0, {"%PDF-", 5}, FILE_PDF},
    {0, {"\xff\xd8\xff", 3}, FILE_IMAGE},
    {0, {"\x89PNG\r\n", 6}, FILE_IMAGE},
    {0, {"GIF8", 4}, FILE_IMAGE},
};

static uint32_t
little(struct str bytes, size_t at, size_t width)
{
	uint32_t value = 0;
	for (size_t i = width; i-- > 0;)
		value = value << 8 | (uint8_t)bytes.p[at + i];
	return value;
}

/* "MZ" begins many a text; the header it points to does not. */
static bool
is_pe(struct str bytes)
{
	if (bytes.len < 64 || !str_starts(bytes, STR("MZ")))
		return false;
	size_t at = little(bytes, 60, 4);
	struct str signature = str_sub(bytes, at, 4);
	return at >= bytes.len /* cut, or plain DOS */ ||
	       str_starts(signature, STR("PE\0\0")) ||
	       str_starts(signature, STR("NE")) ||
	       str_starts(signature, STR("LE")) ||
	       str_starts(signature, STR("LX"));
}

#define COMPOUND STR("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")

/* Names in the directory of a compound file are UTF-16. */
static unsigned
kind_of_compound(struct str bytes)
{
	static const struct magic STREAMS[] = {
	    {0, {"_\0V\0B\0A\0_\0P\0R\0O\0J\0E\0C\0T\0", 24}, FILE_MACRO},
	    {0, {"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0", 32},
		FILE_LOCKED},
	};
	unsigned kinds = 0;
	if (!str_starts(bytes, COMPOUND))
		return 0;
	for (size_t i = 0; i < COUNT_OF(STREAMS); i++)
		if (str_find(bytes, STREAMS[i].bytes) != STR_NONE)
			kinds |= STREAMS[i].kind;
	return kinds;
}

/* --- ZIP (APPNOTE.TXT 6.3) ---------------------------------------------- */

#define ZIP_LOCAL 30   /* bytes of a local header in front of the name */
#define ZIP_CENTRAL 46 /* of an entry of the central directory */
#define ZIP_END 22     /* of the end record in front of its comment */

/* One member; `next` is where to look for the one behind it. */
struct zip_entry {
	struct str name;
	unsigned flags;
	size_t next;
};

static bool
zip_local(struct str bytes, size_t at, struct zip_entry *ret)
{
	if (at > bytes.len || bytes.len - at < ZIP_LOCAL ||
	    !str_starts(str_skip(bytes, at), STR("PK\x03\x04")))
		return false;
	size_t name = little(bytes, at + 26, 2);
	*ret = (struct zip_entry){.name = str_sub(bytes, at + ZIP_LOCAL, name),
	    .flags = little(bytes, at + 6, 2),
	    .next = at + ZIP_LOCAL + name + little(bytes, at + 28, 2) +
		    little(bytes, at + 18, 4)};
	return true;
}

static bool
zip_central(struct str bytes, size_t at, struct zip_entry *ret)
{
	if (at > bytes.len || bytes.len - at < ZIP_CENTRAL ||
	    !str_starts(str_skip(bytes, at), STR("PK\x01\x02")))
		return false;
	size_t name = little(bytes, at + 28, 2);
	*ret =
	    (struct zip_entry){.name = str_sub(bytes, at + ZIP_CENTRAL, name),
		.flags = little(bytes, at + 8, 2),
		.next = at + ZIP_CENTRAL + name + little(bytes, at + 30, 2) +
			little(bytes, at + 32, 2)};
	return true;
}

/* Start of the central directory; STR_NONE: no end record in the last 64 KiB.
 */
static size_t
zip_directory(struct str bytes)
{
	size_t lowest =
	    bytes.len > 65535 + ZIP_END ? bytes.len - 65535 - ZIP_END : 0;
	for (size_t at = bytes.len; at-- > lowest;)
		if (bytes.p[at] == 'P' && bytes.len - at >= ZIP_END &&
		    str_starts(str_skip(bytes, at), STR("PK\x05\x06"))) {
			size_t start = little(bytes, at + 16, 4);
			return start < at ? start : STR_NONE;
		}
	return STR_NONE;
}

static void
zip_walk(struct str bytes, bool (*fn)(void *arg, const struct zip_entry *entry),
    void *arg)
{
	struct zip_entry entry;
	size_t at = zip_directory(bytes);
	bool (*read)(struct str, size_t, struct zip_entry *) = zip_central;
	if (at == STR_NONE || !zip_central(bytes, at, &entry)) {
		read = zip_local;
		at = 0;
	}
	for (size_t i = 0; i < ZIP_MEMBERS_MAX; i++, at = entry.next)
		if (!read(bytes, at, &entry) || !fn(arg, &entry))
			return;
}

struct zip_names {
	bool (*fn)(void *arg, struct str name);
	void *arg;
};

static bool
hand_name(void *arg, const struct zip_entry *entry)
{
	const struct zip_names *names = arg;
	return names->fn(names->arg, entry->name);
}

void
zip_members(struct str bytes, bool (*fn)(void *arg, struct str name), void *arg)
{
	struct zip_names names = {fn, arg};
	if (str_starts(bytes, STR("PK")))
		zip_walk(bytes, hand_name, &names);
}

/* An office document is a ZIP with parts of well-known names (ECMA-376). */
static bool
judge_member(void *arg, const struct zip_entry *entry)
{
	unsigned *kinds = arg;
	if (entry->flags & 1)
		*kinds |= FILE_LOCKED;
	if (str_ifind(entry->name, STR("vbaproject.bin")) != STR_NONE ||
	    str_ifind(entry->name, STR("/macrosheets/")) != STR_NONE)
		*kinds |= FILE_MACRO;
	if (str_ieq(entry->name, STR("META-INF/MANIFEST.MF")) ||
	    str_ieq(entry->name, STR("AndroidManifest.xml")))
		*kinds |= FILE_EXE;
	if (str_ieq(entry->name, STR("[Content_Types].xml")))
		*kinds &= ~(unsigned)FILE_ARCHIVE;
	return true;
}

static bool
starts_as_html(struct str bytes)
{
	static const struct str STARTS[] = {{"<!doctype html", 14},
	    {"<html", 5}, {"<head", 5}, {"<body", 5}, {"<script", 7},
	    {"<svg", 4}, {"<meta ", 6}};
	struct str text = str_trim(str_sub(bytes, 0, 512));
	if (str_starts(text, STR("\xef\xbb\xbf")))
		text = str_trim(str_skip(text, 3));
	for (size_t i = 0; i < COUNT_OF(STARTS); i++)
		if (str_istarts(text, STARTS[i]))
			return true;
	return false;
}

unsigned
file_kind_of_bytes(struct str bytes)
{
	unsigned kinds = kind_of_compound(bytes);
	for (size_t i = 0; i < COUNT_OF(MAGIC); i++)
		if (str_starts(str_skip(bytes, MAGIC[i].at), MAGIC[i].bytes))
			kinds |= MAGIC[i].kind;
	if (is_pe(bytes))
		kinds |= FILE_EXE;
	if (starts_as_html(bytes))
		kinds |= FILE_HTML;
	if (kinds & FILE_ARCHIVE && str_starts(bytes, STR("PK")))
		zip_walk(bytes, judge_member, &kinds);
	return kinds;
}

/* These point to places further on; MAGIC stands within 35 KB. */
bool
file_kind_needs_all(struct str head)
{
	return str_starts(head, COMPOUND) || str_starts(head, STR("PK")) ||
	       str_starts(head, STR("MZ"));
}
