/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eval_image -- what SpamAssassin's ImageInfo asks of attached pictures: how
 * many, of what size, under what names.  Only the bytes that say the size are
 * looked at, as that plugin looks at them: a picture that it cannot read counts
 * as one, without a size.
 */
#include "base/arena.h"
#include "mail/header.h"
#include "rules/eval_rows.h"
#include "rules/regex.h"

#define JPEG_MARKER 0xff
#define JPEG_SCAN 0xda
#define JPEG_END 0xd9
#define NUMBERS_MAX 7

enum image_type { IMAGE_GIF, IMAGE_PNG, IMAGE_JPEG, IMAGE_TYPES };

struct image_size {
	enum image_type type;
	uint32_t height, width;
};

struct image_facts {
	double count[IMAGE_TYPES], pixels[IMAGE_TYPES];
	struct {
		struct image_size *v;
		size_t n, cap;
	} sizes;
	struct strs names; /* of pictures that have a size */
};

static unsigned
byte_at(struct str s, size_t i)
{
	return (unsigned char)s.p[i];
}

static uint32_t
big_endian(struct str s, size_t at, size_t n)
{
	uint32_t number = 0;
	for (size_t i = 0; i < n; i++)
		number = number << 8 | byte_at(s, at + i);
	return number;
}

/* Numbers of a format; the most are NUMBERS_MAX. */
struct layout {
	const char *sizes; /* bytes of each: "221" */
	bool is_big_endian;
};

/*
 * What Perl's unpack gives: a number that does not fit into the rest of `s` is
 * passed over, and the ones behind it move up.  The others are 0.
 */
static void
unpack(struct str s, const struct layout *layout, uint32_t *ret)
{
	size_t n = 0;
	memset(ret, 0, NUMBERS_MAX * sizeof(*ret));
	for (const char *size = layout->sizes; *size != '\0'; size++) {
		size_t bytes = (size_t)(*size - '0');
		if (s.len < bytes)
			continue;
		for (size_t i = 0; i < bytes; i++) {
			size_t at = layout->is_big_endian ? i : bytes - 1 - i;
			ret[n] = ret[n] << 8 | byte_at(s, at);
		}
		s = str_skip(s, bytes);
		n++;
	}
}

/* CompuServe, GIF89a, section 18; 87a is the same here. */
static void
gif_size(struct str data, struct image_size *ret)
{
	static const struct layout layout = {"22111", false};
	uint32_t numbers[NUMBERS_MAX];
	data = str_sub(data, 0, 13);
	if (!str_starts(data, STR("GIF87a")) &&
	    !str_starts(data, STR("GIF89a")))
		return;
	unpack(str_skip(data, 6), &layout, numbers);
	ret->width = numbers[0];
	ret->height = numbers[1];
}

/*
 * ISO/IEC 15948 section 11.2.2.  The plugin looks for the chunk at every eighth
 * byte, and takes the last four bytes of it for its checksum, however short it
 * is.
 */
static void
png_size(struct str data, struct image_size *ret)
{
	static const struct layout layout = {"4411111", true};
	uint32_t numbers[NUMBERS_MAX];
	if (!str_starts(data, STR("\x89PNG\r\n\x1a\n")))
		return;
	for (size_t at = 8; at + 8 <= data.len; at += 8) {
		struct str type = str_sub(data, at + 4, 4);
		if (str_eq(type, STR("IEND")))
			return;
		if (!str_eq(type, STR("IHDR")) || big_endian(data, at, 4) != 13)
			continue;
		struct str chunk = str_sub(data, at + 8, 17);
		chunk.len -= chunk.len < 4 ? chunk.len : 4;
		unpack(chunk, &layout, numbers);
		ret->width = numbers[0];
		ret->height = numbers[1];
		return;
	}
}

/* SOF0 to SOF15 without DHT, JPG and DAC (ITU-T T.81 table B.1). */
static bool
is_frame(unsigned marker)
{
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 &&
	       marker != 0xc8 && marker != 0xcc;
}

