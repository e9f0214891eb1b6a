# Reads what "go test -bench" printed and prints a Markdown table: a row for each
# measure, with what flightdeck and k9s need and the bound that flightdeck is held
# to. It fails when a bound is missed or a figure is missing.

/^Benchmark/ {
	name = $1
	sub(/-[0-9]+$/, "", name)
	for (i = 3; i < NF; i += 2) of[name, $(i + 1)] = $i
}

function number(benchmark, unit) {
	return (("Benchmark" benchmark, unit) in of) ? of["Benchmark" benchmark, unit] + 0 : ""
}

# milliseconds is the time of one iteration.
function milliseconds(benchmark) {
	return number(benchmark, "ns/op") == "" ? "" : number(benchmark, "ns/op") / 1e6
}

# row prints a measure. Bound is the most that is allowed, and why says where it
# comes from; both are empty for what is only told.
function row(measure, ours, theirs, bound, why) {
	verdict = ""
	if (ours == "") verdict = "not measured"
	else if (bound != "") verdict = ours <= bound ? "met" : "missed"
	if (verdict != "" && verdict != "met") status = 1
	printf "| %-50s | %10s | %11s | %-29s |\n", measure, figure(ours), figure(theirs), why (why && verdict ? ", " : "") verdict
}

function figure(n) { return n == "" ? "" : sprintf(n < 10 ? "%.1f" : "%.0f", n) }

END {
	beside = "Beside5000Pods/flightdeck"
	k9s = "Beside5000Pods/k9s"
	third = number(k9s, "peak-MiB") / 3
	idle = number(k9s, "idle-B/s")

	printf "| %-50s | %10s | %11s | %-29s |\n", "", "flightdeck", "k9s " version, "bound"
	print "| --- | ---: | ---: | --- |"
	row("first byte, every backend hanging, ms", number("FirstFrame", "first-byte-ms"), "", "", "")
	row("first frame, every backend hanging, ms", number("FirstFrame", "first-frame-ms"), "", 100, "100 ms")
	row("the slowest of these starts, ms", number("FirstFrame", "first-frame-max-ms"), "", "", "")
	row("all panes filled, ms", number("PanesFilled", "filled-ms"), "", 2000, "2 s")
	row("the slowest of these starts, ms", number("PanesFilled", "filled-max-ms"), "", "", "")
	row("5,000 pods: first byte, ms", number(beside, "first-byte-ms"), number(k9s, "first-byte-ms"), "", "")
	row("5,000 pods: all pods listed, ms", number(beside, "listed-ms"), number(k9s, "listed-ms"), "", "")
	row("5,000 pods: peak resident memory, MiB", number(beside, "peak-MiB"), number(k9s, "peak-MiB"), third, sprintf("a third of k9s: %.0f MiB", third))
	row("5,000 pods: bytes a second to an idle terminal", number(beside, "idle-B/s"), idle, idle, "fewer than k9s")
	row("5,000 pods: CPU in 25 s, s", number(beside, "cpu-s"), number(k9s, "cpu-s"), "", "")
	row("2,000 runbooks of 20 MB: load, ms", milliseconds("Open2000Files"), "", 2000, "2 s")
	row("2,000 runbooks of 20 MB: heap, MiB", number("Open2000Files", "heap-MiB"), "", 200, "200 MiB")
	row("2,000 runbooks: one file changes, ms", milliseconds("ReloadOneOf2000Files"), "", 50, "50 ms")
	row("journal: an append, in bare writes with fsync", number("AppendOverBareWrite", "bare-writes"), "", 2, "2")
	row("journal: an incident of 100,000 events opens, ms", milliseconds("Open100000Events"), "", 300, "300 ms")
	exit status
}
