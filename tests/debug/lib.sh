# Shared by tests/debug/run: a guest under tvmm with symbols, and what is expected of the output.
B=${B:-build}
UV=${UNDERVISOR:-$B/undervisor}
here=$(dirname "$0")
fw=$B/firmware
limit=${GUEST_TIMEOUT:-180}
tmp=$(mktemp -d) || exit 2
pids=
# shellcheck disable=SC2086,SC2317 # several pids; called by trap
clean() {
	[ -n "$pids" ] && kill $pids 2>/dev/null
	rm -rf "$tmp"
}
trap clean EXIT
trap 'exit 130' INT TERM
passed=0 failed=0 skipped=0

ok() { echo "ok $1"; passed=$((passed + 1)); }
fail() { echo "FAIL $1: $2"; failed=$((failed + 1)); }
skip() { echo "skip $1: $2"; skipped=$((skipped + 1)); }

# guest NAME ARGS OPTION...: output in $tmp/out, messages in $tmp/err; the status is Undervisor's
guest() {
	g=$1 args=$2
	shift 2
	timeout "$limit" "$UV" -m 256 -display none -bios none -kernel "$fw/tvmm.elf" -append debug-exit -initrd "$fw/$g.elf $args" \
		-device isa-debug-exit,iobase=0xf4,iosize=0x4 --symbols "host=$fw/tvmm.elf64" --symbols "guest=$fw/$g.elf" "$@" \
		<"${input:-/dev/null}" >"$tmp/out" 2>"$tmp/err"
}

# says NAME PATTERN...: every pattern is in the output, in this order
says() {
	name=$1
	shift
	from=1
	for p in "$@"; do
		at=$(tail -n "+$from" "$tmp/out" | grep -n -m 1 -e "$p" | cut -d: -f1)
		if [ -z "$at" ]; then
			fail "$name" "no '$p' after line $from of: $(tail -n 12 "$tmp/out" "$tmp/err" | cut -c1-200)"
			return 1
		fi
		from=$((from + at))
	done
	ok "$name"
}

# monitor NAME GUEST ARGS PATTERN...: the script tests/debug/NAME.uv
monitor() {
	name=$1 mg=$2 margs=$3
	shift 3
	guest "$mg" "$margs" --monitor-script "$here/$name.uv"
	says "$name" "$@"
}

# scripted NAME STATUS: the script tests/debug/NAME.uv has run; each of its lines "#= PATTERN" is expected in the output, in order, and "#status N"
scripted() {
	name=$1 status=$2
	cat "$tmp/err" >>"$tmp/out"
	set --
	while IFS= read -r line; do
		case $line in "#= "*) set -- "$@" "${line#\#= }" ;; esac
	done <"$here/$name.uv"
	script=$name
	says "monitor: $script" "$@"
	want=$(sed -n 's/^#status //p' "$here/$script.uv")
	if [ "$status" = "$want" ]; then ok "monitor: $script: status"; else fail "monitor: $script: status" "$status, expected $want"; fi
}

# gdb_session NAME GUEST ARGS [OPTION...]: tests/debug/NAME.gdb in the real gdb, its output in $tmp/out
gdb_session() {
	name=$1 gg=$2 gargs=$3
	shift 3
	gdb_run "$name" -m 256 -display none -bios none -kernel "$fw/tvmm.elf" -append debug-exit -initrd "$fw/$gg.elf $gargs" \
		-device isa-debug-exit,iobase=0xf4,iosize=0x4 --symbols "host=$fw/tvmm.elf64" --symbols "guest=$fw/$gg.elf" "$@"
}

# gdb_run NAME OPTION...
gdb_run() {
	name=$1
	shift
	sed "s#@SOCKET@#$tmp/gdb#; s#@FW@#$fw#g" "$here/$name.gdb" >"$tmp/script"
	rm -f "$tmp/gdb"
	timeout "$limit" "$UV" "$@" -gdb "unix:$tmp/gdb" -S </dev/null >"$tmp/uv" 2>&1 &
	pid=$!
	pids="$pids $pid"
	tries=100
	while [ ! -S "$tmp/gdb" ] && [ $tries -gt 0 ]; do
		sleep 0.2
		tries=$((tries - 1))
	done
	# A monitor script comes first: gdb would stop what it runs.
	case $* in
	*--monitor-script*)
		while ! grep -q '^breakpoint 1, ' "$tmp/uv" && [ $tries -gt 0 ]; do
			sleep 0.2
			tries=$((tries - 1))
		done ;;
	esac
	timeout "$limit" "$GDB" -nx -batch -x "$tmp/script" </dev/null >"$tmp/out" 2>"$tmp/err"
	cat "$tmp/err" >>"$tmp/out"
	kill $pid 2>/dev/null
	wait $pid 2>/dev/null
}
