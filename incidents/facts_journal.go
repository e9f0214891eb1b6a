package incidents

// The facts of the journal itself; their events belong to no incident.
type (
	// Pruned says that the content of old incidents was removed from the
	// journal. Of each of their events the hash is left, so that the chain can be
	// verified, and the digest says which ones were removed.
	Pruned struct {
		Incidents []string `json:"incidents"`
		Events    int      `json:"events"`
		Digest    Hash     `json:"digest"` // SHA-256 of the number, time, and both hashes of each
	}
)

func (Pruned) kind() string { return "journal pruned" }