static void
jpeg_size(struct str data, struct image_size *ret)
{
	static const struct layout layout = {"1221", true};
	uint32_t numbers[NUMBERS_MAX];
	if (!str_starts(data, STR("\xff\xd8")))
		return;
	for (size_t at = 2; at + 4 <= data.len;) {
		unsigned marker = byte_at(data, at + 1);
		size_t length = big_endian(data, at + 2, 2);
		if (byte_at(data, at) != JPEG_MARKER || marker == JPEG_SCAN ||
		    marker == JPEG_END || length < 2)
			return;
		struct str block = str_sub(data, at + 4, length - 2);
		if (is_frame(marker)) {
			unpack(str_sub(block, 0, 6), &layout, numbers);
			ret->height = numbers[1];
			ret->width = numbers[2];
			return;
		}
		at += 4 + block.len;
	}
}

static const struct {
	const char *type; /* of the part */
	enum image_type image;
	void (*read)(struct str data, struct image_size *ret);
} readers[] = {
    {"image/gif", IMAGE_GIF, gif_size},
    {"image/png", IMAGE_PNG, png_size},
    {"image/jpeg", IMAGE_JPEG, jpeg_size},
    {"image/jpg", IMAGE_JPEG, jpeg_size},
};

static void
add_image(struct arena *a, struct image_facts *facts,
    const struct image_size *size, struct str name)
{
	facts->count[size->type]++;
	if (size->height == 0 || size->width == 0)
		return;
	facts->pixels[size->type] += (double)size->width * size->height;
	ARENA_PUSH(a, &facts->sizes) = *size;
	if (name.len > 0 && !str_eq(name, STR("0")))
		strs_add(a, &facts->names, name);
}

static void
see_part(struct message *m, struct part *part, struct image_facts *facts)
{
	struct str encoding = headers_value(
	    m->arena, &part->headers, STR("content-transfer-encoding"));
	if (!part_is_leaf(part) || !str_ieq(encoding, STR("base64")))
		return;
	for (size_t i = 0; i < COUNT_OF(readers); i++) {
		if (!str_eq(part->type, str_from(readers[i].type)))
			continue;
		struct image_size size = {.type = readers[i].image};
		readers[i].read(part_decoded(m, part), &size);
		add_image(m->arena, facts, &size, part->shown_name);
	}
}

static const struct image_facts *
image_facts(struct eval_call *call)
{
	struct message *m = call->message;
	if (call->cache->images != NULL)
		return call->cache->images;
	struct image_facts *facts = ARENA_NEW(m->arena, struct image_facts);
	for (struct part *p = m->root; p != NULL; p = part_next(p))
		see_part(m, p, facts);
	call->cache->images = facts;
	return facts;
}

/* "gif", or "all" */
static bool
is_wanted(struct str name, enum image_type type)
{
	static const char *const names[IMAGE_TYPES] = {
	    [IMAGE_GIF] = "gif",
	    [IMAGE_PNG] = "png",
	    [IMAGE_JPEG] = "jpeg",
	};
	return str_eq(name, STR("all")) || str_eq(name, str_from(names[type]));
}

/* The sum over the kinds that argument 0 names; false: it names none. */
static bool
sum_of(struct eval_call *call, const double *values, double *ret)
{
	bool is_known = false;
	*ret = 0;
	for (size_t i = 0; i < IMAGE_TYPES; i++) {
		if (!is_wanted(eval_arg(call, 0), (enum image_type)i))
			continue;
		is_known = true;
		*ret += values[i];
	}
	return is_known;
}

static bool
is_within(struct eval_call *call, double value)
{
	return value >= eval_number(call, 1) &&
	       (call->nargs < 3 || value <= eval_number(call, 2));
}

static int
image_count(struct eval_call *call)
{
	double n;
	return call->nargs > 1 && sum_of(call, image_facts(call)->count, &n) &&
	       is_within(call, n);
}

