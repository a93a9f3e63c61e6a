#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Whatever bytes a stranger puts into mail, no command says anything that a
# terminal obeys, and JSON stays JSON.
SCENARIO_TIME=${SCENARIO_TIME:-400}
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/mclient.sh"
needs /usr/bin/python3
gate_alone 'class submission { hold = 6 reject = 10 }' 'dns = {"off"}'

# ---- the bytes

declare -A bytes=(
	[clear]=$'\e[2J\e[H' [title]=$'\e]0;pwned\a' [reply]=$'\e[6n\e[c'
	[c1]=$'\x9b31m\x9d0;x\x9c' [c1-utf8]=$'\xc2\x9b2J' [delete]=$'a\x7fb\bc'
	[bidi]=$'\u202eexe.txt\u2066' [invisible]=$'a\u200bb\ufeffc\u00ad'
	[separators]=$'a\u2028b\u2029c' [latin1]=$'\xe9\xff\xfe' [overlong]=$'\xc0\xaf\xe0\x80\x80'
	[surrogate]=$'\xed\xa0\x80\xed\xb0\x80' [beyond]=$'\xf4\x90\x80\x80' [cut]=$'\xe2\x82'
	[return]=$'a\rb' [json]=$'"\\","x":{[\t' [format]='%s%n%x{id}' [tag]=$'\U000e0041\U0001f600'
)
number=0
for name in "${!bytes[@]}"; do
	b=${bytes[$name]}
	number=$((number + 1))
	{
		echo "From: \"$b\" <a$b@test.example>"
		echo "To: <r$b@remote.example>"
		echo "Subject: hold me: $b"
		echo "Message-ID: <$number$b@test.example>"
		echo "X-Mailer: $b"
		echo "MIME-Version: 1.0"
		echo "Content-Type: multipart/mixed; boundary=\"b$b\""
		printf '\n--b%s\nContent-Type: text/html; charset=utf-8\n\n' "$b"
		echo "<a href=\"http://h$b.example/$b\">$b</a> $b"
		printf -- '--b%s\nContent-Type: application/x; name="%s.exe"\n\n%s\n--b%s--\n' \
			"$b" "$b" "$b" "$b"
	} >"$W/mail.$number"
	mclient_files "$W/mail.$number" -- --login "l$b" --from "s$b@test.example" \
		--rcpt "r$b@remote.example" --helo "h$b.example" --client-name "c$b" \
		--queue-id "Q$number$b" --macro "{daemon_name}=d$b" --macro "_=u$b" >/dev/null
	# a stranger's, and an answer to it
	mclient_files "$W/mail.$number" -- --from "x$b@elsewhere.example" \
		--rcpt "r$b@test.example" --helo "h$b.example" >/dev/null
	sed -e "s/^Subject:.*/Subject: Out of office: $RANDOM/" -e 's/^X-Mailer:.*/Auto-Submitted: auto-replied/' \
		"$W/mail.$number" >"$W/answer"
	mclient_files "$W/answer" -- --client 127.0.0.1:0 --from '' \
		--rcpt "x$b@elsewhere.example" >/dev/null
done
wait_for 20 eval '[ "$(held_count)" -ge '"$number"' ]'
is "each message was held" "$(held_count)" "$number"
is "no byte of the log is obeyed" "$(LC_ALL=C grep -caP \
	'[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xa8-\xae]|\xef\xbb\xbf' "$W/log/posternd")" 0

# ---- rules, settings and names that are as bad

b=${bytes[clear]}${bytes[latin1]}
mkdir "$W/rules" "$W/ham" "$W/spam" "$W/etc"
printf 'body A /(%s/\ndescribe B %s\nbody C%s /x/\nheader D Subject =~ /hold/\nscore D 1\ndescribe D %s\n' \
	"$b" "$b" "$b" "$b" >"$W/rules/a$b.cf"
printf 'header D Subject =~ /hold/\nscore D 1\ndescribe D %s\n' "$b" >"$W/good.cf"
cp "$W"/mail.* "$W/spam"
for i in {1..40}; do
	cp "$W/mail.1" "$W/ham/m$b$i"
	cp "$W/mail.2" "$W/spam/m$b$i"
