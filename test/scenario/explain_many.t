#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# postern explain is right for every message of a mixed run, by each of its ids:
# all classes and actions, notices, observe, released and deleted mail, a kill -9 in
# between.  MESSAGES=10000 by `make explain-many`.
MESSAGES=${MESSAGES:-200} JOBS=${JOBS:-2}
SCENARIO_TIME=$((150 + MESSAGES / 5))
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/mclient.sh"
. "$(dirname "$0")/lib/bounce.sh"
needs python3
limits='tag = 4 defer = 5 hold = 6 reject = 10'
gate_alone "${bounce_options[@]}" "class submission { $limits }" "class local { $limits }" \
	"class relay { $limits }" "trusted-networks = {\"127.0.0.0/8\", \"192.0.2.0/28\"}"
each=$((MESSAGES / 19 + 1))
touch "$W/ids" "$W/events"

# batch NAME SUBJECT OPTION...: $each messages, each with a Message-ID of its own.
batch() {
	local name=$1 subject=$2 i
	shift 2
	rm -rf "$W/batch" && mkdir "$W/batch"
	for ((i = 0; i < each; i++)); do
		mail "$subject" | sed "s/^Message-ID: .*/Message-ID: <$i.$name@run.example>/" \
			>"$W/batch/$(printf %06d "$i")"
	done
	mclient_files "$W/batch" -- --queue-id "$name" "$@" >"$W/said"
}

# One of ours, by submission, for each action; by pickup, where nobody can be told
# no; by a relay; from outside.
for subject in "plain words" "tag me" "defer me" "hold me" "reject me"; do
	name=${subject%% *}
	batch "S$name" "$subject" --login "user-$name" --from "a.$name@ours.example" \
		--rcpt one@x.example --rcpt two@y.example
	batch "L$name" "$subject" --client 127.0.0.1:0 --from "www@ours.example"
done
batch Rplain "plain words" --from r@ours.example --client 192.0.2.5
batch Rhold "hold me" --from r@ours.example --client 192.0.2.5
batch Iplain "hold me" --from x@good.example --rcpt a@ours.example --client 198.51.100.1
batch Odd $'tag me \e[31m "quoted", \'; --all' --login "o'dd *" --from $'\xff@ours.example'
posternd_kill
posternd_start || bail "posternd starts again"

# Notices, genuine, forged, and of unknown origin.
for ((i = 0; i < each; i++)); do
	for domain in good victim plain; do
		came_queue=C$domain$i-
		came "w$i@$domain.example" "$domain$i@in.example" >/dev/null
		bounced "w$i@$domain.example" "$domain$i@in.example" --queue-id "N$domain$i-" >/dev/null
	done
	[ $((i % 5)) != 4 ] || i=$((i + each / 5))
done

# Held mail is released, deleted.
held_of() { postern history --json --limit 0 --login "user-hold" --action hold | sed -nE 's/.*"id": *"([^"]*)".*/\1/p'; }
wait_for 30 eval '[ "$(held_of | wc -l)" = '"$each"' ]'
held_of >"$W/held"
head -n $((each / 3 + 1)) "$W/held" | tee "$W/deleted" | xargs -r "$POSTERN_PROGRAM" -c "$CONF" \
	quarantine delete >/dev/null
tail -n $((each / 3 + 1)) "$W/held" | tee "$W/released" | xargs -r "$POSTERN_PROGRAM" -c "$CONF" \
	quarantine release --via /bin/true >/dev/null 2>&1
sed 's/$/ deleted/' "$W/deleted" >>"$W/events"
sed 's/$/ released/' "$W/released" >>"$W/events"

sed -i '$a observe = yes' "$CONF"
ok "reload" postern reload
for subject in "plain words" "tag me" "defer me" "hold me" "reject me"; do
	batch "O${subject%% *}" "$subject" --login watched --from o@ours.example
done

# ---- every one of them

lines=$(grep -acE '^posternd: [^ ]+: action=' "$W/log/posternd")
all_known() { [ "$(postern history --limit 0 --json | grep -c '"kind":"message"')" -ge "$lines" ]; }
ok "every message of the log is in the history" wait_for 60 all_known
postern history --limit 0 --json | python3 -c '
import json, sys
for line in sys.stdin:
    e = json.loads(line)
    if "message_id" in e:
        print(e["queue_id"], e["message_id"])' >"$W/ids"
is "with the Message-ID it came with" "$(sed -nE 's/^(Splain[0-9A-F]+) (.*)/\2/p' "$W/ids" | sort)" \
	"$(for ((i = 0; i < each; i++)); do echo "$i.Splain@run.example"; done | sort)"
told=$("$srcdir"/test/scenario/lib/explain_check "$POSTERN_PROGRAM" "$CONF" "$W/log/posternd" \
	"$W/ids" "$W/events" "$JOBS")
like "explain is right for all of them, by each id" "$(tail -n 20 <<<"$told")" " 0 wrong\$"
echo "# $(tail -n 1 <<<"$told")"
done_testing