static int
pixel_coverage(struct eval_call *call)
{
	double n;
	return call->nargs > 1 && sum_of(call, image_facts(call)->pixels, &n) &&
	       is_within(call, n);
}

static int
image_to_text_ratio(struct eval_call *call)
{
	const struct strs *text = eval_text(call);
	double pixels, bytes = 0;
	for (size_t i = 0; i < text->n; i++)
		bytes += (double)text->v[i].len;
	if (call->nargs < 3 || bytes == 0 ||
	    !sum_of(call, image_facts(call)->pixels, &pixels) || pixels == 0)
		return 0;
	double ratio = bytes / pixels;
	return ratio >= eval_number(call, 1) && ratio < eval_number(call, 2);
}

static int
image_size_exact(struct eval_call *call)
{
	struct arena *a = call->message->arena;
	const struct image_facts *facts = image_facts(call);
	for (size_t i = 0; i < facts->sizes.n && call->nargs > 2; i++) {
		const struct image_size *size = &facts->sizes.v[i];
		if (is_wanted(eval_arg(call, 0), size->type) &&
		    str_eq(str_printf(a, "%u", size->height), call->args[1]) &&
		    str_eq(str_printf(a, "%u", size->width), call->args[2]))
			return 1;
	}
	return 0;
}

static int
image_size_range(struct eval_call *call)
{
	const struct image_facts *facts = image_facts(call);
	for (size_t i = 0; i < facts->sizes.n && call->nargs > 2; i++) {
		const struct image_size *size = &facts->sizes.v[i];
		if (is_wanted(eval_arg(call, 0), size->type) &&
		    size->height >= eval_number(call, 1) &&
		    size->width >= eval_number(call, 2) &&
		    (call->nargs < 4 || size->height <= eval_number(call, 3)) &&
		    (call->nargs < 5 || size->width <= eval_number(call, 4)))
			return 1;
	}
	return 0;
}

static int
image_named(struct eval_call *call)
{
	const struct image_facts *facts = image_facts(call);
	return call->nargs > 0 && strs_has(&facts->names, call->args[0]);
}

static int
image_name_regex(struct eval_call *call)
{
	const struct image_facts *facts = image_facts(call);
	struct regex_span span;
	for (size_t i = 0; i < facts->names.n; i++)
		if (regex_match(call->regexes[0], call->scratch,
			facts->names.v[i], 0, false, &span) == REGEX_YES)
			return eval_hit(call, facts->names.v[i]);
	return 0;
}

const struct eval_row EVAL_IMAGE[] = {
    {"image_count", 1, 3, "s", NEED_HEADER | NEED_PARTS,
	"from N to M pictures of a kind: 'gif', 'png', 'jpeg' or 'all'",
	"ImageInfo", image_count},
    {"pixel_coverage", 1, 3, "s", NEED_HEADER | NEED_PARTS,
	"pictures of a kind have from N to M pixels", "ImageInfo",
	pixel_coverage},
    {"image_size_exact", 1, 3, "s", NEED_HEADER | NEED_PARTS,
	"a picture of a kind has that height and width", "ImageInfo",
	image_size_exact},
    {"image_size_range", 1, 5, "s", NEED_HEADER | NEED_PARTS,
	"a picture of a kind has at least height N and width M, at most height "
	"K and width L",
	"ImageInfo", image_size_range},
    {"image_named", 0, 1, "s", NEED_HEADER | NEED_PARTS,
	"a picture has that file name", "ImageInfo", image_named},
    {"image_name_regex", 1, 1, "p", NEED_HEADER | NEED_PARTS,
	"the file name of a picture matches the pattern, which has no "
	"delimiters",
	"ImageInfo", image_name_regex},
    {"image_to_text_ratio", 1, 3, "s",
	NEED_HEADER | NEED_BODY | NEED_RAWBODY | NEED_PARTS,
	"bytes of text by pixels of pictures of a kind: from N to less than M",
	"ImageInfo", image_to_text_ratio},
    {NULL, 0, 0, NULL, 0, NULL, NULL, NULL},
};