done
{
	cat "$CONF"
	echo "reject-text = \"$b\""
	echo "defer-text = \"x$b\""
} >"$W/odd.conf"
{
	cat "$CONF"
	echo "no-option$b = 1"
} >"$W/bad.conf"
cat >"$W/etc/main.cf" <<X
compatibility_level = 3.6
meta_directory = /etc/postfix
myhostname = mail$b.test.example
smtpd_milters = inet:$b
relayhost = $b
X
echo "smtp inet n - n - - smtpd" >"$W/etc/master.cf"
id=$(held_ids | head -n 1)
file=$(ls "$HELD"/new/* | head -n 1)

# ---- each command.  ID, FILE and BAD stand for themselves; json: it has --json.

commands=$(cat <<'X'
scan|json|scan --rules GOOD --offline MAIL
scan|json|scan --rules GOOD --offline --explain MAIL
scan|json|scan --rules GOOD --offline --explain --views --head Subject MAIL
profile|json|profile --rules GOOD MAIL
masscheck|json|masscheck --rules GOOD --log LOG ham:HAM spam:SPAM
freqs|json|freqs LOG
fpfn|json|fpfn LOG
rescore|json|rescore --folds 2 --min-hits 1 LOG
what-if||what-if --rules GOOD --messages --offline QUARANTINE
what-if|json|what-if --rules GOOD --offline QUARANTINE
what-if|json|what-if --rules GOOD --history
preflight||preflight BAD
doctor|json|doctor --posternd --postfix ETC
quarantine|json|quarantine list
quarantine|json|quarantine list --subject BAD
quarantine|json|quarantine show ID
quarantine||quarantine show NOBODY
quarantine|json|quarantine release --dry-run --all
explain|json|explain ID
explain|json|explain BAD
history|json|history
history||history --csv
history|json|history --sender BAD
digest|json|digest
notices||notices --explain
notices|json|notices
ledger|json|ledger
ledger|json|ledger show BAD
lint|json|lint RULES
lint|json|lint --report RULES
reload||reload
status|json|status
top|json|top --once
config||-c ODD config
config||config BAD
lint||-c BADCONF lint
doctor||-c BADCONF doctor --posternd
help||help BAD
X
)

# The words of a line of the table, in $words.
words_of() {
	local word
	words=("$POSTERN_PROGRAM")
	[[ $1 = -c* ]] || words+=(-c "$CONF")
	for word in $1; do
		case $word in
		GOOD) word=$W/good.cf ;; RULES) word=$W/rules ;; MAIL) word=$W/spam ;;
		LOG) word=$W/mass.log ;; HAM) word=$W/ham ;; SPAM) word=$W/spam ;;
		*:HAM | *:SPAM) word=${word%%:*}:$W/${word%%:*} ;;
		ETC) word=$W/etc ;; QUARANTINE) word=$HELD ;; ID) word=$id ;;
		ODD) word=$W/odd.conf ;; BADCONF) word=$W/bad.conf ;;
		BAD) word="<x$b@y>" ;; NOBODY) word="0$b" ;;
		esac
		words+=("$word")
	done
}

export LC_ALL=C.UTF-8
look() {
	/usr/bin/python3 "$srcdir/test/scenario/lib/terminal.py" "$@"
}
while IFS='|' read -r command kinds line; do
	words_of "$line"
	# that an id is wrong is no fault here: what is said of it is looked at
	for way in pipe tty; do
		said=$(look "$way" "${words[@]}")
		status=$?
		[ $status = 0 ] || [[ $status = 2 && $line =~ BAD|NOBODY|RULES ]]
		result $? "$way: $line" "$said"
	done
	[ "$kinds" = json ] || continue
	said=$(look json "${words[@]}" --json)
	status=$?
	[ $status = 0 ] || [[ $status = 2 && $line =~ BAD|NOBODY|RULES ]]
	result $? "json: $line" "$said"
done <<<"$commands"

# ---- nothing is left out

LC_ALL=C
is "each command of postern(1) is here" \
	"$(postern help | sed -nE 's/^  ([a-z-]+) .*/\1/p' | sort | xargs)" \
	"$(cut -d'|' -f1 <<<"$commands" | sort -u | xargs)"
done_testing
