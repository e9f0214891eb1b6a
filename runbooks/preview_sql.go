package runbooks

import "context"

func previewSQL(ctx context.Context, script string, db *SQLExecutor) (Preview, error) {
	_ = ctx
	_, _ = script, db
	return Preview{}, noPreview("")
}
