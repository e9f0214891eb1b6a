package incidents

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestMaskHidesEveryForm(t *testing.T) {
	secret := "p@ss w/rd+1"
	m := newMasker("", secret, "p@ss w/rd+1-longer")
	for _, tc := range []struct{ text, want string }{
		{"nothing here", "nothing here"},
		{"password=" + secret + ".", "password=" + Mask + "."},
		{"x p@ss w/rd+1-longer y", "x " + Mask + " y"},
		{secret + secret, Mask + Mask},
		{"postgres://u:p%40ss+w%2Frd%2B1@db", "postgres://u:" + Mask + "@db"},
		{"data: " + base64.StdEncoding.EncodeToString([]byte(secret)), "data: " + Mask},
		{"p@ss w/rd", "p@ss w/rd"},
	} {
		if got := m.text(tc.text); got != tc.want {
			t.Errorf("%q became %q, want %q", tc.text, got, tc.want)
		}
	}
	if got := newMasker().text(secret); got != secret {
		t.Errorf("without secrets %q became %q", secret, got)
	}
}

// However output is cut into pieces, what comes out is what the whole text
// gives, and never the secret.
func FuzzMaskedStream(f *testing.F) {
	f.Add("the password is hunter2, again hunter2hunter2 and hunte", "hunter2", uint(3))
	f.Add("abababab", "aba", uint(1))
	f.Add("aaaa", "aa", uint(2))
	f.Add("a\nb\nc", "a\nb", uint(2))
	f.Fuzz(func(t *testing.T, text, secret string, size uint) {
		m := newMasker(secret)
		s := stream{masker: m}
		var got strings.Builder
		step := int(size%16) + 1
		for rest := text; rest != ""; {
			n := min(step, len(rest))
			got.Write(s.write([]byte(rest[:n])))
			rest = rest[n:]
		}
		got.Write(s.flush())
		if want := m.text(text); got.String() != want {
			t.Errorf("in pieces of %d: %q, whole: %q", step, got.String(), want)
		}
		if secret != "" && !strings.Contains(Mask, secret) {
			for part := range strings.SplitSeq(got.String(), Mask) {
				if strings.Contains(part, secret) {
					t.Errorf("%q still holds %q", got.String(), secret)
				}
			}
		}
	})
}
