#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Who hands a message to Postfix decides its class, and the class its thresholds.
. "$(dirname "$0")/lib/scenario.sh"
gate_with_postfix 'trusted-networks = {"192.0.2.0/28"}' \
	'class local { hold = 8 }' \
	'class submission { daemon-names = {"ORIGINATING"} }'
postfix_set 'mynetworks = 127.0.0.0/8 192.0.2.0/28' \
	'transport_maps = inline:{ { nobody@remote.example = error:5.1.1 no such user } }'

said=$(mail "by login" | send -l alice -c 203.0.113.5)
like "a login is a submission" "$(verdict_of "$said")" \
	"action=accept .*class=submission login=alice client=203.0.113.5 "
said=$(mail "by login with realm" | send -l alice@mail.test.example -c 203.0.113.5)
like "alice and alice@mail.test.example are one person" \
	"$(verdict_of "$said")" "class=submission login=alice "

said=$(mail "from our other server" | send -c 192.0.2.7)
like "a client in trusted-networks is relay" "$(verdict_of "$said")" \
	"class=relay client=192.0.2.7 "
said=$(mail "by the submission service" | send -p "$SUBMISSION_PORT")
like "a daemon name pins the class" "$(verdict_of "$said")" "class=submission "

{
	echo "X-Postern-Score: not ours"
	mail "hold me: spam for us"
} >"$W/in"
said=$(send -c 198.51.100.9 -f x@remote.example -t carol@inside.example <"$W/in")
like "mail from the world is inbound" "$(verdict_of "$said")" \
	"action=accept class=inbound client=198.51.100.9 "
sink_message "spam for us"
ok "inbound mail is untouched, whatever it looks like" \
	cmp <(sink_original "$got") "$W/in"

mail "by a program" | postfix_sendmail -i -f alice@test.example bob@remote.example
like "sendmail(1) is local" "$(logged 'class=local')" "action=accept score=0 "
mail "hold me: by a program" | postfix_sendmail -i -f x@test.example b@remote.example
like "and has a threshold of its own" "$(logged 'from=<x@test.example>')" \
	"action=tag score=7/4 .*class=local"

said=$(mail "out of office" | send -l alice -f '')
like "a null sender is a notice" "$(verdict_of "$said")" "class=notice .*from=<> "
said=$({ echo "Auto-Submitted: auto-replied"; mail "back on Monday"; } | send -l alice)
like "so is an automatic reply" "$(verdict_of "$said")" "class=notice "
mail "to nobody" | postfix_sendmail -i -f alice@test.example nobody@remote.example
ok "Postfix's own bounce is a notice and leaves" sink_message "Undelivered Mail"
like "and was seen" "$(logged 'class=notice client=127.0.0.1')" "from=<> nrcpt=1"
like "the MTA told all that was asked of it" "$(postern status --json)" \
	'"macros_missing":\{\}'
done_testing
