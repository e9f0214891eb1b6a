package ui

import (
	"math"
	"testing"
	"time"
)

func TestDurationsAndAges(t *testing.T) {
	for _, c := range []struct {
		d        time.Duration
		duration string
		age      string
		elapsed  string
	}{
		{-time.Second, "0m00", "0s", "-1000.0ms"},
		{400 * time.Microsecond, "0m00", "0s", "0.4ms"},
		{48 * time.Second, "0m48", "48s", "48.0s"},
		{6*time.Minute + 12*time.Second, "6m12", "6m", "6m12"},
		{65 * time.Minute, "1h05", "1h", "1h05"},
		{47 * time.Hour, "1d23", "47h", "1d23"},
		{41 * 24 * time.Hour, "41d00", "41d", "41d00"},
	} {
		if got := Duration(c.d); got != c.duration {
			t.Errorf("Duration(%v) = %q, want %q", c.d, got, c.duration)
		}
		if got := Age(c.d); got != c.age {
			t.Errorf("Age(%v) = %q, want %q", c.d, got, c.age)
		}
		if got := Elapsed(c.d); got != c.elapsed {
			t.Errorf("Elapsed(%v) = %q, want %q", c.d, got, c.elapsed)
		}
	}
}

func TestNumbers(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 0.84: "0.84", 6.2: "6.2", 91: "91", 412.4: "412", 12345: "12.3k", 4.1e6: "4.1M", 7e9: "7G", 5e12: "5e+12",
		-3.14159: "-3.14", 0.0004: "0.0004", math.Inf(1): "+Inf", math.Inf(-1): "-Inf", 99.96: "100",
	} {
		if got := Number(v); got != want {
			t.Errorf("Number(%v) = %q, want %q", v, got, want)
		}
	}
	if got := Number(math.NaN()); got != "–" {
		t.Errorf("Number(NaN) = %q, want –", got)
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 512: "512 B", 1024: "1 KiB", 3328599654: "3.1 GiB", math.MaxInt64: "8 EiB"} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
	if got, want := BytesOf(3328599654, 4<<30), "3.1 of 4 GiB"; got != want {
		t.Errorf("BytesOf = %q, want %q", got, want)
	}
}
