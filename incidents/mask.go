package incidents

import (
	"bytes"
	"encoding/base64"
	"net/url"
	"slices"
)

// Mask stands where a secret stood.
const Mask = "••••••"

// masker hides known secrets: each as it is, as it looks in a URL, and in
// base64, as Kubernetes shows it.
type masker struct {
	secrets [][]byte // longest first
	begins  [256]bool
}

func newMasker(secrets ...string) *masker {
	m := &masker{}
	for _, s := range secrets {
		if s == "" {
			continue
		}
		for _, form := range []string{
			s, url.QueryEscape(s), url.PathEscape(s), base64.StdEncoding.EncodeToString([]byte(s)),
		} {
			m.secrets = append(m.secrets, []byte(form))
			m.begins[form[0]] = true
		}
	}
	slices.SortFunc(m.secrets, func(a, b []byte) int {
		if n := len(b) - len(a); n != 0 {
			return n
		}
		return bytes.Compare(a, b)
	})
	m.secrets = slices.CompactFunc(m.secrets, bytes.Equal)
	return m
}

// text returns s with its secrets masked.
func (m *masker) text(s string) string {
	if len(m.secrets) == 0 || s == "" {
		return s
	}
	masked, _ := m.scan([]byte(s), true)
	return string(masked)
}

// scan masks the secrets in data. Unless it is the end, what could be the
// beginning of a secret is returned as rest, to be put before what comes next.
func (m *masker) scan(data []byte, end bool) (masked, rest []byte) {
	masked = make([]byte, 0, len(data))
next:
	for i := 0; i < len(data); {
		if m.begins[data[i]] {
			for _, s := range m.secrets {
				if !end && len(data)-i < len(s) && bytes.HasPrefix(s, data[i:]) {
					return masked, data[i:]
				}
				if bytes.HasPrefix(data[i:], s) {
					masked = append(masked, Mask...)
					i += len(s)
					continue next
				}
			}
		}
		masked = append(masked, data[i])
		i++
	}
	return masked, nil
}

// stream masks what comes in pieces; a secret may be cut anywhere.
type stream struct {
	masker *masker
	held   []byte // the beginning of a secret, perhaps; shorter than the longest one
}

// write returns what can be shown so far.
func (s *stream) write(data []byte) []byte {
	if len(s.masker.secrets) == 0 {
		return data
	}
	var masked []byte
	masked, s.held = s.masker.scan(append(s.held, data...), false)
	s.held = bytes.Clone(s.held)
	return masked
}

// flush returns what was held back when nothing more comes.
func (s *stream) flush() []byte {
	masked, _ := s.masker.scan(s.held, true)
	s.held = nil
	return masked
}
