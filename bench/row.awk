# One payload's row of the table, and one line of JSON appended to the file `json`. First file: bench/expected (NAME N SUM);
# second: lines EMULATOR base|full US INSTRUCTIONS N OPS SUM. Exit status 1 if two sums differ. Whole numbers are printed
# with %.0f because mawk's %d has 32 bits.

function median(emulator, kind,    key, count, i, j, x, t) {
	key = emulator " " kind
	count = times[key]
	for (i = 1; i <= count; i++)
		t[i] = time[key, i]
	for (i = 2; i <= count; i++)
		for (j = i; j > 1 && t[j - 1] > t[j]; j--) {
			x = t[j]; t[j] = t[j - 1]; t[j - 1] = x
		}
	return (t[int((count + 1) / 2)] + t[int(count / 2) + 1]) / 2
}

function has(emulator) {
	return times[emulator " full"] > 0 && ops > 0
}

# us spent on the operations alone
function net(emulator,    t) {
	t = median(emulator, "full") - median(emulator, "base")
	return t > 1 ? t : 1
}

function short(v) {
	return v < 10 ? sprintf("%.2f", v) : v < 1000 ? sprintf("%.1f", v) : sprintf("%.0f", v)
}

function ns_op(emulator) {
	return net(emulator) * 1000 / ops
}

function mips(emulator) {
	return has(emulator) && insns > 0 ? sprintf("%.0f", insns / net(emulator)) : "-"
}

function json_emulator(emulator) {
	if (!has(emulator))
		return sprintf("\"%s\": null", emulator)
	return sprintf("\"%s\": {\"ns_per_op\": %.3f, \"ms\": %.1f, \"start_ms\": %.1f, \"mips\": %s}", emulator,
		ns_op(emulator), median(emulator, "full") / 1000, median(emulator, "base") / 1000,
		mips(emulator) == "-" ? "null" : mips(emulator))
}

FILENAME == ARGV[1] {
	if ($1 == name)
		expected[$2] = $3
	next
}

{
	key = $1 " " $2
	time[key, ++times[key]] = $3
	if ($4 != "-")
		count[$2] = $4
	if ($7 == "-")
		next
	if ($2 == "full") {
		n = $5
		ops = $6
		sum = $7
		if (n in expected && sum != expected[n])
			differ = 1
	}
	if ($2 in first && $7 != first[$2])
		differ = 1
	else
		first[$2] = $7
	seen[$2]++
}

END {
	if (sum == "") {
		printf "%-14s -\n", name
		exit 0
	}
	insns = count["full"] - count["base"]
	equal = differ ? "NO" : n in expected || seen["full"] > 1 ? "yes" : "-"
	ratio = has("undervisor") && has("qemu") ? sprintf("%.2f", net("qemu") / net("undervisor")) : "-"
	printf "%-14s %11.0f %12s %12s %7s %5s %9s %9s\n", name, ops, has("undervisor") ? short(ns_op("undervisor")) : "-",
		has("qemu") ? short(ns_op("qemu")) : "-", ratio, equal, mips("undervisor"), mips("qemu")
	truth = differ ? "false" : equal == "yes" ? "true" : "null"
	printf("{\"payload\": \"%s\", \"n\": %.0f, \"ops\": %.0f, \"sum\": \"%s\", \"sum_equal\": %s, ", name, n, ops, sum,
		truth) >>json
	printf("\"instructions\": %s, \"ratio\": %s, %s, %s}\n", (insns > 0 ? sprintf("%.0f", insns) : "null"),
		(ratio == "-" ? "null" : ratio), json_emulator("undervisor"), json_emulator("qemu")) >>json
	exit differ
}
