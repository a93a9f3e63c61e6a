#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Manuals, the shipped configuration and the programs say the same, and the
# examples in the manuals work.
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/mclient.sh"
printf '%s\n' 'example.org. 300 IN TXT "v=spf1 ip4:192.0.2.1 -all"' \
	'example.org. 300 IN MX 10 mail.example.org.' >"$W/zone"
DNS="{\"file:$W/zone\"}"
gate_alone 'release-via = "/bin/true"' 'egress-addresses = {"192.0.2.1"}'
man=$srcdir/man etc=$srcdir/etc

# The paths of this build as those of a packaged one, which the files name.
conf_dir=$(postern config -d -b rules | sed -E 's/.*"(.*)\/rules".*/\1/')
state_dir=$(postern config -d -b state-dir | sed -E 's/.*"(.*)"/\1/')
packaged() { sed -e "s|$conf_dir|/etc/postern|g" -e "s|$state_dir|/var/lib/postern|g"; }
here() { sed -e "s|/etc/postern|$conf_dir|g" -e "s|/var/lib/postern|$state_dir|g"; }

# ---- options: name = default

from_manual=$(sed -n 's/^\.It Ic \([a-z-]*\) Li = /\1 = /p' "$man/postern.conf.5" |
	sed 's/\\(dq/"/g' | sort)
from_conf=$(sed -nE 's/^\t?#([a-z-]+ = )/\1/p' "$etc/postern.conf" | sort)
from_program=$(postern config -d -b | sed -nE 's/^\t?([a-z-]+) = .*/\1/p' | sort -u)
is "postern.conf(5) has every option and no other" \
	"$(sed 's/ = .*//' <<<"$from_manual")" "$from_program"
is "etc/postern.conf has the same, with the same defaults" \
	"$from_conf" "$from_manual"
sed -E 's/^(\t?)#([a-z-]+ = )/\1\2/' "$etc/postern.conf" | here >"$W/all.conf"
is "these are the defaults" "$("$POSTERN_PROGRAM" -c "$W/all.conf" config -b 2>&1)" \
	"$(postern config -d -b)"
is "etc/postern.conf works unchanged" \
	"$("$POSTERN_PROGRAM" -c "$etc/postern.conf" config -b 2>&1)" \
	"$(postern config -d -b)"
is "postern.conf(5) marks what is read at start only" \
	"$(awk '/^\.It Ic / {name = $3} /^\.Pq restart/ && name {print name}' \
		"$man/postern.conf.5" | sort)" \
	"$(sed -n '/fixed\[\] = {/,/};/p' "$srcdir/milter/session/control.c" |
		grep -oE '"[a-z-]+"' | tr -d '"' | sort)"

# ---- commands, options of the programs, log keys

is "postern(1) has a section for every command" \
	"$(sed -n 's/^\.Ss //p' "$man/postern.1" | sort)" \
	"$(postern help | sed -nE 's/^  ([a-z-]+) .*/\1/p' | grep -v '^help$' | sort)"
is "posternd(8) has every flag" \
	"$(sed -nE 's/^\.It Fl ([A-Za-z]).*/\1/p' "$man/posternd.8" | sort | xargs)" \
	"$("$POSTERND" -h | sed -nE 's/^  -([A-Za-z]) .*/\1/p' | sort | xargs)"
flags() { sed -n "/^\.Ss $1$/,/^\.S[sh] /p" "$man/postern.1" |
	sed -nE 's/^\.It Fl -([a-z-]+).*/\1/p' | sort -u; }
is "postern(1) has every option of scan" "$(flags scan)" \
	"$(postern help scan | grep -oE -- '--[a-z]+' | tr -d - | sort -u)"
for command in notices ledger profile masscheck freqs fpfn rescore what-if status top digest; do
	is "postern(1) has every option of $command" "$(flags $command)" \
		"$(postern help $command | grep -oE -- '--[a-z-]+' | sed 's/^--//' | sort -u)"
done
for command in explain history; do
	is "postern(1) has every option of $command" "$(flags $command)" \
		"$(postern help $command | grep -oE -- '--[a-z-]+' | cut -c 3- | sort -u)"
done
is "postern(1) has every option of quarantine" \
	"$(sed -n '/^\.Ss quarantine$/,/^\.S[sh] /p' "$man/postern.1" |
		grep -oE '^(\.It )?[. ,A-Z].*' | grep -oE 'Fl -[a-z-]+' | sort -u)" \
	"$(for verb in list show release delete purge; do
		postern quarantine $verb --help
	done | sed -nE 's/^  --([a-z-]+) .*/Fl -\1/p' | sort -u)"
is "posternd(8) has every key of a log line, in order" "$(
	sed -n '/^\.Ss Logging/,/^\.Ss Signals/s/^\.It //p' "$man/posternd.8" | xargs)" \
	"$(sed -nE 's/^    \{"([a-z]+)", get_.*/\1/p' "$srcdir/milter/session/report.c" | xargs)"

# ---- examples

awk -v dir="$W" '/^\.Sh/ {on = /EXAMPLES/} on && /^\.Bd -literal/ {n++; text = 1; next}
	/^\.Ed/ {text = 0} on && text {print > (dir "/example" n ".conf")}' \
	"$man/postern.conf.5"
