/* SPDX-License-Identifier: BSD-2-Clause */
/* eval_image -- what rules find out about attached pictures. */
#include "eval_case.h"

#define PICTURE(type, name, data)                           \
	"Content-Type: image/" type "; name=\"" name "\"\n" \
	"Content-Transfer-Encoding: base64\n\n" data "\n"
/* GIF89a, 16 wide, 2 high. */
#define GIF "R0lGODlhEAACAIAAAA=="
/* PNG, 300 wide, 200 high; the first chunk without its checksum. */
#define PNG "iVBORw0KGgoAAAANSUhEUgAAASwAAADICAIAAABYWFhY"
#define PNG_SHORT "iVBORw0KGgoAAAANSUhEUgAAASwAAADI"
/* JPEG, JFIF, then SOF0: 5 high, 7 wide. */
#define JPEG "/9j/4AAQSkZJRgABAQAAAQABAAD/wAARCAAFAAcDASIA"

static void
pictures_are_counted_and_measured(void **state)
{
	(void)state;
	static const struct eval_case CASES[] = {
	    CASE("image_count('all',1,1)", PICTURE("gif", "a.gif", GIF), 1),
	    CASE("image_count('gif','1','1')", PICTURE("gif", "a.gif", GIF), 1),
	    CASE("image_count('png',1)", PICTURE("gif", "a.gif", GIF), 0),
	    CASE("image_count('png',0)", PICTURE("gif", "a.gif", GIF), 1),
	    CASE("image_count('jpg',0)", PICTURE("jpg", "a.jpg", JPEG), 0),
	    CASE("image_count('jpeg',1)", PICTURE("jpg", "a.jpg", JPEG), 1),
	    CASE("image_count('jpeg',1)", PICTURE("pjpeg", "a.jpg", JPEG), 0),
	    CASE("image_count('all')", PICTURE("gif", "a.gif", GIF), 0),
	    CASE("image_count('gif',1)", PICTURE("gif", "a.gif", "eHh4"), 1),
	    CASE("image_count('gif',1)", "Content-Type: image/gif\n\nGIF89a\n",
		0),
	    CASE("pixel_coverage('gif',32,32)", PICTURE("gif", "a", GIF), 1),
	    CASE("pixel_coverage('all',60000,60000)", PICTURE("png", "a", PNG),
		1),
	    CASE(
		"pixel_coverage('all',0,0)", PICTURE("png", "a", PNG_SHORT), 1),
	    CASE("pixel_coverage('all',35)", PICTURE("jpeg", "a", JPEG), 1),
	    CASE("pixel_coverage('all',36)", PICTURE("jpeg", "a", JPEG), 0),
	    CASE("image_size_exact('gif',2,16)", PICTURE("gif", "a", GIF), 1),
	    CASE("image_size_exact('all',2,16)", PICTURE("gif", "a", GIF), 1),
	    CASE("image_size_exact('gif',02,16)", PICTURE("gif", "a", GIF), 0),
	    CASE("image_size_exact('gif',16,2)", PICTURE("gif", "a", GIF), 0),
	    CASE(
		"image_size_range('png',200,300)", PICTURE("png", "a", PNG), 1),
	    CASE("image_size_range('png',100,100,199)",
		PICTURE("png", "a", PNG), 0),
	    CASE("image_size_range('png',1,1,200,299)",
		PICTURE("png", "a", PNG), 0),
	    CASE("image_size_range('png',1,1,200,300)",
		PICTURE("png", "a", PNG), 1),
	};
	CHECK_EVALS(CASES);
}

static void
pictures_have_names(void **state)
{
	(void)state;
	static const struct eval_case CASES[] = {
	    CASE("image_named('logo.gif')", PICTURE("gif", "logo.gif", GIF), 1),
	    CASE("image_named('LOGO.gif')", PICTURE("gif", "logo.gif", GIF), 0),
	    CASE("image_named('logo.gif')", PICTURE("gif", "logo.gif", "eHh4"),
		0),
	    CASE("image_name_regex('^\\w+\\.\\.gif$')",
		PICTURE("gif", "logo..gif", GIF), 1),
	    CASE("image_name_regex('/logo/')", PICTURE("gif", "logo.gif", GIF),
		0),
	    CASE("image_name_regex('(?i)LOGO')",
		PICTURE("gif", "logo.gif", GIF), 1),
	};
	CHECK_EVALS(CASES);
}

static void
text_is_weighed_against_pixels(void **state)
{
	(void)state;
	static const char MAIL[] =
	    "Subject: abc\nContent-Type: multipart/mixed; boundary=b\n\n"
	    "--b\n\n1234567890\n--b\n" PICTURE("gif", "a", GIF) "--b--\n";
	static const struct eval_case CASES[] = {
	    /* "abc\n" and "1234567890 " by 32 pixels */
	    CASE("image_to_text_ratio('all','0.46','0.47')", MAIL, 1),
	    CASE("image_to_text_ratio('gif','0.47','0.50')", MAIL, 0),
	    CASE("image_to_text_ratio('gif','0.3','0.32')", MAIL, 1,
		.type = "rawbody"),
	    CASE("image_to_text_ratio('gif','0.46875')", MAIL, 0),
	    CASE("image_to_text_ratio('gif','0.4','0.46875')", MAIL, 0),
	    CASE("image_to_text_ratio('png','0','9')", MAIL, 0),
	};
	CHECK_EVALS(CASES);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(pictures_are_counted_and_measured),
    cmocka_unit_test(pictures_have_names),
    cmocka_unit_test(text_is_weighed_against_pixels),
};
UNIT_MAIN(tests)
