#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A reload drops nothing: good ones take effect, broken ones are refused.
. "$(dirname "$0")/lib/scenario.sh"
gate_with_postfix
mail "blue moon" >"$W/blue"
envelope='MAIL FROM:<alice@test.example>
RCPT TO:<bob@remote.example>'
rule() { printf '%s\n' "$@" >"$POSTERN/rules/zz.cf"; }

# In the middle of a connection, before the second message.
mapfile -t session < <(smtp "$SMTP_PORT" <<-X
	EHLO client.example
	$(smtp_auth alice)
	$envelope
	DATA
	@$W/blue
	$envelope
	!rule 'header BLUE Subject =~ /blue moon/' 'score BLUE 7'
	!postern reload >"$W/reloaded" 2>&1
	DATA
	@$W/blue
	QUIT
	X
)
like "reload says how many rules there are" "$(cat "$W/reloaded")" \
	"reloaded: [0-9]+ rules"
like "the open connection goes on" "${session[10]}" "^250 2.0.0"
like "with the rules it began with" "$(verdict_of "${session[10]}")" "action=accept "
said=$(send -l alice <"$W/blue")
like "the next one has the new rules" "$(verdict_of "$said")" "rules=BLUE:7"

# Broken rules: said with file:line, and the old ones stay.
rule 'header BLUE Subject =~ /blue moon/' 'score BLUE 7' 'body BAD /(/'
said=$(postern reload 2>&1)
is "a broken file is refused: exit 2" "$?" 2
like "with file and line" "$said" "zz.cf:3: error: "
like "in the log too" "$(logged 'reload refused')" "old configuration and rules stay"
said=$(send -l alice <"$W/blue")
like "the old rules stay" "$(verdict_of "$said")" "rules=BLUE:7"

echo 'no-such-option = 1' >>"$CONF"
said=$(postern reload 2>&1)
like "a broken configuration is refused" "$said" \
	"postern.conf:[0-9]+: .*no-such-option"
sed -i '/no-such-option/d' "$CONF"

# The same by signal.
kill -HUP "$POSTERND_PID"
ok "SIGHUP with the broken file: refused" wait_for 5 eval \
	'[ "$(grep -c "reload refused" "$W/log/posternd")" = 2 ]'

# What is no file at all is neither waited for nor the end of posternd.
rule 'header BLUE Subject =~ /blue moon/' 'score BLUE 7'
mkfifo "$POSTERN/rules/zzz.cf"
said=$(timeout 60 "$POSTERN_PROGRAM" -c "$CONF" reload 2>&1)
like "a FIFO for a rule file is refused" "$said" "zzz.cf: error: .* a pipe"
rm "$POSTERN/rules/zzz.cf"
mv "$CONF" "$CONF.kept"
mkdir "$CONF"
said=$(timeout 60 "$POSTERN_PROGRAM" -c "$CONF.kept" reload 2>&1)
like "and a folder for a configuration" "$said" "postern.conf: error: .*Is a directory"
rmdir "$CONF"
mv "$CONF.kept" "$CONF"
ok "posternd lives on" is_alive "$POSTERND_PID"

rule 'header BLUE Subject =~ /blue moon/' 'score BLUE 8'
kill -HUP "$POSTERND_PID"
ok "SIGHUP with a good one" wait_for 5 eval \
	'[ "$(grep -c "reloaded: " "$W/log/posternd")" = 2 ]'
said=$(send -l alice <"$W/blue")
like "takes effect" "$(verdict_of "$said")" "rules=BLUE:8"
ok "posternd lives" is_alive "$POSTERND_PID"
echo 'workers = 7' >>"$CONF"
said=$(postern reload 2>&1)
like "the answer names what needs a restart" "$said" "workers has changed: .*started again"
is "and nothing else" "$(grep -c "has changed" <<<"$said")" 1
like "what needs a restart is named" "$(logged 'workers has changed')" "started again"
for wrong in 'dns = {"127.0.0.1:1"}' 'dns = {"file:/proc/nonexistent"}' 'user = nosuchuser'; do
	sed "/^${wrong%% =*} = /d" "$CONF" >"$W/right.conf"
	cp -p "$CONF" "$W/old.conf"
	{ cat "$W/right.conf" && echo "$wrong"; } >"$CONF"
	said=$(postern reload 2>&1)
	is "what stops the next start is refused: $wrong" "$?" 2
	like "and named with its line" "$said" "postern.conf:[0-9]+: error: ${wrong%% =*}: "
	cat "$W/old.conf" >"$CONF"
done
cp -p "$CONF" "$W/old.conf"
sed -i 's/^socket-group = .*/socket-group = nosuchgroup/' "$CONF"
like "a group that is not there is warned about" "$(postern reload 2>&1)" \
	"warning: socket-group: no group is called nosuchgroup"
cat "$W/old.conf" >"$CONF"
echo 'spool-dir = "/proc/nonexistent"' >>"$CONF"
said=$(postern reload 2>&1)
like "a spool that is not there is refused" "$said" "postern.conf:[0-9]+: error: spool-dir: /proc/nonexistent: No such"
done_testing
