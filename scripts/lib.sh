# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# lib -- what scripts/check, scripts/demo and .ci/run share: telling what goes
# on, installing packages, building, and counting test results.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PATH="$PATH:/usr/sbin:/sbin" LC_ALL=C.UTF-8

if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then
	bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' yellow=$'\e[33m'
	blue=$'\e[34m' plain=$'\e[0m'
else
	bold='' dim='' red='' green='' yellow='' blue='' plain=''
fi

say() {
	printf '%s\n' "$*"
}

# A heading.
step() {
	printf '\n%s== %s%s\n' "$bold$blue" "$*" "$plain"
}

warn() {
	printf '%swarning: %s%s\n' "$yellow" "$*" "$plain" >&2
}

die() {
	printf '%serror: %s%s\n' "$red" "$*" "$plain" >&2
	exit 1
}

# quietly LOG COMMAND...: its words go to LOG; when it fails, the tests that failed
# and the end of them are shown.
quietly() {
	local log=$1
	shift
	"$@" >"$log" 2>&1 </dev/null && return
	grep -E '^(FAIL|ERROR): ' "$log" | head -n 20 | cut -c 1-300 |
		sed 's/^/    /'
	tail -n "${quietly_lines:-40}" "$log" | cut -c 1-300 | sed 's/^/    /'
	say "    (all of it: $log)"
	return 1
}

# ---- packages

# In $sudo: how to become root; empty for root itself, 1 when there is no way.
root_find() {
	sudo=
	[ "$(id -u)" = 0 ] && return
	command -v sudo >/dev/null || return 1
	if sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }; then
		sudo=sudo
	else
		return 1
	fi
}

# The packages of each group named.
packages_of() {
	local group
	for group; do
		sed -n "s/^$group: *//p" "$top/scripts/packages"
	done | xargs -n 1 | sort -u
}

packages_missing() {
	local name
	for name; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = \
			installed ] || echo "$name"
	done
}

# Install packages as root; no service of theirs is started, and Postfix is left
# without a configuration.
packages_install() {
	local policy=/usr/sbin/policy-rc.d made='' status
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy >/dev/null &&
			$sudo chmod 755 $policy && made=1
	fi
	echo "postfix postfix/main_mailer_type select No configuration" |
		$sudo debconf-set-selections 2>/dev/null
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
		--no-install-recommends --no-remove -o DPkg::Lock::Timeout=600 \
		-o Dpkg::Use-Pty=0 "$@"
	status=$?
	[ -z "$made" ] || $sudo rm -f $policy
	return $status
}

