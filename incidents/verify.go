package incidents

import (
	"fmt"
	"iter"
)

// Head is the last event of a journal. Who keeps a Head elsewhere can tell
// later that a tail was cut off, which cannot be seen from what is left.
type Head struct {
	Seq  int64 // 0 for an empty journal
	Hash Hash
}

// BrokenChain says where a journal is not what was written.
type BrokenChain struct {
	Seq int64 // the first place where it does not fit
	Why string
}

func (b *BrokenChain) Error() string {
	return fmt.Sprintf("the journal was changed at event %d: %s", b.Seq, b.Why)
}

// sealed is a record with the hash that was stored beside it.
type sealed struct {
	record
	sum  Hash
	seal int64 // of what was pruned: the event that says so; only seq, at, prev and sum are left
}

// verify checks that rows are a journal from its first event on: numbers that
// follow each other, times that never go back, and each event with the hash of
// the one before and its own. Of an event that was removed only the hash is
// left; that it was removed by who may is said by an event that follows.
func verify(rows iter.Seq2[sealed, error]) (Head, error) {
	var head Head
	var at int64
	left := map[int64]*stubs{} // by the event that is to seal them
	said := map[int64]Pruned{}
	for row, err := range rows {
		if err != nil {
			return head, err
		}
		why := ""
		switch {
		case row.seq != head.Seq+1:
			return head, &BrokenChain{head.Seq + 1, fmt.Sprintf("event %d stands in its place", row.seq)}
		case row.prev != head.Hash:
			why = "it does not follow the event before it"
		case row.seal == 0 && row.hash() != row.sum:
			why = "its content is not what its hash was made of"
		case row.at < at:
			why = "it is older than the event before it"
		}
		if why != "" {
			return head, &BrokenChain{row.seq, why}
		}
		head, at = Head{row.seq, row.sum}, row.at
		if row.seal != 0 {
			if left[row.seal] == nil {
				left[row.seal] = newStubs()
			}
			left[row.seal].add(row)
		} else if row.kind == (Pruned{}).kind() {
			said[row.seq], _ = row.event().Fact.(Pruned)
		}
	}
	return head, unsealed(left, said)
}

// unsealed finds events that were removed without a word.
func unsealed(left map[int64]*stubs, said map[int64]Pruned) error {
	var first *BrokenChain
	for seal, s := range left {
		if fact, ok := said[seal]; (!ok || !s.bears(fact)) && (first == nil || s.first < first.Seq) {
			first = &BrokenChain{s.first, "its content was removed, and no event bears that out"}
		}
	}
	if first == nil {
		return nil
	}
	return first
}
