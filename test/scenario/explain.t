#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# postern explain through real Postfix: accepted, tagged, deferred, held, released,
# deleted, rejected and only observed mail, each by every id that an operator may
# have; each story is right, and its commands work.
. "$(dirname "$0")/lib/scenario.sh"
gate_with_postfix 'class submission { tag = 4 defer = 5 hold = 6 reject = 10 }'

# sent SUBJECT: $said, $line of the log, $queue_id, $id and $message_id.
sent() {
	mail "$1" >"$W/mail"
	message_id=$(sed -nE 's/^Message-ID: <(.*)>/\1/p' "$W/mail")
	said=$(send -l alice -t bob@remote.example -t eve@remote.example <"$W/mail")
	line=$(verdict_of "$said")
	queue_id=$(sed -nE 's/.* ([0-9A-Za-z]+): action=.*/\1/p' <<<"$line")
	id=$(sed -nE 's/.* id=([0-9A-Za-z]+).*/\1/p' <<<"$line")
	known() { postern explain "$message_id" >"$W/story" 2>&1; }
	ok "$1: it is known" wait_for 10 known
	story=$(cat "$W/story")
}

# By each of its ids the same story.
same_by_all() {
	local by
	for by in "$queue_id" ${id:+"$id"} "<$message_id>"; do
		is "$1: the same by $by" "$(ageless "$(postern explain "$by")")" \
			"$(ageless "$story")"
	done
}
ageless() { sed -E 's/\([0-9]+[smhd] ago\)//' <<<"$1"; }

sent "a plain letter"
like "accepted: what came in" "$story" \
	"from <alice@test.example>, logged in as alice \(class submission"
like "accepted: the client" "$story" "by client 127\.0\.0\.1"
like "accepted: to whom" "$story" "to <bob@remote.example>, <eve@remote.example>"
like "accepted: the subject" "$story" "subject: a plain letter"
like "accepted: why" "$story" \
	'the score 0 is below every threshold of class submission: the lowest is "tag", now 4'
like "accepted: what was done" "$story" "so it passed \(action accept\)"
like "accepted: where it is" "$story" "with the MTA, which sends it"
like "accepted: what can be done" "$story" "grep $queue_id /var/log/mail.log"
same_by_all accepted

sent "tag me"
like "tagged: the rule with its evidence" "$story" "4\.5 TEST_TAG  Subject: tag me"
like "tagged: why" "$story" \
	'the score 4.5 reached 4, the threshold "tag" of class submission in postern.conf'
like "tagged: what was done" "$story" "so it passed, tagged with X-Postern headers"
same_by_all tagged

sent "defer me"
like "deferred: why" "$story" 'reached 5, the threshold "defer" of class submission'
like "deferred: where it is" "$story" "with the client, which tries again"
like "deferred: what can be done" "$story" "lower the score of TEST_DEFER in local.cf"
same_by_all deferred

sent "reject me"
like "rejected: the client heard the id" "$said" "$id"
like "rejected: why" "$story" 'the score 20 reached 10, the threshold "reject"'
like "rejected: where it is" "$story" "with the client, which was told so; nothing was kept"
like "rejected: what else" "$story" "postern history --login '?alice"
same_by_all rejected

# ---- held, released

sent "hold me"
like "held: why" "$story" 'the score 7 reached 6, the threshold "hold" of class submission'
like "held: where it is" "$story" "in the quarantine, folder held; it may be purged from 20"
same_by_all held
command=$(sed -nE 's/^ *send it: //p' <<<"$story")
is "held: the command to send it" "$command" "postern quarantine release $id"
held_by=$id held_queue=$queue_id held_message=$message_id
ok "it works" $command
ok "released: it arrives" sink_message "hold me"
released() { postern explain "$held_by" | grep -q "released by" ; }
ok "released: it is known" wait_for 10 released
came_back() { postern explain "$held_by" | grep -q "it came back to posternd as" ; }
ok "released: so is its way" wait_for 10 came_back
story=$(postern explain "$held_by")
is "released: it is one story" "$(grep -c "What came in" <<<"$story")" 1
like "released: by whom" "$story" "released by ${SUDO_USER:-root}"
like "released: where it is" "$story" "released: the MTA has it, or has sent it"
unlike "released: no command for it" "$story" "postern quarantine release"
is "released: the same by its first queue id" \
	"$(ageless "$(postern explain "$held_queue")")" "$(ageless "$story")"
like "released: the Message-ID tells it, too" "$(postern explain "<$held_message>")" \
	"released by"
second=$(sed -nE 's/.*came back to posternd as ([0-9A-Za-z]+):.*/\1/p' <<<"$story")
like "released: by its second queue id" "$(postern explain "$second")" \
	"not filtered again; why it was held: postern explain $held_by"
