#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Rules see the Received field that Sendmail will add.
. "$(dirname "$0")/lib/scenario.sh"
gate_with_sendmail
. "$library/twins.sh"
twins_rules

login=$(smtp_auth alice)
twin "by login" "EHLO pc.example" "$login" "MAIL FROM:<alice@test.example>" \
	"RCPT TO:<bob@remote.example>"
like "a login is an auth token" "$(as_delivered | grep -c ESMTPA)" 1
twin "to two" "EHLO pc.example" "$login" "MAIL FROM:<alice@test.example>" \
	"RCPT TO:<bob@remote.example>" "RCPT TO:<eve@remote.example>"
twin "from this host" "HELO [127.0.0.1]" "MAIL FROM:<alice@test.example>" \
	"RCPT TO:<bob@remote.example>"
done_testing