for example in "$W"/example*.conf; do
	ok "$(basename "$example" .conf) of postern.conf(5) is valid" \
		"$POSTERN_PROGRAM" -c "$example" config
done
is "there are some" "$(find "$W" -name 'example*.conf' | wc -l)" \
	"$(grep -cE '^\.Bd -literal' <(sed -n '/^\.Sh EXAMPLES/,$p' "$man/postern.conf.5"))"

# Rules of SpamAssassin: the folders are made here, the lines are the manual's.
awk -v dir="$W" '/^\.Sh/ {on = /RULES OF SPAMASSASSIN/}
	on && /^\.Bd -literal/ {n++; text = 1; next} /^\.Ed/ {text = 0}
	on && text {print > (dir "/peer" n)}' "$man/postern-rules.7"
release=$W/peer/var/4.000001
mkdir -p "$release/updates_spamassassin_org" "$W/peer/etc" "$W/peer/own" "$W/peer/bin"
echo 'include updates_spamassassin_org/10.cf' >"$release/updates_spamassassin_org.cf"
printf '%s\n' 'header ALL_TRUSTED eval:check_all_trusted()' 'header TAG_ME Subject =~ /tag me/' \
	>"$release/updates_spamassassin_org/10.cf"
echo 'required_score 5' >"$W/peer/etc/local.cf"
mail "tag me" >"$W/peer/message.eml"
printf '#!/bin/sh\n' >"$W/peer/bin/sa-update"
printf '#!/bin/sh\nexec "%s" -c "%s" "$@"\n' "$POSTERN_PROGRAM" "$CONF" >"$W/peer/bin/postern"
chmod +x "$W"/peer/bin/*
peer() { sed "s|/var/lib/spamassassin|$W/peer/var|g; s|/etc/spamassassin|$W/peer/etc|g; s|/etc/postern/rules|$W/peer/own|g"; }
cp "$W/peer4" "$W/peer/own/local.cf"
peer <"$W/peer1" >"$W/peer.conf"
said=$("$POSTERN_PROGRAM" -c "$W/peer.conf" lint 2>&1)
is "postern-rules(7): the folders of SpamAssassin work" $? 0
is "with a rule that is switched off" "$said" \
	"2 rules, 1 active, 0 disabled, 0 warnings"
while read -r _ example; do
	said=$(cd "$W/peer" && PATH="$W/peer/bin:$PATH" sh -c "$(peer <<<"$example")" 2>&1)
	result $? "postern-rules(7): $example" "$said"
done < <(grep -h '^[$#] ' "$W"/peer[23])
like "the report counts what is read" "$(postern lint --report "$W/peer/var" "$W/peer/etc")" \
	"required_score +thresholds are set in postern.conf"

mkdir -p "$W/place/Maildir/new" "$W/place/bin"
printf '#!/bin/sh\nexec "%s" -c "%s" "$@"\n' "$POSTERN_PROGRAM" "$CONF" >"$W/place/bin/postern"
chmod +x "$W/place/bin/postern"
mail "tag me" | tee "$W/place/message.eml" >"$W/place/Maildir/new/1"
cp "$srcdir"/test/scenario/rules/test.cf "$W/place/local.cf"
cp "$CONF" "$W/place/new.conf"
mail "hold me" >"$W/held"
mclient_files "$W/held" -- --login alice >/dev/null
id=$(held_ids)
while IFS= read -r example; do
	case $example in
	*jq*) command -v jq >/dev/null || continue ;;
	esac
	said=$(cd "$W/place" && PATH="$W/place/bin:$PATH" \
		sh -c "${example//0Vv3kPpQ/${id:-none}}" 2>&1)
	[ $? -le 1 ] && ! grep -qi usage <<<"$said"
	result $? "postern(1): $example" "$said"
done < <(sed -nE '/^\.Sh EXAMPLES/,$s/^(\.Dl )?[$#] //p' "$man/postern.1")
is "the example released the message" "$(held_count)" 0

# Rule work: the folders are made here, the lines are the manual's.
mkdir -p "$W/work/ham" "$W/work/spam" "$W/work/rules"
cp "$srcdir"/test/scenario/rules/test.cf "$W/work/rules/"
for i in {1..30}; do
	mail "minutes $i" >"$W/work/ham/$i"
	mail "defer me $i" >"$W/work/spam/$i"
done
while IFS= read -r example; do
	said=$(cd "$W/work" && PATH="$W/place/bin:$PATH" \
		sh -c "${example//\/etc\/postern\/rules/$W/work/rules}" 2>&1)
	result $? "postern(1), RULE WORK: $example" "$said"
	case $example in "postern fpfn "*) before=${after-} after=$said ;; esac
done < <(sed -nE '/^\.Sh RULE WORK/,/^\.Sh FILES/s/^[$#] //p' "$man/postern.1")
like "by the old scores spam was missed" "$before" "all +6 +0 +0.000% +30 +100.000%|submission +6 +0 +0.000% +30 +100.000%"
like "by the new ones none is" "$after" "submission +6 +0 +0.000% +0 +0.000%"

for page in "$man"/*.[1-8]; do
	command -v mandoc >/dev/null || break
	is "$(basename "$page"): mandoc has no complaint" \
		"$(mandoc -Tlint -W warning "$page")" ""
done
done_testing
