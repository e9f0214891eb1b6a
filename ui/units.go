package ui

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Duration writes a duration that is being watched, with its two largest units:
// 0m48, 6m12, 1h05, 3d04.
func Duration(d time.Duration) string {
	d = max(0, d)
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%dm%02d", int(d/time.Minute), int(d/time.Second)%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02d", int(d/time.Hour), int(d/time.Minute)%60)
	}
	return fmt.Sprintf("%dd%02d", int(d/(24*time.Hour)), int(d/time.Hour)%24)
}

// Age writes how old something is with one unit: 12s, 6m, 3h, 41d.
func Age(d time.Duration) string {
	d = max(0, d)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d/time.Second))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d/time.Minute))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d/time.Hour))
	}
	return fmt.Sprintf("%dd", int(d/(24*time.Hour)))
}

// Elapsed writes how long something took: 0.4ms, 38ms, 12.4s, 3m07.
func Elapsed(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1fms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return Duration(d)
}

// Number writes a value with three significant digits and no exponent for what
// an operator meets: 0.84, 6.2, 91, 412, 12.3k, 4.1M.
func Number(v float64) string {
	a := math.Abs(v)
	switch {
	case math.IsNaN(v):
		return "–"
	case math.IsInf(v, 1):
		return "+Inf"
	case math.IsInf(v, -1):
		return "-Inf"
	case a >= 1e12:
		return strconv.FormatFloat(v, 'g', 3, 64)
	case a >= 1e9:
		return trimZero(v/1e9) + "G"
	case a >= 1e6:
		return trimZero(v/1e6) + "M"
	case a >= 1e4:
		return trimZero(v/1e3) + "k"
	case a >= 100 || v == math.Trunc(v):
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 10:
		return trimZero(v)
	case a >= 0.01:
		return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', 2, 64)
}

func trimZero(v float64) string {
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}

// Bytes writes a size in binary units: 512 B, 3.1 GiB.
func Bytes(n int64) string {
	unit, name := binaryUnit(n)
	return trimZero(float64(n)/unit) + " " + name
}

// BytesOf writes how much of a limit is used, in the limit's unit: 3.1 of 4 GiB.
func BytesOf(n, limit int64) string {
	unit, name := binaryUnit(limit)
	return trimZero(float64(n)/unit) + " of " + trimZero(float64(limit)/unit) + " " + name
}

func binaryUnit(n int64) (size float64, name string) {
	names := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	size = 1
	for i, name := range names {
		if float64(n) < size*1024 || i == len(names)-1 {
			return size, name
		}
		size *= 1024
	}
	return size, names[0]
}
