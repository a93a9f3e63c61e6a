#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Each action as the client hears it, as the sink gets it, and as it is logged.
. "$(dirname "$0")/lib/scenario.sh"
gate_with_postfix 'class submission { tag = 4 defer = 5 hold = 6 reject = 10 }' \
	'reject-text = "100% spam, ask about {id}"'

mail "a good day" >"$W/good"
said=$(send -l alice <"$W/good")
like "good mail is taken" "$said" "^250 2.0.0 Ok: queued"
sink_message "a good day"
ok "and arrives byte for byte" cmp <(sink_original "$got") "$W/good"

{
	printf 'X-Postern-Score: -100\nX-POSTERN-Flag: NO\nx-postern-release: abc\n'
	printf 'X-Postern-Score: -200\nX-Posterns: mine\n'
	mail "forged lines"
} | send -l alice >/dev/null
sink_message "forged lines"
is "lines under our names are removed, all of them" \
	"$(grep -ic '^x-postern-' "$got")" 0
is "and no others" "$(grep -c '^X-Posterns: mine' "$got")" 1

said=$(mail "tag me" | send -l alice)
like "tagged mail is taken" "$said" "^250 "
sink_message "tag me"
is "and says its score" "$(grep '^X-Postern-' "$got")" "X-Postern-Flag: YES
X-Postern-Score: 4.5
X-Postern-Rules: TEST_TAG:4.5"
like "as the log does" "$(verdict_of "$said")" \
	"action=tag score=4.5/4 rules=TEST_TAG:4.5 class=submission login=alice "

said=$(mail "defer me" | send -l alice)
like "deferred mail is a 451" "$said" "^451 4.7.1 .*try again later"
like "found by the id in it" "$(verdict_of "$said")" "action=defer score=5.5/5 "

said=$(mail "hold me" | send -l alice -t bob@remote.example -t eve@remote.example)
like "held mail looks taken" "$said" "^250 2.0.0 Ok: queued"
line=$(verdict_of "$said")
like "and is logged with its id" "$line" "action=hold score=7/6 .*nrcpt=2 .*id="
is "there is one file in the quarantine" "$(held_count)" 1
ok "of that id, with the envelope" grep -rqs "eve@remote.example" "$HELD"
ok "listed under it" grep -q "${line##*id=}" <(postern quarantine list)

said=$(mail "reject me" | send -l alice)
like "rejected mail hears the text, a % in it, and an id" "$said" \
	"^550 5.7.1 100% spam, ask about [0-9A-Za-z]{16}$"
like "found by that id" "$(verdict_of "$said")" "action=reject score=20/10 "
wait_for 5 postfix_queue_is_empty
is "the sink has the three it should" "$(sink_count)" 3
done_testing
