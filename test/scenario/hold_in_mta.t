#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# hold-in = mta: held mail waits in the MTA's own hold queue.
. "$(dirname "$0")/lib/scenario.sh"
gate_with_postfix 'hold-in = mta'

said=$({ echo "X-Postern-Flag: NO"; mail "hold me"; } | send -l alice)
like "held mail looks taken" "$said" "^250 "
like "and is logged" "$(verdict_of "$said")" "action=hold score=7/6 "
like "it is in Postfix's hold queue" "$(postfix_queue)" '"queue_name": "hold"'
is "and not in ours" "$(held_count)" 0
is "nothing left" "$(sink_count)" 0
queue_id=$(sed -nE 's/.* ([0-9A-Za-z]+): action=hold.*/\1/p' <<<"$(logged action=hold)")
told() { postern explain "$queue_id" >"$W/story"; }
ok "postern explain knows it" wait_for 10 told
like "and where it is" "$(cat "$W/story")" \
	"in the MTA's own hold queue.*Postfix, send it: postsuper -H $queue_id"
postsuper -c "$POSTFIX/etc" -H ALL >/dev/null 2>&1
ok "postsuper -H lets it go" sink_message "hold me"
is "and it is not filtered again" "$(grep -c action= "$W/log/posternd")" 1
is "what the client said under our names is gone" \
	"$(grep -c '^X-Postern-Flag: NO' "$got")" 0

mail "hold me: by a program" | postfix_sendmail -i -f p@test.example b@remote.example
like "mail of programs too" "$(logged 'from=<p@test.example>')" "action=hold "
ok "waits there" wait_for 5 eval 'postfix_queue | grep -q p@test.example'
done_testing
