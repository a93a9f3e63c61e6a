#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every notice that a mail server sends by itself passes posternd, whoever made
# it, when main.cf has what etc/postfix-main.cf.snippet says.
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/mclient.sh"
! is_sanitized || skip_all "the sanitizers see this in notices_gated"
gate_with_responders

# seen NAME ADDRESS CLASS FORM [OPTION...]: a message from the world to ADDRESS
# provokes a notice to its sender, which the regular expression FORM tells from
# others; posternd logs it in CLASS, and with nobody to stop it, it leaves.
count=0
seen() {
	local name=$1 address=$2 class=$3 form=$4 victim
	count=$((count + 1)) victim=victim$count@elsewhere.example
	like "$name: mail is taken" \
		"$(provoke "${@:5}" "$victim" "$address")" "^250 "
	ok "$name: a notice leaves" sink_message "X-Rcpt-Args: <$victim>"
	like "$name: it is what it should be" "$(tr -d '\r' <"$got")" "$form"
	like "$name: posternd saw it" "$(notice_logged "$victim")" \
		"action=accept score=0 .*class=$class client=127.0.0.1 "
}

seen "vacation" vacation@users.example notice \
	"Args: <> .*Auto-Submitted: auto-replied \(vacation\)"
seen "Sieve reject" reject@users.example notice \
	"Args: <> .*report-type=disposition-notification.*auto-replied \(rejected\)"
seen "a full mailbox, asked in time" full@users.example notice \
	"Args: <> .*Undelivered Mail.*552 5.2.2 .*reply to.RCPT"
seen "a full mailbox, seen late" brimful@users.example notice \
	"Args: <> .*Undelivered Mail.*552 5.2.2 .*reply to.end"
seen "a user Dovecot does not know" ghost@users.example notice \
	"Args: <> .*Undelivered Mail.*550 5.1.1 "
seen "a full mailbox of dovecot-lda" full@lda.example notice \
	"Args: <> .*From: Postmaster .*auto-replied \(rejected\).*Status: 5.2.2"
seen "a user Postfix does not know" ghost@local.example notice \
	"Args: <> .*Undelivered Mail.*unknown user: \"ghost\""
seen "a forward that is refused" gone@users.example notice \
	"Args: <> .*Undelivered Mail.*<gone@refuses.example> .*500 5.3.0 "
seen "a forward that waits" slow@users.example notice \
	"Args: <> .*Delayed Mail.*Action: delayed"
seen "a list that holds" list@local.example relay \
	"<list-bounces@local.example>.*X-List-Administrivia: yes"
seen "a script that acknowledges" ticket@local.example local \
	"<www-data@test.example>.*X-PHP-Originating-Script: 33:"
seen "a receipt that was asked for" alice@users.example notice \
	"Args: <> .*Successful Mail Delivery Report.*Action: relayed" \
	-r NOTIFY=SUCCESS
is "mail that provokes nothing is in its box" \
	"$(dovecot_count alice@users.example)" 1
done_testing
