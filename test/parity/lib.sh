# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# What compares Postern with SpamAssassin begins with: the peer, its rules, mail.
# Sets rules[], the --rules arguments; needs $W, a folder to work in.
: "${srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}" "${builddir:=$srcdir/build}"
stock=/usr/share/spamassassin
shared=$srcdir/../shared

peer_is_there() {
	[ -d "$stock" ] && perl -MMail::SpamAssassin -MJSON::PP -e 1 2>/dev/null
}

# The stock rules with the scores of sa-update in their place, and KAM.
peer_rules() {
	mkdir -p "$W/stock" && cp "$stock"/*.cf "$W/stock/" || return
	[ ! -f "$shared/rulesets/72_scores.cf" ] ||
		cp "$shared/rulesets/72_scores.cf" "$W/stock/" || return
	rules=(--rules "$W/stock")
	[ ! -d "$shared/rulesets/kam" ] || rules+=(--rules "$shared/rulesets/kam")
}

# corpus_unpack FOLDER NAME...: false if that mail is not there.
corpus_unpack() {
	local folder=$1 name
	shift
	mkdir -p "$folder"
	for name; do
		[ -f "$shared/corpus/$name.tar.zst" ] || return
		tar -C "$folder" --zstd -xf "$shared/corpus/$name.tar.zst" || return
	done
}
