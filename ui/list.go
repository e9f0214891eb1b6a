package ui

// Scroll is where the cursor of a list is and which part of the list is
// visible. The zero value is at the top.
type Scroll struct {
	Cursor int // index of the selected row
	Offset int // index of the first visible row
}

// Move moves the cursor by n rows and keeps it inside a list of length total.
func (s *Scroll) Move(n, total int) { s.Cursor = clamp(s.Cursor+n, total) }

// To moves the cursor to a row.
func (s *Scroll) To(i, total int) { s.Cursor = clamp(i, total) }

// Window returns the visible range [from, to) of a list of length total in
// height rows, moved only as far as the cursor makes it.
func (s *Scroll) Window(total, height int) (from, to int) {
	if height <= 0 || total == 0 {
		return 0, 0
	}
	s.Cursor = clamp(s.Cursor, total)
	if s.Cursor < s.Offset {
		s.Offset = s.Cursor
	}
	if s.Cursor >= s.Offset+height {
		s.Offset = s.Cursor - height + 1
	}
	s.Offset = max(0, min(s.Offset, total-height))
	return s.Offset, min(total, s.Offset+height)
}

func clamp(i, total int) int { return max(0, min(i, total-1)) }
