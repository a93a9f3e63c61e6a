#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What is released goes to whom it was for, as it was, and is not filtered again;
# what only looks released is.
. "$(dirname "$0")/lib/scenario.sh"
gate_with_postfix

mail "hold me" >"$W/held"
said=$(send -l alice -t bob@remote.example -t eve@remote.example <"$W/held")
line=$(verdict_of "$said")
id=${line##*id=}
is "held under its id" "$(held_ids)" "$id"
like "show tells why" "$(postern quarantine show "$id")" "TEST_HOLD"
ok "release" postern quarantine release "$id"
sink_message "hold me"
ok "it arrives as it was" cmp <(sink_original "$got") "$W/held"
like "from whom it was" "$(grep -a ^X-Mail-Args "$got")" "<alice@test.example>"
is "to all it was for" "$(grep -aho '<[a-z]*@remote.example>' "$W"/sink/* |
	sort -u | xargs)" "<bob@remote.example> <eve@remote.example>"
is "nothing of the release is in it" "$(grep -aci '^x-postern' "$got")" 0
like "the log knows" "$(logged 'note=released')" "action=accept .*id=$id"
is "the quarantine is empty" "$(held_count)" 0

# A null sender stays null.
mail "hold me: notice" | send -l alice -f '' >/dev/null
ok "release of a notice" postern quarantine release "$(held_ids)"
ok "arrives" sink_message "hold me: notice"
like "from nobody" "$(grep -a ^X-Mail-Args "$got")" "X-Mail-Args: <>"

# The header that lets it pass, stolen on its way out.
cat >"$W/thief" <<-X
	#!/bin/sh
	echo "\$@" >$W/stolen-by
	cat >$W/stolen
	X
chmod 755 "$W/thief"
touch "$W/stolen" "$W/stolen-by"
chown "$POSTERND_USER" "$W/stolen" "$W/stolen-by"
sed -i "s|^release-via.*|release-via = \"$W/thief\"|" "$CONF"
mail "hold me: third" | send -l alice >/dev/null
ok "release by a sendmail(1) that is none" \
	postern quarantine release "$(held_ids)"
like "it is called as sendmail(1) is" "$(cat "$W/stolen-by")" \
	"-f alice@test.example .*-- bob@remote.example$"
ok "there is the header" grep -qi '^X-Postern-Release:' "$W/stolen"
sed 's/third/fourth/; s/minutes/millions/' "$W/stolen" | send -l alice >/dev/null
is "on another message it is worth nothing" "$(held_count)" 1
send -l alice <"$W/stolen" >/dev/null
is "on its own message it is good" "$(held_count)" 1
send -l alice <"$W/stolen" >/dev/null
is "but once only" "$(held_count)" 2
like "the log says why" "$(logged 'note=release-')" "action=hold "

# What was changed on the disk.
id=$(held_ids | head -n 1)
dry_run() { postern quarantine release --dry-run "$@" 2>&1; echo $?; }
tampered() { postern quarantine list "$@" --state tampered --json | sed -nE 's/.*"id": *"([^"]*)".*/\1/p'; }
like "a dry run says that it would go" "$(dry_run "$id")" "$id would be released: .*0$"
is "nothing is tampered with" "$(tampered --verify)" ""
sed -i 's/minutes/seconds/; s/millions/billions/' "$HELD/new/"*"$id"*
is "a changed message is found by its state" "$(tampered --verify)" "$id"
like "a dry run says that it would not go" "$(dry_run "$id")" \
	"$id dry run: not released: changed since it was stored.*2$"
like "as JSON, too" "$(dry_run --json "$id")" '"action": *"tampered", *"dry_run": *true.*2$'
like "but by force" "$(dry_run --force "$id")" "$id would be released.*0$"
is "both are held still" "$(held_count)" 2

# The key is posternd's to make.
mv "$POSTERN/state/release.key" "$W/release.key"
like "without the key a list says that nothing is checked" \
	"$(postern quarantine list 2>&1; echo $?)" "seals are not checked: .*release.key is not there.*0$"
like "and nothing is released" "$(postern quarantine release "$id" 2>&1; echo $?)" \
	"release.key is not there.*2$"
ok "no command has made another" test ! -e "$POSTERN/state/release.key"
mv "$W/release.key" "$POSTERN/state/release.key"
for verb in show release delete; do
	is "$verb: an id that is not there is 1" "$(postern quarantine $verb nosuch 2>&1; echo $?)" \
		"postern: nosuch: is not in the quarantine
1"
done
done_testing
