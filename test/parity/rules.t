#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The real SpamAssassin and Postern run the same rules over the same mail: a
# sample of all kinds of mail, or the few messages of test/mail.
set -u
. "$(dirname "$0")/lib.sh"
skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}
peer_is_there || skip_all "needs SpamAssassin (scripts/check installs it)"
! grep -qaE '__(asan|tsan)_init' "$builddir/postern" ||
	skip_all "the peer is asked once, without a sanitizer"
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
peer_rules || skip_all "the rules cannot be copied"
sample=300
if corpus_unpack "$W/mail" dev-mini; then
	echo "# $sample messages of ../shared/corpus"
	mapfile -t mail < <(find "$W/mail" -type f | LC_ALL=C sort |
		awk -v want=$sample '{ line[NR] = $0 }
			END { for (i = 0; i < want && i < NR; i++) print line[int(i * NR / want) + 1] }')
else
	echo "# there is no corpus in ../shared: the messages of test/mail"
	mapfile -t mail < <(find "$srcdir/test/mail" -name '*.eml' | LC_ALL=C sort)
fi
echo 1..1
"$srcdir/test/parity/compare" "${rules[@]}" --jobs 2 --postern "$builddir/postern" \
	--known "$srcdir/test/parity/known" "${mail[@]}" 2>&1 | sed 's/^/# /'
if [ "${PIPESTATUS[0]}" = 0 ]; then
	echo "ok 1 - ${#mail[@]} messages hit the same rules as in SpamAssassin"
else
	echo "not ok 1 - ${#mail[@]} messages hit the same rules as in SpamAssassin"
	exit 1
fi