# packages_need GROUP...: have all packages of these groups; 1 if that fails.
packages_need() {
	local missing log=$top/build/packages.log
	mapfile -t missing < <(packages_missing $(packages_of "$@"))
	[ ${#missing[@]} != 0 ] || return 0
	say "installing: ${missing[*]}"
	command -v apt-get >/dev/null ||
		die "this is not Debian; please install the likes of: ${missing[*]}"
	root_find || die "only root may install packages.  Please run:
    apt-get install --no-install-recommends ${missing[*]}"
	mkdir -p "$top/build"
	quietly "$log" $sudo apt-get update -q -o DPkg::Lock::Timeout=600 ||
		warn "apt-get update failed; going on with the lists there are"
	quietly "$log" packages_install "${missing[@]}"
}

# Unpack Sendmail into the folder $1, unless it is there.
sendmail_unpack() {
	local root=$1 deb
	[ ! -x "$root/usr/libexec/sendmail/sendmail" ] || return 0
	rm -rf "$root" && mkdir -p "$root/debs" && chmod 755 "$root/debs" &&
		(cd "$root/debs" && apt-get download -q $(packages_of sendmail)) &&
		for deb in "$root"/debs/*.deb; do
			dpkg -x "$deb" "$root" || return 1
		done || return 1
	rm -rf "$root/debs"
	# Not setgid, or it drops LD_PRELOAD, which the tests need.
	chmod g-s "$root/usr/libexec/sendmail/sendmail"
}

# ---- building

jobs=$(nproc)
# tests wait more than they work
test_jobs=$(((jobs * 3 + 1) / 2))

# build_configure DIR ARGUMENT...: a build folder configured with ARGUMENTs;
# again if it was with others, or if what only tests need has come since.
build_configure() {
	local dir=$1 arguments cmocka old=()
	shift
	arguments="$(printf '%q ' "$@")"
	cmocka=$({
		pkg-config --modversion cmocka
		pkg-config --modversion libseccomp
	} 2>/dev/null | xargs)
	if [ ! -x "$top/configure" ] || [ ! -e "$top/Makefile.in" ]; then
		(cd "$top" && quietly "$top/build/autoreconf.log" autoreconf -fi) ||
			return 1
	fi
	[ ! -e "$dir/configured-with" ] || mapfile -t old <"$dir/configured-with"
	if [ -e "$dir/Makefile" ] && [ "${old[0]-}" = "$arguments" ] &&
		[ "${old[1]-}" = "$cmocka" ]; then
		return
	fi
	mkdir -p "$dir"
	(cd "$dir" && quietly "$dir/configure.log" "$top/configure" "$@") || return 1
	# Objects made with other flags are no use.
	[ "${old[0]-$arguments}" = "$arguments" ] ||
		make -C "$dir" -s clean >/dev/null 2>&1
	printf '%s\n' "$arguments" "$cmocka" >"$dir/configured-with"
}

build_make() {
	local dir=$1
	shift
	quietly "$dir/make.log" make -C "$dir" -j"$jobs" "$@"
}

# What root made in somebody's folder belongs to that one: who uses sudo today
# may not do so tomorrow.
build_hand_over() {
	local made
	[ "$(id -u)" = 0 ] && [ "$(stat -c %u "$top")" != 0 ] || return 0
	for made in build configure Makefile.in aclocal.m4 autom4te.cache build-aux; do
		[ ! -e "$top/$made" ] || chown -hR --reference="$top" "$top/$made"
	done
}

# ---- counting

passed=0 failed=0 skipped=0

# How make is run; a caller may put something before it.
make=(make)

# The value of a variable of the Makefile in DIR: make_variable DIR NAME
make_variable() {
	printf 'include Makefile\nprint-variable: ; @echo $(%s)\n' "$2" |
		make -s -C "$1" -f - print-variable
}

# tests_run DIR MAKE-ARGUMENT...: `make check` there, its tests named as they
# begin, and its results added to the counts.
tests_run() {
	local dir=$1 before=$failed
	shift
	rm -f "$dir/test-suite.log"
	timeout --foreground -k 60 "${CHECK_TIME:-1200}" \
		"${make[@]}" -C "$dir" -k -j"$test_jobs" check "$@" 2>&1 </dev/null |
		tee "$dir/check.log" | awk '
		/^(PASS|SKIP|FAIL|ERROR|XPASS|XFAIL): / {
			test = $2
			sub(/\.t$/, "", test)
			if (!(test in seen)) {print "  " test; seen[test] = 1}
			if ($1 !~ /^PASS/) print "    " $0
			fflush()
		}'
	tests_count "$dir"
	[ "$failed" = "$before" ] || tests_show_failures "$dir"
}

tests_count() {
	local log=$1/test-suite.log line
	if ! grep -q '^# TOTAL:' "$log" 2>/dev/null; then
		failed=$((failed + 1))
		say "  make check did not get as far as running tests:"
		grep -E '(error|undefined|\*\*\*)' "$1/check.log" | head -n 30
		return
	fi
	while read -r line; do
		case $line in
		'# PASS:'* | '# XFAIL:'*) passed=$((passed + ${line##* })) ;;
		'# SKIP:'*) skipped=$((skipped + ${line##* })) ;;
		'# FAIL:'* | '# XPASS:'* | '# ERROR:'*)
			failed=$((failed + ${line##* })) ;;
		esac
	done < <(grep '^# [A-Z]*:' "$log")
}

# What the failing test programs said, no more than a screen each.
tests_show_failures() {
	local trs
	for trs in $(grep -lE '^:global-test-result: (FAIL|ERROR)' -r "$1" \
		--include='*.trs'); do
		step "failed: ${trs#"$1"/}" | sed 's/\.trs//'
		grep -v '^PASS' "${trs%.trs}.log" | cut -c 1-300 | head -n 70
	done
}

# The last line: alone, and the exit status.
tests_end() {
	local skips=
	build_hand_over
	[ "$skipped" = 0 ] || skips=", $skipped skipped"
	printf '\n%s passed, %s failed%s\n' "$passed" "$failed" "$skips"
	[ "$failed" = 0 ]
	exit
}
