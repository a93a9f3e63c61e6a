#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# postern explain behind real Sendmail: what was accepted, rejected and held, each by
# every id that an operator may have: Sendmail's queue id, the lookup id in the text
# of a refusal, the Message-ID and the quarantine id.
. "$(dirname "$0")/lib/scenario.sh"
gate_with_sendmail 'class submission { tag = 4 defer = 5 hold = 6 reject = 10 }'
echo "release-via = \"smtp:127.0.0.1:$SMTP_PORT\"" >>"$CONF"

# sent SUBJECT: $said, $line of the log, $queue_id, $id, $message_id and $story.
sent() {
	mail "$1" >"$W/mail"
	message_id=$(sed -nE 's/^Message-ID: <(.*)>/\1/p' "$W/mail")
	said=$(send -l alice -t bob@remote.example -t eve@remote.example <"$W/mail")
	line=$(verdict_of "$said")
	queue_id=$(sed -nE 's/.* ([0-9A-Za-z]+): action=.*/\1/p' <<<"$line")
	id=$(sed -nE 's/.* id=([0-9A-Za-z]+).*/\1/p' <<<"$line")
	known() { postern explain "$message_id" >"$W/story" 2>&1; }
	ok "$1: it is known by its Message-ID" wait_for 20 known
	story=$(cat "$W/story")
}
ageless() { sed -E 's/\([0-9]+[smhd] ago\)//' <<<"$1"; }

# by ID WHAT: the same story.
by() {
	is "by its $2: the same" "$(ageless "$(postern explain "$1")")" "$(ageless "$story")"
}

sent "a plain letter"
like "accepted: Sendmail's queue id is that of the reply" "$said" "$queue_id"
like "and that of Sendmail's log" "$(grep -a "$queue_id" "$SENDMAIL/maillog")" "$message_id"
by "$queue_id" "queue id"
by "<$message_id>" "Message-ID in < >"
like "what came in" "$story" \
	"from <alice@test.example>, logged in as alice \(class submission"
like "by whom" "$story" "by client 127\.0\.0\.1"
like "to whom" "$story" "to <bob@remote.example>, <eve@remote.example>"
like "what was done" "$story" "so it passed \(action accept\)"
like "where it is" "$story" "with the MTA, which sends it"
like "what can be done" "$story" "grep $queue_id /var/log/mail.log"

sent "reject me"
heard=$(sed -nE 's/^550 .* ([0-9A-Za-z]{16})$/\1/p' <<<"$said")
is "rejected: the client heard its lookup id" "$heard" "$id"
by "$heard" "lookup id"
by "$queue_id" "queue id"
like "why" "$story" 'the score 20 reached 10, the threshold "reject"'
like "where it is" "$story" "with the client, which was told so; nothing was kept"

sent "hold me"
is "held: its id is that of the quarantine" "$(held_ids)" "$id"
by "$id" "quarantine id"
by "$queue_id" "queue id"
like "why" "$story" 'the score 7 reached 6, the threshold "hold" of class submission'
like "where it is" "$story" "in the quarantine, folder held"
first=$story
command=$(sed -nE 's/^ *send it: //p' <<<"$first")
is "the command to send it" "$command" "postern quarantine release $id"
ok "it works" $command
ok "it arrives" sink_message "hold me"
came_back() { postern explain "$id" | grep -q "it came back to posternd as" ; }
ok "that it came back to posternd is known" wait_for 20 came_back
story=$(postern explain "$id")
like "released: by whom" "$story" "released by ${SUDO_USER:-root}"
second=$(sed -nE 's/.*came back to posternd as ([0-9A-Za-z]+):.*/\1/p' <<<"$story")
like "by its second queue id" "$(postern explain "$second")" \
	"not filtered again; why it was held: postern explain $id"
like "which Sendmail's log has" "$(grep -ac "$second" "$SENDMAIL/maillog")" "^[1-9]"

mail "by a program" | sendmail_submit -f prog@test.example bob@remote.example
program_known() { postern history --sender prog@test.example --json >"$W/program"; }
ok "what sendmail(1) took is known" wait_for 20 program_known
queue_id=$(sed -nE 's/.*"queue_id": *"([^"]*)".*/\1/p' "$W/program")
like "by its queue id" "$(postern explain "$queue_id")" \
	"from <prog@test.example> \(class local"
done_testing
