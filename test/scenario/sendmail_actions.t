#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Sendmail: the same actions, and its own way of handing in mail of programs.
. "$(dirname "$0")/lib/scenario.sh"
gate_with_sendmail 'class submission { tag = 4 defer = 5 hold = 6 reject = 10 }' \
	'authserv-id = "mail.test.example"'

mail "a good day" >"$W/good"
said=$(send -l alice <"$W/good")
like "good mail is taken" "$said" "^250 "
like "and logged under Sendmail's queue id" "$(verdict_of "$said")" \
	"action=accept score=0 rules=- class=submission login=alice client=127.0.0.1 "
sink_message "a good day"
ok "it arrives byte for byte" cmp <(sink_original "$got") "$W/good"

said=$({ echo "X-Postern-Flag: NO"; mail "tag me"; } | send -l alice)
sink_message "tag me"
is "tagged mail says its score, and what the client said is gone" \
	"$(grep '^X-Postern-' "$got")" "X-Postern-Flag: YES
X-Postern-Score: 4.5
X-Postern-Rules: TEST_TAG:4.5"

{
	printf 'Authentication-Results: elsewhere.example; spf=pass\n'
	printf 'Authentication-Results: mail.test.example;\n\tspf=pass\n'
	printf 'Authentication-Results: other.example; spf=pass\n'
	printf 'Authentication-Results: "mail.test.example" 1; dkim=pass\n'
	mail "forged results"
} | send -l alice >/dev/null
sink_message "forged results"
is "results under our name are removed, others stay" \
	"$(grep -a '^Authentication-Results' "$got" | sort)" \
	"Authentication-Results: elsewhere.example; spf=pass
Authentication-Results: other.example; spf=pass"

said=$(mail "defer me" | send -l alice)
like "deferred mail is a 451" "$said" "^451 4.7.1 .*try again later"
said=$(mail "reject me" | send -l alice)
like "rejected mail is a 550 with an id" "$said" "^550 5.7.1 .* [0-9A-Za-z]{16}$"
like "found by it" "$(verdict_of "$said")" "action=reject score=20/10 "
said=$(mail "hold me" | send -l alice)
like "held mail looks taken" "$said" "^250 "
is "and is in the quarantine" "$(held_count)" 1

mail "by a program" | sendmail_submit -f prog@test.example bob@remote.example
like "sendmail(1) is local" "$(logged 'from=<prog@')" "action=accept .*class=local"
ok "and its mail leaves" sink_message "by a program"
said=$(mail "no login" | send)
like "loopback without a login is relay" "$(verdict_of "$said")" "class=relay "
said=$(mail "notice" | send -l alice -f '')
like "a null sender is a notice" "$(verdict_of "$said")" "class=notice "
like "the MTA told all that was asked of it" "$(postern status --json)" \
	'"macros_missing":\{\}'
done_testing
