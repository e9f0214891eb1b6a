package incidents

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"strconv"
	"strings"
)

// headLog is a file beside a journal with a line for each event that was
// acknowledged: its number and hash. A journal alone cannot tell that its tail
// was cut off, or that it was replaced by an older copy; its heads can. They
// are written after the event is on disk and are not waited for, so they are
// never ahead of an honest journal.
type headLog struct{ file *os.File }

func openHeadLog(path string) (*headLog, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return &headLog{file}, nil
}

// append adds a line, in one write, which the system does not mix with those
// of other processes. A head that cannot be written is no reason to fail: the
// event is in the journal.
func (l *headLog) append(h Head) {
	_, _ = l.file.WriteString(strconv.FormatInt(h.Seq, 10) + " " + h.Hash.String() + "\n")
}

// Close ends the log; what was written stays.
func (l *headLog) Close() error { return l.file.Close() }

// heads is what a log of heads says.
type heads map[int64]Hash

// readHeadLog reads a log of heads; a journal may have none. A last line that a
// crash has cut off is left out.
func readHeadLog(path string) (heads, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	known := heads{}
	for lines := bufio.NewScanner(file); ; {
		if !lines.Scan() {
			return known, lines.Err()
		}
		number, sum, _ := strings.Cut(lines.Text(), " ")
		seq, err := strconv.ParseInt(number, 10, 64)
		raw, err2 := hex.DecodeString(sum)
		if err == nil && err2 == nil && len(raw) == len(Hash{}) {
			known[seq] = Hash(raw)
		}
	}
}

// check passes rows on as long as they are the ones that were acknowledged.
func (h heads) check(rows iter.Seq2[sealed, error]) iter.Seq2[sealed, error] {
	return func(yield func(sealed, error) bool) {
		for row, err := range rows {
			if sum, ok := h[row.seq]; err == nil && ok && sum != row.sum {
				err = &BrokenChain{row.seq, "another event was acknowledged in its place"}
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// beyond says that events are missing behind the last one.
func (h heads) beyond(last Head) error {
	missing := last.Seq
	for seq := range h {
		missing = max(missing, seq)
	}
	if missing > last.Seq {
		return &BrokenChain{last.Seq + 1, fmt.Sprintf("it ends here, and event %d was acknowledged", missing)}
	}
	return nil
}
