# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# mclient -- posternd without an MTA: our own milter client hands it mail, so
# that a test may do at the socket what no MTA would.

MCLIENT=${MCLIENT:-$builddir/test/tool/mclient}

# gate_alone LINE...: posternd only, with these lines of postern.conf.
gate_alone() {
	needs root
	[ -x "$MCLIENT" ] || skip_all "needs test/tool/mclient"
	posternd_configure "$@"
	posternd_start || bail "posternd starts"
}

# mclient OPTION... [FILE...], to this posternd.
mclient() {
	"$MCLIENT" --timeout 60000 "$@" "$MILTER"
}

# The same, with files: mclient_files FILE... -- OPTION...
mclient_files() {
	local files=()
	while [ "$1" != -- ]; do
		files+=("$1")
		shift
	done
	shift
	"$MCLIENT" --timeout 60000 "$@" "$MILTER" "${files[@]}"
}

# The answers only, in order: "accept accept reject".
answers() {
	grep -oE ' reply=[a-z]+' | cut -d= -f2 | xargs
}

# answers_is CLAIM WANTED OPTION...: what mclient hears.
answers_is() {
	local claim=$1 wanted=$2 said
	shift 2
	said=$(mclient "$@")
	is "$claim" "$(answers <<<"$said")" "$wanted"
}

# A sanitizer makes everything slow and large: such tests may ask.
is_sanitized() {
	grep -qaE '__(asan|tsan)_init' "$POSTERND"
}

# posternd's own figures: memory_kb VmHWM
memory_kb() {
	sed -n "s/^$1:[[:space:]]*\([0-9]*\).*/\1/p" "/proc/$POSTERND_PID/status"
}

# Nothing is left of a message that is over.
spool_is_empty() {
	[ -z "$(find "$POSTERN/state/spool" -type f)" ] &&
		! find "/proc/$POSTERND_PID/fd" -lname '*(deleted)' | grep -q .
}
