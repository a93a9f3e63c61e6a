#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Somebody was at the files: held mail that was changed, links and pipes in its
# place, folders that belong to others.  Nothing of it is followed, released, waited
# for, or a reason to stop.
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/mclient.sh"
gate_alone 'class submission { hold = 6 reject = 10 }'
ulimit -c 0

# held: one more message is held; its id is in $id, its file in $file.
held() {
	mail "hold me" >"$W/hold"
	mclient_files "$W/hold" -- --login alice --queue-id "Q$RANDOM" >"$W/said"
	id=$(held_ids | sort | tail -n 1)
	file=$(find "$HELD" -name "*$id*" -type f)
	[ -n "$id" ] && [ -f "$file" ] || bail "a message is held"
}

# refused CLAIM COMMAND...: it ends in time, with exit 1 or 2 and a word.
refused() {
	local claim=$1 status
	shift
	timeout 20 "$POSTERN_PROGRAM" -c "$CONF" quarantine "$@" >"$W/out" 2>"$W/err" </dev/null
	status=$?
	[ $status = 1 ] || [ $status = 2 ]
	result $? "$claim: refused" "exit $status" "$(cat "$W/out" "$W/err")"
	ok "$claim: with a word" [ -s "$W/err" ]
	unlike "$claim: nothing of another file is shown" "$(cat "$W/out" "$W/err")" "root:|secret"
}

# serves CLAIM: the others are listed, and the next message is held.
serves() {
	local before
	before=$(held_ids | wc -l)
	mclient_files "$W/hold" -- --login alice >"$W/said"
	is "$1: mail is held on" "$(answers <"$W/said")" discard
	is "$1: and listed" "$(held_ids | wc -l)" $((before + 1))
}

# refuses CLAIM REGEX: posternd does not start, and says why.
refuses() {
	local said
	said=$(timeout 20 "$POSTERND" -f -c "$CONF" 2>&1)
	[ $? != 124 ]
	result $? "$1: no start" "$said"
	like "$1: and it says why" "$said" "$2"
}

held
is "keys are for their owner alone" "$(find "$POSTERN/state" -type f -name '*key*' \
	! -perm 600)" ""
ok "and there is one" eval 'find "$POSTERN/state" -type f -name "*key*" | grep -q .'
is "as is all else" "$(find "$POSTERN/state" -perm /077)" ""
sed -i 's/the minutes of our meeting/the winnings of our lottery/' "$file"
refused "a changed body" release "$id"
held
sed -i 's/our meeting/our lottery/' "$file"
refused "a changed body of the same size" release "$id"
wait_for 20 postern explain "$id"
like "explain says that it was changed" "$(postern explain "$id")" \
	"in the quarantine.*it was changed since it was stored \(tampered\)"
is "and so does its JSON" "$(postern explain --json "$id" | grep -o '"kept_state":"[a-z]*"')" \
	'"kept_state":"tampered"'
held
sed -i 's/Bob Baker/Everybody/' "$file"
refused "a changed header" release "$id"
held
truncate -s 200 "$file"
refused "cut short" release "$id"
held
: >"$file"
refused "emptied" release "$id"
serves "after that"

echo "secret" >"$W/secret"
chmod 644 "$W/secret"
held
ln -sf "$W/secret" "$file"
refused "a link in its place: show" show "$id"
refused "a link in its place: release" release "$id"
like "it is listed as damaged" "$(postern quarantine list --long | grep "$id")" " damaged "
wait_for 20 postern explain "$id"
like "explain knows, too" "$(postern explain "$id")" "was changed or replaced \(damaged\)"
unlike "and does not say that it can be released" "$(postern explain "$id")" "release $id"
ok "it can be deleted" postern quarantine delete "$id"
is "which does nothing to what it led to" "$(cat "$W/secret")" "secret"
held
rm "$file"
ln "$W/secret" "$file" 2>/dev/null
refused "a hard link in its place: release" release "$id"
held
rm "$file"
mkfifo "$file"
refused "a pipe in its place: show" show "$id"
refused "a pipe in its place: release" release "$id"
held
rm "$file"
mkdir "$file"
refused "a folder in its place: show" show "$id"
serves "beside these"
is "what was linked to is as it was" "$(cat "$W/secret")" secret

for odd in ../../../etc/passwd /etc/passwd .. "a/b" '*' '' "$(printf 'x\nroot')" -- "--"; do
	refused "the id [${odd//$'\n'/\\n}]" show -- "$odd"
done

# ---- whole folders

mv "$HELD/new" "$HELD/away"
ln -s /etc "$HELD/new"
mclient_files "$W/hold" -- --login alice --queue-id AWAY >"$W/said"
is "new/ is a link: mail is held on" "$(answers <"$W/said")" discard
is "where it always was, not where the link leads" \
	"$(find "$HELD/away" /etc -maxdepth 1 -newer "$W/hold" -type f -name '*.postern' | wc -l)" \
	"$(find "$HELD/away" -newer "$W/hold" -type f | wc -l)"
rm "$HELD/new"
mv "$HELD/away" "$HELD/new"
serves "put back"
mv "$HELD" "$HELD.away"
ln -s "$HELD.away" "$HELD"
mclient_files "$W/hold" -- --login alice --queue-id LINKED >"$W/said"
is "the quarantine is a link: mail is held on" "$(answers <"$W/said")" discard
refused "by a link nothing is listed" list
posternd_stop
refuses "nor does it start so" "quarantine"
rm "$HELD"
mv "$HELD.away" "$HELD"

# ---- folders of others

chmod 777 "$POSTERN/state"
refuses "a state folder that anybody may write" "state.*writable by its owner only"
chmod 700 "$POSTERN/state"
chown -R root "$POSTERN/state"
refuses "a state folder of somebody else" \
	"state-dir: .*posternd runs as $POSTERND_USER: chown -R $POSTERND_USER $POSTERN/state "
chown -R "$POSTERND_USER" "$POSTERN/state"
ok "put right, it starts" posternd_start
serves "and"
done_testing
