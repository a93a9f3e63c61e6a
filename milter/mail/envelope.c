/* SPDX-License-Identifier: BSD-2-Clause */
/* envelope -- the names of the classes. */
#include "mail/envelope.h"

static const char *const class_names[CLASS_COUNT] = {
    [CLASS_SUBMISSION] = "submission",
    [CLASS_LOCAL] = "local",
    [CLASS_RELAY] = "relay",
    [CLASS_NOTICE] = "notice",
    [CLASS_INBOUND] = "inbound",
};

struct str mail_class_name(enum mail_class class)
{
	return str_from(class_names[class]);
}

bool
mail_class_parse(struct str name, enum mail_class *ret)
{
	for (size_t i = 0; i < CLASS_COUNT; i++)
		if (str_eq(name, str_from(class_names[i]))) {
			*ret = (enum mail_class)i;
			return true;
		}
	return false;
}