like "the events can be searched" "$(postern history --action released --json)" \
	"\"id\": *\"$held_by\""

# ---- held, deleted; purged

sent "hold me: the second"
ok "delete" postern quarantine delete "$id"
deleted() { postern explain "$id" | grep -q "gone: it was deleted"; }
ok "deleted: it is known" wait_for 10 deleted
like "deleted: by whom" "$(postern explain "$queue_id")" "deleted by ${SUDO_USER:-root}"
sent "hold me: the third"
old() { postern quarantine purge --older 1s && [ "$(held_count)" = 0 ]; }
ok "purge" wait_for 10 old
purged() { postern explain "$id" | grep -q "gone: it was purged"; }
ok "purged: it is known" wait_for 10 purged
sent "hold me: the fourth"
rm "$HELD"/new/*
like "removed by hand" "$(postern explain "$id")" "no longer in the quarantine"

# ---- a short id that several begin with

sent "hold me: the fifth"
one=$id
sent "hold me: the sixth"
both=$one
while [[ $id != "$both"* ]]; do both=${both%?}; done
said=$(postern explain "$both" 2>&1)
is "several begin so: exit 2" $? 2
like "each is named" "$said" "more than one id begins with $both: write more of it.*\
$one +20[0-9TZ:-]+ +<alice@test.example> +hold me: the fifth
$id +20[0-9TZ:-]+ +<alice@test.example> +hold me: the sixth"
is "nothing is told of one of them" "$(postern explain "$both" 2>/dev/null)" ""
like "by quarantine show, too" "$(postern quarantine show "$both" 2>&1)" "$one .*"$'\n'"$id "
like "a letter more tells" "$(postern explain "${one:0:$((${#both} + 1))}")" "subject: hold me: the fifth"
ok "delete them" postern quarantine delete "$one" "$id"

# ---- it was to be held, and could not be kept

chmod 000 "$HELD/tmp"
sent "hold me: nowhere to keep it"
chmod 700 "$HELD/tmp"
like "not kept: what was done instead" "$story" \
	'"hold" was the decision, but the client was asked to try again later'
like "not kept: why" "$story" "note: quarantine:Permission denied"
like "not kept: where it is" "$story" "with the client, which tries again"

# ---- a beginning is enough for the quarantine, and so for this

sent "hold me: the fifth"
like "by the beginning of its id" "$(postern explain "${id:0:12}")" "subject: hold me: the fifth"

# ---- the same queue id twice: newest first

mail "one more" >"$W/mail"
for subject in first second; do
	sed "s/^Message-ID.*/Message-ID: <twice@test.example>/; s/one more/the $subject/" \
		"$W/mail" | send -l alice >/dev/null
done
twice() { [ "$(postern explain twice@test.example | grep -c "What came in")" = 2 ]; }
ok "all with one id are told" wait_for 10 twice
is "the newest first" "$(postern explain twice@test.example | sed -nE 's/.*subject: the //p' | xargs)" \
	"second first"
is "JSON has a line each" "$(postern explain --json twice@test.example | wc -l)" 2
like "with the story" "$(postern explain --json "$id")" \
	'"kept": *"held".*"story": *\{"came": *\["at '

# ---- nothing is known

said=$(postern explain nothing-such 2>&1)
is "an unknown id is 1" $? 1
like "with what to try" "$said" "nothing is known of nothing-such.*entries since 20.*postern history searches"
said=$(postern explain 2>&1)
is "no id is 2" $? 2
for none in '' '<>'; do
	is "\"$none\" is no id" "$(postern explain "$none" 2>&1; echo $?)" \
		"postern: \"$none\" is no id: write a queue id, a lookup id, a quarantine id or a Message-ID
2"
done

# ---- observe

sed -i '$a observe = yes' "$CONF"
ok "reload" postern reload
sent "hold me: observed"
like "observed: what was done" "$story" \
	'observe = yes: nothing was changed, it passed; the decision was "hold"'
like "observed: why" "$story" 'the score 7 reached 6, the threshold "hold"'
like "observed: where it is" "$story" "with the MTA"
like "observed: what can be done" "$story" "observe = no in postern.conf"
same_by_all observed

# ---- without a history

sed -i '$a history-days = 0' "$CONF"
ok "reload" postern reload
sed -i '/^observe/d' "$CONF"
ok "reload" postern reload
mail "hold me: forgotten" | send -l alice >/dev/null
id=$(held_ids | tail -n 1)
like "what is in the quarantine is told" "$(postern explain "$id" 2>&1)" \
	"The history does not know it .*hold me: "
unlike "and that it is off" "$(postern explain nothing 2>&1)" "history-days is 30"
like "it is said that none is kept" "$(postern explain nothing 2>&1)" "history-days is 0, so no history is kept"
done_testing
