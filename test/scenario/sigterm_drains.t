#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# SIGTERM finishes what is in flight, then leaves nothing behind.
. "$(dirname "$0")/lib/scenario.sh"
gate_with_postfix 'drain-time = 20s'
mail "in flight" >"$W/flight"

mapfile -t session < <(smtp "$SMTP_PORT" <<-X
	EHLO client.example
	$(smtp_auth alice)
	MAIL FROM:<alice@test.example>
	RCPT TO:<bob@remote.example>
	DATA
	!kill -TERM "$POSTERND_PID"; logged 'stopping' >/dev/null
	!mail "too late" | send -l alice >"$W/late"
	@$W/flight
	QUIT
	X
)
like "a message in flight is answered" "${session[6]}" "^250 2.0.0"
like "by a verdict" "$(verdict_of "${session[6]}")" "action=accept "
ok "and arrives" sink_message "in flight"
like "one that comes meanwhile is answered, too" "$(cat "$W/late")" "^(250|451) "
ok "posternd is gone within its drain-time" wait_for 20 is_gone "$POSTERND_PID"
is "its pid file and sockets too" "$(find "$POSTERN" -maxdepth 1 \
	\( -type s -o -name '*.pid' \))" ""

posternd_start
said=$(mail "again" | send -l alice)
like "started again, mail flows" "$said" "^250 "
begin=$SECONDS
posternd_stop
ok "an idle posternd stops within 5 s" [ $((SECONDS - begin)) -le 5 ]
done_testing
